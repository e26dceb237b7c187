"""The scale and the features of a series beside their definitions."""

import numpy as np
import pytest

from tsformers.forecasters.blend.bases.contexts import FEATURES, Contexts, inputs
from tsformers.forecasters.blend.bases.layout import SHAPES
from tsformers.forecasters.blend.bases.shapes import scale_of, whole_share


def features_of(y, m=4, second=0, horizon=6):
    one = np.array([0]), np.array([len(y)]), np.array([m]), np.array([second])
    found = inputs(Contexts(np.asarray(y, float), *one), horizon)
    return found.scale[0], {name: found.features[0, FEATURES.index(name)] for name in SHAPES}


def series(seed=0, n=60):
    rng = np.random.default_rng(seed)
    return 20 + np.tile([0.0, 3.0, 5.0, 1.0], n // 4) + np.cumsum(rng.normal(0, 0.4, n))


def correlation(x, lag, mean):
    a, b = x[lag:] - mean, x[:-lag] - mean
    return a @ b / np.sqrt(a @ a * (b @ b))


def test_features_are_what_their_names_say():
    y = series()
    s, found = features_of(y)
    steps, n = np.diff(y), len(y)
    assert s == pytest.approx(
        min(np.abs(y[4:] - y[:-4]).mean(), max(np.abs(steps).mean(), 0.3 * np.abs(y[4:] - y[:-4]).mean()))
        + 1e-6 * np.abs(y).mean()
    )
    wanted = {
        "scale": np.log(s / y.mean()), "step_size": np.log(np.abs(steps).mean() / s + 1e-6),
        "correlation_1": correlation(y, 1, y.mean()), "correlation_season": correlation(y, 4, y.mean()),
        "change_correlation_1": correlation(steps, 1, 0), "change_correlation_season": correlation(steps, 4, 0),
        "share_not_positive": 0, "share_unchanged": 0, "all_positive": 1,
        "recent_step_size": np.log(np.abs(steps[-15:]).mean() / np.abs(steps).mean()),
        "largest_steps": np.log(np.quantile(np.abs(steps), 0.95) / np.abs(steps).mean()),
        "last_against_season": np.arcsinh((y[-1] - y[-4:].mean()) / s),
        "last_quarter_against_first": np.arcsinh((y[-15:].mean() - y[:15].mean()) / s),
        "log_rows": np.log(n), "log_season": np.log(4), "seasons": min(n / 4, 8), "log_horizon": np.log(6),
        "share_missing": 0, "second_strength": 0, "gap_between_nonzero": 0,
    }  # fmt: skip
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-4), name
    assert found["season_strength"] > 0.9 and found["season_size"] > np.log(1.5 / s)


def test_seasons_of_both_periods_have_their_strength():
    t = np.arange(160)
    noise = np.random.default_rng(0).normal(0, 0.3, 160)
    neither, first, both = noise, noise + 2.0 * (t % 4 == 0), noise + 2.0 * (t % 4 == 0) + 3.0 * (t % 20 < 4)
    strengths = [[features_of(y, 4, 20)[1][name] for name in ("season_strength", "second_strength")]
                 for y in (neither, first, both)]  # fmt: skip
    assert strengths[0][0] < 0.3 < 0.8 < strengths[1][0]
    assert strengths[1][1] < 0.5 < 0.8 < strengths[2][1]


def test_counts_show_in_whole_numbers_zeros_and_gaps_whatever_the_unit():
    y = np.random.default_rng(1).poisson(0.5, 80).astype(float)
    for unit in (1.0, 0.37, 12.0):
        found = features_of(unit * y, 1)[1]
        assert found["share_whole"] == pytest.approx(1)
        assert found["share_not_positive"] == pytest.approx((y == 0).mean())
        assert found["share_unchanged"] == pytest.approx((np.diff(y) == 0).mean())
        assert found["gap_between_nonzero"] == pytest.approx(np.log(len(y) / (y > 0).sum()), rel=1e-5)
    assert whole_share(np.random.default_rng(2).normal(size=200), 0.0) < 0.1


def test_missing_rows_are_counted_and_skipped():
    y = series()
    y[[5, 6, 30]] = np.nan
    s, found = features_of(y)
    assert found["share_missing"] == pytest.approx(3 / 60)
    steps = np.diff(y)
    assert found["step_size"] == pytest.approx(np.log(np.nanmean(np.abs(steps)) / s + 1e-6), rel=1e-5)


@pytest.mark.parametrize(
    ("y", "m", "scale", "constant"),
    [
        ([2.0, 2.0, 2.0], 4, 2e-6, True), ([0.0, 0.0], 1, 1.0, True), ([np.nan, 5.0], 1, 5e-6, True),
        ([1.0, 3.0], 4, 2 + 2e-6, False), ([1.0, np.nan, 4.0], 2, 3 + 2.5e-6, False),
        ([1.0, np.nan, 4.0], 5, 3 + 2.5e-6, False),
        ([1.0, 2.0] * 8, 2, 1.5e-6, False),
    ],
)  # fmt: skip
def test_the_scale_is_above_zero_and_the_constant_is_said(y, m, scale, constant):
    found = scale_of(np.array(y), m)
    assert found[0] == pytest.approx(scale, rel=1e-9) and found[1] == constant
