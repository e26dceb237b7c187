"""Trend, seasonal parts and remainder of packed series, and how trend and seasons go on: arrays in, arrays out."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from tsformers.parallel import each

NO_SEASON = 25  # steps of the moving average of series without a season
STEPS = 2 ** np.arange(16)  # ahead, at which the trend's errors are measured
LOESS_CYCLES = 7  # that a seasonal value of STL is averaged over


class Rows(NamedTuple):
    """Packed histories: those of series i are ``y[offsets[i]:offsets[i + 1]]``, NaN = missing."""

    y: np.ndarray  # (R,)
    offsets: np.ndarray  # (N + 1,)
    anchor: np.ndarray  # (N,) where each first row lies on the grid of time

    @property
    def lengths(self) -> np.ndarray:
        """(N,) rows of each series."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> np.ndarray:
        """(R,) whose row each is."""
        return np.repeat(np.arange(len(self.anchor)), self.lengths)

    @property
    def place(self) -> np.ndarray:
        """(R,) rows since the beginning of the series."""
        return np.arange(len(self.y)) - np.repeat(self.offsets[:-1], self.lengths)


class Parts(NamedTuple):
    """What rows are made of; the remainder is what is left of ``y``."""

    trend: np.ndarray  # (R,)
    seasonal: np.ndarray  # (R, M), one column a period


class Course(NamedTuple):
    """How the parts of N series go on after their last row, and how far that is to be trusted."""

    level: np.ndarray  # (N,) the trend at the last row
    rise: np.ndarray  # (N,) of the trend over the last ``span`` steps
    kept: np.ndarray  # (N,) share of a rise that is found again in the next span
    errors: np.ndarray  # (N, G) root mean squares of the trend's errors, STEPS[:G] steps ahead
    drift: np.ndarray  # (N, M) root mean squares of a season's change from cycle to cycle
    blur: np.ndarray  # (N, M) standard errors of a season's values


def moving_average(rows: Rows, period: int) -> Parts:
    """Classical decomposition: a centred mean over one period, then the means of what is left by place in the period.

    An even period gives its two outermost rows half a weight. Within half a period of either end the trend goes on as
    the straight line through the period nearest to it. Fewer rows than two periods have no season.

    Args:
        rows: the series.
        period: rows of a season; 1 = there is none.

    Returns:
        Trend and one seasonal column. All series at once: some additions a row.

    Example:
        >>> rows = Rows(np.arange(8.0) + np.tile([1.0, -1.0], 4), np.array([0, 8]), np.zeros(1, dtype=int))
        >>> trend, seasonal = moving_average(rows, 2)
        >>> trend.round(9).tolist(), seasonal[:2, 0].round(9).tolist()
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [1.0, -1.0])

    Source: Macaulay (1931); Hyndman & Athanasopoulos (2021), 3rd ed., section 3.4.
    """
    lengths, owner, place = rows.lengths, rows.owner, rows.place
    n, width = len(lengths), period if period > 1 else NO_SEASON
    seen = np.isfinite(rows.y)
    count = np.maximum(np.bincount(owner[seen], minlength=n), 1)
    centre = np.bincount(owner[seen], rows.y[seen], minlength=n) / count
    y = np.where(seen, rows.y - centre[owner], 0.0)  # sums of what is centred stay small
    half = width // 2
    inside = (place >= half) & (place + half < lengths[owner])
    at = np.flatnonzero(inside)
    total, weight = (_window_sums(part, at, half, width % 2 == 0) for part in (y, seen.astype(np.float64)))
    trend = np.full(len(y), np.nan)
    trend[at] = np.divide(total, weight, out=np.full(len(at), np.nan), where=weight > 0)
    trend = _to_the_ends(trend, rows, width) + centre[owner]
    seasonal = np.zeros((len(y), 1))
    if period > 1:
        slot = owner * period + (rows.anchor[owner] + place) % period
        left = np.where(seen, rows.y - trend, 0.0)
        there = np.bincount(slot[seen], minlength=n * period).reshape(n, period)
        profile = np.bincount(slot, left, minlength=n * period).reshape(n, period) / np.maximum(there, 1)
        profile -= np.divide(profile.sum(1), (there > 0).sum(1), out=np.zeros(n), where=there.any(1))[:, None]
        profile[(there == 0) | (lengths < 2 * period)[:, None]] = 0.0
        seasonal[:, 0] = profile.ravel()[slot]
    return Parts(trend, seasonal)


