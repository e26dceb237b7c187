"""Extrapolation of trend and season after the last row of each series, with its uncertainty measured on the past."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tsformers.data.packed.classical_decomposition import NO_SEASON, PackedSeries, Parts
from tsformers.data.packed.moving_average_kernel import lines_before

STEPS = 2 ** np.arange(16)  # ahead, at which the trend's errors are measured


class Extrapolation(NamedTuple):
    """How trend and season of N series are extrapolated, and the errors that this rule made in the past."""

    level: Float[np.ndarray, " N"]  # the trend at the last row
    rise: Float[np.ndarray, " N"]  # of the trend over the last span
    damping: Float[np.ndarray, " N"]  # share of a rise that recurs in the next span
    errors: Float[np.ndarray, "N G"]  # root mean squares of the trend's errors, STEPS[:G] steps ahead
    seasonal_change: Float[np.ndarray, "N M"]  # root mean squares of a season's change from cycle to cycle
    seasonal_error: Float[np.ndarray, "N M"]  # standard errors of a season's values


def measure_extrapolation(
    series: PackedSeries, parts: Parts, periods: Sequence[int], cycles: int | None
) -> Extrapolation:
    """How trend and seasons are extrapolated: as they continued in the past.

    What was known of the trend at row t is the straight line through the span (the longest period) of means that ended
    half a span before. Over one span it rises by some amount. The share of the rise that recurs in the next span, by
    least squares over all rows, is the damping of the last rise. The distance of the later trend from this line, 1, 2,
    4, ... steps ahead, is its uncertainty.

    Args:
        series: N of them.
        parts: their trend and seasons.
        periods: rows of each season.
        cycles: over which a seasonal value was averaged; None: all there are.

    Returns:
        The rule for each series, with its errors.

    Example:
        >>> series = PackedSeries(np.arange(90.0), np.array([0, 90]), np.zeros(1, dtype=int))
        >>> line = measure_extrapolation(series, Parts(series.y, np.zeros((90, 1))), [1], None)
        >>> trend_ahead(line, [1], np.array([[1, 50]])).round(6).tolist(), line.errors.max().round(6).item()
        ([[90.0, 139.0]], 0.0)

    Source: damped trends, Gardner & McKenzie (1985), with the damping found by regression.
    """
    lengths, owner, place, n = series.lengths, series.owner, series.place, len(series.anchor)
    span, trend = _span(periods), parts.trend
    last = np.maximum(series.offsets[1:] - 1, 0)
    back = np.minimum(span, lengths - 1)
    rise = (trend[last] - trend[last - back]) * (span / np.maximum(back, 1))
    at = np.flatnonzero(place >= span + 2 * (span // 2) - 1)  # the first mean is half a span from the first row
    level, rising = np.empty(len(trend)), np.empty(len(trend))
    lines_before(np.ascontiguousarray(trend), np.ascontiguousarray(series.offsets, np.int64), span, level, rising)
    level, rising = level[at], rising[at]
    there = place[at] + span < lengths[owner[at]]
    whose, after = owner[at[there]], trend[at[there] + span] - level[there]
    power = np.bincount(whose, rising[there] ** 2, minlength=n)
    found = np.bincount(whose, rising[there] * after, minlength=n)
    damping = np.clip(np.divide(found, power, out=np.zeros(n), where=power > 0), 0.0, 1.0)
    longest = int(lengths.max(initial=0)) // 3
    steps = STEPS[: max(1, np.searchsorted(STEPS, longest, side="right"))]
    errors = np.zeros((n, len(steps)))
    rough = np.sqrt(_mean_square(np.where(place > 0, np.diff(trend, prepend=0.0), np.nan), owner, n))
    for g, step in enumerate(steps):
        there = place[at] + step < lengths[owner[at]]
        whose = owner[at[there]]
        missed = trend[at[there] + step] - level[there] - _growth(damping[whose], step, span) * rising[there]
        count = np.bincount(whose, minlength=n)
        square = np.bincount(whose, missed**2, minlength=n) / np.maximum(count, 1)
        errors[:, g] = np.where(count > 0, np.sqrt(square), rough * step)
    np.maximum.accumulate(errors, axis=1, out=errors)
    change, error = _seasonal_errors(series, parts, periods, cycles)
    return Extrapolation(trend[last], rise, damping, errors, change, error)


def trend_ahead(rule: Extrapolation, periods: Sequence[int], steps: np.ndarray) -> np.ndarray:
    """The trend (N, H) ``steps`` (N, H) after the last row of each series.

    ``level + rise (k + k**2 + ...)`` with the damping k, one term a span.

    Args:
        rule: of N series.
        periods: rows of each season.
        steps: 1 is the row after the last.

    Example:
        >>> one, none = np.ones(1), np.zeros((1, 1))
        >>> trend_ahead(Extrapolation(10 * one, 4 * one, 0.5 * one, none, none, none), [2], np.array([[2, 4]]))
        array([[12., 13.]])
    """
    return rule.level[:, None] + _growth(rule.damping[:, None], steps, _span(periods)) * rule.rise[:, None]


def trend_spread(rule: Extrapolation, steps: np.ndarray) -> np.ndarray:
    """Standard deviations (N, H) of the trend ``steps`` (N, H) ahead.

    Between the steps at which errors were measured it is linear; beyond them it grows with the root of the steps.

    Example:
        >>> series = PackedSeries(np.arange(90.0) ** 2, np.array([0, 90]), np.zeros(1, dtype=int))
        >>> rule = measure_extrapolation(series, Parts(series.y, np.zeros((90, 1))), [1], None)
        >>> spread = trend_spread(rule, np.array([[1, 16, 64]]))
        >>> bool((np.diff(spread) > 0).all()), bool(spread[0, 2] == 2 * spread[0, 1])
        (True, True)
    """
    known = STEPS[: rule.errors.shape[1]]
    right = np.clip(np.searchsorted(known, steps), 1, max(len(known) - 1, 1))
    left, right = right - 1, np.minimum(right, len(known) - 1)
    low, high = (np.take_along_axis(rule.errors, side, axis=1) for side in (left, right))
    width = np.maximum(known[right] - known[left], 1)
    inside = low + (high - low) * np.clip((steps - known[left]) / width, 0.0, 1.0)
    return inside * np.sqrt(np.maximum(steps / known[-1], 1.0))


def _seasonal_errors(
    series: PackedSeries, parts: Parts, periods: Sequence[int], cycles: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Change of each season from cycle to cycle, and standard error of its values, (N, M) each."""
    lengths, owner, place, n = series.lengths, series.owner, series.place, len(series.anchor)
    noise = np.sqrt(_mean_square(series.y - parts.trend - parts.seasonal.sum(1), owner, n))
    moved, error = np.zeros((n, len(periods))), np.zeros((n, len(periods)))
    for m, period in enumerate(periods):
        if period == 1:
            continue
        at = np.flatnonzero(place >= period)
        change = np.full(len(series.y), np.nan)
        change[at] = parts.seasonal[at, m] - parts.seasonal[at - period, m]
        moved[:, m] = np.sqrt(_mean_square(change, owner, n))
        averaged = np.maximum(lengths / period, 1)
        error[:, m] = noise / np.sqrt(averaged if cycles is None else np.minimum(averaged, cycles))
        found = np.bincount(owner, parts.seasonal[:, m] != 0, minlength=n) > 0
        error[~found, m] = 0.0
    return moved, error


def _span(periods: Sequence[int]) -> int:
    return max(max(periods), 2) if max(periods) > 1 else NO_SEASON


def _growth(damping: np.ndarray, steps: np.ndarray | int, span: int) -> np.ndarray:
    """How many rises are added ``steps`` ahead: ``k (1 - k**(steps / span)) / (1 - k)``, and ``steps / span`` for 1."""
    turns = np.asarray(steps) / span
    whole = damping > 1 - 1e-9
    safe = np.where(whole, 0.5, damping)
    return np.where(whole, turns, safe * (1 - safe**turns) / (1 - safe))


def _mean_square(values: np.ndarray, owner: np.ndarray, n: int) -> np.ndarray:
    """(N,) mean squares of the finite values of each series; 0 where there is none."""
    there = np.isfinite(values)
    count = np.bincount(owner[there], minlength=n)
    return np.bincount(owner[there], values[there] ** 2, minlength=n) / np.maximum(count, 1)
