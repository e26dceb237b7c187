"""Extrapolation of trends: damping, and the errors that the rule made in the past."""

import numpy as np
import pytest

from tsformers.data.packed.classical_decomposition import PackedSeries, Parts, moving_average
from tsformers.preprocessing.extrapolation import measure_extrapolation, trend_ahead, trend_spread


def packed(*series):
    lengths = [len(y) for y in series]
    return PackedSeries(
        np.concatenate(series).astype(float), np.concatenate([[0], np.cumsum(lengths)]), np.zeros(len(series), int)
    )


def test_a_rise_is_damped_as_it_was_in_the_past():
    t = np.arange(600)
    line, wave = 1.0 * t, 10 * np.sin(2 * np.pi * t / 48)  # over 12 steps a wave rises, over the next 12 it does not
    rows = packed(line, wave)
    rule = measure_extrapolation(rows, Parts(rows.y, np.zeros((1200, 1))), [12], None)
    assert rule.damping[0] == pytest.approx(1.0) and rule.damping[1] < 0.1
    steps = np.array([[1, 12, 24, 100]] * 2)
    np.testing.assert_allclose(trend_ahead(rule, [12], steps)[0], 599 + steps[0], atol=1e-6)
    assert np.ptp(trend_ahead(rule, [12], steps)[1]) < 3


def test_the_uncertainty_of_a_trend_is_the_error_of_the_rule_in_the_past(rng):
    y = rng.normal(size=150).cumsum() + rng.normal(size=150)
    rows, period = packed(y), 6
    parts = moving_average(rows, period)
    rule = measure_extrapolation(rows, parts, [period], None)
    errors = {1: [], 4: [], 16: []}
    for t in range(11, 150):
        then = measure_extrapolation(early := packed(y[: t + 1]), moving_average(early, period), [period], None)
        then = then._replace(damping=rule.damping)
        for step, found in errors.items():
            if t + step < 150:
                found.append(parts.trend[t + step] - trend_ahead(then, [period], np.array([[step]]))[0, 0])
    expected = [np.sqrt(np.mean(np.square(errors[step]))) for step in (1, 4, 16)]
    np.testing.assert_allclose(trend_spread(rule, np.array([[1, 4, 16]]))[0], expected, rtol=1e-9)
    grown = trend_spread(rule, np.array([[32, 320, 1280]]))[0]
    assert grown[2] == pytest.approx(2 * grown[1])
