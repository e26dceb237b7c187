"""Compiled kernels of the mixtures; importing this module loads numba, which takes most of a second."""

from collections.abc import Callable
from typing import Any, no_type_check

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Machine code on first call, kept on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**options)(function)


@compiled
@no_type_check
def lag_moments(y: Array, starts: Array, stops: Array, centre: float, moments: Array) -> None:
    """Sums of z z' with z = (1, x[t], x[t-1], ..., x[t-p]), x = y - centre, over the steps without a gap among these.

    ``moments`` (N, p + 2, p + 2) is zero before. NaN is a gap.
    """
    size = moments.shape[1]
    z = np.empty(size)
    z[0] = 1.0
    for i in range(starts.shape[0]):
        run = 0
        for t in range(starts[i], stops[i]):
            run = run + 1 if y[t] == y[t] else 0  # not so of NaN
            if run < size - 1:
                continue
            for k in range(1, size):
                z[k] = y[t - k + 1] - centre
            for j in range(size):
                for k in range(j + 1):
                    moments[i, j, k] += z[j] * z[k]
        for j in range(size):
            for k in range(j):
                moments[i, k, j] = moments[i, j, k]
