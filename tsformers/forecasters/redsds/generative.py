"""The generative model of REDSDS: regimes, durations, states and emissions."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsformers.forecasters.redsds.architecture import MIN_SCALE, Design
from tsformers.hsmm.inference import hazards

PRIOR_HIDDEN, DURATION_HIDDEN = 8, 64  # of the networks that read controls


class Temperatures(NamedTuple):
    """Temperatures of the distributions of switches and of durations; 1 leaves them as they are.

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """

    switch: Tensor
    duration: Tensor


class Sequences(NamedTuple):
    """A batch of sequences as the model reads it: missing values are zero and masked."""

    y: Tensor  # (B, L, C)
    observed: Tensor  # (B, L, C)
    controls: Tensor  # (B, L, U)
    lengths: Tensor | None = None  # (B,), what follows is padding; None: there is none


class Factors(NamedTuple):
    """Inputs of ``tsformers.hsmm``: logarithms of the factors of the model, given the states.

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """

    log_initial: Tensor  # (B, K)
    log_transition: Tensor  # (B, L, K, K)
    log_continue: Tensor  # (K, D), or (B, L, K, D) with controls
    log_emission: Tensor  # (B, L, K)


class PerRegime(nn.Module):
    """One linear map, or network with a hidden layer, for each regime, all at once.

    Args:
        inputs: I, input features.
        outputs: O, output features of each regime.
        n_regimes: K.
        hidden: width of the hidden layer; None: a linear map without bias.

    Example:
        >>> PerRegime(4, 6, 3, hidden=8)(torch.ones(2, 5, 4)).shape
        torch.Size([2, 5, 3, 6])

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """

    def __init__(self, inputs: int, outputs: int, n_regimes: int, hidden: int | None) -> None:
        super().__init__()
        self.n_regimes, self.hidden = n_regimes, hidden
        self.first = nn.Linear(inputs, n_regimes * (hidden or outputs), bias=hidden is not None)
        if hidden is not None:
            bound = hidden**-0.5
            self.second = nn.Parameter(torch.empty(n_regimes, hidden, outputs).uniform_(-bound, bound))
            self.bias = nn.Parameter(torch.empty(n_regimes, outputs).uniform_(-bound, bound))

    def forward(self, values: Tensor) -> Tensor:
        """(..., K, O) from (..., I).

        Source: Ansari et al. (2021), RED-SDS, section 3.1.
        """
        first = self.first(values).unflatten(-1, (self.n_regimes, -1))
        if self.hidden is None:
            return first
        return torch.einsum("...kh,kho->...ko", torch.relu(first), self.second) + self.bias


class Durations(nn.Module):
    """Duration distribution of each regime over ``min_duration .. max_duration``, which may depend on controls.

    Example:
        >>> from tsformers import REDSDS
        >>> durations = Durations(REDSDS(horizon=2, min_duration=2, max_duration=4).design(), controls=0)
        >>> durations.log_probabilities(torch.zeros(1, 1, 0), torch.tensor(1.0)).exp().sum(1).detach().round(decimals=4)
        tensor([1., 1., 1.])

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """

    def __init__(self, design: Design, controls: int) -> None:
        super().__init__()
        explicit = design.durations == "explicit"
        self.shortest, self.longest = (design.min_duration, design.max_duration) if explicit else (1, 1)
        self.n_regimes = design.n_regimes
        free = design.n_regimes * (self.longest - self.shortest + 1)
        self.logits = nn.Parameter(torch.empty(free).uniform_(-1, 1)) if not controls else None
        self.network = mlp(controls, DURATION_HIDDEN, free) if controls else None

    def log_probabilities(self, controls: Tensor, temperature: Tensor) -> Tensor:
        """Log-probabilities of ``shortest .. longest`` steps, (K, W), or (B, L, K, W) with controls.

        Source: Ansari et al. (2021), RED-SDS, section 3.1.
        """
        logits = self.logits if self.network is None else self.network(controls)
        assert logits is not None
        return functional.log_softmax(logits.unflatten(-1, (self.n_regimes, -1)) / temperature, dim=-1)

    def log_continue(self, controls: Tensor, temperature: Tensor) -> Tensor:
        """``log v_k(c)``: regime k continues after c = 1 .. D steps, (K, D) or (B, L, K, D).

        Source: Ansari et al. (2021), RED-SDS, section 3.1.
        """
        probabilities = self.log_probabilities(controls, temperature)
        return hazards(functional.pad(probabilities, (self.shortest - 1, 0), value=-math.inf))


class GenerativeModel(nn.Module):
    """Regimes with durations, states with the dynamics of their regime, and values emitted by the states.

    Args:
        channels: C.
        controls: U, features of known covariates; 0: there are none.
        design: parts and sizes.

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """

    def __init__(self, channels: int, controls: int, design: Design) -> None:
        super().__init__()
        k, m = design.n_regimes, design.d_state
        self.design = design
        self.initial_logits = nn.Parameter(torch.empty(k).uniform_(-1, 1)) if not controls else None
        self.initial_network = mlp(controls, PRIOR_HIDDEN, k) if controls else None
        self.first_mean = nn.Parameter(torch.empty(k, m).uniform_(-1, 1)) if not controls else None
        self.first_network = PerRegime(controls, m, k, PRIOR_HIDDEN) if controls else None
        self.first_raw = nn.Parameter(torch.full((k, m), _raw(design.state_scale)))
        self.durations = Durations(design, controls)
        self.reads = design.switch_input if design.recurrent else ""
        width = channels * ("y" in self.reads) + m * ("x" in self.reads) + controls
        self.switch = mlp(max(width, 1), 4 * k * k, k * k)
        hidden = design.widths.transition if design.transition == "mlp" else None
        self.transition = PerRegime(m + controls, 2 * m, k, hidden)
        one, two = design.widths.emission
        self.emission: nn.Module = nn.Linear(m, channels, bias=False)
        if design.emission == "mlp":
            layers = (nn.Linear(m, one), nn.ReLU(), nn.Linear(one, two), nn.ReLU(), nn.Linear(two, channels))
            self.emission = nn.Sequential(*layers)
        self.emission_raw = nn.Parameter(torch.full((channels,), _raw(design.emission_scale)))

    def factors(self, x: Tensor, sequences: Sequences, temperatures: Temperatures) -> Factors:
        """The factors given states ``x`` (B, L, M); padding after a sequence has log-density 0.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        emitted = self.emission(x)
        log_y = log_normal(sequences.y, emitted, positive(self.emission_raw))
        log_y = torch.where(sequences.observed, log_y, 0.0).sum(-1)  # (B, L)
        first = self._log_first(x[:, 0], sequences) + log_y[:, :1]
        if self.design.start_floor is not None:
            first = torch.logaddexp(first, torch.full_like(first, self.design.start_floor))
        log_emission = torch.cat([first[:, None], self._log_transitions(x, sequences) + log_y[:, 1:, None]], dim=1)
        if sequences.lengths is not None:
            inside = torch.arange(x.shape[1], device=x.device) < sequences.lengths[:, None]
            log_emission = torch.where(inside[..., None], log_emission, 0.0)
        previous = torch.where(sequences.observed, sequences.y, emitted)[:, :-1]
        switches = self.log_switch(x[:, :-1], previous, sequences.controls[:, 1:], temperatures.switch)
        return Factors(
            self._log_initial(sequences, len(x)),
            functional.pad(switches, (0, 0, 0, 0, 1, 0)),
            self.durations.log_continue(sequences.controls, temperatures.duration),
            log_emission,
        )

    def log_switch(self, x: Tensor, y: Tensor, controls: Tensor, temperature: Tensor) -> Tensor:
        """Log-probabilities (..., K from, K to) of the regime that follows one that ends, from the step before.

        Source: Ansari et al. (2021), RED-SDS, section 3.1.
        """
        parts = [part for name, part in (("y", y), ("x", x)) if name in self.reads]
        if controls.shape[-1] or not parts:
            parts.append(controls if controls.shape[-1] else torch.ones_like(x[..., :1]))
        k = self.design.n_regimes
        logits = self.switch(torch.cat(parts, dim=-1)).unflatten(-1, (k, k))
        return functional.log_softmax(logits / temperature, dim=-1)

    def next_state(self, x: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (..., K, M) of the state that follows ``x``, in each regime.

        Source: Ansari et al. (2021), RED-SDS, section 3.1.
        """
        mean, raw = self.transition(torch.cat([x, controls], dim=-1)).chunk(2, dim=-1)
        return mean + x[..., None, :] if self.design.residual else mean, positive(raw)

    def _log_initial(self, sequences: Sequences, batch: int) -> Tensor:
        if self.initial_network is not None:
            return functional.log_softmax(self.initial_network(sequences.controls[:, 0]), dim=-1)
        assert self.initial_logits is not None
        return functional.log_softmax(self.initial_logits, dim=-1).expand(batch, -1)

    def _log_first(self, x: Tensor, sequences: Sequences) -> Tensor:
        """Log-density (B, K) of the first state."""
        mean = self.first_mean if self.first_network is None else self.first_network(sequences.controls[:, 0])
        assert mean is not None
        return log_normal(x[:, None], mean, positive(self.first_raw)).sum(-1)

    def _log_transitions(self, x: Tensor, sequences: Sequences) -> Tensor:
        """Log-density (B, L - 1, K) of each state given the one before."""
        mean, scale = self.next_state(x[:, :-1], sequences.controls[:, 1:])
        return log_normal(x[:, 1:, None], mean, scale).sum(-1)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """One hidden layer with ReLU.

    Example:
        >>> mlp(3, 8, 2)(torch.zeros(5, 3)).shape
        torch.Size([5, 2])

    Source: Ansari et al. (2021), RED-SDS, section 4.
    """
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def positive(raw: Tensor) -> Tensor:
    """A standard deviation from an unconstrained parameter.

    Example:
        >>> positive(torch.zeros(1))
        tensor([0.6931])

    Source: Ansari et al. (2021), RED-SDS, section 4.
    """
    return functional.softplus(raw) + MIN_SCALE


def log_normal(values: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Log-density of independent normal numbers, entry by entry.

    Example:
        >>> log_normal(torch.zeros(1), torch.zeros(1), torch.ones(1))
        tensor([-0.9189])

    Source: the normal density.
    """
    return -0.5 * ((values - mean) / scale).square() - scale.log() - 0.5 * math.log(2 * math.pi)


def _raw(scale: float) -> float:
    """Inverse of the softplus in ``positive``."""
    return scale + math.log(-math.expm1(-scale))
