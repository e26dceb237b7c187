"""Seasons of more than 24 rows: tested, estimated with their uncertainty, taken out before a model and put back."""

from typing import Any, NamedTuple

import numpy as np

from tsformers.data.seasonality import SIZE, near_harmonics, seasonal_p_value, whitened

LONGEST_IN_MODELS = 24  # rows; a model has a state for each place of a season up to here
YEARS = {52: 365.2425 / 7, 365: 365.2425}  # weeks and days of a year
WEIGHTS = (0.05, 0.1, 0.2, 0.35, 0.5)  # of the latest cycle, beside equal weights for all
GAIN = 0.98  # errors of a recency weight are this share of those of equal weights, or less
MULTIPLIES_FROM = 2  # units of log-likelihood by which a multiplied season is better
MOST_HARMONICS = 512  # with errors

Found = dict[str, Any]


class Season(NamedTuple):
    """One season, by place ``floor((row % period) * width / period)`` of the training rows."""

    period: float
    profile: np.ndarray  # (width,) in units of the series, or of its logarithm
    spread: np.ndarray  # (width // 2 + 1,) standard deviations of the coefficients of each harmonic
    rho: float  # autocorrelation of what is left
    growth: float  # of the error variance from cycle to cycle
    loss: float  # log-likelihood that the season gains, as a decrease


def find(y: np.ndarray, periods: tuple[int, ...]) -> tuple[Found, int]:
    """The long seasons that a series shows, and the season that is left to a model.

    A season up to 24 rows is left to the model. A longer one is tested (``seasonal_p_value``); of a second one only
    what the first does not contain. Its innovations, averaged over the cycles at each place (all alike or the latest
    ones more, whichever forecasts the next cycle better), are shrunk for each octave of harmonics by the share of
    signal in their power, and summed up to a profile. For positive values it is done in logarithms too, and the season
    multiplies where that is likelier. Weeks and days of a year are counted both as 52 and 365 and as 52.18 and 365.24.

    Args:
        y: (T,) training rows, NaN = missing.
        periods: rows of the seasons to look for, the shortest first.

    Returns:
        What ``removed`` and ``restored`` need, empty where no long season was found; and the season left, 1 = none.

    Example:
        >>> waves = np.sin(np.arange(320.0) * np.pi / 24) + 0.1 * np.cos(np.arange(320) ** 2)
        >>> found, season = find(waves, (48, 336))
        >>> found["periods"], season, bool(np.std(removed(waves, found, 0)) < 0.1)
        ((48.0,), 1, True)
        >>> find(waves, (24,))
        ({}, 24)

    Source: Efron & Morris (1975), Data analysis using Stein's estimator; Muth (1960), recency weights.
    """
    short = max((p for p in periods if p <= LONGEST_IN_MODELS), default=1)
    long = [p for p in periods if p > LONGEST_IN_MODELS and len(y) >= 2 * p]
    if not long:
        return {}, short
    with np.errstate(all="ignore"):
        best = _seasons(y, long, short)
        multiplies = False
        if best and np.nanmin(y) > 0:
            scale = np.nanmean(y)
            logarithms = np.log(y / scale)
            other = _seasons(logarithms, long, short)
            both = np.isfinite(y[1:]) & np.isfinite(y[:-1])
            jacobian = float(logarithms[1:][both].sum() + both.sum() * np.log(scale))
            if other and other[-1].loss + jacobian < best[-1].loss - MULTIPLIES_FROM:
                best, multiplies = other, True
    return (_packed(best, multiplies) if best else {}), short


def removed(y: np.ndarray, found: Found, start: int) -> np.ndarray:
    """A series without the long seasons that were found.

    Args:
        y: (T,)
        found: by ``find``.
        start: steps from the first training row to ``y[0]``.

    Returns:
        (T,); ``y`` itself where nothing was found.

    Example:
        >>> removed(np.ones(3), {}, 0)
        array([1., 1., 1.])
    """
    if not found:
        return y
    season = _profile(found, start, len(y))
    return y / np.exp(season) if found["multiplies"] else y - season


def restored(paths: np.ndarray, found: Found, start: int, rng: np.random.Generator) -> np.ndarray:
    """Draws with the long seasons put back, and with the errors of these.

    Args:
        paths: (S, H) draws without them; rows i and i + S // 2 get mirrored errors.
        found: by ``find``.
        start: steps from the first training row to the first step of the draws.
        rng: source of the errors.

    Returns:
        (S, H); ``paths`` itself where nothing was found.

    Example:
        >>> restored(np.ones((2, 3)), {}, 0, np.random.default_rng(0))
        array([[1., 1., 1.],
               [1., 1., 1.]])
    """
    if not found:
        return paths
    season = _profile(found, start, paths.shape[1]) + _errors(found, start, paths.shape[0], paths.shape[1], rng)
    return paths * np.exp(season) if found["multiplies"] else paths + season


def _seasons(y: np.ndarray, periods: list[int], short: int) -> list[Season]:
    """The seasons of ``y`` (T,) that the test and the shrinkage leave, the shortest first."""
    kept: list[Season] = []
    for period in periods:
        within = kept[-1].profile.size if kept else short
        lengths = [float(period), YEARS[period]] if period in YEARS else [float(period)]
        p_values = [seasonal_p_value(y, length, within) for length in lengths]
        if min(p_values) * len(lengths) >= SIZE:
            continue
        lengths = [length for length, value in zip(lengths, p_values, strict=True) if value < SIZE]
        candidates = [one for length in lengths if (one := _season(y, length, within))]
        if candidates:
            season = min(candidates, key=lambda one: one.loss)
            kept.append(season)
            y = y - season.profile[_slots(season.period, season.profile.size, 0, len(y))]
    return kept


