"""The chart of coverage."""

import numpy as np

from tsformers.plotting.reliability import reliability_chart


def test_both_lines_are_drawn_and_missing_values_leave_room():
    nominal = np.array([0.5, 0.8, 0.95])
    (axes,) = reliability_chart(nominal, nominal - 0.2, np.full(3, np.nan)).axes
    assert len(axes.lines) == 3 and axes.get_xlim()[0] < 0.3
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), nominal - 0.2)
