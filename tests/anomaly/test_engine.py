"""OnlineEngine: which rows go together."""

import numpy as np

from tsformers.anomaly.engine import distinct_stretches


def test_stretches_without_a_series_twice_are_as_long_as_can_be():
    assert distinct_stretches(np.array([0, 1, 2, 1, 0, 0, 2])) == [(0, 3), (3, 5), (5, 7)]
    assert distinct_stretches(np.array([3])) == [(0, 1)]
