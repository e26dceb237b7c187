"""Observed values and histories meet the forecast: joins by id and time, and where histories end."""

import numpy as np
import pandas as pd
import pytest

from tsformers import scoring
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.scoring.table import score

from .conftest import EVERY, IDS, PAST, STAMPS, H, N, S, long


def test_rows_may_come_in_any_order_and_more_than_needed(forecast, values):
    frame = long(values)
    others = long(values, ids=pd.Index(["x", "y", "z"]))
    jumbled = pd.concat([others, frame]).sample(frac=1, random_state=0)
    expected = score(forecast, values[:, PAST:], metrics=["crps", "mae"])
    pd.testing.assert_frame_equal(score(forecast, jumbled, metrics=["crps", "mae"]), expected)


def test_a_missing_row_is_as_good_as_nan(forecast, values):
    frame = long(values)
    gone = frame[~((frame["unique_id"] == "a") & (frame["ds"] == STAMPS[-1]))]
    y = values[:, PAST:].copy()
    y[0, -1] = np.nan
    pd.testing.assert_frame_equal(score(forecast, gone), score(forecast, y))
    only_b = score(forecast, frame[frame["unique_id"] == "b"], metrics="mae", by="unique_id")
    assert np.isnan(only_b["value"]).tolist() == [True, False, True]


def test_a_panel_scores_like_its_frame(forecast, values):
    panel = Panel.from_frame(long(values), freq="D")
    expected = score(forecast, long(values), long(values), EVERY)
    pd.testing.assert_frame_equal(score(forecast, panel, panel, EVERY), expected)


def test_the_history_ends_before_the_forecast_whatever_is_given(forecast, values):
    spoiled = values.copy()
    spoiled[:, PAST:] *= 100
    names = ["mase", "msis", "rmsse", "owa"]
    expected = score(forecast, long(values), long(values, slice(0, PAST)), names)
    pd.testing.assert_frame_equal(score(forecast, long(values), long(spoiled), names), expected)


def test_histories_of_different_lengths_and_ends_keep_apart(forecast, values):
    frame = long(values)
    rank = frame.groupby("unique_id").cumcount()
    uneven = frame[(frame["unique_id"] != "b") | (rank >= 20)]
    found = score(forecast, frame, uneven, "mase", by="unique_id", season_length=1)["value"]
    y = values[:, PAST:]
    short = scoring.mase(y[1:2], forecast.median[1:2], values[1:2, 20:PAST])
    whole = scoring.mase(y, forecast.median, values[:, :PAST], axis=-1)
    np.testing.assert_allclose(found, [whole[0], short, whole[2]])


def test_each_history_ends_at_its_own_series_first_step(forecast, values):
    times = forecast.times.copy()
    times[1] -= np.timedelta64(10, "D")
    shuffled = Forecast(IDS, times, forecast.values, freq="D").select(np.array([1, 2, 0]))
    found = score(shuffled, values[[1, 2, 0], PAST:], long(values), "mase", by="unique_id", season_length=1)
    y = values[:, PAST:]
    early = scoring.mase(y[1], forecast.median[1], values[1, : PAST - 10])
    rest = scoring.mase(y, forecast.median, values[:, :PAST], axis=-1)
    assert found["unique_id"].tolist() == ["b", "c", "a"]
    np.testing.assert_allclose(found["value"], [early, rest[2], rest[0]])


def test_stamps_with_a_time_zone_meet_in_any_zone(rng, values):
    local = pd.date_range("2024-03-29", periods=H, freq="D", tz="Europe/Berlin")  # the clock changes on the 31st
    utc = np.tile(local.tz_convert("UTC").tz_localize(None).to_numpy(), (N, 1))
    forecast = Forecast(IDS, utc, rng.lognormal(size=(N, S, H)), freq="D", schema=Schema(tz="Europe/Berlin"))
    y = values[:, PAST:]
    for zone in ("Europe/Berlin", "America/New_York"):
        frame = long(y, stamps=local.tz_convert(zone))
        pd.testing.assert_frame_equal(score(forecast, frame), score(forecast, y))
    with pytest.raises(DataError, match="time zone"):
        score(forecast, long(y, stamps=local.tz_localize(None)))


def test_integer_time_works_as_dates_do(rng, values):
    steps = np.arange(PAST + H)
    forecast = Forecast(pd.Index([7, 8, 9]), np.tile(steps[PAST:], (N, 1)), rng.lognormal(size=(N, S, H)), freq=1)
    frame = long(values, ids=forecast.ids, stamps=steps)
    expected = score(forecast, values[:, PAST:], metrics=["mae", "crps"])
    pd.testing.assert_frame_equal(score(forecast, frame, metrics=["mae", "crps"]), expected)
    assert np.isfinite(score(forecast, frame, frame, "mase")["value"][0])
    with pytest.raises(DataError, match="holds times without a time zone, the data of fit held whole numbers"):
        score(forecast, long(values, ids=forecast.ids))