def loess(rows: Rows, periods: Sequence[int], n_jobs: int, verbose: bool | None) -> Parts:
    """STL of each series, with several periods MSTL; missing values are interpolated linearly for it.

    Args:
        rows: the series.
        periods: rows of each season, rising; those of which a series has fewer than two are left out for it. A series
            for which none is left gets its moving average.
        n_jobs: processes, in joblib's counting.
        verbose: progress bar; None = on a terminal.

    Returns:
        Trend and a seasonal column for each period.

    Example:
        >>> rows = Rows(np.tile([1.0, -1.0], 20), np.array([0, 40]), np.zeros(1, dtype=int))
        >>> loess(rows, [2], 1, False).seasonal[:2, 0].round(6).tolist()
        [1.0, -1.0]

    Source: Cleveland et al. (1990), STL; Bandara, Hyndman & Bergmeir (2021), MSTL; statsmodels.
    """
    parts = moving_average(rows, 1)
    parts = Parts(parts.trend, np.zeros((len(rows.y), len(periods))))
    spans = [slice(*span) for span in zip(rows.offsets[:-1], rows.offsets[1:], strict=True)]
    tasks = [span for span in spans if span.stop - span.start >= 2 * periods[0] and np.isfinite(rows.y[span]).any()]
    found = each(partial(_loess_of_one, tuple(periods)), [rows.y[span] for span in tasks], n_jobs, "STL", verbose)
    for span, (trend, seasonal) in zip(tasks, found, strict=True):
        parts.trend[span], parts.seasonal[span] = trend, seasonal
    return parts


