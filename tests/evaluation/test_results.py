"""Backtests summed up: skill against a reference, and the ranking of models."""

import numpy as np
import pytest

from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import Moody, Walk, frame


def test_skill_is_one_minus_the_geometric_mean_of_ratios_and_zeros_decide_nothing():
    result = backtest({"naive": Walk(), "m": Walk()}, frame((20, 20)), windows=1, metrics=["mae"])
    table = result.tables["scores"]
    table["value"] = [1.0, 4.0, 0.5, 1.0]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(0.5 * 0.25))
    assert result.skill("mae")["naive"] == 0
    table["value"] = [0.0, 1.0, 0.0, 0.5]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(1 * 0.5))
    table["value"] = [0.0, 1.0, 3.0, 0.0]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(100 * 0.01))
    table["value"] = [1.0, 1.0, np.nan, 0.5]
    assert result.skill("mae")["m"] == pytest.approx(0.5)
    table["value"] = [-1.0, 1.0, 1.0, 0.5]
    assert np.isnan(result.skill("mae")["m"])


def test_skill_counts_only_windows_that_both_models_finished(monkeypatch):
    monkeypatch.setattr(Moody, "bad", (16,))
    result = backtest({"naive": Walk(), "m": Moody()}, frame((20, 20)), windows=2, metrics=["mae"])
    table = result.tables["scores"].set_index(["model", "window", "series"]).sort_index()
    ratio = table.loc[("m", 0), "value"] / table.loc[("naive", 0), "value"]
    assert len(table.loc["m"]) == 2
    assert result.skill("mae")["m"] == pytest.approx(1 - np.exp(np.log(ratio).mean()))


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        (["a", "seasonal"], "seasonal"),
        (["a", "NaiveWalk"], "NaiveWalk"),
        (["naive_walk", "seasonal"], "seasonal"),
        (["b", "a"], "b"),
    ],
)
def test_skill_is_measured_against_the_first_seasonal_naive_or_what_is_called_so(names, reference):
    models = {name: SeasonalNaive(horizon=4) if name == "seasonal" else Walk() for name in names}
    assert backtest(models, frame(), windows=1).reference == reference


def test_the_summary_ranks_by_the_first_metric_and_coverage_by_its_distance():
    result = backtest({"a": Walk(), "b": Walk(), "c": Walk()}, frame((20,)), windows=1, metrics=["coverage_80", "mae"])
    table = result.tables["scores"]
    table["value"] = [1.0, 5.0, 0.75, 6.0, 0.2, 7.0]
    summary = result.summary()
    assert summary["model"].tolist() == ["b", "a", "c"]
    assert summary.columns.tolist() == [
        "model", "coverage_80", "mae", "skill", "median_skill", "win_rate", "windows", "failures", "fit_seconds",
        "predict_seconds",
    ]  # fmt: skip
    assert summary["mae"].tolist() == [6.0, 5.0, 7.0]


def test_the_table_of_skill_has_the_order_of_the_ranking_and_the_best_is_tested_against():
    models = {"naive": Walk(), "a": Walk(spread=3.0), "b": Walk(spread=0.5)}
    result = backtest(models, frame(), windows=3, metrics=["crps", "mae"])
    table = result.skill_table()
    assert table["model"].tolist() == result.summary()["model"].tolist()
    assert table.columns.tolist() == [
        "model", "skill", "skill_low", "skill_high", "median_skill", "win_rate", "clipped", "series", "dm", "p_value",
    ]  # fmt: skip
    assert np.isnan(table["p_value"][0]) and (table["dm"][1:] > 0).all()
    assert (table["skill_low"] <= table["skill"]).all() and (table["skill"] <= table["skill_high"]).all()
    with pytest.raises(ValueError, match="no metric 'rmse'; it has crps, mae"):
        result.skill_table("rmse")


def test_windows_that_overlap_count_as_correlated():
    models = {"naive": Walk(), "b": Walk(spread=0.5)}
    apart, close = (backtest(models, frame((60,)), windows=6, step=step, metrics=["crps"]) for step in (4, 2))
    for result in (apart, close):
        result.tables["scores"]["value"] = [5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 2.0, 3.0, 3.0, 2.0, 2.0]
    p = [result.skill_table().set_index("model")["dm"]["naive"] for result in (apart, close)]
    assert p[1] < p[0]


def test_the_table_of_skill_is_of_the_callers_type():
    import polars as pl

    assert isinstance(backtest(Walk(), pl.from_pandas(frame()), windows=1).skill_table(), pl.DataFrame)
