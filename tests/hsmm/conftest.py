"""What the tests of hsmm share: random parts, and both implementations."""

import math

import numpy as np
import pytest
import torch

import tsformers.hsmm.dispatch as dispatch

INF = math.inf
NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    """Both implementations on the processor."""
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "compiled_kernels", lambda kind: None)
    elif dispatch.compiled_kernels("kernels") is None:
        pytest.skip("numba is not installed")
    return request.param


@pytest.fixture(scope="session")
def draw():
    """A function that draws four random parts, each varying with all its axes, counts beyond D impossible."""

    def draw_parts(batch, length, regimes, counts, seed=0, scale=1.0, dtype=torch.float64):
        normal = np.random.default_rng(seed).normal
        lasting = -np.logaddexp(0, normal(size=(batch, length, regimes, counts)) - 1)
        lasting[..., -1] = -INF
        logits = normal(size=(batch, length, regimes, regimes))
        arrays = (
            np.log(np.random.default_rng(seed).dirichlet(np.ones(regimes), batch)),
            logits - np.logaddexp.reduce(logits, -1, keepdims=True),
            lasting,
            scale * normal(size=(batch, length, regimes)),
        )
        return {name: torch.tensor(x, dtype=dtype) for name, x in zip(NAMES, arrays, strict=True)}

    return draw_parts


@pytest.fixture(scope="session")
def wanting():
    """A function that gives copies of parts that require gradients."""
    return lambda parts: {name: part.clone().requires_grad_() for name, part in parts.items()}


@pytest.fixture(scope="session")
def close():
    """A function that compares values to an absolute tolerance."""

    def compare(ours, theirs, tolerance):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=tolerance)

    return compare
