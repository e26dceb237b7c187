"""Tails of laws and ranks among earlier errors: compiled, a row of the stream a turn."""

import math

import numpy as np

from tsformers.jit import compiled

TWO_SIDED, UPPER, LOWER = 0, 1, 2
LOG_2 = math.log(2.0)
PRIOR_SHAPE, PRIOR_WEIGHT = 0.1, 10.0  # what the shape of a tail is drawn to, and by how many exceedances
LEAST_SHAPE, MOST_SHAPE = 0.0, 0.5
WIDTH = 1e-9  # of a tail, at least, as a share of the greatest value: rounding is no anomaly
SHARE = 0.8  # of the latest rows strange: the level has shifted


@compiled
def spread_ties(rows: np.ndarray, levels: np.ndarray) -> None:
    """Spread equal whole numbers x evenly over (x - 1/2, x + 1/2), in place: a count as a continuous value."""
    last = levels.size - 1
    for m in range(rows.shape[0]):
        row = rows[m]
        begin = 0
        while begin <= last:
            end = begin
            while end < last and row[end + 1] == row[begin]:
                end += 1
            if end > begin:
                x = row[begin]
                low = max(levels[0] - (levels[1] - levels[0]) / 2, 0.0)
                high = min(levels[last] + (levels[last] - levels[last - 1]) / 2, 1.0)
                if begin > 0:
                    low = (levels[begin - 1] + levels[begin]) / 2
                if end < last:
                    high = (levels[end] + levels[end + 1]) / 2
                for k in range(begin, end + 1):
                    row[k] = x - 0.5 + (levels[k] - low) / (high - low)
            begin = end + 1
        for k in range(1, last + 1):  # values that are no whole numbers may have been overtaken
            row[k] = max(row[k], row[k - 1])


@compiled
def log_tails(
    y: np.ndarray,
    rows: np.ndarray,
    mirrored: np.ndarray,
    levels: np.ndarray,
    edges: np.ndarray,
    exceedances: int,
    shape: float,
    found: np.ndarray,
) -> None:
    """Logarithms of P(X >= y) into ``found[0]`` and of P(X <= y) into ``found[1]``; ``mirrored`` is ``-rows[:, ::-1]``.

    The outermost ``exceedances`` draws say what the tail beyond the last one looks like, a generalised Pareto law; 0:
    the rows are quantiles, and the last two say it. ``edges`` holds, for the upper and the lower tail, the logarithm of
    what lies beyond the last value and, of quantiles, what turns the distance of the last two into the tail's scale.
    ``shape`` is NaN where it is to be fitted.
    """
    for m in range(y.size):
        row, back = rows[m], mirrored[m]
        if y[m] != y[m] or row[0] != row[0] or row[-1] != row[-1]:
            found[0, m] = found[1, m] = math.nan
            continue
        near = WIDTH * max(abs(row[0]), abs(row[-1]))
        if y[m] > row[-1] + near:
            found[0, m] = _log_beyond(y[m], row, edges[0], exceedances, shape)
            found[1, m] = _log_rest(found[0, m])
        elif -y[m] > back[-1] + near:
            found[1, m] = _log_beyond(-y[m], back, edges[1], exceedances, shape)
            found[0, m] = _log_rest(found[1, m])
        else:
            low, high = _levels_at(min(max(y[m], row[0]), row[-1]), row, levels)
            found[0, m] = math.log1p(-low) if low < 1 else -math.inf
            found[1, m] = math.log(high) if high > 0 else -math.inf


@compiled
def _log_rest(log_part: float) -> float:
    """Logarithm of 1 - exp(log_part)."""
    if log_part > -LOG_2:
        rest = -math.expm1(log_part)
        return math.log(rest) if rest > 0 else -math.inf
    return math.log1p(-math.exp(log_part))


@compiled
def _levels_at(y: float, row: np.ndarray, levels: np.ndarray) -> tuple[float, float]:
    """Bounds of P(X < y) and P(X <= y): one level where the quantile function passes through y, two where it stands."""
    begin, end = _count(row, y, False), _count(row, y, True)
    if end - begin > 1:
        return levels[begin - 1] if begin > 0 else 0.0, levels[end] if end < levels.size else 1.0
    if end > begin:
        return levels[begin], levels[begin]
    share = (y - row[begin - 1]) / (row[begin] - row[begin - 1])
    level = levels[begin - 1] + (levels[begin] - levels[begin - 1]) * share
    return level, level


