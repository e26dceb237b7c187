"""The network of LRU: recurrent blocks that read the past, a law of the next value and one of the whole horizon."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.forecasters._neural import DistributionNetwork
from tsformers.nn import GRULayer, LRULayer, RecurrentBlock, RidgeMap, S4DLayer, carry_forward, make_head
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles
from tsformers.nn.recurrent.cell import RecurrentCell

LEAST = 1e-3  # change of a window that stands still, in its units
LEAST_STEP = 0.01  # of one step: what the logarithm of a change begins at
OUTLIER = 10.0  # in units of the window: the blocks see no value beyond it, the location sees all
SIGNALS = 4  # what the blocks are told of a channel: its value, its change, the size of that, whether it was seen
RANK = 16  # numbers that the last step hands to each step ahead
BURN_IN = 0.25  # of the context: one-step laws there have seen too little to be trained on
LONG_CONTEXT = 200  # steps: the rings of states for shorter and longer contexts
RINGS = {"short": (0.5, 0.99), "long": (0.9, 0.999)}
MOST_HARMONICS = 4
MOST_LAGS = 512  # of the linear map to the next value
KEPT, PLACES = 64, 16  # of each batch of windows so many channels, and places in them, decide that map
MOST_ROWS = 1 << 13  # paths drawn at once

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
    """What the blocks read, with what the location of the next value needs.

    Source: none.
    """

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


class LRUNetwork(DistributionNetwork):
    """Recurrent blocks over the context, the law of the next value at every step, and one of the horizon.

    At each step the blocks are told every channel's value, its change, the size of the change and whether it was seen,
    the past covariates of the step, and the known covariates of the next. With ``decoding="direct"`` the law of the
    horizon is read off the last step, and the law of the next value is trained beside it. With "autoregressive" the
    latter is all there is: it is trained at all steps of context and horizon in one pass, each seeing the true values
    before it, and rolled forward by drawing. Steps before the first value count as padding.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        context_length: T.
        horizon: H.
        sizes: of the blocks.
        likelihood: of the heads, see ``make_head``.
        decoding: see above.

    Example:
        >>> from tsformers.testing import make_window
        >>> network = LRUNetwork((2, 0, 3), 16, 4, Sizes(d_model=8, d_state=8), "student_t", "direct")
        >>> network(make_window(5, 16, 4, channels=2, known_x=3)).mean.shape
        torch.Size([5, 4, 2])

    Source: Orvieto et al. (2023), LRU; one-step laws as in Salinas et al. (2020), DeepAR.
    """

    def __init__(
        self,
        columns: tuple[int, int, int],
        context_length: int,
        horizon: int,
        sizes: Sizes,
        likelihood: str | DistributionOutput,
        decoding: Literal["direct", "autoregressive"],
    ) -> None:
        super().__init__()
        channels, self.past_covariates, known = columns
        covariates = self.past_covariates + (self.past_covariates > 0) + known
        self.trunk = RecurrentTrunk(SIGNALS * channels + covariates, context_length, sizes)
        self.next = NextValue(channels, context_length, sizes, likelihood)
        self.horizon = (
            Horizon((channels, known), context_length, horizon, sizes, likelihood) if decoding == "direct" else None
        )

    def forward(self, window: Window) -> Law:
        """The law of the future (B, H, C), in the units of the window; autoregressive, of each step given those before.

        Source: Orvieto et al. (2023), LRU; Salinas et al. (2020), DeepAR, section 3.
        """
        if self.horizon is None:
            return self._next_laws(window, window.past.shape[1] - 1)[0]
        past = read_past(window.past, window.past_seen)
        features, _ = self._features(past, window)
        return self.horizon(features[:, -1], past.filled, window)

    def loss(self, window: Window) -> Tensor:
        """What ``DistributionNetwork`` says; in training, the one-step laws of the context count too.

        Source: Salinas et al. (2020), DeepAR, section 3; trained jointly as the specification recommends.
        """
        if not self.training:
            return super().loss(window)
        first = int(BURN_IN * window.past.shape[1])
        if self.horizon is None:
            return mean_loss(*self._next_laws(window, first))
        past = read_past(window.past, window.past_seen)
        features, _ = self._features(past, window)
        whole = self.horizon(features[:, -1], past.filled, window)
        values, seen = _together(window, 1)
        following = self.next(features[:, first:], self.next.ahead(past)[:, first:], window.scale)
        counts = seen[:, first + 1 :] & _begun(window.past_seen)[:, first:]
        return mean_loss(whole, window.future, window.future_seen) + mean_loss(
            following, values[:, first + 1 :], counts
        )

    def sample(self, window: Window, n_samples: int) -> Tensor:
        """Draws (B, S, H, C), or the quantiles at ``levels``.

        Source: Salinas et al. (2020), DeepAR, section 3: paths are drawn one step after the other.
        """
        if self.horizon is not None:
            return super().sample(window, n_samples)
        size = max(1, MOST_ROWS // n_samples)
        pieces = [_rows(window, slice(i, i + size)) for i in range(0, len(window.past), size)]
        return torch.cat([self._paths(piece, n_samples) for piece in pieces])

    def solve(self, windows: Iterable[Window], held_back: Iterable[Window]) -> None:
        """Find the linear maps, once, before the rest is trained.

        Source: as for ``RidgeMap``.
        """
        if self.next.ridge is None or bool(self.next.ridge.solved):
            return
        kept: tuple[list[Tensor], list[Tensor]] = ([], [])
        noted, noted_back = _noting(windows, kept[0]), _noting(held_back, kept[1])
        if self.horizon is not None and self.horizon.ridge is not None:
            self.horizon.ridge.solve(map(_ahead_of_last, noted), map(_ahead_of_last, noted_back))
        for some in (noted, noted_back):  # what the other map has not read
            for _ in some:
                pass
        self.next.ridge.solve(*(map(self._one_step_pairs, some) for some in kept))

    def _features(self, past: Past, window: Window) -> tuple[Tensor, list[Tensor]]:
        """Features of all steps of ``past``, which may go on into the future of the window, and the last states."""
        length = past.signals.shape[1]
        known = torch.cat([window.past_x[..., self.past_covariates :], window.future_x], dim=1)[:, 1 : length + 1]
        parts = [past.signals, known.to(past.signals.dtype)]
        if self.past_covariates:
            told = nn.functional.pad(window.past_x[..., : self.past_covariates], (0, 1), value=1.0)
            parts.append(nn.functional.pad(told, (0, 0, 0, length - told.shape[1])).to(past.signals.dtype))
        return self.trunk.scan(torch.cat(parts, dim=-1), start=past.start)

    def _next_laws(self, window: Window, first: int) -> tuple[Law, Tensor, Tensor]:
        """Laws of the values after steps ``first``, ... with all true values before them, what came and what counts."""
        values, seen = _together(window, window.future.shape[1])
        past = read_past(values[:, :-1], seen[:, :-1])
        features, _ = self._features(past, window)
        law = self.next(features[:, first:], self.next.ahead(past)[:, first:], window.scale)
        return law, values[:, first + 1 :], seen[:, first + 1 :] & _begun(seen[:, :-1])[:, first:]

    def _paths(self, window: Window, n_samples: int) -> Tensor:
        past = read_past(window.past, window.past_seen)
        features, states = self._features(past, window)
        ahead = self.next.ahead(past)[:, -1]
        last, kernel, lags = past.last[:, -1], self.next.kernel(), self.next.lags
        tail = past.filled[:, -lags:]
        tail = torch.cat([tail[:, :1].expand(-1, lags - tail.shape[1], -1), tail], dim=1)

        def many(x: Tensor) -> Tensor:
            return x.repeat_interleave(n_samples, dim=0)

        scale = None if window.scale is None else many(window.scale)
        known = window.future_x.to(features.dtype)
        feature, ahead, last, states = many(features[:, -1]), many(ahead), many(last), [many(x) for x in states]
        horizon = window.future.shape[1]
        path = torch.cat([many(tail), last.new_empty(len(last), horizon, last.shape[-1])], dim=1)
        for h in range(horizon):
            law = self.next(feature[:, None], ahead[:, None], scale)
            drawn = law.sample()[:, 0].to(path.dtype)
            path[:, lags + h] = drawn
            if h + 1 == horizon:
                break
            parts = [signals(drawn, drawn - last, torch.ones_like(drawn)), many(known[:, h + 1])]
            if self.past_covariates:
                parts.append(drawn.new_zeros(len(drawn), self.past_covariates + 1))
            feature, states = self.trunk.step(torch.cat(parts, dim=-1), states)
            last = ahead = drawn
            if kernel is not None:
                ahead = last + torch.einsum("bpc,p->bc", path[:, h + 1 : h + 1 + lags], kernel.to(path.dtype))
        return path[:, lags:].reshape(-1, n_samples, horizon, path.shape[-1])

    def _one_step_pairs(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Lags and next change at some places of windows without gaps (M, L), as the map wants them."""
        lags = self.next.lags
        places = torch.linspace(lags, values.shape[1] - 1, min(PLACES, values.shape[1] - lags), device=values.device)
        at = places.long()[:, None] + torch.arange(-lags, 0, device=values.device)  # (n, p)
        past, target = values[:, at].flatten(0, 1)[..., None], values[:, places.long()].flatten()
        return past, (target - past[:, -1, 0])[:, None, None], torch.ones_like(target, dtype=torch.bool)[:, None]


