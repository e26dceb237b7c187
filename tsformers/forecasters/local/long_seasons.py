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
MOST_FITTED = 0.75  # of the degrees of freedom

Found = dict[str, Any]


class Season(NamedTuple):
    """One season, by place ``floor((row % period) * width / period)`` of the training rows."""

    period: float
    profiles: np.ndarray  # (C, width) of each training cycle as known before it, and of what follows, in units of the
    # series or of its logarithm; one row where all cycles are alike
    spread: np.ndarray  # (width // 2 + 1,) standard deviations of the coefficients of each harmonic
    rho: float  # autocorrelation of what is left
    growth: float  # of the error variance from cycle to cycle
    loss: float  # log-likelihood that the season gains, as a decrease
    fitted: float  # share of the degrees of freedom of the rows that the profile has taken


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
    return (_packed(best, multiplies, len(y)) if best else {}), short


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

    The errors of a model that was fitted to what a season leaves are too small, by the degrees of freedom that the
    season has taken: the draws are widened by as much.

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
    season = _profile(found, start, paths.shape[1], ahead=True) + _errors(
        found, start, paths.shape[0], paths.shape[1], rng
    )
    middle, widening = paths.mean(axis=0), found["widening"]
    if not found["multiplies"]:
        return middle + widening * (paths - middle) + season
    if (paths > 0).all():  # so that none gets another sign
        return middle * (paths / middle) ** widening * np.exp(season)
    return (middle + widening * (paths - middle)) * np.exp(season)


def _seasons(y: np.ndarray, periods: list[int], short: int) -> list[Season]:
    """The seasons of ``y`` (T,) that the test and the shrinkage leave, the shortest first."""
    kept: list[Season] = []
    for period in periods:
        within = kept[-1].profiles.shape[1] if kept else short
        lengths = [float(period), YEARS[period]] if period in YEARS else [float(period)]
        p_values = [seasonal_p_value(y, length, within) for length in lengths]
        if min(p_values) * len(lengths) >= SIZE:
            continue
        lengths = [length for length, value in zip(lengths, p_values, strict=True) if value < SIZE]
        candidates = [one for length in lengths if (one := _season(y, length, within))]
        if candidates:
            season = min(candidates, key=lambda one: one.loss)
            kept.append(season)
            y = y - _profile(_packed([season], False, len(y)), 0, len(y))
    return kept


