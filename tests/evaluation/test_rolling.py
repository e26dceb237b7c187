"""Backtests: models read nothing after a cutoff, and numbers do not depend on processes or order."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.forecasters.theta import Theta

from .conftest import Walk, frame, of, same


def test_every_window_of_every_model_and_series_is_forecast_and_scored():
    df = frame()
    result = backtest(
        {"walk": Walk(), "naive": SeasonalNaive(horizon=4)}, df, windows=3, step=2, metrics=["crps", "mae"]
    )
    assert list(result.scores.columns) == ["model", "unique_id", "cutoff", "metric", "value"]
    assert len(result.scores) == 2 * 3 * 3 * 2
    quantiles = ["q0.05", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.95"]
    assert list(result.forecasts.columns) == [
        "model", "unique_id", "ds", "cutoff", "y", "mean", *quantiles, "pit", "crps",
    ]  # fmt: skip
    assert len(result.forecasts) == 2 * 3 * 3 * 4
    last = df.groupby("unique_id")["ds"].max()
    for name, cutoffs in result.forecasts.groupby("unique_id")["cutoff"]:
        assert sorted(set(last[name] - cutoffs)) == [4, 6, 8]
    actual = result.forecasts.merge(df, on=["unique_id", "ds"], suffixes=("", "_there"))
    assert len(actual) == len(result.forecasts) and (actual["y"] == actual["y_there"]).all()
    assert (result.forecasts["ds"] > result.forecasts["cutoff"]).all()


def test_a_model_reads_no_row_after_the_cutoffs_but_the_known_covariates():
    df = frame(price=1.0, weather=2.0)
    df["price"] = np.arange(len(df), dtype=float)
    backtest(Walk(), df, windows=3, refit=True, known=["price"])
    whole = Panel.from_frame(df, known=["price"])
    assert len(of("fit")) == len(of("predict")) == 3
    for window, (fit, predict) in enumerate(zip(of("fit"), of("predict"), strict=True)):
        rows = whole.lengths - 4 * (3 - window)
        for _, panel, _ in (fit, predict):
            assert (panel.lengths == rows).all()
            for i in range(3):
                history = slice(whole.offsets[i], whole.offsets[i] + rows[i])
                mine = slice(panel.offsets[i], panel.ends[i])
                assert (panel.y[mine] == whole.y[history]).all()
                assert (panel.past[mine] == whole.past[history]).all()
        assert len(fit[1].y) == rows.sum()
        ahead = predict[1]
        assert len(ahead.y) == rows.sum() + 3 * 4
        for i in range(3):
            beyond = slice(ahead.ends[i], ahead.offsets[i + 1])
            assert np.isnan(ahead.y[beyond]).all() and np.isnan(ahead.past[beyond]).all()
            there = whole.offsets[i] + rows[i] + np.arange(4)
            assert (ahead.known[beyond] == whole.known[there]).all()


@settings(max_examples=15, deadline=None)
@given(window=st.integers(0, 2), seed=st.integers(0, 1000), refit=st.sampled_from([True, False, 2]))
def test_what_happens_after_a_cutoff_never_changes_a_forecast_from_it(window, seed, refit):
    df = frame()
    ago = df.groupby("unique_id").cumcount(ascending=False)
    changed = df.copy()
    after = ago < 3 * (3 - window)
    changed.loc[after, "y"] = np.random.default_rng(seed).normal(0, 1e3, after.sum())
    models = {"walk": Walk(horizon=3), "naive": SeasonalNaive(horizon=3)}
    columns = ["model", "unique_id", "ds", "cutoff", "mean", "q0.5"]
    a, b = (backtest(models, data, windows=3, refit=refit, quantiles=[0.5]).forecasts for data in (df, changed))
    upto = df.groupby("unique_id")["ds"].max()[a["unique_id"]].to_numpy() - a["cutoff"] >= 3 * (3 - window)
    assert upto.any()
    pd.testing.assert_frame_equal(a.loc[upto, columns], b.loc[upto, columns], check_exact=True)
    if window < 2 or seed:
        assert not a["y"].equals(b["y"])


@pytest.mark.parametrize(("refit", "fits"), [(False, [24]), (True, [24, 28, 32, 36, 40]), (2, [24, 32, 40])])
def test_refit_decides_at_which_cutoffs_a_model_is_fitted(refit, fits):
    backtest(Walk(), frame((44,)), windows=5, refit=refit)
    assert [int(panel.lengths[0]) for _, panel, _ in of("fit")] == fits
    assert [int(panel.lengths[0]) for _, panel, _ in of("predict")] == [24, 28, 32, 36, 40]


def test_a_good_run_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backtest({"a": SeasonalNaive(horizon=4)}, frame(), windows=2)


def test_the_naive_forecast_earns_the_published_scores_of_the_m4_competition(shared):
    df = pd.read_parquet(shared / "data/forecasting/m4_hourly.parquet", columns=["unique_id", "ds", "y"])
    result = backtest(SeasonalNaive(horizon=48), df, windows=1, metrics=["smape", "mase", "coverage_80"])
    assert len(result.scores) == 3 * 414 and result.failures.empty
    summary = result.summary().iloc[0]
    assert summary["smape"] == pytest.approx(0.13912, abs=5e-6)
    assert summary["mase"] == pytest.approx(1.193, abs=5e-4)


def test_models_of_different_horizons_are_refused_by_name():
    with pytest.raises(ValueError, match="'a' 4, 'b' 5"):
        backtest({"a": Walk(horizon=4), "b": Walk(horizon=5)}, frame())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"windows": 0}, ValueError, "windows must be a whole number of 1 or more, not 0"),
        ({"step": 0}, ValueError, "step must be"),
        ({"refit": 0}, ValueError, "refit must be"),
        ({"n_samples": 1.5}, ValueError, "n_samples must be"),
        ({"metrics": []}, ValueError, "metrics is empty"),
        ({"metrics": ["crsp"]}, ValueError, "crsp"),
        ({"metrics": ["crps", "energy_score"]}, ValueError, "energy_score.*leave it out"),
        ({"quantiles": [0.5, 1]}, ValueError, r"quantiles\[1\] must be a number in \(0, 1\), not 1.0"),
        ({"engine": "lokal"}, ValueError, "local, ray, dask, spark"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be"),
    ],
)
def test_a_setting_out_of_range_is_refused_at_once(change, error, words):
    with pytest.raises(error, match=words):
        backtest(Walk(), frame(), **change)
    assert Walk.calls == []


@pytest.mark.parametrize("models", [{}, {"a": "naive"}, {"a": Walk}, {1: Walk()}])
def test_an_object_that_is_no_forecaster_is_refused(models):
    with pytest.raises((TypeError, ValueError), match="models"):
        backtest(models, frame())


def test_a_column_that_the_result_also_has_is_refused():
    with pytest.raises(DataError, match="column 'model'"):
        backtest(Walk(), frame().rename(columns={"unique_id": "model"}), id_col="model")


def test_numbers_do_not_depend_on_processes(tmp_path):
    models = {"theta": Theta(horizon=4, season_length=1), "naive": SeasonalNaive(horizon=4)}
    alone = backtest(models, frame(), windows=3, refit=2)
    same(alone, backtest(models, frame(), windows=3, refit=2, n_jobs=2))
    same(alone, backtest(models, frame(), windows=3, refit=2, n_jobs=2, out=tmp_path / "run"))


def test_numbers_do_not_depend_on_other_models_or_their_order():
    alone = backtest({"b": Walk()}, frame(), windows=2)
    both = backtest({"a": Walk(), "b": Walk()}, frame(), windows=2)
    mine = both.forecasts[both.forecasts["model"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.forecasts, check_exact=True)
    other = both.forecasts[both.forecasts["model"] == "a"].reset_index(drop=True)
    assert not np.allclose(other["mean"], mine["mean"])


def test_the_progress_bar_is_shown_when_asked_and_counts_windows(capsys):
    backtest({"a": Walk(), "b": Walk()}, frame(), windows=2, verbose=True)
    assert "4/4" in capsys.readouterr().err
    backtest(Walk(), frame(), windows=2)
    assert capsys.readouterr().err == ""


def test_scaled_scores_take_the_season_that_is_given(tmp_path):
    rng = np.random.default_rng(0)
    y = 10 * np.tile(np.arange(12.0), 8) + rng.normal(size=96)
    df = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2015-01-01", periods=96, freq="MS"), "y": y})

    def mase(**more):
        result = backtest({"walk": Walk()}, df, windows=2, metrics=["mase"], **more)
        return result.tables["scores"]["value"].mean()

    assert mase(season_length=12) == mase() > 2 * mase(season_length=1)
    backtest({"walk": Walk()}, df, windows=2, out=tmp_path / "run")
    assert mase(season_length=12, out=tmp_path / "again") == mase()
    backtest({"walk": Walk()}, df, windows=2, out=tmp_path / "run", season_length=12)  # resumes: the same season
    with pytest.raises(ValueError, match="season_length"):
        mase(season_length=0)
