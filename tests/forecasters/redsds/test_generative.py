"""The generative model of REDSDS against its densities written out."""

import itertools
import math

import numpy as np
import pytest
import torch

from tsformers.forecasters.redsds.generative import Durations, PerRegime, log_normal, positive
from tsformers.hsmm.inference import forward_backward, hazards
from tsformers.testing import make_window


@pytest.mark.parametrize("residual", [False, True])
def test_the_factors_are_the_densities_of_the_model_written_out(network, series, residual):
    sizes = {"n_regimes": 2, "d_state": 2, "residual": residual}
    net = network(transition="linear", emission="linear", **sizes).double().eval()
    window = series([[0.5, -1.0, 0.2]], observed=[[True, False, True]])
    with torch.no_grad():
        sequences, encoded = net.read(window)
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
            if t != 1:  # missing
                shown = model.emission.weight[0] @ x[t]
                expected += torch.distributions.Normal(shown, scale).log_prob(sequences.y[0, t, 0])
            assert float(encoded.factors.log_emission[0, t, k]) == pytest.approx(float(expected), rel=1e-10)


def test_the_first_step_falls_to_the_floor_and_the_others_do_not_know_of_it(network, series):
    window = series([[900.0, -1.0, 0.2], [0.5, -1.0, 0.2]])
    free, floored = (network(d_state=2, start_floor=floor).double().eval() for floor in (None, -13.0))
    with torch.no_grad():
        before, after = (net.read(window)[1].factors.log_emission for net in (free, floored))
    torch.testing.assert_close(after[:, 1:], before[:, 1:], rtol=0, atol=0)
    torch.testing.assert_close(after[:, 0], torch.log(before[:, 0].exp() + math.exp(-13)))
    assert (before[0, 0] < -1000).all()
    torch.testing.assert_close(after[0, 0], torch.full_like(after[0, 0], -13.0))


def test_below_the_shortest_duration_a_regime_continues_for_certain_and_at_the_longest_it_ends(design):
    torch.manual_seed(0)
    one = torch.tensor(1.0)
    durations = Durations(design(n_regimes=2, min_duration=3, max_duration=5), 0)
    log_v = durations.log_continue(torch.zeros(1, 1, 0), one)
    assert torch.equal(log_v[:, :2], torch.zeros(2, 2))
    assert bool(torch.isinf(log_v[:, -1]).all())
    rho = durations.log_probabilities(torch.zeros(1, 1, 0), one).exp()
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


def test_a_temperature_flattens_switches_and_durations(network, series):
    net = network(n_regimes=3).double().eval()
    with torch.no_grad():
        sequences, encoded = net.read(series([[0.1, 2.0, -1.0]]))
        net.switch_temperature.fill_(1e6)
        net.duration_temperature.fill_(1e6)
        flat = net.model.factors(encoded.x, sequences, net.temperatures)
    np.testing.assert_allclose(flat.log_transition[:, 1:].exp(), 1 / 3, atol=1e-5)
    np.testing.assert_allclose(flat.log_continue.exp(), np.tile([3 / 4, 2 / 3, 1 / 2, 0], (3, 1)), atol=1e-5)


def test_controls_move_durations_switches_and_states(network):
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
    lasting = np.zeros((3, 20))
    for k, weights in enumerate(
        ({6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2})
    ):
        lasting[k, np.array(list(weights)) - 1] = np.array(list(weights.values())) / sum(weights.values())
    regime, left = np.empty((n, length), int), np.zeros(n, int)
    x = np.empty((n, length, 2))
    z, state = rng.integers(3, size=n), np.array([2.0, 0.0]) + 0.1 * rng.normal(size=(n, 2))
    for t in range(length):
        if t:
            new = (rng.random((n, 1)) > switch[z].cumsum(1)).sum(1)
            z = np.where(left == 0, new, z)
            state = np.einsum("nij,nj->ni", move[z], state) + shift[z] + 0.1 * rng.normal(size=(n, 2))
        drawn = 1 + (rng.random((n, 1)) > lasting[z].cumsum(1)).sum(1)
        left = np.where(left == 0, drawn, left) - 1
        x[:, t], regime[:, t] = state, z
    return x, regime, move, shift, switch, lasting


def test_with_known_parameters_and_states_the_smoother_finds_the_regimes_of_the_three_mode_system(rng):
    """Accuracy .98 or more from the transitions of the states alone (.995 was measured elsewhere)."""

    x, regime, move, shift, switch, lasting = three_modes(40, 180, rng)
    means = np.einsum("kij,ntj->ntki", move, x[:, :-1]) + shift
    density = log_normal(torch.tensor(x[:, 1:, None]), torch.tensor(means), torch.tensor(0.1)).sum(-1)
    found = forward_backward(
        log_initial=torch.full((3,), 1 / 3, dtype=torch.float64).log(),
        log_transition=torch.tensor(switch).log(),
        log_continue=hazards(torch.tensor(lasting).log()),
        log_emission=torch.cat([torch.zeros_like(density[:, :1]), density], dim=1),
    )
    assert (found.regime.argmax(-1).numpy() == regime).mean() >= 0.98
