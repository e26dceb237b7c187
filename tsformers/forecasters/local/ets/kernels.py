"""Exponential smoothing of one series in one pass: errors, likelihood terms and their exact derivatives.

A parameter vector has fixed slots: ``alpha``, ``beta / alpha``, ``gamma / (1 - alpha)``, ``phi``, the level and slope
before the first row, and the seasonal terms of all places but the last one that occurs, which follows from their mean.
In these slots the usual region of the weights is a box.
"""

from typing import NamedTuple

import numpy as np

from tsformers.jit import compiled_nogil

ALPHA, BETA, GAMMA, PHI, LEVEL, SLOPE, SEASON = range(7)  # slots; SEASON is the first of the seasonal terms
N_WEIGHTS = 4  # slots of weights, which come first
LEAST = 1e-8  # forecasts and levels of models with relative errors stay above this share of the data's size
STEP = 1e-6  # of the numerical derivatives of gains
INSIDE = 1e-6  # by which roots may leave the unit circle


class Model(NamedTuple):
    """A model of the family, its free slots and their box."""

    m: int  # rows of one season, 1 = none
    relative: bool  # errors are relative
    multiplies: bool  # the season multiplies
    places: np.ndarray  # (q,) places of the season that occur
    columns: np.ndarray  # (p,) slots that are free, weights first
    low: np.ndarray  # (d,) bounds of the slots
    high: np.ndarray  # (d,)


class Gains(NamedTuple):
    """How errors move the states, in units of the innovation variance; G rows, 1 where nothing is missing."""

    gains: np.ndarray  # (G, 3) of level, slope and season
    spread: np.ndarray  # (G,) innovation variances v
    d_gains: np.ndarray  # (G, 4, 3) derivatives by the slots of the weights, where these are free
    d_spread: np.ndarray  # (G, 4)
    after: np.ndarray  # (3 + m,) var(level), cov, var(slope) and variances of the seasonal places after the last row


class Smoothed(NamedTuple):
    """Sums over the errors u of a series, and the states after it; derivatives are by the free slots."""

    total: float  # of u**2; inf where a value or forecast of a model with relative errors is not positive
    logs: float  # of log(mu sqrt(v)), with mu = 1 for absolute errors
    n: int  # errors
    squares: np.ndarray  # (p, p) of du du', lower triangle
    products: np.ndarray  # (p,) of u du
    d_logs: np.ndarray  # (p,) derivative of ``logs``
    states: np.ndarray  # (2 + m,) level, slope and seasonal terms
    d_states: np.ndarray  # (2 + m, p)


@compiled_nogil("contract")
def natural_weights(x: np.ndarray) -> tuple[float, float, float, float]:
    """Slots (4+,) -> alpha, beta, gamma, phi."""
    return x[ALPHA], x[ALPHA] * x[BETA], (1.0 - x[ALPHA]) * x[GAMMA], x[PHI]


@compiled_nogil("contract")
def fill_gains(
    y: np.ndarray, m: int, x: np.ndarray, before: np.ndarray, gains: np.ndarray, spread: np.ndarray, after: np.ndarray
) -> None:
    """Kalman gains where rows are missing.

    With P the covariance of level and slope (exact) and q the variance of each seasonal place (its covariances are left
    out): a missing row gives P <- F P F' + g g', an observed one has variance v = 1 + w' P w + q, gain
    K = (F P w + g) / v and P <- F P F' + g g' - v K K'. Without gaps P = 0, v = 1 and K = g.

    Args:
        y: (n,), NaN = missing.
        m: rows of one season.
        x: (4+,) slots.
        before: (3 + m,) variances before the first row, as ``Gains.after``.
        gains: (n, 3) filled.
        spread: (n,) filled.
        after: (3 + m,) filled.
    """
    alpha, beta, gamma, phi = natural_weights(x)
    for k in range(3 + m):
        after[k] = before[k]
    for t in range(len(y)):
        j = 3 + t % m
        p11, p12, p22, q = after[0], after[1], after[2], after[j]
        cross = phi * p12 + phi * phi * p22  # cov(phi b, l + phi b)
        level = p11 + phi * p12 + cross  # var(l + phi b)
        p11, p12, p22 = level + alpha * alpha, cross + alpha * beta, phi * phi * p22 + beta * beta
        v = 1.0 + level + q
        k_level, k_slope, k_season = (level + alpha) / v, (cross + beta) / v, (q + gamma) / v
        gains[t, 0], gains[t, 1], gains[t, 2], spread[t] = k_level, k_slope, k_season, v
        q = q + gamma * gamma
        if not np.isnan(y[t]):
            p11, p12, p22 = p11 - v * k_level * k_level, p12 - v * k_level * k_slope, p22 - v * k_slope * k_slope
            q = max(q - v * k_season * k_season, 0.0)
        after[0], after[1], after[2], after[j] = max(p11, 0.0), p12, max(p22, 0.0), q


