"""Backtests of models that fail: in fit, in predict, with a wrong forecast, or by leaving series out."""

import json

import numpy as np
import pandas as pd
import pytest

from tsformers.data.forecast import Forecast
from tsformers.errors import JobError
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import FRAMES, Moody, Walk, frame, same


def test_a_model_that_fails_is_recorded_and_does_not_stop_the_others(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(Moody, "bad", (32,))
    models = {"moody": Moody(), "naive": SeasonalNaive(horizon=4)}
    result = backtest(models, frame(), windows=3, out=tmp_path / "run")
    assert list(result.failures.columns) == ["model", "cutoff", "error"]
    assert result.failures.to_numpy().tolist() == [["moody", 31, "RuntimeError: not today"]]
    assert "model 'moody' failed in 1 of" in caplog.text
    assert result.forecasts.groupby("model")["cutoff"].nunique().to_dict() == {"moody": 6, "naive": 7}
    summary = result.summary().set_index("model")
    assert summary["failures"].to_dict() == {"moody": 1, "naive": 0}
    assert summary["windows"].to_dict() == {"moody": 2, "naive": 3}
    kept = json.loads((tmp_path / "run/failures/moody/1.json").read_text())
    assert "in predict" in kept["traceback"]
    monkeypatch.setattr(Moody, "bad", ())
    again = backtest(models, frame(), windows=3, out=tmp_path / "run")
    assert again.failures.empty and not (tmp_path / "run/failures/moody/1.json").exists()
    same(again, backtest(models, frame(), windows=3))


def test_a_model_that_cannot_be_fitted_fails_in_all_windows_and_ranks_last():
    class Broken(Walk):
        def fit(self, data, **roles):
            raise ValueError("no")

    result = backtest({"broken": Broken(), "walk": Walk()}, frame(), windows=2)
    assert result.failures["error"].tolist() == ["ValueError: no"] * 2
    assert result.summary()["model"].tolist() == ["walk", "broken"]
    alone = backtest(Broken(), frame(), windows=2)
    assert alone.forecasts.empty and alone.scores.empty
    assert np.isnan(alone.summary()["crps"]).all()
    assert list(alone.scores.columns) == list(result.scores.columns)


@pytest.mark.parametrize("place", ["fit", "predict"])
def test_a_model_that_raises_SystemExit_is_a_failure_like_others(place):
    class Leaver(Walk):
        pass

    def leave(*_, **__):
        raise SystemExit(3)

    setattr(Leaver, place, leave)
    result = backtest({"leaver": Leaver(), "walk": Walk()}, frame(), windows=2)
    assert result.failures["error"].tolist() == ["SystemExit: 3"] * 2
    assert result.summary()["model"].tolist() == ["walk", "leaver"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.select([0, 1]), "lacks series 's2'"),
        (lambda f: Forecast(f.ids, f.times[:, :3], f.values[:, :, :3]), "3 steps"),
        (lambda f: Forecast(f.ids, f.times + 1, f.values), "begins at 37; .* comes 36"),
    ],
)
def test_a_forecast_of_something_else_is_a_failure(spoil, message):
    class Odd(Walk):
        def predict(self, data=None, **options):
            return spoil(super().predict(data, **options))

    result = backtest(Odd(), frame(), windows=1)
    assert len(result.failures) == 1
    assert result.failures["error"].str.contains(message).all(), result.failures["error"][0]


# series left out


class Picky(Walk):
    """Leaves out the series that have less than ``least`` rows."""

    def __init__(self, horizon=4, spread=1.0, seed=None, least=30):
        super().__init__(horizon, spread, seed)
        self.least = least

    def predict(self, data=None, **options):
        forecast = super().predict(data, **options)
        return forecast.select(np.flatnonzero(data.lengths >= self.least))


def test_with_short_drop_a_model_may_leave_out_series_and_the_rest_is_scored(tmp_path):
    models = {"picky": Picky(), "naive": SeasonalNaive(horizon=4)}
    with pytest.warns(UserWarning, match="'picky' left out series .'s1', 's2'.* 3 times in all"):
        result = backtest(models, frame(), windows=2, short="drop", out=tmp_path / "run")
    assert result.failures.empty
    assert list(result.left_out.columns) == ["model", "unique_id", "cutoff"]
    assert result.left_out.to_numpy().tolist() == [["picky", "s1", 28], ["picky", "s2", 24], ["picky", "s2", 28]]
    kept = result.scores[(result.scores["model"] == "picky") & (result.scores["metric"] == "crps")]
    assert kept[["unique_id", "cutoff"]].to_numpy().tolist() == [["s0", 31], ["s0", 35], ["s1", 32]]
    crps = result.scores[result.scores["metric"] == "crps"].set_index(["unique_id", "cutoff"])
    both = crps[crps["model"] == "picky"][["value"]].join(crps[crps["model"] == "naive"]["value"].rename("base"))
    means = both.groupby(level="unique_id").mean()
    summary = result.summary().set_index("model")
    assert summary.loc["picky", "skill"] == pytest.approx(1 - np.exp(np.log(means["value"] / means["base"]).mean()))
    assert summary["windows"].to_dict() == {"picky": 2, "naive": 2}
    assert "<h2>Left out</h2>" in result.to_html(tmp_path / "report.html").read_text()
    with pytest.warns(UserWarning, match="'picky' left out"):
        again = backtest(models, frame(), windows=2, short="drop", out=tmp_path / "run")
    same(result, again, (*FRAMES, "left_out"))
    with pytest.raises(JobError, match="short was drop, now None"):
        backtest(models, frame(), windows=2, out=tmp_path / "run")


def test_a_model_that_leaves_out_everything_or_was_not_allowed_to_fails():
    result = backtest({"picky": Picky()}, frame(), windows=1)
    assert result.failures["error"].tolist() == ["ValueError: the forecast lacks series 's2'"]
    assert result.left_out.empty
    result = backtest({"picky": Picky(least=99)}, frame(), windows=1, short="drop")
    assert "lacks series 's0'" in result.failures["error"][0]


def test_one_short_series_does_not_stop_a_deep_model():
    from tsformers.forecasters.linear import Linear

    young = frame((12,)).assign(unique_id="young")
    df = pd.concat([frame((60, 60)), young])
    models = {"deep": Linear(horizon=4, context_length=8, max_steps=2), "naive": SeasonalNaive(horizon=4)}
    with pytest.warns(UserWarning):
        result = backtest(models, df, windows=2, short="drop")
    assert result.failures.empty
    assert result.left_out["unique_id"].tolist() == ["young"]
    assert result.summary().set_index("model").loc["deep", "windows"] == 2
    with pytest.warns(UserWarning, match="too short for all windows"):
        result = backtest(models, df, windows=3)
    assert set(result.failures["model"]) == {"deep"}
