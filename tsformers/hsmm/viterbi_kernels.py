"""Compiled kernels of the Viterbi path through the explicit-duration model."""

from typing import no_type_check

import numpy as np

from tsformers.hsmm.kernels import INF, Array, compiled


@compiled
@no_type_check
def best_paths(
    initial: Array,
    transition: Array,
    keep: Array,
    stop: Array,
    emission: Array,
    regime: Array,
    count: Array,
    best: Array,
    first: int,
    last: int,
) -> None:
    """The most probable paths of samples first:last; ``stop`` is ``log(1 - exp(keep))``."""
    length, regimes = regime.shape[1], emission.shape[2]
    before, held = np.empty((length, regimes), np.int64), np.empty((length, regimes), np.int64)
    alpha = np.empty(keep.shape[2])
    counts = alpha.size // regimes
    for i in range(first, last):
        densities = emission[i if len(emission) > 1 else 0]
        alpha[:] = -INF
        for k in range(regimes):
            alpha[k * counts] = float(initial[i if len(initial) > 1 else 0, k]) + float(densities[0, k])
        v = i if len(keep) > 1 else 0
        jumps = transition[i if len(transition) > 1 else 0]
        best[i] = _best_forwards(alpha, jumps, keep[v], stop[v], densities, before, held)
        cell = np.argmax(alpha)
        best[i] += alpha[cell]
        k, c = cell // counts, cell % counts
        for t in range(length - 1, -1, -1):
            regime[i, t], count[i, t] = k, c + 1
            if c > 0:
                c -= 1
            elif t > 0:
                k = before[t, k]
                c = held[t, k]


@compiled
@no_type_check
def _best_forwards(
    alpha: Array, transition: Array, keep: Array, stop: Array, emission: Array, before: Array, held: Array
) -> float:
    """Best log-probability of each cell of the last step in ``alpha``, less the number returned, and its origins."""
    length, regimes = emission.shape
    counts = alpha.size // regimes
    left, older = np.empty(regimes), np.empty_like(alpha)
    total = 0.0
    for t in range(1, length):
        s, r = t if len(keep) > 1 else 0, t if len(transition) > 1 else 0
        top = max(np.max(alpha), -1e300)
        total += top
        for n in range(alpha.size):
            older[n] = alpha[n] - top
            alpha[n] = older[n - 1] + float(keep[s, n - 1]) if n % counts else -INF
        for k in range(regimes):
            left[k], held[t, k] = -INF, 0
            for c in range(counts):
                x = older[k * counts + c] + float(stop[s, k * counts + c])
                if x > left[k]:
                    left[k], held[t, k] = x, c
        for j in range(regimes):
            before[t, j] = 0
            for k in range(regimes):
                x = left[k] + float(transition[r, k * regimes + j])
                if x > alpha[j * counts]:
                    alpha[j * counts], before[t, j] = x, k
        for n in range(alpha.size):
            alpha[n] += float(emission[t, n // counts])
    return total
