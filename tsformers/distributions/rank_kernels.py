"""Ranks of nonconformity scores in ring buffers, and their update: compiled, row by row."""

import math

import numpy as np

from tsformers.jit import compiled

TWO_SIDED, UPPER, LOWER = 0, 1, 2
SHIFT_SHARE = 0.8  # of the latest rows with an alarm: the level has shifted


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
        here = _nonconformity(z[m] - offset[i], tail)
        ring = scores[i, : kept[i]]
        if weights.size == 0:
            more, same = _count_from(ring, offset[i], here, tail)
            found[m] = math.log((1.0 + more + uniform[m] * same) / (1.0 + ring.size))
            continue
        above, equal, total = 1.0, 0.0, 1.0
        for k in range(ring.size):
            weight = weights[place[i] - 1 - k if k < place[i] else place[i] - 1 - k + window]
            other = _nonconformity(ring[k] - offset[i], tail)
            total += weight
            above += weight * (other > here)
            equal += weight * (other == here)
        found[m] = math.log((above + uniform[m] * equal) / total)


@compiled
def _count_from(ring: np.ndarray, offset: float, here: float, tail: int) -> tuple[int, int]:
    """How many nonconformity scores are higher and how many equal: a loop for each tail, so that it is vectorised."""
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
def _nonconformity(z: float, tail: int) -> float:
    """The score of a signed error for a tail: larger is less like the others."""
    if tail == TWO_SIDED:
        return abs(z)
    return z if tail == UPPER else -z


@compiled
def update_scores(
    scores: np.ndarray,
    kept: np.ndarray,
    place: np.ndarray,
    offset: np.ndarray,
    latest: np.ndarray,
    alarmed: np.ndarray,
    rows: np.ndarray,
    shifts: np.ndarray,
    series: np.ndarray,
    z: np.ndarray,
    normal: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Add scores in order: ``normal`` rows enter the calibration set.

    Where most of the latest rows had an alarm, their scores become the new calibration set, centred at their median.
    """
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
            alarmed[i, turn] = not normal[m]
            full = rows[i] + 1 >= recent
            if full and not normal[m] and _count_true(alarmed[i]) >= SHIFT_SHARE * recent:
                kept[i] = 0
                for k in range(recent):
                    here = (turn + 1 + k) % recent
                    if alarmed[i, here]:
                        scratch[kept[i]] = scores[i, kept[i]] = latest[i, here]
                        kept[i] += 1
                        alarmed[i, here] = False
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
