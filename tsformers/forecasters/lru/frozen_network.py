"""The network of LRU with fixed weights, as a stream applies it: one step of many series at little cost."""

import copy
from types import ModuleType
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tsformers.distributions.families import Family, join_families
from tsformers.distributions.marginals import Marginals
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.forecasters.lru.next_step import family_of
from tsformers.forecasters.lru.stream_state import StreamState
from tsformers.nn import LRULayer, QuantileHead, RecurrentBlock

MAX_ROWS = 512  # series stepped at once: their states then stay in the second-level cache


class FrozenBlock:
    """A block with fixed weights: matrices that depend on them alone are computed once.

    Args:
        block: of any cell; of an ``LRULayer`` the step is a few operations in place.

    Source: Orvieto et al. (2023), LRU, section 2.
    """

    def __init__(self, block: RecurrentBlock) -> None:
        self.block, cell = block, block.cell
        self.in_place = isinstance(cell, LRULayer)
        if isinstance(cell, LRULayer):
            self.lam, inward, outward = cell.matrices()
            self.inward, self.outward, self.skip = inward.T.contiguous(), outward.T.contiguous(), cell.D.detach()
            self.mix, self.bias = block.mix.weight.T.contiguous(), block.mix.bias.detach()
            self.norm = Norm(block.norm)
            self.gelu = block.gelu

    def step(self, h: Tensor, state: Tensor) -> Tensor:
        """The next features (B, D); ``state`` is overwritten with the next one.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        if not self.in_place:
            h, following = self.block.step(h, state)
            state.copy_(following)
            return h
        z, width = self.norm(h), self.outward.shape[0]
        state.mul_(self.lam).add_(torch.view_as_complex((z @ self.inward).view(-1, width // 2, 2)))
        y = torch.addcmul(torch.view_as_real(state).view(-1, width) @ self.outward, z, self.skip)
        y = functional.gelu(y, approximate=self.gelu)
        return functional.glu(torch.addmm(self.bias, y, self.mix)).add_(h)


class Norm:
    """A layer norm without the overhead of a module.

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
    """A copy of the part of an ``LRUNetwork`` that a stream needs; later training does not change it.

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

    def step(self, x: Tensor, rows: Tensor | None, memory: StreamState) -> None:
        """One step ``x`` (M, I) of some rows, of all where None, into the states and features of ``memory``.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        for first in range(0, len(x), MAX_ROWS):
            some = slice(first, first + MAX_ROWS)
            here = some if rows is None else rows[some]
            states = [state[here] for state in memory.states]  # views where here is a slice
            h = functional.linear(x[some], self.embed, self.bias)
            for block, state in zip(self.blocks, states, strict=True):
                h = block.step(h, state)
            memory.features[here] = self.norm(h)
            if rows is not None:
                for all_states, state in zip(memory.states, states, strict=True):
                    all_states[here] = state

    def distributions(
        self, features: Tensor, ahead: np.ndarray, location: np.ndarray, spread: np.ndarray, kernels: ModuleType
    ) -> Family:
        """The distributions of the next value of all lanes (M,) of some rows, from features (B, D).

        Source: Salinas et al. (2020), DeepAR, section 3.
        """
        channels = len(ahead) // len(features)
        parts: list[Family] = []
        for first in range(0, len(features), MAX_ROWS):
            rows = slice(first, first + MAX_ROWS)
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


def _projection(head: QuantileHead, centre: nn.Linear) -> tuple[Tensor, Tensor]:
    """The maps of head and centre as one: the first output of each channel is its middle quantile."""
    weight, bias = head.project.weight.clone(), head.project.bias.clone()
    weight[:: len(head.knots)] += centre.weight
    bias[:: len(head.knots)] += centre.bias
    return weight, bias
