"""Compiled forward and backward passes; importing this module loads numba, which takes most of a second.

They compute in double precision whatever the arrays hold, sample by sample, so that the results of the forward pass are
still in the cache in the backward pass. Cells of regime and count are contiguous, and the exponentials of a step are
computed in one loop without a branch, to be vectorised. Parts have all their axes; shared ones have size 1.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.hsmm.exponentials import exponential, one_less
from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
INF = np.inf
FAINT = 1e-60  # terms of a smaller sum of products may have underflowed: it is computed again in logarithms
CERTAIN = 1e-38  # a smaller probability to end has no gradient: its inverse would overflow in float32
AHEAD = 50.0  # log ratio to the other cells of its regime from which on a new cell becomes their reference
compiled = compiled_nogil("contract")
summing = compiled_nogil("contract", "reassoc", "nsz", "nnan")  # sums and maxima in any order; there is no NaN


@summing
@no_type_check
def _end_probabilities(keep: Array, s: int, stop: Array, odds: Array) -> None:
    """``1 - v`` and ``v / (1 - v)`` of a step; where a segment cannot end, the latter is 0."""
    for n in range(stop.size):
        stop[n] = one_less(float(keep[s, n]))
    if len(odds):
        for n in range(stop.size):
            odds[s, n] = (1.0 - stop[n]) / stop[n] if stop[n] > CERTAIN else 0.0


@summing
@no_type_check
def _leave(alpha: Array, stop: Array, base: Array, share: Array, shares: Array, most: Array, mass: Array) -> None:
    """P(a segment of k ends after this step, its count c): ``exp(most)`` times ``share``, whose sum is ``mass``.

    ``shares`` are those of ``share``, a row a regime.
    """
    for n in range(alpha.size):
        share[n] = exponential(alpha[n]) * stop[n]
    for k in range(base.size):
        total = 0.0
        for c in range(shares.shape[1]):
            total += shares[k, c]
        mass[k] = total
        most[k] = base[k]
    for k in range(base.size):
        if mass[k] < FAINT:
            _leave_in_logs(alpha, stop, base, share, most, mass, k, shares.shape[1])


@compiled
@no_type_check
def _leave_in_logs(
    alpha: Array, stop: Array, base: Array, share: Array, most: Array, mass: Array, k: int, counts: int
) -> None:
    """``_leave`` for one regime, in logarithms throughout; its cells and base are rescaled for the next steps."""
    low, high = k * counts, (k + 1) * counts
    top, most[k], mass[k] = -INF, -INF, 0.0
    for n in range(low, high):
        top = max(top, alpha[n])
        share[n] = alpha[n] + np.log(stop[n]) if stop[n] > 0.0 and alpha[n] > -INF else -INF
        most[k] = max(most[k], share[n])
    for n in range(low, high):
        share[n] = np.exp(share[n] - most[k]) if share[n] > -INF else 0.0
        mass[k] += share[n]
        alpha[n] -= top if top > -INF else 0.0
    most[k] += base[k]
    base[k] += top


@summing
@no_type_check
def _enter(
    most: Array,
    mass: Array,
    transition: Array,
    s: int,
    jump: Array,
    lift: float,
    pair: Array,
    sums: Array,
    entered: Array,
) -> None:
    """Log-probability that a segment of j starts; ``pair`` over its ``sums`` is the probability of the regime before.

    ``jump`` is ``exp(transition - lift)``.
    """
    regimes = most.size
    top = -INF
    for i in range(regimes):
        top = max(top, most[i])
        sums[i] = 0.0
    for i in range(regimes):
        entered[i] = exponential(most[i] - top) * mass[i] if top > -INF else 0.0
    for i in range(regimes):
        for j in range(regimes):
            pair[i * regimes + j] = entered[i] * jump[i * regimes + j]
            sums[j] += pair[i * regimes + j]
    for j in range(regimes):
        entered[j] = top + lift + np.log(sums[j])
    for j in range(regimes):
        if sums[j] < FAINT and top > -INF:
            _enter_in_logs(most, mass, transition, s, pair, sums, entered, j)


@compiled
@no_type_check
def _enter_in_logs(
    most: Array, mass: Array, transition: Array, s: int, pair: Array, sums: Array, entered: Array, j: int
) -> None:
    """``_enter`` for one regime, in logarithms throughout."""
    regimes = most.size
    top, sums[j], entered[j] = -INF, 0.0, -INF
    for i in range(regimes):
        x = most[i] + float(transition[s, i * regimes + j])
        pair[i * regimes + j] = x + np.log(mass[i]) if x > -INF else -INF
        top = max(top, pair[i * regimes + j])
    for i in range(regimes):
        x = pair[i * regimes + j]
        pair[i * regimes + j] = np.exp(x - top) if x > -INF else 0.0
        sums[j] += pair[i * regimes + j]
    if top > -INF:
        entered[j] = top + np.log(sums[j])


@compiled
@no_type_check
def _keep_step(mass: Array, sums: Array, shares: Array, pair: Array, ended: Array, source: Array, t: int) -> None:
    """Shares and pairs of a step, normalised to probabilities."""
    regimes, counts = shares.shape
    for k in range(regimes):
        one = 1.0 / mass[k] if mass[k] > 0.0 else 0.0
        for c in range(counts):
            ended[t, k, c] = shares[k, c] * one
    for j in range(regimes):
        sums[j] = 1.0 / sums[j] if sums[j] > 0.0 else 0.0
    for i in range(regimes):
        for j in range(regimes):
            source[t, i, j] = pair[i * regimes + j] * sums[j]


@summing
@no_type_check
def _advance(
    alpha: Array, newer: Array, base: Array, shift: float, keep: Array, s: int, entered: Array, emission: Array, t: int
) -> float:
    """The cells of step ``t`` in ``newer``, and their ``base``, less ``shift``; returns the largest base."""
    regimes = base.size
    counts = alpha.size // regimes
    for n in range(alpha.size - 1):
        newer[n + 1] = alpha[n] + float(keep[s, n])
    top = -INF
    for k in range(regimes):
        low = k * counts
        newer[low] = entered[k] - base[k] if base[k] > -INF else INF
        if newer[low] > AHEAD:
            for n in range(low + 1, low + counts):
                newer[n] -= newer[low]
            newer[low] = 0.0
            base[k] = entered[k]
        base[k] += float(emission[t, k]) - shift
        top = max(top, base[k])
    return top


@summing
@no_type_check
def _forwards(
    initial: Array,
    transition: Array,
    lift: float,
    keep: Array,
    emission: Array,
    final: Array,
    source: Array,
    ended: Array,
    odds: Array,
) -> float:
    """The forward pass of one sample: returns the log-likelihood, and in ``final`` the posterior of the last step.

    The logarithm of a cell is ``total + base + alpha``.
    """
    length, regimes = emission.shape
    alpha, older = np.full(final.size, -INF), np.full(final.size, -INF)
    share, stop = np.empty(final.size), np.empty(final.size)
    jump, pair = np.empty(regimes * regimes), np.empty(regimes * regimes)
    base, most, mass = np.empty(regimes), np.empty(regimes), np.empty(regimes)
    entered, sums = np.empty(regimes), np.empty(regimes)
    counts = final.size // regimes
    shares = share.reshape(regimes, counts)
    total, top = 0.0, -INF
    for k in range(regimes):
        alpha[k * counts] = 0.0
        base[k] = float(initial[k]) + float(emission[0, k])
        top = max(top, base[k])
    for t in range(1, length):
        if top == -INF:
            break
        s, r = t if len(keep) > 1 else 0, t if len(transition) > 1 else 0
        if s or t == 1:
            _end_probabilities(keep, s, stop, odds)
        if r or t == 1:
            for n in range(jump.size):
                jump[n] = exponential(float(transition[r, n]) - lift)
        alpha, older = older, alpha
        _leave(older, stop, base, share, shares, most, mass)
        _enter(most, mass, transition, r, jump, lift, pair, sums, entered)
        if len(ended):
            _keep_step(mass, sums, shares, pair, ended, source, t)
        total += top
        top = _advance(older, alpha, base, top, keep, s, entered, emission, t)
    return total + _normalise_last(alpha, base, final)


@summing
@no_type_check
def _normalise_last(alpha: Array, base: Array, final: Array) -> float:
    """The cells of the last step as probabilities; returns the logarithm of their sum before."""
    counts = final.size // base.size
    top, total = -INF, 0.0
    for n in range(final.size):
        alpha[n] += base[n // counts]
        top = max(top, alpha[n])
    for n in range(final.size):
        final[n] = exponential(alpha[n] - top) if top > -INF else 0.0
        total += final[n]
    for n in range(final.size):
        final[n] /= max(total, 1.0)
    return top + np.log(total)


@summing
@no_type_check
def _backwards(final: Array, source: Array, ended: Array, odds: Array, regime: Array, slope: Array) -> None:
    """The backward pass of one sample, in place.

    ``source`` and ``ended`` become posteriors, ``slope`` the gradient for ``keep``.

    Of length 1, ``odds`` and ``slope`` are those of all steps together; longer ones are one array.
    """
    length, regimes, counts = ended.shape
    gamma, flow = np.zeros((regimes, counts + 1)), np.empty(regimes)  # one more count, always 0
    rates, gained = np.zeros((regimes, counts)), np.zeros((regimes, counts))
    for k in range(regimes):
        for c in range(counts):
            gamma[k, c] = final[k * counts + c]
            if len(slope) == 1:
                rates[k, c] = odds[0, k * counts + c]
    for t in range(length - 1, 0, -1):
        total = 0.0
        for k in range(regimes):
            mass = 0.0
            for c in range(counts):
                mass += gamma[k, c]
            flow[k] = mass
            total += mass
        one = 1.0 / total  # 1 up to rounding
        for k in range(regimes):
            regime[t, k] = flow[k] * one
            flow[k] = 0.0
            for j in range(regimes):
                starting = source[t, k, j] * (gamma[j, 0] * one)
                source[t, k, j] = starting
                flow[k] += starting
        _step_back(gamma, flow, one, ended, rates, gained, slope, t)
    source[0] = 0.0
    for k in range(regimes):
        regime[0, k] = gamma[k, 0]
        for c in range(counts):
            ended[0, k, c] = gamma[k, c]
            if len(slope):
                slope[0, k, c] = gained[k, c]


@compiled
@no_type_check
def _step_back(
    gamma: Array, flow: Array, one: float, ended: Array, rates: Array, gained: Array, slope: Array, t: int
) -> None:
    """From the posterior ``gamma`` of step ``t`` to that of the step before."""
    for k in range(flow.size):
        starting = flow[k]
        if len(slope) > 1:
            for c in range(ended.shape[2]):
                stayed, left = gamma[k, c + 1] * one, starting * ended[t, k, c]
                slope[t, k, c] = stayed - left * slope[t, k, c]
                ended[t, k, c] = gamma[k, c] * one
                gamma[k, c] = stayed + left
        else:
            for c in range(ended.shape[2]):
                stayed, left = gamma[k, c + 1] * one, starting * ended[t, k, c]
                gained[k, c] += stayed - left * rates[k, c]
                ended[t, k, c] = gamma[k, c] * one
                gamma[k, c] = stayed + left


@compiled
@no_type_check
def run_passes(
    initial: Array,
    transition: Array,
    lift: float,
    keep: Array,
    emission: Array,
    total: Array,
    final: Array,
    source: Array,
    ended: Array,
    odds: Array,
    regime: Array,
    slope: Array,
    first: int,
    last: int,
) -> None:
    """Samples first:last. Without ``ended`` only ``total`` and ``final`` are kept.

    Without ``regime`` there is no backward pass. ``odds`` may be ``slope`` itself where ``keep`` varies with time.
    """
    for i in range(first, last):
        total[i] = _forwards(
            initial[i if len(initial) > 1 else 0],
            transition[i if len(transition) > 1 else 0],
            lift,
            keep[i if len(keep) > 1 else 0],
            emission[i if len(emission) > 1 else 0],
            final[i],
            source[i],
            ended[i],
            odds[i],
        )
        if total[i] == -INF:
            source[i] = 0.0
            ended[i] = 0.0
            regime[i] = 0.0
            slope[i] = 0.0
        elif regime.shape[1]:
            _backwards(final[i], source[i], ended[i], odds[i], regime[i], slope[i])
