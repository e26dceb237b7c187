import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.features import FIELDS, feature_names, n_time_features, time_features
from tsformers.calendar.grid import parse

FREQS = [
    "s",
    "10s",
    "min",
    "5min",
    "15min",
    "30min",
    "h",
    "6h",
    "24h",
    "D",
    "2D",
    "7D",
    "B",
    "W-SUN",
    "W-FRI",
    "2W-MON",
]
FREQS += ["MS", "ME", "2MS", "BMS", "BME", "QS-JAN", "QE-DEC", "QS-FEB", "YS-JAN", "YE-DEC", "YS-APR", "SMS-15"]


@pytest.mark.parametrize("name", ["s", "t", "h", "d", "b", "w", "m"])
def test_time_features_are_the_golden_ones_to_1e_12(shared, name):
    """shared/golden/autoformer/embedding.npz, marks of the official time embedding in float64."""
    with np.load(shared / "golden" / "autoformer" / "embedding.npz") as golden:
        times, expected = golden["stamps_unix_seconds"].astype("M8[s]"), golden[f"freq_{name}"]
    freq = {"t": "15min", "d": "D", "b": "B", "w": "W-FRI", "m": "MS"}.get(name, name)
    features = time_features(times, parse(freq))
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-12)
    assert n_time_features(parse(freq)) == expected.shape[-1]


@pytest.mark.parametrize("freq", [*FREQS, 1])
def test_time_features_keep_shape_and_range(freq):
    times = (
        np.arange(12).reshape(3, 4)
        if freq == 1
        else pd.date_range("2023-12-25", periods=12, freq=freq).values.reshape(3, 4)
    )
    features = time_features(times, parse(freq))
    assert features.shape == (3, 4, n_time_features(parse(freq))) and (np.abs(features) <= 0.5).all()


@pytest.mark.usefixtures("needs_gluonts")
@pytest.mark.filterwarnings("ignore::UserWarning")  # of GluonTS, about JSON libraries
@pytest.mark.parametrize("name", FIELDS)
def test_time_features_are_those_of_gluonts_bit_for_bit(name):
    """Every second of a minute, minute of an hour and so on, and every day of 230 years: ISO weeks 53 among them."""
    from gluonts import time_feature

    days = np.arange("1850-01-01", "2080-01-01", dtype="M8[D]").astype("M8[ns]")
    times = np.concatenate([days, days[:4000] + np.arange(4000) * np.timedelta64(86_399, "s")])
    grid = parse({"week_of_year": "W-FRI", "month_of_year": "MS"}.get(name, "s"))
    mine = time_features(times, grid)[..., feature_names(grid).index(name)]
    expected = np.asarray(getattr(time_feature, name)(pd.DatetimeIndex(times)), dtype=np.float64)
    np.testing.assert_array_equal(mine.view(np.int64), expected.view(np.int64))


@pytest.mark.usefixtures("needs_gluonts")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("freq", ["s", "10s", "min", "15min", "h", "6h", "D", "2D", "B", "W-FRI", "MS", "ME", "QS-FEB"])
def test_a_frequency_has_the_features_that_gluonts_gives_it(freq):
    from gluonts.time_feature import time_features_from_frequency_str

    assert feature_names(parse(freq)) == tuple(f.__name__ for f in time_features_from_frequency_str(freq))


def test_time_features_follow_the_wall_clock():
    noon_utc = np.array(["2024-07-01T12:00"], "M8[ns]")
    assert time_features(noon_utc, parse("h", "Europe/Berlin"))[0, 0] == pytest.approx(14 / 23 - 0.5)
