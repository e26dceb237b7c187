"""The recurrent trunk of LRU and the cells of its blocks."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from tsformers.nn import GRULayer, LRULayer, RecurrentBlock, S4DLayer
from tsformers.nn.recurrent.cell import RecurrentCell

LONG_CONTEXT = 200  # steps: contexts above it have longer memories by default
MODULUS_RANGES = {"short": (0.5, 0.99), "long": (0.9, 0.999)}  # of initial states, by the length of the context
MAX_HARMONICS = 4  # of a season, among the initial states


@dataclass(frozen=True)
class Sizes:
    """The sizes of the recurrent part; ``LRU`` documents them and has their defaults.

    Example:
        >>> from tsformers import LRU
        >>> LRU(horizon=4).sizes().d_model
        64

    Source: Orvieto et al. (2023), LRU, section 3.
    """

    cell: Literal["lru", "s4d", "gru"]
    d_model: int
    d_state: int
    n_layers: int
    dropout: float
    r_min: float | None
    r_max: float | None
    max_phase: float
    periods: tuple[float, ...]
    start: Literal["linear", "last"]


class RecurrentTrunk(nn.Module):
    """A linear map, residual recurrent blocks, and a norm: features of each step, from it and all steps before.

    Args:
        inputs: I, input features of a step.
        context_length: T, which chooses the moduli of initial states where ``sizes`` leave them open.
        sizes: of the blocks.

    Example:
        >>> from torch import zeros
        >>> from tsformers import LRU
        >>> trunk = RecurrentTrunk(3, 16, LRU(horizon=4, d_model=8, d_state=6).sizes())
        >>> features, states = trunk.scan(zeros(2, 16, 3))
        >>> features.shape, len(states)
        (torch.Size([2, 16, 8]), 2)

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
    """The recurrent layer of a block; of "lru", the first states oscillate at the seasonal frequencies.

    Example:
        >>> from tsformers import LRU
        >>> type(make_cell(LRU(horizon=4, cell="gru").sizes(), 96)).__name__
        'GRULayer'

    Source: Orvieto et al. (2023), LRU, section 3; the seasonal initialisation is ours.
    """
    if sizes.cell == "s4d":
        return S4DLayer(sizes.d_model, sizes.d_state)
    if sizes.cell == "gru":
        return GRULayer(sizes.d_model, sizes.d_state)
    usual = MODULUS_RANGES["short" if context_length <= LONG_CONTEXT else "long"]
    r_max = usual[1] if sizes.r_max is None else sizes.r_max
    r_min = min(usual[0], r_max) if sizes.r_min is None else sizes.r_min
    layer = LRULayer(sizes.d_model, sizes.d_state, r_min, max(r_min, r_max), sizes.max_phase)
    if sizes.periods:
        harmonics = max(1, min(MAX_HARMONICS, sizes.d_state // (2 * len(sizes.periods))))
        layer.seed_periods(sizes.periods, harmonics)
    return layer
