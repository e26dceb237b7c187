"""AlarmRuns: values of alarms are replaced, and come back where a run is a level shift."""

import numpy as np
import pytest

from tsformers.anomaly.alarm_runs import AlarmRuns
from tsformers.anomaly.ring_buffers import Contexts


@pytest.mark.parametrize("replace", [True, False])
def test_a_run_that_becomes_a_level_shift_restores_its_values(replace):
    zero, contexts, runs = np.array([0]), Contexts.blank(1, 8, 1), AlarmRuns(1, 3, replace)
    contexts.begin(zero, zero, zero)
    replaced, shifts = 0, []
    for k, alarm in enumerate([True, False, True, True, True]):
        values = np.array([[10.0 + k]])
        replaced += runs.record(values, zero, np.array([k]), zero, np.array([alarm]), np.array([-1.0]))
        contexts.write(zero, np.array([k]), values)
        shifts.append(runs.restore_shifts(zero, contexts))
    assert contexts.values[0, :5, 0].tolist() == [-1.0 if replace else 10.0, 11.0, 12.0, 13.0, 14.0]
    assert (replaced, shifts) == (3 if replace else 0, [0, 0, 0, 0, int(replace)])


def test_without_shift_after_every_alarm_is_replaced():
    runs, values = AlarmRuns(2, None, True), np.array([[1.0], [2.0]])
    both = np.arange(2)
    for k in range(20):
        values[:] = 5.0
        assert runs.record(values, both, np.array([k, k]), both, np.array([True, True]), np.zeros(2)) == 2
        assert not values.any()
