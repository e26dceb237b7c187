"""AnomalyDetector on irregular rows: broken, missing, late, far ahead, or of a new series."""

import math
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector

from .conftest import EXTREME, HOUR, at, fit_silently, history, naive, same


def test_irregular_rows_are_answered_and_counted_and_change_nothing(detector):
    detector.update({"unique_id": "a", "ds": at(2), "y": 0.5})
    before = detector.snapshot()
    odd = {
        "duplicate": [{"unique_id": "a", "ds": at(2), "y": 7.0}],
        "late": [{"unique_id": "a", "ds": at(1), "y": 7.0}, {"unique_id": "b", "ds": at(-40), "y": 7.0}],
        "off_grid": [{"unique_id": "a", "ds": at(3.25), "y": 7.0}],
        "invalid": [
            {"unique_id": "a", "ds": at(3), "y": math.inf},
            {"unique_id": "a", "ds": at(3), "y": "many"},
            {"unique_id": "a", "ds": at(3), "y": "1.5"},
            {"unique_id": "a", "ds": at(3), "y": True},
            {"unique_id": "a", "ds": at(3), "y": 1.1e100},
            {"unique_id": "a", "ds": "yesterday", "y": 1.0},
            {"unique_id": "a", "ds": at(3).tz_localize("UTC"), "y": 1.0},
            {"unique_id": "a", "ds": 12, "y": 1.0},
            {"unique_id": "a", "ds": "2262-04-11T23:00:00", "y": 1.0},
            {"unique_id": ["a"], "ds": at(3), "y": 1.0},
            {"ds": at(3), "y": 1.0},
            {},
            "no row at all",
        ],
    }
    for status, rows in odd.items():
        for row in rows:
            decision = detector.update(row)
            assert decision.status == status, row
            assert not decision.anomaly
            assert math.isnan(decision.p_value)
    after = detector.snapshot()
    for part in ("contexts", "series", "p_value"):
        for name, array in before[part].items():
            assert_array_equal(array, after[part][name])
    assert {name: detector.counts[name] for name in odd} == {name: len(rows) for name, rows in odd.items()}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"unique_id": "a", "ds": at(1), "y": 0.5}, ""),
        ({"unique_id": "a", "ds": at(1), "y": "1.5"}, "'y' is text: '1.5'"),
        ({"unique_id": "a", "ds": at(1), "y": "x" * 99}, "'y' is text: '" + "x" * 36 + "..."),
        ({"unique_id": "a", "ds": at(1), "y": True}, "'y' is a boolean: True"),
        ({"unique_id": "a", "ds": at(1), "y": -1e300}, "'y' is infinite, or beyond 1e100: -1e+300"),
        ({"unique_id": "a", "ds": at(1), "y": [1]}, "'y' is a list: [1]"),
        (
            {"unique_id": "a", "ds": "soon", "y": 1},
            "time 'soon' is none in ISO 8601 without a time zone, or out of reach",
        ),
        ({"unique_id": "a", "y": 1}, "no time in 'ds'"),
        ({"ds": at(1), "y": 1}, "no id in 'unique_id'"),
        ({"unique_id": ["a"], "ds": at(1), "y": 1}, "['a'] cannot be an id"),
        ({}, "no row that could be read"),
        ({"unique_id": "a", "ds": at(1)}, "no value"),
        ({"unique_id": "a", "ds": at(0), "y": 1}, "at the time of the last row of its series"),
        ({"unique_id": "a", "ds": at(-1), "y": 1}, "before the last row of its series"),
        ({"unique_id": "a", "ds": at(31), "y": 1}, "more than 30 steps after the last row of its series"),
        ({"unique_id": "a", "ds": at(1.5), "y": 1}, "between two steps of its series"),
        ({"unique_id": "new", "ds": at(1), "y": 1}, "its context of 30 rows is not full yet, or holds no value"),
    ],
)
def test_a_row_that_is_not_tested_gets_a_reason(detector, row, why):
    initial = detector.state
    decision = detector.update(row)
    assert decision.why == why
    assert (decision.status == "tested") == (not why)
    if len(row) < 3 or isinstance(row["y"], list):
        return
    detector.state = initial
    answer = detector.detect(
        pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in row.items()}), status=True
    )
    assert (answer["status"].item(), answer["why"].item()) == (decision.status, why)


def test_booleans_are_values_of_covariates_alone():
    frame, later = (part.assign(open=part["y"] > 0) for part in (history(), history(3, 2, at(1).isoformat())))
    made = fit_silently(naive(), frame)
    initial = made.state
    answer = made.detect(later, status=True)
    assert set(answer["status"]) == {"tested"}
    made.state = initial
    assert {d.status for d in made.update_many(later.sort_values("ds").to_dict("records"))} == {"tested"}
    assert set(fit_silently(naive(), history()).detect(later.assign(y=True), status=True)["why"]) == {
        "'y' is a boolean: True"
    }


def test_a_missing_value_takes_its_place_untested_with_what_was_expected(detector):
    decision = detector.update({"unique_id": "a", "ds": at(1), "y": None})
    assert decision.status == "missing"
    assert math.isnan(decision.p_value)
    assert math.isfinite(decision.expected)
    assert detector.update({"unique_id": "a", "ds": at(1), "y": 1.0}).status == "duplicate"


def test_a_gap_is_missing_values_and_the_row_after_it_is_tested():
    detector = fit_silently(naive(max_jump=70), history())
    decision = detector.update({"unique_id": "a", "ds": at(70), "y": 0.0})
    assert decision.status == "waiting", "nothing is left in the context"
    assert detector.counts["gaps"] == 69
    assert detector.update({"unique_id": "a", "ds": at(71), "y": 0.0}).status == "tested"
    assert detector.update({"unique_id": "b", "ds": at(3), "y": 0.0}).status == "tested"
    assert detector.counts["gaps"] == 71


