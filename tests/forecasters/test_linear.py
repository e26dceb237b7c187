"""Linear: what its maps compute, what it learns, what it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers as tsf
from tsformers.forecasters.linear import LinearNetwork
from tsformers.nn import SeriesDecomposition, carry_forward
from tsformers.testing import check_forecaster, check_network, make_frame, make_window


@pytest.mark.parametrize("likelihood", ["normal", "squared_error", "student_t", "quantile"])
@pytest.mark.parametrize("kernel", [None, 25])
def test_the_laws_of_networks_hold(kernel, likelihood):
    torch.manual_seed(0)
    check_network(LinearNetwork(3, 16, 4, kernel, True, likelihood), make_window(channels=3))


@pytest.mark.parametrize(
    "settings", [{"decompose": True}, {"normalise": False}, {"likelihood": "quantile"}, {"likelihood": "squared_error"}]
)
def test_the_laws_of_forecasters_hold_in_every_form(settings):
    check_forecaster(tsf.Linear(horizon=4, max_steps=3, batch_size=8, **settings), make_frame(n_series=2, rows=40))


def test_the_location_is_the_sum_of_two_maps_of_moving_average_and_remainder():
    torch.manual_seed(0)
    network, past = LinearNetwork(2, 30, 5, 7, False, "normal"), torch.randn(3, 30, 2)
    rest, trend = SeriesDecomposition(7)(past)
    wanted = torch.einsum("ht,btc->bhc", network.values.weight, rest) + network.values.bias[:, None]
    wanted = wanted + torch.einsum("ht,btc->bhc", network.trend.weight, trend) + network.trend.bias[:, None]
    torch.testing.assert_close(network.location(past), wanted)


@pytest.mark.parametrize("kernel", [None, 7])
def test_with_normalise_a_shift_of_the_past_shifts_the_location(kernel):
    torch.manual_seed(0)
    past, shift = torch.randn(3, 30, 2), torch.tensor([5.0, -3.0])
    moved = LinearNetwork(2, 30, 5, kernel, True, "normal")
    torch.testing.assert_close(moved.location(past + shift), moved.location(past) + shift, rtol=0, atol=1e-5)
    fixed = LinearNetwork(2, 30, 5, kernel, False, "normal")
    assert not torch.allclose(fixed.location(past + shift), fixed.location(past) + shift, atol=1e-2)


def test_each_channel_is_forecast_by_the_same_map_and_from_itself_alone():
    torch.manual_seed(0)
    network, past = LinearNetwork(3, 20, 4, 25, True, "normal"), torch.randn(2, 20, 3)
    alone = torch.cat([network.location(past[..., [i]]) for i in range(3)], dim=-1)
    torch.testing.assert_close(network.location(past), alone)


def test_missing_values_are_the_last_observed_one(rng):
    values = torch.from_numpy(rng.normal(size=(4, 12, 2)))
    observed = torch.from_numpy(rng.random((4, 12, 2)) > 0.4)
    observed[:, 5] = True
    wanted = [pd.DataFrame(v).where(s).ffill().bfill() for v, s in zip(values.numpy(), observed.numpy(), strict=True)]
    np.testing.assert_array_equal(carry_forward(values, observed), np.stack(wanted))


@pytest.mark.parametrize("settings", [{}, {"decompose": True, "normalise": False}, {"multivariate": True}])
def test_a_season_is_learned_and_the_spread_is_that_of_the_noise(settings, rng):
    t = np.arange(400)
    frames = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": t, "y": 50 + 10 * np.sin(2 * np.pi * (t + i) / 12)}) for i in range(2)
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame["y"] += rng.normal(0, 1, len(frame))
    history = frame[frame["ds"] < 388]
    model = tsf.Linear(horizon=12, context_length=36, max_steps=400, learning_rate=0.01, seed=0, **settings)
    forecast = model.fit(history).predict(n_samples=1000)
    actual = frame[frame["ds"] >= 388]["y"].to_numpy().reshape(2, 12)
    assert np.sqrt(np.square(forecast.mean - actual).mean()) < 1.6  # a season missed costs 7
    assert 0.6 < forecast.samples.std(axis=1).mean() < 1.8


def test_what_is_out_of_range_is_refused():
    frame = make_frame()
    with pytest.raises(ValueError, match="moving_average must be a whole number"):
        tsf.Linear(horizon=4, moving_average=0).fit(frame)
    with pytest.raises(ValueError, match="decompose must be True or False"):
        tsf.Linear(horizon=4, decompose="yes").fit(frame)


def test_squared_errors_find_the_weights_of_least_squares_and_a_spread_of_their_residuals(rng):
    y = np.zeros(3000)
    for t in range(2, len(y)):
        y[t] = 0.5 * y[t - 1] - 0.3 * y[t - 2] + rng.normal()
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})
    model = tsf.Linear(
        horizon=1,
        context_length=2,
        normalise=False,
        scaler=None,
        likelihood="squared_error",
        schedule="halving",
        max_epochs=8,
        max_steps=10**6,
        learning_rate=0.02,
        gradient_clip=np.inf,
        validation_windows=500,
        validation_stride=1,
        seed=0,
    ).fit(frame)
    lags = np.column_stack([y[:-2], y[1:-1], np.ones(len(y) - 2)])[:-500]
    wanted = np.linalg.lstsq(lags, y[2:-500], rcond=None)[0]
    found = model.network_.values
    np.testing.assert_allclose([*found.weight[0].tolist(), found.bias.item()], wanted, atol=0.03)
    residuals = y[2500:] - np.column_stack([y[2498:-2], y[2499:-1]]) @ wanted[:2] - wanted[2]
    assert model.history_["validation_loss"].min() == pytest.approx(np.square(residuals).mean(), rel=0.01)
    assert model.predict(n_samples=4000).samples.std() == pytest.approx(1, abs=0.1)
