"""A linear map from past to future, fitted in closed form by ridge regression."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tsformers.nn.closed_form import fit_map

MAX_STEPS = 512  # of the past; of a longer one the last steps are read

Pairs = tuple[Tensor, Tensor, Tensor]  # past (B, T, C), future (B, H, C), which of their channels count (B, C)


class RidgeMap(nn.Module):
    """``y[h] = sum_t W[h, t] (x[t] - mean(x))``, the same for all channels; ``W`` is fitted in closed form.

    ``W`` minimises the squared error of ``y`` plus a penalty on its squared norm, so that with few data ``y``
    stays near zero. Of ten penalties the one with the smallest mean absolute error on validation pairs is kept. A
    constant added to the past changes nothing. Before ``fit_closed_form`` the map is zero. ``W`` has no gradient.

    Args:
        context_length: T, steps of the past; of more than 512 the last 512 are read.
        horizon: H, steps of y.

    Example:
        >>> x = torch.randn(200, 8, 1, generator=torch.Generator().manual_seed(0))
        >>> pairs = [(x, (x - x.mean(1, keepdim=True))[:, :2].flip(1), torch.ones(200, 1, dtype=bool))]
        >>> ridge = RidgeMap(8, 2)
        >>> ridge.fit_closed_form(pairs, pairs)
        >>> bool((ridge(x) - pairs[0][1]).abs().max() < 1e-4), [round(error, 3) for error in ridge.errors.tolist()]
        (True, [0.0, 0.0])

    Source: Hoerl & Kennard (1970), Ridge regression; as a forecaster of windows: Toner & Darlow (2024), An Analysis of
        Linear Time Series Forecasting Models, ICML.
    """

    weight: Tensor  # (H, T)
    errors: Tensor  # (H,), mean absolute errors on the validation pairs
    fitted: Tensor  # whether ``fit_closed_form`` has been called

    def __init__(self, context_length: int, horizon: int) -> None:
        super().__init__()
        self.read = min(context_length, MAX_STEPS)
        self.register_buffer("weight", torch.zeros(horizon, self.read))
        self.register_buffer("errors", torch.ones(horizon))
        self.register_buffer("fitted", torch.tensor(False))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        if f"{prefix}solved" in state_dict:  # its name in the former format, also inside a user's own network
            state_dict[f"{prefix}fitted"] = state_dict.pop(f"{prefix}solved")
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(self, past: Float[Tensor, "B T C"]) -> Float[Tensor, "B H C"]:
        """The map of ``past``: what it predicts of the steps after it, relative to the mean of the past.

        Source: Hoerl & Kennard (1970).
        """
        past = past[:, -self.read :]
        return self.weight.to(past.dtype) @ (past - past.mean(1, keepdim=True))

    def fit_closed_form(self, pairs: Iterable[Pairs], validation: Iterable[Pairs]) -> None:
        """Fit ``W``, in float64.

        Args:
            pairs: training pairs, batch by batch: past (B, T, C), future (B, H, C), which channels count (B, C).
            validation: pairs that choose the penalty; without any it is the middle one, and ``errors`` are estimated
                from the second moments of ``pairs``.

        Source: Hoerl & Kennard (1970); only the second moments of the pairs are kept in memory.
        """
        fitted = fit_map(self._rows(pairs), self._rows(validation))
        if fitted is not None:
            self.take(fitted.weight, fitted.errors)

    def take(self, weight: Float[np.ndarray, "T H"], errors: Float[np.ndarray, " H"]) -> None:
        """Take over a map that was fitted elsewhere.

        Source: Hoerl & Kennard (1970).
        """
        self.weight.copy_(torch.from_numpy(weight.T))
        self.errors.copy_(torch.from_numpy(errors))
        self.fitted.fill_(True)

    def _rows(self, pairs: Iterable[Pairs]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each channel that counts as a row, (M, T) and (M, H)."""
        for past, future, counts in pairs:
            x, y = (part.mT[counts].double().cpu().numpy() for part in (past[:, -self.read :], future))
            yield x - x.mean(1, keepdims=True), y
