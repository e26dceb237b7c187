"""TimeJumps: three rows that agree move their series, and no others."""

import numpy as np

from tsformers.anomaly.time_jumps import TimeJumps


def accepted(positions, max_jump=5):
    """Whether each row of one series at position 0 is accepted; none of them moves it."""
    jumps, zero = TimeJumps(1, max_jump), np.array([0])
    return [not jumps.rejected(zero, np.array([at]), np.array([at])).item() for at in positions]


def test_rows_far_ahead_are_accepted_where_three_agree():
    assert accepted([5, 100, 103, 104]) == [True, False, False, True]
    assert accepted([100, 100, 100, 100]) == [False] * 4, "the same row again is no evidence"
    assert accepted([100, 200, 201, 202]) == [False, False, False, True]
    assert accepted([100, 101, 3, 102]) == [False, False, True, False], "a row in between breaks the run"


def test_new_series_have_no_run_and_the_others_keep_theirs():
    jumps = TimeJumps(1, 5)
    jumps.rejected(np.array([0]), np.array([100]), np.array([100]))
    jumps.resize(2)
    assert jumps.length.tolist() == [1, 0]
    assert jumps.position.tolist() == [100, -1]
