"""Backtests: models read nothing after a cutoff, and numbers do not depend on engine, processes or order."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.forecast import Forecast
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


def test_the_crps_of_steps_averages_to_the_crps_score_and_mae_belongs_to_the_forecast():
    result = backtest(Walk(), frame(), windows=2, metrics=["crps", "coverage_80"], quantiles=(0.1, 0.5, 0.9))
    keys = ["unique_id", "cutoff"]
    steps, scores = result.forecasts, result.scores.set_index(["metric", *keys])["value"]
    pd.testing.assert_series_equal(steps.groupby(keys)["crps"].mean(), scores["crps"].sort_index(), check_names=False)
    inside = (steps["y"] >= steps["q0.1"]) & (steps["y"] <= steps["q0.9"])
    covered = inside.groupby([steps[key] for key in keys]).mean()
    pd.testing.assert_series_equal(covered, scores["coverage_80"].sort_index(), check_names=False)
    assert steps["pit"].between(0, 1).all()


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


def test_the_callers_forecaster_stays_unfitted_and_its_frame_unchanged():
    model, df = Walk(), frame()
    before = df.copy(deep=True)
    backtest(model, df, windows=2)
    assert not hasattr(model, "level_")
    pd.testing.assert_frame_equal(df, before)


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


# short series


def test_windows_that_a_series_is_too_short_for_are_left_out_with_one_warning():
    with pytest.warns(UserWarning, match=r"1 of 3 series \('s2'\) .* 2 of their windows .* 14 rows") as caught:
        result = backtest({"walk": Walk(), "other": Walk()}, frame((40, 37, 9)), windows=3)
    assert len(caught) == 1
    assert result.scores.groupby(["model", "unique_id"])["cutoff"].nunique().tolist() == [3, 3, 1, 3, 3, 1]


def test_a_series_that_joins_late_brings_a_new_fit_at_its_first_window():
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 37, 13)), windows=3)
    assert [panel.n_series for _, panel, _ in of("fit")] == [2, 3]
    assert [panel.n_series for _, panel, _ in of("predict")] == [2, 3, 3]


def test_static_covariates_go_with_their_series():
    static = pd.DataFrame({"unique_id": ["s0", "s1", "s2"], "size": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 9, 37)), windows=2, static=static)
    assert [panel.static["size"].tolist() for _, panel, _ in of("predict")] == [[1.0, 3.0], [1.0, 2.0, 3.0]]


def test_when_no_series_is_long_enough_the_message_states_the_length_needed():
    with pytest.raises(DataError, match=r"needs 6 rows.*10 rows for 2 windows.*longest series has 5"):
        backtest(Walk(), frame((5, 4)), windows=2)


def test_missing_values_before_a_cutoff_do_not_count_as_history():
    df = frame((12,))
    df.loc[:7, "y"] = np.nan
    with pytest.raises(DataError, match="no series is long enough"):
        backtest(Walk(), df, windows=1, freq=1)


def test_dropping_short_series_is_left_to_the_model_that_can():
    backtest(Walk(), frame(), windows=1, short="drop")
    assert of("fit")[0][2] == {"short": "drop"}


# mistakes


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


# processes and seeds


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


def test_open_seeds_are_filled_and_chosen_seeds_kept(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        Walk, "fit", lambda self, data, **_: seeds.append(self.seed) or setattr(self, "level_", 0) or self
    )
    for seed in (0, 0, 1, None):
        backtest({"open": Walk(), "chosen": Walk(seed=7)}, frame(), windows=1, seed=seed)
    assert seeds[0] == seeds[2] != seeds[4] and seeds[1::2] == [7] * 4
    assert seeds[6] is None and isinstance(seeds[0], int)


# the result


def test_results_have_the_callers_frame_type_and_names(tmp_path):
    days = pd.date_range("2024-03-20", periods=24, freq="D", tz="Europe/Berlin")
    df = pd.DataFrame({"shop": 7, "day": days, "sold": np.arange(24.0)})
    names = {"id_col": "shop", "time_col": "day", "target_col": "sold"}
    result = backtest(SeasonalNaive(horizon=7), df, windows=2, out=tmp_path / "run", **names)
    assert list(result.forecasts.columns[:5]) == ["model", "shop", "day", "cutoff", "sold"]
    assert result.scores["shop"].dtype == df["shop"].dtype
    assert result.forecasts["day"].tolist() == days[-14:].tolist() and result.forecasts["day"].dtype == df["day"].dtype
    assert result.scores["cutoff"].drop_duplicates().tolist() == [days[9], days[16]]
    lazy = backtest(SeasonalNaive(horizon=7), pl.from_pandas(df), windows=2, **names)
    for name in ("scores", "forecasts", "failures"):
        assert isinstance(getattr(lazy, name), pl.DataFrame)
    assert isinstance(lazy.summary(), pl.DataFrame)
    assert lazy.forecasts["mean"].to_list() == result.forecasts["mean"].tolist()


def test_models_that_forecast_quantiles_are_scored_too():
    class Levels(Walk):
        def predict(self, data=None, *, n_samples=100, seed=None, **rest):
            held = super().predict(data, n_samples=n_samples, seed=seed)
            return Forecast(held.ids, held.times, held.quantile((0.1, 0.5, 0.9)), levels=(0.1, 0.5, 0.9))

    result = backtest(Levels(), frame(), windows=2, metrics=["crps"])
    assert np.isfinite(result.scores["value"]).all() and result.forecasts["pit"].between(0, 1).all()
    mean = result.forecasts.groupby(["unique_id", "cutoff"])["crps"].mean().to_numpy()
    assert mean == pytest.approx(result.scores.sort_values(["unique_id", "cutoff"])["value"].to_numpy())


def test_missing_actuals_are_not_scored_and_other_scores_stay_finite():
    df = frame((40,))
    df.loc[38, "y"] = np.nan
    result = backtest(Walk(), df, windows=1)
    assert np.isnan(result.forecasts["crps"]).sum() == 1
    assert np.isfinite(result.scores["value"]).all()


def test_forecasts_in_another_order_of_series_are_put_in_order():
    class Backwards(Walk):
        def predict(self, data=None, **options):
            return super().predict(data, **options).select([2, 1, 0])

    same(backtest({"m": Walk()}, frame(), windows=1), backtest({"m": Backwards()}, frame(), windows=1))


def test_the_progress_bar_is_shown_when_asked_and_counts_windows(capsys):
    backtest({"a": Walk(), "b": Walk()}, frame(), windows=2, verbose=True)
    assert "4/4" in capsys.readouterr().err
    backtest(Walk(), frame(), windows=2)
    assert capsys.readouterr().err == ""
