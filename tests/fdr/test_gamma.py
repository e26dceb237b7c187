"""The base sequences, and the sums of exponentials that stand for them."""

import numpy as np
import pytest

from tsformers.fdr.gamma import DEPENDENT, FAST, HARMONIC, SLOW, exponential_sum, gamma, harmonic, normaliser

FAR = np.unique(np.round(np.geomspace(1, 1e9, 2357)))


def test_first_values_are_those_of_the_specification():
    slow = [0.0535167709, 0.0116382058, 0.0099124988, 0.0082436061, 0.0069888693]
    np.testing.assert_allclose(gamma(SLOW, np.arange(1.0, 6)), slow, atol=5e-11)
    np.testing.assert_allclose(gamma(SLOW, np.array([100.0, 1000.0])), [4.158425e-4, 3.850899e-5], rtol=1e-6)


@pytest.mark.parametrize("shape", [SLOW, FAST, HARMONIC, DEPENDENT])
def test_every_sequence_falls_and_sums_to_no_more_than_one(shape):
    values = gamma(shape, np.arange(1.0, 1e6))
    assert (np.diff(values) < 0).all()
    assert 0.1 < values.sum() < 1


def test_a_cut_sequence_sums_to_one():
    assert normaliser(FAST, None) == 1
    assert gamma(SLOW, np.arange(1.0, 201)).sum() * normaliser(SLOW, 200) == pytest.approx(1, rel=1e-14)


def test_harmonic_numbers_are_right_to_rounding():
    np.testing.assert_allclose(harmonic(np.arange(1.0, 2000)), np.cumsum(1 / np.arange(1, 2000)), rtol=2e-15)


@pytest.mark.parametrize("shape", [SLOW, FAST])
@pytest.mark.parametrize("tolerance", [1e-11, 1e-9, 1e-4])
@pytest.mark.parametrize("reach", [1e9, 2e3, 10.0])
def test_sums_of_exponentials_lie_within_the_tolerance_below(shape, tolerance, reach):
    gains, rates = exponential_sum(shape, tolerance, reach)
    assert len(gains) < 200
    ratio = np.array([(gains * np.exp(-rates * (j - 1))).sum() for j in FAR]) / gamma(shape, FAR)
    assert (ratio <= 1 + 1e-13).all()
    assert (ratio[max(reach, 1e3) >= FAR] >= 1 - tolerance).all()
    assert (ratio > 0).all()
