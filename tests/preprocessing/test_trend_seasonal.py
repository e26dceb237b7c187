"""TrendSeasonalDecomposition: parts beside statsmodels, forecasts, intervals, and no look-ahead."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import tsformers as tsf
from tsformers import Forecast, Panel, TrendSeasonalDecomposition
from tsformers.preprocessing.extrapolation import Extrapolation
from tsformers.storage.former_format import convert_model
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


def monthly(rows=120, slope=0.1, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    y = 50 + slope * t + 8 * np.sin(2 * np.pi * t / 12) + noise * rng.normal(size=rows)
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2010-01-01", periods=rows, freq="MS"), "y": y})


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_properties_of_preprocessors_hold(kind):
    check_preprocessor(TrendSeasonalDecomposition(**kind))
    holes = make_frame()
    holes.loc[(holes.index % 6 == 0) & (holes["ds"] < "2024-02-20"), "y"] = np.nan
    check_preprocessor(TrendSeasonalDecomposition(**kind), holes)


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


def test_intervals_of_a_noisy_trend_and_season_have_their_coverage():
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


def test_one_row_a_constant_and_a_series_of_missing_values_are_decomposed():
    one = tsf.Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": [0], "y": [3.0]}), freq=1)
    step = TrendSeasonalDecomposition(period=4, remove="both").fit(one)
    np.testing.assert_allclose(step.transform(one).y, 0.0)
    frame = pd.DataFrame(
        {"unique_id": ["a"] * 12 + ["b"] * 12, "ds": [*range(12)] * 2, "y": [5.0] * 12 + [1.0] + [np.nan] * 10 + [2.0]}
    )
    parts = TrendSeasonalDecomposition(period=3).decompose(frame)
    np.testing.assert_allclose(parts["trend"][:12], 5.0)
    assert parts["trend"].notna().all() and parts["remainder"].isna().sum() == 10


def test_the_answer_is_a_frame_of_the_callers_type_and_names():
    import polars as pl

    frame = pl.from_pandas(monthly()).rename({"unique_id": "shop", "ds": "month", "y": "sales"})
    parts = TrendSeasonalDecomposition().decompose(frame, id_col="shop", time_col="month", target_col="sales")
    assert isinstance(parts, pl.DataFrame)
    assert parts.columns == ["shop", "month", "trend", "seasonal", "remainder"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"method": "x11"}, "choose one of 'moving_average', 'stl', 'mstl'"),
        ({"period": 0}, "whole number of 1 or more"),
        ({"period": [7, 12]}, "write method='mstl'"),
        ({"remove": "trend"}, "choose one of 'both', 'seasonal'"),
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


def test_a_model_of_the_former_format_is_converted():
    names = {"level": 1, "rise": 2, "kept": 3, "errors": 4, "drift": 5, "blur": 6}
    _, learned = convert_model(
        "TrendSeasonalDecomposition", {}, {"periods_": [1], "grid_": ("D", None), "state_": {"course": names}}
    )
    rule = learned["state_"]["extrapolation"]
    assert list(rule) == list(Extrapolation._fields) and list(rule.values()) == [1, 2, 3, 4, 5, 6]
    assert convert_model("TrendSeasonalDecomposition", {"period": 2}, {}) == ({"period": 2}, {})


@pytest.mark.parametrize("remove", ["both", "seasonal"])
@pytest.mark.parametrize("early", [1, 9, 20])
def test_a_past_that_ends_before_that_of_fit_inverts_to_the_truth(remove, early):
    t = np.arange(48.0)
    frame = pd.DataFrame({"unique_id": "a", "ds": t.astype(int), "y": 0.3 * t + np.sin(t) + 2 * (t % 4)})
    step = TrendSeasonalDecomposition(period=4, remove=remove).fit(frame)
    panel = Panel.from_frame(frame)
    past, ahead = panel.until(panel.ends - early), min(early, 6)
    rows = slice(48 - early, 48 - early + ahead)
    truth = step.transform(panel).y[None, None, rows]
    forecast = Forecast(panel.ids, panel.times[None, rows], truth, grid=panel.grid, schema=panel.schema)
    np.testing.assert_allclose(step.inverse(forecast, past).values[0, 0], panel.y[rows], atol=1e-9)


METHODS = ("moving_average", "stl", "mstl")
NAIVE = tsf.SeasonalNaive(horizon=6, season_length=1, seed=0)


def panel(y, freq="30min"):
    times = pd.date_range("2024-01-01", periods=y.shape[1], freq=freq)
    return pd.concat([pd.DataFrame({"unique_id": f"s{i:02d}", "ds": times, "y": one}) for i, one in enumerate(y)])


@pytest.mark.parametrize("method", METHODS)
def test_the_intervals_of_random_walks_keep_their_coverage(method):
    """A season of 48 that is not there is not removed: 80% intervals, over 60 walks of 320 rows."""
    walk = 100 + np.cumsum(np.random.default_rng(4).normal(size=(60, 320)), axis=1)
    step = TrendSeasonalDecomposition(method, n_jobs=1)
    forecast = tsf.Pipeline([step], NAIVE).fit(panel(walk)).predict(n_samples=200)
    low, high = forecast.interval(0.8).swapaxes(0, 1)
    spread = np.sqrt(np.arange(1, 7))
    covered = norm.cdf(high, walk[:, -1:], spread) - norm.cdf(low, walk[:, -1:], spread)
    assert 0.74 < covered.mean() < 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_season_is_removed_from_the_series_that_have_one(method):
    rng, row = np.random.default_rng(7), np.arange(24 * 28)
    y = rng.normal(size=(4, len(row)))
    y[2] += 4 * np.sin(2 * np.pi * row / 24)
    y[3] += 6.0 * (row // 24 % 7 == 6)
    frame = panel(y, "h")
    step = TrendSeasonalDecomposition(method, n_jobs=1).fit(frame)
    rest = step.transform(frame).y.reshape(4, -1)
    np.testing.assert_array_equal(rest[:2], y[:2])
    assert rest[2].std() < 1.2
    assert (rest[3].std() < 1.5) == (method == "mstl")
    untested = TrendSeasonalDecomposition(method, significance=1, n_jobs=1).fit(frame)
    assert (untested.transform(frame).y.reshape(4, -1)[:2] != y[:2]).any(axis=1).all()


def test_decompose_shows_the_parts_that_are_asked_for():
    frame = panel(np.random.default_rng(6).normal(size=(2, 100)), "h")
    parts = TrendSeasonalDecomposition().decompose(frame)
    assert (parts["seasonal"].abs() > 0.01).any()
    assert parts.equals(TrendSeasonalDecomposition(significance=1).decompose(frame))


@pytest.mark.parametrize("significance", [0.0, 1.5, -1])
def test_a_level_outside_its_range_is_refused(significance):
    with pytest.raises(ValueError, match="significance"):
        TrendSeasonalDecomposition(significance=significance).fit(make_frame())


@pytest.mark.parametrize("remove", ["seasonal", "both"])
def test_the_median_of_a_pipeline_is_exact(remove):
    frame = monthly(noise=1.0)
    step = TrendSeasonalDecomposition(remove=remove)
    for model in (NAIVE, tsf.SeasonalNaive(horizon=6, season_length=1, seed=9)):
        forecast = tsf.Pipeline([step], model).fit(frame).predict(n_samples=40)
        rest = step.fit(frame).transform(frame).y
        step.fit(frame)
        flat = Forecast(forecast.ids, forecast.times, np.full((1, 1, 6), rest[-1]), grid=forecast.grid)
        np.testing.assert_allclose(forecast.median, step.inverse(flat).values[:, 0], atol=1e-9)
        np.testing.assert_allclose(forecast.mean, forecast.median, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_units_origins_and_huge_neighbours_change_nothing(method):
    step = TrendSeasonalDecomposition(method, remove="both", n_jobs=1)
    frame = monthly(noise=2.0)

    def forecast(data):
        return tsf.Pipeline([step], NAIVE).fit(data).predict(n_samples=40, seed=1).quantile((0.1, 0.5, 0.9))[-1]

    mine = forecast(frame)
    for unit in (2.0**-30, 2.0**30):
        assert np.array_equal(forecast(frame.assign(y=frame["y"] * unit)), mine * unit)
    np.testing.assert_allclose(forecast(frame.assign(y=frame["y"] + 1e4)), mine + 1e4, rtol=0, atol=1e-6)
    huge = monthly(noise=3.0, seed=4).assign(unique_id="A", y=lambda df: df["y"] * 5e12)
    assert np.array_equal(forecast(pd.concat([huge, frame])), mine)
