"""p-values: uniform where the law is right, ranking extremes, the same in batches as one by one."""

import io
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.p_values import warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.data.forecast import Forecast
from tsformers.distributions.marginals import Marginals
from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, OnlineBH

GRID = tuple(np.linspace(0.01, 0.99, 99))


def p_of(p_value, y, law, arrays=None, series=None):
    y = np.atleast_1d(np.asarray(y, dtype=float))
    series = np.arange(len(y)) if series is None else series
    return np.exp(p_value.log_p(p_value.start(len(y)) if arrays is None else arrays, series, y, law))


# predictive


def test_quantiles_give_the_p_value_of_the_forecasts_own_distribution():
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(size=(200, 5, 1)), axis=1)
    levels, y = (0.05, 0.3, 0.5, 0.7, 0.9), rng.normal(scale=1.5, size=(200, 1))
    pit = Forecast(pd.RangeIndex(200), np.zeros((200, 1), dtype=int), values, levels=levels).cdf(y)[:, 0]
    law = Marginals(values[:, :, 0], levels)
    assert np.allclose(p_of(PredictiveP("lower"), y[:, 0], law), pit, rtol=1e-9)
    assert np.allclose(p_of(PredictiveP("upper"), y[:, 0], law), 1 - pit, rtol=1e-9)
    assert np.allclose(p_of(PredictiveP(), y[:, 0], law), 2 * np.minimum(pit, 1 - pit), rtol=1e-9)


@pytest.mark.parametrize("law_of", [stats.norm, stats.expon, stats.t(5)], ids=["normal", "exponential", "t5"])
def test_p_values_of_draws_are_uniform_and_hold_what_they_say_in_the_tail(law_of):
    rng = np.random.default_rng(1)
    rows = 20_000
    law, y = Marginals(law_of.rvs(size=(rows, 100), random_state=rng)), law_of.rvs(size=rows, random_state=rng)
    p = p_of(PredictiveP("upper"), y, law)
    assert stats.kstest(p, "uniform").statistic < 0.02  # a fitted tail is not exactly uniform; 0.0096 is noise
    assert (p <= 0.01).mean() < 0.01 + 3 * np.sqrt(0.01 / rows)
    assert (p <= 0.001).mean() < 0.0013 + 3 * np.sqrt(0.001 / rows)


def test_an_exponential_tail_of_many_draws_is_continued_as_it_is():
    draws = np.random.default_rng(2).exponential(size=(300, 4000))
    log_p = PredictiveP("upper", shape=0.0).log_p(
        PredictiveP().start(300), np.arange(300), np.full(300, 12.0), Marginals(draws)
    )
    assert log_p.mean() == pytest.approx(-12, abs=1)  # a thirty-fold extrapolation beyond 1 / 4000


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
def test_extremes_still_rank(levels, counts):
    rng = np.random.default_rng(3)
    law = Marginals(np.repeat(rng.normal(size=(1, 40 if levels is None else 3)), 12, axis=0), levels)
    for sign in (1, -1):
        far = sign * 10.0 ** np.arange(1, 13)
        log_p = PredictiveP(counts=counts).log_p(PredictiveP().start(12), np.arange(12), far, law)
        assert np.isfinite(log_p).all()
        assert (np.diff(log_p) < 0).all()


