"""A linear forecast of windows with known covariates, fitted in closed form: numpy, no torch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from tsformers.nn.folds import LATER, N_FOLDS, FoldMoments, absolute_errors
from tsformers.nn.known_features import KnownFeatures, learn_features

ROUNDS = 2  # in turn: coefficients given the map, the map given the coefficients
MAX_LEARNED = 200_000  # rows from which knots are learned
MAX_STEPS = 12  # ahead, of each window, from which coefficients are fitted
MAX_WINDOWS = 1500  # from which coefficients are fitted
MAP_PENALTIES = 10.0 ** np.arange(-6, 4)  # in units of the mean eigenvalue of the second moments of the past
PENALTIES = 10.0 ** np.arange(-5.0, 2.5, 0.75)  # of coefficients of standardised features, in units of their moments
SMALLEST_FEATURE = 0.02  # standard deviation by which a feature is divided at least
CHUNK = 1 << 22  # numbers in a matrix of features
LEAST_SPREAD = 0.01  # of the logarithms of scales; with less, units are not compared
MOST_GAIN = 50.0  # by which a response is multiplied, at most
NEEDED_GAIN = 0.02  # of the mean absolute error: with less, covariates are left out


class Windows(NamedTuple):
    """Windows of complete series with their known columns, each in units of its own (as ``window_scaling.scale``).

    Where a value of the past was missing and has been replaced by an earlier one, replace the known columns likewise.
    """

    past: Float[np.ndarray, "M T"]
    future: Float[np.ndarray, "M H"]
    known: Float[np.ndarray, "M TH K"]  # of the T steps of the past and the H steps ahead; calendar features first
    fold: Int64[np.ndarray, " M"]  # for cross-validation, of ``fold_of_each``
    scale: Float[np.ndarray, " M"]  # that each window was divided by; ones where it was not


class CovariateRidge:
    """``y[T + h] = y[T] + f(x[T + h]) - f(x[T]) + sum_t W[h, t] (y[t] - f(x[t]))``, fitted in closed form.

    ``f`` is linear in ``KnownFeatures`` of the known columns x, shared by all steps; ``W`` maps what it leaves of the
    past. Lags of covariates enter through ``f`` of the past. Each is a ridge regression given the other, in two rounds;
    their penalties are chosen by cross-validation over blocks of time, and so is the unit of ``f``: that of the window,
    so that effects grow with it, or that of the caller, so that they do not. If the map of the past alone is as good,
    that is the answer. A constant added to a window changes nothing.

    Args:
        calendar: how many of the known columns are those of ``calendar.features.time_features``; they come first.

    Example:
        >>> from tsformers.nn.folds import fold_of_each
        >>> rng = np.random.default_rng(0)
        >>> known = rng.normal(size=(300, 12, 1))
        >>> y = known[..., 0] ** 2 + 0.1 * rng.normal(size=(300, 12))
        >>> folds = fold_of_each(np.zeros(300, dtype=np.int64), 0)
        >>> windows = Windows(y[:, :8], y[:, 8:], known, folds, np.ones(300))
        >>> ridge = CovariateRidge().fit([windows])
        >>> bool(np.abs(ridge.predict(windows.past, known) - windows.future).mean() < 0.5 * np.abs(y).mean())
        True

    Source: Cochrane & Orcutt (1949) for regression with autocorrelated errors, in turn; Hoerl & Kennard (1970).
    """

    weight: Float[np.ndarray, "T H"]
    errors: Float[np.ndarray, " H"]  # mean absolute errors in cross-validation
    plain_errors: Float[np.ndarray, " H"]  # those of the map of the past alone

    def __init__(self, calendar: int = 0) -> None:
        self.calendar = calendar
        self.features: KnownFeatures | None = None  # None: the map of the past alone is as good
        self.coefficients = np.zeros(0)
        self.typical = 0.0  # scale of a window, if f is in the caller's units; 0: it is in the window's

    def fit(self, windows: Sequence[Windows], validation: Sequence[Windows] = ()) -> "CovariateRidge":
        """Fit ``W`` and ``f``.

        Args:
            windows: to learn from, in batches, read several times.
            validation: windows later than those, one more fold of the cross-validation; their own folds are ignored.

        Returns:
            The ridge itself.

        Raises:
            ValueError: there is no window.

        Source: Cochrane & Orcutt (1949); Hoerl & Kennard (1970).
        """
        if not sum(len(each.past) for each in windows):
            raise ValueError("there is no window to learn from")
        later = [part._replace(fold=np.full(len(part.past), LATER)) for part in validation if len(part.past)]
        self.weight, self.errors = _fit_map(windows, [*windows, *later])
        self.plain_errors = self.errors
        apart = max(1, sum(part.known[..., 0].size for part in windows) // MAX_LEARNED)
        rows = np.concatenate([part.known.reshape(-1, part.known.shape[-1])[::apart] for part in windows])
        features = learn_features(rows.astype(np.float64), self.calendar)
        if not len(features.used) and not self.calendar:
            return self
        log_scale = np.log(np.concatenate([part.scale for part in windows]))
        typical = float(np.exp(log_scale.mean()))
        units = (0.0, typical) if log_scale.std() > LEAST_SPREAD else (0.0,)
        first = [_round(features, unit, self.weight, self.errors, windows, later) for unit in units]
        best = int(np.argmin([found[2].mean() for found in first]))
        second = _round(features, units[best], *first[best][1:], windows, later)
        for coefficients, weight, errors in (first[best], second):
            if errors.mean() < (1 - NEEDED_GAIN if self.features is None else 1) * self.errors.mean():
                self.weight, self.errors, self.features, self.coefficients = weight, errors, features, coefficients
                self.typical = units[best]
        return self

    def response(
        self, known: Float[np.ndarray, "*b K"], scale: Float[np.ndarray, " M"] | None = None
    ) -> Float[np.ndarray, "*b"]:
        """``f``: what the known columns of a row contribute, up to a constant; 0 where covariates are left out.

        Args:
            known: known columns of windows (M, T + H, K), or of rows.
            scale: (M,) that each window was divided by; None: as a typical one.

        Returns:
            In the units of the windows.

        Source: Hoerl & Kennard (1970).
        """
        if self.features is None:
            return np.zeros(known.shape[:-1])
        response = response_in_chunks(self.features, self.coefficients, known)
        return response if scale is None else response * gain(scale, self.typical)[:, None]

    def predict(
        self,
        past: Float[np.ndarray, "M T"],
        known: Float[np.ndarray, "M TH K"],
        scale: Float[np.ndarray, " M"] | None = None,
    ) -> Float[np.ndarray, "M H"]:
        """The forecast of the steps after ``past``, in its units.

        Source: Cochrane & Orcutt (1949).
        """
        response = self.response(known, scale)
        rest = past - response[:, : past.shape[1]]
        ahead = (rest - rest.mean(1, keepdims=True)) @ self.weight
        return rest[:, -1:] + ahead + response[:, past.shape[1] :]


def gain(scale: Float[np.ndarray, " M"], typical: float) -> Float[np.ndarray, " M"]:
    """What the response is multiplied by in windows that were divided by ``scale``; 1 where ``typical`` is 0.

    Example:
        >>> gain(np.array([1.0, 4.0]), 2.0).tolist(), gain(np.array([1.0, 4.0]), 0.0).tolist()
        ([2.0, 0.5], [1.0, 1.0])

    Source: change of units.
    """
    return np.clip(typical / scale, 1 / MOST_GAIN, MOST_GAIN) if typical else np.ones(len(scale))


def response_in_chunks(
    features: KnownFeatures, coefficients: Float[np.ndarray, " P"], known: Float[np.ndarray, "*b K"]
) -> Float[np.ndarray, "*b"]:
    """``features.response`` of many rows, in bounded memory.

    Example:
        >>> known = np.arange(12.0).reshape(2, 6, 1)
        >>> features = learn_features(known.reshape(-1, 1), 0)
        >>> response_in_chunks(features, np.eye(6)[0], known).tolist() == known[..., 0].tolist()
        True

    Source: Hoerl & Kennard (1970).
    """
    flat = known.reshape(-1, known.shape[-1])
    size = max(1, CHUNK // (64 + len(coefficients) // 4))
    parts = [features.response(flat[i : i + size].astype(np.float64), coefficients) for i in range(0, len(flat), size)]
    return np.concatenate(parts).reshape(known.shape[:-1]) if parts else np.zeros(known.shape[:-1])


def _fit_map(windows: Sequence[Windows], held: Sequence[Windows]) -> tuple[np.ndarray, np.ndarray]:
    """``W``, and its errors: of ten penalties the one with the least absolute error over the folds of ``held``."""
    moments = FoldMoments()
    for x, y, fold in _changes(windows):
        moments.add(x, y, fold)
    maps = moments.maps(MAP_PENALTIES)
    errors = np.nanmean(absolute_errors([*_changes(held)], maps), axis=1)  # (N, H)
    best = int(errors.sum(1).argmin())
    return maps[best, -1], errors[best]


def _changes(windows: Sequence[Windows]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Inputs and outputs of the map: the past less its mean, the future less the last value; and folds."""
    for past, future, _, fold, _ in windows:
        x = np.asarray(past, dtype=np.float64)
        yield x - x.mean(1, keepdims=True), future - x[:, -1:], fold


