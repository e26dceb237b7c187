"""The network of LRU: distributions of the next value and of the horizon, paths, closed-form maps."""

import pytest
import torch

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.forecasters.lru.inputs import read_past
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.nn import carry_forward
from tsformers.testing import check_network, make_window


def sizes_of(**settings):
    """Sizes with the defaults of LRU."""
    return tsf.LRU(horizon=4, **settings).sizes()


TINY = sizes_of(d_model=8, d_state=6, dropout=0.0)

LIKELIHOODS = ["normal", "squared_error", "student_t", "negative_binomial", "quantile", "quantile_function"]


def network(decoding="direct", likelihood="normal", sizes=TINY, columns=(2, 1, 3), context=16, horizon=4):
    torch.manual_seed(0)
    return LRUNetwork(columns, context, horizon, sizes, likelihood, decoding)


def window(length=16, horizon=4, seed=0):
    return make_window(5, length, horizon, channels=2, past_x=1, known_x=3, seed=seed)


def fitted_maps(net, seed=1):
    net.fit_closed_form([window(seed=seed), window(seed=seed + 1)], [window(seed=seed + 2)])
    return net


def exact(window):
    """In double precision."""
    parts = [part.double() if part is not None and part.is_floating_point() else part for part in window]
    return Window(*parts)


def shaken(net):
    """Every weight away from its initial value, so that no term is zero."""
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.3 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.1)
    return net.double().eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("decoding", "likelihood"),
    [("direct", name) for name in LIKELIHOODS]
    + [("autoregressive", name) for name in LIKELIHOODS if name != "quantile"],
)
def test_the_contract_of_networks_holds(decoding, likelihood):
    some = window()
    if likelihood == "negative_binomial":
        some = some._replace(past=some.past.abs(), future=some.future.abs(), scale=torch.ones(5, 1, 2))
    check_network(network(decoding, likelihood), some)


@pytest.mark.parametrize("cell", ["s4d", "gru"])
@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_the_contract_of_networks_holds_for_other_cells(decoding, cell):
    check_network(network(decoding, sizes=sizes_of(cell=cell, d_model=8, d_state=6, start="last")), window())


def test_the_distribution_of_the_next_value_depends_on_earlier_steps_alone():
    net, some = shaken(fitted_maps(network("autoregressive"))), exact(window())
    later = some._replace(past=some.past.clone(), past_x=some.past_x.clone())
    later.past[:, 9:], later.past_x[:, 10:] = 7.0, -3.0  # known covariates of the next step count, at 9
    first, second = (net.next_distributions(each, 0)[0].mean for each in (some, later))
    torch.testing.assert_close(first[:, :9], second[:, :9], rtol=0, atol=1e-12)
    assert (first[:, 9:] - second[:, 9:]).abs().min() > 1e-6


def test_paths_are_drawn_as_if_the_draws_before_were_true():
    net, some = shaken(fitted_maps(network("autoregressive", "quantile_function"))), exact(window())
    with torch.no_grad():
        net.next.head.project.bias.view(2, -1)[:, 1:] = -60.0  # all quantiles are one: a draw is the centre
        net.next.head.project.weight.view(2, -1, 8)[:, 1:] = 0.0
    path = net.sample(some, 1)[:, 0]
    forced = net(some._replace(future=path, future_observed=torch.ones_like(some.future_observed))).values[..., 11]
    torch.testing.assert_close(forced, path, rtol=1e-9, atol=1e-9)
    assert path.diff(dim=1).abs().min() > 1e-4


@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_steps_before_the_first_value_are_padding(decoding):
    sizes = sizes_of(d_model=8, d_state=6, start="last")
    net, some = shaken(network(decoding, sizes=sizes)), exact(window(24))
    padded = some._replace(past_observed=some.past_observed.clone(), past=some.past.clone())
    padded.past_observed[:, 8], padded.past_observed[:, :8], padded.past[:, :8] = True, False, 0.0
    short = padded._replace(
        past=padded.past[:, 8:], past_observed=padded.past_observed[:, 8:], past_x=some.past_x[:, 8:]
    )
    if decoding == "direct":  # the mean absolute change depends on the number of steps, which differs
        net.horizon.inputs.weight[:, :2] = 0.0
    torch.testing.assert_close(net(padded).mean, net(short).mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("likelihood", LIKELIHOODS[:3])
def test_before_training_the_location_is_that_of_the_closed_form_maps(likelihood):
    net, some = fitted_maps(network(likelihood=likelihood)).eval(), window(seed=9)
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
    observed = torch.ones(400, 20, 1, dtype=torch.bool)
    empty = torch.zeros(400, 20, 0), torch.zeros(400, 4, 0)
    some = Window(y[:, :20], observed, empty[0], y[:, 20:], observed[:, :4], empty[1], torch.arange(400))
    net = network(columns=(1, 0, 0), context=20)
    net.fit_closed_form(iter([some]), iter([some]))
    kernel = net.next.kernel()
    assert kernel.sum().abs() < 1e-5
    assert kernel[-1].item() + 1 == pytest.approx(1.2, abs=0.12)
    assert kernel[-2].item() == pytest.approx(-0.5, abs=0.12)
