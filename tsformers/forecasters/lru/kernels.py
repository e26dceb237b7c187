"""Compiled kernels of a stream; importing this module loads numba, which takes most of a second.

A lane is one channel of one series. What a lane remembers: the unit it is measured in, its last value, and its last p
values without gaps in a ring, of which ``place`` is the oldest.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
FIXED, STANDARD, MEAN_ABS, ROBUST = 0, 1, 2, 3
OUTLIER, LEAST_STEP = 10.0, 0.01  # those of the network's ``signals``
ROBUST_LIMIT = 3.0  # deviations: a value further away moves the units as if it were there
compiled = compiled_nogil("contract", "reassoc", "nsz")  # sums may be taken in any order


@compiled
@no_type_check
def observe(
    values: Array,
    lanes: Array,
    frozen: Array,
    rule: int,
    memory: float,
    units: Array,
    count: Array,
    last: Array,
    place: Array,
    ring: Array,
    told: Array,
) -> None:
    """Takes in ``values`` (L, M), NaN = missing, of the lanes (M,), and writes what the network is told of them.

    ``units`` (N, 4) are location, scale, what the scale is made of, and the least scale. They move from step
    ``frozen`` (M,) on, with weight ``1 / min(values seen, memory)`` of each value. ``told`` (M, L, 4) are the network's
    ``signals`` in units of the lane as they are after the step.
    """
    size = ring.shape[1]
    for j in range(lanes.shape[0]):
        i = lanes[j]
        for t in range(values.shape[0]):
            y = values[t, j]
            seen = y == y  # not so of NaN
            change = 0.0
            if seen:
                if count[i] == 0:
                    last[i] = y
                    for k in range(size):
                        ring[i, k] = y
                count[i] += 1
                change = y - last[i]
                last[i] = y
                if rule != 0 and t >= frozen[j]:
                    gain = 1.0 / min(float(count[i]), memory)
                    if rule == 2:
                        units[i, 2] += gain * (abs(y) - units[i, 2])
                        units[i, 1] = max(units[i, 2], units[i, 3])
                    else:
                        error = y - units[i, 0]
                        if rule == 3:
                            limit = ROBUST_LIMIT * units[i, 1]
                            error = min(max(error, -limit), limit)
                        units[i, 0] += gain * error
                        units[i, 2] = (1.0 - gain) * (units[i, 2] + gain * error * error)
                        units[i, 1] = max(np.sqrt(units[i, 2]), units[i, 3])
            if count[i] > 0:
                ring[i, place[i]] = last[i]
                place[i] += 1
                if place[i] == size:
                    place[i] = 0
            value = (last[i] - units[i, 0]) / units[i, 1] if count[i] > 0 else 0.0
            change /= units[i, 1]
            told[j, t, 0] = value / np.sqrt(1.0 + (value / OUTLIER) ** 2)
            told[j, t, 1] = change / np.sqrt(1.0 + (change / OUTLIER) ** 2)
            told[j, t, 2] = 0.5 * np.log(abs(change) + LEAST_STEP)
            told[j, t, 3] = 1.0 if seen else 0.0


@compiled
@no_type_check
def look_ahead(
    lanes: Array, kernel: Array, units: Array, count: Array, last: Array, place: Array, ring: Array, ahead: Array
) -> None:
    """The last value and what the linear map adds, in units of the lane: 0 before there is a value."""
    size = ring.shape[1]
    for j in range(lanes.shape[0]):
        i = lanes[j]
        total = 0.0
        if count[i] > 0:
            oldest = place[i]
            base = last[i]
            for k in range(size - oldest):
                total += kernel[k] * (ring[i, oldest + k] - base)
            for k in range(oldest):
                total += kernel[size - oldest + k] * (ring[i, k] - base)
            total += base - units[i, 0]
        ahead[j] = total / units[i, 1]


@compiled
@no_type_check
def quantiles(raw: Array, middle: int, ahead: Array, location: Array, spread: Array, values: Array) -> None:
    """What a ``QuantileHead`` makes of its raw numbers (M, Q), around ``ahead`` (M,), in the caller's units (M, Q)."""
    for j in range(raw.shape[0]):
        centre = float(raw[j, 0]) + ahead[j]
        total = centre
        for q in range(middle, raw.shape[1]):
            if q > middle:
                x = float(raw[j, q])
                total += x if x > 20.0 else np.log1p(np.exp(x))
            values[j, q] = total * spread[j] + location[j]
        total = centre
        for q in range(middle - 1, -1, -1):
            x = float(raw[j, q + 1])
            total -= x if x > 20.0 else np.log1p(np.exp(x))
            values[j, q] = total * spread[j] + location[j]
