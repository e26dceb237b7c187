"""AnomalyDetector: a frame at once and row by row, stopped and resumed, its answers, and its settings."""

import json
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector, ConformalP, PredictiveP
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.errors import DataError

from .conftest import EXTREME, VARIANTS, at, fit_silently, history, naive, same

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "unique_id": st.sampled_from(["a", "b", "c", "a", "b", "new", None]),
            "ds": st.one_of(
                st.integers(1, 9).map(at),
                st.sampled_from([at(1.5), at(1).isoformat(), at(200), "soon", None, 7, pd.NaT]),
            ),
            "y": st.sampled_from([0.1, -0.4, 2.0, 1.0, 90.0, -70.0, math.nan, math.inf, None, "much", "3.5"]),
        }
    ),
    max_size=40,
)


@pytest.mark.parametrize("name", VARIANTS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 40), max_size=3))
def test_many_rows_at_once_are_answered_as_one_by_one_in_any_order_and_wherever_they_are_cut(fitted, name, rows, cuts):
    detector, initial = fitted[name]
    detector.state = initial
    alone = [detector.update(row) for row in rows]
    counts = detector.counts
    detector.state = initial
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    together = [d for i, j in pairwise(bounds) for d in detector.update_many(rows[i:j])]
    assert same(alone, together)
    assert detector.counts == counts
    assert counts["rows"] == len(rows) == sum(counts[status] for status in tsf.anomaly.decisions.STATUSES)


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, cut=st.integers(0, 40))
def test_stopped_and_resumed_is_the_same_as_uninterrupted(fitted, rows, cut):
    detector, initial = fitted["one forecast for the horizon"]
    detector.state = initial
    whole = [detector.update(row) for row in rows]
    detector.state = initial
    first = detector.update_many(rows[:cut])
    kept = detector.snapshot()
    assert "forecast" not in kept
    detector.update_many(rows[:5])  # what happens to the detector in the meantime does not matter
    detector.state = kept
    assert same(whole, first + detector.update_many(rows[cut:]))


@settings(max_examples=20, deadline=None)
@given(data=st.data(), name=st.sampled_from([*VARIANTS]))
def test_a_frame_is_taken_in_order_of_time_and_within_a_step_in_its_own_order(fitted, data, name):
    detector, initial = fitted[name]
    frame = history(3, 6, at(1).isoformat(), seed=1)
    frame.loc[[2, 8], "y"] = [50.0, np.nan]
    keep = data.draw(st.permutations(range(len(frame))))[: data.draw(st.integers(1, len(frame)))]
    frame = frame.iloc[keep]
    detector.state = initial
    answer = detector.detect(frame, status=True)
    assert answer.index.equals(frame.index)
    detector.state = initial
    ordered = frame.sort_values("ds", kind="stable")
    one_by_one = [detector.update(row) for row in ordered.to_dict("records")]
    expected = pd.DataFrame([{n: getattr(d, n) for n in d.__slots__} for d in one_by_one], index=ordered.index)
    pd.testing.assert_frame_equal(answer.loc[ordered.index], expected, check_exact=True, check_dtype=False)


@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_irregular_rows_of_a_frame_are_answered_as_those_of_a_stream(fitted, rows):
    detector, initial = fitted["each row a new forecast"]
    frame = pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=object) for name in ("unique_id", "ds", "y")}
    )
    detector.state = initial
    answer = detector.detect(frame, status=True)
    detector.state = initial
    columns = detector._reader.frame(frame)
    order = np.lexsort((columns.phase, columns.position))
    decisions = [detector.update(rows[i]) for i in order]
    assert [d.status for d in decisions] == answer["status"].iloc[order].tolist()
    assert_array_equal([d.p_value for d in decisions], answer["p_value"].to_numpy(float)[order])


def test_step_is_the_pure_form_of_update(fitted):
    detector, initial = fitted["conformal"]
    rows = [{"unique_id": "a", "ds": at(k), "y": 40.0 if k == 3 else 0.1 * k} for k in range(1, 6)]
    detector.state = initial
    before = {name: part.copy() for name, part in initial["contexts"].items()}
    state, decisions = initial, []
    for row in rows:
        state, decision = detector.step(state, row)
        decisions.append(decision)
    for name, part in before.items():
        assert_array_equal(initial["contexts"][name], part)
    assert detector.counts["rows"] == 0
    assert same(decisions, detector.update_many(rows))
    assert state["counts"] == detector.counts


