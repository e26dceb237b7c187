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
        "model", "coverage_80", "mae", "skill", "windows", "failures", "fit_seconds", "predict_seconds",
    ]  # fmt: skip
    assert summary["mae"].tolist() == [6.0, 5.0, 7.0]
