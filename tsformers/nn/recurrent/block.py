"""RecurrentBlock: normalisation, recurrent layer, gated feed-forward, residual connection."""

from typing import Literal

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from tsformers.nn.recurrent.cell import RecurrentCell, State


class RecurrentBlock(RecurrentCell):
    """A recurrent layer with norm, gated mixing of features and a residual path; deep networks are stacks of it.

    ``z = GELU(cell(norm(h)))`` and ``h + (W z + v) * sigmoid(W' z + v')``, dropout after either. Everything but
    the cell acts on one step alone, so the block keeps the contract of its cell, and its state is the cell's.

    Args:
        cell: the recurrent layer.
        d_model: its width.
        dropout: share of features dropped during training.
        gelu: "tanh", the approximation of the published code, or "none", the exact function.

    Raises:
        ValueError: the cell has another width.

    Example:
        >>> import torch
        >>> from tsformers.nn import LRULayer
        >>> block = RecurrentBlock(LRULayer(4, 8), d_model=4).eval()
        >>> h = torch.randn(2, 50, 4)
        >>> _, state = block.scan(h[:, :-1])
        >>> bool(torch.allclose(block.step(h[:, -1], state)[0], block(h)[:, -1], atol=1e-5))
        True

    Source: Orvieto et al. (2023), LRU, figure 1 and appendix A, with the norm of a layer in place of a batch.
    """

    def __init__(
        self, cell: RecurrentCell, d_model: int, dropout: float = 0.1, gelu: Literal["tanh", "none"] = "tanh"
    ) -> None:
        super().__init__()
        if cell.d_model != d_model:
            raise ValueError(f"the cell is {cell.d_model} wide and d_model is {d_model}; a block needs one width")
        self.d_model = d_model
        self.norm = nn.LayerNorm(d_model, eps=1e-6)
        self.cell = cell
        self.mix = nn.Linear(d_model, 2 * d_model)  # the value, then its gate
        self.dropout = nn.Dropout(dropout)
        self.gelu = gelu

    def scan(
        self, u: Float[Tensor, "B T D"], state: State | None = None, start: Int64[Tensor, " B"] | None = None
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """See ``RecurrentCell``."""
        z, state = self.cell.scan(self.norm(u), state, start)
        return u + self._mixed(z), state

    def step(self, u: Float[Tensor, "B D"], state: State) -> tuple[Float[Tensor, "B D"], State]:
        """See ``RecurrentCell``."""
        z, state = self.cell.step(self.norm(u), state)
        return u + self._mixed(z), state

    def initial_state(self, batch: int) -> State:
        """The cell's."""
        return self.cell.initial_state(batch)

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """The cell's."""
        return self.cell.recurrent_parameters()

    def _mixed(self, z: Tensor) -> Tensor:
        """Pointwise in time."""
        z = self.dropout(functional.gelu(z, approximate=self.gelu))
        return self.dropout(functional.glu(self.mix(z)))
