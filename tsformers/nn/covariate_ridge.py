"""A linear forecast of windows with known covariates, fitted in closed form: numpy, no torch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tsformers.nn.closed_form import FittedMap, fit_map
from tsformers.nn.known_features import KnownFeatures, learn_features

ROUNDS = 2  # in turn: coefficients given the map, the map given the coefficients
MAX_STEPS = 12  # ahead, of each window, from which coefficients are fitted
MAX_WINDOWS = 3000  # from which coefficients are fitted
PENALTIES = 10.0 ** np.arange(-5.0, 2.5, 0.75)  # of coefficients of standardised features, in units of their moments
SMALLEST_FEATURE = 0.02  # standard deviation by which a feature is divided at least
CHUNK = 1 << 22  # numbers in a matrix of features
NEEDED_GAIN = 0.002  # of the mean absolute error: with less, covariates are left out


class Windows(NamedTuple):
    """Windows of complete series with their known columns, each in units of its own (as ``window_scaling.scale``).

    Where a value of the past was missing and has been replaced by an earlier one, replace the known columns likewise.
    """

    past: Float[np.ndarray, "M T"]
    future: Float[np.ndarray, "M H"]
    known: Float[np.ndarray, "M TH K"]  # of the T steps of the past and the H steps ahead; calendar features first


class CovariateRidge:
    """``y[T + h] = y[T] + f(x[T + h]) - f(x[T]) + sum_t W[h, t] (y[t] - f(x[t]))``, fitted in closed form.

    ``f`` is linear in ``KnownFeatures`` of the known columns x, shared by all steps; ``W`` maps what it leaves of the
    past. Lags of covariates enter through ``f`` of the past. Each is a ridge regression given the other, in two rounds;
    their penalties are chosen on validation windows. If there the map of the past alone is as good, that is kept.
    A constant added to a window changes nothing. ``f`` is in the units of the windows: those of a series that grows
    should grow with it.

    Args:
        calendar: how many of the known columns are those of ``calendar.features.time_features``; they come first.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> known = rng.normal(size=(300, 12, 1))
        >>> y = known[..., 0] ** 2 + 0.1 * rng.normal(size=(300, 12))
        >>> windows = Windows(y[:, :8], y[:, 8:], known)
        >>> ridge = CovariateRidge().fit([windows], [windows])
        >>> bool(np.abs(ridge.predict(windows.past, known) - windows.future).mean() < 0.5 * np.abs(y).mean())
        True

    Source: Cochrane & Orcutt (1949) for regression with autocorrelated errors, in turn; Hoerl & Kennard (1970).
    """

    weight: Float[np.ndarray, "T H"]
    errors: Float[np.ndarray, " H"]  # mean absolute errors on the validation windows
    plain_errors: Float[np.ndarray, " H"]  # those of the map of the past alone

    def __init__(self, calendar: int = 0) -> None:
        self.calendar = calendar
        self.features: KnownFeatures | None = None  # None: the map of the past alone is as good
        self.coefficients = np.zeros(0)

    def fit(
        self, windows: Sequence[Windows], validation: Sequence[Windows], plain: FittedMap | None = None
    ) -> "CovariateRidge":
        """Fit ``W`` and ``f``.

        Args:
            windows: to learn from, in batches, read several times.
            validation: windows that choose penalties, and whether covariates are used; without any, the last fifth of
                the batches is taken, or the windows to learn from if there is one batch alone.
            plain: the map of the past alone, if it is fitted already; it also replaces the first round's.

        Returns:
            The ridge itself.

        Raises:
            ValueError: there is no window.

        Source: Cochrane & Orcutt (1949); Hoerl & Kennard (1970).
        """
        if not sum(len(each.past) for each in validation):
            held = -(-len(windows) // 5)
            validation = windows[-held:]
            windows, plain = windows[:-held] or windows, None
        fitted = plain or fit_map(_changes(windows), _changes(validation))
        if fitted is None:
            raise ValueError("there is no window to learn from")
        self.weight, self.errors, self.plain_errors = fitted.weight, fitted.errors, fitted.errors
        features = learn_features(
            np.concatenate([part.known.reshape(-1, part.known.shape[-1]) for part in windows]), self.calendar
        )
        if not len(features.used) and not self.calendar:
            return self
        weight, errors, limit = fitted.weight, fitted.errors, (1 - NEEDED_GAIN) * fitted.errors.mean()
        for _ in range(ROUNDS):
            coefficients = _fit_coefficients(features, weight, errors, windows, validation)
            rows = ([_without(part, features, coefficients) for part in some] for some in (windows, validation))
            again = fit_map(*(_changes(some) for some in rows))
            assert again is not None
            weight, errors = again.weight, again.errors
            if errors.mean() < limit:
                limit = errors.mean()
                self.weight, self.errors, self.features, self.coefficients = weight, errors, features, coefficients
        return self

    def response(self, known: Float[np.ndarray, "*b K"]) -> Float[np.ndarray, "*b"]:
        """``f``: what the known columns of a row contribute, up to a constant; 0 where covariates are left out.

        Source: Hoerl & Kennard (1970).
        """
        if self.features is None:
            return np.zeros(known.shape[:-1])
        return response_in_chunks(self.features, self.coefficients, known)

    def predict(self, past: Float[np.ndarray, "M T"], known: Float[np.ndarray, "M TH K"]) -> Float[np.ndarray, "M H"]:
        """The forecast of the steps after ``past``, in its units.

        Source: Cochrane & Orcutt (1949).
        """
        response = self.response(known)
        rest = past - response[:, : past.shape[1]]
        ahead = (rest - rest.mean(1, keepdims=True)) @ self.weight
        return rest[:, -1:] + ahead + response[:, past.shape[1] :]


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
    parts = [features.response(flat[i : i + size], coefficients) for i in range(0, len(flat), size)]
    return np.concatenate(parts).reshape(known.shape[:-1]) if parts else np.zeros(known.shape[:-1])


def _changes(windows: Sequence[Windows]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Inputs and outputs of the map: the past less its mean, the future less the last value."""
    for past, future, _ in windows:
        x = np.asarray(past, dtype=np.float64)
        yield x - x.mean(1, keepdims=True), future - x[:, -1:]


