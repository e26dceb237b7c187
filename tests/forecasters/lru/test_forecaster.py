"""LRU as a forecaster: what its network computes, what it learns, what it refuses."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.forecasters.lru.layers import Sizes, make_cell, read_past, signals
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.nn import carry_forward
from tsformers.testing import check_forecaster, check_network, make_frame, make_window

SMALL = {"context_length": 14, "max_steps": 3, "d_model": 8, "d_state": 8, "batch_size": 8, "seed": 0}
TINY = Sizes(d_model=8, d_state=6, dropout=0.0)
LIKELIHOODS = ["normal", "squared_error", "student_t", "negative_binomial", "quantile", "quantile_function"]


def network(decoding="direct", likelihood="normal", sizes=TINY, columns=(2, 1, 3), context=16, horizon=4):
    torch.manual_seed(0)
    return LRUNetwork(columns, context, horizon, sizes, likelihood, decoding)


def window(length=16, horizon=4, seed=0):
    return make_window(5, length, horizon, channels=2, past_x=1, known_x=3, seed=seed)


def solved(net, seed=1):
    net.fit_closed_form([window(seed=seed), window(seed=seed + 1)], [window(seed=seed + 2)])
    return net


def exact(window):
    """In double precision."""
    parts = [part.double() if part is not None and part.is_floating_point() else part for part in window]
    return Window(*parts)


def shaken(net):
    """Every weight away from its start, so that nothing is hidden behind a zero."""
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.3 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.1)
    return net.double().eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("decoding", "likelihood"),
    [("direct", name) for name in LIKELIHOODS]
    + [("autoregressive", name) for name in LIKELIHOODS if name != "quantile"],
)
def test_the_laws_of_networks_hold(decoding, likelihood):
    some = window()
    if likelihood == "negative_binomial":
        some = some._replace(past=some.past.abs(), future=some.future.abs(), scale=torch.ones(5, 1, 2))
    check_network(network(decoding, likelihood), some)


@pytest.mark.parametrize("cell", ["s4d", "gru"])
@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_the_laws_of_networks_hold_for_other_cells(decoding, cell):
    check_network(network(decoding, sizes=Sizes(cell=cell, d_model=8, d_state=6, start="last")), window())


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
def test_the_laws_of_forecasters_hold_in_every_form(settings):
    check_forecaster(tsf.LRU(horizon=4, **SMALL | settings), make_frame(n_series=2, rows=40))


def test_as_one_multivariate_series_the_draws_are_joint():
    frame = pd.concat([make_frame(1).assign(unique_id=name) for name in "ab"])
    forecast = tsf.LRU(horizon=4, multivariate=True, decoding="autoregressive", **SMALL).fit(frame).predict()
    assert forecast.joint and forecast.samples.shape == (2, 100, 4)


def test_a_law_of_the_next_value_knows_what_came_before_and_nothing_else():
    net, some = shaken(solved(network("autoregressive"))), exact(window())
    later = some._replace(past=some.past.clone(), past_x=some.past_x.clone())
    later.past[:, 9:], later.past_x[:, 10:] = 7.0, -3.0  # known covariates of the next step count, at 9
    first, second = (net._next_laws(each, 0)[0].mean for each in (some, later))
    torch.testing.assert_close(first[:, :9], second[:, :9], rtol=0, atol=1e-12)
    assert (first[:, 9:] - second[:, 9:]).abs().min() > 1e-6


def test_drawing_goes_on_where_the_past_ends_as_if_the_draws_were_true():
    net, some = shaken(solved(network("autoregressive", "quantile_function"))), exact(window())
    with torch.no_grad():
        net.next.head.project.bias.view(2, -1)[:, 1:] = -60.0  # all quantiles are one: a draw is the centre
        net.next.head.project.weight.view(2, -1, 8)[:, 1:] = 0.0
    path = net.sample(some, 1)[:, 0]
    forced = net(some._replace(future=path, future_observed=torch.ones_like(some.future_observed))).values[..., 11]
    torch.testing.assert_close(forced, path, rtol=1e-9, atol=1e-9)
    assert path.diff(dim=1).abs().min() > 1e-4


@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_steps_before_the_first_value_are_padding(decoding):
    sizes = Sizes(d_model=8, d_state=6, start="last")
    net, some = shaken(network(decoding, sizes=sizes)), exact(window(24))
    padded = some._replace(past_observed=some.past_observed.clone(), past=some.past.clone())
    padded.past_observed[:, 8], padded.past_observed[:, :8], padded.past[:, :8] = True, False, 0.0
    short = padded._replace(
        past=padded.past[:, 8:], past_observed=padded.past_observed[:, 8:], past_x=some.past_x[:, 8:]
    )
    if decoding == "direct":  # how restless a window is counts its steps, which differ
        net.horizon.told.weight[:, :2] = 0.0
    torch.testing.assert_close(net(padded).mean, net(short).mean, rtol=0, atol=1e-12)


def test_a_gap_is_told_from_a_value_and_later_values_do_not_fill_it():
    values = torch.tensor([0.0, 5.0, 0.0, 6.0]).view(1, 4, 1)
    seen = torch.tensor([False, True, False, True]).view(1, 4, 1)
    past = read_past(values, seen)
    assert past.last.flatten().tolist() == [0.0, 5.0, 5.0, 6.0] and past.start.tolist() == [1]
    heard = signals(torch.tensor([0.0, 5, 5, 6]), torch.tensor([0.0, 0, 0, 1]), torch.tensor([0.0, 1, 0, 1]))
    torch.testing.assert_close(past.signals.flatten(), heard)
    assert bool((signals(*torch.full((3, 1), 1e9))[:2] < 10.001).all())


@pytest.mark.parametrize("likelihood", LIKELIHOODS[:3])
def test_before_training_the_location_is_what_the_solved_maps_say(likelihood):
    net, some = solved(network(likelihood=likelihood)).eval(), window(seed=9)
    filled = carry_forward(some.past, some.past_observed)
    torch.testing.assert_close(net(some).mean, filled[:, -1:] + net.horizon.ridge(filled))
    ahead = net.next.ahead(read_past(some.past, some.past_observed))
    last = filled[:, -net.next.lags :]
    torch.testing.assert_close(ahead[:, -1:], filled[:, -1:] + net.next.ridge(last), atol=1e-5, rtol=1e-5)
    assert bool(net.next.ridge.weight.any() and net.horizon.ridge.weight.any())


def test_the_map_to_the_next_value_finds_an_autoregression():
    torch.manual_seed(0)
    y = torch.zeros(400, 24, 1)
    for t in range(2, 24):
        y[:, t] = 1.2 * y[:, t - 1] - 0.5 * y[:, t - 2] + torch.randn(400, 1)
    seen = torch.ones(400, 20, 1, dtype=torch.bool)
    empty = torch.zeros(400, 20, 0), torch.zeros(400, 4, 0)
    some = Window(y[:, :20], seen, empty[0], y[:, 20:], seen[:, :4], empty[1], torch.arange(400))
    net = network(columns=(1, 0, 0), context=20)
    net.fit_closed_form(iter([some]), iter([some]))
    kernel = net.next.kernel()
    assert kernel.sum().abs() < 1e-5
    assert kernel[-1].item() + 1 == pytest.approx(1.2, abs=0.12)
    assert kernel[-2].item() == pytest.approx(-0.5, abs=0.12)


def test_what_makes_the_states_learns_slowly_and_does_not_decay(monkeypatch):
    seen = []
    adam = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, **how: seen.append(adam(groups, **how)) or seen[-1])
    settings = {"learning_rate": 0.01, "recurrent_rate": 0.25, "weight_decay": 0.05, "schedule": "constant"}
    model = tsf.LRU(horizon=4, **SMALL | settings).fit(make_frame())
    groups = seen[0].param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(0.01, 0.05), (0.0025, 0.0)]
    names = {id(weight): name for name, weight in model.network_.named_parameters()}
    slow = {names[id(weight)].rpartition(".")[2] for weight in groups[1]["params"]}
    assert slow == {"nu_log", "theta_log", "gamma_log", "B_re", "B_im"}
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_some_states_begin_as_memories_of_the_seasons():
    layer = make_cell(Sizes(d_model=4, d_state=32, periods=(24.0, 168.0)), 336)
    found = layer.eigenvalues()[:8]
    wanted = [2 * math.pi * j / period for period in (24, 168) for j in range(1, 5)]
    np.testing.assert_allclose(found.angle().detach(), wanted, rtol=1e-5)
    np.testing.assert_allclose(found.abs().detach(), 0.999, rtol=1e-5)


@pytest.mark.parametrize(("context", "low", "high"), [(200, 0.5, 0.99), (201, 0.9, 0.999)])
def test_longer_contexts_begin_with_longer_memories(context, low, high):
    size = make_cell(Sizes(d_state=400), context).eigenvalues().abs()
    assert low <= size.min() < low + 0.05 * (high - low) + 0.01 and high - 0.01 < size.max() <= high
    chosen = make_cell(Sizes(d_state=400, r_min=0.2, r_max=0.3), context).eigenvalues().abs()
    assert chosen.min() >= 0.2 and chosen.max() <= 0.3


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
        ({"dropout": 1.0}, r"dropout=1.0 must be in \[0, 1\)"),
        ({"recurrent_rate": 0}, "recurrent_rate=0 above 0"),
        ({"r_min": 0.9, "r_max": 0.5}, "0 <= r_min <= r_max <= 1"),
        ({"start": "mean"}, "start='mean' is unknown"),
        ({"decoding": "both"}, "decoding='both' is unknown; choose one of 'direct', 'autoregressive'"),
        ({"decoding": "autoregressive", "likelihood": "quantile"}, "likelihood='quantile_function', which learns"),
        ({"cell": "s4d", "d_state": 7}, "d_state=7 must be even"),
        ({"periods": 24}, r"periods must be a list of seasons in steps, such as \[24, 168\]"),
        ({"periods": [1]}, "must be above 1 step"),
        ({"periods": [7], "cell": "gru"}, "leave them out with cell='gru'"),
        ({"periods": [2, 3, 4, 5, 6]}, "5 periods need d_state of 10 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        tsf.LRU(horizon=4, **SMALL | settings).fit(make_frame())
