"""Compiled kernels that sample paths from the posterior of the explicit-duration model."""

from typing import no_type_check

import numpy as np

from tsformers.hsmm.kernels import Array, compiled


@compiled
@no_type_check
def draw_paths(
    final: Array, source: Array, ended: Array, uniforms: Array, regime: Array, count: Array, first: int, last: int
) -> None:
    """Paths of samples first:last, last step first; ``uniforms`` are (2, B, S, T)."""
    length, regimes, counts = ended.shape[1:]
    probability = np.empty(max(regimes, counts))
    for i in range(first, last):
        for s in range(regime.shape[1]):
            cell = _drawn(final[i], final.shape[1], uniforms[0, i, s, length - 1])
            k, c = cell // counts, cell % counts
            for t in range(length - 1, -1, -1):
                regime[i, s, t], count[i, s, t] = k, c + 1
                if c > 0:
                    c -= 1
                elif t > 0:
                    for j in range(regimes):
                        probability[j] = source[i, t, j, k]
                    k = _drawn(probability, regimes, uniforms[0, i, s, t - 1])
                    for d in range(counts):
                        probability[d] = ended[i, t, k, d]
                    c = _drawn(probability, counts, uniforms[1, i, s, t - 1])


@compiled
@no_type_check
def _drawn(probability: Array, size: int, uniform: float) -> int:
    """An index below ``size`` with the given probabilities, never one of probability 0."""
    total = 0.0
    for n in range(size):
        total += probability[n]
    reached, drawn = 0.0, 0
    for n in range(size):
        if probability[n] > 0.0:
            drawn = n
            reached += probability[n]
            if reached > uniform * total:
                break
    return drawn
