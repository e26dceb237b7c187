"""A network inside one that differences what it sees and sums up what it says, with a trainable rho."""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tsformers.contracts import ClosedFormFit
from tsformers.data.windows import Window
from tsformers.nn.heads.distributions import Quantiles
from tsformers.nn.missing import carry_forward

Numbers = TypeVar("Numbers", np.ndarray, Tensor)


class AdjustedNetwork(nn.Module):
    """``loss`` and ``sample`` of a network that sees ``x[t] - rho x[t-1]`` in place of x, with ``rho = tanh(raw_rho)``.

    "faded": what it says of step h is ``x[T+h] - rho**h x[T]``, each step by itself, as direct forecasters say it;
    quantiles stay quantiles. "summed": it says ``x[T+h] - rho x[T+h-1]``, and its draws are summed up; of a network
    that says quantiles draws are taken, by inversion. For one step both are the published rule. The change of variables
    has a unit Jacobian, so losses compare across rho. At ``rho = 0`` it is the network itself.

    Args:
        network: what is asked.
        shape: of rho: (1, 1) for one, or (series, channels).
        learning_rate: of rho.
        ahead: "faded" or "summed".
        inputs: whether the network sees differences.
        outputs: whether it says differences.

    Source: Sun, Lang & Boning (2021), eq. 3 and 4, for one step; the rules for several are ours.
    """

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, int],
        learning_rate: float,
        *,
        ahead: Literal["faded", "summed"] = "faded",
        inputs: bool = True,
        outputs: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.raw_rho = nn.Parameter(torch.zeros(shape))
        self.learning_rate, self.ahead, self.inputs, self.outputs = learning_rate, ahead, inputs, outputs

    @property
    def levels(self) -> tuple[float, ...] | None:
        """Those of the network, unless its quantiles would have to be summed up."""
        return None if self.outputs and self.ahead == "summed" else self.network.levels  # type: ignore[return-value]

    @property
    def rho(self) -> Tensor:
        """One number, or one a series and channel."""
        return torch.tanh(self.raw_rho)

    def groups(self) -> list[dict[str, Any]]:
        """Rho has its own learning rate, and no weight decay, which would pull it to zero."""
        return [{"params": [self.raw_rho], "lr": self.learning_rate, "weight_decay": 0.0}]

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """What the network finds at once, it finds on what it will see first."""
        if isinstance(self.network, ClosedFormFit):
            with torch.no_grad():
                self.network.fit_closed_form(*(map(self.adjust, some) for some in (windows, validation)))

    def loss(self, window: Window) -> Float[Tensor, " B"]:
        """The network's loss on differences."""
        return self.network.loss(self.adjust(window))  # type: ignore[operator]

    def sample(self, window: Window, n_samples: int) -> Float[Tensor, "B S H C"]:
        """The network's draws (or quantiles), with what was taken out put back."""
        drawn = self.network.sample(self.adjust(window), n_samples)  # type: ignore[operator]
        if not self.outputs:
            return drawn
        if self.ahead == "faded":
            return drawn + self._faded(window)[:, None].to(drawn.dtype)
        if self.network.levels:
            law = Quantiles(self.network.levels, drawn.movedim(1, -1))  # type: ignore[arg-type]
            drawn = law.sample((n_samples,)).movedim(0, 1)
        last = carry_forward(window.past, window.past_observed)[:, None, -1:]
        return summed_up(drawn.movedim(2, -1), self._rho_of(window)[..., None], last.movedim(2, -1)).movedim(-1, 2)

    def adjust(self, window: Window, before: Float[Tensor, "B 1 C"] | None = None) -> Window:
        """The window in differences; a difference is unseen where one of its two values is.

        Args:
            window: scaled.
            before: the value before the first; None: the mean of the context.

        Returns:
            What the network is shown.
        """
        rho = self._rho_of(window)
        if before is None:
            count = window.past_observed.sum(1, keepdim=True).clamp(min=1)
            before = (window.past * window.past_observed).sum(1, keepdim=True) / count
        values = torch.cat([before, window.past, window.future], dim=1)
        seen = torch.cat(
            [torch.ones_like(window.past_observed[:, :1]), window.past_observed, window.future_observed], dim=1
        )
        both = seen[:, 1:] & seen[:, :-1]
        difference = torch.where(both, values[:, 1:] - rho * values[:, :-1], 0.0)
        split = window.past.shape[1]
        shown = window._replace(past=difference[:, :split], past_observed=both[:, :split]) if self.inputs else window
        if not self.outputs:
            return shown
        if self.ahead == "summed":
            return shown._replace(future=difference[:, split:], future_observed=both[:, split:])
        return shown._replace(future=torch.where(window.future_observed, window.future - self._faded(window), 0.0))

    def _faded(self, window: Window) -> Float[Tensor, "B H C"]:
        """``rho**h`` times the last value seen; h counts from there."""
        length, horizon = window.past.shape[1], window.future.shape[1]
        row = torch.arange(length, device=window.past.device)[None, :, None]
        at = torch.where(window.past_observed, row, 0).amax(1, keepdim=True)  # (B, 1, C)
        steps = torch.arange(1, horizon + 1, device=at.device)[None, :, None] + (length - 1 - at)
        return self._rho_of(window) ** steps * window.past.gather(1, at)

    def _rho_of(self, window: Window) -> Float[Tensor, "B 1 C"]:
        """Rho of each window's series; the mean of all for a series that was not in fit."""
        if len(self.raw_rho) == 1:
            return self.rho[:1, None].expand(len(window.past), -1, -1)
        known = (window.series >= 0)[:, None]
        return torch.where(known, self.rho[window.series.clamp(min=0)], self.rho.mean(0))[:, None]


def summed_up(new: Numbers, rho: Numbers, start: Numbers) -> Numbers:
    """``x[h] = rho x[h-1] + new[h]`` along the last axis, from ``x[0] = start``.

    By doubling: what is added up over k steps gives what is added up over 2 k, so that H steps take log2(H) additions.

    Args:
        new: (..., H).
        rho: broadcasts against (..., 1).
        start: broadcasts against (..., 1).

    Returns:
        (..., H).

    Example:
        >>> summed_up(np.ones((1, 4)), np.array([[0.5]]), np.zeros((1, 1)))
        array([[1.   , 1.5  , 1.75 , 1.875]])

    Source: Hillis & Steele (1986), Data parallel algorithms.
    """
    join = np.concatenate if isinstance(new, np.ndarray) else torch.cat
    total = join([new[..., :1] + rho * start, new[..., 1:]], -1)
    reach = 1
    while reach < new.shape[-1]:
        total = join([total[..., :reach], total[..., reach:] + rho**reach * total[..., :-reach]], -1)
        reach *= 2
    return total
