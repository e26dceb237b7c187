"""The response of windows to their known columns, fitted in closed form together with a ridge map of the past."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tsformers.data.windows import Window
from tsformers.nn import RidgeMap, carry_forward
from tsformers.nn.covariate_ridge import CovariateRidge, Windows, gain, response_in_chunks
from tsformers.nn.folds import fold_of_each
from tsformers.nn.known_features import KnownFeatures

MAX_NUMBERS = 1 << 26  # of the windows that are kept for the fit
BATCH = 512  # windows in a batch of the fit


class KnownResponse(nn.Module):
    """What the known columns of a step contribute to its value, in the units of the window: ``CovariateRidge``'s ``f``.

    A network forecasts what ``f`` leaves of the past and adds ``f`` of the steps ahead. Before ``fit``, and where the
    map of the past alone is as good, ``f`` is zero. It has no gradient.

    Args:
        channels: C; where the known columns beside the calendar can be divided among them, each has its own.
        known: K, columns of ``future_x``.
        calendar: how many of them are calendar features.

    Example:
        >>> from tsformers.testing import make_window
        >>> past, ahead = KnownResponse(2, 3, 0)(make_window(5, 16, 4, channels=2, known_x=3))
        >>> past.shape, bool(ahead.any())
        (torch.Size([5, 16, 2]), False)

    Source: as for ``CovariateRidge``.
    """

    coefficients: Tensor  # (P,) float64; none: f is zero
    used: Tensor  # (V,)
    limits: Tensor  # (2, V)
    knots: Tensor  # (V, J)
    typical: Tensor  # scale of a window, where the response is in the caller's units; 0: it is in the window's
    fitted: Tensor  # whether ``fit`` has been called

    def __init__(self, channels: int, known: int, calendar: int) -> None:
        super().__init__()
        self.channels, self.known, self.calendar = channels, known, calendar
        self.register_buffer("coefficients", torch.zeros(0, dtype=torch.float64))
        self.register_buffer("used", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("limits", torch.zeros(2, 0, dtype=torch.float64))
        self.register_buffer("knots", torch.zeros(0, 0, dtype=torch.float64))
        self.register_buffer("typical", torch.zeros((), dtype=torch.float64))
        self.register_buffer("fitted", torch.tensor(False))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        for name, buffer in list(self.named_buffers()):
            given = state_dict.setdefault(f"{prefix}{name}", buffer)  # models saved before there was a response
            setattr(self, name, torch.empty_like(given, device=buffer.device))
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(self, window: Window) -> tuple[Tensor, Tensor]:
        """What is left of the past (B, T, C), without gaps, and the response at the steps ahead (B, H, C).

        Source: as for ``CovariateRidge``.
        """
        past, length = window.past, window.past.shape[1]
        if not len(self.coefficients):
            return carry_forward(past, window.past_observed), torch.zeros_like(window.future)
        features = KnownFeatures(self.calendar, *(part.cpu().numpy() for part in (self.used, self.limits, self.knots)))
        found = response_in_chunks(features, self.coefficients.cpu().numpy(), self._columns(window))
        found *= gain(self._scale(window).ravel(), float(self.typical))[:, None]
        response = torch.from_numpy(found).to(past).reshape(len(past), past.shape[2], -1).mT  # (B, T + H, C)
        return carry_forward(past - response[:, :length], window.past_observed), response[:, length:]

    def fit(self, ridge: RidgeMap, kept: "Kept", later: "Kept") -> None:
        """Fit the response together with ``ridge``; of columns that vary in no window there is none.

        Args:
            ridge: the map of the past; it is fitted to what the response leaves.
            kept: windows to learn from.
            later: validation windows.

        Source: as for ``CovariateRidge``.
        """
        self.fitted.fill_(True)
        windows, validation = kept.batches(), later.batches()
        if not any((np.ptp(part.known[..., self.calendar :], axis=1) > 0).any() for part in windows):
            return
        found = CovariateRidge(self.calendar).fit(windows, validation)
        ridge.take(found.weight, found.errors)
        if found.features is None:
            return
        self.typical.fill_(found.typical)
        learned = {"coefficients": found.coefficients, **found.features._asdict()}
        for name in ("coefficients", "used", "limits", "knots"):
            setattr(self, name, torch.from_numpy(learned[name]).to(self.fitted.device))

    def rows(self, window: Window, read: int) -> tuple[np.ndarray, ...]:
        """Past, future, known columns, series and scale of each channel that counts; a gap is as the step before.

        Args:
            window: scaled; channels with an observed value and all targets count.
            read: last steps of the past that are read.

        Source: as for ``CovariateRidge``.
        """
        length, channels = window.past.shape[1], window.past.shape[2]
        counts = (window.future_observed.all(1) & window.past_observed.any(1)).cpu().numpy().ravel()  # (B C,)
        at = torch.arange(float(length), device=window.past.device)[None, :, None].expand_as(window.past)
        at = carry_forward(at, window.past_observed).long().mT.flatten(0, 1).cpu().numpy()[counts]
        past, future = (part.mT.flatten(0, 1).cpu().numpy()[counts] for part in (window.past, window.future))
        known = self._columns(window)[counts]
        known[:, :length] = np.take_along_axis(known, at[..., None], axis=1)
        series = np.arange(channels) + channels * window.series.cpu().numpy()[:, None]
        past = np.take_along_axis(past, at, axis=1)[:, -read:]
        return (
            past,
            future,
            known[:, -read - future.shape[1] :],
            series.ravel()[counts],
            self._scale(window).ravel()[counts],
        )

    def _scale(self, window: Window) -> np.ndarray:
        """(B, C) that each channel was divided by."""
        if window.scale is None:
            return np.ones((len(window.past), window.past.shape[2]))
        return window.scale[:, 0].double().cpu().numpy()

    def _columns(self, window: Window) -> np.ndarray:
        """Known columns of past and future, (B C, T + H, K) or of each channel its own."""
        first = window.past_x.shape[-1] - self.known
        x = torch.cat([window.past_x[..., first:], window.future_x], dim=1).cpu().numpy()
        own = (self.known - self.calendar) // self.channels
        if own * self.channels != self.known - self.calendar:
            return np.repeat(x, self.channels, axis=0)
        times, others = x[..., : self.calendar], x[..., self.calendar :]
        lanes = [np.concatenate([times, others[..., c * own :][..., :own]], axis=-1) for c in range(self.channels)]
        return np.stack(lanes, axis=1).reshape(-1, x.shape[1], self.calendar + own)


class Kept:
    """Windows that pass by, kept as rows for ``KnownResponse.fit``; every second, fourth, ... if they are many.

    Args:
        response: what is to be fitted.
        read: last steps of the past that are read.

    Example:
        >>> from tsformers.testing import make_window
        >>> kept = Kept(KnownResponse(1, 1, 0), 16)  # two of five windows miss a target
        >>> for window in kept.watch([make_window(5, 16, 4, known_x=1)] * 2):
        ...     pass
        >>> [part.past.shape for part in kept.batches()]
        [(6, 16)]

    Source: none.
    """

    def __init__(self, response: KnownResponse, read: int) -> None:
        self._response, self._read, self._apart, self._numbers, self._horizon = response, read, 1, 0, 1
        self._parts: list[list[np.ndarray]] = []

    def watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        """The windows, one batch after the other; those of a series are in the order of time.

        Source: none.
        """
        for window in windows:
            rows = self._response.rows(window, self._read)
            self._horizon = window.future.shape[1]
            self._parts.append([row[:: self._apart] for row in rows])
            self._numbers += sum(row.size for row in self._parts[-1])
            while self._numbers > MAX_NUMBERS:
                self._parts = [[row[::2] for row in part] for part in self._parts]
                self._apart, self._numbers = 2 * self._apart, self._numbers // 2
            yield window

    def batches(self) -> list[Windows]:
        """What has been kept, in batches.

        Source: none.
        """
        if not sum(len(part[0]) for part in self._parts):
            return []
        past, future, known, series, scale = (np.concatenate(same) for same in zip(*self._parts, strict=True))
        whole = Windows(past, future, known, fold_of_each(series, -(-self._horizon // self._apart)), scale)
        return [Windows(*(part[i : i + BATCH] for part in whole)) for i in range(0, len(past), BATCH)]


def calendar_part(model: Any, known: int, calendar: int) -> int:
    """How many known columns are no covariates of the caller's: the calendar features, or all if he knows none.

    Args:
        model: a ``TorchForecaster`` in ``build``.
        known: K, with statics.
        calendar: how many of them are calendar features.

    Example:
        >>> from tsformers import Linear
        >>> calendar_part(Linear(horizon=4), 5, 4)
        4

    Source: none.
    """
    learned = getattr(model, "covariates_", None)
    return calendar if learned is None or learned.known.shape[1] else known


def fit_start(
    ridge: RidgeMap, known: KnownResponse | None, windows: Iterable[Window], validation: Iterable[Window]
) -> None:
    """Fit a ridge map from the past to the future less the last value, and the response to known columns, if any.

    Args:
        ridge: the map.
        known: the response; None: there is none.
        windows: scaled, to learn from.
        validation: scaled windows, later than those.

    Example:
        >>> from tsformers.testing import make_window
        >>> ridge, windows = RidgeMap(16, 4), [make_window(50, 16, 4)]
        >>> fit_start(ridge, None, windows, windows)
        >>> bool(ridge.fitted)
        True

    Source: as for ``RidgeMap`` and ``CovariateRidge``.
    """
    if known is None:
        ridge.fit_closed_form(map(_pairs, windows), map(_pairs, validation))
        return
    kept, later = Kept(known, ridge.read), Kept(known, ridge.read)
    ridge.fit_closed_form(map(_pairs, kept.watch(windows)), map(_pairs, later.watch(validation)))
    known.fit(ridge, kept, later)


def _pairs(window: Window) -> tuple[Tensor, Tensor, Tensor]:
    """Past, future less the last value, and which channels have all targets observed, as pairs for ``RidgeMap``."""
    past = carry_forward(window.past, window.past_observed)
    return past, window.future - past[:, -1:], window.future_observed.all(dim=1)