def _season(y: np.ndarray, period: float, within: int) -> Season | None:
    """The season of ``y`` (T,) with ``period`` rows, or None where nothing of it is left."""
    found = whitened(y, period)
    if found is None:
        return None
    width = int(period)
    slot, cycle = _slots(period, width, 0, len(y)), (np.arange(len(y)) // period).astype(int)
    count = np.bincount(slot, found.observed, minlength=width)
    means = np.bincount(slot, found.innovations, minlength=width) / np.maximum(count, 1)
    table = np.tile(means, (int(cycle[-1]) + 1, 1))
    table[cycle[found.observed], slot[found.observed]] = found.innovations[found.observed]
    cycles = max(float(found.observed.sum()) / width, 1.5)
    profile, noise, growth = _averaged(table, means, cycles)
    power, signal = np.abs(np.fft.rfft(profile)) ** 2, np.zeros(width // 2 + 1)
    free = (np.arange(len(power)) > 0) & ~near_harmonics(len(power), width, width, within)
    octave = np.floor(np.log2(np.maximum(np.arange(len(power)), 1) - 0.5)).astype(int) + 1
    for group in range(octave.max() + 1):
        mine = free & (octave == group)
        if power[mine].sum() > noise[mine].sum():
            signal[mine] = 1 - noise[mine].sum() / power[mine].sum()
    if not signal.any():
        return None
    turn = 1 - found.rho * np.exp(-2j * np.pi * np.arange(len(power)) / width)
    turn[0] = 1.0
    shape = np.fft.irfft(np.fft.rfft(profile) * signal / turn, width) * found.scale
    spread = np.sqrt(signal * noise) / np.abs(turn) * found.scale * 2 / width / np.sqrt(2)
    if width % 2 == 0:
        spread[-1] /= np.sqrt(2)
    left = found.innovations - np.fft.irfft(np.fft.rfft(profile) * signal, width)[slot]
    left = left[found.observed] * found.scale
    loss = len(left) / 2 * float(np.log(left @ left / len(left)))
    return Season(period, shape, spread, found.rho, growth, loss)


def _averaged(table: np.ndarray, means: np.ndarray, cycles: float) -> tuple[np.ndarray, np.ndarray, float]:
    """The latest season (width,) of a table (C, width), its error power by harmonic, and how that grows a cycle."""
    errors = table - means
    noise = (np.abs(np.fft.rfft(errors, axis=1)) ** 2).sum(0) / max(cycles - 1, 0.5) / cycles
    if len(table) < 4:
        return means, noise, 0.0
    order = np.arange(1, len(table))[:, None]
    before = np.cumsum(table, axis=0)[:-1] / order
    least, chosen = GAIN * float(((table[1:] - before) ** 2).sum()), None
    for weight in WEIGHTS:
        level, levels = table[0], np.empty_like(before)
        for c in range(1, len(table)):
            levels[c - 1] = level
            level = level + max(weight, 1 / (c + 1)) * (table[c] - level)
        error = float(((table[1:] - levels) ** 2).sum())
        if error < least:
            missed = (np.abs(np.fft.rfft(table[1:] - levels, axis=1)) ** 2).mean(0)
            least, chosen = error, (level, weight * missed, weight)
    return chosen or (means, noise, 0.0)


def _slots(period: float, width: int, start: int, rows: int) -> np.ndarray:
    """(rows,) places of rows ``start``, ``start + 1``, ... in a season."""
    row = np.arange(start, start + rows)
    return np.clip((row % period * (width / period) + 1e-9).astype(int), 0, width - 1)


def _packed(seasons: list[Season], multiplies: bool) -> Found:
    """Seasons as numbers, tuples and arrays."""
    return {
        "periods": tuple(one.period for one in seasons),
        "widths": tuple(one.profile.size for one in seasons),
        "profiles": np.concatenate([one.profile for one in seasons]),
        "spreads": np.concatenate([one.spread for one in seasons]),
        "rho": tuple(one.rho for one in seasons),
        "growth": tuple(one.growth for one in seasons),
        "multiplies": multiplies,
    }


def _profile(found: Found, start: int, rows: int) -> np.ndarray:
    """(rows,) the sum of the seasons from row ``start`` on."""
    profiles = np.split(found["profiles"], np.cumsum(found["widths"])[:-1])
    sizes = zip(found["periods"], found["widths"], profiles, strict=True)
    return np.sum([profile[_slots(period, width, start, rows)] for period, width, profile in sizes], axis=0)


def _errors(found: Found, start: int, n: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """(n, horizon) errors of the seasons: waves with random coefficients, less what the last value shows of them."""
    total = np.zeros((n, horizon))
    ahead = np.arange(horizon + 1)
    spreads = np.split(found["spreads"], np.cumsum([width // 2 + 1 for width in found["widths"]])[:-1])
    for period, spread, rho, growth in zip(found["periods"], spreads, found["rho"], found["growth"], strict=True):
        harmonics = np.flatnonzero(spread > 0)[:MOST_HARMONICS]
        angle = 2 * np.pi * np.outer(harmonics, start - 1 + ahead) / period
        waves = np.concatenate([np.cos(angle), np.sin(angle)]) * np.tile(spread[harmonics], 2)[:, None]
        draws = rng.standard_normal((n - n // 2, len(waves)))
        draws = np.concatenate([draws[: n // 2], -draws[: n // 2], draws[n // 2 :]])
        size = np.sqrt(1 + growth * (np.maximum(ahead[1:] - 1, 0) // period))
        total += draws @ ((waves[:, 1:] - rho ** ahead[1:] * waves[:, :1]) * size)
    return total
