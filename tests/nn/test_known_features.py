"""Features of known columns: what they are made of, and that the response is their weighted sum."""

import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.features import time_features
from tsformers.calendar.grid import parse
from tsformers.nn.known_features import clock, different_times, learn_features


def known_rows(freq, n=300, columns=3, seed=0):
    rng = np.random.default_rng(seed)
    times = np.arange(n) if freq == 1 else pd.date_range("2023-01-01", periods=n, freq=freq).to_numpy().astype("M8[ns]")
    values = np.concatenate([rng.normal(size=(n, columns - 1)), rng.integers(0, 2, (n, 1))], axis=1)
    return np.concatenate([time_features(times, parse(freq)), values], axis=1)


FREQUENCIES = ["s", "30min", "h", "D", "W", "ME", 1]


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_the_response_is_the_features_times_their_coefficients(freq):
    known = known_rows(freq)
    features = learn_features(known, known.shape[1] - 3)
    matrix = features.matrix(known)
    coefficients = np.random.default_rng(1).normal(size=matrix.shape[1])
    np.testing.assert_allclose(features.response(known, coefficients), matrix @ coefficients, atol=1e-10)
    windows = known.reshape(10, 30, -1)
    np.testing.assert_array_equal(features.matrix(windows), matrix.reshape(10, 30, -1))


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_functions_of_the_calendar_are_read_from_a_table_of_times(freq):
    calendar = known_rows(freq)[:, :-3]
    rows, time = different_times(calendar)
    for part, table in zip(clock(calendar), clock(rows), strict=True):
        np.testing.assert_array_equal(part, table[time])


def test_an_hour_and_a_weekday_and_a_season_are_told_apart():
    times = np.array(["2024-01-01T00", "2024-01-01T12", "2024-01-06T00", "2024-07-01T00"], dtype="M8[ns]")
    _, narrow = clock(time_features(times, parse("h")))
    distances = np.abs(narrow[:, None] - narrow[None]).max(-1)
    assert distances[~np.eye(4, dtype=bool)].min() > 0.5


def test_a_square_is_a_spline_nearly_and_beyond_what_was_observed_it_stops():
    x = np.random.default_rng(0).normal(size=(2000, 1))
    features = learn_features(x, 0)
    matrix = np.concatenate([np.ones((len(x), 1)), features.matrix(x)], axis=1)
    fitted = matrix @ np.linalg.lstsq(matrix, x[:, 0] ** 2, rcond=None)[0]
    assert np.abs(fitted - x[:, 0] ** 2).mean() < 0.2 * np.abs(x[:, 0] ** 2 - 1).mean()
    np.testing.assert_array_equal(features.matrix(np.array([[50.0]])), features.matrix(np.array([[500.0]])))


def test_columns_that_do_not_vary_are_not_read_and_binary_ones_have_no_knots():
    known = known_rows("D")
    known[:, 4] = 7.0
    features = learn_features(known, 3)
    assert features.used.tolist() == [3, 5]
    assert np.isnan(features.knots[1]).all() and not np.isnan(features.knots[0]).any()
