"""Draws of what follows a history: of the best model, with the uncertainty of its coefficients and of its orders."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.arima.forecast import constant_column, expanded, filtered, outlook
from tsformers.forecasters.local.draws import normals

FEWEST_SHOCKS = 1e-16  # variance of shocks, of data of variance 1, by which an error of observation is divided at least
SLOPE = 1e-4  # step of differences

Moments = tuple[np.ndarray, np.ndarray]  # means (H,) and covariance (H, H)


class Member(NamedTuple):
    """A fitted model of a series of variance 1."""

    sizes: tuple[int, int, int, int]  # p, q, P, Q
    constant: bool
    free: np.ndarray  # (k,) numbers whose tanh are partial autocorrelations
    free_covariance: np.ndarray  # (k, k)
    regression: np.ndarray  # (K,) coefficients of the regressors, the constant last
    uncertainty: np.ndarray  # (K, K) their covariance over the variance of shocks
    variance: float  # of the shocks
    weight: float  # of the model among all, by its AICc


class History(NamedTuple):
    """What is known when a forecast is made, in the units of the fit."""

    y: np.ndarray  # (T,) NaN = missing
    x: np.ndarray  # (K', T + H) regressors, without the constant
    d: int
    seasonal_d: int
    season: int


def moments(member: Member, history: History) -> Moments:
    """Means and covariance of what follows a history, by one model.

    The covariance holds the shocks to come, the state at the end, and, to first order, the errors of all coefficients.

    Args:
        member: the model.
        history: T rows, and regressors of H more.

    Returns:
        (H,) and (H, H).

    Raises:
        ValueError: the history is too short for the differences.

    Example:
        >>> none = np.zeros((0, 0))
        >>> walk = Member((0, 0, 0, 0), False, np.zeros(0), none, np.zeros(0), none, 2.0, 1.0)
        >>> [part.tolist() for part in moments(walk, History(np.array([1.0, 3.0]), np.zeros((0, 4)), 1, 0, 1))]
        [[3.0, 3.0], [[2.0, 2.0], [2.0, 4.0]]]
    """
    rows, (d, seasonal_d, season) = len(history.y), history[2:]
    constant = constant_column(history.x.shape[1], d, seasonal_d, season)
    known = np.vstack([history.x, constant]) if member.constant else history.x
    variance = max(member.variance, FEWEST_SHOCKS)
    y, noise = places_filled(history.y, season if seasonal_d else 1, variance)
    columns = np.vstack([y, np.nan_to_num(known[:, :rows])])

    def after(free: np.ndarray) -> Moments:
        model = expanded(free, member.sizes, d, seasonal_d, season)
        return outlook(model, filtered(model, columns, noise), member.regression, member.uncertainty, known[:, rows:])

    means, spread = after(member.free)
    slopes = first_slopes(lambda free: after(free)[0], member.free)
    shocks = variance if noise.any() else member.variance
    return means, spread * shocks + slopes.T @ member.free_covariance @ slopes


def first_slopes(function: Callable[[np.ndarray], np.ndarray], free: np.ndarray) -> np.ndarray:
    """Derivatives (k, H) of a function (H,) of k numbers, by forward differences.

    Example:
        >>> first_slopes(lambda free: 3 * free[:1] + free[1:], np.zeros(2)).round(6).tolist()
        [[3.0], [1.0]]
    """
    at = function(free)
    slopes = [(function(free + step) - at) / SLOPE for step in SLOPE * np.eye(len(free))]
    return np.array(slopes).reshape(len(free), len(at))


def combined(members: list[Member], history: History) -> Moments:
    """Means of the first model, and the weighted covariance of all around these means.

    Example:
        >>> none = np.zeros((0, 0))
        >>> walks = [Member((0, 0, 0, 0), False, np.zeros(0), none, np.zeros(0), none, v, 0.5) for v in (1.0, 3.0)]
        >>> combined(walks, History(np.array([1.0, 3.0]), np.zeros((0, 3)), 1, 0, 1))[1].tolist()
        [[2.0]]

    Source: Buckland, Burnham & Augustin (1997), Model selection: an integral part of inference.
    """
    means, spread = moments(members[0], history)
    spread = spread * members[0].weight
    for member in members[1:]:
        other, covariance = moments(member, history)
        spread = spread + member.weight * (covariance + np.outer(other - means, other - means))
    return means, spread


def drawn(means: np.ndarray, spread: np.ndarray, freedom: int, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Antithetic draws (S, H) from Student's t distribution around ``means``.

    Args:
        means: (H,).
        spread: (H, H) covariance of the normal distribution that it would be, were the variance of shocks known.
        freedom: degrees of freedom of the estimate of this variance.
        n_samples: S.
        rng: generator.

    Returns:
        Draws; rows i and ``i + S // 2`` mirror each other.

    Example:
        >>> drawn(np.ones(1), np.zeros((1, 1)), 9, 2, np.random.default_rng(0)).tolist()
        [[1.0], [1.0]]
    """
    pairs, scale = n_samples // 2, np.sqrt(spread[0, 0])
    root = np.linalg.cholesky(spread / scale**2) * scale if scale > 0 else np.zeros_like(spread)
    factors = np.sqrt(freedom / rng.chisquare(freedom, n_samples - pairs))
    factors = np.concatenate([factors[:pairs], factors[:pairs], factors[pairs:]])[:, None]
    return means + normals(rng, n_samples, len(means)) @ root.T * factors


def places_filled(y: np.ndarray, season: int, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """``y`` (T,) with one uncertain value for each place of the season that was never observed.

    It stands in the last row of the place, with the mean and the variance of the last values of the other places.

    Args:
        y: NaN = missing.
        season: m.
        variance: of the shocks.

    Returns:
        The longer evidence, and the variances of its errors over that of shocks: 0 where a value was observed.

    Example:
        >>> y, noise = places_filled(np.array([1.0, 2.0, np.nan, 1.0, 2.0, np.nan]), 3, 0.5)
        >>> y.tolist(), noise.tolist()
        ([1.0, 2.0, nan, 1.0, 2.0, 1.5], [0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    """
    noise, places = np.zeros(len(y)), np.arange(len(y)) % season
    parts = [y[places == place] for place in range(season)]
    seen = [part[np.isfinite(part)][-1] for part in parts if np.isfinite(part).any()]
    if len(seen) == season or len(seen) < 2:
        return y, noise
    y = y.copy()
    for place, part in enumerate(parts):
        if not np.isfinite(part).any():
            row = np.flatnonzero(places == place)[-1]
            y[row] = np.mean(seen)
            noise[row] = np.var(seen, ddof=1) / max(variance, FEWEST_SHOCKS)
    return y, noise
