"""What the tests of LRU share: models in double precision, data with covariates and gaps."""

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers as tsf
from tsformers.testing import make_frame

T = 16
SMALL = {"context_length": T, "max_steps": 3, "d_model": 8, "d_state": 6, "batch_size": 8, "seed": 0, "horizon": 3}


def fit_model(frame, roles=None, **settings):
    """A model in double precision whose weights are far from their initial values."""
    model = tsf.LRU(**SMALL | settings).fit(frame, **(roles or {}))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.network_.parameters():
            weight += 0.2 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.1)
    model.network_.double()
    return model


def rich_data(rows=60, freq="h", n_series=3):
    """Values with gaps, covariates of all kinds, series of different lengths."""
    rng = np.random.default_rng(1)
    frame = make_frame(n_series, rows, freq)
    frame["rain"], frame["price"] = rng.normal(size=(2, len(frame)))
    frame.loc[rng.random(len(frame)) < 0.15, ["y", "rain"]] = np.nan
    static = pd.DataFrame({"kind": ["x", "y", "x"][:n_series], "size": [1.0, 5.0, 2.0][:n_series]})
    static.index = pd.Index([f"s{i}" for i in range(n_series)], name="unique_id")
    return frame, {"known": ["price"], "static": static}


def split_end(frame, rows):
    """All but the last so many rows of each series, and those rows, step by step."""
    left = frame.groupby("unique_id").cumcount(ascending=False)
    return frame[left >= rows], [frame[left == k] for k in range(rows - 1, -1, -1)]


def known_of(rows):
    """A future frame: the known covariates of the rows."""
    return rows[["unique_id", "ds", "price"]]


@pytest.fixture
def fit():
    return fit_model


@pytest.fixture
def rich():
    return rich_data


@pytest.fixture
def split():
    return split_end


@pytest.fixture
def ahead_of():
    return known_of
