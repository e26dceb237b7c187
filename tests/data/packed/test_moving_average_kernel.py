"""The compiled parts of the moving-average decomposition, by themselves."""

import numpy as np
import pytest

from tsformers.data.packed.moving_average_kernel import average, extend, lines_before


@pytest.mark.parametrize("span", [2, 5, 12])
def test_lines_before_a_row_are_least_squares_lines(rng, span):
    y = np.concatenate([rng.normal(size=40).cumsum() + 1e6, 1e-3 * rng.normal(size=50).cumsum()])
    level, rise = np.full(90, np.nan), np.full(90, np.nan)
    lines_before(y, np.array([0, 40, 90]), span, level, rise)
    for first, stop in ((0, 40), (40, 90)):
        for row in range(first + span + span // 2 - 1, stop):
            rows = np.arange(row - span // 2 - span + 1, row - span // 2 + 1)
            slope, height = np.polyfit(rows - row, y[rows] - y[first], 1)
            assert level[row] - y[first] == pytest.approx(height, abs=1e-8)
            assert rise[row] == pytest.approx(slope * span, abs=1e-8)
        assert np.isnan(level[first : first + span + span // 2 - 1]).all()


def test_an_average_of_nothing_is_missing_and_filled_from_its_neighbours():
    y, trend = np.array([1.0, 1.0, 1.0, np.nan, np.nan, np.nan, 3.0, 3.0, 3.0]), np.zeros(9)
    assert average(y, 0, 9, 3, 0.0, trend)
    assert np.isnan(trend[[0, 4, 8]]).all() and trend[3] == 1 and trend[5] == 3
    extend(trend, 0, 9, 3)
    assert trend[4] == 2 and np.isfinite(trend).all()
