"""The page on procedures: its examples run, and its table of simulated rates is reproduced."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from tsformers.fdr import LORD, SAFFRON

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fdr.md"
STREAMS, TESTS = 1000, 2000
TABLED = {
    "`LORD`": LORD(0.1),
    "`LORD(decay=0.99)`": LORD(0.1, decay=0.99),
    "`SAFFRON`": SAFFRON(0.1),
    "`SAFFRON(decay=0.99)`": SAFFRON(0.1, decay=0.99),
}


def test_the_examples_of_the_page_run():
    assert doctest.testfile(str(PAGE), module_relative=False).attempted > 10
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def simulated(procedure, p, anomalous):
    """Power over all anomalies, FDR, decayed FDR and smoothed decayed FDR, as means over streams."""
    _, rejected = procedure.many(STREAMS).test(p.ravel(), np.tile(np.arange(STREAMS), TESTS))
    rejected = rejected.reshape(TESTS, STREAMS)
    wrong = rejected & ~anomalous
    weights = 0.99 ** np.arange(TESTS)[::-1]
    decayed, decayed_wrong = weights @ rejected, weights @ wrong
    return (
        (rejected & anomalous).sum() / max(anomalous.sum(), 1),
        (wrong.sum(0) / np.maximum(rejected.sum(0), 1)).mean(),
        (decayed_wrong / np.maximum(decayed, 1)).mean(),
        (decayed_wrong / (decayed + 1)).mean(),
    )


@pytest.mark.parametrize("share", ["none", "0.1%", "1.0%", "10.0%"])
def test_the_simulated_rates_of_the_page_are_reproduced(share):
    rng = np.random.default_rng(1)
    anomalous = rng.random((TESTS, STREAMS)) < (0 if share == "none" else float(share[:-1]) / 100)
    p = norm.sf(rng.normal(size=(TESTS, STREAMS)) + 3.0 * anomalous)
    for name, procedure in TABLED.items():
        row = re.search(rf"^\| {re.escape(share)} \| {re.escape(name)} \|(.*)\|$", PAGE.read_text("utf-8"), re.M)
        stated = [float(cell) if cell.strip() else 0.0 for cell in row[1].split("|")]
        np.testing.assert_allclose(simulated(procedure, p, anomalous), stated, atol=6e-4)
