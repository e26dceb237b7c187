"""Series that models left out of windows."""

import numpy as np
import pandas as pd
import pytest

from tsformers.errors import JobError
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import FRAMES, Walk, frame, same


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
