"""The network of REDSDS: a posterior over the states, the bound on the likelihood, and draws of the future."""

import math

import torch
from torch import Tensor, nn

from tsformers.data.windows import Window
from tsformers.forecasters.redsds.annealing import Annealing
from tsformers.forecasters.redsds.generative import Design, Factors, GenerativeModel, Temperatures, Told, mlp, positive
from tsformers.forecasters.redsds.inference import Encoded, Inference
from tsformers.hsmm.inference import Posterior, forward_backward

MOST_STEPS = 1 << 17  # rows times steps that ``sample`` looks at at once
USAGE_STEPS = 20  # training steps from one record of the regimes' shares to the next
FIXED_NOISE = 0  # seed of the draws behind the loss outside training


class REDSDSNetwork(nn.Module):
    """A switching state-space model with explicit durations, and the posterior it is trained with.

    ``loss`` is minus the evidence bound of context and future together: switches and counts are summed out exactly,
    states are drawn once. Outside training the draws are the same for every window. Draws of the future begin from
    posterior draws of the context alone.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        horizon: H.
        design: parts and sizes.
        switch: temperature of switches.
        duration: temperature of durations.
        begin: "sample" draws the last regime and its age from their posterior, "argmax" takes the likeliest.

    Example:
        >>> from tsformers.testing import make_window
        >>> network = REDSDSNetwork((2, 0, 3), 4, Design(n_regimes=2, max_duration=5))
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
        switch: Annealing = Annealing(),  # noqa: B008  (a tuple of numbers)
        duration: Annealing = Annealing(),  # noqa: B008
        begin: str = "sample",
    ) -> None:
        super().__init__()
        channels, self.past_covariates, known = columns
        self.horizon, self.design, self.begin = horizon, design, begin
        self.annealing = {"switch_temperature": switch, "duration_temperature": duration}
        controls = design.d_control if known else 0
        self.controls = mlp(known, design.control_hidden, controls) if known else None
        self.model = GenerativeModel(channels, controls, design)
        inputs = 2 * channels + self.past_covariates + (self.past_covariates > 0)
        self.inference = Inference(inputs, controls, design)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        for name, annealing in self.annealing.items():
            self.register_buffer(name, torch.tensor(annealing.at(0)))
        self.usage: list[tuple[int, list[float]]] = []  # step, share of each regime since the record before
        self._shares: list[Tensor] = []

    @property
    def temperatures(self) -> Temperatures:
        """Those of the last training step.

        Source: Ansari et al. (2021), RED-SDS, section 3.3.
        """
        return Temperatures(self.switch_temperature, self.duration_temperature)

    def loss(self, window: Window) -> Tensor:
        """Minus the evidence bound (B,) of all that was seen in context and future, in units of the window.

        Source: Ansari et al. (2021), RED-SDS, eq. 9.
        """
        if self.training:
            self._count()
        values, told = self._told(window, window.future)
        shape = (len(values), values.shape[1], self.design.d_state)
        if self.training:
            noise = torch.randn(shape, device=values.device, dtype=values.dtype)
        else:  # the same for each window: its loss does not depend on the batch
            generator = torch.Generator(values.device).manual_seed(FIXED_NOISE)
            one = torch.randn(shape[1:], generator=generator, device=values.device, dtype=values.dtype)
            noise = one.expand(shape)
        try:
            encoded = self.encode(values, told, noise)
            sums = summed(encoded.factors)
        except ValueError as error:  # factors that are no numbers
            raise FloatingPointError(
                f"after {int(self.step)} steps of training the model gives no densities any more ({error}); lower "
                "learning_rate, or give extreme values a scaler ('standard', 'robust')"
            ) from error
        if self.training:
            self._note(sums.regime.detach().mean((0, 1)))
        return -(sums.log_likelihood + entropy(encoded.scale))

    def encode(self, values: Tensor, told: Told, noise: Tensor) -> Encoded:
        """States and the factors given them; ``noise`` (B, L, M) of zeros gives mean states.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        x, scale = self.inference.draw(self.inference.read(values, told), noise)
        return Encoded(x, scale, self.model.factors(x, told, self.temperatures))

    def read(self, window: Window, lengths: Tensor | None = None) -> tuple[Told, Encoded]:
        """The context alone, with mean states; ``lengths`` (B,): what follows so many steps is padding.

        Source: Ansari et al. (2021), RED-SDS, section 4.1.
        """
        values, told = self._told(window, None, lengths)
        noise = values.new_zeros(len(values), values.shape[1], self.design.d_state)
        return told, self.encode(values, told, noise)

    def sample(self, window: Window, n_samples: int) -> Tensor:
        """Draws (B, S, H, C): of states, regime and age at the end of the context, then of all that follows.

        Source: Ansari et al. (2021), RED-SDS, section 3.4.
        """
        size = max(1, MOST_STEPS // (n_samples * window.past.shape[1]))
        pieces = [_rows(window, slice(i, i + size)) for i in range(0, len(window.past), size)]
        return torch.cat([self._draws(piece, n_samples) for piece in pieces])

    def _draws(self, window: Window, n_samples: int) -> Tensor:
        values, told = self._told(window, None)
        inputs = self.inference.read(values, told).repeat_interleave(n_samples, 0)
        told = Told(*(part.repeat_interleave(n_samples, 0) for part in told[:3]))
        noise = torch.randn(*inputs.shape[:2], self.design.d_state, device=inputs.device, dtype=inputs.dtype)
        x, _ = self.inference.draw(inputs, noise)
        last = summed(self.model.factors(x, told, self.temperatures)).regime_count[:, -1].flatten(1)  # (BS, K D)
        cell = last.argmax(-1) if self.begin == "argmax" else torch.multinomial(last, 1)[:, 0]
        count = self.model.durations.most
        place = (x[:, -1], cell // count, cell % count)
        y = torch.where(told.seen[:, -1], told.y[:, -1], self.model.emission(x[:, -1]))
        ahead = window.future_x.to(x.dtype).repeat_interleave(n_samples, 0)
        drawn = self._ahead(place, y, ahead if self.controls is None else self.controls(ahead))
        return drawn.view(-1, n_samples, *drawn.shape[1:])

    def _ahead(self, place: tuple[Tensor, Tensor, Tensor], y: Tensor, controls: Tensor) -> Tensor:
        """Values (R, H, C) that follow state, regime and age (from 0) of each row, and the values ``y`` there."""
        x, regime, age = place
        rows, values = torch.arange(len(x), device=x.device), []
        model, temperatures = self.model, self.temperatures
        spread = positive(model.emission_raw)
        for h in range(self.horizon):
            control = controls[:, h] if self.controls is not None else x[:, :0]
            log_continue = model.durations.log_continue(control, temperatures.duration)
            goes_on = log_continue[regime, age] if log_continue.ndim == 2 else log_continue[rows, regime, age]
            switch = model.log_switch(x, y, control, temperatures.switch)[rows, regime]
            following = torch.multinomial(switch.exp(), 1)[:, 0]
            stays = torch.rand(len(x), device=x.device) < goes_on.exp()
            regime = torch.where(stays, regime, following)
            age = torch.where(stays, age + 1, 0)
            mean, scale = (part[rows, regime] for part in model.moves(x, control))
            x = mean + scale * torch.randn_like(mean)
            shown = model.emission(x)
            y = shown + spread * torch.randn_like(shown)
            values.append(y)
        return torch.stack(values, dim=1)

    def _told(self, window: Window, future: Tensor | None, lengths: Tensor | None = None) -> tuple[Tensor, Told]:
        """What inference reads of each step (B, L, I), and what the model does; without ``future`` of the context."""
        y, seen, past_x = window.past, window.past_observed, window.past_x[..., : self.past_covariates]
        known = window.past_x[..., self.past_covariates :]
        there = torch.ones_like(past_x[..., :1])
        if future is not None:
            y, seen = torch.cat([y, future], dim=1), torch.cat([seen, window.future_observed], dim=1)
            known = torch.cat([known, window.future_x], dim=1)
            past_x, there = (nn.functional.pad(part, (0, 0, 0, future.shape[1])) for part in (past_x, there))
        y = torch.where(seen, y, 0.0)
        parts = [y, seen.to(y.dtype)]
        if self.past_covariates:
            parts += [past_x.to(y.dtype), there.to(y.dtype)]
        controls = known[..., :0].to(y.dtype) if self.controls is None else self.controls(known.to(y.dtype))
        return torch.cat(parts, dim=-1), Told(y, seen, controls, lengths)

    def usage_records(self) -> list[tuple[int, list[float]]]:
        """Step and share of each regime since the record before, to the last training step."""
        if not self._shares:
            return self.usage
        return [*self.usage, (int(self.step), torch.stack(self._shares).mean(0).tolist())]

    def begin_anew(self) -> None:
        """Temperatures start again, and what was noted of regimes is forgotten; the weights stay."""
        self.step.zero_()
        self.usage.clear()
        self._shares.clear()

    def _count(self) -> None:
        """One step of training more; the temperatures follow."""
        for name, annealing in self.annealing.items():
            getattr(self, name).fill_(annealing.at(int(self.step)))
        self.step += 1

    def _note(self, share: Tensor) -> None:
        self._shares.append(share)
        if len(self._shares) == USAGE_STEPS:
            self.usage.append((int(self.step), torch.stack(self._shares).mean(0).tolist()))
            self._shares.clear()


def summed(factors: Factors) -> Posterior:
    """Regimes and counts summed out.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """
    return forward_backward(**factors._asdict())


def entropy(scale: Tensor) -> Tensor:
    """Entropy (B,) of the draws of all steps, from their standard deviations (B, L, M).

    Source: the normal law.
    """
    return (scale.log() + 0.5 * (1 + math.log(2 * math.pi))).sum((1, 2))


def _rows(window: Window, rows: slice) -> Window:
    return Window(*(part if part is None else part[rows] for part in window))  # type: ignore[arg-type]
