"""What both kinds of p-values promise, and the warning where no alarm is possible."""

import io
import re
import warnings

import numpy as np
import pytest

from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.p_values import warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.distributions.marginals import Marginals
from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, OnlineBH

KINDS = [
    PredictiveP(),
    PredictiveP(counts=True),
    ConformalP(window=15, shift_after=5, calibrate_on="quiet"),
    ConformalP(window=15, decay=0.9, shift_after=5, score="predictive", counts=True),
    ConformalP(window=15, score="residual", shift_after=None),
]


def run(p_value, arrays, y, steps, together):
    """p-values of T rows of N series, all series at once or one after the other."""
    rows, n = y.shape
    p = np.empty((rows, n))
    for t in range(rows):
        for series in [np.arange(n)] if together else np.arange(n)[:, None]:
            marginals = steps[t].take(series)
            p[t, series] = p_value.log_p(arrays, series, y[t, series], marginals, 11)
            p_value.learn(arrays, series, y[t, series], marginals, p[t, series] > np.log(0.3))
    return p


@pytest.fixture
def stream():
    rng = np.random.default_rng(8)
    y = rng.poisson(3.0, size=(40, 4)).astype(float)
    y[20:, 1] += 40
    y[rng.random(y.shape) < 0.1] = np.nan
    return y, [Marginals(rng.poisson(3.0, size=(4, 30)).astype(float)) for _ in y]


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_a_batch_is_the_same_as_row_by_row(p_value, stream):
    together, alone = (run(p_value, p_value.start(4), *stream, flag) for flag in (True, False))
    assert np.array_equal(together, alone, equal_nan=True)


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_stopped_saved_and_resumed_is_the_same_as_uninterrupted(p_value, stream):
    y, steps = stream
    whole = run(p_value, p_value.start(4), y, steps, True)
    arrays = p_value.start(4)
    first = run(p_value, arrays, y[:17], steps[:17], True)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file) as kept:
        rest = run(p_value, dict(kept), y[17:], steps[17:], True)
    assert np.array_equal(np.concatenate([first, rest]), whole, equal_nan=True)


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_series_that_come_later_change_nothing_for_the_others(p_value, stream):
    y, steps = stream
    whole = run(p_value, p_value.start(4), y, steps, True)
    arrays = p_value.grow(p_value.start(2), 4)
    assert np.array_equal(run(p_value, arrays, y, steps, True), whole, equal_nan=True)
    assert {name: part.dtype for name, part in arrays.items()} == {
        name: part.dtype for name, part in p_value.start(4).items()
    }


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_the_calibration_set_calibrates_as_normal_rows_do(p_value, stream):
    y, steps = stream
    learned, calibrated = p_value.start(4), p_value.start(4)
    for t, row in enumerate(y):
        p_value.learn(learned, np.arange(4), row, steps[t], np.ones(4, dtype=bool))
    order = np.random.default_rng(9).permutation(4)  # series after series, in any order; each in order of time
    values = np.concatenate([np.stack([marginals.values for marginals in steps])[:, i] for i in order])
    p_value.calibrate(calibrated, np.repeat(order, 40), y.T[order].ravel(), Marginals(values))
    assert all(np.array_equal(learned[name], calibrated[name], equal_nan=True) for name in learned)


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_a_missing_row_has_no_p_value_and_changes_nothing(p_value):
    arrays = p_value.start(2)
    marginals, y = Marginals(np.array([[np.nan] * 20, [1.0] * 20])), np.array([1.0, np.nan])
    assert np.isnan(p_value.log_p(arrays, np.array([0, 1]), y, marginals)).all()
    p_value.learn(arrays, np.array([0, 1]), y, marginals, np.array([True, True]))
    assert all(np.array_equal(arrays[name], part, equal_nan=True) for name, part in p_value.start(2).items())


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_log_p_changes_no_state(p_value, stream):
    y, steps = stream
    arrays = p_value.start(4)
    run(p_value, arrays, y[:10], steps[:10], True)
    before = {name: part.copy() for name, part in arrays.items()}
    p_value.log_p(arrays, np.arange(4), y[10], steps[10])
    assert all(np.array_equal(arrays[name], part, equal_nan=True) for name, part in before.items())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: PredictiveP("both"), "tail"),
        (lambda: PredictiveP(shape=1.0), "shape"),
        (lambda: ConformalP("both"), "tail"),
        (lambda: ConformalP(window=0), "window"),
        (lambda: ConformalP(decay=0.0), "decay"),
        (lambda: ConformalP(score="log"), "score"),
        (lambda: ConformalP(calibrate_on="none"), "calibrate_on"),
        (lambda: ConformalP(shift_after=2000), "shift_after"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


# blindness


def warning_of(p_value, procedure, n, tongue="python"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_blind(p_value, procedure, n)
    assert len(caught) <= 1
    return caught[0].message.message.text(tongue) if caught else None


def test_a_procedure_that_can_never_alarm_is_warned_of_with_the_number_of_scores_needed():
    control = LORD(alpha=0.1, decay=0.99)
    assert "never alarm: 999 scores would do" in warning_of(ConformalP(), control, 185)
    assert "999 scores would do" in warning_of(ConformalP(), control, 186)
    assert "999 scores would do" in warning_of(ConformalP(), control, 998)
    assert warning_of(ConformalP(), control, 999) is None


@pytest.mark.parametrize(
    ("control", "ticking"), [(LORD(alpha=0.1), 0.6), (SAFFRON(alpha=0.1), 0.6), (ADDIS(alpha=0.1), 0.45)]
)
def test_a_procedure_whose_level_tends_to_zero_is_warned_of_with_the_first_blind_test(control, ticking):
    text, shell = (warning_of(ConformalP(), control, 500, tongue) for tongue in ("python", "shell"))
    assert "without decay no number of scores will do for ever; or take LORD(alpha=0.1, decay=0.99)" in text
    assert "--detector p_value=predictive and a decay below 1, --decay 0.99" in shell
    test = int(text.split("from test ")[1].split()[0])
    without_alarm = control.fresh()
    without_alarm.test_many(np.full(test - 1, ticking))
    alarms = without_alarm.test_many([1 / 501])[1]
    assert test > 1 and not alarms[0]


@pytest.mark.parametrize("control", [SAFFRON(alpha=0.05), SAFFRON(alpha=0.1, decay=0.99), LOND(alpha=0.1), LORD(0.01)])
def test_each_remedy_of_the_warning_avoids_it(control):
    text = warning_of(ConformalP(), control, 1000)
    needed = re.search(r": ([0-9]+) scores of equal weight would do: window=([0-9]+) or more", text)
    if needed is not None:
        assert warning_of(ConformalP(window=int(needed[2])), control, int(needed[1])) is None
        assert warning_of(ConformalP(window=int(needed[2])), control, int(needed[1]) - 1) is not None
    shell = warning_of(ConformalP(), control, 1000, "shell")
    number = int(re.search(r"--control LORD --alpha 0.1 --decay 0.99, for which ([0-9]+) do", shell)[1])
    assert warning_of(ConformalP(), LORD(alpha=0.1, decay=0.99), number) is None
    assert "--detector p_value=predictive" in shell
    assert warning_of(PredictiveP(), control, 1000) is None


def test_the_number_of_scores_needed_counts_weights():
    text = warning_of(ConformalP(decay=0.9), LORD(alpha=0.1, decay=0.99), 10_000)
    assert "a decay of 1 or near enough" in text
    assert "window=999 or more" in warning_of(ConformalP(window=200), LORD(alpha=0.1, decay=0.99), 10_000)


def test_predictive_p_values_are_never_blind():
    assert warning_of(PredictiveP(), LORD(alpha=0.01), 0) is None
    assert warning_of(ConformalP(), OnlineBH(alpha=0.1, window=50), 999) is None