# rows ahead


def test_one_row_with_a_wrong_clock_does_not_move_its_series(detector):
    rows = [{"unique_id": "a", "ds": at(1 + k), "y": 0.1} for k in range(6)]
    wrong = {"unique_id": "a", "ds": at(1000), "y": 0.1}
    alone = detector.update_many(rows)
    detector.state = fit_silently(naive(refresh=1), history()).state
    decisions = detector.update_many([*rows[:2], wrong, wrong, rows[2], {**wrong, "ds": at(1001)}, *rows[3:], wrong])
    assert [d.status for d in decisions] == ["tested"] * 2 + ["ahead"] * 2 + ["tested", "ahead"] + ["tested"] * 3 + [
        "ahead"
    ]
    assert same(alone, [d for d in decisions if d.status == "tested"])
    assert detector.counts["ahead"] == 4
    assert detector.counts["gaps"] == 0


def test_rows_that_agree_on_where_an_outage_ended_move_their_series(detector):
    decisions = [detector.update({"unique_id": "a", "ds": at(k), "y": 0.1}) for k in (31, 31, 40, 41, 42, 43)]
    assert [d.status for d in decisions] == ["ahead"] * 3 + ["waiting", "tested", "tested"]
    assert detector.counts["gaps"] == 40
    assert detector.update({"unique_id": "b", "ds": at(30), "y": 0.1}).status == "tested", "not beyond the context"


@pytest.fixture(scope="module")
def jumpy():
    """Series may jump five steps, and no more; one forecast reaches over all."""
    made = fit_silently(naive(max_jump=5, refresh=7), history())
    return made, made.state


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 30)), max_size=40), cuts=st.sets(st.integers(0, 40))
)
def test_the_rule_of_rows_ahead_is_that_of_the_page_wherever_the_stream_is_cut(jumpy, rows, cuts):
    detector, initial = jumpy
    detector.state = initial
    given_ = [{"unique_id": name, "ds": at(k), "y": 0.1} for name, k in rows]
    found = []
    for i, j in pairwise(sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})):
        found += [d.status for d in detector.update_many(given_[i:j])]
        detector.state = detector.snapshot()
    last, waiting, expected = {"a": 0, "b": 0}, {"a": [], "b": []}, []
    for name, k in rows:
        if k <= last[name]:
            expected.append("late" if k < last[name] else "duplicate")
            continue
        if k - last[name] > 5:
            run = waiting[name]
            if run and k != run[-1]:
                waiting[name] = run = [*run, k] if run[-1] < k <= run[-1] + 5 else [k]
            waiting[name] = run or [k]
            if len(waiting[name]) < 3:
                expected.append("ahead")
                continue
        last[name], waiting[name] = k, []
        expected.append("tested")
    assert found == expected


def test_a_state_from_before_jumps_were_bounded_is_resumed(detector):
    state = detector.snapshot()
    del state["series"]["ahead"], state["series"]["ahead_at"], state["counts"]["ahead"]
    detector.state = state
    assert detector.update({"unique_id": "a", "ds": at(500), "y": 0.1}).status == "ahead"


# new series


def test_a_new_series_is_tested_once_its_context_is_full(detector):
    rows = [{"unique_id": "new", "ds": at(k), "y": 0.1 * k % 1} for k in range(1, 35)]
    decisions = detector.update_many(rows)
    assert [d.status for d in decisions] == ["waiting"] * 30 + ["tested"] * 4
    assert detector.update({"unique_id": "new", "ds": at(35), "y": 99.0}).anomaly


def test_a_forecaster_that_cannot_forecast_new_series_warns_once_and_nothing_is_kept_of_them():
    model = tsf.HoltWinters(horizon=3, seasonal=None, seed=0, n_jobs=1)
    made = fit_silently(AnomalyDetector(model, **EXTREME, refresh=3, context_length=12, calibration=3), history(2, 48))
    start = pd.Timestamp("2024-01-03")
    rows = [{"unique_id": "x", "ds": start + k * HOUR, "y": 0.2 * k} for k in range(12)]
    assert {d.status for d in made.update_many(rows)} == {"waiting"}
    with pytest.warns(UserWarning, match="1 series that were not in the data of fit cannot be forecast by HoltWinters"):
        assert made.update({"unique_id": "x", "ds": start + 12 * HOUR, "y": 1.0}).status == "unseen"
    assert len(made.state["contexts"]["last"]) == 2
    assert made.update({"unique_id": "y", "ds": start, "y": 1.0}).status == "unseen"
    assert made.update({"unique_id": "a", "ds": start, "y": 1.0}).status == "tested"


def test_rows_of_a_series_that_is_dropped_are_unseen_from_then_on_and_change_no_other_series():
    model = tsf.HoltWinters(horizon=3, seasonal=None, seed=0, n_jobs=1)
    made = fit_silently(AnomalyDetector(model, **EXTREME, refresh=3, context_length=12, calibration=3), history(2, 48))
    start = pd.Timestamp("2024-01-03")
    rows = [{"unique_id": "x", "ds": start + k * HOUR, "y": 1000.0 + k} for k in range(30)]
    with pytest.warns(UserWarning, match="1 series that were not in the data of fit"):
        decisions = made.update_many(rows)
    assert [d.status for d in decisions] == ["waiting"] * 12 + ["unseen"] * 18
    assert made.update({"unique_id": "b", "ds": start, "y": 1.0}).status == "tested"


def test_new_series_can_be_skipped():
    made = fit_silently(naive(unseen="skip"), history())
    assert made.update({"unique_id": "x", "ds": at(1), "y": 1.0}).status == "unseen"
    assert len(made.state["contexts"]["last"]) == 3