def _season(y: np.ndarray, period: float, within: int) -> Season | None:
    """The season of ``y`` (T,) with ``period`` rows, or None where nothing of it is left."""
    many = whitened(y[None], period)
    innovations, observed, rho, unit = many.innovations[0], many.observed[0], float(many.rho[0]), float(many.scale[0])
    if not unit > 0:
        return None
    width = int(period)
    slot, cycle = _slots(period, width, 0, len(y)), (np.arange(len(y)) // period).astype(int)
    table = np.full((int(cycle[-1]) + 1, width), np.nan)
    table[cycle[observed], slot[observed]] = innovations[observed]
    cycles = max(float(observed.sum()) / width, 1.5)
    levels, noise, growth = _averaged(table, cycles)
    power, signal = np.abs(np.fft.rfft(levels[-1])) ** 2, np.zeros(width // 2 + 1)
    free = (np.arange(len(power)) > 0) & ~near_harmonics(len(power), width, width, within)
    octave = np.floor(np.log2(np.maximum(np.arange(len(power)), 1) - 0.5)).astype(int) + 1
    for group in range(octave.max() + 1):
        mine = free & (octave == group)
        if power[mine].sum() > noise[mine].sum():
            signal[mine] = 1 - noise[mine].sum() / power[mine].sum()
    if not signal.any():
        return None
    turn = 1 - rho * np.exp(-2j * np.pi * np.arange(len(power)) / width)
    turn[0] = 1.0
    spectra = np.fft.rfft(levels, axis=1) * signal
    profiles = np.fft.irfft(spectra / turn, width, axis=1) * unit
    spread = np.sqrt(2 * signal * noise) / np.abs(turn) * unit / width
    if width % 2 == 0:
        spread[-1] /= np.sqrt(2)
    seasons = np.fft.irfft(spectra, width, axis=1)
    left = innovations - seasons[np.minimum(cycle, len(seasons) - 1), slot]
    left = left[observed] * unit
    loss = len(left) / 2 * float(np.log(left @ left / len(left)))
    twice = np.full(len(signal), 2.0)
    twice[-1] -= width % 2 == 0
    fitted = float(twice @ signal) / len(left) if len(profiles) == 1 else 0.0  # others are known before their cycle
    return Season(period, profiles, spread, rho, growth, loss, fitted)


def _averaged(table: np.ndarray, cycles: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Seasons of a table (C, width): (1, width) the mean, or (C + 1, width) before each cycle and in the end.

    Then the power of their errors by harmonic, and how it grows from cycle to cycle.
    """
    observed = np.isfinite(table)
    count = observed.sum(0)
    means = np.where(observed, table, 0.0).sum(0) / np.maximum(count, 1)
    noise = _power(table - means).sum(0) / max(cycles - 1, 0.5) / cycles
    if len(table) < 4:
        return means[None], noise, 0.0
    levels = _recursive_means(table, 0.0)
    least, chosen = GAIN * float(np.nansum((table[1:] - levels[1:-1]) ** 2)), None
    for weight in WEIGHTS:
        levels = _recursive_means(table, weight)
        error = float(np.nansum((table[1:] - levels[1:-1]) ** 2))
        if error < least:
            least, chosen = error, (levels, weight)
    if chosen is None:
        return means[None], noise, 0.0
    levels, weight = chosen
    levels[0] = _recursive_means(table[::-1], weight)[-2]  # as known after it
    return levels, weight * _power(table[1:] - levels[1:-1]).mean(0), weight


def _recursive_means(table: np.ndarray, weight: float) -> np.ndarray:
    """(C + 1, width) means of a table (C, width) before each row and in the end, by ``weight`` or 1 / count."""
    levels, count = np.zeros((len(table) + 1, table.shape[1])), np.zeros(table.shape[1])
    for c, row in enumerate(table):
        observed = np.isfinite(row)
        count += observed
        share = np.maximum(weight, 1 / np.maximum(count, 1))
        levels[c + 1] = levels[c] + np.where(observed, share * (row - levels[c]), 0.0)
    return levels


def _power(table: np.ndarray) -> np.ndarray:
    """(C, width // 2 + 1) power of each row by harmonic; missing values count as 0."""
    return np.abs(np.fft.rfft(np.nan_to_num(table), axis=1)) ** 2


def _slots(period: float, width: int, start: int, rows: int) -> np.ndarray:
    """(rows,) places of rows ``start``, ``start + 1``, ... in a season."""
    row = np.arange(start, start + rows)
    return np.clip((row % period * (width / period) + 1e-9).astype(int), 0, width - 1)


def _packed(seasons: list[Season], multiplies: bool, rows: int) -> Found:
    """Seasons as numbers, tuples and arrays."""
    return {
        "rows": rows,
        "periods": tuple(one.period for one in seasons),
        "shapes": tuple(one.profiles.shape for one in seasons),
        "profiles": np.concatenate([one.profiles.ravel() for one in seasons]),
        "spreads": np.concatenate([one.spread for one in seasons]),
        "rho": tuple(one.rho for one in seasons),
        "growth": tuple(one.growth for one in seasons),
        "widening": 1 / float(np.sqrt(1 - min(sum(one.fitted for one in seasons), MOST_FITTED))),
        "multiplies": multiplies,
    }


def _profile(found: Found, start: int, rows: int, ahead: bool = False) -> np.ndarray:
    """(rows,) the sum of the seasons from row ``start`` on; ``ahead``: as known at ``start``."""
    total = np.zeros(rows)
    ends = np.cumsum([n * width for n, width in found["shapes"]])
    for period, shape, part in zip(
        found["periods"], found["shapes"], np.split(found["profiles"], ends[:-1]), strict=True
    ):
        row = np.full(rows, start) if ahead else np.arange(start, start + rows)
        cycle = np.where(row < found["rows"], np.clip(row // period, 0, shape[0] - 1), shape[0] - 1).astype(int)
        total += part.reshape(shape)[cycle, _slots(period, shape[1], start, rows)]
    return total


def _errors(found: Found, start: int, n: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """(n, horizon) errors of the seasons: waves with random coefficients, less what the last value shows of them."""
    total = np.zeros((n, horizon))
    ahead = np.arange(horizon + 1)
    spreads = np.split(found["spreads"], np.cumsum([width // 2 + 1 for _, width in found["shapes"]])[:-1])
    for period, spread, rho, growth in zip(found["periods"], spreads, found["rho"], found["growth"], strict=True):
        harmonics = np.flatnonzero(spread > 0)[:MOST_HARMONICS]
        angle = 2 * np.pi * np.outer(harmonics, start - 1 + ahead) / period
        waves = np.concatenate([np.cos(angle), np.sin(angle)]) * np.tile(spread[harmonics], 2)[:, None]
        draws = rng.standard_normal((n - n // 2, len(waves)))
        draws = np.concatenate([draws[: n // 2], -draws[: n // 2], draws[n // 2 :]])
        size = np.sqrt(1 + growth * (np.maximum(ahead[1:] - 1, 0) // period))
        total += draws @ ((waves[:, 1:] - rho ** ahead[1:] * waves[:, :1]) * size)
    return total
