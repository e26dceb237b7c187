"""Centred moving averages and the seasonal means around them: compiled, series by series."""

import numpy as np

from tsformers.jit import compiled


@compiled
def decompose_all(
    y: np.ndarray, offsets: np.ndarray, anchor: np.ndarray, period: int, width: int, work: np.ndarray,
    trend: np.ndarray, seasonal: np.ndarray,
) -> None:  # fmt: skip
    """Trend and season of each series, into ``trend`` (R,) and ``seasonal`` (R,).

    Args:
        y: (R,), NaN = missing.
        offsets: (N + 1,) first rows.
        anchor: (N,) places of the first rows on the grid.
        period: rows of a season; 1 = none.
        width: rows of the average.
        work: (2, period) for sums and counts.
        trend: (R,) output.
        seasonal: (R,) zeros, output.

    Example:
        >>> trend, seasonal = np.zeros(4), np.zeros(4)
        >>> y, offsets = np.array([1.0, 3.0, 3.0, 5.0]), np.array([0, 4])
        >>> decompose_all(y, offsets, np.array([0]), 2, 2, np.zeros((2, 2)), trend, seasonal)
        >>> trend, seasonal
        (array([1.5, 2.5, 3.5, 4.5]), array([-0.5,  0.5, -0.5,  0.5]))
    """
    for i in range(len(anchor)):
        first, stop = offsets[i], offsets[i + 1]
        centre = mean_of(y, first, stop)
        covered = average(y, first, stop, width, centre, trend)
        if period > 1 and stop - first >= 2 * period:
            season(y, first, stop, anchor[i], period, width // 2, work, trend, seasonal)
        if covered:
            extend(trend, first, stop, width)
        for row in range(first, stop):
            trend[row] = trend[row] + centre if covered else centre


@compiled
def mean_of(y: np.ndarray, first: int, stop: int) -> float:
    """Mean of the observed rows, 0 without one.

    Example:
        >>> mean_of(np.array([1.0, np.nan, 3.0]), 0, 3)
        2.0
    """
    total, count = 0.0, 0
    for row in range(first, stop):
        if np.isfinite(y[row]):
            total += y[row]
            count += 1
    return total / count if count else 0.0


@compiled
def average(y: np.ndarray, first: int, stop: int, width: int, centre: float, trend: np.ndarray) -> bool:
    """Centred means of ``y - centre``, NaN where none is; whether there is one.

    The outermost two rows of an even width have half a weight. The running sum starts anew every ``width`` rows, so
    that rounding does not add up.

    Example:
        >>> trend = np.zeros(4)
        >>> average(np.array([1.0, 2.0, 3.0, 4.0]), 0, 4, 3, 0.0, trend), trend
        (True, array([nan,  2.,  3., nan]))
    """
    half, covered, total, weight = width // 2, False, 0.0, 0.0
    for row in range(first, stop):
        trend[row] = np.nan
        if row - half < first or row + half >= stop:
            continue
        if (row - half - first) % width == 0:
            total, weight = 0.0, 0.0
            for k in range(row - half, row + half + 1):
                if np.isfinite(y[k]):
                    total += y[k] - centre
                    weight += 1.0
        else:
            left, right = row - half - 1, row + half
            if np.isfinite(y[left]):
                total -= y[left] - centre
                weight -= 1.0
            if np.isfinite(y[right]):
                total += y[right] - centre
                weight += 1.0
        inner, share = total, weight
        if width % 2 == 0:
            for k in (row - half, row + half):
                if np.isfinite(y[k]):
                    inner -= 0.5 * (y[k] - centre)
                    share -= 0.5
        if share > 0.0:
            trend[row] = inner / share
            covered = True
    return covered


@compiled
def season(
    y: np.ndarray, first: int, stop: int, anchor: int, period: int, half: int, work: np.ndarray, trend: np.ndarray,
    seasonal: np.ndarray,
) -> None:  # fmt: skip
    """Means at each place of the season of what the average leaves of the rows that it covers; they sum to zero.

    Example:
        >>> seasonal, trend = np.zeros(4), np.array([np.nan, 2.0, 2.0, np.nan])
        >>> season(np.array([1.0, 3.0, 1.0, 3.0]), 0, 4, 0, 2, 1, np.zeros((2, 2)), trend, seasonal)
        >>> seasonal
        array([-1.,  1., -1.,  1.])
    """
    for place in range(period):
        work[0, place] = 0.0
        work[1, place] = 0.0
    for row in range(first + half, stop - half):
        if np.isfinite(y[row]) and np.isfinite(trend[row]):
            place = (anchor + row - first) % period
            work[0, place] += y[row] - trend[row]
            work[1, place] += 1.0
    total, count = 0.0, 0
    for place in range(period):
        if work[1, place] > 0.0:
            work[0, place] /= work[1, place]
            total += work[0, place]
            count += 1
    for row in range(first, stop):
        place = (anchor + row - first) % period
        if work[1, place] > 0.0:
            seasonal[row] = work[0, place] - total / count


@compiled
def extend(trend: np.ndarray, first: int, stop: int, width: int) -> None:
    """Fills rows without a mean: between means linear, at the ends on the line through the nearest ``width`` rows.

    Example:
        >>> trend = np.array([np.nan, 2.0, np.nan, 4.0, np.nan])
        >>> extend(trend, 0, 5, 3)
        >>> trend
        array([1., 2., 3., 4., 5.])
    """
    earliest, latest = first, stop - 1
    while np.isnan(trend[earliest]):
        earliest += 1
    while np.isnan(trend[latest]):
        latest -= 1
    before = earliest
    for row in range(earliest + 1, latest + 1):
        if not np.isnan(trend[row]):
            for k in range(before + 1, row):
                trend[k] = trend[before] + (trend[row] - trend[before]) * (k - before) / (row - before)
            before = row
    height, slope, middle = line(trend, earliest, min(latest + 1, earliest + width))
    last_height, last_slope, last_middle = line(trend, max(earliest, latest - width + 1), latest + 1)
    for row in range(first, earliest):
        trend[row] = height + slope * (row - middle)
    for row in range(latest + 1, stop):
        trend[row] = last_height + last_slope * (row - last_middle)


@compiled
def line(trend: np.ndarray, begin: int, stop: int) -> tuple[float, float, float]:
    """The least-squares line through rows ``begin:stop``: height in the middle, slope, and middle row.

    Example:
        >>> line(np.array([1.0, 2.0, 3.0]), 0, 3)
        (2.0, 1.0, 1.0)
    """
    middle, height = (begin + stop - 1) / 2, 0.0
    for row in range(begin, stop):
        height += trend[row]
    height /= stop - begin
    power, product = 0.0, 0.0
    for row in range(begin, stop):
        power += (row - middle) ** 2
        product += (row - middle) * (trend[row] - height)
    return height, product / power if power > 0.0 else 0.0, middle


@compiled
def lines_before(
    trend: np.ndarray, offsets: np.ndarray, span: int, level: np.ndarray, rise: np.ndarray
) -> None:  # fmt: skip
    """The line through the ``span`` rows that end half a span before each row: its level there, and its rise per span.

    Args:
        trend: (R,)
        offsets: (N + 1,) first rows.
        span: rows of a line, 2 or more.
        level: (R,) output; unchanged where a series has no such rows.
        rise: (R,) output.

    Example:
        >>> level, rise = np.zeros(6), np.zeros(6)
        >>> lines_before(np.arange(10.0, 16.0), np.array([0, 6]), 2, level, rise)
        >>> level, rise
        (array([ 0.,  0., 12., 13., 14., 15.]), array([0., 0., 2., 2., 2., 2.]))
    """
    power = span * (span * span - 1.0) / 12
    for i in range(len(offsets) - 1):
        first, stop = offsets[i], offsets[i + 1]
        total, moment = 0.0, 0.0
        for row in range(first + span + span // 2 - 1, stop):
            begin = row - span // 2 - span + 1
            base = trend[first]
            if (begin - first) % span == 0:
                total, moment = 0.0, 0.0
                for k in range(span):
                    total += trend[begin + k] - base
                    moment += (k - (span - 1) / 2) * (trend[begin + k] - base)
            else:
                gone, new = trend[begin - 1] - base, trend[begin + span - 1] - base
                moment += (span - 1) / 2 * new + (span + 1) / 2 * gone - total
                total += new - gone
            slope = moment / power
            level[row] = base + total / span + slope * (row - begin - (span - 1) / 2)
            rise[row] = slope * span
