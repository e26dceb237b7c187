"""Compiled kernel of mixtures of autoregressions; importing this module loads numba, which takes most of a second."""

from typing import Any, no_type_check

import numpy as np

from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
compiled = compiled_nogil()


@compiled
@no_type_check
def lag_moments(y: Array, starts: Array, stops: Array, centre: float, z: Array, moments: Array) -> None:
    """Sums of z z' with z = (1, x[t], x[t-1], ..., x[t-p]), x = y - centre, over the steps whose p lags are observed.

    ``moments`` (N, p + 2, p + 2) is zero before, ``z`` (p + 2,) is overwritten. NaN is a missing value.
    """
    size = moments.shape[1]
    z[0] = 1.0
    for i in range(starts.shape[0]):
        run = 0
        for t in range(starts[i], stops[i]):
            run = run + 1 if y[t] == y[t] else 0  # NaN differs from itself
            if run < size - 1:
                continue
            # moments += z z', lower triangle
            for k in range(1, size):
                z[k] = y[t - k + 1] - centre
            for j in range(size):
                for k in range(j + 1):
                    moments[i, j, k] += z[j] * z[k]
        for j in range(size):
            for k in range(j):
                moments[i, k, j] = moments[i, j, k]
