"""Properties that hold on every path, on generated streams; and the definitions, written as double loops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, AlphaInvesting, AlphaSpending, MemoryLORD, OnlineBH
from tsformers.fdr.gamma import FAST, SLOW, gamma
from tsformers.testing import check_procedure

EVERY = [
    LOND(0.1),
    LOND(0.1, dependent=True, lag=2),
    LORD(0.1),
    LORD(0.1, tau=0.5),
    LORD(0.1, decay=0.9, eta=2.0),
    LORD(0.1, decay=0.9, tau=0.5),
    LORD(0.1, lag=3),
    LORD(0.1, dependent=True),
    LORD(0.1, gamma_size=20),
    SAFFRON(0.1),
    SAFFRON(0.1, decay=0.9, lag=2),
    SAFFRON(0.1, lag=3, tolerance=0),
    ADDIS(0.1),
    ADDIS(0.1, decay=0.95),
    ADDIS(0.1, eta=1.0),
    ADDIS(0.1, lag=2, gamma_size=10),
    AlphaInvesting(0.1),
    AlphaSpending(0.1),
    MemoryLORD(0.1),
    OnlineBH(0.1),
    OnlineBH(0.1, window=7),
    OnlineBH(0.1, window=None),
]
EARNING = [LORD, SAFFRON, ADDIS]
thirty = settings(max_examples=30, deadline=None)
p_values = st.one_of(st.floats(0, 1), st.floats(0, 0.02), st.sampled_from([0.0, 0.25, 0.5, 1.0, 1e-6]))
streams = st.lists(p_values, min_size=1, max_size=120).map(np.array)
lags = st.integers(0, 6)
decays = st.sampled_from([0.5, 0.9, 0.99])


@pytest.mark.parametrize("procedure", EVERY, ids=repr)
def test_every_procedure_keeps_the_contract_of_procedures(procedure):
    check_procedure(procedure, n_tests=60)


@pytest.mark.parametrize("procedure", EVERY, ids=repr)
@thirty
@given(p=streams, at=st.floats(0, 1))
def test_many_at_once_are_one_after_the_other_bit_for_bit(procedure, p, at):
    one = procedure.fresh()
    expected = []
    for value in p:
        level = one.next_level
        expected.append(one.test(value))
        assert expected[-1] == (level, value <= level)
    cut = round(at * len(p))
    many = procedure.fresh()
    parts = [many.test_many(p[:cut]), many.test_many(p[cut:])]
    assert np.concatenate([part[0] for part in parts]).tolist() == [level for level, _ in expected]
    assert np.concatenate([part[1] for part in parts]).tolist() == [rejected for _, rejected in expected]
    assert many.state == one.state


@pytest.mark.parametrize("procedure", [LORD(0.1), LORD(0.1, decay=0.99), LOND(0.1), AlphaSpending(0.1)], ids=repr)
@thirty
@given(p=st.lists(st.floats(0.2, 1.0), min_size=1, max_size=60), other=st.floats(0.2, 1.0))
def test_without_a_discovery_levels_do_not_depend_on_p(procedure, p, other):
    levels, rejected = procedure.fresh().test_many(p)
    assert not rejected.any()
    assert np.array_equal(levels, procedure.fresh().test_many(np.full(len(p), other))[0])


@pytest.mark.parametrize("procedure", [SAFFRON(0.1), SAFFRON(0.1, decay=0.99), ADDIS(0.1), ADDIS(0.1, lag=3)], ids=repr)
@thirty
@given(p=st.lists(st.floats(0.3, 0.49), min_size=1, max_size=60), other=st.floats(0.3, 0.49))
def test_between_the_thresholds_levels_do_not_depend_on_p(procedure, p, other):
    levels, _ = procedure.fresh().test_many(p)
    assert np.array_equal(levels, procedure.fresh().test_many(np.full(len(p), other))[0])


@pytest.mark.parametrize(
    "procedure",
    [LORD(0.1), LORD(0.1, decay=0.9), LORD(0.1, lag=2), SAFFRON(0.1), SAFFRON(0.1, decay=0.9, lag=1), LOND(0.1)],
    ids=repr,
)
@thirty
@given(p=streams, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_smaller_p_values_never_lower_a_later_level(procedure, p, share, seed):
    smaller = np.where(np.random.default_rng(seed).random(len(p)) < share, p * share, p)
    before, after = procedure.fresh().test_many(p), procedure.fresh().test_many(smaller)
    assert (after[0] >= before[0] * (1 - 1e-12)).all()
    assert (after[1] >= before[1]).all()


def spent(procedure, p, levels):
    """What each test costs: its level, or where some p-values cost nothing, what the others are charged for them."""
    if isinstance(procedure, SAFFRON):
        return levels * (p > procedure.lambda_) / (1 - procedure.lambda_)
    if isinstance(procedure, ADDIS):
        costs = (p > procedure.lambda_) & (p <= procedure.tau)
        return levels * costs / (procedure.tau - procedure.lambda_)
    tau = procedure.tau or 1.0
    return levels * (p <= tau) / tau


@pytest.mark.parametrize("kind", [*EARNING, lambda alpha, **rest: LORD(alpha, tau=0.6, **rest)])
@thirty
@given(p=streams, decay=decays, eta=st.floats(0.1, 3), lag=lags, exact=st.booleans())
def test_the_decayed_budget_is_kept_at_every_time(kind, p, decay, eta, lag, exact):
    procedure = kind(0.1, decay=decay, eta=eta, lag=lag, tolerance=0 if exact else 1e-9)
    levels, rejected = procedure.test_many(p)
    cost = spent(procedure, p, levels)
    used = discoveries = 0.0
    for t in range(len(p)):
        used, discoveries = decay * used + cost[t], decay * discoveries + rejected[t]
        assert used <= 0.1 * (eta + discoveries) + 1e-12


@pytest.mark.parametrize("kind", [*EARNING, lambda alpha, **rest: LORD(alpha, tau=0.6, **rest)])
@thirty
@given(p=streams, share=st.floats(0, 1), lag=lags, exact=st.booleans())
def test_the_budget_is_kept_at_every_time(kind, p, share, lag, exact):
    budget = 0.1 * (kind(0.1).tau or 1) if kind not in (SAFFRON, ADDIS) else 0.1
    procedure = kind(0.1, w0=share * budget, lag=lag, tolerance=0 if exact else 1e-9)
    levels, rejected = procedure.test_many(p)
    used = np.cumsum(spent(procedure, p, levels))
    assert (used <= 0.1 * np.maximum(np.cumsum(rejected), 1) + 1e-12).all()


def test_the_packages_form_of_the_lag_breaks_the_budget_that_the_safe_form_keeps():
    p = np.full(60, 0.9)
    p[0] = 0.0

    def excess(fade_in_flight):
        procedure = LORD(0.1, decay=0.9, eta=0.1, lag=20, fade_in_flight=fade_in_flight)
        levels, rejected = procedure.test_many(p)
        weights = 0.9 ** np.arange(60)[::-1]
        return weights @ levels - 0.1 * (0.1 + weights @ rejected)

    assert excess(True) < 0 < excess(False)


def by_definition(procedure, p):
    """Levels by the definition: two loops, every discovery kept. LORD, SAFFRON and ADDIS, with lag and decay."""
    lag, decay, alpha = procedure.lag, procedure.decay, procedure.alpha
    low, high, factor, cap = -1.0, 1.0, 1.0, 1.0
    if isinstance(procedure, SAFFRON):
        low, factor, cap = procedure.lambda_, 1 - procedure.lambda_, procedure.lambda_
    elif isinstance(procedure, ADDIS):
        low, high, cap = procedure.lambda_, procedure.tau, procedure.lambda_
        factor = procedure.tau - procedure.lambda_
    shape = SLOW if isinstance(procedure, LORD) else FAST
    ticked, levels, taus = (p > low) & (p <= high), [], []
    for t in range(1, len(p) + 1):
        landed = t - 1 - lag  # the last test whose p-value may be used

        def index(since, t=t, landed=landed):  # of the test at t, counted from after ``since``; in flight: ticks
            in_flight = min(lag, t - 1 - since)
            return 1 + in_flight + ticked[since : max(landed, since)].sum()

        g = gamma(shape, np.array([float(index(0)), *(index(tau + lag) for tau in taus if tau + lag < t)]))
        if decay == 1:
            weights = np.r_[alpha / 2, alpha / 2, np.full(len(taus), alpha)][: len(g)]
        else:
            weights = np.r_[alpha, [alpha * decay ** (t - tau) for tau in taus]][: len(g)]
            g[0] = max(g[0], 1 - decay)
        levels.append(min(cap, factor * (weights @ g)))
        if p[t - 1] <= levels[-1]:
            taus.append(t)
    return np.array(levels)


@pytest.mark.parametrize("kind", EARNING)
@thirty
@given(p=streams, decay=st.sampled_from([1.0, 0.95]), lag=lags)
def test_levels_are_those_of_the_definition(kind, p, decay, lag):
    procedure = kind(0.1, decay=decay, lag=lag, tolerance=0)
    expected = by_definition(procedure, p)
    np.testing.assert_allclose(procedure.test_many(p)[0], expected, rtol=1e-12)
    np.testing.assert_allclose(replace(procedure, tolerance=1e-9).test_many(p)[0], expected, rtol=1e-9)


@thirty
@given(p=streams, window=st.integers(2, 40))
def test_the_moving_rule_rejects_what_sorting_the_window_rejects(p, window):
    _, rejected = OnlineBH(0.2, window=window).test_many(p)
    for t in range(len(p)):
        latest = np.sort(p[max(0, t + 1 - window) : t + 1])
        good = np.flatnonzero(latest <= 0.2 * np.arange(1, len(latest) + 1) / len(latest))
        assert rejected[t] == (good.size > 0 and p[t] <= latest[good[-1]])


@pytest.mark.parametrize(
    "procedure",
    [LORD(0.1), LORD(0.1, decay=0.999), SAFFRON(0.1), SAFFRON(0.1, decay=0.999, lag=4), ADDIS(0.1, eta=1.0)],
    ids=repr,
)
@pytest.mark.parametrize("tolerance", [1e-9, 1e-5])
@pytest.mark.parametrize("share", [0.003, 0.3])
def test_the_stated_tolerance_holds_on_long_streams(procedure, tolerance, share, rng):
    p = np.where(rng.random(20_000) < share, 0.0, rng.uniform(0.26, 1, 20_000))  # decisions the same either way
    exact, _ = replace(procedure, tolerance=0).test_many(p)
    levels, _ = replace(procedure, tolerance=tolerance).test_many(p)
    assert (levels <= exact * (1 + 1e-12)).all()
    assert (levels >= exact * (1 - tolerance)).all()
    assert (levels < exact).any()


def test_the_first_level_is_the_highest_before_a_discovery_and_the_least_is_never_undercut(rng):
    for procedure in (LORD(0.1), LORD(0.1, decay=0.99, eta=0.5), SAFFRON(0.1, decay=0.9), ADDIS(0.1), OnlineBH(0.1)):
        levels, rejected = procedure.fresh().test_many(rng.uniform(0.6, 1, 3000))
        assert not rejected.any()
        assert levels[0] == levels.max() == procedure.first_level
        assert levels.min() >= procedure.least_level
    assert LORD(0.1, decay=0.99, eta=0.5).least_level == pytest.approx(0.1 * 0.5 * 0.01)
    assert LORD(0.1).least_level == 0


def test_with_decay_an_alarm_is_possible_where_the_level_without_decay_has_fallen_to_nothing():
    p = np.ones(200_000)
    p[-1] = 5e-4
    assert not LORD(0.1).test_many(p)[1].any()
    assert LORD(0.1, decay=0.99).test_many(p)[1].tolist() == [False] * 199_999 + [True]


def test_sums_too_small_to_count_become_exactly_zero():
    procedure = SAFFRON(0.1, decay=0.9)
    procedure.test_many(np.r_[np.zeros(50), np.ones(20_000)])
    assert procedure.state["running"]["sums"] == []
    assert procedure.next_level == procedure.least_level
