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
ALONE_BELOW = 0.5  # autocorrelation below which a value after a missing one counts
BESIDE = 2  # neighbours of a short season's frequencies
ROUNDING = 1e-9  # of the range of a series; less than this around a curve is nothing
EPS = float(np.finfo(float).eps)


class Whitened(NamedTuple):
    """Series without their curves, as the innovations ``x[t] - rho x[t-1]``, in units of their deviation."""

    innovations: Float[np.ndarray, "B T"]  # 0 where missing
    observed: Bool[np.ndarray, "B T"]
    rho: Float[np.ndarray, " B"]
    scale: Float[np.ndarray, " B"]  # one unit, in units of y; 0: a curve without noise or season, or too few values


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
    these at a nominal .05 the share of seasonal ones is .01 to .06, less for steep curves. Missing rows count as no
    evidence: they are 0 among the innovations, and no degrees of freedom.

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
    return float(seasonal_p_values(np.asarray(y)[None], period, within)[0])


def seasonal_p_values(y: Float[np.ndarray, "B T"], period: float, within: float = 1) -> Float[np.ndarray, " B"]:
    """``seasonal_p_value`` of many series of one length at once.

    Args:
        y: the series; NaN = missing.
        period: rows of a season.
        within: period of a shorter season.

    Returns:
        A p-value for each.

    Example:
        >>> seasonal_p_values(np.tile(np.arange(4.0), (2, 6)) + np.arange(24.0), 4).round(6)
        array([0., 0.])
    """
    cycles = int((y.shape[1] + (period % 1 > 0)) // period)  # 1095 rows are three years of 365.24
    if period < 2 or cycles < 2:
        return np.ones(len(y))
    rows = min(round(cycles * period), y.shape[1])
    found = whitened(y[:, -min(y.shape[1], rows + 1) :], period)
    power = np.abs(np.fft.rfft(found.innovations[:, -rows:], axis=1)) ** 2
    size = power.shape[1]
    freedom = np.full(size, 2.0)
    if rows % 2 == 0:
        freedom[-1] = 1.0
    harmonics = np.arange(1, int(period / 2 + 1e-9) + 1)
    at = np.round(harmonics * rows / period).astype(int)
    used = (np.arange(size) > 0) & ~near_harmonics(size, rows, period, within)
    at = at[(at < size) & used[np.minimum(at, size - 1)]]
    background = used.copy()
    background[at] = False
    if not len(at) or not background.any():
        return np.ones(len(y))
    terms = MOST_TERMS if background.sum() >= SHAPED_FROM else 1
    share = found.observed[:, -rows:].mean(axis=1)
    with np.errstate(all="ignore"):
        flat = power * freedom / _spectral_shape(power, background, rows, terms)
        p = _least_p(flat, freedom, at, background, cycles, terms, share)
    return np.where(found.scale > 0, p, 1.0)


def whitened(y: Float[np.ndarray, "B T"], period: float) -> Whitened:
    """Innovations of series of one length, as a season of ``period`` rows is estimated from them.

    Args:
        y: the series; NaN = missing.
        period: rows of a season; its mean at each place does not count as autocorrelation.

    Returns:
        The innovations of each.

    Example:
        >>> walk = np.cumsum(np.random.default_rng(0).normal(size=(1, 400)), axis=1)
        >>> whitened(walk, 4).rho.round(2), whitened(np.diff(walk), 4).rho.round(2)
        (array([0.97]), array([0.]))
    """
    observed = np.isfinite(y)
    count = observed.sum(axis=1)
    terms = 3 if y.shape[1] + 0.5 >= CURVED_FROM * period else 2
    filled = np.where(observed, y, 0.0)
    first = np.take_along_axis(filled, observed.argmax(axis=1)[:, None], axis=1)
    x = np.where(observed, y - first, 0.0)
    largest = np.abs(x).max(axis=1)
    sized = np.isfinite(largest) & (largest > 0) & (count > terms + 1)
    x = np.where(sized[:, None], x / np.where(sized, largest, 1.0)[:, None], 0.0)
    place = np.linspace(-1.0, 1.0, y.shape[1])
    curves = np.stack([np.ones(y.shape[1]), place, 1.5 * place**2 - 0.5][:terms])
    x, season = x - _curve(x, curves, observed), np.zeros(y.shape)
    rounding = np.maximum(ROUNDING, 10 * EPS * np.abs(filled).max(axis=1) / np.where(sized, largest, 1.0))
    sized &= np.abs(x).max(axis=1) >= rounding
    for _ in range(BACKFITS):  # of the season and of the curve that the season bent
        season += _place_means(x - season, observed, period)
        season += _curve(x - season, curves, observed)
    left = x - season
    both = observed[:, 1:] & observed[:, :-1]
    power, product = ((np.where(both, left[:, k:][:, : both.shape[1]] * left[:, :-1], 0.0)).sum(axis=1) for k in (0, 1))
    known = power > 1e-18 * count
    rho = np.where(known, np.clip(product / np.where(known, power, 1.0), 0.0, 1.0), 0.0)
    both = observed[:, 1:] & (observed[:, :-1] | (rho < ALONE_BELOW)[:, None])
    pairs = both.sum(axis=1)
    change = np.where(both, x[:, 1:] - rho[:, None] * x[:, :-1], 0.0)
    change = np.where(both, change - (change.sum(axis=1) / np.maximum(pairs, 1))[:, None], 0.0)
    scale = np.sqrt((change**2).sum(axis=1) / np.maximum(pairs, 1))
    scale = np.where(sized & (pairs > 1), scale, 0.0)
    change = change / np.where(scale > 0, scale, 1.0)[:, None]
    pad = ((0, 0), (1, 0))
    return Whitened(np.pad(change, pad), np.pad(both, pad), rho, scale * np.where(sized, largest, 0.0))


def near_harmonics(size: int, rows: int, period: float, within: float) -> Bool[np.ndarray, " size"]:
    """Frequencies that a shorter season explains: its harmonics, with neighbours where it does not divide the long one.

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


def _curve(x: np.ndarray, curves: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(B, T) the least-squares combination of ``curves`` (K, T) at observed rows, 0 elsewhere."""
    if observed.all():
        normal = np.einsum("kt,lt->kl", curves, curves)[None]
    else:
        normal = np.stack([[(observed * (a * b)).sum(axis=1) for a in curves] for b in curves]).transpose(2, 0, 1)
        normal = normal + 1e-12 * np.eye(len(curves))
    target = np.stack([(x * curve).sum(axis=1) for curve in curves], axis=1)
    weights = np.linalg.solve(np.broadcast_to(normal, (len(x), *normal.shape[1:])), target[..., None])[..., 0]
    total = np.zeros(x.shape)
    for k, curve in enumerate(curves):
        total += weights[:, k, None] * curve
    return np.where(observed, total, 0.0)


def _place_means(x: np.ndarray, observed: np.ndarray, period: float) -> np.ndarray:
    """(B, T) the mean of observed ``x`` at the place of each row in the season; 0 where a row is missing."""
    width = max(round(period), 1)
    slot = np.minimum((np.arange(x.shape[1]) % period * (width / period)).astype(int), width - 1)
    slots = (np.arange(len(x))[:, None] * width + slot).ravel()
    count = np.bincount(slots, observed.ravel(), minlength=len(x) * width)
    means = np.bincount(slots, x.ravel(), minlength=len(x) * width) / np.maximum(count, 1)
    return np.where(observed, means[slots].reshape(x.shape), 0.0)


def _spectral_shape(power: np.ndarray, background: np.ndarray, rows: int, terms: int) -> np.ndarray:
    """Smooth spectra (B, 1 + rows // 2) through the logarithms of the background."""
    if terms == 1:
        return np.ones((1, power.shape[1]))
    w = 2 * np.pi * np.arange(power.shape[1]) / rows
    w[0] = w[1]
    basis = np.stack([np.ones(len(w)), np.log(2 * np.sin(w / 2)), np.cos(w), np.cos(2 * w)])
    height = np.log(np.maximum(power[:, background], 1e-20 * power.max(axis=1, keepdims=True)))
    inside = basis[:, background]
    solver = np.linalg.solve(np.einsum("kj,lj->kl", inside, inside) + 1e-9 * background.sum() * np.eye(terms), inside)
    total = np.zeros(power.shape)
    for row, curve in zip(solver, basis, strict=True):
        total += (height * row).sum(axis=1)[:, None] * curve
    return np.exp(total)


def _least_p(
    power: np.ndarray, freedom: np.ndarray, at: np.ndarray, background: np.ndarray, cycles: int, terms: int,
    share: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """(B,) the least p-value over the first 1, 2, 4, ... harmonics, times their number."""
    groups = np.unique(np.minimum(2 ** np.arange(int(np.ceil(np.log2(len(at)))) + 1), len(at)))
    top = np.minimum(at[groups - 1] + cycles - 1, power.shape[1] - 1)
    around = np.cumsum(np.where(background, power, 0.0), axis=1)[:, top]
    around_freedom = np.cumsum(np.where(background, freedom, 0.0))
    lost = 2.0 * (terms - 1) * around_freedom[top] / around_freedom[-1]
    below = np.maximum(around_freedom[top] - lost, 0.5)
    above = np.cumsum(freedom[at])[groups - 1]
    ratio = np.cumsum(power[:, at], axis=1)[:, groups - 1] / above / (around / below)
    p = fdtrc(above, np.maximum(below * share[:, None], 1.0), ratio)
    return np.where((around > 0).all(axis=1), np.minimum(1.0, p.min(axis=1) * len(groups)), 0.0)
