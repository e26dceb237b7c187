"""Every base of adjusted values and of past seasons beside the definition, written out in plain Python."""

from itertools import pairwise

import numpy as np
import pytest

from tsformers.forecasters.blend.bases.contexts import BASES, Contexts, inputs

REACH = 10.0


def forecasts_of(y, m, horizon, second=0):
    one = np.array([0]), np.array([len(y)]), np.array([m]), np.array([second])
    return dict(zip(BASES, inputs(Contexts(np.asarray(y, float), *one), horizon).forecasts[0], strict=True))


def series(n, m, seed, missing=0.0, level=20.0):
    rng = np.random.default_rng(seed)
    season = np.tile(rng.normal(0, 3, m), n // m + 1)[:n]
    y = level + season + np.cumsum(rng.normal(0, 0.5, n)) + rng.normal(0, 1, n)
    y[1:][rng.random(n - 1) < missing] = np.nan
    return y


CASES = [
    pytest.param(series(n, m, seed, missing, level), m, horizon, id=f"{n} rows, season {m}, {missing} missing, {level}")
    for seed, (n, m, horizon, missing, level) in enumerate(
        [
            (61, 12, 24, 0.0, 20.0), (50, 7, 9, 0.15, 20.0), (40, 4, 8, 0.0, 0.0), (33, 4, 6, 0.2, 0.0),
            (30, 1, 5, 0.1, 9.0), (14, 12, 15, 0.0, 20.0), (27, 12, 12, 0.0, 20.0), (5, 7, 3, 0.0, 1.0),
            (1, 4, 3, 0.0, 3.0), (2, 1, 3, 0.0, 3.0),
        ]
    )
]  # fmt: skip


def centred(y, m, indices):
    n, half = len(y), m // 2
    weights = np.ones(m) if m % 2 else np.array([0.5] + [1.0] * (m - 1) + [0.5])
    adjusted, trend = y - indices[(np.arange(n) - n) % m], np.full(n, np.nan)
    for t in range(half, n - half):
        window = adjusted[t - half : t + half + 1]
        there = ~np.isnan(window)
        if weights[there].sum() >= m / 2:
            trend[t] = np.average(window[there], weights=weights[there])
    return trend


def indices_of(y, m, trend, ratio):
    n, neutral = len(y), 1.0 if ratio else 0.0
    detrended = y / trend if ratio else y - trend
    raw, squares, freedom = np.full(m, neutral), 0.0, 0
    for p in range(m):
        found = [v for v in detrended[(n - m + p) % m :: m][::-1] if not np.isnan(v)][:6]
        if found:
            raw[p] = np.average(found, weights=[1 - 0.08 * age for age in range(len(found))])
            squares += sum((v - raw[p]) ** 2 for v in found)
            freedom += len(found) - 1
    return raw, squares, freedom


def shrunken(raw, squares, freedom, ratio):
    m = len(raw)
    index = raw / raw.mean() if ratio else raw - raw.mean()
    centre = 1.0 if ratio else 0.0
    spread = np.mean((index - centre) ** 2)
    noise = squares / freedom / (freedom / m + 1) if freedom else spread / 2
    index = centre + (max(spread - noise, 0) / spread if spread else 0) * (index - centre)
    return np.maximum(index, 0.05) if ratio else index


def season_of(y, m):
    """Additive and multiplicative indices."""
    if m == 1 or len(y) < 2 * m:
        return np.zeros(m), np.ones(m)
    indices = np.zeros(m)
    for _ in range(3 if np.isnan(y).any() else 1):
        trend = centred(y, m, indices)
        raw, squares, freedom = indices_of(y, m, trend, ratio=False)
        indices = raw - raw.mean()
    return shrunken(raw, squares, freedom, False), shrunken(*indices_of(y, m, trend, ratio=True), True)


def ses(d, alpha):
    level = 0.0
    for count, value in enumerate(d[~np.isnan(d)], start=1):
        level += max(alpha, 1 / count) * (value - level)
    return level


def holt(d, alpha, beta, phi, horizon):
    there = np.flatnonzero(~np.isnan(d))[:12]
    level, trend = d[there[0]], (d[there[-1]] - d[there[0]]) / (there[-1] - there[0]) if len(there) > 1 else 0.0
    for value in d[there[0] + 1 :]:
        ahead = level + phi * trend
        if np.isnan(value):
            level, trend = ahead, phi * trend
            continue
        before, level = level, alpha * value + (1 - alpha) * ahead
        trend = beta * (level - before) + (1 - beta) * phi * trend
    return np.array([level + trend * sum(phi**i for i in range(1, h + 1)) for h in range(1, horizon + 1)])


def bounded(y, forecast):
    low, high = np.nanmin(y), np.nanmax(y)
    return np.clip(forecast, low - REACH * (high - low), high + REACH * (high - low))


def gap(y):
    return len(y) - 1 - np.flatnonzero(~np.isnan(y))[-1]


@pytest.mark.parametrize(("y", "m", "horizon"), CASES)
def test_smoothing_bases_are_recursions_of_adjusted_values(y, m, horizon):
    found, h = forecasts_of(y, m, horizon), np.arange(1, horizon + 1)
    additive, factors = season_of(y, m)
    d, season = y - additive[(np.arange(len(y)) - len(y)) % m], additive[(h - 1) % m]
    t = np.flatnonzero(~np.isnan(d))
    slope = np.polyfit(t, d[t], 1)[0] if len(t) > 1 else 0.0
    wanted = {
        "ses_slow": ses(d, 0.1) + season, "ses": ses(d, 0.3) + season, "ses_fast": ses(d, 0.7) + season,
        "holt_damped": holt(d, 0.4, 0.1, 0.9, horizon) + season,
        "holt": holt(d, 0.3, 0.1, 0.99, horizon) + season,
        "theta": ses(d, 0.3) + slope / 2 * (h + gap(y)) + season,
        "ses_multiplicative": ses(d, 0.3) + season,
        "holt_damped_multiplicative": holt(d, 0.4, 0.1, 0.9, horizon) + season,
    }  # fmt: skip
    if not (y <= 0).any():
        relative, factor = y / factors[(np.arange(len(y)) - len(y)) % m], factors[(h - 1) % m]
        wanted["ses_multiplicative"] = ses(relative, 0.3) * factor
        wanted["holt_damped_multiplicative"] = holt(relative, 0.4, 0.1, 0.9, horizon) * factor
    for name, path in wanted.items():
        np.testing.assert_allclose(found[name], bounded(y, path), rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(("y", "m", "horizon"), CASES)
def test_reversion_goes_to_the_mean_by_the_corrected_autocorrelation(y, m, horizon):
    additive, h = season_of(y, m)[0], np.arange(1, horizon + 1)
    d = y - additive[(np.arange(len(y)) - len(y)) % m]
    mean = np.nanmean(d)
    pairs = [(a - mean, b - mean) for a, b in pairwise(d) if not np.isnan(a + b)]
    now, before = np.array([b for _, b in pairs]), np.array([a for a, _ in pairs])
    r = now @ before / np.sqrt(now @ now * (before @ before)) if len(pairs) else 0.0
    memory = np.clip(r + (1 + 3 * r) / len(y), 0, 1)
    wanted = mean + (d[~np.isnan(d)][-1] - mean) * memory ** (h + gap(y)) + additive[(h - 1) % m]
    np.testing.assert_allclose(forecasts_of(y, m, horizon)["mean_reversion"], wanted, rtol=1e-10, atol=1e-10)


def phases(y, m, p):
    """Values of the phase of step p + 1 that are there, the newest first."""
    rows = range(len(y) - m + p, -1, -m)
    return [y[t] for t in rows if t < len(y) and not np.isnan(y[t])]


@pytest.mark.parametrize(("y", "m", "horizon"), CASES)
def test_seasonal_bases_repeat_what_the_phase_had(y, m, horizon):
    found, last = forecasts_of(y, m, horizon), y[~np.isnan(y)][-1]
    blocks = [y[len(y) - (b + 1) * m : len(y) - b * m] for b in range(4) if len(y) >= (b + 1) * m]
    means = [np.nanmean(block) if 2 * (~np.isnan(block)).sum() >= m else np.nan for block in blocks]
    level = next((mean for mean in means if not np.isnan(mean)), np.nan)
    pairs = [y[t] - y[t - m] for t in range(len(y) - m, len(y)) if t >= m and not np.isnan(y[t] - y[t - m])]
    growth = 0.7 * np.mean(pairs) if pairs and len(y) >= 2 * m else 0.0
    for h in range(horizon):
        p = h % m
        past = phases(y, m, p) or [last]
        off = [b[p] - mean for b, mean in zip(blocks, means, strict=True) if not np.isnan(b[p] - mean)]
        wanted = {
            "last": last, "last_season": past[0], "median_of_3_seasons": np.median(past[:3]),
            "mean_of_4_seasons": level + np.mean(off) if off else last,
            "season_growth": past[0] + growth * np.ceil((h + 1) / m) ** 0.8,
        }  # fmt: skip
        for name, value in wanted.items():
            assert found[name][h] == pytest.approx(bounded(y, value), rel=1e-10, abs=1e-10), name


def test_with_one_mean_season_the_mean_of_seasons_is_at_the_level_of_the_last():
    y = np.concatenate([np.tile([0.0, 1.0, 2.0, 1.0], 3) + 10 * np.repeat([1, 2, 3], 4)])
    np.testing.assert_allclose(forecasts_of(y, 4, 4)["mean_of_4_seasons"], y[-4:])


def test_a_season_that_is_not_there_leaves_the_adjusted_values_alone():
    rng = np.random.default_rng(3)
    drawn = [np.cumsum(rng.normal(size=96)) for _ in range(40)]
    shares = [season_of(y, 12)[0].std() / y.std() for y in drawn]
    assert np.median(shares) < 0.05


def test_an_exploding_base_stays_within_ten_ranges_of_the_values():
    found = forecasts_of([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 1, 200)
    assert max(path.max() for path in found.values()) == 32 + REACH * 31
