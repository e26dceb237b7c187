"""What the tests of REDSDS share: small networks, windows of one channel, a short forecaster."""

import pytest
import torch

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.forecasters.redsds.network import REDSDSNetwork
from tsformers.testing import make_frame

SMALL = {
    "horizon": 4,
    "context_length": 16,
    "n_regimes": 2,
    "max_duration": 6,
    "max_steps": 3,
    "batch_size": 8,
    "seed": 0,
    "verbose": False,
}


def design(**settings):
    """Parts and sizes of a network."""
    return tsf.REDSDS(horizon=1, **settings).design()


def build_network(columns=(1, 0, 0), horizon=4, **settings):
    """An untrained network with durations of 4 steps at most."""
    torch.manual_seed(0)
    return REDSDSNetwork(columns, horizon, design(**{"n_regimes": 2, "max_duration": 4} | settings))


def make_series(y, horizon=0, observed=None):
    """One batch of windows of one channel: values (B, T) in double precision."""
    y = torch.as_tensor(y, dtype=torch.float64)[..., None]
    observed = torch.ones_like(y, dtype=torch.bool) if observed is None else torch.as_tensor(observed)[..., None]
    none = y.new_zeros(len(y), y.shape[1], 0)
    future = y.new_zeros(len(y), horizon, 1)
    return Window(
        y * observed,
        observed,
        none,
        future,
        torch.zeros_like(future, dtype=torch.bool),
        future[..., :0],
        torch.arange(len(y)),
    )


@pytest.fixture(name="design")
def design_fixture():
    return design


@pytest.fixture
def network():
    return build_network


@pytest.fixture
def series():
    return make_series


@pytest.fixture(scope="module")
def model():
    """A function that gives a REDSDS which trains for a moment."""
    return lambda **settings: tsf.REDSDS(**SMALL | settings)


@pytest.fixture(scope="module")
def frame():
    return make_frame(n_series=3, rows=60)


@pytest.fixture(scope="module")
def fitted(model, frame):
    return model().fit(frame)
