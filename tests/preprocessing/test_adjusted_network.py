"""The network that differences its inputs, against golden vectors, and properties of the adjustment."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.preprocessing.adjusted_network import AdjustedNetwork, summed_up
from tsformers.testing import check_network, make_window

CASES = {
    "scalar": {},
    "vector": {},
    "zero": {},
    "output_only": {"inputs": False},
    "input_only": {"outputs": False},
    "scalar_trueprev": {},
}


class Tanh(nn.Module):
    """The network of the golden vectors: one hidden layer over all values of a window."""

    levels = None

    def __init__(self, golden):
        super().__init__()
        for name in ("W1", "b1", "W2", "b2"):
            self.register_parameter(name, nn.Parameter(torch.from_numpy(golden[name])))

    def forward(self, past):
        return torch.tanh(past.flatten(1) @ self.W1.T + self.b1) @ self.W2.T + self.b2

    def loss(self, window):
        self.inputs = window.past
        self.output = self(window.past)
        return (self.output - window.future[:, 0]).square().mean(-1)

    def sample(self, window, n_samples):
        return self(window.past)[:, None, None].expand(-1, n_samples, -1, -1)


def adjusted(golden, rho, **switches):
    network = AdjustedNetwork(Tanh(golden), (1, 1) if rho.ndim == 0 else (1, len(rho)), 1e-2, **switches)
    network.raw_rho = nn.Parameter(torch.from_numpy(rho).reshape(network.raw_rho.shape))
    return network


def golden_window(golden):
    x, y = torch.from_numpy(golden["x"]), torch.from_numpy(golden["y"])[:, None]
    ones = [torch.ones_like(part, dtype=torch.bool) for part in (x, y)]
    none = x.new_zeros(len(x), x.shape[1], 0), x.new_zeros(len(x), 1, 0)
    return Window(x, ones[0], none[0], y, ones[1], none[1], torch.zeros(len(x), dtype=torch.int64))


@pytest.fixture(scope="module")
def golden(shared):
    """Made in float64 with the published recipe; predecessors are those of the authors, or the true ones."""
    return np.load(shared / "golden" / "autocorrelated_errors" / "adjusted_loss.npz")


@pytest.mark.parametrize("case", CASES)
def test_loss_prediction_and_gradients_are_those_of_the_published_recipe(golden, case, monkeypatch):
    window = golden_window(golden)
    before = golden["prev"][:, None] if case == "scalar_trueprev" else np.tile(golden["avg"], (4, 1, 1))
    network = adjusted(golden, golden[f"{case}_raw_rho"], **CASES[case])
    adjust = network.adjust
    monkeypatch.setattr(network, "adjust", lambda each: adjust(each, torch.from_numpy(before)))
    loss = network.loss(window).mean()
    loss.backward()
    close = {"rtol": 0, "atol": 1e-12}  # a dozen float64 operations on numbers of order one
    np.testing.assert_allclose(loss.item(), golden[f"{case}_loss"], **close)
    np.testing.assert_allclose(network.network.inputs.detach(), golden[f"{case}_input"], **close)
    np.testing.assert_allclose(network.network.output.detach(), golden[f"{case}_net_out"], **close)
    np.testing.assert_allclose(network.sample(window, 1)[:, 0, 0].detach(), golden[f"{case}_pred"], **close)
    np.testing.assert_allclose(network.raw_rho.grad.ravel(), golden[f"{case}_grad_raw_rho"].ravel(), **close)
    for name, weight in network.network.named_parameters():
        np.testing.assert_allclose(weight.grad, golden[f"{case}_grad_{name}"], **close)


def test_five_steps_of_two_optimisers_are_those_of_the_published_recipe(golden):
    window, network = golden_window(golden), adjusted(golden, np.zeros(3))
    before = torch.from_numpy(np.tile(golden["avg"], (4, 1, 1)))
    groups = [{"params": list(network.network.parameters()), "lr": 3e-3}, *network.groups()]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.0)  # the training engine's
    for step in range(5):
        loss = network.network.loss(network.adjust(window, before)).mean()
        np.testing.assert_allclose(loss.item(), golden["adam_loss"][step], rtol=0, atol=1e-10)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        np.testing.assert_allclose(network.raw_rho.detach()[0], golden["adam_raw_rho"][step], rtol=0, atol=1e-10)
    for name, weight in network.network.named_parameters():
        np.testing.assert_allclose(weight.detach(), golden[f"adam_final_{name}"], rtol=0, atol=1e-10)


@given(st.floats(-0.99, 0.99), st.integers(1, 40), st.integers(1, 3))
def test_what_is_differenced_sums_up_to_itself(rho, horizon, n):
    x = np.random.default_rng(horizon).normal(size=(n, horizon + 1)) * 10
    new = x[:, 1:] - rho * x[:, :-1]
    np.testing.assert_allclose(summed_up(new, np.full((n, 1), rho), x[:, :1]), x[:, 1:], rtol=0, atol=1e-10)
    tensor = summed_up(*(torch.from_numpy(part) for part in (new, np.full((n, 1), rho), x[:, :1].copy())))
    np.testing.assert_allclose(tensor, x[:, 1:], rtol=0, atol=1e-10)


class Autoregression(nn.Module):
    levels = None

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(16, 4)

    def loss(self, window):
        return (self.map(window.past[..., 0]) - window.future[..., 0]).square().mean(-1)

    def sample(self, window, n_samples):
        return self.map(window.past[..., 0])[:, None, :, None].expand(-1, n_samples, -1, -1)


def test_at_rho_zero_a_network_is_itself_but_its_rho_has_a_gradient():
    torch.manual_seed(0)
    inner = Autoregression()
    network, window = AdjustedNetwork(inner, (1, 1), 1e-2), make_window(4, 16, 4)
    full = window._replace(
        past_observed=torch.ones_like(window.past_observed), future_observed=torch.ones_like(window.future_observed)
    )
    assert torch.equal(network.loss(full), inner.loss(full))
    assert torch.equal(network.sample(full, 2), inner.sample(full, 2))
    network.loss(full).mean().backward()
    assert network.raw_rho.grad.abs() > 1e-6


@pytest.mark.parametrize("ahead", ["faded", "summed"])
@pytest.mark.parametrize("likelihood", ["student_t", "quantile", "squared_error"])
@pytest.mark.parametrize(("shape", "channels"), [((1, 1), 1), ((4, 1), 1), ((1, 3), 3)])
def test_an_adjusted_network_keeps_the_laws_of_networks(likelihood, shape, channels, ahead):
    torch.manual_seed(0)
    model = tsf.Autoformer(horizon=4, context_length=16, d_model=8, n_heads=2, d_ff=16, likelihood=likelihood)
    network = AdjustedNetwork(model.build(channels, 0, 0, 0), shape, 1e-2, ahead=ahead)
    assert (network.levels is None) == (likelihood != "quantile" or ahead == "summed")
    nn.init.constant_(network.raw_rho, 0.5)
    window = make_window(4, 16, 4, channels=channels)
    check_network(network, window if shape[0] > 1 else window._replace(series=torch.zeros(4, dtype=torch.int64)))


def test_missing_values_are_missing_in_both_differences_they_belong_to():
    window = make_window(1, 6, 2)
    observed = torch.ones_like(window.past_observed)
    observed[0, 2] = False
    window = window._replace(past_observed=observed, future_observed=torch.ones_like(window.future_observed))
    read = AdjustedNetwork(nn.Identity(), (1, 1), 1e-2, ahead="summed").adjust(window)
    assert read.past_observed[0, :, 0].tolist() == [True, True, False, False, True, True]
    assert read.future_observed.all()


def test_the_last_observed_value_fades_from_its_own_step():
    window = make_window(1, 6, 3)
    observed = torch.ones_like(window.past_observed)
    observed[0, 5] = False
    past = torch.arange(1.0, 7.0)[None, :, None] * observed
    window = window._replace(
        past=past, past_observed=observed, future_observed=torch.tensor([True, False, True])[None, :, None]
    )
    network = AdjustedNetwork(nn.Identity(), (1, 1), 1e-2)
    network.raw_rho.data = torch.atanh(torch.tensor([[-0.5]]))
    faded = 5.0 * (-0.5) ** torch.tensor([2.0, 3.0, 4.0])  # the fifth of six steps was the last one observed
    read = network.adjust(window)
    torch.testing.assert_close(read.future[0, :, 0], (window.future[0, :, 0] - faded) * read.future_observed[0, :, 0])
    assert read.future_observed[0, :, 0].tolist() == [True, False, True]


@pytest.mark.parametrize("ahead", ["faded", "summed"])
def test_what_is_subtracted_from_the_future_is_added_to_the_draws(ahead):
    class Echo(nn.Module):
        """Gives the future of the window that it reads."""

        levels = None

        def sample(self, window, n_samples):
            return read.future[:, None].expand(-1, n_samples, -1, -1)

    window = make_window(4, 8, 5)._replace(series=torch.zeros(4, dtype=torch.int64))
    window = window._replace(
        past_observed=torch.ones_like(window.past_observed), future_observed=torch.ones_like(window.future_observed)
    )
    network = AdjustedNetwork(Echo(), (1, 1), 1e-2, ahead=ahead)
    nn.init.constant_(network.raw_rho, 0.8)
    read = network.adjust(window)
    torch.testing.assert_close(network.sample(window, 2), window.future[:, None].expand(-1, 2, -1, -1))


def test_series_that_were_not_in_fit_get_the_mean_of_all_rhos():
    network = AdjustedNetwork(nn.Identity(), (2, 1), 1e-2)
    network.raw_rho.data = torch.atanh(torch.tensor([[0.2], [0.6]]))
    window = make_window(3, 4, 1)._replace(series=torch.tensor([1, -1, 0]))
    torch.testing.assert_close(network.rho_of(window)[:, 0, 0], torch.tensor([0.6, 0.4, 0.2]))


def test_of_a_linear_network_one_call_on_differences_gives_what_two_calls_give():
    torch.manual_seed(0)
    inner = Autoregression().double()
    nn.init.zeros_(inner.map.bias)
    x, rho = torch.randn(3, 18, dtype=torch.float64), 0.7
    window = make_window(3, 16, 1)._replace(past=x[:, 1:17, None], past_observed=torch.ones(3, 16, 1, dtype=torch.bool))
    network = AdjustedNetwork(inner, (1, 1), 1e-2).double()
    network.raw_rho.data = torch.atanh(torch.tensor([[rho]], dtype=torch.float64))
    one = inner.map(network.adjust(window, x[:, :1, None]).past[..., 0])[:, 0] + rho * x[:, 16]
    two = inner.map(x[:, 1:17])[:, 0] - rho * inner.map(x[:, :16])[:, 0] + rho * x[:, 16]
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)