def test_a_saved_detector_resumes_where_it_was(fitted, tmp_path):
    detector, initial = fitted["a procedure a series"]
    rows = history(3, 8, at(1).isoformat(), seed=2).sort_values("ds", kind="stable").to_dict("records")
    detector.state = initial
    detector.update_many(rows[:11])
    detector.save(tmp_path / "d")
    back = tsf.load(tmp_path / "d")
    assert repr(back) == repr(detector)
    assert back.counts == detector.counts
    assert same(detector.update_many(rows[11:]), back.update_many(rows[11:]))


def test_a_detector_saved_in_format_1_loads(fitted, tmp_path):
    detector, initial = fitted["conformal"]
    detector.state = initial
    detector.save(tmp_path / "d")
    page = json.loads((tmp_path / "d" / "model.json").read_text("utf-8"))
    page["learned"]["settings"]["learn_unseen"] = page["learned"]["settings"].pop("add_new_series")
    (tmp_path / "d" / "model.json").write_text(json.dumps(page | {"format": 1}), "utf-8")
    row = {"unique_id": "a", "ds": at(1), "y": 0.5}
    assert same([detector.update(row)], [tsf.load(tmp_path / "d").update(row)])


def test_a_state_that_holds_the_forecast_under_its_former_name_is_resumed(fitted):
    detector, initial = fitted["one forecast for the horizon"]
    detector.state = initial
    row, other = ({"unique_id": "a", "ds": at(k), "y": 0.5} for k in (1, 2))
    detector.update(row)
    state = detector.state
    whole = detector.update(other)
    state["forecast"] = {"laws": state["forecast"]["values"], "levels": state["forecast"]["levels"]}
    detector.state = state
    assert same([whole], [detector.update(other)])


def test_nothing_grows_with_the_stream(fitted):
    detector, initial = fitted["conformal"]
    detector.state = initial

    def size():
        state = detector.state
        return sum(part.nbytes for key in ("contexts", "series", "p_value") for part in state[key].values())

    before = size()
    detector.detect(history(3, 300, at(1).isoformat(), seed=4))
    assert size() == before


# contamination


@pytest.mark.parametrize("kind", ["replace", "keep"])
def test_a_value_that_raises_an_alarm_enters_the_context_as_expected_or_as_it_came(kind):
    made = fit_silently(naive(contamination=kind), history(scale=0.1))
    decision = made.update({"unique_id": "b", "ds": at(1), "y": 80.0})
    assert decision.anomaly
    contexts = Contexts(made.state["contexts"])
    held = contexts.read(np.array([1]), contexts.last[[1]])[0, 0]
    assert held == (80.0 if kind == "keep" else decision.expected)
    assert made.counts["replaced"] == (kind == "replace")


def test_alarms_in_a_row_are_a_level_shift_and_the_forecast_moves_there():
    frame = history(scale=0.3)
    made = fit_silently(
        naive(shift_after=4, p_value=PredictiveP(), forecaster=tsf.SeasonalNaive(horizon=3, season_length=1)), frame
    )
    last = frame[frame["unique_id"] == "a"]["y"].iloc[-1]
    rng = np.random.default_rng(0)
    decisions = [made.update({"unique_id": "a", "ds": at(k), "y": last + 60 + rng.normal()}) for k in range(1, 12)]
    assert [d.anomaly for d in decisions] == [True] * 4 + [False] * 7
    assert made.counts["shifts"] == 1
    contexts = Contexts(made.state["contexts"])
    held = contexts.read(np.zeros(11, dtype=int), contexts.last[0] - np.arange(11))[:, 0]
    assert (held > last + 30).all(), "those that raised the alarms came back into the context"


def test_alarms_mark_anomalies_and_little_else():
    frame, later = history(4, 600, scale=0.5), history(4, 200, "2024-01-26", seed=9, scale=0.5)
    strange = [30, 250, 420, 421, 700]
    later.loc[strange, "y"] += 25
    control = tsf.fdr.SAFFRON(alpha=0.1, decay=0.99)
    model = AnomalyDetector(tsf.SeasonalNaive(horizon=24), control, p_value="predictive", refresh=24, n_samples=200)
    found = model.fit(frame).detect(later)
    assert found.loc[strange, "anomaly"].all()
    assert found["anomaly"].sum() <= len(strange) + 3
    assert list(found) == ["unique_id", "ds", "y", "expected", "lower", "upper", "p_value", "level", "anomaly"]
    inside = (found["y"] >= found["lower"]) & (found["y"] <= found["upper"])
    assert 0.9 < inside.mean() < 1


