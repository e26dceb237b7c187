"""Semi-Markov chains."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import simulate


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 7), st.integers(1, 6), st.integers(1, 40), st.integers(0, 10_000))
def test_counts_grow_by_one_and_segments_end_at_possible_durations(regimes, counts, n_series, length, seed):
    random = np.random.default_rng(seed)
    durations = random.dirichlet(np.ones(counts), regimes) * (random.random((regimes, counts)) < 0.5)
    durations[:, -1] += durations.sum(1) == 0
    durations /= durations.sum(1, keepdims=True)
    switch = random.dirichlet(np.ones(regimes), regimes)
    regime, count = simulate.semi_markov(n_series, length, switch, durations, random)
    assert regime.shape == count.shape == (n_series, length)
    grown = count[:, 1:] == count[:, :-1] + 1
    assert (count[:, 0] == 1).all() and (grown | (count[:, 1:] == 1)).all()
    assert (regime[:, 1:] == regime[:, :-1])[grown & (count[:, 1:] > 1)].all()
    ended = count[:, 1:] == 1
    assert (durations[regime[:, :-1][ended], count[:, :-1][ended] - 1] > 0).all()
    assert (count <= counts).all()