def _round(
    features: KnownFeatures,
    unit: float,
    weight: np.ndarray,
    errors: np.ndarray,
    windows: Sequence[Windows],
    later: Sequence[Windows],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The coefficients of ``f`` given ``W``, steps weighted by their errors; ``W`` given these; its errors."""
    moments = FoldMoments()
    for z, r, fold in _filtered(features, unit, weight, errors, windows):
        moments.add(z, r, fold)
    tried = moments.maps(PENALTIES, moments.unit(SMALLEST_FEATURE))
    best = int(moments.squared_errors(tried).mean(1).argmin())
    found = tried[best, ..., 0]  # without each fold, and with all
    rest = [_without(part, features, unit, found, np.full(len(part.past), N_FOLDS)) for part in windows]
    held = [_without(part, features, unit, found, part.fold // 3) for part in (*windows, *later)]
    return found[-1], *_fit_map(rest, held)


def _without(
    windows: Windows, features: KnownFeatures, unit: float, coefficients: np.ndarray, which: np.ndarray
) -> Windows:
    """The windows less the response to their known columns; ``which`` (M,) of the coefficients (F, P) each has."""
    length, response = windows.past.shape[1], np.empty(windows.known.shape[:2])
    for each in np.unique(which):
        response[which == each] = response_in_chunks(features, coefficients[each], windows.known[which == each])
    response *= gain(windows.scale, unit)[:, None]
    return windows._replace(past=windows.past - response[:, :length], future=windows.future - response[:, length:])


def _filtered(
    features: KnownFeatures, unit: float, weight: np.ndarray, errors: np.ndarray, windows: Sequence[Windows]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Features (M, P) and values (M, 1) less what ``W`` predicts of them, at some steps of some windows; folds."""
    length, horizon = weight.shape
    apart = max(1, -(-sum(len(part.past) for part in windows) // MAX_WINDOWS))
    every = max(1, -(-horizon // MAX_STEPS))
    centred = (weight - weight.mean(0)).T  # (H, T)
    filters = np.concatenate([-centred, np.eye(horizon)], axis=1)
    filters[:, length - 1] -= 1
    filters *= (errors.mean() / np.maximum(errors, 1e-3 * errors.mean() + 1e-12))[:, None]
    width = features.matrix(windows[0].known[:1, :1].astype(np.float64)).shape[-1]
    before = 0
    for past, future, known, fold, scale in windows:
        some = slice(-before % apart, None, apart)
        before += len(past)
        values = np.concatenate([past[some], future[some]], axis=1).astype(np.float64)
        size = max(1, CHUNK // (values.shape[1] * width))
        for first in range(0, len(values), size):
            used = filters[(first // size) % every :: every]
            here = slice(first, first + size)
            z = used @ features.matrix(known[some][here].astype(np.float64))  # (m, S, P)
            z *= gain(scale[some][here], unit)[:, None, None]
            yield z.reshape(-1, width), (values[here] @ used.T).reshape(-1, 1), fold[some][here].repeat(len(used))
