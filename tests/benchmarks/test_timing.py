"""Calls are timed in turns, and ratios are taken turn by turn."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).resolve().parents[2] / "benchmarks" / "timing.py"


@pytest.fixture(scope="module")
def timing():
    spec = importlib.util.spec_from_file_location("timing", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_calls_take_turns_after_a_round_that_does_not_count(timing):
    order = []
    ticks = iter(range(100))
    ours, peer = timing.take_turns(
        lambda: order.append("ours"), lambda: order.append("peer"), repeats=2, clock=lambda: float(next(ticks))
    )
    assert order == ["ours", "peer"] * 3
    np.testing.assert_array_equal([ours, peer], np.ones((2, 2)))


def test_the_ratio_is_the_median_of_the_turns_ratios(timing):
    row = timing.compare("what", np.array([1.0, 10.0, 2.0]), "peer", np.array([3.0, 20.0, 8.0]), "none")
    assert (row.ours, row.theirs, row.ratio) == (2.0, 8.0, 3.0)


def test_unpaired_turns_give_the_ratio_of_the_medians(timing):
    row = timing.compare("what", np.array([1.0, 2.0, 3.0]), "allowed", 5.0, "none")
    assert (row.theirs, row.ratio) == (5.0, 2.5)