@given(seed=st.integers(0, 2**31), shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_shift_scale_and_reflection_change_nothing(seed, shift, scale):
    rng = np.random.default_rng(seed)
    draws, y, series = rng.normal(size=(5, 50)), 3 * rng.normal(size=5), np.arange(5)
    arrays = PredictiveP().start(5)
    plain = PredictiveP().log_p(arrays, series, y, Marginals(draws))
    moved = PredictiveP().log_p(arrays, series, shift + scale * y, Marginals(shift + scale * draws))
    assert np.allclose(plain, moved, rtol=1e-6, atol=1e-6)
    upper = PredictiveP("upper").log_p(arrays, series, y, Marginals(draws))
    lower = PredictiveP("lower").log_p(arrays, series, -y, Marginals(-draws))
    assert np.allclose(upper, lower, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("levels", [None, GRID])
def test_p_values_never_rise_with_the_distance(levels):
    rng = np.random.default_rng(4)
    one = rng.gamma(2.0, size=99).round(1)  # with ties
    y = np.sort(rng.gamma(2.0, size=400) * 3)
    log_p = PredictiveP("upper").log_p(
        PredictiveP().start(400), np.arange(400), y, Marginals(np.tile(one, (400, 1)), levels)
    )
    assert (np.diff(log_p) <= 1e-12).all()


def test_counts_are_randomised_to_be_uniform():
    rng = np.random.default_rng(5)
    rows = 20_000
    law, y = Marginals(rng.poisson(1.5, size=(rows, 200)).astype(float)), rng.poisson(1.5, size=rows).astype(float)
    p = p_of(PredictiveP("upper", counts=True), y, law)
    assert stats.kstest(p, "uniform").statistic < 0.015
    assert stats.kstest(p_of(PredictiveP("upper"), y, law), "uniform").statistic > 0.1  # without: conservative


def test_a_count_gets_a_p_value_between_those_of_more_and_of_at_least_as_many():
    draws = np.repeat(np.arange(5.0), [10, 30, 30, 20, 9])[None]
    seeds = [p_of(PredictiveP("upper", counts=True, seed=seed), 3.0, Marginals(draws)).item() for seed in range(200)]
    assert 0.09 < min(seeds) < 0.10 and 0.28 < max(seeds) < 0.30  # P(X > 3) = 0.09, P(X >= 3) = 0.29


def test_a_law_without_width_believes_in_rounding_but_not_in_a_jump():
    law = Marginals(np.full((3, 100), 0.1))
    p = p_of(PredictiveP(), np.array([0.1, 0.1 + 2e-17, 0.2]), law)
    assert p[0] == p[1] == 1.0 and p[2] < 1e-15


@pytest.mark.parametrize(
    ("law", "reason"), [(Marginals(np.zeros((1, 9))), "10"), (Marginals(np.zeros((1, 1)), (0.5,)), "point forecast")]
)
def test_a_law_without_tails_is_refused(law, reason):
    with pytest.raises(ValueError, match=reason):
        p_of(PredictiveP(), 1.0, law)


# conformal


def by_definition(scores, s, decay, tie):
    ages = np.arange(len(scores), 0, -1)
    weights = decay**ages
    above, equal = weights[scores > s].sum(), weights[scores == s].sum()
    return (1 + above + tie * equal) / (1 + weights.sum())


@given(
    seed=st.integers(0, 2**31),
    n=st.integers(0, 30),
    window=st.integers(2, 12),
    decay=st.sampled_from([1.0, 0.9, 0.3]),
    tail=st.sampled_from(["two-sided", "upper", "lower"]),
)
@settings(max_examples=50, deadline=None)
def test_a_rank_is_what_the_definition_says(seed, n, window, decay, tail):
    rng = np.random.default_rng(seed)
    errors, y = rng.integers(-3, 4, size=n).astype(float), float(rng.integers(-3, 4))
    p_value = ConformalP(tail, window=window, decay=decay, score="residual", shift_after=None)
    arrays, point = p_value.start(1), Marginals(np.zeros((1, 1)), (0.5,))
    p_value.calibrate(arrays, np.zeros(n, dtype=int), errors, point.take(np.zeros(n, dtype=int)))
    found = p_of(p_value, y, point, arrays)
    strange = {"two-sided": np.abs, "upper": np.positive, "lower": np.negative}[tail]
    held = strange(errors[-window:])
    bounds = [by_definition(held, strange(y), decay, tie) for tie in (0.0, 1.0)]
    assert bounds[0] - 1e-12 <= found <= bounds[1] + 1e-12
    if strange(y) not in held:
        assert found == pytest.approx(bounds[0])


@pytest.mark.parametrize("score", ["scaled", "residual", "predictive"])
def test_ranks_are_uniform_whatever_the_law_is_worth(score):
    rng = np.random.default_rng(6)
    series = np.arange(2000)
    p_value = ConformalP(score=score, window=99)
    arrays = p_value.start(2000)
    for _ in range(99):  # laws half as wide as they should be
        p_value.calibrate(arrays, series, 2 * rng.normal(size=2000), Marginals(rng.normal(size=(2000, 20))))
    p = p_of(p_value, 2 * rng.normal(size=2000), Marginals(rng.normal(size=(2000, 20))), arrays)
    assert stats.kstest(p, "uniform").statistic < 1.63 / np.sqrt(2000) + 0.01  # 1% point, and the grid of 1 / 100
    assert (arrays["kept"] == 99).all()


def test_equal_errors_are_ranked_at_random():
    series = np.arange(4000)
    p_value = ConformalP(score="residual", window=50)
    arrays, point = p_value.start(4000), Marginals(np.zeros((4000, 1)), (0.5,))
    for _ in range(50):
        p_value.calibrate(arrays, series, np.zeros(4000), point)
    p = p_of(p_value, np.zeros(4000), point, arrays)
    assert stats.kstest(p, "uniform").statistic < 1.63 / np.sqrt(4000) + 0.02
    assert p.min() >= p_value.finest(50) == 1 / 51


def test_a_rank_is_one_at_best_in_n_and_resolution_says_so():
    p_value = ConformalP(score="residual", decay=0.9, window=40)
    arrays, point = p_value.start(2), Marginals(np.zeros((2, 1)), (0.5,))
    for n in range(60):
        found = p_of(p_value, np.full(2, 1e9), point, arrays)
        assert found == pytest.approx(p_value.resolution(arrays))
        assert found[0] == pytest.approx(p_value.finest(n))
        p_value.learn(arrays, np.array([0, 1]), np.array([0.5, -0.5]), point, np.array([True, True]))
    assert PredictiveP().resolution(PredictiveP().start(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("calibrate_on", "kept"), [("quiet", [1, 0]), ("all", [1, 1])])
def test_alarms_calibrate_unless_the_quiet_rows_alone_are_asked_for(calibrate_on, kept):
    p_value = ConformalP(score="residual", calibrate_on=calibrate_on)
    arrays, point = p_value.start(2), Marginals(np.zeros((2, 1)), (0.5,))
    p_value.learn(arrays, np.array([0, 1]), np.array([1.0, 50.0]), point, np.array([True, False]))
    assert arrays["kept"].tolist() == kept and arrays["rows"].tolist() == [1, 1]


def test_with_alarms_in_the_calibration_the_rate_of_small_p_values_stays_what_it_says(rng):
    """Left out, they take the tail of the set with them, and the rate runs away."""
    rates = {}
    y, point = rng.standard_t(3, size=6000), Marginals(np.zeros((1, 1)), (0.5,))
    for calibrate_on in ("all", "quiet"):
        p_value = ConformalP(score="residual", window=500, calibrate_on=calibrate_on)
        arrays, p = p_value.start(1), []
        for value in y:
            p.append(p_of(p_value, value, point, arrays).item())
            p_value.learn(arrays, np.array([0]), np.array([value]), point, np.array([p[-1] > 0.02]))
        rates[calibrate_on] = np.mean(np.array(p[500:]) <= 0.02)
    assert rates["all"] == pytest.approx(0.02, abs=0.006)
    assert rates["quiet"] > 1.5 * rates["all"]


def shifted(p_value, size):
    """p-values around a jump of the level by ``size`` after 200 of 300 rows, those at or below 1% being alarms."""
    rng = np.random.default_rng(7)
    arrays, point, p = p_value.start(1), Marginals(np.zeros((1, 1)), (0.5,)), []
    zero = np.array([0])
    for t in range(300):
        y = rng.normal(size=1) + size * (t >= 200)
        p.append(p_of(p_value, y, point, arrays).item())
        p_value.learn(arrays, zero, y, point, np.array([p[-1] > 0.01]))
    return np.array(p), arrays


def test_after_a_level_shift_a_new_calibration_begins():
    p, arrays = shifted(ConformalP(score="residual", shift_after=20, calibrate_on="quiet"), 30.0)
    assert (p[200:216] < 0.01).all()  # what is new is strange until 16 of the latest 20 rows were
    assert p[216:].min() >= 1 / 101 and p[216:].mean() == pytest.approx(0.5, abs=0.12)
    assert arrays["shifts"] == 1 and arrays["offset"] == pytest.approx(30, abs=1)


def test_without_shift_after_the_old_level_is_never_given_up():
    p, arrays = shifted(ConformalP(score="residual", shift_after=None, calibrate_on="quiet"), 30.0)
    assert (p[200:] < 0.01).all() and arrays["shifts"] == 0


def test_back_at_the_old_level_rows_are_strange_again():
    p_value = ConformalP(score="residual", shift_after=20, calibrate_on="quiet")
    _, arrays = shifted(p_value, 30.0)
    p = p_of(p_value, 0.0, Marginals(np.zeros((1, 1)), (0.5,)), arrays)
    assert p == pytest.approx(1 / (1 + arrays["kept"][0]))


def test_a_score_that_needs_a_width_refuses_a_point_forecast():
    with pytest.raises(ValueError, match="residual"):
        p_of(ConformalP(), 1.0, Marginals(np.zeros((1, 1)), (0.5,)))


# both

KINDS = [
    PredictiveP(),
    PredictiveP(counts=True),
    ConformalP(window=15, shift_after=5, calibrate_on="quiet"),
    ConformalP(window=15, decay=0.9, shift_after=5, score="predictive", counts=True),
    ConformalP(window=15, score="residual", shift_after=None),
]


def run(p_value, arrays, y, laws, together):
    """p-values of T rows of N series, all series at once or one after the other."""
    rows, n = y.shape
    p = np.empty((rows, n))
    for t in range(rows):
        for series in [np.arange(n)] if together else np.arange(n)[:, None]:
            law = laws[t].take(series)
            p[t, series] = p_value.log_p(arrays, series, y[t, series], law, 11)
            p_value.learn(arrays, series, y[t, series], law, p[t, series] > np.log(0.3))
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
    y, laws = stream
    whole = run(p_value, p_value.start(4), y, laws, True)
    arrays = p_value.start(4)
    first = run(p_value, arrays, y[:17], laws[:17], True)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file) as kept:
        rest = run(p_value, dict(kept), y[17:], laws[17:], True)
    assert np.array_equal(np.concatenate([first, rest]), whole, equal_nan=True)


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_series_that_come_later_change_nothing_for_the_others(p_value, stream):
    y, laws = stream
    whole = run(p_value, p_value.start(4), y, laws, True)
    arrays = p_value.grow(p_value.start(2), 4)
    assert np.array_equal(run(p_value, arrays, y, laws, True), whole, equal_nan=True)
    assert {name: part.dtype for name, part in arrays.items()} == {
        name: part.dtype for name, part in p_value.start(4).items()
    }


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_held_out_history_calibrates_as_normal_rows_do(p_value, stream):
    y, laws = stream
    learned, calibrated = p_value.start(4), p_value.start(4)
    for t, row in enumerate(y):
        p_value.learn(learned, np.arange(4), row, laws[t], np.ones(4, dtype=bool))
    order = np.random.default_rng(9).permutation(4)  # series after series, in any order; each in order of time
    values = np.concatenate([np.stack([law.values for law in laws])[:, i] for i in order])
    p_value.calibrate(calibrated, np.repeat(order, 40), y.T[order].ravel(), Marginals(values))
    assert all(np.array_equal(learned[name], calibrated[name], equal_nan=True) for name in learned)


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_what_is_missing_has_no_p_value_and_leaves_no_trace(p_value):
    arrays = p_value.start(2)
    law, y = Marginals(np.array([[np.nan] * 20, [1.0] * 20])), np.array([1.0, np.nan])
    assert np.isnan(p_value.log_p(arrays, np.array([0, 1]), y, law)).all()
    p_value.learn(arrays, np.array([0, 1]), y, law, np.array([True, True]))
    assert all(np.array_equal(arrays[name], part, equal_nan=True) for name, part in p_value.start(2).items())


@pytest.mark.parametrize("p_value", KINDS, ids=str)
def test_asking_changes_nothing(p_value, stream):
    y, laws = stream
    arrays = p_value.start(4)
    run(p_value, arrays, y[:10], laws[:10], True)
    before = {name: part.copy() for name, part in arrays.items()}
    p_value.log_p(arrays, np.arange(4), y[10], laws[10])
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


def warning_of(p_value, procedure, n):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_blind(p_value, procedure, n)
    assert len(caught) <= 1
    return str(caught[0].message) if caught else None


def test_a_procedure_that_can_never_alarm_is_told_so_and_how_many_scores_would_do():
    control = LORD(alpha=0.1, decay=0.99)
    assert "never alarm: 999 scores would do" in warning_of(ConformalP(), control, 185)
    assert "999 scores would do" in warning_of(ConformalP(), control, 186)
    assert "999 scores would do" in warning_of(ConformalP(), control, 998)
    assert warning_of(ConformalP(), control, 999) is None


@pytest.mark.parametrize(
    ("control", "ticking"), [(LORD(alpha=0.1), 0.6), (SAFFRON(alpha=0.1), 0.6), (ADDIS(alpha=0.1), 0.45)]
)
def test_a_procedure_whose_level_dies_out_is_told_when_it_goes_blind(control, ticking):
    text = warning_of(ConformalP(), control, 500)
    assert "without decay no number of scores will do for ever; or take LORD(alpha=0.1, decay=0.99)" in text
    assert "(--detector p_value=predictive) and a decay below 1 (--decay 0.99)" in text
    test = int(text.split("from test ")[1].split()[0])
    quiet = control.fresh()
    quiet.test_many(np.full(test - 1, ticking))
    alarms = quiet.test_many([1 / 501])[1]
    assert test > 1 and not alarms[0]


@pytest.mark.parametrize("control", [SAFFRON(alpha=0.05), SAFFRON(alpha=0.1, decay=0.99), LOND(alpha=0.1), LORD(0.01)])
def test_each_remedy_of_the_warning_ends_it(control):
    text = warning_of(ConformalP(), control, 1000)
    needed = re.search(r": ([0-9]+) scores of equal weight would do: window=([0-9]+) or more", text)
    if needed is not None:
        assert warning_of(ConformalP(window=int(needed[2])), control, int(needed[1])) is None
        assert warning_of(ConformalP(window=int(needed[2])), control, int(needed[1]) - 1) is not None
    number = int(re.search(r"--control LORD --alpha 0.1 --decay 0.99\), for which ([0-9]+) do", text)[1])
    assert warning_of(ConformalP(), LORD(alpha=0.1, decay=0.99), number) is None
    assert "--detector p_value=predictive" in text
    assert warning_of(PredictiveP(), control, 1000) is None


def test_the_number_named_counts_weights():
    text = warning_of(ConformalP(decay=0.9), LORD(alpha=0.1, decay=0.99), 10_000)
    assert "decay=1 or one near enough" in text
    assert "window=999 or more" in warning_of(ConformalP(window=200), LORD(alpha=0.1, decay=0.99), 10_000)


def test_predictive_p_values_are_never_blind():
    assert warning_of(PredictiveP(), LORD(alpha=0.01), 0) is None
    assert warning_of(ConformalP(), OnlineBH(alpha=0.1, window=50), 999) is None
