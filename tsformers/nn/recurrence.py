"""What recurrent layers promise, the block around them, and the gated one they are compared with."""

from typing import Literal

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

State = Complex[Tensor, "B *n"] | Float[Tensor, "B *n"]


class RecurrentCell(nn.Module):
    """A layer that trains over whole sequences at once and can be served one step at a time.

    The promise of every layer that inherits: ``scan`` over a sequence, ``scan`` over its two halves with the state
    carried over, and ``step`` for each of its steps give the same outputs and the same last state, and no output
    depends on later inputs. A state is one tensor, the batch on its first axis, independent of how long the past is.

    Sequences of unequal length are padded on the left, and ``start`` tells where each begins: what stands before it is
    ignored, and the state there stays zero. Masking the inputs oneself is not enough, since the biases of a norm or a
    projection make something of nothing. Outputs before ``start`` are without meaning.

    Attributes:
        d_model: width of inputs and outputs.

    Example:
        >>> from tsformers.nn import LRULayer
        >>> cell = LRULayer(d_model=4, d_state=8)
        >>> outputs, state = cell.scan(torch.ones(2, 50, 4))
        >>> output, state = cell.step(torch.ones(2, 4), state)
        >>> outputs.shape, output.shape, state.shape
        (torch.Size([2, 50, 4]), torch.Size([2, 4]), torch.Size([2, 8]))

    Source: Orvieto et al. (2023), LRU, section 2, for the two ways of running one layer.
    """

    d_model: int

    def forward(
        self, u: Float[Tensor, "B T D"], state: State | None = None, start: Int64[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B T D"]:
        """The outputs of ``scan`` without the state."""
        return self.scan(u, state, start)[0]

    def scan(
        self, u: Float[Tensor, "B T D"], state: State | None = None, start: Int64[Tensor, " B"] | None = None
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """All steps of a sequence.

        Args:
            u: the inputs.
            state: what an earlier call gave; None is zero, the state before anything was seen.
            start: the first step of each sequence that is no padding; None says there is none.

        Returns:
            The outputs, and the state after the last step.

        Raises:
            ValueError: both ``state`` and ``start`` are given.
        """
        raise NotImplementedError

    def step(self, u: Float[Tensor, "B D"], state: State) -> tuple[Float[Tensor, "B D"], State]:
        """One step.

        Args:
            u: the input.
            state: what ``initial_state``, ``scan`` or the last step gave; it is not changed.

        Returns:
            The output, and the next state.
        """
        raise NotImplementedError

    def initial_state(self, batch: int) -> State:
        """The zero state of so many sequences."""
        raise NotImplementedError

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """Those that want a smaller learning rate and no weight decay."""
        raise NotImplementedError


def hide_padding(
    u: Float[Tensor, "B T D"], state: State | None, start: Int64[Tensor, " B"] | None
) -> Float[Tensor, "B T D"]:
    """Zeros before ``start``, which leave the zero state of a linear layer as it is."""
    if start is None:
        return u
    if state is not None:
        raise ValueError("state and start were both given; nothing can be padding after a carried state")
    return u * (torch.arange(u.shape[1], device=u.device) >= start[:, None])[..., None]


class GRULayer(RecurrentCell):
    """A gated recurrent unit behind the interface of the linear ones, for comparison on equal terms.

    Args:
        d_model: width of inputs and outputs.
        d_state: width of the state; where it differs from ``d_model`` a linear map follows.

    Example:
        >>> GRULayer(d_model=4, d_state=8)(torch.ones(2, 50, 4)).shape
        torch.Size([2, 50, 4])

    Source: Cho et al. (2014), in the form of cuDNN, which is torch's.
    """

    def __init__(self, d_model: int, d_state: int) -> None:
        super().__init__()
        self.d_model = d_model
        self.gru = nn.GRU(d_model, d_state, batch_first=True)
        self.out: nn.Module = nn.Identity() if d_model == d_state else nn.Linear(d_state, d_model)

    def scan(
        self, u: Float[Tensor, "B T D"], state: State | None = None, start: Int64[Tensor, " B"] | None = None
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """As the interface says; its biases would move even a zero state, so padding is rolled behind the end."""
        if start is None:
            states, last = self.gru(u, None if state is None else state[None])
            return self.out(states), last[0]
        length, rows = u.shape[1], torch.arange(len(u), device=u.device)
        at = torch.arange(length, device=u.device)
        hidden = hide_padding(u, state, start)[rows[:, None], (at + start[:, None]) % length]
        states = self.gru(hidden)[0][rows[:, None], (at - start[:, None]) % length]
        return self.out(states), states[:, -1]

    def step(self, u: Float[Tensor, "B D"], state: State) -> tuple[Float[Tensor, "B D"], State]:
        """As the interface says."""
        _, last = self.gru(u[:, None], state[None])
        return self.out(last[0]), last[0]

    def initial_state(self, batch: int) -> State:
        """(B, d_state), real."""
        return next(self.gru.parameters()).new_zeros(batch, self.gru.hidden_size)

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """None: a GRU is trained like anything else."""
        return []


class RecurrentBlock(RecurrentCell):
    """A recurrent layer with norm, gated mixing of features and a residual path: what deep networks are stacked from.

    ``z = GELU(cell(norm(h)))`` and ``h + (W z + v) * sigmoid(W' z + v')``, dropout after either. Everything but
    the cell looks at one step alone, so the block keeps the promises of its cell, and its state is the cell's.

    Args:
        cell: the recurrent layer.
        d_model: its width.
        dropout: share of features dropped while training.
        gelu: "tanh", the approximation of the published code, or "none", the exact function.

    Raises:
        ValueError: the cell has another width.

    Example:
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
        """As the interface says."""
        z, state = self.cell.scan(self.norm(u), state, start)
        return u + self._mixed(z), state

    def step(self, u: Float[Tensor, "B D"], state: State) -> tuple[Float[Tensor, "B D"], State]:
        """As the interface says."""
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