# in and out


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_the_answer_comes_in_the_callers_own_frame_type(detector, backend):
    later = history(3, 3, at(1).isoformat())
    if backend == "polars":
        polars = pytest.importorskip("polars")
        given_, table = polars.from_pandas(later), polars.DataFrame
    else:
        given_, table = (pa.Table.from_pandas(later), pa.Table) if backend == "pyarrow" else (later, pd.DataFrame)
    initial = detector.state
    found = detector.detect(given_)
    assert isinstance(found, table)
    detector.state = initial
    plain = detector.detect(later)
    assert_array_equal(np.asarray(found["p_value"]), plain["p_value"])


def test_a_stream_takes_dictionaries_and_arrow_batches(detector):
    later = history(3, 4, at(1).isoformat()).sort_values("ds", kind="stable")
    initial = detector.state
    rows = list(detector.stream(later.to_dict("records")))
    for batches in (
        pa.Table.from_pandas(later).to_batches(max_chunksize=5),
        pa.Table.from_pandas(later),
        pa.Table.from_pandas(later).to_reader(max_chunksize=7),
    ):
        detector.state = initial
        assert [d.p_value for d in detector.stream(batches)] == [d.p_value for d in rows]


def test_other_column_names_integer_time_and_integer_ids():
    frame = pd.DataFrame(
        {"shop": np.repeat([10, 7], 60), "t": np.tile(np.arange(60) * 5, 2), "n": np.arange(120.0) % 9}
    )
    made = AnomalyDetector(tsf.SeasonalNaive(horizon=2), **EXTREME)
    made = fit_silently(made, frame, id_col="shop", time_col="t", target_col="n")
    rows = [{"shop": 7, "t": 300, "n": 3}, {"shop": 7, "t": "305", "n": 4}, {"shop": 7, "t": 307, "n": 4}]
    rows += [{"shop": 7, "t": 310.5, "n": 4}, {"shop": 7, "t": 2**70, "n": 4}, {"shop": 7, "t": True, "n": 4}]
    decisions = made.update_many(rows)
    assert [d.status for d in decisions] == ["tested", "tested", "off_grid", "invalid", "invalid", "invalid"]
    found = made.detect(pd.DataFrame({"shop": [7, 10], "t": [310, 300], "n": [1.0, 2.0]}))
    assert list(found)[:3] == ["shop", "t", "n"]
    assert found["p_value"].notna().all()


def test_stamps_with_a_zone_keep_the_wall_clock():
    days = pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.arange(60.0) % 7})
    made = fit_silently(AnomalyDetector(tsf.SeasonalNaive(horizon=2), **EXTREME), frame)
    initial = made.state
    later = pd.DataFrame({"unique_id": "a", "ds": days[-1:] + pd.Timedelta(days=1), "y": [4.0]})
    assert made.detect(later, status=True)["status"].tolist() == ["tested"]
    made.state = initial
    assert made.update({"unique_id": "a", "ds": "2024-04-29T22:00:00+00:00", "y": 4.0}).status == "tested"
    assert made.update({"unique_id": "a", "ds": "2024-05-01T00:00:00", "y": 4.0}).status == "invalid"


def test_stamps_are_read_to_the_nanosecond():
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.to_datetime(np.arange(60) * 10 + 5), "y": np.arange(60.0) % 7})
    made = fit_silently(AnomalyDetector(tsf.SeasonalNaive(horizon=2), **EXTREME), frame)
    assert made.update({"unique_id": "a", "ds": "1970-01-01T00:00:00.000000605", "y": 4.0}).status == "tested"
    assert made.update({"unique_id": "a", "ds": "1970-01-01T00:00:00.000000616", "y": 4.0}).status == "off_grid"


# settings


