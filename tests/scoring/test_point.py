"""Point scores: by their properties, and on published results of the seasonal naive forecast."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.scoring import mae, mape, mase, mse, nd, nrmse, owa, rmse, rmsse, smape

seeds = st.integers(0, 2**32 - 1)
moderate = settings(max_examples=40, deadline=None)
PLAIN = (mae, mse, rmse, mape, smape, nd, nrmse)


@moderate
@given(seeds, st.floats(0.01, 100))
def test_each_score_has_its_documented_units(seed, scale):
    rng = np.random.default_rng(seed)
    y, f, past = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 9))
    power = {mae: 1, rmse: 1, mse: 2}
    for score in PLAIN:
        expected = scale ** power.get(score, 0) * score(y, f)
        np.testing.assert_allclose(score(scale * y, scale * f), expected, rtol=1e-9)
    for score in (mase, rmsse):
        np.testing.assert_allclose(score(scale * y, scale * f, scale * past, 2), score(y, f, past, 2), rtol=1e-9)
        shifted = score(y + 5, f + 5, past + 5, 2)
        np.testing.assert_allclose(shifted, score(y, f, past, 2), rtol=1e-9)


@moderate
@given(seeds)
def test_missing_entries_are_as_if_they_were_not_there(seed):
    rng = np.random.default_rng(seed)
    y, f = rng.normal(size=12), rng.normal(size=12)
    kept = rng.random(12) < 0.6
    kept[0] = True
    holed = np.where(kept, y, np.nan)
    for score in PLAIN:
        np.testing.assert_allclose(score(holed, f), score(y[kept], f[kept]), rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
def test_averages_run_over_the_axes_asked(rng, axis):
    y, f, past = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 9))
    np.testing.assert_allclose(mae(y, f, axis), np.abs(y - f).mean(axis=axis))
    np.testing.assert_allclose(nd(y, f, axis), np.abs(y - f).sum(axis=axis) / np.abs(y).sum(axis=axis))
    np.testing.assert_allclose(rmse(y, f, axis), np.sqrt(((y - f) ** 2).mean(axis=axis)))
    scale = np.abs(np.diff(past, axis=1)).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(mase(y, f, past, 1, axis), (np.abs(y - f) / scale).mean(axis=axis))
    squares = (np.diff(past, axis=1) ** 2).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(rmsse(y, f, past, 1, axis), np.sqrt(((y - f) ** 2 / squares).mean(axis=axis)))


def test_no_axis_keeps_one_number_an_entry():
    y, f = np.array([1.0, np.nan, 4.0]), np.array([2.0, 2.0, 2.0])
    np.testing.assert_array_equal(mae(y, f, axis=()), [1.0, np.nan, 2.0])
    np.testing.assert_array_equal(mape(y, f, axis=()), [1.0, np.nan, 0.5])


def test_a_missing_forecast_gives_nan():
    y, f = np.array([1.0, 2.0]), np.array([np.nan, 2.0])
    assert all(np.isnan(score(y, f)) for score in PLAIN)
    assert np.isnan(mase(y, f, np.array([1.0, 2.0])))


def test_where_nothing_is_known_nothing_is_scored():
    y, f = np.full((2, 3), np.nan), np.zeros((2, 3))
    for score in PLAIN:
        assert np.isnan(score(y, f))
        assert np.isnan(score(y, f, axis=1)).all()


def test_percentages_of_zero_are_left_out():
    y, f = np.array([0.0, 2.0]), np.array([0.0, 1.0])
    assert mape(y, f) == 0.5
    assert smape(y, f) == pytest.approx(2 / 3)
    assert smape(np.array([0.0, 2.0]), np.array([1.0, 2.0])) == 1.0


def test_series_without_a_scale_are_left_out():
    y, f = np.array([[1.0], [1.0]]), np.zeros((2, 1))
    history = np.array([[3.0, 3.0, 3.0], [1.0, 2.0, 1.0]])
    np.testing.assert_array_equal(mase(y, f, history, axis=-1), [np.nan, 1.0])
    assert mase(y, f, history) == 1.0


def test_owa_of_the_reference_itself_is_one_and_averages_come_before_ratios(rng):
    y, past = rng.lognormal(size=(4, 6)), rng.lognormal(size=(4, 20))
    f, reference = rng.lognormal(size=(4, 6)), rng.lognormal(size=(4, 6))
    assert owa(y, reference, reference, past) == pytest.approx(1.0)
    expected = (smape(y, f) / smape(y, reference) + mase(y, f, past) / mase(y, reference, past)) / 2
    assert owa(y, f, reference, past) == pytest.approx(float(expected))


SETS = [  # file, period, season, horizon, sMAPE in per cent, MASE: of the seasonal naive forecast
    ("m4_hourly", None, 24, 48, 13.912, 1.193),
    ("m4_weekly", None, 1, 13, 9.161, 2.777),
    ("tourism", "monthly", 12, 24, 21.670, 1.631),
    ("tourism", "quarterly", 4, 8, 16.610, 1.699),
    ("tourism", "yearly", 1, 4, 22.342, 3.007),
    ("m3", "monthly", 12, 18, 17.234, 1.146),
    ("m3", "quarterly", 4, 8, 11.065, 1.425),
    ("m3", "yearly", 1, 6, 17.880, 3.172),
    ("m3", "other", 1, 8, 6.302, 3.089),
]


def side_by_side(frame):
    """Rows of one split as (series, steps), padded with NaN in front."""
    lengths = frame.groupby("unique_id", sort=True).size().to_numpy()
    ordered = frame.sort_values(["unique_id", "ds"])["y"].to_numpy(dtype=float)
    table = np.full((len(lengths), lengths.max()), np.nan)
    table[np.arange(lengths.max()) >= (lengths.max() - lengths)[:, None]] = ordered
    return table


@pytest.mark.parametrize(("name", "period", "season", "horizon", "published_smape", "published_mase"), SETS)
def test_published_scores_of_the_seasonal_naive_forecast(
    shared, name, period, season, horizon, published_smape, published_mase
):
    """From the README of the shared data; the M4 ones are the competition's own. Tolerance: their last digit."""
    path = shared / "data" / "forecasting" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{name}.parquet is not here")
    frame = pd.read_parquet(path)
    if period is not None:
        frame = frame[frame["period"] == period]
    history, y = (side_by_side(frame[frame["split"] == split]) for split in ("train", "test"))
    assert y.shape[1] == horizon
    naive = history[:, -season:][:, np.arange(horizon) % season]
    assert 100 * smape(y, naive, axis=-1).mean() == pytest.approx(published_smape, abs=6e-4)
    assert mase(y, naive, history, season, axis=-1).mean() == pytest.approx(published_mase, abs=6e-4)
