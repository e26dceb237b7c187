"""The base "linear": one linear map from the last rows of a context to the steps ahead, fitted to the panel."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tsformers.forecasters.blend.windows import ENOUGH_SERIES, Cuts
from tsformers.nn.closed_form import fit_map

MOST_ROWS = 512  # read by the map
WINDOWS_PER_ROW = 4  # windows that are needed for each row that the map reads
LEAST_OBSERVED = 0.5  # share of the rows of a context
AT_ONCE = 4096  # windows


class LinearMap(NamedTuple):
    """``y[T + h] = y[T] + s sum_t W[t, h] (y[t] - mean) / s`` with mean and standard deviation s of the T rows."""

    weight: np.ndarray  # (T, H)


class Rows(NamedTuple):
    """The last T rows of contexts, in units of their own."""

    scaled: np.ndarray  # (B, T)
    last: np.ndarray  # (B,)
    spread: np.ndarray  # (B,), 0 where a context cannot be used


def rows_read(horizon: int, season: int, second: int, longest: int) -> int:
    """T: twice the horizon or the longest season, 512 at most, and no more than a context has.

    Example:
        >>> rows_read(48, 24, 168, 504), rows_read(8, 4, 0, 64), rows_read(56, 7, 365, 1000)
        (336, 16, 112)
    """
    periods = [period for period in (season, second) if 2 * period <= MOST_ROWS]
    return min(longest, MOST_ROWS, 2 * max([horizon, *periods]))


def last_rows(values: np.ndarray, first: np.ndarray, stop: np.ndarray, length: int) -> Rows:
    """The last rows of contexts; a missing value is the one before it, at the start the one after.

    Args:
        values: (R,) of all series, NaN = missing.
        first: (B,) of the contexts.
        stop: (B,) of the contexts.
        length: T.

    Returns:
        What the map reads; contexts of fewer rows, with half of them missing or without variation are not used.

    Example:
        >>> found = last_rows(np.array([1.0, np.nan, 3.0]), np.array([0, 1]), np.array([3, 3]), 3)
        >>> found.scaled[0].round(2), found.spread > 0
        (array([-0.71, -0.71,  1.41]), array([ True, False]))
    """
    places = stop[:, None] + np.arange(-length, 0)
    long_enough = stop - first >= length
    x = values[np.maximum(places, 0)]
    observed = np.isfinite(x)
    good = long_enough & (observed.mean(axis=1) >= LEAST_OBSERVED)
    column = np.arange(length)
    before = np.maximum.accumulate(np.where(observed, column, -1), axis=1)
    start = observed.argmax(axis=1)[:, None]
    x = np.take_along_axis(x, np.where(before >= 0, before, start), axis=1)
    x[~good] = 0.0
    mean, spread = x.mean(axis=1), x.std(axis=1)
    spread = np.where(spread > 1e-9 * np.abs(x).max(axis=1, initial=0.0), spread, 0.0)
    scaled = np.divide(x - mean[:, None], spread[:, None], out=np.zeros_like(x), where=spread[:, None] > 0)
    return Rows(scaled, x[:, -1], spread)


def mapped(weight: LinearMap, values: np.ndarray, first: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts (B, H) of the map, and where there is one (B,)."""
    found = last_rows(values, first, stop, len(weight.weight))
    return found.last[:, None] + found.spread[:, None] * (found.scaled @ weight.weight), found.spread > 0


def learned_map(values: np.ndarray, cuts: Cuts, horizon: int, length: int, held: Cuts | None) -> LinearMap | None:
    """The map of training windows, its penalty chosen on others.

    Args:
        values: (R,) of all series, NaN = missing.
        cuts: training windows.
        horizon: H.
        length: T.
        held: windows that choose the penalty; None: the middle one is taken.

    Returns:
        The map; None where there are not enough different windows of T rows.
    """
    long_enough = cuts.stop - cuts.first >= length
    stops = np.unique(cuts.stop[long_enough])  # a row belongs to one series: a cutoff names its window
    if len(stops) < WINDOWS_PER_ROW * length:
        return None
    fitted = fit_map(
        _pairs(values, stops - length, stops, horizon, length),
        iter(()) if held is None else _pairs(values, held.first, held.stop, horizon, length),
    )
    return None if fitted is None else LinearMap(np.ascontiguousarray(fitted.weight))


def cross_fitted(
    values: np.ndarray, cuts: Cuts, horizon: int, length: int, n_series: int
) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of each training window by a map that was fitted without its half of the windows.

    The halves are every other series where there are many, else the earlier and the later cutoffs. A map that is judged
    by the windows that it was fitted to would look better than it is.

    Args:
        values: (R,) of all series, NaN = missing.
        cuts: training windows.
        horizon: H.
        length: T.
        n_series: N.

    Returns:
        Forecasts (B, H), and where there are some (B,).
    """
    late = cuts.stop > np.median(cuts.stop) if n_series == 1 else _late_in_series(cuts)
    half = cuts.series % 2 == 0 if n_series >= ENOUGH_SERIES else late
    forecasts, there = np.zeros((len(half), horizon)), np.zeros(len(half), dtype=bool)
    for here in (half, ~half):
        mine, others = (Cuts(*(part[rows] for part in cuts)) for rows in (here, ~here))
        weight = learned_map(values, others, horizon, length, mine)
        if weight is not None:
            forecasts[here], there[here] = mapped(weight, values, mine.first, mine.stop)
    return forecasts, there


def _late_in_series(cuts: Cuts) -> np.ndarray:
    """Cutoffs in the later half of those of their series."""
    latest, earliest = (np.full(cuts.series.max(initial=0) + 1, fill) for fill in (-1, np.iinfo(np.int64).max))
    np.maximum.at(latest, cuts.series, cuts.stop)
    np.minimum.at(earliest, cuts.series, cuts.stop)
    return cuts.stop * 2 > (latest + earliest)[cuts.series]


def _pairs(
    values: np.ndarray, first: np.ndarray, stop: np.ndarray, horizon: int, length: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Inputs and outputs of windows whose future has no missing value."""
    for start in range(0, len(stop), AT_ONCE):
        at = slice(start, start + AT_ONCE)
        found, future = last_rows(values, first[at], stop[at], length), values[stop[at][:, None] + np.arange(horizon)]
        good = (found.spread > 0) & np.isfinite(future).all(axis=1)
        if good.any():
            yield found.scaled[good], (future[good] - found.last[good, None]) / found.spread[good, None]