def test_it_is_an_estimator_like_any_other():
    made = naive(refresh=2)
    copied = clone(made)
    assert copied.get_params()["refresh"] == 2
    assert repr(copied) == repr(made)
    assert AnomalyDetector(tsf.SeasonalNaive(horizon=1)).control == tsf.fdr.SAFFRON(alpha=0.05)
    for call in (
        lambda: made.update({}),
        lambda: made.detect(history()),
        lambda: made.state,
        lambda: next(made.stream([{}])),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_fit_leaves_forecaster_and_procedure_as_they_were():
    control, model = tsf.fdr.LORD(0.1, decay=0.9), tsf.SeasonalNaive(horizon=3)
    made = fit_silently(AnomalyDetector(model, control, p_value="predictive"), history())
    made.detect(history(3, 5, at(1).isoformat()))
    assert control.n_tests == 0
    assert not hasattr(model, "panel_")


def test_another_procedure_starts_at_its_first_test_and_contexts_stay(detector):
    detector.update({"unique_id": "a", "ds": at(1), "y": 0.5})
    before = detector.state["contexts"]["last"]
    detector.set_control(tsf.fdr.LOND(alpha=0.01))
    assert_array_equal(detector.state["contexts"]["last"], before)
    assert detector.update({"unique_id": "a", "ds": at(2), "y": 0.5}).level == tsf.fdr.LOND(alpha=0.01).first_level
    detector.set_control(EXTREME["control"])


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"refresh": 0}, "refresh must be a whole number of 1 or more, not 0"),
        ({"seed": None}, "seed must be a whole number of 0 or more, not None"),
        ({"scope": "all"}, "scope='all' is unknown; choose one of 'global', 'series'"),
        ({"contamination": "drop"}, "contamination='drop' is unknown"),
        ({"p_value": "magic"}, "p_value='magic' is unknown"),
        ({"control": 0.05}, "control must be a procedure of tsformers.fdr"),
        ({"coverage": 1}, r"coverage must be a number in \(0, 1\), not 1"),
        (
            {"context_length": 5, "forecaster": tsf.Linear(horizon=2, context_length=9, max_steps=1)},
            "less than the 9 rows",
        ),
    ],
)
def test_settings_out_of_range_are_refused_with_the_remedy(chosen, words):
    with pytest.raises(ValueError, match=words):
        naive(**chosen).fit(history())


def test_data_it_cannot_watch_are_refused():
    with pytest.raises(DataError, match="column 'load' is known in advance"):
        naive().fit(history().assign(load=1.0), known=["load"])
    clash = history().rename(columns={"y": "level"})
    made = fit_silently(naive(), clash, target_col="level")
    with pytest.raises(DataError, match="column 'level' of the data has the name of a column of the answer"):
        made.detect(clash)


def test_a_state_of_another_detector_is_refused(fitted):
    one, other = fitted["conformal"][0], fitted["each row a new forecast"][0]
    with pytest.raises(ValueError, match="this state cannot be resumed: its tests were those of"):
        one.state = other.state
    with pytest.raises(ValueError, match="this state cannot be resumed"):
        one.state = {}


def test_too_little_calibration_is_warned_of_at_fit():
    with pytest.warns(UserWarning, match="calibration scores"):
        AnomalyDetector(tsf.SeasonalNaive(horizon=2), tsf.fdr.LORD(0.1)).fit(history())


def test_the_window_of_errors_bounds_the_calibration_set():
    made = fit_silently(naive(p_value="conformal", window=25), history(rows=200))
    assert made.errors_ == 25
    assert made.state["p_value"]["scores"].shape == (3, 25)
    assert fit_silently(naive(p_value="conformal"), history(rows=200)).errors_ == 66
    with pytest.raises(ValueError, match="window must be a whole number of 20 or more or None, not 5"):
        fit_silently(naive(p_value="conformal", window=5), history())
    with pytest.raises(ValueError, match="window=30 belongs to p_value='conformal'"):
        fit_silently(naive(p_value=ConformalP(), window=30), history())


@pytest.mark.parametrize(("p_value", "control", "wanted"), [
    ("predictive", tsf.fdr.LORD(alpha=0.1, decay=0.99), 0.001),
    ("predictive", tsf.fdr.LORD(alpha=0.1), 0.0),
    ("conformal", tsf.fdr.LORD(alpha=0.1, decay=0.99), 0.0),
    ("conformal", tsf.fdr.LORD(alpha=0.2, decay=0.8), 2 / 67),
])  # fmt: skip
def test_quiet_rate_is_the_least_level_as_far_as_ranks_reach(p_value, control, wanted):
    made = fit_silently(naive(p_value=p_value, control=control), history(rows=200))
    assert made.quiet_rate == pytest.approx(wanted)
