"""A wrapper that differences the inputs of a network and undoes it on the outputs, with a trainable rho."""

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
    """``loss`` and ``sample`` of a network that reads ``x[t] - rho x[t-1]`` in place of x; ``rho = tanh(raw_rho)``.

    "faded": its output for step h is ``x[T+h] - rho**h x[T]``, each step by itself, as in direct forecasts; quantiles
    stay quantiles. "summed": its output is ``x[T+h] - rho x[T+h-1]``, and its draws are summed up; from a network that
    gives quantiles, draws are taken by inversion. For one step both are the published rule. The change of variables has
    a unit Jacobian, so losses compare across rho. At ``rho = 0`` it is the network itself.

    Args:
        network: the wrapped network.
        shape: of rho: (1, 1) for one, or (series, channels).
        learning_rate: of rho.
        ahead: "faded" or "summed".
        inputs: whether the network reads differences.
        outputs: whether it gives differences.

    Example:
        >>> class Last(nn.Module):
        ...     levels = None
        ...     def sample(self, window, n_samples):
        ...         return window.past[:, None, -1:].expand(-1, n_samples, -1, -1)
        >>> ones, none = torch.ones(1, 3, 1, dtype=torch.bool), torch.zeros(1, 3, 0)
        >>> past, future = torch.tensor([[[1.0], [2.0], [4.0]]]), torch.zeros(1, 1, 1)
        >>> window = Window(past, ones, none, future, ones[:, :1] & False, none[:, :1], torch.tensor([0]))
        >>> adjusted = AdjustedNetwork(Last(), (1, 1), learning_rate=0.01)
        >>> adjusted.sample(window, 1).item()  # at rho = 0, the network's own
        4.0
        >>> _ = nn.init.constant_(adjusted.raw_rho, 0.5493)  # rho = 0.5: the network reads 4 - 0.5 * 2
        >>> round(adjusted.sample(window, 1).item(), 2)  # and 0.5 * 4 is added
        5.0

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
        """Fits the closed-form part of the network on the inputs that it reads first, at the initial rho."""
        if isinstance(self.network, ClosedFormFit):
            with torch.no_grad():
                self.network.fit_closed_form(*(map(self.adjust, some) for some in (windows, validation)))

    def loss(self, window: Window) -> Float[Tensor, " B"]:
        """The network's loss on differences."""
        return self.network.loss(self.adjust(window))  # type: ignore[operator]

    def sample(self, window: Window, n_samples: int) -> Float[Tensor, "B S H C"]:
        """The network's draws (or quantiles) in the units of the values."""
        drawn = self.network.sample(self.adjust(window), n_samples)  # type: ignore[operator]
        if not self.outputs:
            return drawn
        if self.ahead == "faded":
            return drawn + self._faded(window)[:, None].to(drawn.dtype)
        if self.network.levels:
            quantiles = Quantiles(self.network.levels, drawn.movedim(1, -1))  # type: ignore[arg-type]
            drawn = quantiles.sample((n_samples,)).movedim(0, 1)
        last = carry_forward(window.past, window.past_observed)[:, None, -1:]
        return summed_up(drawn.movedim(2, -1), self.rho_of(window)[..., None], last.movedim(2, -1)).movedim(-1, 2)

    def adjust(self, window: Window, before: Float[Tensor, "B 1 C"] | None = None) -> Window:
        """The window in differences; a difference is missing where one of its two values is.

        Args:
            window: scaled.
            before: the value before the first; None: the mean of the context.

        Returns:
            The window that the network reads.
        """
        rho = self.rho_of(window)
        if before is None:
            count = window.past_observed.sum(1, keepdim=True).clamp(min=1)
            before = (window.past * window.past_observed).sum(1, keepdim=True) / count
        values = torch.cat([before, window.past, window.future], dim=1)
        observed = torch.cat(
            [torch.ones_like(window.past_observed[:, :1]), window.past_observed, window.future_observed], dim=1
        )
        both = observed[:, 1:] & observed[:, :-1]
        difference = torch.where(both, values[:, 1:] - rho * values[:, :-1], 0.0)
        split = window.past.shape[1]
        read = window._replace(past=difference[:, :split], past_observed=both[:, :split]) if self.inputs else window
        if not self.outputs:
            return read
        if self.ahead == "summed":
            return read._replace(future=difference[:, split:], future_observed=both[:, split:])
        return read._replace(future=torch.where(window.future_observed, window.future - self._faded(window), 0.0))

    def _faded(self, window: Window) -> Float[Tensor, "B H C"]:
        """``rho**h`` times the last observed value; h counts from there."""
        length, horizon = window.past.shape[1], window.future.shape[1]
        row = torch.arange(length, device=window.past.device)[None, :, None]
        at = torch.where(window.past_observed, row, 0).amax(1, keepdim=True)  # (B, 1, C)
        steps = torch.arange(1, horizon + 1, device=at.device)[None, :, None] + (length - 1 - at)
        return self.rho_of(window) ** steps * window.past.gather(1, at)

    def rho_of(self, window: Window) -> Float[Tensor, "B 1 C"]:
        """Rho of each window's series; the mean of all for a series that was not in ``fit``."""
        if len(self.raw_rho) == 1:
            return self.rho[:1, None].expand(len(window.past), -1, -1)
        known = (window.series >= 0)[:, None]
        return torch.where(known, self.rho[window.series.clamp(min=0)], self.rho.mean(0))[:, None]


def summed_up(new: Numbers, rho: Numbers, start: Numbers) -> Numbers:
    """``x[h] = rho x[h-1] + new[h]`` along the last axis, from ``x[0] = start``.

    By doubling: sums over k steps give sums over 2 k, so that H steps take log2(H) additions.

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
