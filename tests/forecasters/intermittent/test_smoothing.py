"""The Croston family beside plain loops and the numbers of another package."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.intermittent.smoothing import CROSTON, SBA, TSB, smoothed_forecasts

PUBLISHED = {  # of statsforecast 2.1.1, CrostonClassic, CrostonSBA and TSB with weights 0.1
    (0, 2, 0, 0, 1, 0, 0, 3, 0, 1): (0.8793182865039153, 0.8353523721787195, 0.5404297313890002),
    (1, 0, 0, 4, 0, 0, 0, 0, 2, 0, 0, 0): (0.8670886075949367, 0.8237341772151898, 0.5887675244133003),
}
COUNTS = st.lists(st.integers(0, 5), min_size=1, max_size=30).map(lambda y: np.array(y, dtype=float))


def forecast(y, method, alpha=0.1, n_samples=0):
    means, draws = np.zeros(1), np.zeros((1, n_samples))
    smoothed_forecasts(y, np.array([0, len(y)]), np.array([len(y)]), method, alpha, means, draws)
    return means[0], draws[0]


@pytest.mark.parametrize(("y", "expected"), PUBLISHED.items())
def test_means_are_those_of_another_package(y, expected):
    found = [forecast(np.array(y, dtype=float), method)[0] for method in (CROSTON, SBA, TSB)]
    assert found == pytest.approx(expected)


def slow(y, method, alpha):
    """Croston (1972), Syntetos & Boylan (2005), Teunter et al. (2011), row by row."""
    size = interval = chance = None
    since = 0
    for value in y:
        since += 1
        chance = float(value > 0) if chance is None else (1 - alpha) * chance + alpha * (value > 0)
        if value > 0:
            size = value if size is None else (1 - alpha) * size + alpha * value
            interval = since if interval is None else (1 - alpha) * interval + alpha * since
            since = 0
    if size is None:
        return 0.0
    return chance * size if method == TSB else size / interval * (1 - alpha / 2 if method == SBA else 1)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.sampled_from([CROSTON, SBA, TSB]), st.floats(0.01, 0.9))
def test_means_are_those_of_a_loop_and_missing_rows_are_no_rows(y, method, alpha):
    mean, draws = forecast(y, method, alpha, 4001)
    assert mean == pytest.approx(slow(y, method, alpha))
    assert draws.mean() == pytest.approx(mean, abs=0.01)
    assert set(draws) <= {0.0, *y}
    holes = np.insert(y, [0, len(y) // 2, len(y)], np.nan)
    assert forecast(holes, method, alpha, 4001)[0] == mean


def test_the_bootstrap_has_the_shares_of_the_history():
    y = np.array([0.0, 3.0, 0.0, 1.0, np.nan, 0.0, 3.0, 0.0, 0.0, 2.0, 0.0])
    mean, draws = forecast(y, 3, n_samples=1000)
    assert mean == pytest.approx(0.9)
    assert [int((draws == k).sum()) for k in range(4)] == [600, 100, 100, 200]