def _without(windows: Windows, features: KnownFeatures, coefficients: np.ndarray) -> Windows:
    """The windows less the response to their known columns."""
    length = windows.past.shape[1]
    response = response_in_chunks(features, coefficients, windows.known)
    return Windows(windows.past - response[:, :length], windows.future - response[:, length:], windows.known)


def _fit_coefficients(
    features: KnownFeatures,
    weight: np.ndarray,
    errors: np.ndarray,
    windows: Sequence[Windows],
    validation: Sequence[Windows],
) -> np.ndarray:
    """The coefficients of ``f`` given ``W``, the steps weighted by their errors."""
    n, square, cross = 0, np.zeros(()), np.zeros(())
    for z, r in _filtered(features, weight, errors, windows):
        n, square, cross = n + len(z), square + z.T @ z, cross + z.T @ r
    unit = np.maximum(np.sqrt(np.diagonal(square) / n), SMALLEST_FEATURE)
    size, axes = np.linalg.eigh(square / n / unit / unit[:, None])
    turned = axes.T @ (cross / n / unit)
    tried = np.stack([axes @ (turned / (np.maximum(size, 0) + each)) / unit for each in PENALTIES], axis=1)
    found = np.zeros(len(PENALTIES))
    for z, r in _filtered(features, weight, errors, validation):
        found += np.abs(z @ tried - r[:, None]).sum(0)
    return tried[:, int(found.argmin())]


def _filtered(
    features: KnownFeatures, weight: np.ndarray, errors: np.ndarray, windows: Sequence[Windows]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Features and values less what ``W`` predicts of them, at some steps of some windows: (M, P) and (M,)."""
    length, horizon = weight.shape
    apart = max(1, -(-sum(len(part.past) for part in windows) // MAX_WINDOWS))
    every = max(1, -(-horizon // MAX_STEPS))
    centred = (weight - weight.mean(0)).T  # (H, T)
    filters = np.concatenate([-centred, np.eye(horizon)], axis=1)
    filters[:, length - 1] -= 1
    filters *= (errors.mean() / np.maximum(errors, 1e-3 * errors.mean() + 1e-12))[:, None]
    phase = 0
    for past, future, known in windows:
        some = slice(-phase % apart, None, apart)
        phase += len(past)
        values = np.concatenate([past[some], future[some]], axis=1).astype(np.float64)
        if not len(values):
            continue
        width = features.matrix(known[:1, :1]).shape[-1]
        size = max(1, CHUNK // (values.shape[1] * width))
        for first in range(0, len(values), size):
            used = filters[(first // size) % every :: every]
            here = slice(first, first + size)
            z = used @ features.matrix(known[some][here].astype(np.float64))  # (m, S, P)
            yield z.reshape(-1, width), (values[here] @ used.T).ravel()
