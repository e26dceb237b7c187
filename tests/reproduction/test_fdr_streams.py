"""Simulated streams and their rates: p-values under the null, anomalies, lines in time, decayed rates."""

import numpy as np
import pytest
from scipy import stats

from tsformers.reproduction.fdr_streams import rates, simulate
from tsformers.reproduction.fdr_tables import ExperimentTable, RangeTable

ONE = RangeTable(first=0.1, last=0.1, count=1)


def test_decayed_rates_are_those_of_the_recursion():
    rng = np.random.default_rng(0)
    alarms, truth = rng.random((2, 4, 300)) < 0.1
    expected = []
    for alarm, anomalous in zip(alarms, truth, strict=True):
        false = all_ = 0.0
        for r, a in zip(alarm, anomalous, strict=True):
            false, all_ = 0.95 * false + (r and not a), 0.95 * all_ + r
        expected.append((false / max(all_, 1), false / (all_ + 1)))
    found = rates(alarms, truth, 0.95)
    assert (found["decayed_fdr"], found["smoothed_fdr"]) == pytest.approx(tuple(np.mean(expected, axis=0)))


@pytest.mark.parametrize("autoregression", [0.0, 0.9])
def test_p_values_under_the_null_are_uniform_and_anomalies_have_the_strength_asked_for(autoregression):
    table = ExperimentTable(length=4000, repeats=5, strength=[3.0], targets=ONE, autoregression=autoregression)
    p, anomalous = simulate(table, [0.3], 5, [1])
    assert stats.kstest(p[~anomalous], "uniform").pvalue > 1e-3
    assert stats.norm.isf(p[anomalous]).mean() == pytest.approx(3, abs=0.05)
    assert anomalous.mean() == pytest.approx(0.3, abs=0.02)


def test_lines_in_time_go_from_one_end_to_the_other():
    table = ExperimentTable(length=2000, repeats=50, strength=[2.0, 5.0], noise=[1.0, 2.0], targets=ONE)
    p, anomalous = simulate(table, [0.1, 0.4], 50, [2])
    z = stats.norm.isf(p)
    assert [anomalous[:, part].mean() for part in (slice(0, 100), slice(-100, None))] == pytest.approx(
        [0.1, 0.4], abs=0.03
    )
    for part, strength, noise in ((slice(0, 100), 2, 1), (slice(-100, None), 5, 2)):
        assert z[:, part][~anomalous[:, part]].std() == pytest.approx(noise, abs=0.12)
        assert z[:, part][anomalous[:, part]].mean() == pytest.approx(strength, abs=0.35)
