"""RecurrentCell: the contract of recurrent layers, and the padding mask."""

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor, nn

State = Complex[Tensor, "B *n"] | Float[Tensor, "B *n"]


class RecurrentCell(nn.Module):
    """A layer that processes whole sequences in parallel in training, and one step at a time in use.

    The contract of every layer that inherits: ``scan`` over a sequence, ``scan`` over its two halves with the state
    carried over, and ``step`` for each of its steps give the same outputs and the same last state, and no output
    depends on later inputs. A state is one tensor, the batch on its first axis, independent of how long the past is.

    Sequences of unequal length are padded on the left, and ``start`` is the first step of each: steps before it are
    ignored, and the state there stays zero. Zero inputs alone are not enough, since the biases of a norm or a
    projection are not zero. Outputs before ``start`` have no meaning.

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
            state: the answer of an earlier call; None is zero, the state before the first step.
            start: the first step of each sequence that is not padding; None: there is no padding.

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
            state: the answer of ``initial_state``, ``scan`` or the last step; it is not changed.

        Returns:
            The output, and the next state.
        """
        raise NotImplementedError

    def initial_state(self, batch: int) -> State:
        """The zero state of a batch of sequences."""
        raise NotImplementedError

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """Parameters to be trained with a smaller learning rate and no weight decay."""
        raise NotImplementedError


def hide_padding(
    u: Float[Tensor, "B T D"], state: State | None, start: Int64[Tensor, " B"] | None
) -> Float[Tensor, "B T D"]:
    """Inputs with zeros before ``start``, which leave the zero state of a linear layer as it is.

    Example:
        >>> hide_padding(torch.ones(1, 3, 1), None, torch.tensor([2])).flatten().tolist()
        [0.0, 0.0, 1.0]
    """
    if start is None:
        return u
    if state is not None:
        raise ValueError("state and start were both given; nothing can be padding after a carried state")
    return u * (torch.arange(u.shape[1], device=u.device) >= start[:, None])[..., None]
