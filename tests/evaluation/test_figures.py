"""Figures of the report: calibration, and styles of lines."""

import numpy as np

import tsformers.evaluation.figures as figures


def test_uniform_pit_values_lie_on_the_diagonal_and_narrow_forecasts_below_it():
    u = (np.arange(2000) + 0.5) / 2000
    np.testing.assert_allclose(figures.coverage_by_level(u), figures.COVERAGES, atol=1e-3)
    too_narrow = np.where(u < 0.5, u / 4, 1 - (1 - u) / 4)
    assert (figures.coverage_by_level(too_narrow) < figures.COVERAGES).all()
    np.testing.assert_array_equal(figures.coverage_by_level(np.append(u, np.nan)), figures.coverage_by_level(u))


def test_models_differ_without_colour_vision():
    styles = [figures.style(position) for position in range(28)]
    assert len(set(styles)) == 28
    assert len({dashes for _, dashes in styles[:4]}) == 4
