"""The network of REDSDS: variational posterior, evidence lower bound, and draws of the future."""

import math

import torch
from torch import Tensor, nn

from tsformers.data.windows import Window
from tsformers.forecasters.redsds.annealing import TemperatureSchedule
from tsformers.forecasters.redsds.architecture import Design
from tsformers.forecasters.redsds.generative import Factors, GenerativeModel, Sequences, Temperatures, mlp, positive
from tsformers.forecasters.redsds.inference import Encoded, Inference
from tsformers.hsmm.inference import Posterior, forward_backward

MAX_STEPS = 1 << 17  # windows times draws times steps in one pass of ``sample``
USAGE_STEPS = 20  # training steps from one record of the regimes' shares to the next
NOISE_SEED = 0  # of the draws in the loss outside training


class REDSDSNetwork(nn.Module):
    """A switching state-space model with explicit durations, and the posterior it is trained with.

    ``loss`` is minus the evidence lower bound of context and future together: switches and counts are marginalised
    exactly, states are drawn once. Outside training the draws are the same for every window. Draws of the future
    continue posterior draws of the context alone.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        horizon: H.
        design: parts and sizes.
        switch: temperature schedule of switches.
        duration: temperature schedule of durations.
        begin: "sample" draws the last regime and its age from their posterior, "argmax" takes the most probable.

    Example:
        >>> from tsformers.testing import make_window
        >>> from tsformers import REDSDS
        >>> design = REDSDS(horizon=4, n_regimes=2, max_duration=5).design()
        >>> network = REDSDSNetwork((2, 0, 3), 4, design)
        >>> network.sample(make_window(5, 16, 4, channels=2, known_x=3), 7).shape
        torch.Size([5, 7, 4, 2])

    Source: Ansari et al. (2021), RED-SDS, sections 3.1 to 3.3.
    """

    levels: tuple[float, ...] | None = None
    step: Tensor
    switch_temperature: Tensor
    duration_temperature: Tensor

    def __init__(
        self,
        columns: tuple[int, int, int],
        horizon: int,
        design: Design,
        switch: TemperatureSchedule = TemperatureSchedule(),  # noqa: B008  (a tuple of numbers)
        duration: TemperatureSchedule = TemperatureSchedule(),  # noqa: B008
        begin: str = "sample",
    ) -> None:
        super().__init__()
        channels, self.past_covariates, known = columns
        self.horizon, self.design, self.begin = horizon, design, begin
        self.schedules = {"switch_temperature": switch, "duration_temperature": duration}
        controls = design.widths.control if known else 0
        self.controls = mlp(known, design.widths.control_hidden, controls) if known else None
        self.model = GenerativeModel(channels, controls, design)
        inputs = 2 * channels + self.past_covariates + (self.past_covariates > 0)
        self.inference = Inference(inputs, controls, design)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        for name, schedule in self.schedules.items():
            self.register_buffer(name, torch.tensor(schedule.at(0)))
        self.usage: list[tuple[int, list[float]]] = []  # step, share of each regime since the previous record
        self._shares: list[Tensor] = []

    @property
    def temperatures(self) -> Temperatures:
        """Those of the last training step.

        Source: Ansari et al. (2021), RED-SDS, section 3.3.
        """
        return Temperatures(self.switch_temperature, self.duration_temperature)

    def loss(self, window: Window) -> Tensor:
        """Minus the evidence lower bound (B,) of the observed values of context and future, in units of the window.

        Source: Ansari et al. (2021), RED-SDS, eq. 9.
        """
        if self.training:
            self._advance()
        values, sequences = self.sequences(window, window.future)
        shape = (len(values), values.shape[1], self.design.d_state)
        if self.training:
            noise = torch.randn(shape, device=values.device, dtype=values.dtype)
        else:  # the same for each window: its loss does not depend on the batch
            generator = torch.Generator(values.device).manual_seed(NOISE_SEED)
            one = torch.randn(shape[1:], generator=generator, device=values.device, dtype=values.dtype)
            noise = one.expand(shape)
        try:
            encoded = self.encode(values, sequences, noise)
            marginals = marginalise(encoded.factors)
        except ValueError as error:  # factors are NaN
            raise FloatingPointError(
                f"after {int(self.step)} steps of training the densities of the model are no longer finite ({error}); "
                "lower learning_rate, or give extreme values a scaler ('standard', 'robust')"
            ) from error
        if self.training:
            self._record(marginals.regime.detach().mean((0, 1)))
        return -(marginals.log_likelihood + entropy(encoded.scale))

    def encode(self, values: Tensor, sequences: Sequences, noise: Tensor) -> Encoded:
        """States and the factors given them; ``noise`` (B, L, M) of zeros gives mean states.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        x, scale = self.inference.draw(self.inference.read(values, sequences), noise)
        return Encoded(x, scale, self.model.factors(x, sequences, self.temperatures))

    def read(self, window: Window, lengths: Tensor | None = None) -> tuple[Sequences, Encoded]:
        """The context alone, with mean states; ``lengths`` (B,): what follows so many steps is padding.

        Source: Ansari et al. (2021), RED-SDS, section 4.1.
        """
        values, sequences = self.sequences(window, None, lengths)
        noise = values.new_zeros(len(values), values.shape[1], self.design.d_state)
        return sequences, self.encode(values, sequences, noise)

    def sample(self, window: Window, n_samples: int) -> Tensor:
        """Draws (B, S, H, C): of states, regime and age at the end of the context, then of the steps after it.

        Source: Ansari et al. (2021), RED-SDS, section 3.4.
        """
        size = max(1, MAX_STEPS // (n_samples * window.past.shape[1]))
        pieces = [_rows(window, slice(i, i + size)) for i in range(0, len(window.past), size)]
        return torch.cat([self._draws(piece, n_samples) for piece in pieces])

    def _draws(self, window: Window, n_samples: int) -> Tensor:
        values, sequences = self.sequences(window, None)
        inputs = self.inference.read(values, sequences).repeat_interleave(n_samples, 0)
        sequences = Sequences(*(part.repeat_interleave(n_samples, 0) for part in sequences[:3]))
        noise = torch.randn(*inputs.shape[:2], self.design.d_state, device=inputs.device, dtype=inputs.dtype)
        x, _ = self.inference.draw(inputs, noise)
        last = (
            marginalise(self.model.factors(x, sequences, self.temperatures)).regime_count[:, -1].flatten(1)
        )  # (BS, K D)
        cell = last.argmax(-1) if self.begin == "argmax" else torch.multinomial(last, 1)[:, 0]
        count = self.model.durations.longest
        origin = (x[:, -1], cell // count, cell % count)
        y = torch.where(sequences.observed[:, -1], sequences.y[:, -1], self.model.emission(x[:, -1]))
        ahead = window.future_x.to(x.dtype).repeat_interleave(n_samples, 0)
        drawn = self.continue_paths(origin, y, ahead if self.controls is None else self.controls(ahead))
        return drawn.view(-1, n_samples, *drawn.shape[1:])

    def continue_paths(self, origin: tuple[Tensor, Tensor, Tensor], y: Tensor, controls: Tensor) -> Tensor:
        """Values (R, H, C) drawn after state, regime and age (from 0) of each row, whose last values are ``y``.

        Source: Ansari et al. (2021), RED-SDS, section 3.4.
        """
        x, regime, age = origin
        rows, values = torch.arange(len(x), device=x.device), []
        model, temperatures = self.model, self.temperatures
        spread = positive(model.emission_raw)
        for h in range(self.horizon):
            control = controls[:, h] if self.controls is not None else x[:, :0]
            log_continue = model.durations.log_continue(control, temperatures.duration)
            continues = log_continue[regime, age] if log_continue.ndim == 2 else log_continue[rows, regime, age]
            switch = model.log_switch(x, y, control, temperatures.switch)[rows, regime]
            following = torch.multinomial(switch.exp(), 1)[:, 0]
            stays = torch.rand(len(x), device=x.device) < continues.exp()
            regime = torch.where(stays, regime, following)
            age = torch.where(stays, age + 1, 0)
            mean, scale = (part[rows, regime] for part in model.next_state(x, control))
            x = mean + scale * torch.randn_like(mean)
            emitted = model.emission(x)
            y = emitted + spread * torch.randn_like(emitted)
            values.append(y)
        return torch.stack(values, dim=1)

    def sequences(
        self, window: Window, future: Tensor | None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Sequences]:
        """Inputs of the posterior (B, L, I), and the model's sequences; without ``future``, of the context alone."""
        y, observed, past_x = window.past, window.past_observed, window.past_x[..., : self.past_covariates]
        known = window.past_x[..., self.past_covariates :]
        there = torch.ones_like(past_x[..., :1])
        if future is not None:
            y = torch.cat([y, future], dim=1)
            observed = torch.cat([observed, window.future_observed], dim=1)
            known = torch.cat([known, window.future_x], dim=1)
            past_x, there = (nn.functional.pad(part, (0, 0, 0, future.shape[1])) for part in (past_x, there))
        y = torch.where(observed, y, 0.0)
        parts = [y, observed.to(y.dtype)]
        if self.past_covariates:
            parts += [past_x.to(y.dtype), there.to(y.dtype)]
        controls = known[..., :0].to(y.dtype) if self.controls is None else self.controls(known.to(y.dtype))
        return torch.cat(parts, dim=-1), Sequences(y, observed, controls, lengths)

    def usage_records(self) -> list[tuple[int, list[float]]]:
        """Step and share of each regime since the previous record, to the last training step."""
        if not self._shares:
            return self.usage
        return [*self.usage, (int(self.step), torch.stack(self._shares).mean(0).tolist())]

    def reset_annealing(self) -> None:
        """Restarts the temperature schedules and the records of usage; the weights stay."""
        self.step.zero_()
        self.usage.clear()
        self._shares.clear()

    def _advance(self) -> None:
        """Counts a training step and sets the temperatures of it."""
        for name, schedule in self.schedules.items():
            getattr(self, name).fill_(schedule.at(int(self.step)))
        self.step += 1

    def _record(self, share: Tensor) -> None:
        self._shares.append(share)
        if len(self._shares) == USAGE_STEPS:
            self.usage.append((int(self.step), torch.stack(self._shares).mean(0).tolist()))
            self._shares.clear()


def marginalise(factors: Factors) -> Posterior:
    """The posterior with regimes and counts marginalised.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """
    return forward_backward(**factors._asdict())


def entropy(scale: Tensor) -> Tensor:
    """Entropy (B,) of the draws of all steps, from their standard deviations (B, L, M).

    Example:
        >>> entropy(torch.ones(1, 1, 1))
        tensor([1.4189])

    Source: the normal density.
    """
    return (scale.log() + 0.5 * (1 + math.log(2 * math.pi))).sum((1, 2))


def _rows(window: Window, rows: slice) -> Window:
    return Window(*(part if part is None else part[rows] for part in window))  # type: ignore[arg-type]
