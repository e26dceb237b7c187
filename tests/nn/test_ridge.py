"""The ridge map against scikit-learn, and its properties."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from tsformers.nn import RidgeMap
from tsformers.nn.closed_form import PENALTIES


def pairs(rows=200, length=12, horizon=3, noise=0.5, seed=0, channels=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, length, channels, generator=generator, dtype=torch.float64).cumsum(1)
    truth = torch.linspace(-1, 1, horizon * length, dtype=torch.float64).reshape(horizon, length)
    y = truth @ (x - x.mean(1, keepdim=True)) + noise * torch.randn(rows, horizon, channels, generator=generator)
    return x, y, torch.ones(rows, channels, dtype=torch.bool)


def fit(training, validation, length=12, horizon=3):
    ridge = RidgeMap(length, horizon).double()
    ridge.fit_closed_form(training, validation)
    return ridge


def test_it_is_scikit_learns_ridge_at_the_penalty_that_is_best_on_the_validation_pairs():
    (x, y, _), (x2, y2, _) = pairs(rows=30, noise=4.0), pairs(seed=1, noise=4.0)
    ridge = fit([pairs(rows=30, noise=4.0)], [pairs(seed=1, noise=4.0)])
    rows, others = (each[..., 0].numpy() - each[..., 0].numpy().mean(1, keepdims=True) for each in (x, x2))
    size = np.linalg.eigvalsh(rows.T @ rows).mean()
    found = []
    for penalty in PENALTIES:
        peer = Ridge(alpha=penalty * size, fit_intercept=False).fit(rows, y[..., 0].numpy())
        found.append((np.abs(peer.predict(others) - y2[..., 0].numpy()).mean(), peer.coef_))
    best = min(found, key=lambda each: each[0])
    np.testing.assert_allclose(ridge.weight, best[1], atol=1e-6)
    assert ridge.errors.mean() == pytest.approx(best[0], rel=1e-5)
    assert best[0] < min(found[0][0], found[-1][0])  # neither the weakest nor the strongest: there was a choice


def test_batches_and_channels_are_nothing_but_rows():
    x, y, counts = pairs(channels=2)
    whole = fit([(x, y, counts)], [(x, y, counts)])
    apart = [(x[i::3, :, [c]], y[i::3, :, [c]], counts[i::3, [c]]) for i in range(3) for c in range(2)]
    torch.testing.assert_close(whole.weight, fit(apart, apart).weight)


def test_what_does_not_count_changes_nothing():
    x, y, counts = pairs()
    counts[::2] = False
    spoiled = torch.where(counts[:, None], y, 1e6)
    kept = [(x[1::2], y[1::2], counts[1::2])]
    torch.testing.assert_close(fit([(x, spoiled, counts)], kept).weight, fit(kept, kept).weight)


def test_a_level_changes_nothing_and_a_long_past_is_read_at_its_end():
    x, y, counts = pairs(length=600)
    ridge = fit([(x, y, counts)], [(x, y, counts)], length=600)
    assert ridge.weight.shape == (3, 512)
    torch.testing.assert_close(ridge(x), ridge(x + 1000.0))
    torch.testing.assert_close(ridge(x), ridge(torch.cat([x[:, :88] + 7, x[:, 88:]], dim=1)))


def test_with_nothing_to_learn_from_it_stays_zero_and_with_little_it_stays_small():
    empty = RidgeMap(12, 3)
    empty.fit_closed_form([], [])
    assert not empty.fitted and not empty(torch.randn(2, 12, 1)).any()
    learned, other = pairs(rows=4, noise=50.0), pairs(noise=50.0, seed=3)
    loose = RidgeMap(12, 3).double()
    loose.fit_closed_form([learned], [learned])  # chosen by what it was learned from
    assert fit([learned], [other]).weight.norm() < 0.1 * loose.weight.norm()


def test_constant_pasts_and_missing_validation_pairs_are_handled():
    flat = torch.ones(5, 12, 1, dtype=torch.float64), torch.ones(5, 3, 1, dtype=torch.float64), torch.ones(5, 1).bool()
    assert not fit([flat], []).weight.any()
    ridge = fit([pairs()], [])
    assert ridge.fitted and (ridge.errors > 0).all()


def test_weights_of_the_former_format_load_also_inside_a_users_own_network():
    ridge = fit([pairs()], [pairs(seed=1)])
    network = torch.nn.Sequential(ridge)
    former = {key.replace("fitted", "solved"): value.clone() for key, value in network.state_dict().items()}
    again = torch.nn.Sequential(RidgeMap(12, 3).double())
    again.load_state_dict(former)
    assert again[0].fitted and torch.equal(again[0].weight, ridge.weight)