@compiled_nogil("contract")
def gains_of(y: np.ndarray, model: Model, x: np.ndarray, before: np.ndarray, gaps: bool) -> Gains:
    """Gains and their derivatives, numerical ones with gaps.

    Args:
        y: (n,), NaN = missing.
        model: the model.
        x: slots.
        before: (3 + m,) variances before the first row.
        gaps: whether rows are missing or ``before`` is not 0.

    Returns:
        The gains.
    """
    rows = len(y) if gaps else 1
    gains, spread, after = np.empty((rows, 3)), np.ones(rows), np.zeros(3 + model.m)
    d_gains, d_spread = np.zeros((rows, N_WEIGHTS, 3)), np.zeros((rows, N_WEIGHTS))
    if not gaps:
        gains[0, 0], gains[0, 1], gains[0, 2], _ = natural_weights(x)
        d_gains[0, ALPHA, 0], d_gains[0, ALPHA, 1], d_gains[0, ALPHA, 2] = 1.0, x[BETA], -x[GAMMA]
        d_gains[0, BETA, 1], d_gains[0, GAMMA, 2] = x[ALPHA], 1.0 - x[ALPHA]
        return Gains(gains, spread, d_gains, d_spread, after)
    fill_gains(y, model.m, x, before, gains, spread, after)
    moved, gains_moved, spread_moved, unused = (
        np.empty(len(x)),
        np.empty((rows, 3)),
        np.empty(rows),
        np.empty(len(after)),
    )
    for k in range(len(x)):
        moved[k] = x[k]
    for c in range(len(model.columns)):
        slot = model.columns[c]
        if slot >= N_WEIGHTS:
            break
        step = STEP if x[slot] + STEP <= model.high[slot] else -STEP
        moved[slot] = x[slot] + step
        fill_gains(y, model.m, moved, before, gains_moved, spread_moved, unused)
        moved[slot] = x[slot]
        for t in range(rows):
            d_spread[t, slot] = (spread_moved[t] - spread[t]) / step
            for k in range(3):
                d_gains[t, slot, k] = (gains_moved[t, k] - gains[t, k]) / step
    return Gains(gains, spread, d_gains, d_spread, after)


