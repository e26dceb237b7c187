"""Compiled kernels of the linear scan; importing this module loads numba, which takes most of a second.

Written to be vectorised: states are contiguous, loops over a row are split so that none of them writes an array that it
also reads under another name (``out`` may be ``b`` itself), and memory is read forwards even where time runs backwards,
a block at a time.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
BLOCK_STEPS = 64  # of the reverse scan: with 64 states of complex64 a block is 32 KB, the size of a first-level cache


compiled = compiled_nogil("contract")


@compiled
@no_type_check
def forwards(a: Array, b: Array, out: Array, state: Array, first: int, last: int, low: int, high: int) -> None:
    """``out[k] = a out[k - 1] + b[k]`` for samples first:last and states low:high; ``state`` is carried, (B, N)."""
    width = high - low
    rate = a[low:high]
    for i in range(first, last):
        x = state[i, low:high]
        for t in range(b.shape[1]):
            source = b[i, t, low:high]
            target = out[i, t, low:high]
            for n in range(width):
                x[n] = rate[n] * x[n] + source[n]
            for n in range(width):
                target[n] = x[n]


@compiled
@no_type_check
def backwards(
    rate: Array,
    g: Array,
    out: Array,
    x: Array,
    initial: Array,
    total: Array,
    first: int,
    last: int,
    low: int,
    high: int,
) -> None:
    """``out[k] = g[k] + rate out[k + 1]``; to ``total`` (N, double) is added the sum of ``out[k] conj(x[k - 1])``."""
    width = high - low
    a = rate[low:high].copy()
    later = np.empty_like(a)
    part = np.empty_like(a)
    block = np.empty((BLOCK_STEPS, width), g.dtype)
    for i in range(first, last):
        later[:] = 0
        end = g.shape[1]
        while end > 0:
            begin = max(end - BLOCK_STEPS, 0)
            for t in range(begin, end):
                source = g[i, t, low:high]
                target = block[t - begin]
                for n in range(width):
                    target[n] = source[n]
            for k in range(end - begin):
                target = block[end - begin - 1 - k]
                for n in range(width):
                    later[n] = a[n] * later[n] + target[n]
                for n in range(width):
                    target[n] = later[n]
            part[:] = 0
            for t in range(begin, end):
                source = block[t - begin]
                target = out[i, t, low:high]
                before = x[i, t - 1, low:high] if t > 0 else initial[i, low:high]
                for n in range(width):
                    target[n] = source[n]
                for n in range(width):
                    part[n] += source[n] * before[n].conjugate()
            for n in range(width):
                total[low + n] += part[n]
            end = begin
