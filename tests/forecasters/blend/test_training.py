"""Training of Blend: it learns, leaves no worse weights than it found, counts series by the root of their size."""

import numpy as np
import torch

from tsformers.forecasters.blend.batches import LARGEST, Pool, Units
from tsformers.forecasters.blend.network import Batch, BlendNetwork
from tsformers.forecasters.blend.training import Run, mean_loss, shuffled, train


def windows(n=200, seed=0):
    """Of three bases the second is right but for noise."""
    torch.manual_seed(seed)
    bases = torch.randn(n, 2, 3)
    batch = Batch(
        torch.randn(n, 4), bases, torch.ones(n, 3, dtype=torch.bool), torch.rand(n, 2, 4), torch.zeros(n, 0),
        torch.zeros(n, 2, 0),
    )  # fmt: skip
    target = bases[..., 1] + 0.1 * torch.randn(n, 2)
    return Pool(batch, target, Units(np.zeros((n, 2)), np.ones(n), np.zeros(n, dtype=bool)))


def plan(**settings):
    defaults = {"max_steps": 60, "batch_size": 32, "learning_rate": 3e-3, "weight_decay": 0.0, "patience": None}
    defaults |= {"verbose": False, "title": "", "seed": (0, 0), "device": torch.device("cpu")}
    return Run(**defaults | settings)


def test_the_base_that_is_right_gets_the_weight():
    torch.manual_seed(0)
    network = BlendNetwork(4, 3)
    before = mean_loss(network, windows(seed=1))
    history = train(network, windows(), windows(seed=1), plan(), np.random.default_rng(0))
    assert mean_loss(network, windows(seed=1)) < 0.6 * before
    assert network(windows(seed=2).batch).weights[..., 1].mean() > 0.8
    assert history["step"].tolist()[:2] == [0, 3]


def test_a_run_that_makes_everything_worse_leaves_the_weights_as_they_were():
    torch.manual_seed(0)
    network = BlendNetwork(4, 3)
    held = windows(seed=1)
    wrong = windows()._replace(target=-50 * torch.ones(200, 2))
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    train(network, wrong, held, plan(learning_rate=0.05), np.random.default_rng(0))
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_windows_of_larger_series_count_by_the_root_of_their_size():
    scale = np.array([1.0, 4.0, 9.0, 1e9, 1e-9])
    pool = Pool(windows(5).batch, torch.zeros(5, 2), Units(np.zeros((5, 2)), scale, np.zeros(5, dtype=bool)))
    found = pool.weights().numpy()
    np.testing.assert_allclose(found.mean(), 1.0, rtol=1e-6)
    assert found.max() / found.min() <= LARGEST**2
    near = Pool(windows(3).batch, torch.zeros(3, 2), Units(np.zeros((3, 2)), scale[:3], np.zeros(3, dtype=bool)))
    np.testing.assert_allclose(near.weights().numpy() / near.weights().numpy()[0], [1.0, 2.0, 3.0], rtol=1e-5)


def test_a_pass_takes_every_window_once_and_a_small_pool_is_one_batch():
    order = shuffled(10, 3, np.random.default_rng(0))
    first = torch.cat([next(order) for _ in range(3)])
    assert len(set(first.tolist())) == 9
    assert len(next(shuffled(2, 8, np.random.default_rng(0)))) == 2