@compiled_nogil("contract")
def initial_states(model: Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States (2 + m,) before the first row, and their derivatives (2 + m, p) by the free slots.

    The seasonal terms of the places that occur have mean 0, or 1 where the season multiplies; the other places have
    that value.
    """
    neutral, last = (1.0 if model.multiplies else 0.0), len(model.places) - 1
    states, d = np.full(2 + model.m, neutral), np.zeros((2 + model.m, len(model.columns)))
    states[0], states[1] = x[LEVEL], x[SLOPE]
    if last > 0:
        rest = neutral * (last + 1)
        for k in range(last):
            states[2 + model.places[k]] = x[SEASON + k]
            rest -= x[SEASON + k]
        states[2 + model.places[last]] = rest
    for c in range(len(model.columns)):
        slot = model.columns[c]
        if slot >= SEASON:
            d[2 + model.places[slot - SEASON], c] = 1.0
            d[2 + model.places[last], c] = -1.0
        elif slot >= LEVEL:
            d[slot - LEVEL, c] = 1.0
    return states, d


@compiled_nogil("contract")
def advance(states: np.ndarray, d: np.ndarray, phi: float, damping: int) -> None:
    """Step to the next row: l + phi b, phi b and their derivatives ``d``; column ``damping`` is phi's (-1: none)."""
    for c in range(d.shape[1]):
        d[1, c] *= phi
    if damping >= 0:
        d[1, damping] += states[1]
    for c in range(d.shape[1]):
        d[0, c] += d[1, c]
    states[1] *= phi
    states[0] += states[1]


@compiled_nogil("contract")
def linear_terms(
    y: float, line: float, s: float, multiplies: bool
) -> tuple[float, float, float, float, float, float, float]:
    """mu, the corrections r of level and slope and r' of the season, and derivatives at a row.

    Returns:
        mu; its derivatives by the line l' and by s; r; its derivative by s (that by l' is -1); r'; its derivative by l'
        (that by s is -1).
    """
    if multiplies:
        return line * s, s, line, y / s - line, -y / (s * s), y / line - s, -y / (line * line)
    return line + s, 1.0, 1.0, y - line - s, -1.0, y - line - s, -1.0


@compiled_nogil("contract")
def add_products(u: float, du: np.ndarray, squares: np.ndarray, products: np.ndarray) -> None:
    """Add u du to ``products`` and du du' to the lower triangle of ``squares``."""
    for i in range(len(du)):
        w = du[i]
        products[i] += w * u
        for k in range(i + 1):
            squares[i, k] += w * du[k]


@compiled_nogil("contract")
def weight_columns(columns: np.ndarray) -> tuple[int, int]:
    """How many of the free slots are weights, and which column is that of phi (-1: none)."""
    n_weights, damping = 0, -1
    for c in range(len(columns)):
        if columns[c] < N_WEIGHTS:
            n_weights += 1
        if columns[c] == PHI:
            damping = c
    return n_weights, damping


@compiled_nogil("contract")
def smooth(y: np.ndarray, model: Model, x: np.ndarray, by: Gains) -> Smoothed:
    """Smooth a series; sums of its standardised errors and of their derivatives.

    ``mu = l' + s`` or ``l' s`` with ``l' = l + phi b``; ``e = y - mu``, or ``y / mu - 1`` where errors are relative;
    ``l <- l' + K1 r``, ``b <- phi b + K2 r``, ``s <- s + K3 r'`` with r = y / s - l', r' = y / l' - s for a season that
    multiplies, else r = r' = y - mu. ``u = e / sqrt(v)``; a missing row has no error.

    Args:
        y: (n,), NaN = missing.
        model: the model; without free slots the series is only smoothed.
        x: slots.
        by: gains.

    Returns:
        The sums, and the states after the last row.
    """
    p, stride = len(model.columns), (1 if len(by.spread) > 1 else 0)
    n_weights, damping = weight_columns(model.columns)
    states, d = initial_states(model, x)
    squares, products, d_logs, du = np.zeros((p, p)), np.zeros(p), np.zeros(p), np.empty(p)
    total, logs, count = 0.0, 0.0, 0
    for t in range(len(y)):
        j, row = 2 + t % model.m, t * stride
        advance(states, d, x[PHI], damping)
        if np.isnan(y[t]):
            continue
        line, s, root = states[0], states[j], np.sqrt(by.spread[row])
        mu, mu_by_line, mu_by_s, r, r_by_s, r_season, r_season_by_line = linear_terms(y[t], line, s, model.multiplies)
        u, u_by_mu, log_by_mu = (y[t] - mu) / root, -1.0 / root, 0.0
        if model.relative:
            if not (mu > LEAST and y[t] > 0.0 and (line > LEAST or not model.multiplies)):
                total = np.inf
                break
            u, u_by_mu, log_by_mu = u / mu, u_by_mu * y[t] / (mu * mu), 1.0 / mu
            logs += np.log(mu)
        logs += np.log(root)
        total += u * u
        count += 1
        k_level, k_slope, k_season = by.gains[row, 0], by.gains[row, 1], by.gains[row, 2]
        for c in range(p):
            by_line, by_s = d[0, c], d[j, c]
            d_mu, d_r = mu_by_line * by_line + mu_by_s * by_s, r_by_s * by_s - by_line
            d[0, c] = by_line + k_level * d_r
            d[1, c] += k_slope * d_r
            d[j, c] = by_s + k_season * (r_season_by_line * by_line - by_s)
            du[c] = u_by_mu * d_mu
            d_logs[c] += log_by_mu * d_mu
        for c in range(n_weights):
            slot = model.columns[c]
            change = 0.5 * by.d_spread[row, slot] / by.spread[row]
            du[c] -= u * change
            d_logs[c] += change
            d[0, c] += by.d_gains[row, slot, 0] * r
            d[1, c] += by.d_gains[row, slot, 1] * r
            d[j, c] += by.d_gains[row, slot, 2] * r_season
        add_products(u, du, squares, products)
        states[0] += k_level * r
        states[1] += k_slope * r
        states[j] += k_season * r_season
    return Smoothed(total, logs, count, squares, products, d_logs, states, d)


@compiled_nogil("contract")
def admissible(x: np.ndarray, m: int) -> bool:
    """Whether old errors do not grow: the roots of a trend with a season lie in the unit circle.

    The characteristic polynomial of F - g w' without its root 1 is z**(m+1) + (a + pb - p) z**m + (a + pb - pa)
    (z**(m-1) + ... + z**2) + (a + pb - pa + g - 1) z + p (1 - a - g); it is reduced by Schur's recursion.
    """
    alpha, beta, gamma, phi = natural_weights(x)
    if beta <= 0.0:  # a constant slope always is, with roots on the circle
        return True
    beta *= phi
    same = alpha + beta - alpha * phi
    rest, other = np.full(m + 2, same), np.empty(m + 2)
    rest[0], rest[1], rest[m], rest[m + 1] = phi * (1 - alpha - gamma), same + gamma - 1.0, alpha + beta - phi, 1.0
    growth = 1.0
    for i in range(m + 2):  # roots divided by 1 + INSIDE
        rest[i] *= growth
        growth *= 1.0 + INSIDE
    for degree in range(m + 1, 0, -1):
        k = rest[0] / rest[degree]
        if not abs(k) < 1.0:
            return False
        for i in range(degree):
            other[i] = rest[i + 1] - k * rest[degree - 1 - i]
        rest, other = other, rest
    return True
