"""The Diebold-Mariano test: beside a plain reference, by hand, and where it says nothing."""

import numpy as np
import pytest
from scipy.stats import t as student

from tsformers.scoring import diebold_mariano


def plain(a, b, h, bartlett=False):
    """Loops over the formulas of the papers."""
    d = [x - z for x, z in zip(a, b, strict=True)]
    n = len(d)
    mean = sum(d) / n
    total = 0.0
    for k in range(h):
        g = sum((d[i] - mean) * (d[i - k] - mean) for i in range(k, n)) / n
        weight = 1 - k / h if bartlett else 1
        total += g if k == 0 else 2 * weight * g
    statistic = mean / (total / n) ** 0.5
    statistic *= ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    return statistic, 2 * student.sf(abs(statistic), n - 1)


@pytest.mark.parametrize("h", [1, 2, 4])
def test_the_statistic_is_that_of_a_plain_reference(h):
    rng = np.random.default_rng(h)
    noise = rng.normal(size=43)
    a, b = 1 + np.convolve(noise, np.ones(h))[:40], rng.normal(size=40) ** 2
    found = diebold_mariano(a, b, horizon=h)
    assert (found.statistic, found.p_value) == pytest.approx(plain(a, b, h), rel=1e-12)
    assert found.mean == pytest.approx((a - b).mean())


def test_where_the_variance_is_not_positive_bartlett_weights_are_taken():
    a = np.array([1.0, -1.0] * 6) + 0.1
    with np.errstate(invalid="ignore"):
        assert np.isnan(plain(a, 0 * a, 2)[0])
    assert diebold_mariano(a, 0 * a, horizon=2).statistic == pytest.approx(plain(a, 0 * a, 2, bartlett=True)[0])


def test_by_hand_three_differences_of_one_to_three():
    """Mean 2, variance 2/3, so 2 / sqrt(2/9) = 4.243; corrected by sqrt(2/3): 3.464."""
    found = diebold_mariano(np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert found.statistic == pytest.approx(2 / np.sqrt(2 / 9) * np.sqrt(2 / 3))


def test_swapped_forecasts_change_the_sign_only():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20))
    one, other = diebold_mariano(a, b, 3), diebold_mariano(b, a, 3)
    assert one.statistic == -other.statistic and one.p_value == other.p_value


def test_missing_losses_are_not_compared():
    a = np.array([1.0, np.nan, 2.0, 3.0])
    assert diebold_mariano(a, np.zeros(4)) == diebold_mariano(np.array([1.0, 2.0, 3.0]), np.zeros(3))


@pytest.mark.parametrize("a", [[1.0], [2.0, 2.0, 2.0], []])
def test_without_variation_there_is_no_test(a):
    found = diebold_mariano(np.array(a), np.zeros(len(a)))
    assert np.isnan(found.statistic) and np.isnan(found.p_value)


def test_forecasts_that_all_overlap_say_nothing():
    assert np.isnan(diebold_mariano(np.array([1.0, 2.0, 4.0]), np.zeros(3), horizon=7).p_value)


def test_under_equal_accuracy_the_test_rejects_as_often_as_it_says():
    rng = np.random.default_rng(1)
    p = [diebold_mariano(rng.normal(size=8), rng.normal(size=8)).p_value for _ in range(1000)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07


def test_shapes_and_horizons_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2,\) and other \(3,\)"):
        diebold_mariano(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="must be 1 or more"):
        diebold_mariano(np.zeros(2), np.zeros(2), horizon=0)
