"""Compiled kernels of a stream; importing this module loads numba, which takes most of a second.

A lane is one channel of one series. Its state: location and scale, its last value, and a ring buffer of its last p
values without gaps, whose oldest one is at ``place``.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.forecasters.lru.inputs import MIN_STEP_CHANGE, OUTLIER
from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
ROBUST_LIMIT = 3.0  # deviations: values beyond it are clipped to it where they update location and scale
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
    features: Array,
) -> None:
    """Updates the lanes (M,) by ``values`` (L, M), NaN = missing, and writes the input features of the network.

    ``units`` (N, 4) are location, scale, the statistic of the scale (variance or mean absolute value), and the smallest
    scale. They are updated from step ``frozen`` (M,) on, with weight ``1 / min(values observed, memory)`` each.
    ``features`` (M, L, 4) are those of ``inputs.channel_features``, in the units after the step.
    """
    size = ring.shape[1]
    for j in range(lanes.shape[0]):
        i = lanes[j]
        for t in range(values.shape[0]):
            y = values[t, j]
            observed = y == y  # False of NaN
            change = 0.0
            if observed:
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
            features[j, t, 0] = value / np.sqrt(1.0 + (value / OUTLIER) ** 2)
            features[j, t, 1] = change / np.sqrt(1.0 + (change / OUTLIER) ** 2)
            features[j, t, 2] = 0.5 * np.log(abs(change) + MIN_STEP_CHANGE)
            features[j, t, 3] = 1.0 if observed else 0.0


@compiled
@no_type_check
def look_ahead(
    lanes: Array, kernel: Array, units: Array, count: Array, last: Array, place: Array, ring: Array, ahead: Array
) -> None:
    """The last value plus the linear map, in units of the lane: 0 before there is a value."""
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
    """``QuantileHead`` from its raw outputs (M, Q), around ``ahead`` (M,), in the caller's units (M, Q)."""
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
