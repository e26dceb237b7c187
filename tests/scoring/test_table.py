"""score(): shapes of the answer, what each name means, refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import scoring
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.scoring.table import find_metric, score, score_table

from .conftest import EVERY, IDS, PAST, STAMPS, H, N, S, long


def as_dict(table):
    return dict(zip(table["metric"], table["value"], strict=True))


def test_every_metric_is_the_array_function_of_its_name(forecast, values):
    y, past = values[:, PAST:], values[:, :PAST]
    found = as_dict(score(forecast, long(values), long(values), EVERY, season_length=7))
    samples, median, mean = forecast.samples, forecast.median, forecast.mean
    low, high = forecast.interval(0.8).transpose(1, 0, 2)
    levels = [k / 10 for k in range(1, 10)]
    reference = scoring.naive2(past, H, 7)
    steps = samples.transpose(2, 1, 0)
    expected = {
        "crps": np.nanmean(scoring.crps_samples(y, samples, axis=1)),
        "crps_fair": np.nanmean(scoring.crps_samples(y, samples, axis=1, estimator="fair")),
        "log_score": np.nanmean(scoring.log_score(y, samples, axis=1)),
        "pit": np.nanmean(scoring.pit(y, samples, axis=1)),
        "wql": scoring.weighted_quantile_loss(y, forecast.quantile(levels), levels, levels_axis=1),
        **{name: getattr(scoring, name)(y, median) for name in ("mae", "mape", "smape", "nd")},
        **{name: getattr(scoring, name)(y, mean) for name in ("mse", "rmse", "nrmse")},
        "mase": scoring.mase(y, median, past, 7),
        "rmsse": scoring.rmsse(y, mean, past, 7, axis=-1).mean(),
        "msis": scoring.msis(y, *forecast.interval(0.95).transpose(1, 0, 2), past, 7),
        "owa": scoring.owa(y, median, reference, past, 7),
        "energy_score": scoring.energy_score(y.T, steps).mean(),
        "variogram_score": scoring.variogram_score(y.T, steps).mean(),
        "crps_sum": scoring.crps_sum(y, samples),
        "coverage_80": scoring.coverage(y, low, high),
        "interval_80": np.nanmean(scoring.interval_score(y, low, high, 0.2)),
        "quantile_0.9": np.nanmean(scoring.quantile_loss(y, forecast.quantile(0.9)[:, 0], 0.9)),
    }
    assert list(found) == EVERY
    assert {name: found[name] for name in EVERY} == pytest.approx({name: float(expected[name]) for name in EVERY})


@pytest.mark.parametrize(("by", "axis", "keys"), [("unique_id", 1, list(IDS)), ("horizon", 0, [1, 2, 3, 4])])
def test_by_gives_a_score_for_each_series_or_step(forecast, values, by, axis, keys):
    y, past = values[:, PAST:], values[:, :PAST]
    table = score(forecast, long(values), long(values), ["crps", "mase", "nd"], by=by, season_length=7)
    assert list(table.columns) == [by, "metric", "value"]
    assert table[by].tolist() == [key for key in keys for _ in range(3)]
    wide = table.pivot(index=by, columns="metric", values="value")
    crps = np.nanmean(scoring.crps_samples(y, forecast.samples, axis=1), axis=axis)
    np.testing.assert_allclose(wide["crps"], crps)
    np.testing.assert_allclose(wide["mase"], scoring.mase(y, forecast.median, past, 7, axis))
    np.testing.assert_allclose(wide["nd"], scoring.nd(y, forecast.median, axis))


def test_the_season_comes_from_the_frequency(forecast, values):
    frame = long(values)
    weekly = score(forecast, frame, frame, "mase", season_length=7)
    pd.testing.assert_frame_equal(score(forecast, frame, frame, "mase"), weekly)
    assert score(forecast, frame, frame, "mase", season_length=1)["value"][0] != weekly["value"][0]


def test_quantile_forecasts_are_scored_by_their_levels(values):
    levels = (0.1, 0.5, 0.9)
    q = np.sort(np.random.default_rng(1).lognormal(1, 0.5, (N, 3, H)), axis=1)
    forecast = Forecast(IDS, np.tile(STAMPS[PAST:].to_numpy(), (N, 1)), q, levels=levels, freq="D")
    y = values[:, PAST:]
    found = as_dict(score(forecast, y, metrics=["crps", "coverage_80", "mae"]))
    assert found["crps"] == pytest.approx(np.nanmean(scoring.crps_quantile_function(y, q, levels, axis=1)))
    assert found["coverage_80"] == pytest.approx(float(scoring.coverage(y, q[:, 0], q[:, 2])))
    for name in ("crps_fair", "log_score", "energy_score"):
        with pytest.raises(DataError, match=f"{name!r} needs draws"):
            score(forecast, y, metrics=name)


def test_the_callers_names_and_frame_type_come_back(rng, values):
    schema = Schema("shop", "day", "sales", backend="polars")
    times = np.tile(STAMPS[PAST:].to_numpy(), (N, 1))
    forecast = Forecast(IDS, times, rng.lognormal(1, 0.5, (N, S, H)), freq="D", schema=schema)
    frame = pl.from_pandas(long(values).set_axis(["shop", "day", "sales"], axis=1))
    table = score(forecast, frame, frame, ["mase"], by="unique_id")
    assert isinstance(table, pl.DataFrame)
    assert table.columns == ["shop", "metric", "value"]
    assert isinstance(score_table(forecast, values[:, PAST:]), pd.DataFrame)
    assert list(score_table(forecast, values[:, PAST:]).columns) == ["shop", "metric", "value"]


def test_joint_metrics_are_one_number_for_all(forecast, values):
    for name in ("energy_score", "variogram_score", "crps_sum"):
        with pytest.raises(ValueError, match=f"{name!r} is one number"):
            score(forecast, values[:, PAST:], metrics=["crps", name], by="unique_id")
    apart = Forecast(IDS, forecast.times, forecast.values, freq="D")
    with pytest.warns(UserWarning, match="not joint"):
        score(apart, values[:, PAST:], metrics="crps_sum")
    later = forecast.times.copy()
    later[1] += np.timedelta64(1, "D")
    with pytest.raises(DataError, match="different stamps"):
        score(Forecast(IDS, later, forecast.values, freq="D", joint=True), values[:, PAST:], metrics="crps_sum")


def test_nothing_scored_gives_nan(forecast):
    names = [name for name in EVERY if name not in ("mase", "rmsse", "msis", "owa")]
    table = score(forecast, np.full((N, H), np.nan), metrics=names)
    assert table["value"].isna().all()


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(N)))
def test_the_order_of_series_changes_nothing(order):
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=(N, PAST + H))
    times = np.tile(STAMPS[PAST:].to_numpy(), (N, 1))
    forecast = Forecast(IDS, times, rng.lognormal(size=(N, S, H)), freq="D")
    names = ["crps", "mase", "wql"]
    expected = score(forecast, long(values), long(values), names)
    found = score(forecast.select(np.array(order)), long(values), long(values), names)
    pd.testing.assert_frame_equal(found, expected)


def drop(frame, column):
    return frame.drop(columns=column)


REFUSED = [
    (lambda f, v: score(f, long(v), metrics=["crsp"]), ValueError, "'crsp'.*crps, crps_fair.*coverage_80"),
    (lambda f, v: score(f, long(v), metrics=["coverage_120"]), ValueError, "coverage_120"),
    (lambda f, v: score(f, long(v), by="series"), ValueError, "'unique_id', 'horizon' or None"),
    (lambda f, v: score(f, long(v), metrics=["mase"]), DataError, "'mase'.*history="),
    (lambda f, v: score(f, long(v), long(v[:2], ids=IDS[:2]), "mase"), DataError, "history has no series 'c'"),
    (lambda f, v: score(f, v[:, :2]), DataError, r"\(3, 2\).*\(3, 4\)"),
    (lambda f, v: score(f, drop(long(v), "y")), DataError, "actual has no column 'y'"),
    (lambda f, v: score(f, long(v, ids=pd.Index(["x", "y", "z"]))), DataError, "forecast has 'a', actual has 'x'"),
    (lambda f, v: score(f, long(v, slice(0, PAST))), DataError, "'a' is forecast from 2024-03-21.*2024-02-20"),
    (lambda f, v: score(f, pd.concat([long(v), long(v)[-1:]])), DataError, "'c'.*2024-03-24.*row 102; drop"),
    (lambda f, v: score(f, long(v).astype({"y": str})), DataError, "'y'.*text"),
    (lambda f, v: score(Forecast(IDS, f.times, f.values), long(v), long(v), "owa", season_length=0), ValueError, "1"),
]


@pytest.mark.parametrize(("call", "kind", "words"), REFUSED)
def test_what_does_not_fit_is_refused_in_words(forecast, values, call, kind, words):
    with pytest.raises(kind, match=words):
        call(forecast, values)


def test_names_may_end_in_a_level_or_a_percentage():
    assert find_metric("coverage_99.5").keywords == {"share": 0.995}
    assert find_metric("quantile_0.05").keywords == {"level": 0.05}
    for name in ("quantile_0", "quantile_1", "coverage_0", "interval_100", "coverage_", "coverage_-5"):
        with pytest.raises(ValueError, match="no metric"):
            find_metric(name)


def test_many_series_are_scored_without_a_loop_over_them():
    """10,000 series with histories: a Python loop a series would take seconds."""
    from time import perf_counter

    rng = np.random.default_rng(0)
    ids, steps = pd.Index(np.arange(10_000)), np.arange(24)
    values = rng.lognormal(size=(10_000, 24))
    forecast = Forecast(ids, np.tile(steps[20:], (10_000, 1)), rng.lognormal(size=(10_000, 20, 4)), freq=1)
    panel = Panel.from_frame(long(values, ids=ids, stamps=steps), freq=1)
    begin = perf_counter()
    table = score(forecast, panel, panel, ["crps", "mase", "wql", "owa"], by="unique_id")
    assert perf_counter() - begin < 2
    assert len(table) == 40_000
