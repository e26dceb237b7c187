"""Windows at which models are fitted, and the rows that they are given before a cutoff."""

import numpy as np
import pytest

from tsformers.compose.ensemble import Ensemble
from tsformers.compose.pipeline import Pipeline
from tsformers.data.panel import Panel
from tsformers.evaluation.origins import rolling_origins
from tsformers.evaluation.refits import fit_windows, is_local
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.linear import Linear
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.forecasters.theta import Theta
from tsformers.preprocessing.scale import Scale

from .conftest import Walk, frame, of


@pytest.mark.parametrize(
    ("model", "local"),
    [
        (Theta(horizon=2), True),
        (Pipeline([Scale()], Theta(horizon=2)), True),
        (Ensemble([Theta(horizon=2), SeasonalNaive(horizon=2)]), True),
        (Ensemble([Theta(horizon=2), Linear(horizon=2)]), False),
        (Pipeline([], Linear(horizon=2)), False),
        (Walk(), False),
    ],
)
def test_a_model_is_local_where_all_of_its_parts_are(model, local):
    assert is_local(model) is local


def test_local_models_are_fitted_at_every_cutoff_and_others_once():
    origins = rolling_origins(Panel.from_frame(frame()), horizon=4, windows=3, step=4)
    assert fit_windows(origins, Theta(horizon=4), "local") == [0, 1, 2]
    assert fit_windows(origins, Walk(), "local") == [0]
    assert fit_windows(origins, Walk(), True) == [0, 1, 2]


def test_a_backtest_refits_local_models_alone():
    models = {"walk": Walk(), "naive": SeasonalNaive(horizon=4)}
    result = backtest(models, frame(), windows=3, refit="local", metrics=["mae"])
    every = backtest(models, frame(), windows=3, refit=True, metrics=["mae"])
    once = backtest(models, frame(), windows=3, refit=False, metrics=["mae"])
    assert len(of("fit")) == 1 + 3 + 1
    wide = [each.scores.pivot_table(index="model", columns="cutoff", values="value") for each in (result, every, once)]
    assert wide[0].loc["walk"].equals(wide[2].loc["walk"])
    assert np.allclose(wide[0].loc["naive"], wide[1].loc["naive"])


def test_models_are_given_so_many_rows_and_scales_are_of_all():
    rows = frame((40, 30))
    result = backtest(Walk(), rows, windows=2, history_rows=7, metrics=["mase", "mae"])
    assert {tuple(panel.lengths) for _, panel, _ in Walk.calls} == {(7, 7)}
    y = rows.loc[rows["unique_id"] == "s0", "y"].to_numpy()[:32]
    scores = result.scores[(result.scores["unique_id"] == "s0") & (result.scores["cutoff"] == 31)].set_index("metric")
    assert scores["value"]["mae"] / scores["value"]["mase"] == pytest.approx(np.abs(np.diff(y)).mean())


def test_rows_before_the_history_that_is_given_do_not_make_a_window():
    rows = frame((40, 40))
    rows.loc[(rows["unique_id"] == "s1") & rows["ds"].between(20, 35), "y"] = np.nan
    with pytest.warns(UserWarning, match="too short"):
        result = backtest(Walk(), rows, windows=1, history_rows=7, metrics=["mae"])
    assert result.scores["unique_id"].tolist() == ["s0"]


def test_a_run_of_other_history_is_not_resumed(tmp_path):
    for rows in (None, 7):
        try:
            backtest(Walk(), frame(), windows=1, history_rows=rows, out=tmp_path / "run", metrics=["mae"])
        except ValueError as error:
            assert rows == 7 and "history_rows was None, now 7" in str(error)
            return
    pytest.fail("the second run was not refused")


def test_processor_seconds_are_kept_beside_those_of_the_clock(tmp_path):
    result = backtest(SeasonalNaive(horizon=4), frame(), windows=2, out=tmp_path / "run", metrics=["mae"])
    table = result.tables["seconds"]
    assert table.columns.tolist() == ["model", "window", "fit", "predict", "fit_cpu", "predict_cpu"]
    assert table["fit_cpu"][0] > 0 == table["fit_cpu"][1] and (table["predict_cpu"] > 0).all()
    again = backtest(SeasonalNaive(horizon=4), frame(), windows=2, out=tmp_path / "run", metrics=["mae"])
    assert again.tables["seconds"].equals(table)