def course(rows: Rows, parts: Parts, periods: Sequence[int], cycles: int | None) -> Course:
    """How trend and seasons went on in the past, which is how they are taken to go on.

    What was known of the trend at row t is the straight line through the span (the longest period) of means that ended
    half a span before. Over one span it rises by some amount; the share of it that is found again in the next span, by
    least squares over all rows, is what is kept of the last rise. How far the trend turned out to be from this line, 1,
    2, 4, ... steps ahead, is its uncertainty.

    Args:
        rows: the series.
        parts: what they are made of.
        periods: rows of each season.
        cycles: over which a seasonal value was averaged; None = all there are.

    Returns:
        For each series where and how its parts go on.

    Example:
        >>> rows = Rows(np.arange(90.0), np.array([0, 90]), np.zeros(1, dtype=int))
        >>> line = course(rows, Parts(rows.y, np.zeros((90, 1))), [1], None)
        >>> ahead(line, [1], np.array([[1, 50]])).round(6).tolist(), line.errors.max().round(6).item()
        ([[90.0, 139.0]], 0.0)

    Source: damped trends, Gardner & McKenzie (1985), with the damping found by regression.
    """
    lengths, owner, place, n = rows.lengths, rows.owner, rows.place, len(rows.anchor)
    span, trend = _span(periods), parts.trend
    last = np.maximum(rows.offsets[1:] - 1, 0)
    back = np.minimum(span, lengths - 1)
    rise = (trend[last] - trend[last - back]) * (span / np.maximum(back, 1))
    at = np.flatnonzero(place >= span + 2 * (span // 2) - 1)  # the first means are half a span from the begin
    level, rising = _known_then(trend - trend[rows.offsets[:-1]][owner], place, at, span)
    level += trend[rows.offsets[:-1]][owner[at]]
    there = place[at] + span < lengths[owner[at]]
    whose, after = owner[at[there]], trend[at[there] + span] - level[there]
    power = np.bincount(whose, rising[there] ** 2, minlength=n)
    found = np.bincount(whose, rising[there] * after, minlength=n)
    kept = np.clip(np.divide(found, power, out=np.zeros(n), where=power > 0), 0.0, 1.0)
    longest = int(lengths.max(initial=0)) // 3
    steps = STEPS[: max(1, np.searchsorted(STEPS, longest, side="right"))]
    errors = np.zeros((n, len(steps)))
    rough = np.sqrt(_mean_square(np.where(place > 0, np.diff(trend, prepend=0.0), np.nan), owner, n))
    for g, step in enumerate(steps):
        there = place[at] + step < lengths[owner[at]]
        whose = owner[at[there]]
        error = trend[at[there] + step] - level[there] - _growth(kept[whose], step, span) * rising[there]
        count = np.bincount(whose, minlength=n)
        square = np.bincount(whose, error**2, minlength=n) / np.maximum(count, 1)
        errors[:, g] = np.where(count > 0, np.sqrt(square), rough * step)
    np.maximum.accumulate(errors, axis=1, out=errors)
    drift, blur = _of_seasons(rows, parts, periods, cycles)
    return Course(trend[last], rise, kept, errors, drift, blur)


def ahead(made: Course, periods: Sequence[int], steps: np.ndarray) -> np.ndarray:
    """The trend (N, H) at so many ``steps`` (N, H) after the last row of each series.

    ``level + rise (k + k**2 + ...)``, one term a span: the rise fades where it has been seen to fade.
    """
    return made.level[:, None] + _growth(made.kept[:, None], steps, _span(periods)) * made.rise[:, None]


def trend_spread(made: Course, steps: np.ndarray) -> np.ndarray:
    """Standard deviations (N, H) of the trend at ``steps`` (N, H) ahead; beyond those measured they grow as sqrt."""
    known = STEPS[: made.errors.shape[1]]
    right = np.clip(np.searchsorted(known, steps), 1, max(len(known) - 1, 1))
    left, right = right - 1, np.minimum(right, len(known) - 1)
    low, high = (np.take_along_axis(made.errors, side, axis=1) for side in (left, right))
    width = np.maximum(known[right] - known[left], 1)
    inside = low + (high - low) * np.clip((steps - known[left]) / width, 0.0, 1.0)
    return inside * np.sqrt(np.maximum(steps / known[-1], 1.0))


def _known_then(trend: np.ndarray, place: np.ndarray, at: np.ndarray, span: int) -> tuple[np.ndarray, np.ndarray]:
    """Level of the trend and its rise over a span, as known at rows ``at``: the line of half a span before."""
    begin = at - span // 2 - span + 1
    total, moment = (np.concatenate([[0.0], np.cumsum(part)]) for part in (trend, place * trend))
    total, moment = total[begin + span] - total[begin], moment[begin + span] - moment[begin]
    middle = place[begin] + (span - 1) / 2
    slope = (moment - middle * total) / (span * (span**2 - 1) / 12)
    return total / span + slope * (place[at] - middle), slope * span


def _of_seasons(rows: Rows, parts: Parts, periods: Sequence[int], cycles: int | None) -> tuple[np.ndarray, np.ndarray]:
    """How far seasons change from cycle to cycle, and how well their values are known, (N, M) each."""
    lengths, owner, place, n = rows.lengths, rows.owner, rows.place, len(rows.anchor)
    noise = np.sqrt(_mean_square(rows.y - parts.trend - parts.seasonal.sum(1), owner, n))
    drift, blur = np.zeros((n, len(periods))), np.zeros((n, len(periods)))
    for m, period in enumerate(periods):
        if period == 1:
            continue
        at = np.flatnonzero(place >= period)
        change = np.full(len(rows.y), np.nan)
        change[at] = parts.seasonal[at, m] - parts.seasonal[at - period, m]
        drift[:, m] = np.sqrt(_mean_square(change, owner, n))
        averaged = np.maximum(lengths / period, 1)
        blur[:, m] = noise / np.sqrt(averaged if cycles is None else np.minimum(averaged, cycles))
        found = np.bincount(owner, parts.seasonal[:, m] != 0, minlength=n) > 0
        blur[~found, m] = 0.0
    return drift, blur


def _span(periods: Sequence[int]) -> int:
    return max(max(periods), 2) if max(periods) > 1 else NO_SEASON


def _growth(kept: np.ndarray, steps: np.ndarray | int, span: int) -> np.ndarray:
    """How many rises are added ``steps`` ahead: ``k (1 - k**(steps / span)) / (1 - k)``, and ``steps / span`` for 1."""
    turns = np.asarray(steps) / span
    whole = kept > 1 - 1e-9
    safe = np.where(whole, 0.5, kept)
    return np.where(whole, turns, safe * (1 - safe**turns) / (1 - safe))


def _window_sums(values: np.ndarray, at: np.ndarray, half: int, halved: bool) -> np.ndarray:
    """Sums over rows ``at - half`` to ``at + half``, the outermost two halved if asked."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums = total[at + half + 1] - total[at - half]
    return sums - 0.5 * (values[at - half] + values[at + half]) if halved else sums


def _to_the_ends(trend: np.ndarray, rows: Rows, width: int) -> np.ndarray:
    """Rows without a mean filled: in between linearly, at the ends by the line through the nearest ``width`` rows."""
    n, owner = len(rows.anchor), rows.owner
    known = np.flatnonzero(np.isfinite(trend))
    first, last = np.full(n, -1), np.full(n, -1)
    first[owner[known[::-1]]], last[owner[known]] = known[::-1], known
    if not len(known):
        return np.zeros(len(trend))
    row = np.arange(len(trend))
    trend = np.interp(row, known, trend[known])
    some = first >= 0
    head = (row < first[owner], first, np.minimum(last + 1, first + width))
    tail = (row > last[owner], np.maximum(first, last - width + 1), last + 1)
    for outward, begin, stop in (head, tail):
        middle, height, slope = _lines(trend, begin[some], stop[some])
        line = np.zeros((3, n))
        line[:, some] = middle, height, slope
        fill = outward & some[owner]
        trend[fill] = line[1, owner[fill]] + line[2, owner[fill]] * (row[fill] - line[0, owner[fill]])
    trend[~some[owner]] = 0.0  # too short for one mean: the mean of the series, which was taken out
    return trend


def _lines(trend: np.ndarray, begin: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares lines through rows ``begin:stop`` of each: middle row, height there, and slope."""
    count = stop - begin
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    rows = np.arange(count.sum()) + np.repeat(begin - starts, count)
    middle = (begin + stop - 1) / 2
    height = np.add.reduceat(trend[rows], starts) / count
    away = rows - np.repeat(middle, count)
    power = np.add.reduceat(away**2, starts)
    slope = np.add.reduceat(away * (trend[rows] - np.repeat(height, count)), starts) / np.maximum(power, 1e-12)
    return middle, height, slope


def _mean_square(values: np.ndarray, owner: np.ndarray, n: int) -> np.ndarray:
    """(N,) mean squares of the finite values of each series; 0 where there is none."""
    there = np.isfinite(values)
    count = np.bincount(owner[there], minlength=n)
    return np.bincount(owner[there], values[there] ** 2, minlength=n) / np.maximum(count, 1)


def _loess_of_one(periods: tuple[int, ...], y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trend (T,) and seasons (T, M) of one series, by statsmodels."""
    from statsmodels.tsa.seasonal import MSTL, STL

    row, seen = np.arange(len(y)), np.isfinite(y)
    y = np.interp(row, row[seen], y[seen])
    fit = [period for period in periods if len(y) >= 2 * period + 1 or period == periods[0]]
    seasonal = np.zeros((len(y), len(periods)))
    if len(fit) == 1:
        found = STL(y, period=fit[0]).fit()
        seasonal[:, 0] = found.seasonal
    else:
        found = MSTL(y, periods=fit).fit()
        seasonal[:, : len(fit)] = found.seasonal
    return np.asarray(found.trend), seasonal
