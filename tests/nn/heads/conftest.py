"""What the tests of heads share: a fit by maximum likelihood, and a fixed seed."""

import pytest
import torch


def maximise(head, y, *, location=None, scale=None, steps=200):
    """The head's distribution after maximising the likelihood of draws ``y`` (n,), features being constant."""
    features = torch.ones(1, 1, 4)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = -head(features, location, scale).log_prob(y[:, None, None]).mean()
        loss.backward()
        optimiser.step()
    return head(features, location, scale)


@pytest.fixture
def fitted():
    """A function that trains a head on draws."""
    return maximise


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
