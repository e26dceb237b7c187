"""Input features of LRU."""

import torch

from tsformers.forecasters.lru.inputs import channel_features, read_past


def test_gaps_are_masked_and_not_filled_by_later_values():
    values = torch.tensor([0.0, 5.0, 0.0, 6.0]).view(1, 4, 1)
    observed = torch.tensor([False, True, False, True]).view(1, 4, 1)
    past = read_past(values, observed)
    assert past.last.flatten().tolist() == [0.0, 5.0, 5.0, 6.0] and past.start.tolist() == [1]
    expected = channel_features(
        torch.tensor([0.0, 5, 5, 6]), torch.tensor([0.0, 0, 0, 1]), torch.tensor([0.0, 1, 0, 1])
    )
    torch.testing.assert_close(past.features.flatten(), expected)
    assert bool((channel_features(*torch.full((3, 1), 1e9))[:2] < 10.001).all())
