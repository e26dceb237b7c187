"""A test whether a series has a season: its spectrum at the harmonics against the frequencies around them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import fdtrc

SIZE = 0.05  # share of series without a season that count as seasonal
CURVED_FROM = 3  # cycles from which a parabola is removed, which is no season then
SHAPED_FROM = 12  # background frequencies from which the shape of the spectrum is estimated
MOST_TERMS = 4  # of the logarithm of the spectrum
BACKFITS = 2
BESIDE = 2  # neighbours of a short season's frequencies
ROUNDING = 1e-9  # of the range of a series; less than this around a curve is nothing
EPS = float(np.finfo(float).eps)


class Whitened(NamedTuple):
    """A series without its curve, as the innovations ``x[t] - rho x[t-1]``, in units of their deviation."""

    innovations: Float[np.ndarray, " T"]  # 0 where missing
    observed: Bool[np.ndarray, " T"]
    rho: float
    scale: float  # one unit, in units of y


def is_seasonal(y: Float[np.ndarray, " T"], period: float, size: float = SIZE) -> bool:
    """Whether a series has a season of ``period`` rows.

    Args:
        y: the series; NaN = missing.
        period: rows of a season.
        size: share of series without a season for which the answer is True, at most.

    Returns:
        ``seasonal_p_value(y, period) < size``.

    Example:
        >>> wave = np.tile([3.0, 0.0, -3.0, 0.0], 10)
        >>> is_seasonal(wave + np.cos(np.arange(40) ** 2), 4), is_seasonal(np.cos(np.arange(40) ** 2), 4)
        (True, False)
    """
    return seasonal_p_value(y, period) < size


def seasonal_p_value(y: Float[np.ndarray, " T"], period: float, within: float = 1) -> float:
    """P-value of the hypothesis that a series has no season of ``period`` rows.

    The periodogram of the last whole cycles is compared, at the first 1, 2, 4, ... and at all harmonics of the season,
    with the frequencies between them: an F-test each, and the least p-value times their number. A curve is removed
    first (a line below three cycles), then the autocorrelation of the rest, then the smooth shape of its spectrum. So
    random walks with or without drift, autoregressions, moving averages and trends are not seasonal: in simulations of
    these at a nominal .05 the share of seasonal ones is .01 to .08, less for steep curves. Missing rows count as no
    evidence.

    Args:
        y: the series; NaN = missing.
        period: rows of a season; it need not be whole. Fewer rows than two seasons have none.
        within: period of a shorter season that the long one is tested beyond; its harmonics are left out.

    Returns:
        From 0 to 1; 1 where there is nothing to be tested.

    Example:
        >>> waves = np.sin(np.arange(60.0) * np.pi / 6) + 0.3 * np.cos(np.arange(60) ** 2)
        >>> seasonal_p_value(waves, 12) < 1e-6, seasonal_p_value(np.arange(60.0), 12)
        (True, 1.0)

    Source: Fisher (1929), Tests of significance in harmonic analysis; the background as in Bloomfield (1973), An
        exponential model for the spectrum of a scalar time series.
    """
    cycles = int((len(y) + (period % 1 > 0)) // period)  # 1095 rows are three years of 365.24
    if period < 2 or cycles < 2:
        return 1.0
    rows = min(round(cycles * period), len(y))
    found = whitened(y[-min(len(y), rows + 1) :], period)
    if found is None:
        return 1.0
    innovations, observed = found.innovations[-rows:], found.observed[-rows:]
    power = np.abs(np.fft.rfft(innovations, rows)) ** 2
    freedom = np.full(len(power), 2.0)
    if rows % 2 == 0:
        freedom[-1] = 1.0
    harmonics = np.arange(1, int(period / 2 + 1e-9) + 1)
    at = np.round(harmonics * rows / period).astype(int)
    used = (np.arange(len(power)) > 0) & ~near_harmonics(len(power), rows, period, within)
    at = at[(at < len(power)) & used[np.minimum(at, len(power) - 1)]]
    background = used.copy()
    background[at] = False
    if not len(at) or background.sum() < 1:
        return 1.0
    shape, lost = _spectral_shape(power, background, rows)
    return _least_p(power / shape * freedom, freedom, at, background, cycles, lost, len(innovations), observed)


def whitened(y: Float[np.ndarray, " T"], period: float) -> Whitened | None:
    """Innovations of a series, as a season of ``period`` rows is estimated from them.

    Args:
        y: the series; NaN = missing.
        period: rows of a season; its mean at each place does not count as autocorrelation.

    Returns:
        The innovations; None where the series is a curve without noise or season, or has too few values.

    Example:
        >>> walk = np.cumsum(np.random.default_rng(0).normal(size=400))
        >>> round(whitened(walk, 4).rho, 2), round(whitened(np.diff(walk), 4).rho, 2)
        (0.97, 0.0)
    """
    observed = np.isfinite(y)
    count = int(observed.sum())
    terms = 3 if len(y) + 0.5 >= CURVED_FROM * period else 2
    if count <= terms + 1:
        return None
    largest = float(np.abs(y[observed] - y[observed][0]).max())
    if not largest > 0 or not np.isfinite(largest):
        return None
    x = np.where(observed, (y - y[observed][0]) / largest, 0.0)
    place = np.linspace(-1.0, 1.0, len(y))
    basis = np.stack([np.ones(len(y)), place, 1.5 * place**2 - 0.5][:terms], axis=1) * observed[:, None]
    line = np.linalg.pinv(basis)
    x, season = x - basis @ (line @ x), np.zeros(len(y))
    if np.abs(x).max() < max(ROUNDING, 10 * EPS * float(np.abs(y[observed]).max()) / largest):
        return None
    for _ in range(BACKFITS):  # of the season and of the curve that the season bent
        season += _place_means(x - season, observed, period)
        season += basis @ (line @ (x - season))
    left = x - season
    both = observed[1:] & observed[:-1]
    power = float(left[:-1][both] @ left[:-1][both])
    rho = float(np.clip(left[1:][both] @ left[:-1][both] / power, 0.0, 1.0)) if power > 1e-18 * count else 0.0
    innovations = np.where(both, x[1:] - rho * x[:-1], 0.0)
    if both.sum() < 2:
        return None
    innovations = np.r_[0.0, np.where(both, innovations - innovations[both].mean(), 0.0)]
    scale = float(np.sqrt(innovations @ innovations / both.sum()))
    if not scale > 0:
        return None
    return Whitened(innovations / scale, np.r_[False, both], rho, scale * largest)


def near_harmonics(size: int, rows: int, period: float, within: float) -> Bool[np.ndarray, " size"]:
    """Frequencies that a shorter season explains: its harmonics, with their neighbours where it does not divide the long.

    Args:
        size: of the spectrum.
        rows: of the series.
        period: of the long season.
        within: of the short one; 1 = there is none.

    Returns:
        True at frequencies ``j / rows`` that belong to the short season.

    Example:
        >>> near_harmonics(7, 12, 12, 4)
        array([False, False, False,  True, False, False,  True])
    """
    near = np.zeros(size, dtype=bool)
    if within <= 1:
        return near
    centre = np.arange(1, int(within / 2 + 1e-9) + 1) * rows / within
    divides = abs(period / within - round(period / within)) < 1e-9
    for shift in (0,) if divides else range(-BESIDE, BESIDE + 1):
        at = np.round(centre).astype(int) + shift
        near[at[(at > 0) & (at < size)]] = True
    return near


def _place_means(x: np.ndarray, observed: np.ndarray, period: float) -> np.ndarray:
    """(T,) the mean of observed ``x`` at the place of each row in the season; 0 where a row is missing."""
    width = max(round(period), 1)
    slot = np.minimum((np.arange(len(x)) % period * (width / period)).astype(int), width - 1)
    count = np.bincount(slot, observed, minlength=width)
    means = np.bincount(slot, x, minlength=width) / np.maximum(count, 1)
    return np.where(observed, means[slot], 0.0)


def _spectral_shape(power: np.ndarray, background: np.ndarray, rows: int) -> tuple[np.ndarray, int]:
    """A smooth spectrum (1 + rows // 2,) through the logarithms of the background, and how many terms it has."""
    count = int(background.sum())
    terms = MOST_TERMS if count >= SHAPED_FROM else 1
    if terms == 1:
        return np.ones(len(power)), 1
    w = 2 * np.pi * np.arange(len(power)) / rows
    w[0] = w[1]
    basis = np.stack([np.ones(len(w)), np.log(2 * np.sin(w / 2)), np.cos(w), np.cos(2 * w)], axis=1)
    height = np.log(np.maximum(power, 1e-20 * power.max()))
    inside = basis[background]
    normal = inside.T @ inside + 1e-9 * count * np.eye(terms)
    return np.exp(basis @ np.linalg.solve(normal, inside.T @ height[background])), terms


def _least_p(
    power: np.ndarray, freedom: np.ndarray, at: np.ndarray, background: np.ndarray, cycles: int, terms: int, rows: int,
    observed: np.ndarray,
) -> float:  # fmt: skip
    """The least p-value over the first 1, 2, 4, ... harmonics, times their number."""
    share = float(observed.sum()) / rows
    groups = np.unique(np.minimum(2 ** np.arange(int(np.ceil(np.log2(len(at)))) + 1), len(at)))
    top = np.minimum(at[groups - 1] + cycles - 1, len(power) - 1)
    around, around_freedom = (np.cumsum(np.where(background, part, 0.0)) for part in (power, freedom))
    lost = 2.0 * (terms - 1) * around_freedom[top] / around_freedom[-1]
    below = np.maximum(around_freedom[top] - lost, 0.5)
    above = np.cumsum(freedom[at])[groups - 1]
    noise = around[top] / below
    if not (noise > 0).all():
        return 0.0
    ratio = np.cumsum(power[at])[groups - 1] / above / noise
    ratio = np.maximum(1 + (ratio - 1) * share, 0.0)
    return float(min(1.0, fdtrc(above, np.maximum(below * share, 1.0), ratio).min() * len(groups)))
