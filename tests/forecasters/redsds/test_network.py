"""The network of REDSDS: its bound against exact likelihoods, and its draws."""

import itertools
import math

import numpy as np
import pytest
import torch

from tsformers.forecasters.redsds.annealing import TemperatureSchedule
from tsformers.forecasters.redsds.architecture import Widths
from tsformers.forecasters.redsds.generative import Factors, positive
from tsformers.forecasters.redsds.network import REDSDSNetwork, entropy, marginalise
from tsformers.testing import check_network, make_window

FORMS = {
    "published": {},
    "residual": {"residual": True},
    "geometric": {"durations": "geometric"},
    "not recurrent": {"recurrent": False},
    "values switch": {"switch_input": "xy", "min_duration": 3},
    "linear": {"transition": "linear", "emission": "linear", "switch_input": "y"},
    "transformer": {"embedder": "transformer", "widths": Widths(embedding=3)},
}


@pytest.mark.parametrize("columns", [(1, 0, 0), (2, 2, 3)])
@pytest.mark.parametrize("form", FORMS)
def test_the_network_keeps_its_contract(network, form, columns):
    channels, past_x, known_x = columns
    window = make_window(3, 16, 4, channels=channels, past_x=past_x, known_x=known_x)
    check_network(network(columns, **FORMS[form]), window)


def test_the_sizes_are_the_published_ones_plus_the_weights_of_missing_value_masks(design):
    """2872 and 3690 parameters, and 24 weights that read the mask; durations below the shortest need none."""
    ball = REDSDSNetwork((1, 0, 0), 1, design(n_regimes=2))
    three = REDSDSNetwork((1, 0, 0), 1, design(n_regimes=3, min_duration=5))
    assert sum(weight.numel() for weight in ball.parameters()) == 2872 + 24
    assert sum(weight.numel() for weight in three.parameters()) == 3690 + 24 - 3 * 4


