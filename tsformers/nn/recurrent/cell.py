"""RecurrentCell: what a recurrent layer promises, and the padding mask."""

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor, nn

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
