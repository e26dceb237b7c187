"""Forecasts to GluonTS objects and back."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.gluonts import from_gluonts

pytestmark = pytest.mark.usefixtures("needs_gluonts")
START = np.datetime64("2024-01-05T00:00", "ns")
FREQS = ["h", "15min", "D", "B", "W-FRI", "ME", "MS", "QS-JAN", "QE-NOV", "YE-DEC", "YS-APR", "2h", "2D"]


def stamped(freq, tz=None, **kwargs):
    first = pd.date_range("2024-01-05", periods=3, freq=freq).to_numpy().astype("datetime64[ns]")
    values = np.random.default_rng(1).normal(size=(2, 4, 3))
    parts = {"freq": freq, "schema": Schema(tz=tz), **kwargs}
    return Forecast(pd.Index([1, 2]), np.stack([first, first]), values, **parts)


def assert_same(ours, theirs):
    pd.testing.assert_index_equal(ours.ids, theirs.ids)
    np.testing.assert_array_equal(ours.times, theirs.times)
    np.testing.assert_array_equal(ours.values, theirs.values)
    assert (ours.levels, ours.freq, ours.schema, ours.joint) == (
        theirs.levels,
        theirs.freq,
        theirs.schema,
        theirs.joint,
    )


@pytest.mark.parametrize("freq", FREQS)
def test_gluonts_and_back_is_the_same_forecast_at_every_frequency(freq):
    ours = stamped(freq, joint=True)
    theirs = ours.to_gluonts()
    assert [part.item_id for part in theirs] == ["1", "2"]
    np.testing.assert_array_equal(theirs[0].samples, ours.values[0])
    if freq != "B":  # whose periods pandas advises against
        stamp = pd.Timestamp(ours.times[0, 0])
        assert theirs[0].start_date.start_time <= stamp <= theirs[0].start_date.end_time
    assert_same(from_gluonts(theirs), ours)


@pytest.mark.parametrize("freq", ["h", "D", "B", "W-FRI", "MS", "QS-JAN", "YS-APR", "2h"])
def test_a_gluonts_forecast_that_never_was_ours_gets_the_right_stamps(freq):
    theirs = stamped(freq).to_gluonts()
    for part in theirs:
        part.info = None
    back = from_gluonts(theirs)
    np.testing.assert_array_equal(back.times, stamped(freq).times)
    assert back.freq == freq
    assert list(back.ids) == ["1", "2"]


def test_quantile_forecasts_go_to_gluonts_and_back():
    ours = stamped("D", levels=(0.1, 0.25, 0.5, 0.9))
    theirs = ours.to_gluonts()
    assert type(theirs[0]).__name__ == "QuantileForecast"
    np.testing.assert_array_equal(theirs[1].quantile(0.25), ours.values[1, 1])
    assert_same(from_gluonts(theirs), ours)


def test_quantile_forecasts_keep_their_mean_in_gluonts():
    ours = stamped("D", levels=(0.1, 0.25, 0.5, 0.9))
    theirs = ours.to_gluonts()
    for part, mean in zip(theirs, ours.mean, strict=True):
        np.testing.assert_array_equal(part.mean, mean)
        assert not np.array_equal(part.mean, part.quantile(0.5))
    np.testing.assert_array_equal(from_gluonts(theirs).mean, ours.mean)


def test_a_gluonts_forecast_of_a_mean_alone_is_one_draw():
    from gluonts.model.forecast import QuantileForecast

    array = np.array([[5.0, 7.0]])
    theirs = QuantileForecast(array, start_date=pd.Period("2024", "D"), forecast_keys=["mean"])
    forecast = from_gluonts([theirs, theirs])
    assert forecast.levels is None
    np.testing.assert_array_equal(forecast.mean, np.tile(array, (2, 1)))


def test_zones_and_integer_time_survive_gluonts():
    ours = stamped("h", tz="Europe/Berlin")
    assert str(ours.to_gluonts()[0].start_date) == "2024-01-05 01:00"
    assert_same(from_gluonts(ours.to_gluonts()), ours)
    whole = Forecast(pd.Index(["s0", "s1"]), np.array([[10, 11]] * 2), np.ones((2, 3, 2)), freq=5)
    assert whole.to_gluonts()[0].start_date == pd.Period("1970-01-03", "D")
    assert_same(from_gluonts(whole.to_gluonts()), whole)


def test_a_multivariate_gluonts_forecast_becomes_one_joint_forecast():
    from gluonts.model.forecast import SampleForecast

    samples = np.arange(24.0).reshape(4, 3, 2)
    forecast = from_gluonts([SampleForecast(samples, start_date=pd.Period("2024-01", "M"), item_id="x")])
    assert forecast.joint
    assert list(forecast.ids) == ["x_0", "x_1"]
    np.testing.assert_array_equal(forecast.values[1], samples[:, :, 1])


def test_a_mean_among_gluonts_keys_is_left_out():
    from gluonts.model.forecast import QuantileForecast

    array = np.array([[5.0], [9.0], [1.0]])
    theirs = QuantileForecast(array, start_date=pd.Period("2024", "D"), forecast_keys=["mean", "p90", "0.1"])
    forecast = from_gluonts([theirs])
    assert forecast.levels == (0.1, 0.9)
    assert forecast.values.ravel().tolist() == [1.0, 9.0]
    assert forecast.ids.tolist() == [0]


def test_gluonts_objects_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        from_gluonts([])
    with pytest.raises(ValueError, match="differ in"):
        from_gluonts(stamped("D").to_gluonts() + stamped("h").to_gluonts())
    with pytest.raises(ValueError, match="got int"):
        from_gluonts([3])
    with pytest.raises(ValueError, match="no period for frequency 'SME-15'"):
        replace(stamped("D"), freq="SME-15").to_gluonts()
    with pytest.raises(ValueError, match="does not know its frequency"):
        replace(stamped("D"), grid=None).to_gluonts()


def test_gluonts_forecast_objects_do_not_load_torch():
    code = (
        "import sys, numpy, pandas; from tsformers.data.forecast import Forecast;"
        "from tsformers.data.gluonts import from_gluonts;"
        "f = Forecast(pandas.Index(['a']), numpy.array([[1]]), numpy.ones((1, 2, 1)), freq=1);"
        "assert 'gluonts' not in sys.modules and 'matplotlib' not in sys.modules;"
        "from_gluonts(f.to_gluonts()); print([m for m in ('torch', 'lightning') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
