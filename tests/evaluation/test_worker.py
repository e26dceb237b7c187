"""Workers: failures are recorded, copies are fitted, open seeds are filled."""

import json

import numpy as np
import pandas as pd
import pytest

from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import Moody, Walk, frame, same


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


def test_open_seeds_are_filled_and_chosen_seeds_kept(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        Walk, "fit", lambda self, data, **_: seeds.append(self.seed) or setattr(self, "level_", 0) or self
    )
    for seed in (0, 0, 1, None):
        backtest({"open": Walk(), "chosen": Walk(seed=7)}, frame(), windows=1, seed=seed)
    assert seeds[0] == seeds[2] != seeds[4] and seeds[1::2] == [7] * 4
    assert seeds[6] is None and isinstance(seeds[0], int)


def test_the_callers_forecaster_stays_unfitted_and_its_frame_unchanged():
    model, df = Walk(), frame()
    before = df.copy(deep=True)
    backtest(model, df, windows=2)
    assert not hasattr(model, "level_")
    pd.testing.assert_frame_equal(df, before)
