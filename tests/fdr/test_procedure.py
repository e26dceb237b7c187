"""Saving and resuming, procedures in parallel, and what is refused."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.contracts import Procedure as Protocol
from tsformers.fdr import (
    ADDIS,
    LOND,
    LORD,
    SAFFRON,
    AlphaInvesting,
    AlphaSpending,
    MemoryLORD,
    OnlineBH,
    Parallel,
    Procedure,
)

SOME = [
    LOND(0.1, lag=1),
    LORD(0.1),
    LORD(0.1, decay=0.9, lag=2),
    LORD(0.1, tolerance=0),
    LORD(0.1, dependent=True),
    SAFFRON(0.1, gamma_size=5),
    ADDIS(0.1),
    AlphaInvesting(0.1),
    AlphaSpending(0.1),
    OnlineBH(0.1, window=9),
    OnlineBH(0.1, window=None),
]
p_values = st.lists(st.one_of(st.floats(0, 1), st.floats(0, 0.01)), max_size=80)


@pytest.mark.parametrize("procedure", SOME, ids=repr)
@settings(max_examples=30, deadline=None)
@given(before=p_values, after=p_values)
def test_a_saved_and_loaded_procedure_continues_as_an_uninterrupted_one(procedure, before, after):
    running = procedure.fresh()
    running.test_many(before)
    text = json.dumps(running.state, allow_nan=False)
    resumed = Procedure.from_state(json.loads(text))
    assert type(resumed) is type(procedure)
    assert resumed == procedure
    assert json.dumps(resumed.state) == text
    assert [part.tolist() for part in running.test_many(after)] == [part.tolist() for part in resumed.test_many(after)]
    assert running.state == resumed.state


@pytest.mark.parametrize("procedure", SOME, ids=repr)
def test_the_size_of_the_state_does_not_grow(procedure, rng):
    running = procedure.fresh()
    sizes = []
    for _ in range(4):
        running.test_many(np.where(rng.random(3000) < 0.2, 1e-12, rng.random(3000)))
        sizes.append(len(json.dumps(running.state)))
    grows = procedure in (LORD(0.1, tolerance=0), OnlineBH(0.1, window=None))
    assert (sizes[-1] > 2 * sizes[0]) == grows
    assert grows or sizes[-1] < 10_000


@pytest.mark.parametrize("procedure", SOME, ids=repr)
@settings(max_examples=20, deadline=None)
@given(p=p_values, n=st.integers(1, 5), seed=st.integers(0, 99), at=st.floats(0, 1))
def test_in_parallel_each_is_what_it_would_be_alone(procedure, p, n, seed, at):
    p = np.array(p, dtype=float)
    series = np.random.default_rng(seed).integers(0, n, len(p))
    cut = round(at * len(p))
    together = procedure.many(n)
    first = together.test(p[:cut], series[:cut])
    together = Parallel.from_arrays(procedure, together.arrays)
    second = together.test(p[cut:], series[cut:])
    levels, rejected = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    for i in range(n):
        alone = procedure.fresh()
        expected = alone.test_many(p[series == i])
        assert levels[series == i].tolist() == expected[0].tolist()
        assert rejected[series == i].tolist() == expected[1].tolist()
        assert together.one(i).state == alone.state
        assert together.next_level[i] == alone.next_level
        assert together.n_tests[i] == alone.n_tests == (series == i).sum()


def test_procedures_are_added_while_others_run(rng):
    for procedure in (LORD(0.1, tolerance=0), ADDIS(0.1), OnlineBH(0.1, window=50)):
        together = procedure.many(2)
        together.test(rng.random(400) * 0.1, np.tile([0, 1], 200))
        before = together.one(1).state
        together.grow(3)
        assert len(together) == 3
        assert together.one(1).state == before
        assert together.one(2).state == procedure.state
        together.test(np.array([0.0, 0.0, 0.0]))
        with pytest.raises(ValueError, match="there are 3 procedures already"):
            together.grow(2)


def test_a_number_that_is_not_a_p_value_is_refused_and_nothing_is_tested():
    procedure = SAFFRON(0.1)
    together = procedure.many(2)
    start = procedure.state
    for wrong in (-1e-9, 1.1, np.inf):
        with pytest.raises(ValueError, match=r"is no p-value: it must lie in \[0, 1\]"):
            procedure.test(wrong)
        with pytest.raises(ValueError, match="at position 1: "):
            procedure.test_many([0.5, wrong])
        with pytest.raises(ValueError, match="at position 1: "):
            together.test(np.array([0.5, wrong]))
    with pytest.raises(ValueError, match=r"NaN is no p-value; leave the test out, or pass 1\.0"):
        procedure.test(float("nan"))
    with pytest.raises(ValueError, match="at position 0: NaN"):
        procedure.test_many(np.array([np.nan]))
    with pytest.raises(ValueError, match="one stream"):
        procedure.test_many(np.zeros((2, 2)))
    assert procedure.state == start
    assert together.one(0).state == start


def test_series_that_do_not_exist_are_refused():
    together = LORD(0.1).many(2)
    for wrong in (np.array([0, 2]), np.array([-1, 0]), np.array([0.0, 1.0])):
        with pytest.raises(ValueError, match="whole numbers from 0 to 1"):
            together.test(np.array([0.5, 0.5]), wrong)
    with pytest.raises(ValueError, match="one p-value for each series"):
        together.test(np.array([0.5]))
    with pytest.raises(ValueError, match="n=0"):
        LORD(0.1).many(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LORD(0), r"alpha must be a number in \(0, 1\), not 0"),
        (lambda: OnlineBH(1.0), "alpha must be a number in"),
        (lambda: LORD(0.1, w0=0.2), "w0 must lie between 0 and 0.1"),
        (lambda: LORD(0.1, tau=0.5, w0=0.06), "w0 must lie between 0 and 0.05"),
        (lambda: LORD(0.1, tau=0.0), r"tau must be a number in \(0, 1\] or None, not 0.0"),
        (lambda: SAFFRON(0.1, w0=-1), "w0 must be a number of 0 or more or None, not -1"),
        (lambda: SAFFRON(0.1, decay=0), r"decay must be a number in \(0, 1\], not 0"),
        (lambda: MemoryLORD(0.1, decay=1.5), r"decay must be a number in \(0, 1\]"),
        (lambda: SAFFRON(0.1, decay=0.9, eta=0), r"eta must be a number in \(0, inf\) or None"),
        (lambda: ADDIS(0.1, decay=0.9, w0=0.05), "w0=0.05 belongs to the undecayed rule"),
        (lambda: SAFFRON(0.1, lambda_=1.0), r"lambda_ must be a number in \(0, 1\)"),
        (lambda: ADDIS(0.1, lambda_=0.5, tau=0.5), "0 < lambda_ < tau <= 1"),
        (lambda: LORD(0.1, lag=-1), "lag must be a whole number"),
        (lambda: LORD(0.1, lag=1.5), "lag must be a whole number"),
        (lambda: LORD(0.1, gamma_size=0), "gamma_size must be a whole number of 1 or more or None"),
        (lambda: LORD(0.1, tolerance=1e-13), "tolerance must lie between 1e-11 and 0.1, or be 0"),
        (lambda: LORD(0.1, dependent=True, lag=2, decay=0.9), "no form with lag, decay"),
        (lambda: LORD(0.1, dependent=True, w0=0.06), "w0 must lie between 0 and alpha / 2"),
        (lambda: LOND(0.1, decay=0.99), "LOND has no decayed form"),
        (lambda: AlphaSpending(0.1, decay=0.99), "AlphaSpending has no decayed form"),
        (lambda: OnlineBH(0.1, decay=0.99), "OnlineBH has no decayed form"),
        (lambda: OnlineBH(0.1, window=1), "window must be a whole number of 2 or more or None"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_state_of_something_else_is_refused():
    state = LORD(0.1, lag=2).state
    with pytest.raises(ValueError, match="the state of 'LORD', not of SAFFRON"):
        SAFFRON.from_state(state)
    with pytest.raises(ValueError, match="no state of a procedure"):
        LORD.from_state({"t": 3})
    with pytest.raises(ValueError, match=r"the state of LORD cannot be read: .*colour"):
        LORD.from_state(state | {"settings": {"colour": 1}})
    for broken in ({"outcomes": [0]}, {"kept": 3}, {"tests": -1}, {"clock": "x"}, {"sums": [1.0]}, {"more": 1}):
        with pytest.raises(ValueError, match="the state of LORD cannot be read"):
            LORD.from_state(state | {"running": state["running"] | broken})
    with pytest.raises(ValueError, match="not the arrays of"):
        Parallel.from_arrays(LORD(0.1), LORD(0.1, lag=1).many(2).arrays)
    with pytest.raises(ValueError, match="not the arrays of"):
        Parallel.from_arrays(LORD(0.1), OnlineBH(0.1).many(2).arrays)
    with pytest.raises(ValueError, match=r"cannot be read: .*kept"):
        OnlineBH.from_state({**OnlineBH(0.1).state, "running": OnlineBH(0.1).state["running"] | {"kept": 99}})


def test_equality_is_that_of_settings_and_copies_are_independent():
    one, other = LORD(0.1), LORD(0.1)
    one.test(0.0)
    assert one == other != LORD(0.1, decay=0.99)
    assert hash(one) == hash(other)
    assert one != LOND(0.1)
    assert repr(SAFFRON(0.1)).startswith("SAFFRON(alpha=0.1, w0=None, lambda_=0.5")
    twin = copy.deepcopy(one)
    twin.test(0.0)
    assert (one.n_tests, twin.n_tests, one.fresh().n_tests) == (1, 2, 0)
    with pytest.raises(AttributeError):
        one.alpha = 0.2


def test_procedures_satisfy_the_protocol_and_are_public():
    assert isinstance(tsf.fdr.SAFFRON(alpha=0.05), Protocol)
    assert tsf.fdr.LORD is LORD
    assert LORD().alpha == 0.05
