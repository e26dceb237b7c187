"""No local model leaves the size of the data on any real panel: median and 95 % ends, with default settings."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.datasets.load import recipes

SERIES, ROWS, LONGEST_HORIZON = 200, 1000, 48
WIDEST = 10.0  # of max(range, mean |y|)
MODELS = {
    "AutoETS": tsf.AutoETS,
    "AutoARIMA": tsf.AutoARIMA,
    "HoltWinters": tsf.HoltWinters,
    "Theta": tsf.Theta,
    "SeasonalNaive": tsf.SeasonalNaive,
}
REAL = {recipe.name: recipe for recipe in recipes() if "SYNTHETIC" not in recipe.title}


def panels_of(name):
    """The last rows of up to 200 series, and their horizon and season: several panels where steps differ."""
    recipe = REAL[name]
    try:
        data = tsf.load_dataset(name)[["unique_id", "ds", "y"]]
    except (tsf.DataError, ValueError, FileNotFoundError) as error:
        pytest.skip(f"{name} is not here: {error}")
    ids = data.unique_id.unique()
    chosen = np.random.default_rng(0).permutation(ids)[:SERIES]
    data = data[data.unique_id.isin(chosen)].groupby("unique_id", sort=False).tail(ROWS)
    horizons = recipe.benchmark.horizons if recipe.benchmark else []
    horizon = min([*horizons, LONGEST_HORIZON][0], LONGEST_HORIZON) if horizons else 24
    season = (recipe.season or 1) if recipe.frequency == 1 else None
    if recipe.frequency != "mixed":
        return [data], horizon, season
    return [one for _, one in data.groupby("unique_id", sort=False)], horizon, season


def out_of_size(forecast, data):
    """Ids whose median or 95 % ends lie further outside the history than ten times its size."""
    groups = data.groupby("unique_id").y
    least, greatest, mean = groups.min(), groups.max(), data.y.abs().groupby(data.unique_id).mean()
    size = WIDEST * np.maximum(greatest - least, mean)
    low, high = (least - size)[forecast.ids].to_numpy(), (greatest + size)[forecast.ids].to_numpy()
    ends = forecast.quantile((0.025, 0.5, 0.975))
    wrong = ~np.isfinite(ends).all((1, 2)) | (ends.min((1, 2)) < low) | (ends.max((1, 2)) > high)
    return forecast.ids[wrong].tolist()


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TSFORMERS_DATA"), reason="TSFORMERS_DATA names no folder of data")
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("model", MODELS)
def test_forecasts_of_real_panels_keep_to_the_size_of_the_data(model, name):
    parts, horizon, season = panels_of(name)
    forecasts = 0
    for data in parts:
        kind = MODELS[model](horizon=horizon, season_length=season, seed=0, n_jobs=1, verbose=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                panel = tsf.Panel.from_frame(data, short="drop")
            except tsf.DataError:  # stamps on no grid
                continue
            forecast = kind.fit(panel).predict()
        forecasts += forecast.n_series
        assert not out_of_size(forecast, data.dropna()), model
    assert forecasts or len(parts) > 1, f"{name}: no series could be read"


def test_a_forecast_outside_is_found():
    data = pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": [0, 1, 0, 1], "y": [1.0, 2.0, 1.0, 2.0]})
    values = np.array([[[2.0], [3.0], [30.0]], [[-2.0], [1.0], [16.0]]])
    forecast = tsf.Forecast(pd.Index(["a", "b"]), np.array([[2], [2]]), values, levels=(0.025, 0.5, 0.975))
    assert out_of_size(forecast, data) == ["a"]