@compiled
def _count(row: np.ndarray, y: float, equal: bool) -> int:
    """How many values of an ascending row are below y, or at most y."""
    low, high = 0, row.size
    while low < high:
        middle = (low + high) // 2
        if row[middle] < y or (equal and row[middle] == y):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _log_beyond(y: float, row: np.ndarray, edge: np.ndarray, exceedances: int, shape: float) -> float:
    """Logarithm of P(X > y) beyond ``row[-1]``, where it is ``edge[0]``."""
    least = max(WIDTH * max(abs(row[0]), abs(row[-1])), 1e-300)
    if exceedances == 0:
        return edge[0] - _log_pareto(y - row[-1], max((row[-1] - row[-2]) * edge[1], least), shape)
    threshold = row[row.size - 1 - exceedances]
    first, second = 0.0, 0.0  # probability-weighted moments of the exceedances
    for j in range(exceedances):
        excess = (row[row.size - exceedances + j] - threshold) / exceedances
        first += excess
        second += (1 - (j + 0.65) / exceedances) * excess
    if shape != shape:
        gap = first - 2 * second
        raw = min(max(2 - first / gap, -0.5), 1.0) if gap > 0 else 1.0
        drawn = (exceedances * raw + PRIOR_WEIGHT * PRIOR_SHAPE) / (exceedances + PRIOR_WEIGHT)
        shape = min(max(drawn, LEAST_SHAPE), MOST_SHAPE)
    scale = max(first * (1 - shape), least)
    shape += 1.0 / exceedances
    return edge[0] + _log_pareto(row[-1] - threshold, scale, shape) - _log_pareto(y - threshold, scale, shape)


@compiled
def _log_pareto(excess: float, scale: float, xi: float) -> float:
    """Minus the logarithm of a generalised Pareto law's survival function."""
    ratio = excess / scale
    return ratio if xi < 1e-12 else math.log1p(xi * ratio) / xi


@compiled
def log_ranks(
    scores: np.ndarray,
    kept: np.ndarray,
    place: np.ndarray,
    offset: np.ndarray,
    series: np.ndarray,
    z: np.ndarray,
    weights: np.ndarray,
    tail: int,
    uniform: np.ndarray,
    found: np.ndarray,
) -> None:
    """Logarithms of (1 + weight of the scores above + uniform x weight of the equal ones) / (1 + weight of all).

    ``weights`` of scores 1, 2, ... rows ago; none: all weigh 1.
    """
    window = scores.shape[1]
    for m in range(z.size):
        i = series[m]
        if z[m] != z[m]:
            found[m] = math.nan
            continue
        here = _strangeness(z[m] - offset[i], tail)
        ring = scores[i, : kept[i]]
        if weights.size == 0:
            more, same = _count_from(ring, offset[i], here, tail)
            found[m] = math.log((1.0 + more + uniform[m] * same) / (1.0 + ring.size))
            continue
        above, equal, total = 1.0, 0.0, 1.0
        for k in range(ring.size):
            weight = weights[place[i] - 1 - k if k < place[i] else place[i] - 1 - k + window]
            other = _strangeness(ring[k] - offset[i], tail)
            total += weight
            above += weight * (other > here)
            equal += weight * (other == here)
        found[m] = math.log((above + uniform[m] * equal) / total)


@compiled
def _count_from(ring: np.ndarray, offset: float, here: float, tail: int) -> tuple[int, int]:
    """How many scores are stranger, and how many equally strange: one loop a tail, so that each is vectorised."""
    more, same = 0, 0
    if tail == TWO_SIDED:
        for k in range(ring.size):
            more += abs(ring[k] - offset) > here
            same += abs(ring[k] - offset) == here
    elif tail == UPPER:
        for k in range(ring.size):
            more += ring[k] - offset > here
            same += ring[k] - offset == here
    else:
        for k in range(ring.size):
            more += offset - ring[k] > here
            same += offset - ring[k] == here
    return more, same


@compiled
def _strangeness(z: float, tail: int) -> float:
    if tail == TWO_SIDED:
        return abs(z)
    return z if tail == UPPER else -z


@compiled
def push(
    scores: np.ndarray,
    kept: np.ndarray,
    place: np.ndarray,
    offset: np.ndarray,
    latest: np.ndarray,
    strange: np.ndarray,
    rows: np.ndarray,
    shifts: np.ndarray,
    series: np.ndarray,
    z: np.ndarray,
    normal: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Take up scores in order: normal ones become calibration; where most of the latest were not, these begin anew."""
    window, recent = scores.shape[1], latest.shape[1]
    for m in range(z.size):
        i = series[m]
        if z[m] != z[m]:
            continue
        if normal[m]:
            scores[i, place[i]] = z[m]
            place[i] = (place[i] + 1) % window
            kept[i] = min(kept[i] + 1, window)
        if recent > 0:
            turn = rows[i] % recent
            latest[i, turn] = z[m]
            strange[i, turn] = not normal[m]
            full = rows[i] + 1 >= recent
            if full and not normal[m] and _count_true(strange[i]) >= SHARE * recent:
                kept[i] = 0
                for k in range(recent):
                    here = (turn + 1 + k) % recent
                    if strange[i, here]:
                        scratch[kept[i]] = scores[i, kept[i]] = latest[i, here]
                        kept[i] += 1
                        strange[i, here] = False
                place[i] = kept[i] % window
                offset[i] = _median(scratch[: kept[i]])
                shifts[i] += 1
        rows[i] += 1


@compiled
def _count_true(flags: np.ndarray) -> int:
    count = 0
    for flag in flags:
        if flag:
            count += 1
    return count


@compiled
def _median(values: np.ndarray) -> float:
    """The middle of a short array, which is sorted on the way."""
    for k in range(1, values.size):
        value, j = values[k], k
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return (values[(values.size - 1) // 2] + values[values.size // 2]) / 2
