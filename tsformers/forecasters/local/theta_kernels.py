"""Theta models of one series and of many as compiled recursions that skip missing rows.

Notation of Fiorucci et al. (2016), rows t = 0, 1, ... where the paper counts 1, 2, ...: level l, weight a, q = 1 - a,
w = 1 - 1 / theta. The straight line A + B (t + 1) is the least-squares line of the rows up to t.
"""

from typing import NamedTuple

import numpy as np

from tsformers.jit import compiled_nogil

ALPHAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)  # grid of dynamic_grid
GOLDEN = 0.6180339887498949
SHARPENINGS = 40  # golden sections of a bracket of 0.1: 4e-10
TIE = 1e-12  # of the sum of squared values: by less no side is better than an earlier one, so rounding does not choose
STARTS = 2.0  # the initial level of the dynamic model stays within so many ranges of the first value


class Line(NamedTuple):
    """Sums of the least-squares line of the rows so far; times count from 1."""

    n: float  # rows
    time: float  # mean time
    mean: float  # mean value
    spread: float  # sum of squared deviations of the times
    product: float  # sum of products of the deviations


class Filtered(NamedTuple):
    """A Theta model at the end of a history, the first value as its origin."""

    level: float
    gap: float  # variance of the level that missing rows have left, in units of sigma**2
    squares: float  # sum of squared one-step errors, each by its variance in units of sigma**2
    logs: float  # sum of the logarithms of these variances
    n_errors: int
    line: Line


@compiled_nogil()
def observed_line(y: np.ndarray, first: float) -> tuple[float, float, int]:
    """Slope of the least-squares line of the values of ``y`` (T,) that are not NaN, their range and their count."""
    count, time, mean, spread, product = 0.0, 0.0, 0.0, 0.0, 0.0
    low, high = np.inf, -np.inf
    for t in range(len(y)):
        value = y[t] - first
        if np.isnan(value):
            continue
        count += 1
        away = t + 1 - time
        time += away / count
        mean += (value - mean) / count
        spread += away * (t + 1 - time)
        product += away * (value - mean)
        low, high = min(low, value), max(high, value)
    return product / spread if spread > 0 else 0.0, high - low, int(count)


@compiled_nogil()
def smoothed(y: np.ndarray, alpha: float, drift: float) -> Filtered:
    """Smoothing with drift from ``y[0]``: l[t] = l[t-1] + d + a e[t]; a missing row adds a**2 to the gap."""
    level, gap, squares, logs, count = 0.0, 0.0, 0.0, 0.0, 0
    first, rest = y[0], (1 - alpha) ** 2
    for t in range(1, len(y)):
        level += drift
        error = y[t] - first - level
        if np.isnan(error):
            gap += alpha * alpha
            continue
        count += 1
        if gap == 0.0:
            level += alpha * error
            squares += error * error
            continue
        variance = 1 + gap
        level += (gap + alpha) / variance * error
        gap *= rest / variance
        squares += error * error / variance
        logs += np.log(variance)
    return Filtered(level, gap, squares, logs, count, Line(0.0, 0.0, 0.0, 0.0, 0.0))


