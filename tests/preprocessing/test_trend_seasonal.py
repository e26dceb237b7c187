"""Trend and seasons: what they are beside statsmodels, and how they go on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers import TrendSeasonalDecomposition
from tsformers.preprocessing.classical_decomposition import Parts, Rows, ahead, course, moving_average, trend_spread
from tsformers.testing import check_preprocessor, make_frame

KINDS = [
    {},
    {"period": 5},
    {"period": 1},
    {"period": 50},
    {"remove": "both"},
    {"remove": "both", "period": 1},
    {"method": "stl"},
    {"method": "mstl", "period": [3, 7]},
]


def rows_of(*series):
    lengths = [len(y) for y in series]
    return Rows(
        np.concatenate(series).astype(float), np.concatenate([[0], np.cumsum(lengths)]), np.zeros(len(series), int)
    )


def monthly(rows=120, slope=0.1, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    y = 50 + slope * t + 8 * np.sin(2 * np.pi * t / 12) + noise * rng.normal(size=rows)
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2010-01-01", periods=rows, freq="MS"), "y": y})


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_laws_hold(kind):
    check_preprocessor(TrendSeasonalDecomposition(**kind))
    holes = make_frame()
    holes.loc[(holes.index % 6 == 0) & (holes["ds"] < "2024-02-20"), "y"] = np.nan
    check_preprocessor(TrendSeasonalDecomposition(**kind), holes)


@pytest.mark.parametrize("period", [4, 7, 12])
def test_the_moving_average_is_that_of_statsmodels(rng, period):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = rng.normal(size=90) + np.arange(90) / 10
    theirs = seasonal_decompose(y, period=period)
    ours = moving_average(rows_of(rng.normal(size=33), y, rng.normal(size=12)), period)
    inside = np.isfinite(theirs.trend)
    np.testing.assert_allclose(ours.trend[33:123][inside], theirs.trend[inside], rtol=0, atol=1e-12)
    whole = seasonal_decompose(y, period=period, extrapolate_trend=period - 1)
    early = np.arange(90) <= np.flatnonzero(inside)[-1]  # at the end theirs leaves the last mean out of its line
    np.testing.assert_allclose(ours.trend[33:123][early], whole.trend[early], rtol=0, atol=1e-10)


def test_stl_and_mstl_are_those_of_statsmodels(rng):
    from statsmodels.tsa.seasonal import MSTL, STL

    t = np.arange(200)
    y = np.sin(2 * np.pi * t / 6) + np.cos(2 * np.pi * t / 20) + rng.normal(size=200) / 5
    frame = pd.DataFrame({"unique_id": "a", "ds": t, "y": y})
    ours = TrendSeasonalDecomposition("stl", 6).decompose(frame)
    theirs = STL(y, period=6).fit()
    np.testing.assert_array_equal(ours["trend"], theirs.trend)
    np.testing.assert_array_equal(ours["seasonal"], theirs.seasonal)
    ours, theirs = TrendSeasonalDecomposition("mstl", [20, 6]).decompose(frame), MSTL(y, periods=(6, 20)).fit()
    np.testing.assert_array_equal(ours[["seasonal_6", "seasonal_20"]], theirs.seasonal)
    assert list(ours) == ["unique_id", "ds", "trend", "seasonal_6", "seasonal_20", "remainder"]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 13), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_parts_add_up_and_series_do_not_know_each_other(lengths, period, seed):
    rng = np.random.default_rng(seed)
    series = [np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n) * 10) for n in lengths]
    together = moving_average(rows_of(*series), period)
    assert np.isfinite(together.trend).all() and np.isfinite(together.seasonal).all()
    at = 0
    for y in series:
        alone = moving_average(rows_of(y), period)
        part = slice(at, at + len(y))
        np.testing.assert_allclose(together.trend[part], alone.trend, rtol=0, atol=1e-9)
        np.testing.assert_allclose(together.seasonal[part], alone.seasonal, rtol=0, atol=1e-9)
        at += len(y)


def test_the_parts_of_a_frame_add_up_to_its_values():
    frame = make_frame()
    for kind in KINDS:
        parts = TrendSeasonalDecomposition(**kind).decompose(frame)
        np.testing.assert_allclose(
            parts.iloc[:, 2:].sum(axis=1), frame.sort_values(["unique_id", "ds"])["y"], atol=1e-9
        )


def test_a_line_with_a_season_is_forecast_without_error():
    frame, naive = monthly(), tsf.SeasonalNaive(horizon=30, season_length=1, seed=0)
    forecast = tsf.Pipeline([TrendSeasonalDecomposition(remove="both")], naive).fit(frame).predict()
    t = np.arange(120, 150)
    np.testing.assert_allclose(forecast.median[0], 50 + 0.1 * t + 8 * np.sin(2 * np.pi * t / 12), atol=0.05)


def test_a_rise_fades_where_it_has_been_seen_to_fade():
    t = np.arange(600)
    line, wave = 1.0 * t, 10 * np.sin(2 * np.pi * t / 48)  # over 12 steps a wave rises, over the next 12 it does not
    rows = rows_of(line, wave)
    made = course(rows, Parts(rows.y, np.zeros((1200, 1))), [12], None)
    assert made.kept[0] == pytest.approx(1.0) and made.kept[1] < 0.1
    steps = np.array([[1, 12, 24, 100]] * 2)
    np.testing.assert_allclose(ahead(made, [12], steps)[0], 599 + steps[0], atol=1e-6)
    assert np.ptp(ahead(made, [12], steps)[1]) < 3


def test_the_uncertainty_of_a_trend_is_how_far_it_was_from_what_was_known_then(rng):
    y = rng.normal(size=150).cumsum() + rng.normal(size=150)
    rows, period = rows_of(y), 6
    parts = moving_average(rows, period)
    made = course(rows, parts, [period], None)
    errors = {1: [], 4: [], 16: []}
    for t in range(11, 150):
        then = course(early := rows_of(y[: t + 1]), moving_average(early, period), [period], None)
        then = then._replace(kept=made.kept)
        for step, found in errors.items():
            if t + step < 150:
                found.append(parts.trend[t + step] - ahead(then, [period], np.array([[step]]))[0, 0])
    expected = [np.sqrt(np.mean(np.square(errors[step]))) for step in (1, 4, 16)]
    np.testing.assert_allclose(trend_spread(made, np.array([[1, 4, 16]]))[0], expected, rtol=1e-9)
    grown = trend_spread(made, np.array([[32, 320, 1280]]))[0]
    assert grown[2] == pytest.approx(2 * grown[1])


def test_intervals_of_a_noisy_trend_and_season_hold_what_they_promise():
    rng = np.random.default_rng(3)
    n, rows, horizon = 300, 96, 12
    t = np.arange(rows + horizon)
    level = rng.normal(scale=0.3, size=(n, len(t))).cumsum(axis=1)
    season = rng.normal(scale=5, size=(n, 12))
    y = level + season[:, t % 12] + rng.normal(size=(n, len(t)))
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(n), rows), "ds": np.tile(t[:rows], n), "y": y[:, :rows].ravel()}
    )
    step = TrendSeasonalDecomposition(period=12, remove="both")
    model = tsf.Pipeline([step], tsf.AutoETS(horizon=horizon, season_length=1, seed=0, n_jobs=1))
    low, high = model.fit(frame).predict(n_samples=200).interval(0.8).swapaxes(0, 1)
    covered = ((y[:, rows:] >= low) & (y[:, rows:] <= high)).mean()
    assert 0.72 < covered < 0.92


def test_nothing_looks_ahead():
    frame = monthly(noise=1.0)
    panel = tsf.Panel.from_frame(frame)
    early = panel.until(panel.ends - 24)
    step = TrendSeasonalDecomposition(remove="both").fit(early)
    changed = frame.assign(y=np.where(np.arange(120) >= 96, 1e6, frame["y"]))
    before = step.transform(panel).y[:96]
    np.testing.assert_array_equal(step.transform(tsf.Panel.from_frame(changed)).y[:96], before)
    np.testing.assert_array_equal(step.transform(early).y, before)


def test_series_that_come_later_are_decomposed_by_their_own_history():
    a, b = monthly(noise=0.5), monthly(noise=0.5, slope=-0.3, seed=1).assign(unique_id="b")
    step = TrendSeasonalDecomposition(remove="both").fit(a)
    both = step.transform(tsf.Panel.from_frame(pd.concat([a, b])))
    alone = TrendSeasonalDecomposition(remove="both").fit(b).transform(tsf.Panel.from_frame(b))
    np.testing.assert_allclose(both.y[120:], alone.y, atol=1e-12)
    naive = tsf.SeasonalNaive(horizon=12, season_length=1, seed=0)
    forecast = tsf.Pipeline([TrendSeasonalDecomposition(remove="both")], naive).fit(a).predict(b)
    t = np.arange(120, 132)
    np.testing.assert_allclose(forecast.mean[0], 50 - 0.3 * t + 8 * np.sin(2 * np.pi * t / 12), atol=3)


def test_a_season_needs_two_cycles():
    short = monthly(rows=20)
    parts = TrendSeasonalDecomposition().decompose(short)
    assert (parts["seasonal"] == 0).all()
    assert (TrendSeasonalDecomposition("stl").decompose(short)["seasonal"] == 0).all()


def test_one_row_a_constant_and_a_series_of_gaps_are_taken_as_they_are():
    one = tsf.Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": [0], "y": [3.0]}), freq=1)
    step = TrendSeasonalDecomposition(period=4, remove="both").fit(one)
    np.testing.assert_allclose(step.transform(one).y, 0.0)
    frame = pd.DataFrame(
        {"unique_id": ["a"] * 12 + ["b"] * 12, "ds": [*range(12)] * 2, "y": [5.0] * 12 + [1.0] + [np.nan] * 10 + [2.0]}
    )
    parts = TrendSeasonalDecomposition(period=3).decompose(frame)
    np.testing.assert_allclose(parts["trend"][:12], 5.0)
    assert parts["trend"].notna().all() and parts["remainder"].isna().sum() == 10


def test_a_frame_of_the_callers_kind_and_names_comes_back():
    import polars as pl

    frame = pl.from_pandas(monthly()).rename({"unique_id": "shop", "ds": "month", "y": "sales"})
    parts = TrendSeasonalDecomposition().decompose(frame, id_col="shop", time_col="month", target_col="sales")
    assert isinstance(parts, pl.DataFrame)
    assert parts.columns == ["shop", "month", "trend", "seasonal", "remainder"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"method": "x11"}, "choose one of moving_average, stl, mstl"),
        ({"period": 0}, "whole number of 1 or more"),
        ({"period": [7, 12]}, "write method='mstl'"),
        ({"remove": "trend"}, "'both' or 'seasonal'"),
    ],
)
def test_a_setting_out_of_range_is_refused(kind, words):
    with pytest.raises(ValueError, match=words):
        TrendSeasonalDecomposition(**kind).fit(make_frame())


def test_a_picture_has_a_row_a_part_and_a_column_a_series():
    figure = TrendSeasonalDecomposition().plot(make_frame(), ids=["s1", "s2"])
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["s1", "s2"]
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["value", "trend", "seasonal", "remainder"]
    with pytest.raises(ValueError, match="'nobody' is not in the data"):
        TrendSeasonalDecomposition().plot(make_frame(), ids=["nobody"])


def test_it_is_stored_with_a_pipeline(tmp_path):
    model = tsf.Pipeline([TrendSeasonalDecomposition("stl", remove="both")], tsf.SeasonalNaive(horizon=3, seed=0)).fit(
        monthly(noise=1)
    )
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict().values, model.predict().values)
    later = monthly(rows=130, noise=1)
    np.testing.assert_array_equal(loaded.predict(later, seed=1).values, model.predict(later, seed=1).values)
