"""Layers of the LRU forecaster: input features, recurrent trunk, output maps."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.nn import GRULayer, LRULayer, RecurrentBlock, RidgeMap, S4DLayer, carry_forward, make_head
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles
from tsformers.nn.recurrent.cell import RecurrentCell

LEAST = 1e-3  # change of a window that stands still, in its units
LEAST_STEP = 0.01  # of one step: what the logarithm of a change begins at
OUTLIER = 10.0  # in units of the window: the blocks see no value beyond it, the location sees all
SIGNALS = 4  # what the blocks are told of a channel: its value, its change, the size of that, whether it was seen
RANK = 16  # numbers that the last step hands to each step ahead
LONG_CONTEXT = 200  # steps: the rings of states for shorter and longer contexts
RINGS = {"short": (0.5, 0.99), "long": (0.9, 0.999)}
MOST_HARMONICS = 4
MOST_LAGS = 512  # of the linear map to the next value

Law = Distribution | Quantiles


@dataclass(frozen=True)
class Sizes:
    """The sizes of the recurrent part; see ``LRU`` for what they mean.

    Source: Orvieto et al. (2023), LRU, section 3.
    """

    cell: Literal["lru", "s4d", "gru"] = "lru"
    d_model: int = 64
    d_state: int = 64
    n_layers: int = 2
    dropout: float = 0.1
    r_min: float | None = None
    r_max: float | None = None
    max_phase: float = 2 * math.pi
    periods: tuple[float, ...] = ()
    start: Literal["linear", "last"] = "linear"


class Past(NamedTuple):
    """What the blocks read, with what the location of the next value needs."""

    filled: Tensor  # (B, L, C), gaps hold the last value seen, those at the beginning the first one
    last: Tensor  # (B, L, C), the last value seen by then; 0 before there is one
    signals: Tensor  # (B, L, 4 C)
    start: Tensor | None  # (B,), the first step with a value; None: all begin at 0


class RecurrentTrunk(nn.Module):
    """A linear map, residual recurrent blocks, and a norm: features of each step that know all steps before it.

    Args:
        inputs: numbers that enter a step.
        context_length: T, which chooses the ring where ``sizes`` leave it open.
        sizes: of the blocks.

    Source: Orvieto et al. (2023), LRU, figure 1.
    """

    def __init__(self, inputs: int, context_length: int, sizes: Sizes) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, sizes.d_model)
        self.blocks = nn.ModuleList(
            RecurrentBlock(make_cell(sizes, context_length), sizes.d_model, sizes.dropout)
            for _ in range(sizes.n_layers)
        )
        self.norm = nn.LayerNorm(sizes.d_model, eps=1e-6)

    def scan(
        self, x: Tensor, states: list[Tensor] | None = None, start: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Features (B, L, D) of all steps of ``x`` (B, L, I), and the states after the last one.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        h, last = self.embed(x), []
        for i, block in enumerate(self.blocks):
            h, state = block.scan(h, None if states is None else states[i], start)  # type: ignore[operator]
            last.append(state)
        return self.norm(h), last

    def step(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Features (B, D) of one step ``x`` (B, I), and the next states.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        h, following = self.embed(x), []
        for block, state in zip(self.blocks, states, strict=True):
            h, state = block.step(h, state)  # type: ignore[operator]
            following.append(state)
        return self.norm(h), following


def make_cell(sizes: Sizes, context_length: int) -> RecurrentCell:
    """The recurrent layer of a block; of "lru", the first states turn at the seasonal frequencies.

    Source: Orvieto et al. (2023), LRU, section 3; the seeding is ours.
    """
    if sizes.cell == "s4d":
        return S4DLayer(sizes.d_model, sizes.d_state)
    if sizes.cell == "gru":
        return GRULayer(sizes.d_model, sizes.d_state)
    usual = RINGS["short" if context_length <= LONG_CONTEXT else "long"]
    r_max = usual[1] if sizes.r_max is None else sizes.r_max
    r_min = min(usual[0], r_max) if sizes.r_min is None else sizes.r_min
    layer = LRULayer(sizes.d_model, sizes.d_state, r_min, max(r_min, r_max), sizes.max_phase)
    if sizes.periods:
        harmonics = max(1, min(MOST_HARMONICS, sizes.d_state // (2 * len(sizes.periods))))
        layer.seed_periods(sizes.periods, harmonics)
    return layer


class NextValue(nn.Module):
    """The law of the next value at each step: what is there, what a linear map of the last steps adds, and the rest.

    The linear map is solved before training. Its weights add up to zero: shifted values are forecast shifted.

    Args:
        channels: C.
        context_length: T; the map reads half of it, so that it has all its lags in half of a window.
        sizes: of the blocks.
        likelihood: of the head.

    Source: DeepAR (Salinas et al., 2020), section 3, for a law at every step; the linear map is ours.
    """

    def __init__(self, channels: int, context_length: int, sizes: Sizes, likelihood: str | DistributionOutput) -> None:
        super().__init__()
        self.lags = min(max(context_length // 2, 1), MOST_LAGS)
        self.ridge = RidgeMap(self.lags, 1) if sizes.start == "linear" else None
        self.centre = zero_linear(sizes.d_model, channels)
        self.head = make_head(likelihood, sizes.d_model, channels)

    def forward(self, features: Tensor, ahead: Tensor, scale: Tensor | None) -> Law:
        """The law after each step (B, L, C), from features (B, L, D) and what the linear map says (B, L, C).

        Source: Salinas et al. (2020), DeepAR, section 3.
        """
        return self.head(features, ahead + self.centre(features), scale)

    def kernel(self) -> Tensor | None:
        """Weights (p,) of the last p values, the latest last; None where there is no map.

        Source: as for ``RidgeMap``.
        """
        if self.ridge is None:
            return None
        weight = self.ridge.weight[0]
        return weight - weight.mean()

    def ahead(self, past: Past) -> Tensor:
        """The last value and what the map adds to it, at each step (B, L, C).

        Source: as for ``RidgeMap``.
        """
        kernel = self.kernel()
        if kernel is None:
            return past.last
        rows = past.filled.mT  # (B, C, L)
        before = rows[..., :1].expand(-1, -1, self.lags - 1)
        lanes = torch.cat([before, rows], dim=-1).flatten(0, 1)[:, None]
        added = nn.functional.conv1d(lanes, kernel.to(lanes.dtype)[None, None])
        return past.last + added.view_as(rows).mT


class Horizon(nn.Module):
    """The law of all steps to come at once: location is the last value, a linear map of the context, and the rest.

    The rest reads the features of the last step, the known covariates of each step ahead, how restless the window is
    and the errors of the map at each step ahead. The location begins as what the solved map says.

    Args:
        columns: C channels and K known columns.
        context_length: T.
        horizon: H.
        sizes: of the blocks.
        likelihood: of the head.

    Source: Orvieto et al. (2023), LRU, for the features; the decoder is ours.
    """

    def __init__(
        self,
        columns: tuple[int, int],
        context_length: int,
        horizon: int,
        sizes: Sizes,
        likelihood: str | DistributionOutput,
    ) -> None:
        super().__init__()
        channels, known = columns
        self.ridge = RidgeMap(context_length, horizon) if sizes.start == "linear" else None
        self.spread = nn.Linear(sizes.d_model, horizon * RANK)
        self.mix = nn.Linear(RANK, sizes.d_model)
        self.told = nn.Linear(channels + (self.ridge is not None) + known, sizes.d_model)
        self.centre = zero_linear(sizes.d_model, channels)
        self.head = make_head(likelihood, sizes.d_model, channels)

    def forward(self, features: Tensor, filled: Tensor, window: Window) -> Law:
        """The law (B, H, C) from the last features (B, D) and the past without gaps.

        Source: Orvieto et al. (2023), LRU, for the features; the decoder is ours.
        """
        steps = self.spread(features).unflatten(-1, (-1, RANK))  # (B, H, R)
        change = filled.diff(dim=1).abs().sum(1, keepdim=True) / filled.shape[1]
        told = [(change + LEAST).log().expand(-1, steps.shape[1], -1), window.future_x.to(steps.dtype)]
        location = filled[:, -1:]
        if self.ridge is not None:
            location = location + self.ridge(filled)
            told.append((self.ridge.errors.to(steps.dtype) + LEAST).log()[:, None].expand(len(steps), -1, -1))
        hidden = nn.functional.gelu(self.mix(steps) + self.told(torch.cat(told, dim=-1)))
        return self.head(hidden, location + self.centre(hidden), window.scale)


def read_past(values: Tensor, seen: Tensor) -> Past:
    """Values (B, L, C) with gaps as the blocks see them; no step is told what comes after it.

    Source: last observation carried forward; textbook.
    """
    filled = carry_forward(values, seen)
    if bool(seen.all()):
        last, start = filled, None
    else:
        last = torch.where(cold_state(seen), filled, 0.0)
        start = seen.any(-1).int().argmax(1)
        start = start if bool(start.any()) else None
    change = filled.diff(dim=1, prepend=filled[:, :1])
    return Past(filled, last, signals(last, change, seen.to(values.dtype)), start)


def signals(value: Tensor, change: Tensor, seen: Tensor) -> Tensor:
    """What the blocks are told (..., 4 C): channel by channel value, change, size of change, and whether it was seen.

    Source: none; a linear recurrence cannot see sizes, which tell restless times from calm ones.
    """
    size = 0.5 * (change.abs() + LEAST_STEP).log()
    return torch.stack([_held(value), _held(change), size, seen], dim=-1).flatten(-2)


def zero_linear(width: int, channels: int) -> nn.Linear:
    """A map that begins at zero."""
    linear = nn.Linear(width, channels)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def _held(x: Tensor) -> Tensor:
    """Nearly ``x`` below a few units, never beyond ``OUTLIER``."""
    return x * torch.rsqrt(1 + (x / OUTLIER).square())


def cold_state(seen: Tensor) -> Tensor:
    """Where a channel has been seen by then."""
    return seen.int().cummax(1).values.bool()
