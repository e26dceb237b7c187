"""The seasonal scale and Naive2: on gaps, on short histories, and on the M4 competition's published result."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.seasonal import seasonal_decompose

from tsformers.scoring import mase, naive2, owa, seasonal_scale, smape


def test_the_scale_is_the_mean_seasonal_change_over_known_pairs():
    history = np.array([1.0, 5.0, np.nan, 8.0, 4.0])
    assert seasonal_scale(history, 2) == pytest.approx(3.0)  # |8 - 5| alone: the others miss one end
    assert seasonal_scale(history, 2, power=2) == pytest.approx(9.0)


def test_a_history_shorter_than_a_season_is_scaled_by_single_steps():
    history = np.array([[np.nan, np.nan, 1.0, 3.0], [1.0, 2.0, 4.0, 9.0], [np.nan, np.nan, np.nan, 1.0]])
    np.testing.assert_array_equal(seasonal_scale(history, 3), [2.0, 8.0, np.nan])
    np.testing.assert_array_equal(seasonal_scale(history, 30), [2.0, 8 / 3, np.nan])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(0, 9))
def test_padding_in_front_changes_nothing(seed, season, pad):
    rng = np.random.default_rng(seed)
    history = rng.lognormal(size=(3, 40)) * (1 + np.arange(40) % season)
    padded = np.concatenate([np.full((3, pad), np.nan), history], axis=1)
    np.testing.assert_allclose(seasonal_scale(padded, season), seasonal_scale(history, season), rtol=1e-12)
    np.testing.assert_allclose(naive2(padded, 9, season), naive2(history, 9, season), rtol=1e-9)


@pytest.mark.parametrize("season", [4, 7])
def test_naive2_is_naive_on_the_classically_adjusted_series(rng, season):
    history = np.tile(rng.uniform(1, 3, season), 12)[3:] * np.linspace(1, 2, 12 * season - 3) + rng.normal(
        0, 0.02, 12 * season - 3
    )
    indices = seasonal_decompose(history, model="multiplicative", period=season).seasonal
    expected = history[-1] / indices[-1] * indices[-season:][np.arange(10) % season]
    np.testing.assert_allclose(naive2(history, 10, season), expected, rtol=1e-9)


def test_naive2_repeats_the_last_known_value_where_there_is_no_season(rng):
    walk = np.cumsum(rng.normal(size=(2, 60)), axis=1)
    walk[1, -2:] = np.nan
    forecast = naive2(walk, 3, 1)
    np.testing.assert_array_equal(forecast, np.stack([np.full(3, walk[0, -1]), np.full(3, walk[1, -3])]))
    assert np.isnan(naive2(np.full((1, 9), np.nan), 2)).all()


def test_naive2_continues_in_step_after_a_missing_end():
    history = np.tile([1.0, 2.0, 6.0], 10)
    history[-1] = np.nan
    np.testing.assert_allclose(naive2(history, 4, 3), [1.0, 2.0, 6.0, 1.0], rtol=1e-9)


def test_series_that_cannot_be_divided_are_not_adjusted():
    history = np.tile([-1.0, 0.0, 3.0], 10)
    np.testing.assert_array_equal(naive2(history, 3, 3), [3.0, 3.0, 3.0])
    history = np.tile([1.0, 2.0, 6.0], 10)
    np.testing.assert_allclose(naive2(history, 3, 3), [1.0, 2.0, 6.0])
    history[4] = -0.5  # one such value is enough, although the indices are positive
    np.testing.assert_array_equal(naive2(history, 3, 3), [6.0, 6.0, 6.0])


@pytest.mark.parametrize("call", [lambda: naive2(np.ones(3), 0), lambda: seasonal_scale(np.ones(3), 0)])
def test_steps_count_from_one(call):
    with pytest.raises(ValueError, match="from 1"):
        call()


def test_naive2_scores_on_m4_hourly_what_the_competition_published(shared):
    """m4_reference_scores.csv: Naive2 18.383 and 2.395, seasonal naive's OWA 0.62745. Tolerance: their last digit."""
    folder = shared / "data" / "forecasting"
    if not (folder / "m4_hourly.parquet").exists():
        pytest.skip("m4_hourly.parquet is not here")
    frame = pd.read_parquet(folder / "m4_hourly.parquet").sort_values(["unique_id", "ds"])
    train, y = frame[frame["split"] == "train"], frame[frame["split"] == "test"]["y"].to_numpy().reshape(414, 48)
    rank = train.groupby("unique_id").cumcount(ascending=False).to_numpy()
    history = np.full((414, rank.max() + 1), np.nan)
    history[pd.factorize(train["unique_id"])[0], rank.max() - rank] = train["y"].to_numpy()
    reference = naive2(history, 48, 24)
    assert 100 * smape(y, reference) == pytest.approx(18.383, abs=6e-4)
    assert mase(y, reference, history, 24) == pytest.approx(2.395, abs=6e-4)
    naive = history[:, -24:][:, np.arange(48) % 24]
    assert owa(y, naive, reference, history, 24) == pytest.approx(0.627453623361059, abs=1e-4)