def read_past(values: Tensor, seen: Tensor) -> Past:
    """Values (B, L, C) with gaps as the blocks see them; no step is told what comes after it.

    Source: last observation carried forward; textbook.
    """
    filled = carry_forward(values, seen)
    if bool(seen.all()):
        last, start = filled, None
    else:
        last = torch.where(_begun(seen), filled, 0.0)
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


def mean_loss(law: Law, targets: Tensor, seen: Tensor) -> Tensor:
    """Minus log_prob, averaged over what counts of each window; 0 where nothing does.

    Source: as for ``DistributionNetwork``.
    """
    if not bool(seen.all()):  # a draw lies in the support of any law; it is masked below
        targets = torch.where(seen, targets, law.sample().to(targets.dtype))
    loss = torch.where(seen, -law.log_prob(targets), 0.0)
    return loss.sum(dim=(1, 2)) / seen.sum(dim=(1, 2)).clamp(min=1)


def zero_linear(width: int, channels: int) -> nn.Linear:
    """A map that begins at zero.

    Source: none.
    """
    linear = nn.Linear(width, channels)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def _held(x: Tensor) -> Tensor:
    """Nearly ``x`` below a few units, never beyond ``OUTLIER``."""
    return x * torch.rsqrt(1 + (x / OUTLIER).square())


