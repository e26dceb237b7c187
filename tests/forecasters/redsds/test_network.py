"""The network of REDSDS: its recurrences, its bound against exact likelihoods, and its draws."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tsformers.forecasters.redsds.recurrences as recurrence
from tsformers.data.windows import Window
from tsformers.forecasters.redsds.annealing import Annealing
from tsformers.forecasters.redsds.generative import Design, Durations, Factors, PerRegime, log_normal, positive
from tsformers.forecasters.redsds.network import REDSDSNetwork, entropy, summed
from tsformers.forecasters.redsds.segmentation import expected_ahead, remaining_steps
from tsformers.testing import check_network, make_window

FORMS = {
    "published": {},
    "residual": {"residual": True},
    "geometric": {"durations": "geometric"},
    "not recurrent": {"recurrent": False},
    "values switch": {"switch_input": "xy", "min_duration": 3},
    "linear": {"transition": "linear", "emission": "linear", "switch_input": "y"},
    "transformer": {"embedder": "transformer", "d_embedding": 3},
}


def network(columns=(1, 0, 0), horizon=4, **design):
    torch.manual_seed(0)
    return REDSDSNetwork(columns, horizon, Design(**{"n_regimes": 2, "max_duration": 4} | design))


def series(y, horizon=0, seen=None):
    """One batch of windows of one channel: values (B, T) in double precision."""
    y = torch.as_tensor(y, dtype=torch.float64)[..., None]
    seen = torch.ones_like(y, dtype=torch.bool) if seen is None else torch.as_tensor(seen)[..., None]
    none = y.new_zeros(len(y), y.shape[1], 0)
    future = y.new_zeros(len(y), horizon, 1)
    return Window(
        y * seen, seen, none, future, torch.zeros_like(future, dtype=torch.bool), future[..., :0], torch.arange(len(y))
    )


@pytest.mark.parametrize("columns", [(1, 0, 0), (2, 2, 3)])
@pytest.mark.parametrize("form", FORMS)
def test_the_laws_of_networks_hold(form, columns):
    channels, past_x, known_x = columns
    window = make_window(3, 16, 4, channels=channels, past_x=past_x, known_x=known_x)
    check_network(network(columns, **FORMS[form]), window)


def test_the_sizes_are_the_published_ones_besides_what_tells_of_missing_values():
    """2872 and 3690 parameters; 24 weights read whether a value was seen, and durations below the least need none."""
    ball = REDSDSNetwork((1, 0, 0), 1, Design(n_regimes=2))
    three = REDSDSNetwork((1, 0, 0), 1, Design(n_regimes=3, min_duration=5))
    assert sum(weight.numel() for weight in ball.parameters()) == 2872 + 24
    assert sum(weight.numel() for weight in three.parameters()) == 3690 + 24 - 3 * 4


def posterior_weights(m=2, r=5, hidden=7):
    torch.manual_seed(0)
    shapes = ((m, r), (r, r), (r, hidden), (hidden,), (hidden, 2 * m), (2 * m,))
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def test_the_compiled_posterior_is_the_loop_in_torch_and_so_is_its_gradient():
    weights = posterior_weights()
    inputs = torch.randn(3, 6, 5, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(3, 6, 2, dtype=torch.float64)

    def drawn(inputs, *weights):
        return recurrence.posterior_scan(inputs, noise, recurrence.PosteriorWeights(*weights))

    expected = recurrence._posterior_steps(inputs, noise, recurrence.PosteriorWeights(*weights))
    for one, other in zip(drawn(inputs, *weights), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(drawn, (inputs, *weights))


def test_the_gated_units_are_those_of_torch_and_so_is_their_gradient():
    torch.manual_seed(0)
    ours, theirs = recurrence.GatedUnits(3, 4).double(), nn.GRU(3, 4, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for way, end in enumerate(("", "_reverse")):
            part = slice(12 * way, 12 * way + 12)
            getattr(theirs, f"weight_ih_l0{end}").copy_(ours.read.weight[part])
            getattr(theirs, f"bias_ih_l0{end}").copy_(ours.read.bias[part])
            getattr(theirs, f"weight_hh_l0{end}").copy_(ours.weight[way].t())
            getattr(theirs, f"bias_hh_l0{end}").copy_(ours.bias[way])
    values = torch.randn(2, 7, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(values), theirs(values)[0], rtol=1e-12, atol=1e-12)
    gates = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    weight, bias = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((4, 12), (12,)))
    torch.testing.assert_close(
        recurrence.gated_scan(gates, weight, bias), recurrence._gated_steps(gates, weight, bias), rtol=1e-12, atol=1e-12
    )
    assert torch.autograd.gradcheck(recurrence.gated_scan, (gates, weight, bias))


@given(st.integers(1, 6), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_padding_after_a_sequence_does_not_change_what_is_read_of_it(short, long):
    torch.manual_seed(0)
    units = recurrence.GatedUnits(2, 3).double()
    values = torch.randn(1, max(short, long), 2, dtype=torch.float64)
    padded = units(values, torch.tensor([short]))[:, :short]
    torch.testing.assert_close(padded, units(values[:, :short]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_sequence_is_read_alone_as_it_is_read_beside_a_longer_one(form):
    net = network(**FORMS[form]).double().eval()
    y = torch.randn(2, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    lengths = torch.tensor([12, 20])
    with torch.no_grad():
        both = summed(net.read(series(y), lengths)[1].factors)
        alone = summed(net.read(series(y[:1, :12]))[1].factors)
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
def test_the_bound_sums_over_all_regimes_and_run_lengths(form):
    net = network(horizon=1, **FORMS[form] | {"min_duration": 1, "max_duration": 3}).double().eval()
    y = torch.tensor([[0.3, -0.4, 1.2, 0.1]], dtype=torch.float64)
    window = series(y, horizon=1)
    window = window._replace(future=window.future + 0.7, future_observed=torch.ones_like(window.future_observed))
    with torch.no_grad():
        values, told = net._told(window, window.future)
        noise = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[None]
        encoded = net.encode(values, told, noise)
        expected = by_enumeration(encoded.factors, 3) + float(entropy(encoded.scale))
        assert float(-net.loss(window)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("residual", [False, True])
def test_the_factors_are_the_densities_of_the_model_written_out(residual):
    sizes = {"n_regimes": 2, "d_state": 2, "residual": residual}
    net = network(transition="linear", emission="linear", **sizes).double().eval()
    window = series([[0.5, -1.0, 0.2]], seen=[[True, False, True]])
    with torch.no_grad():
        told, encoded = net.read(window)
        x, model = encoded.x[0], net.model
        scale = positive(model.emission_raw[0])
        for t, k in itertools.product(range(3), range(2)):
            if t:
                mean, raw = (model.transition.first.weight.view(2, 4, 2)[k] @ x[t - 1]).chunk(2)
                mean = mean + x[t - 1] if residual else mean
                expected = torch.distributions.Normal(mean, positive(raw)).log_prob(x[t]).sum()
            else:
                first = torch.distributions.Normal(model.first_mean[k], positive(model.first_raw[k]))
                expected = first.log_prob(x[0]).sum()
            if t != 1:  # unseen
                shown = model.emission.weight[0] @ x[t]
                expected += torch.distributions.Normal(shown, scale).log_prob(told.y[0, t, 0])
            assert float(encoded.factors.log_emission[0, t, k]) == pytest.approx(float(expected), rel=1e-10)


def test_the_first_step_falls_to_the_floor_and_the_others_do_not_know_of_it():
    window = series([[900.0, -1.0, 0.2], [0.5, -1.0, 0.2]])
    free, floored = (network(d_state=2, start_floor=floor).double().eval() for floor in (None, -13.0))
    with torch.no_grad():
        before, after = (net.read(window)[1].factors.log_emission for net in (free, floored))
    torch.testing.assert_close(after[:, 1:], before[:, 1:], rtol=0, atol=0)
    torch.testing.assert_close(after[:, 0], torch.log(before[:, 0].exp() + math.exp(-13)))
    assert (before[0, 0] < -1000).all()
    torch.testing.assert_close(after[0, 0], torch.full_like(after[0, 0], -13.0))


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


def one_regime():
    """A linear Gaussian model with one regime, one state and a constant scale of moves."""
    net = network(n_regimes=1, d_state=1, max_duration=3, transition="linear", emission="linear").double().eval()
    with torch.no_grad():
        net.model.transition.first.weight.copy_(torch.tensor([[0.8], [0.0]]))
        net.model.emission.weight.fill_(1.3)
    model = net.model
    law = {
        "a": 0.8,
        "q": math.log(2) + 1e-6,
        "m0": model.first_mean.item(),
        "p0": positive(model.first_raw).item(),
        "c": 1.3,
        "r": positive(model.emission_raw).item(),
    }
    return net, law


def bounds(net, y, n=20_000):
    """The bound of one sequence for many draws of its states."""
    torch.manual_seed(1)
    window = series(np.tile(y, (n, 1)))
    with torch.no_grad():
        values, told = net._told(window, None)
        encoded = net.encode(values, told, torch.randn(n, len(y), net.design.d_state, dtype=torch.float64))
        return (summed(encoded.factors).log_likelihood + entropy(encoded.scale)).numpy()


def test_the_bound_lies_below_the_exact_likelihood_of_a_linear_gaussian_model():
    net, law = one_regime()
    y = np.random.default_rng(0).normal(0, 1, 12)
    found, exact = bounds(net, y), kalman(y, **law)
    assert found.mean() + 4 * found.std() / math.sqrt(len(found)) < exact


def test_with_the_exact_posterior_the_bound_is_the_likelihood():
    """One step: the posterior of the state is known in closed form and put into the network."""
    net, law = one_regime()
    y = np.array([0.9])
    spread = law["c"] ** 2 * law["p0"] ** 2 + law["r"] ** 2
    gain = law["p0"] ** 2 * law["c"] / spread
    mean = law["m0"] + gain * (y[0] - law["c"] * law["m0"])
    scale = math.sqrt((1 - gain * law["c"]) * law["p0"] ** 2)
    with torch.no_grad():
        net.inference.law[2].weight.zero_()
        net.inference.law[2].bias.copy_(torch.tensor([mean, math.log(math.expm1(scale - 1e-6))]))
    found = bounds(net, y)
    assert found.mean() == pytest.approx(kalman(y, **law), abs=4 * found.std() / math.sqrt(len(found)))


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_finite_where_values_are_missing(form):
    net = network((2, 1, 2), **FORMS[form])
    window = make_window(4, 16, 4, channels=2, past_x=1, known_x=2)
    seen = window.past_observed.clone()
    seen[0], seen[1, 5:], seen[2, :, 0] = False, False, False
    net.loss(window._replace(past_observed=seen, past=window.past * seen)).mean().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert bool(torch.isfinite(weight.grad).all()), name


def test_what_is_unseen_does_not_enter_the_bound():
    net = network().eval()
    window = make_window(3, 16, 4)
    other = torch.where(window.past_observed, window.past, 55.0)
    with torch.no_grad():
        assert torch.equal(net.loss(window), net.loss(window._replace(past=other)))


def clockwork(k=2, least=3, most=3):
    """Regimes take turns, each holds one level of y for so many steps, all but without noise."""
    net = (
        network(
            horizon=24,
            n_regimes=k,
            d_state=1,
            min_duration=least,
            max_duration=most,
            emission="linear",
            recurrent=False,
        )
        .double()
        .eval()
    )
    with torch.no_grad():
        levels = 5.0 * torch.arange(k, dtype=torch.float64)
        move = net.model.transition
        move.first.weight.zero_(), move.first.bias.zero_(), move.second.zero_()
        move.bias.copy_(torch.stack([levels, torch.full((k,), -4.0, dtype=torch.float64)], 1))
        net.model.emission.weight.fill_(1.0)
        net.model.emission_raw.fill_(-4.0)
        for weight in net.model.switch.parameters():
            weight.zero_()
        turns = torch.full((k, k), -40.0, dtype=torch.float64)
        turns[torch.arange(k), (torch.arange(k) + 1) % k] = 40.0
        net.model.switch[2].bias.copy_(turns.flatten())
    return net


def ahead(net, n, regime=0, age=0):
    """Values (n, H) that follow the given regime and age."""
    torch.manual_seed(0)
    x = torch.full((n, 1), 5.0 * regime, dtype=torch.float64)
    place = (x, torch.full((n,), regime), torch.full((n,), age))
    with torch.no_grad():
        return net._ahead(place, x, x.new_zeros(n, net.horizon, 0))[..., 0].numpy()


def test_regimes_of_certain_duration_take_turns_like_a_clock():
    levels = np.round(ahead(clockwork(3), 50, regime=1, age=1) / 5)
    expected = [1] + [2] * 3 + [0] * 3 + [1] * 3 + [2] * 3 + [0] * 3 + [1] * 3 + [2] * 3 + [0] * 2
    assert (levels == expected).all()


def test_drawn_durations_follow_their_law():
    net = clockwork(2, 2, 4)
    with torch.no_grad():
        net.model.durations.logits.copy_(torch.log(torch.tensor([0.5, 0.2, 0.3, 0.1, 0.3, 0.6], dtype=torch.float64)))
    levels = np.round(ahead(net, 20_000, regime=0, age=0)[:, :4] / 5)
    lasted = 1 + levels.argmax(axis=1)  # regime 0 has lasted one step already
    np.testing.assert_allclose([(lasted == d).mean() for d in (2, 3, 4)], [0.5, 0.2, 0.3], atol=0.015)


def test_draws_of_one_linear_regime_have_the_moments_of_its_recursion():
    net, law = one_regime()
    net.horizon = 3
    torch.manual_seed(0)
    start = torch.full((40_000, 1), 2.0, dtype=torch.float64)
    nothing = torch.zeros(len(start), dtype=torch.long)
    with torch.no_grad():
        drawn = net._ahead((start, nothing, nothing), start, start.new_zeros(len(start), 3, 0))[..., 0].numpy()
    mean, variance = 2.0, 0.0
    for h in range(3):
        mean, variance = law["a"] * mean, law["a"] ** 2 * variance + law["q"] ** 2
        assert drawn[:, h].mean() == pytest.approx(law["c"] * mean, abs=0.03)
        assert drawn[:, h].std() == pytest.approx(math.sqrt(law["c"] ** 2 * variance + law["r"] ** 2), rel=0.02)


@pytest.mark.parametrize("begin", ["sample", "argmax"])
def test_draws_begin_where_the_context_ends(begin):
    """The clock has shown level 0 twice: it stays for one more step, then level 5 for three."""
    net = clockwork(2)
    net.begin, net.horizon = begin, 5
    y = [[0.0, 0, 0, 5, 5, 5, 0, 0]]
    with torch.no_grad():
        net.inference.law[2].bias.copy_(torch.tensor([0.0, -4.0]))
        net.model.initial_logits.copy_(torch.tensor([9.0, -9.0]))
        net.model.first_mean.copy_(torch.tensor([[0.0], [5.0]]))
        net.inference.draw = lambda inputs, noise: (  # the posterior is not what is tested here
            torch.tensor(y, dtype=torch.float64)[..., None].expand(len(inputs), -1, -1) + 0.01 * noise,
            torch.full_like(noise, 0.01),
        )
        drawn = net.sample(series(y, horizon=5), 30)[0, :, :, 0]
    assert (np.round(drawn.numpy() / 5) == [0, 1, 1, 1, 0]).all()


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.integers(0, 3))
@settings(deadline=None)
def test_what_a_duration_law_leaves_is_the_mean_of_those_that_are_left(weights, zeros):
    law = np.array([0.0] * zeros + weights) / sum(weights)
    steps = np.arange(1, len(law) + 1)
    expected = [((steps - c) * law)[steps >= c].sum() / law[steps >= c].sum() for c in steps]
    np.testing.assert_allclose(expected_ahead(torch.tensor(law)).numpy(), expected, atol=1e-9)


def test_expected_remaining_weighs_the_ages_that_the_chosen_regime_may_have():
    net = network(n_regimes=2, max_duration=3).double().eval()
    with torch.no_grad():
        told, encoded = net.read(series(np.random.default_rng(0).normal(size=(2, 6))))
        posterior = summed(encoded.factors)
        chosen = posterior.regime.argmax(-1)
        found, law = remaining_steps(net, told, encoded, posterior, chosen)
    for b, t in itertools.product(range(2), range(6)):
        k = int(chosen[b, t])
        ages = (posterior.regime_count[b, t, k] / posterior.regime[b, t, k]).numpy()
        rho, steps = law[k].numpy(), np.arange(1, 4)
        left = [((steps - c) * rho)[steps >= c].sum() / rho[steps >= c].sum() for c in steps]
        assert float(found[b, t]) == pytest.approx(float(ages @ left), rel=1e-9)


def test_a_geometric_regime_is_left_with_the_chance_of_its_step():
    net = network(durations="geometric", recurrent=False).double().eval()
    with torch.no_grad():
        told, encoded = net.read(series([[0.1, 0.2, 0.3]]))
        posterior = summed(encoded.factors)
        found, _ = remaining_steps(net, told, encoded, posterior, torch.zeros(1, 3, dtype=torch.long))
        stay = float(encoded.factors.log_transition[0, 1, 0, 0].exp())
    np.testing.assert_allclose(found[0].numpy(), stay / (1 - stay))


def test_durations_below_the_least_go_on_for_certain_and_the_last_ends():
    torch.manual_seed(0)
    one = torch.tensor(1.0)
    durations = Durations(Design(n_regimes=2, min_duration=3, max_duration=5), 0)
    log_v = durations.log_continue(torch.zeros(1, 1, 0), one)
    assert torch.equal(log_v[:, :2], torch.zeros(2, 2))
    assert bool(torch.isinf(log_v[:, -1]).all())
    rho = durations.log_law(torch.zeros(1, 1, 0), one).exp()
    torch.testing.assert_close(log_v[:, 2].exp(), 1 - rho[:, 0])
    log_v[:, 2:4].sum().backward()
    assert bool(torch.isfinite(durations.logits.grad).all())
    assert bool((durations.logits.grad != 0).any())


def test_every_regime_has_a_network_of_its_own():
    torch.manual_seed(0)
    maps = PerRegime(2, 3, 2, hidden=4)
    values = torch.randn(5, 2)
    weight, bias = maps.first.weight.view(2, 4, 2), maps.first.bias.view(2, 4)
    for k in range(2):
        expected = torch.relu(values @ weight[k].T + bias[k]) @ maps.second[k] + maps.bias[k]
        torch.testing.assert_close(maps(values)[:, k], expected)


def test_temperatures_fall_as_training_goes_on_and_nowhere_else():
    annealing = Annealing(8.0, 1.0, 0.5, 1, 2)
    torch.manual_seed(0)
    net = REDSDSNetwork((1, 0, 0), 4, Design(n_regimes=2), annealing, Annealing())
    window, seen = make_window(3, 16, 4), []
    for _ in range(8):
        net.eval().loss(window)
        net.train().loss(window)
        seen.append(float(net.switch_temperature))
    assert seen == [8.0, 8.0, 8.0, 4.0, 2.0, 1.0, 1.0, 1.0]
    assert float(net.duration_temperature) == 1.0
    restored = REDSDSNetwork((1, 0, 0), 4, Design(n_regimes=2))
    restored.load_state_dict(net.state_dict())
    assert int(restored.step) == 8


def test_a_temperature_flattens_switches_and_durations():
    net = network(n_regimes=3).double().eval()
    with torch.no_grad():
        told, encoded = net.read(series([[0.1, 2.0, -1.0]]))
        net.switch_temperature.fill_(1e6)
        net.duration_temperature.fill_(1e6)
        flat = net.model.factors(encoded.x, told, net.temperatures)
    np.testing.assert_allclose(flat.log_transition[:, 1:].exp(), 1 / 3, atol=1e-5)
    np.testing.assert_allclose(flat.log_continue.exp(), np.tile([3 / 4, 2 / 3, 1 / 2, 0], (3, 1)), atol=1e-5)


def test_controls_move_durations_switches_and_states():
    net = network((1, 0, 2)).double().eval()
    calm, busy = (make_window(2, 16, 4, known_x=2, seed=0) for _ in range(2))
    with torch.no_grad():
        one = net.read(calm._replace(**{n: p.double() for n, p in calm._asdict().items() if n in ("past", "past_x")}))[
            1
        ]
        other = net.read(busy._replace(past=busy.past.double(), past_x=busy.past_x.double() + 1))[1]
    assert one.factors.log_continue.shape == (2, 16, 2, 4)
    for a, b in zip(one.factors, other.factors, strict=True):
        assert not torch.allclose(a, b)


def three_modes(n, length, rng):
    """States (N, T, 2) and regimes of the three-mode system of the paper, and the parameters they came from."""
    basis = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    angles = np.arange(3) * np.pi / 8
    turns = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])
    move, shift = 0.99 * basis @ turns @ basis.T, np.stack([np.zeros(2), *0.25 * rng.normal(size=(2, 2))])
    switch = np.array([[0.1, 0.2, 0.7], [0.3, 0.5, 0.2], [0.3, 0.3, 0.4]])
    law = np.zeros((3, 20))
    for k, weights in enumerate(
        ({6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2})
    ):
        law[k, np.array(list(weights)) - 1] = np.array(list(weights.values())) / sum(weights.values())
    regime, left = np.empty((n, length), int), np.zeros(n, int)
    x = np.empty((n, length, 2))
    z, state = rng.integers(3, size=n), np.array([2.0, 0.0]) + 0.1 * rng.normal(size=(n, 2))
    for t in range(length):
        if t:
            new = (rng.random((n, 1)) > switch[z].cumsum(1)).sum(1)
            z = np.where(left == 0, new, z)
            state = np.einsum("nij,nj->ni", move[z], state) + shift[z] + 0.1 * rng.normal(size=(n, 2))
        drawn = 1 + (rng.random((n, 1)) > law[z].cumsum(1)).sum(1)
        left = np.where(left == 0, drawn, left) - 1
        x[:, t], regime[:, t] = state, z
    return x, regime, move, shift, switch, law


def test_with_known_parameters_and_states_the_smoother_finds_the_regimes_of_the_three_mode_system(rng):
    """Accuracy .98 or more from the moves of the states alone (.995 was measured elsewhere)."""
    from tsformers.hsmm.inference import forward_backward, hazards

    x, regime, move, shift, switch, law = three_modes(40, 180, rng)
    means = np.einsum("kij,ntj->ntki", move, x[:, :-1]) + shift
    density = log_normal(torch.tensor(x[:, 1:, None]), torch.tensor(means), torch.tensor(0.1)).sum(-1)
    found = forward_backward(
        log_initial=torch.full((3,), 1 / 3, dtype=torch.float64).log(),
        log_transition=torch.tensor(switch).log(),
        log_continue=hazards(torch.tensor(law).log()),
        log_emission=torch.cat([torch.zeros_like(density[:, :1]), density], dim=1),
    )
    assert (found.regime.argmax(-1).numpy() == regime).mean() >= 0.98
