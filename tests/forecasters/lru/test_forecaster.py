"""LRU as a forecaster: what it learns, how it is trained, which settings it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers as tsf
from tsformers.testing import check_forecaster, make_frame

SMALL = {"context_length": 14, "max_steps": 3, "d_model": 8, "d_state": 8, "batch_size": 8, "seed": 0}


@pytest.mark.parametrize(
    "settings",
    [
        {"decoding": "autoregressive"},
        {"decoding": "autoregressive", "likelihood": "student_t", "scaler": "robust"},
        {"cell": "gru", "likelihood": "quantile"},
        {"cell": "s4d", "start": "last", "scaler": "mean_abs"},
        {"periods": [7.0], "scaler": None},
    ],
)
def test_every_form_keeps_the_contract_of_forecasters(settings):
    check_forecaster(tsf.LRU(horizon=4, **SMALL | settings), make_frame(n_series=2, rows=40))


def test_as_one_multivariate_series_the_draws_are_joint():
    frame = pd.concat([make_frame(1).assign(unique_id=name) for name in "ab"])
    forecast = tsf.LRU(horizon=4, multivariate=True, decoding="autoregressive", **SMALL).fit(frame).predict()
    assert forecast.joint and forecast.samples.shape == (2, 100, 4)


def test_recurrent_parameters_have_a_smaller_learning_rate_and_no_weight_decay(monkeypatch):
    made = []
    adam = torch.optim.AdamW
    monkeypatch.setattr(
        torch.optim, "AdamW", lambda groups, **options: made.append(adam(groups, **options)) or made[-1]
    )
    settings = {"learning_rate": 0.01, "recurrent_rate": 0.25, "weight_decay": 0.05, "schedule": "constant"}
    model = tsf.LRU(horizon=4, **SMALL | settings).fit(make_frame())
    groups = made[0].param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(0.01, 0.05), (0.0025, 0.0)]
    names = {id(weight): name for name, weight in model.network_.named_parameters()}
    slow = {names[id(weight)].rpartition(".")[2] for weight in groups[1]["params"]}
    assert slow == {"nu_log", "theta_log", "gamma_log", "B_re", "B_im"}
    assert sum(len(group["params"]) for group in groups) == len(names)


@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_known_covariates_of_the_future_are_used(decoding, rng):
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(600), "price": rng.normal(size=600)})
    frame["y"] = 10 + 3 * frame["price"] + rng.normal(0, 0.3, 600)
    model = tsf.LRU(horizon=4, **SMALL | {"decoding": decoding, "max_steps": 100, "learning_rate": 0.02})
    model.fit(frame[:590].assign(other=1.0), known=["price"])
    forecast = model.predict(future=frame[590:][["unique_id", "ds", "price"]])
    assert np.abs(forecast.mean[0] - frame["y"][590:594]).mean() < 1.2  # without the price 2.5


def test_paths_of_a_random_walk_move_together_and_spread(rng):
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(800), "y": rng.normal(size=800).cumsum()})
    settings = {"decoding": "autoregressive", "max_steps": 100, "likelihood": "normal", "learning_rate": 0.01}
    draws = tsf.LRU(horizon=9, **SMALL | settings).fit(frame).predict(n_samples=2000).samples[0]
    assert 2 < draws[:, 8].std() / draws[:, 0].std() < 4.5
    assert np.corrcoef(draws[:, 7], draws[:, 8])[0, 1] > 0.8


def test_contexts_of_thousands_of_steps_are_trained_on():
    frame = make_frame(n_series=1, rows=2200, freq="h")
    model = tsf.LRU(horizon=24, **SMALL | {"context_length": 2000, "max_steps": 2})
    assert np.isfinite(model.fit(frame).predict(n_samples=5).values).all()
    assert model.network_.next.lags == 512


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "lstm"}, "cell='lstm' is unknown; choose one of 'lru', 's4d', 'gru'"),
        ({"d_model": 0}, "d_model must be a whole number of 1 or more, not 0"),
        ({"d_state": 2.5}, "d_state must be a whole number"),
        ({"dropout": 1.0}, r"dropout must be a number in \[0, 1\), not 1.0"),
        ({"recurrent_rate": 0}, "recurrent_rate must be a number above 0, not 0"),
        ({"r_min": 0.9, "r_max": 0.5}, "must be moduli with r_min <= r_max"),
        ({"start": "mean"}, "start='mean' is unknown"),
        ({"decoding": "both"}, "decoding='both' is unknown; choose one of 'direct', 'autoregressive'"),
        ({"decoding": "autoregressive", "likelihood": "quantile"}, "likelihood='quantile_function', which learns"),
        ({"cell": "s4d", "d_state": 7}, "d_state=7 must be even"),
        ({"periods": 24}, "periods must be a list, each entry a number above 1 or None, not 24"),
        ({"periods": [1]}, r"periods\[0\] must be a number above 1, not 1"),
        ({"multivariate": "no"}, "multivariate must be True or False, not 'no'"),
        ({"periods": [7], "cell": "gru"}, "leave them out with cell='gru'"),
        ({"periods": [2, 3, 4, 5, 6]}, "5 periods need d_state of 10 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        tsf.LRU(horizon=4, **SMALL | settings).fit(make_frame())
