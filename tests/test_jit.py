"""Compilation: with options or without, kernels give what Python gives."""

import numpy as np
import pytest

import tsformers.jit
from tsformers.jit import compiled, compiled_nogil, inlined


def running_sum(x: np.ndarray, out: np.ndarray) -> None:
    total = 0.0
    for k in range(x.size):
        total += x[k] * x[k]
        out[k] = total


@pytest.mark.parametrize(
    "decorate", [compiled, compiled_nogil(), compiled_nogil("contract"), compiled_nogil("contract", "reassoc", "nsz")]
)
def test_a_kernel_gives_what_python_gives(decorate, rng):
    x = rng.normal(size=50)
    wanted, found = np.empty(50), np.empty(50)
    running_sum(x, wanted)
    decorate(running_sum)(x, found)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_a_kernel_without_the_lock_divides_as_numpy_does():
    @compiled_nogil()
    def ratio(a: float, b: float) -> float:
        return a / b

    assert ratio(1.0, 0.0) == np.inf


def test_without_a_folder_for_the_cache_kernels_are_compiled_all_the_same(monkeypatch):
    asked = []

    def refusing(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("no locator available")
        return lambda function: function

    monkeypatch.setattr(tsformers.jit, "JIT", refusing)
    for decorate in (compiled, compiled_nogil("contract"), inlined):
        assert decorate(running_sum) is running_sum
    assert [bool(options.get("cache")) for options in asked] == [True, True, False, True, False, False]
