"""GRULayer: ``torch.nn.GRU`` as a recurrent cell."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from tsformers.nn.recurrent.cell import RecurrentCell, State, hide_padding


class GRULayer(RecurrentCell):
    """``torch.nn.GRU`` with the interface of the linear recurrences, for comparison.

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
        """See ``RecurrentCell``; biases would move even a zero state, so padding is moved behind the end."""
        if start is None:
            states, last = self.gru(u, None if state is None else state[None])
            return self.out(states), last[0]
        length, rows = u.shape[1], torch.arange(len(u), device=u.device)
        at = torch.arange(length, device=u.device)
        rolled = hide_padding(u, state, start)[rows[:, None], (at + start[:, None]) % length]
        states = self.gru(rolled)[0][rows[:, None], (at - start[:, None]) % length]
        return self.out(states), states[:, -1]

    def step(self, u: Float[Tensor, "B D"], state: State) -> tuple[Float[Tensor, "B D"], State]:
        """See ``RecurrentCell``."""
        _, last = self.gru(u[:, None], state[None])
        return self.out(last[0]), last[0]

    def initial_state(self, batch: int) -> State:
        """(B, d_state), real."""
        return next(self.gru.parameters()).new_zeros(batch, self.gru.hidden_size)

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """None: a GRU is trained like other layers."""
        return []
