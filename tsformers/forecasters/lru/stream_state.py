"""What a stream of LRU remembers, how a history is read into it, and how it takes a step."""

import copy
from dataclasses import dataclass, fields
from types import ModuleType
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tsformers.data.window_scaling import scale
from tsformers.data.windows import Window
from tsformers.distributions.families import Family, join_families
from tsformers.distributions.marginals import Marginals
from tsformers.forecasters.lru.layers import SIGNALS
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.forecasters.lru.next_step import family_of
from tsformers.nn import LRULayer, QuantileHead, RecurrentBlock

TOGETHER = 512  # series stepped at once: what they need then stays in the second-level cache
LEAST_SHARE = 1e-3  # of the first scale: a running scale never falls below
RULES = {None: 0, "standard": 1, "mean_abs": 2, "robust": 3}


@dataclass(frozen=True, eq=False)
class Memory:
    """All that is remembered, packed: B rows of the network, and lanes, the channels of row after row."""

    states: list[Tensor]  # of each block, (B, ...)
    features: Tensor  # (B, D) of the last step
    statics: Tensor  # (B, S)
    units: np.ndarray  # (M, 4): location, scale, what the scale is made of, least scale
    count: np.ndarray  # (M,) values seen
    last: np.ndarray  # (M,) the last of them
    place: np.ndarray  # (M,) of the oldest value in the ring
    ring: np.ndarray  # (M, p) the last p values, gaps filled
    position: np.ndarray  # (M,) of the last step on the grid of time
    phase: np.ndarray  # (M,) where between two points of the grid the series ticks

    def lanes(self) -> tuple[np.ndarray, ...]:
        """What the kernels work on."""
        return self.units, self.count, self.last, self.place, self.ring

    def arrays(self) -> dict[str, np.ndarray]:
        """The parts that are arrays, by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def join(cls, parts: "list[Memory]") -> "Memory":
        """One memory of all rows, part after part."""
        if len(parts) == 1:
            return parts[0]
        states = [torch.cat(same) for same in zip(*(part.states for part in parts), strict=True)]
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
        features, statics = (torch.cat([getattr(part, name) for part in parts]) for name in TENSORS)
        return cls(states, features, statics, **arrays)

    def pick(self, rows: np.ndarray) -> "Memory":
        """Copies of some rows, each of one lane."""
        at = torch.from_numpy(rows).to(self.features.device)
        arrays = {name: part[rows] for name, part in self.arrays().items()}
        return Memory([state[at] for state in self.states], self.features[at], self.statics[at], **arrays)


TENSORS = ("features", "statics")
ARRAYS = tuple(field.name for field in fields(Memory) if field.type is np.ndarray)


class FrozenBlock:
    """A block that will not be trained any more: what its weights say at every step is computed once.

    Args:
        block: of any cell; of an ``LRULayer`` the step is a few operations in place.

    Source: Orvieto et al. (2023), LRU, section 2.
    """

    def __init__(self, block: RecurrentBlock) -> None:
        self.block, cell = block, block.cell
        self.quick = isinstance(cell, LRULayer)
        if isinstance(cell, LRULayer):
            self.lam, inward, outward = cell.matrices()
            self.inward, self.outward, self.skip = inward.T.contiguous(), outward.T.contiguous(), cell.D.detach()
            self.mix, self.bias = block.mix.weight.T.contiguous(), block.mix.bias.detach()
            self.norm = Norm(block.norm)
            self.gelu = block.gelu

    def step(self, h: Tensor, state: Tensor) -> Tensor:
        """The next hidden numbers (B, D); ``state`` is overwritten with the next one.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        if not self.quick:
            h, following = self.block.step(h, state)
            state.copy_(following)
            return h
        z, width = self.norm(h), self.outward.shape[0]
        state.mul_(self.lam).add_(torch.view_as_complex((z @ self.inward).view(-1, width // 2, 2)))
        y = torch.addcmul(torch.view_as_real(state).view(-1, width) @ self.outward, z, self.skip)
        y = functional.gelu(y, approximate=self.gelu)
        return functional.glu(torch.addmm(self.bias, y, self.mix)).add_(h)


class Norm:
    """A layer norm without what a module does around it.

    Source: Ba, Kiros & Hinton (2016), Layer Normalization.
    """

    def __init__(self, norm: nn.LayerNorm) -> None:
        self.shape, self.weight, self.bias, self.eps = list(norm.normalized_shape), norm.weight, norm.bias, norm.eps

    def __call__(self, x: Tensor) -> Tensor:
        """``x`` (B, D), normalised.

        Source: Ba, Kiros & Hinton (2016), Layer Normalization.
        """
        return torch.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


class FrozenNetwork:
    """The part of an ``LRUNetwork`` that a stream needs, as it is now: later training does not reach it.

    Args:
        network: trained.

    Source: Orvieto et al. (2023), LRU, section 2.
    """

    def __init__(self, network: LRUNetwork) -> None:
        own = copy.deepcopy(network).eval().requires_grad_(False)
        self.trunk, self.next, self.past_covariates = own.trunk, own.next, own.past_covariates
        self.blocks = [FrozenBlock(cast(RecurrentBlock, block)) for block in own.trunk.blocks]
        self.embed, self.bias, self.norm = own.trunk.embed.weight, own.trunk.embed.bias, Norm(own.trunk.norm)
        self.dtype, self.device = self.embed.dtype, self.embed.device
        head = own.next.head
        self.levels = np.array(head.knots) if isinstance(head, QuantileHead) else np.zeros(0)
        self.project = _projection(head, own.next.centre) if isinstance(head, QuantileHead) else None
        kernel = own.next.kernel()
        self.kernel = np.zeros(1) if kernel is None else kernel.double().cpu().numpy()

    def step(self, x: Tensor, rows: Tensor | None, memory: Memory) -> None:
        """One step ``x`` (M, I) of some rows, of all where None, into the states and features of ``memory``.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        for first in range(0, len(x), TOGETHER):
            some = slice(first, first + TOGETHER)
            here = some if rows is None else rows[some]
            states = [state[here] for state in memory.states]  # views where here is a slice
            h = functional.linear(x[some], self.embed, self.bias)
            for block, state in zip(self.blocks, states, strict=True):
                h = block.step(h, state)
            memory.features[here] = self.norm(h)
            if rows is not None:
                for all_states, state in zip(memory.states, states, strict=True):
                    all_states[here] = state

    def laws(
        self, features: Tensor, ahead: np.ndarray, location: np.ndarray, spread: np.ndarray, kernels: ModuleType
    ) -> Family:
        """What the head says of the next value of all lanes (M,) of some rows, whose features are (B, D).

        Source: Salinas et al. (2020), DeepAR, section 3.
        """
        channels = len(ahead) // len(features)
        parts: list[Family] = []
        for first in range(0, len(features), TOGETHER):
            rows = slice(first, first + TOGETHER)
            some = slice(rows.start * channels, rows.stop * channels)
            here = features[rows]
            if self.project is not None:
                raw = functional.linear(here, *self.project).view(-1, len(self.levels)).cpu().numpy()
                values = np.empty(raw.shape)
                kernels.quantiles(raw, len(self.levels) // 2, ahead[some], location[some], spread[some], values)
                parts.append(Marginals.from_ascending(values, tuple(self.levels.tolist())))
                continue
            centre, width = (
                torch.from_numpy(part[some]).to(self.device, self.dtype).view(len(here), 1, channels)
                for part in (ahead, spread)
            )
            parts.append(family_of(self.next(here[:, None], centre, width), location[some], spread[some]))
        return join_families(parts)


class Reader:
    """Reads histories at once, as the network was trained to, and remembers what a stream needs.

    Args:
        network: frozen.
        kernels: compiled.
        context_length: T: the units are those of the first T rows.
        scaler: of the model.
        rule: how units move afterwards, see ``RULES``.
        piece: steps read at once.

    Source: Orvieto et al. (2023), LRU, section 2.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        kernels: ModuleType,
        context_length: int,
        scaler: str | None,
        rule: int,
        piece: int,
    ) -> None:
        self.network, self.kernels, self.context = network, kernels, context_length
        self.scaler, self.rule, self.piece = scaler, rule, piece

    def read(self, window: Window, n_statics: int, position: np.ndarray, phase: np.ndarray) -> Memory:
        """The memory after ``window`` (B, L, C), whose only future step holds the known covariates that follow.

        Each row begins with its first value, which lies in the first piece.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        batch, length, channels = window.past.shape
        start = window.past_observed.any(-1).int().argmax(1)
        y = torch.where(window.past_observed, window.past, torch.nan).permute(1, 0, 2).reshape(length, -1).numpy()
        lanes = np.arange(batch * channels)
        units = first_units(window, start, self.context, self.scaler)
        frozen = np.repeat(start.numpy() + self.context, channels)
        count, place = np.zeros(len(lanes), np.int64), np.zeros(len(lanes), np.int64)
        last, ring = np.zeros(len(lanes)), np.zeros((len(lanes), len(self.network.kernel)))
        own = window.past_x[..., : self.network.past_covariates]
        known = torch.cat([window.past_x[..., self.network.past_covariates :], window.future_x], dim=1)[:, 1:]
        states: list[Tensor] | None = None
        for first in range(0, length, self.piece):
            some = slice(first, first + self.piece)
            told = np.empty((len(lanes), len(y[some]), SIGNALS))
            self.kernels.observe(
                y[some], lanes, frozen - first, self.rule, float(self.context), units, count, last, place, ring, told
            )
            heard = told.reshape(batch, channels, -1, SIGNALS).swapaxes(1, 2).reshape(batch, -1, channels * SIGNALS)
            parts = [
                torch.from_numpy(heard).to(self.network.device, self.network.dtype),
                *self.covariates(known[:, some], own[:, some]),
            ]
            begin = start.to(self.network.device) if states is None and bool(start.any()) else None
            features, states = self.network.trunk.scan(torch.cat(parts, dim=-1), states, begin)
        assert states is not None
        statics = window.future_x[:, 0, window.future_x.shape[2] - n_statics :].to(self.network.device)
        return Memory(
            [state.clone() for state in states], features[:, -1].clone(), statics, units, count, last, place, ring,
            position, phase,
        )  # fmt: skip

    def covariates(self, known: Tensor, past: Tensor) -> list[Tensor]:
        """Known covariates (..., K) of the next step and past ones (..., P) of this one, as the network wants them.

        Source: as for ``LRUNetwork``.
        """
        if past.shape[-1]:
            past = functional.pad(past, (0, 1), value=1.0)
        return [part.to(self.network.device, self.network.dtype) for part in (known, past)]


def _projection(head: QuantileHead, centre: nn.Linear) -> tuple[Tensor, Tensor]:
    """The maps of head and centre as one: the first number of each channel is its middle quantile."""
    weight, bias = head.project.weight.clone(), head.project.bias.clone()
    weight[:: len(head.knots)] += centre.weight
    bias[:: len(head.knots)] += centre.bias
    return weight, bias


def first_units(window: Window, start: Tensor, context: int, scaler: str | None) -> np.ndarray:
    """Units (B C, 4) of the first rows of each history.

    Source: as for ``windows.scale``.
    """
    length = window.past.shape[1]
    at = start[:, None] + torch.arange(min(context, length))
    inside = (at < length)[..., None]
    rows, at = torch.arange(len(at))[:, None], at.clamp(max=length - 1)
    seen = window.past_observed[rows, at] & inside
    head = window._replace(past=window.past[rows, at] * seen, past_observed=seen)
    scaled = scale(head, scaler, dtype=torch.float64)
    assert scaled.location is not None and scaled.scale is not None
    location, spread = (part.reshape(-1).numpy() for part in (scaled.location, scaled.scale))
    made_of = spread if scaler == "mean_abs" else spread**2
    return np.stack([location, spread, made_of, LEAST_SHARE * spread], axis=1)


def load_kernels() -> ModuleType:
    """The compiled kernels; asked for when a stream is opened, since numba is slow to load."""
    import tsformers.forecasters.lru.kernels as kernels

    return kernels