@pytest.mark.parametrize("form", FORMS)
def test_a_sequence_is_read_alone_as_it_is_read_beside_a_longer_one(network, series, form):
    net = network(**FORMS[form]).double().eval()
    y = torch.randn(2, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    lengths = torch.tensor([12, 20])
    with torch.no_grad():
        both = marginalise(net.read(series(y), lengths)[1].factors)
        alone = marginalise(net.read(series(y[:1, :12]))[1].factors)
    torch.testing.assert_close(both.log_likelihood[:1], alone.log_likelihood, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(both.regime[:1, :12], alone.regime, rtol=1e-9, atol=1e-10)


def by_enumeration(factors: Factors, width: int) -> float:
    """log p(y, x) of one sequence: the sum over all regimes and run lengths."""
    length, k = factors.log_emission.shape[1:]
    initial, transition = factors.log_initial[0].exp(), factors.log_transition[0].exp()
    goes_on, emission = factors.log_continue.exp(), factors.log_emission[0].exp()
    total = 0.0
    for regimes in itertools.product(range(k), repeat=length):
        for counts in itertools.product(range(width), repeat=length):
            if counts[0]:
                continue
            weight = initial[regimes[0]] * emission[0, regimes[0]]
            for t in range(1, length):
                before, now = regimes[t - 1], regimes[t]
                v = goes_on[before, counts[t - 1]]
                if counts[t] == counts[t - 1] + 1 and now == before:
                    weight = weight * v
                elif counts[t] == 0:
                    weight = weight * (1 - v) * transition[t, before, now]
                else:
                    weight = 0.0
                    break
                weight = weight * emission[t, now]
            total += float(weight)
    return math.log(total)


@pytest.mark.parametrize("form", ["published", "not recurrent", "values switch", "linear"])
def test_the_bound_sums_over_all_regimes_and_run_lengths(network, series, form):
    net = network(horizon=1, **FORMS[form] | {"min_duration": 1, "max_duration": 3}).double().eval()
    y = torch.tensor([[0.3, -0.4, 1.2, 0.1]], dtype=torch.float64)
    window = series(y, horizon=1)
    window = window._replace(future=window.future + 0.7, future_observed=torch.ones_like(window.future_observed))
    with torch.no_grad():
        values, sequences = net.sequences(window, window.future)
        noise = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[None]
        encoded = net.encode(values, sequences, noise)
        expected = by_enumeration(encoded.factors, 3) + float(entropy(encoded.scale))
        assert float(-net.loss(window)) == pytest.approx(expected, rel=1e-10)


def kalman(y, a, q, m0, p0, c, r):
    """log p(y) of ``x = a x + q noise, y = c x + r noise``, of one state."""
    mean, variance, total = m0, p0**2, 0.0
    for t, value in enumerate(y):
        if t:
            mean, variance = a * mean, a * a * variance + q * q
        error, spread = value - c * mean, c * c * variance + r * r
        total -= 0.5 * (math.log(2 * math.pi * spread) + error * error / spread)
        gain = variance * c / spread
        mean, variance = mean + gain * error, (1 - gain * c) * variance
    return total


@pytest.fixture
def one_regime(network):
    def make():
        """A linear Gaussian model with one regime, one state and a constant scale of transitions."""
        net = network(n_regimes=1, d_state=1, max_duration=3, transition="linear", emission="linear").double().eval()
        with torch.no_grad():
            net.model.transition.first.weight.copy_(torch.tensor([[0.8], [0.0]]))
            net.model.emission.weight.fill_(1.3)
        model = net.model
        parameters = {
            "a": 0.8,
            "q": math.log(2) + 1e-6,
            "m0": model.first_mean.item(),
            "p0": positive(model.first_raw).item(),
            "c": 1.3,
            "r": positive(model.emission_raw).item(),
        }
        return net, parameters

    return make


@pytest.fixture
def bounds(series):
    def make(net, y, n=20_000):
        """The bound of one sequence for many draws of its states."""
        torch.manual_seed(1)
        window = series(np.tile(y, (n, 1)))
        with torch.no_grad():
            values, sequences = net.sequences(window, None)
            encoded = net.encode(values, sequences, torch.randn(n, len(y), net.design.d_state, dtype=torch.float64))
            return (marginalise(encoded.factors).log_likelihood + entropy(encoded.scale)).numpy()

    return make


def test_the_bound_lies_below_the_exact_likelihood_of_a_linear_gaussian_model(one_regime, bounds):
    net, parameters = one_regime()
    y = np.random.default_rng(0).normal(0, 1, 12)
    found, exact = bounds(net, y), kalman(y, **parameters)
    assert found.mean() + 4 * found.std() / math.sqrt(len(found)) < exact


def test_with_the_exact_posterior_the_bound_is_the_likelihood(one_regime, bounds):
    """One step: the posterior of the state is known in closed form and put into the network."""
    net, parameters = one_regime()
    y = np.array([0.9])
    spread = parameters["c"] ** 2 * parameters["p0"] ** 2 + parameters["r"] ** 2
    gain = parameters["p0"] ** 2 * parameters["c"] / spread
    mean = parameters["m0"] + gain * (y[0] - parameters["c"] * parameters["m0"])
    scale = math.sqrt((1 - gain * parameters["c"]) * parameters["p0"] ** 2)
    with torch.no_grad():
        net.inference.posterior[2].weight.zero_()
        net.inference.posterior[2].bias.copy_(torch.tensor([mean, math.log(math.expm1(scale - 1e-6))]))
    found = bounds(net, y)
    assert found.mean() == pytest.approx(kalman(y, **parameters), abs=4 * found.std() / math.sqrt(len(found)))


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_finite_where_values_are_missing(network, form):
    net = network((2, 1, 2), **FORMS[form])
    window = make_window(4, 16, 4, channels=2, past_x=1, known_x=2)
    observed = window.past_observed.clone()
    observed[0], observed[1, 5:], observed[2, :, 0] = False, False, False
    net.loss(window._replace(past_observed=observed, past=window.past * observed)).mean().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert bool(torch.isfinite(weight.grad).all()), name


def test_missing_values_do_not_enter_the_bound(network):
    net = network().eval()
    window = make_window(3, 16, 4)
    other = torch.where(window.past_observed, window.past, 55.0)
    with torch.no_grad():
        assert torch.equal(net.loss(window), net.loss(window._replace(past=other)))


@pytest.fixture
def clockwork(network):
    def make(k=2, shortest=3, longest=3):
        """Regimes take turns, each holds one level of y for so many steps, all but without noise."""
        net = (
            network(
                horizon=24,
                n_regimes=k,
                d_state=1,
                min_duration=shortest,
                max_duration=longest,
                emission="linear",
                recurrent=False,
            )
            .double()
            .eval()
        )
        with torch.no_grad():
            levels = 5.0 * torch.arange(k, dtype=torch.float64)
            transition = net.model.transition
            transition.first.weight.zero_(), transition.first.bias.zero_(), transition.second.zero_()
            transition.bias.copy_(torch.stack([levels, torch.full((k,), -4.0, dtype=torch.float64)], 1))
            net.model.emission.weight.fill_(1.0)
            net.model.emission_raw.fill_(-4.0)
            for weight in net.model.switch.parameters():
                weight.zero_()
            turns = torch.full((k, k), -40.0, dtype=torch.float64)
            turns[torch.arange(k), (torch.arange(k) + 1) % k] = 40.0
            net.model.switch[2].bias.copy_(turns.flatten())
        return net

    return make


def ahead(net, n, regime=0, age=0):
    """Values (n, H) that follow the given regime and age."""
    torch.manual_seed(0)
    x = torch.full((n, 1), 5.0 * regime, dtype=torch.float64)
    origin = (x, torch.full((n,), regime), torch.full((n,), age))
    with torch.no_grad():
        return net.continue_paths(origin, x, x.new_zeros(n, net.horizon, 0))[..., 0].numpy()


def test_regimes_of_certain_duration_take_turns_like_a_clock(clockwork):
    levels = np.round(ahead(clockwork(3), 50, regime=1, age=1) / 5)
    expected = [1] + [2] * 3 + [0] * 3 + [1] * 3 + [2] * 3 + [0] * 3 + [1] * 3 + [2] * 3 + [0] * 2
    assert (levels == expected).all()


def test_drawn_durations_have_their_distribution(clockwork):
    net = clockwork(2, 2, 4)
    with torch.no_grad():
        net.model.durations.logits.copy_(torch.log(torch.tensor([0.5, 0.2, 0.3, 0.1, 0.3, 0.6], dtype=torch.float64)))
    levels = np.round(ahead(net, 20_000, regime=0, age=0)[:, :4] / 5)
    lasted = 1 + levels.argmax(axis=1)  # regime 0 has lasted one step already
    np.testing.assert_allclose([(lasted == d).mean() for d in (2, 3, 4)], [0.5, 0.2, 0.3], atol=0.015)


def test_draws_of_one_linear_regime_have_the_moments_of_its_recursion(one_regime):
    net, parameters = one_regime()
    net.horizon = 3
    torch.manual_seed(0)
    start = torch.full((40_000, 1), 2.0, dtype=torch.float64)
    nothing = torch.zeros(len(start), dtype=torch.long)
    with torch.no_grad():
        drawn = net.continue_paths((start, nothing, nothing), start, start.new_zeros(len(start), 3, 0))[..., 0].numpy()
    mean, variance = 2.0, 0.0
    for h in range(3):
        mean, variance = parameters["a"] * mean, parameters["a"] ** 2 * variance + parameters["q"] ** 2
        assert drawn[:, h].mean() == pytest.approx(parameters["c"] * mean, abs=0.03)
        assert drawn[:, h].std() == pytest.approx(
            math.sqrt(parameters["c"] ** 2 * variance + parameters["r"] ** 2), rel=0.02
        )


@pytest.mark.parametrize("begin", ["sample", "argmax"])
def test_draws_continue_from_the_end_of_the_context(series, clockwork, begin):
    """The clock has shown level 0 twice: it stays for one more step, then level 5 follows for three."""
    net = clockwork(2)
    net.begin, net.horizon = begin, 5
    y = [[0.0, 0, 0, 5, 5, 5, 0, 0]]
    with torch.no_grad():
        net.inference.posterior[2].bias.copy_(torch.tensor([0.0, -4.0]))
        net.model.initial_logits.copy_(torch.tensor([9.0, -9.0]))
        net.model.first_mean.copy_(torch.tensor([[0.0], [5.0]]))
        net.inference.draw = lambda inputs, noise: (  # the posterior is not what is tested here
            torch.tensor(y, dtype=torch.float64)[..., None].expand(len(inputs), -1, -1) + 0.01 * noise,
            torch.full_like(noise, 0.01),
        )
        drawn = net.sample(series(y, horizon=5), 30)[0, :, :, 0]
    assert (np.round(drawn.numpy() / 5) == [0, 1, 1, 1, 0]).all()


def test_temperatures_fall_during_training_and_nowhere_else(design):
    schedule = TemperatureSchedule(8.0, 1.0, 0.5, 1, 2)
    torch.manual_seed(0)
    net = REDSDSNetwork((1, 0, 0), 4, design(n_regimes=2), schedule, TemperatureSchedule())
    window, temperatures = make_window(3, 16, 4), []
    for _ in range(8):
        net.eval().loss(window)
        net.train().loss(window)
        temperatures.append(float(net.switch_temperature))
    assert temperatures == [8.0, 8.0, 8.0, 4.0, 2.0, 1.0, 1.0, 1.0]
    assert float(net.duration_temperature) == 1.0
    restored = REDSDSNetwork((1, 0, 0), 4, design(n_regimes=2))
    restored.load_state_dict(net.state_dict())
    assert int(restored.step) == 8
