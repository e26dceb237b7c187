"""One member of Blend: shares of two networks, chosen by validation, and recalibrated quantiles."""

import numpy as np
import pytest
import torch

from tsformers.forecasters.blend.batches import Pool, Units
from tsformers.forecasters.blend.member import HELD, Member, answered, calibrated, share_of, untrained
from tsformers.forecasters.blend.network import Batch
from tsformers.forecasters.blend.pretrained import fresh_network, shipped_network


@pytest.fixture
def windows():
    torch.manual_seed(0)
    network = fresh_network()
    features, bases = network.first.in_features, network.weigh.out_features
    n, horizon = 400, 2
    batch = Batch(
        torch.randn(n, features), torch.randn(n, horizon, bases), torch.ones(n, bases, dtype=torch.bool),
        torch.rand(n, horizon, 4), torch.zeros(n, 0), torch.zeros(n, horizon, 0),
    )  # fmt: skip
    quantiles = answered(untrained(shipped_network()), batch).quantiles
    place = np.random.default_rng(0).integers(len(HELD), size=(n, 1, horizon))
    target = torch.from_numpy(np.take_along_axis(quantiles, place, axis=1)[:, 0]).float()
    return Pool(batch, target, Units(np.zeros((n, horizon)), np.ones(n), np.zeros(n, dtype=bool)))


def test_quantiles_are_the_weighted_mean_of_both_networks(windows):
    member = Member(fresh_network(3), shipped_network(), 0.25, None, None)
    ends = [answered(member._replace(share=share), windows.batch).quantiles for share in (0.0, 1.0)]
    np.testing.assert_allclose(answered(member, windows.batch).quantiles, 0.75 * ends[0] + 0.25 * ends[1], atol=1e-6)


def test_a_network_that_does_worse_in_validation_has_no_share(windows):
    member = Member(fresh_network(3), shipped_network(), 1.0, None, None)
    assert share_of(member, windows, 1e6).share == 0.0
    swapped = Member(shipped_network(), fresh_network(3), 1.0, None, None)
    assert share_of(swapped, windows, 1e6).share == pytest.approx(1.0, abs=1e-3)


def test_the_share_grows_with_what_was_trained_on(windows):
    member = Member(fresh_network(3), shipped_network(), 1.0, None, None)
    assert [share_of(member, None, blocks).share for blocks in (0, 100, 900)] == [0.0, 0.5, 0.9]


def test_a_recalibrated_member_covers_what_it_says(windows):
    quantiles = answered(untrained(shipped_network()), windows.batch).quantiles
    middle = quantiles[:, len(HELD) // 2]
    nearer = middle + 0.5 * (windows.target.numpy() - middle)  # half as far from the median as the network says
    narrow = windows._replace(target=torch.from_numpy(nearer).float())
    found = answered(calibrated(untrained(shipped_network()), narrow, 1e6), windows.batch).quantiles
    share = (nearer[:, None] <= found).mean(axis=(0, 2))
    np.testing.assert_allclose(share[3:-3], HELD[3:-3], atol=0.06)
    assert np.abs((nearer[:, None] <= quantiles).mean(axis=(0, 2)) - HELD).max() > 0.09