@compiled_nogil()
def smoothing_weight(y: np.ndarray) -> float:
    """The weight in [0, 1] of greatest likelihood without drift: the best of a grid, then golden sections around it."""
    best, at = np.inf, 0
    for k in range(21):
        loss = smoothing_loss(y, k / 20)
        if loss < best:
            best, at = loss, k
    low, high = max(at - 1, 0) / 20, min(at + 1, 20) / 20
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = smoothing_loss(y, left), smoothing_loss(y, right)
    for _ in range(SHARPENINGS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = smoothing_loss(y, left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = smoothing_loss(y, right)
    return (left if at_left <= at_right else right) if min(at_left, at_right) < best else at / 20


@compiled_nogil()
def smoothing_loss(y: np.ndarray, alpha: float) -> float:
    """``loss_of`` smoothing without drift."""
    found = smoothed(y, alpha, 0.0)
    return loss_of(found.squares, found.logs, found.n_errors)


@compiled_nogil()
def loss_of(squares: float, logs: float, count: int) -> float:
    """A falling function of the Gaussian likelihood with its best variance; in units that scale with the values."""
    return squares if logs == 0.0 else squares * np.exp(logs / count)


@compiled_nogil()
def running_lines(y: np.ndarray, intercepts: np.ndarray, slopes: np.ndarray) -> Line:
    """Intercepts A (T,) and slopes B (T,) of the least-squares lines of the rows up to each, the first value as 0."""
    count, time, mean, spread, product = 0.0, 0.0, 0.0, 0.0, 0.0
    slope, first = 0.0, y[0]
    for t in range(len(y)):
        value = y[t] - first
        if not np.isnan(value):
            count += 1
            away = t + 1 - time
            time += away / count
            mean += (value - mean) / count
            spread += away * (t + 1 - time)
            product += away * (value - mean)
            slope = product / spread if spread > 0 else 0.0
        intercepts[t], slopes[t] = mean - slope * time, slope
    return Line(count, time, mean, spread, product)


@compiled_nogil()
def dynamic_sums(
    y: np.ndarray, intercepts: np.ndarray, slopes: np.ndarray, alpha: float, sums: np.ndarray
) -> tuple[float, int]:
    """Normal equations of the initial level and of w under one weight: errors are r - p l0 - h w, linear in both.

    ``sums`` (9,) becomes rr, rp, rh, pp, ph, hh, each term by its variance, and s, p, h: the last level is
    s + p l0 + h w. Answers the logarithms and the count.
    """
    q, first = 1 - alpha, y[0]
    s, p, h = 0.0, q, 0.0  # after the first row: l = s + p l0 + h w
    power, gap, logs, count = q, 0.0, 0.0, 0  # power: q**t
    for k in range(6):
        sums[k] = 0.0
    for t in range(1, len(y)):
        after = power * q
        step = power * intercepts[t - 1] + (1 - after) / alpha * slopes[t - 1]  # what w multiplies in the mean
        power = after
        value = y[t] - first
        if np.isnan(value):
            h += alpha * step
            gap += alpha * alpha
            continue
        count += 1
        error, along = value - s, h + step
        weight, gain = 1.0, alpha
        if gap > 0.0:
            weight, gain = 1 / (1 + gap), (gap + alpha) / (1 + gap)
            logs += np.log(1 + gap)
            gap *= q * q * weight
        sums[0] += weight * error * error
        sums[1] += weight * error * p
        sums[2] += weight * error * along
        sums[3] += weight * p * p
        sums[4] += weight * p * along
        sums[5] += weight * along * along
        s += gain * error
        h += alpha * step - gain * along
        p -= gain * p
    sums[6], sums[7], sums[8] = s, p, h
    return logs, count


@compiled_nogil()
def squares_at(sums: np.ndarray, level: float, w: float) -> float:
    """Sum of squared errors at an initial level and a w."""
    rr, rp, rh, pp, ph, hh = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    return rr - 2 * level * rp - 2 * w * rh + level * level * pp + 2 * level * w * ph + w * w * hh


@compiled_nogil()
def least_squares(sums: np.ndarray, reach: float) -> tuple[float, float, float]:
    """Initial level within ``reach`` of the origin and w in [0, 1] with the least squared errors, and these."""
    rp, rh, pp, ph, hh = sums[1], sums[2], sums[3], sums[4], sums[5]
    determinant = pp * hh - ph * ph
    if determinant > 1e-12 * pp * hh:
        level, w = (rp * hh - rh * ph) / determinant, (rh * pp - rp * ph) / determinant
        if abs(level) <= reach and 0 <= w <= 1:
            return level, w, squares_at(sums, level, w)
    best, best_level, best_w = np.inf, 0.0, 0.0
    for side in range(4):  # a convex function has its least value inside, or on one of the four sides
        if side < 2:
            w = float(side)
            level = min(max((rp - w * ph) / pp, -reach), reach) if pp > 0 else 0.0
        else:
            level = reach if side == 2 else -reach
            w = min(max((rh - level * ph) / hh, 0.0), 1.0) if hh > 0 else 0.0
        found = squares_at(sums, level, w)
        if found < best - TIE * sums[0]:
            best, best_level, best_w = found, level, w
    return best_level, best_w, best


@compiled_nogil()
def dynamic_at(
    y: np.ndarray, intercepts: np.ndarray, slopes: np.ndarray, alpha: float, reach: float, sums: np.ndarray
) -> tuple[float, float, float]:
    """Loss of the dynamic model at one weight, with the best initial level and w."""
    logs, count = dynamic_sums(y, intercepts, slopes, alpha, sums)
    level, w, squares = least_squares(sums, reach)
    return loss_of(squares, logs, count), level, w


@compiled_nogil()
def dynamic_fit(y: np.ndarray, least: float, most: float) -> tuple[float, float, float]:
    """Weight in ``least`` to ``most``, initial level and w of greatest likelihood: one search, the rest closed form."""
    intercepts, slopes, sums = np.empty(len(y)), np.empty(len(y)), np.empty(9)
    running_lines(y, intercepts, slopes)
    reach = STARTS * observed_line(y, y[0])[1]
    best, best_alpha, width = np.inf, least, (most - least) / 20
    for k in range(21):
        loss = dynamic_at(y, intercepts, slopes, least + k * width, reach, sums)[0]
        if loss < best:
            best, best_alpha = loss, least + k * width
    low, high = max(best_alpha - width, least), min(best_alpha + width, most)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left = dynamic_at(y, intercepts, slopes, left, reach, sums)[0]
    at_right = dynamic_at(y, intercepts, slopes, right, reach, sums)[0]
    for _ in range(SHARPENINGS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = dynamic_at(y, intercepts, slopes, left, reach, sums)[0]
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = dynamic_at(y, intercepts, slopes, right, reach, sums)[0]
    if min(at_left, at_right) < best:
        best_alpha = left if at_left <= at_right else right
    _, level, w = dynamic_at(y, intercepts, slopes, best_alpha, reach, sums)
    return best_alpha, level, w


@compiled_nogil()
def dynamic_filter(y: np.ndarray, alpha: float, level: float, w: float) -> Filtered:
    """The dynamic model at the end of ``y`` (T,), from an initial level (the first value is 0)."""
    intercepts, slopes = np.empty(len(y)), np.empty(len(y))
    line = running_lines(y, intercepts, slopes)
    q, first = 1 - alpha, y[0]
    level *= q
    power, gap, squares, logs, count = q, 0.0, 0.0, 0.0, 0
    for t in range(1, len(y)):
        after = power * q
        drift = w * (power * intercepts[t - 1] + (1 - after) / alpha * slopes[t - 1])
        power = after
        error = y[t] - first - level - drift
        level += alpha * drift
        if np.isnan(error):
            gap += alpha * alpha
            continue
        count += 1
        variance = 1 + gap
        level += (gap + alpha) / variance * error
        gap *= q * q / variance
        squares += error * error / variance
        logs += np.log(variance)
    return Filtered(level, gap, squares, logs, count, line)


@compiled_nogil()
def initial_level(y: np.ndarray, alpha: float, w: float) -> float:
    """The initial level (the first value is 0) of greatest likelihood of a history, under a weight and w that stay."""
    intercepts, slopes, sums = np.empty(len(y)), np.empty(len(y)), np.empty(9)
    running_lines(y, intercepts, slopes)
    dynamic_sums(y, intercepts, slopes, alpha, sums)
    reach = STARTS * observed_line(y, y[0])[1]
    return min(max((sums[1] - w * sums[4]) / sums[3], -reach), reach) if sums[3] > 0 else 0.0


@compiled_nogil()
def dynamic_paths(
    rows: int, end: Filtered, alpha: float, w: float, level_errors: np.ndarray, errors: np.ndarray
) -> np.ndarray:
    """What follows ``rows`` rows (S, H), the first value as 0: each path is taken into its own level and line.

    y = l + w (q**t A + (1 - q**(t+1)) / a B) + e,  l' = a y + q l,  A, B = least-squares line with y.
    """
    n, horizon = errors.shape
    q, paths = 1 - alpha, np.empty((n, horizon))
    count, time, spread = end.line.n, end.line.time, end.line.spread
    level, mean, product = np.empty(n), np.empty(n), np.empty(n)
    for k in range(n):
        level[k], mean[k], product[k] = end.level + level_errors[k], end.line.mean, end.line.product
    for h in range(horizon):
        t = rows + h
        power = q**t
        fixed, rising = w * power, w * (1 - power * q) / alpha
        share = 1 / spread if spread > 0 else 0.0
        slope_weight = share * (rising - fixed * time)
        away = t + 1 - time
        time += away / (count + 1)
        for k in range(n):
            value = level[k] + fixed * mean[k] + slope_weight * product[k] + errors[k, h]
            level[k] = alpha * value + q * level[k]
            mean[k] += (value - mean[k]) / (count + 1)
            product[k] += away * (value - mean[k])
            paths[k, h] = value
        spread += away * (t + 1 - time)
        count += 1
    return paths


@compiled_nogil()
def _grid(y: np.ndarray, offsets: np.ndarray, alphas: np.ndarray, forecasts: np.ndarray, fitted: np.ndarray) -> None:
    horizon, longest = forecasts.shape[1], 0
    for i in range(len(forecasts)):
        longest = max(longest, offsets[i + 1] - offsets[i])
    intercepts, slopes, sums, none = np.empty(longest), np.empty(longest), np.empty(9), np.zeros(1)
    still = np.zeros((1, horizon))
    for i in range(len(forecasts)):
        start, stop = offsets[i], offsets[i + 1]
        while start < stop and np.isnan(y[start]):
            start += 1
        if start == stop:
            continue
        one = y[start:stop]
        running_lines(one, intercepts, slopes)
        reach = STARTS * observed_line(one, one[0])[1]
        best, alpha, level, w = np.inf, alphas[-1], 0.0, 0.0
        for candidate in alphas:
            loss, one_level, one_w = dynamic_at(one, intercepts, slopes, candidate, reach, sums)
            if loss < best:
                best, alpha, level, w = loss, candidate, one_level, one_w
        end = dynamic_filter(one, alpha, level, w)
        path = dynamic_paths(len(one), end, alpha, w, none, still)
        for h in range(horizon):
            forecasts[i, h] = one[0] + path[0, h]
        fitted[i, 0], fitted[i, 1], fitted[i, 2] = alpha, w, one[0] + level
        fitted[i, 3] = np.sqrt(end.squares / max(end.n_errors - 3, 1))


def dynamic_grid(
    y: np.ndarray, offsets: np.ndarray, horizon: int, alphas: tuple[float, ...] = ALPHAS
) -> tuple[np.ndarray, np.ndarray]:
    """Point forecasts of the dynamic optimised Theta model of many series, the weight from a fixed grid.

    For each weight the best initial level and theta (1 or more) are in closed form; the weight of greatest likelihood
    is taken. Missing values are skipped. There is no season here: give seasonally adjusted values. Each series is
    computed alone, in one pass a weight: about 30 microseconds for 100 rows, memory for one series.

    Args:
        y: (R,) packed values, NaN = missing.
        offsets: (N + 1,) rows of series i are ``offsets[i]:offsets[i + 1]``.
        horizon: steps, H.
        alphas: the grid of weights, inside (0, 1].

    Returns:
        Forecasts (N, H), NaN where a series has no value; and (N, 4): weight, ``1 - 1 / theta``, initial level and
        standard deviation of the one-step errors.

    Example:
        >>> forecasts, fitted = dynamic_grid(np.array([1.0, 2.0, np.nan, 4.0, 5.0, 3.0, 3.0]), np.array([0, 5, 7]), 2)
        >>> forecasts.round(1)
        array([[5.9, 6.8],
               [3. , 3. ]])

    Source: Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), section 3.2.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    forecasts, fitted = np.full((len(offsets) - 1, horizon), np.nan), np.full((len(offsets) - 1, 4), np.nan)
    _grid(np.ascontiguousarray(y, dtype=np.float64), offsets, np.array(alphas, dtype=np.float64), forecasts, fitted)
    return forecasts, fitted
