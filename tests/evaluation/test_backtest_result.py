"""Results in the caller's own type of frame."""

import numpy as np
import pandas as pd
import polars as pl

from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive


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
