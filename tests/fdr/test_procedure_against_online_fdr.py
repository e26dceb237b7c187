"""The same numbers as a published package, where it is installed."""

import numpy as np
import pytest

from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, AlphaInvesting

peer = pytest.importorskip("online_fdr.p_values", reason="the package online-fdr is not installed")

PAIRS = [
    (LORD(0.1, w0=0.03), lambda: peer.LordPlusPlus(0.1, 0.03)),
    (LORD(0.1, w0=0.01, tau=0.6), lambda: peer.LordDiscard(0.1, 0.01, 0.6)),
    (LORD(0.1, w0=0.02, dependent=True), lambda: peer.LordDependent(0.1, 0.02, 0.08)),
    (LORD(0.1, decay=0.98, eta=0.7), lambda: peer.LORDMemoryDecay(0.1, 0.98, 0.7)),
    (SAFFRON(0.1, lambda_=0.3), lambda: peer.Saffron(0.1, 0.05, 0.3)),
    (ADDIS(0.1, lambda_=0.3, tau=0.7), lambda: peer.Addis(0.1, 0.05, 0.3, 0.7)),
    (LOND(0.1), lambda: peer.Lond(0.1)),
    (LOND(0.1, dependent=True), lambda: peer.Lond(0.1, True, True)),
    (LOND(0.1, modified=True), lambda: peer.Lond(0.1, False)),
    (AlphaInvesting(0.1), lambda: peer.Gai(0.1, 0.05)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[repr(pair[0]) for pair in PAIRS])
def test_levels_and_decisions_are_those_of_the_package(ours, theirs, rng):
    p = np.where(rng.random(1500) < 0.1, rng.random(1500) * 1e-3, rng.random(1500))
    other = theirs()
    expected = [(bool(other.test_one(value)), other.last_test_level) for value in p]
    levels, rejected = ours.fresh().test_many(p)
    assert rejected.tolist() == [decision for decision, _ in expected]
    np.testing.assert_allclose(levels, [level for _, level in expected], rtol=1e-9)


@pytest.mark.parametrize("lag", [1, 7])
def test_saffron_with_a_lag_is_the_asynchronous_saffron_and_addis_with_one_is_no_lower(lag, rng):
    p = np.where(rng.random(600) < 0.15, rng.random(600) * 1e-4, rng.random(600))

    def asynchronous(test):
        levels = []
        for t in range(len(p)):
            levels.append(test.start_test(t).test_level)
            if t >= lag:
                test.finish_test(t - lag, p[t - lag])
        return np.array(levels)

    ours = SAFFRON(0.1, lag=lag).test_many(p)[0]
    np.testing.assert_allclose(ours, asynchronous(peer.SaffronAsync(0.1)), rtol=1e-9)
    ours = ADDIS(0.1, lag=lag).test_many(p)[0]
    assert (ours >= asynchronous(peer.AddisAsync(0.1, 0.05, 0.25, 0.5)) * (1 - 1e-9)).all()
