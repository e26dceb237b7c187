"""Trainings that end at a limit of time, and change nothing where they do not reach it."""

import numpy as np
import pytest

import tsformers as tsf
from tsformers.testing import make_frame
from tsformers.training import time_limit
from tsformers.training.time_limit import OutOfTime, current_watch, limited


def model(**more):
    return tsf.LRU(horizon=3, context_length=14, d_model=8, d_state=8, max_steps=30, seed=0, verbose=False, **more)


def test_a_training_ends_once_its_time_is_over_and_leaves_no_network():
    lru = model()
    with limited(0.0), pytest.raises(OutOfTime) as caught:
        lru.fit(make_frame())
    assert caught.value.before > 0 and caught.value.step > 0
    assert not hasattr(lru, "network_") and current_watch() is None


def test_a_training_inside_its_limit_has_the_same_bits():
    frame = make_frame()
    free = model().fit(frame).predict(seed=1).values
    with limited(1000.0, judge=lambda speed, total: None):
        watched = model().fit(frame).predict(seed=1).values
    np.testing.assert_array_equal(watched, free)


def test_the_judge_hears_once_how_fast_the_training_is(monkeypatch):
    monkeypatch.setattr(time_limit, "LEAST_SECONDS", 0.0)
    heard = []
    with limited(1000.0, judge=lambda speed, total: heard.append((speed.seconds(total), total))):
        model().fit(make_frame())
    ((seconds, total),) = heard
    assert total == 30 and seconds > 0

    def refuse(speed, total):
        raise speed

    with limited(1000.0, judge=refuse), pytest.raises(OutOfTime):
        model().fit(make_frame())


def test_the_first_step_counts_as_time_before_the_run(monkeypatch):
    ticks = iter([0.0, 5.0, 5.5, 6.0, 6.5, 7.5])
    monkeypatch.setattr(time_limit.time, "perf_counter", lambda: next(ticks))
    watch = time_limit.StopWatch(7.0)
    for _ in range(4):
        watch.stepped(total=10)
    with pytest.raises(OutOfTime) as caught:
        watch.stepped(total=10)
    assert (caught.value.before, caught.value.step) == (5.0, 0.625)