def _begun(seen: Tensor) -> Tensor:
    """Where a channel has been seen by then."""
    return seen.int().cummax(1).values.bool()


def _together(window: Window, ahead: int) -> tuple[Tensor, Tensor]:
    """Values (B, T + h, C) of the past and the next h steps, and which of them were seen."""
    values = torch.cat([window.past, window.future[:, :ahead]], dim=1)
    return values, torch.cat([window.past_seen, window.future_seen[:, :ahead]], dim=1)


def _rows(window: Window, some: slice) -> Window:
    return Window(*(None if part is None else part[some] for part in window))  # type: ignore[arg-type]


def _noting(windows: Iterable[Window], kept: list[Tensor]) -> Iterator[Window]:
    """The windows, of which some, without gaps and up to the first step ahead, are kept as (M, T + 1)."""
    for window in windows:
        lanes = carry_forward(*_together(window, 1)).mT[window.past_seen.any(1) & window.future_seen[:, 0]]
        kept.append(lanes[:: max(1, len(lanes) // KEPT)])
        yield window


def _ahead_of_last(window: Window) -> tuple[Tensor, Tensor, Tensor]:
    """Past, and by how much the future differs from its last value, with the channels whose targets are all seen."""
    past = carry_forward(window.past, window.past_seen)
    return past, window.future - past[:, -1:], window.future_seen.all(dim=1)
