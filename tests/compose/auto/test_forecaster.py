"""Auto: repeatable, never worse than naive, within its limit, robust to members that fail, interruptible."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.errors import TrainingInterrupted, TsformersError
from tsformers.testing import check_forecaster, make_frame

H = 4
QUIET = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def auto(models, limit=None, **more):
    return tsf.Auto(horizon=H, models=models, time_limit=limit, season_length=4, n_jobs=1, seed=0, **more)


def again(model, frame):
    """The answer of the line that is to repeat it."""
    return eval(model.repeat_, {"tsf": tsf}).fit(frame).predict()  # noqa: S307  our own line


def status(model, name):
    return model.leaderboard_.set_index("model").loc[name, "status"]


def test_the_laws_of_forecasters_hold():
    model = tsf.Auto(horizon=4, models=["SeasonalNaive", "Theta", "AutoETS"], time_limit=None, season_length=1)
    check_forecaster(model, make_frame(n_series=2, rows=40))


@QUIET
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.1, 9)), min_size=1, max_size=5, unique=True))
def test_weights_sum_to_one_and_the_answer_is_never_worse_than_naive_on_its_windows(fakes, frame, members):
    model = auto([f"Fake(bias={bias}, width={width})" for bias, width in members]).fit(frame)
    assert sum(model.weights_.values()) == pytest.approx(1) and min(model.weights_.values()) > 0
    board = model.leaderboard_.set_index("model")
    assert board.loc["Auto", "score"] <= 1 + 1e-9
    assert set(model.weights_) == set(model.members_) <= set(board.index)
    assert model.predict().values.shape == (2, 23, H)


@QUIET
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4, unique=True), st.integers(1, 200))
def test_the_line_repeats_the_answer_bit_for_bit_whatever_the_limit(fakes, clock, frame, biases, limit):
    models = [f"Fake(bias={bias}, seconds={10 * k})" for k, bias in enumerate(biases)]
    model = auto(models, limit=limit).fit(frame)
    np.testing.assert_array_equal(again(model, frame).values, model.predict().values)
    assert model.models_[0] == "SeasonalNaive"


def test_the_seed_of_a_candidate_depends_on_its_name_alone(fakes, frame):
    one = auto(["Fake(bias=0.1)", "Fake(bias=0.2)"]).fit(frame)
    other = auto(["Fake(bias=0.2)"]).fit(frame)
    name = "Fake(bias=0.2)"
    assert one.members_[name].seed == other.members_[name].seed != one.members_["Fake(bias=0.1)"].seed


@QUIET
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(20, 100))
def test_the_limit_is_kept(fakes, clock, frame, seconds, limit):
    clock.seconds = 0.0
    models = [f"Fake(bias={k / 10}, seconds={each})" for k, each in enumerate(seconds)]
    model = auto(models, limit=limit).fit(frame)
    longest = max(seconds)  # an opaque forecaster cannot be stopped inside its fit
    assert clock.seconds <= limit + longest
    tried = model.leaderboard_[model.leaderboard_["status"] == "validated"]["model"]
    assert "SeasonalNaive" in set(tried)


def test_a_candidate_that_has_no_time_is_skipped_with_its_reason(fakes, clock, frame):
    model = auto(["Fake", "Fake(bias=0.1, seconds=50)", "Fake(bias=0.2)"], limit=60).fit(frame)
    assert status(model, "Fake") == "validated"
    assert status(model, "Fake(bias=0.1, seconds=50)") == "skipped: its fit to all data would take about 50 s"
    assert "Fake(bias=0.1, seconds=50)" not in model.models_


@pytest.mark.parametrize(
    ("fails", "reason"),
    [("fit", "failed: out of luck"), ("nan", "failed: "), ("later", "failed on all data: out of luck")],
)
def test_a_member_that_fails_is_left_out_and_named(fakes, frame, fails, reason):
    bad = f"Fake(fails={fails})"
    model = auto([bad, "Fake(bias=0.1)"]).fit(frame)
    assert status(model, bad).startswith(reason)
    assert bad not in model.weights_ and bad not in model.models_
    np.testing.assert_array_equal(again(model, frame).values, model.predict().values)


@pytest.mark.parametrize("fails", ["interrupt", "interrupt later"])
def test_ctrl_c_keeps_the_best_so_far_and_a_warm_start_goes_on(fakes, frame, fails):
    bad = f"Fake(bias=0.01, fails='{fails}')"
    model = auto(["Fake(bias=0.1)", bad, "Fake"])
    with pytest.warns(TrainingInterrupted, match="interrupted"):
        model.fit(frame)
    assert "Fake(bias=0.1)" in model.weights_ and bad not in model.weights_
    assert np.isfinite(model.predict().values).all()
    np.testing.assert_array_equal(again(model, frame).values, model.predict().values)
    before = fakes.calls
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingInterrupted)
        model.fit(frame, warm_start=True)
    assert fakes.calls - before <= 5  # the one that was interrupted and what comes after it, not the first again


def test_a_warm_start_with_more_time_is_the_answer_that_more_time_gives_at_once(fakes, clock, frame):
    models = ["Fake(bias=0.1)", "Fake(bias=0.05, seconds=20)"]
    model = auto(models, limit=30).fit(frame)
    assert status(model, models[1]).startswith("skipped")
    calls = fakes.calls
    model.set_params(time_limit=100).fit(frame, warm_start=True)
    assert fakes.calls == calls + 2  # validated and fitted to all data
    np.testing.assert_array_equal(model.predict().values, auto(models).fit(frame).predict().values)
    model.fit(frame.assign(y=frame["y"] + 1), warm_start=True)  # other data: from the beginning
    assert fakes.calls > calls + 4


def test_save_and_load(tmp_path, frame):
    model = auto(["Theta", tsf.Theta(horizon=H, method="dynamic")]).fit(frame)
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict().values, model.predict().values)
    pd.testing.assert_frame_equal(loaded.leaderboard_, model.leaderboard_)
    assert loaded.weights_ == model.weights_ and loaded.summary_ == model.summary_


def test_clone_keeps_settings_and_forgets_what_was_learned(frame):
    model = auto(["Theta", tsf.Theta(horizon=H, theta=3)]).fit(frame)
    twin = clone(model)
    assert twin.get_params()["models__1__theta"] == 3
    with pytest.raises(NotFittedError):
        twin.predict()


def test_quantiles_rise_and_asked_levels_are_those_of_the_23(frame):
    model = auto(["Theta"]).fit(frame)
    whole, three = model.predict(), model.predict(quantiles=(0.1, 0.5, 0.9))
    assert (np.diff(whole.values, axis=1) >= 0).all()
    np.testing.assert_array_equal(three.values, whole.quantile([0.1, 0.5, 0.9]))


def test_update_follows_the_new_end(frame):
    early = frame[frame["ds"] < 76]
    model = auto(["Theta"]).fit(early)
    expected = model.predict(frame)
    updated = model.update(frame[frame["ds"] >= 76]).predict()
    np.testing.assert_array_equal(updated.values, expected.values)
    assert updated.times[0, 0] == 80


def test_new_series_are_forecast_by_the_members_that_can(frame):
    model = auto(["Theta"]).fit(frame)
    new = frame[frame["unique_id"] == "w0"].assign(unique_id="new")
    answer = model.predict(pd.concat([frame, new]))
    assert list(answer.ids) == ["new", "w0", "w1"] and np.isfinite(answer.values).all()
    np.testing.assert_array_equal(answer.values[1:], model.predict().values)


def test_short_series_get_an_answer_in_a_panel_and_alone(frame):
    stub = pd.DataFrame({"unique_id": "stub", "ds": range(77, 80), "y": [1.0, 2.0, 3.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = auto(["Theta"]).fit(pd.concat([frame, stub])).predict()
        alone = tsf.Auto(horizon=H, seed=0).fit(stub)
    assert "stub" in both.ids and np.isfinite(both.values).all()
    assert np.isfinite(alone.predict().values).all()
    assert "no series is long enough" in alone.summary_ and alone.leaderboard_["score"].isna().all()
    np.testing.assert_array_equal(again(alone, stub).values, alone.predict().values)


def test_counts_stay_above_zero():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(90), "y": rng.poisson(0.7, 90).astype(float)})
    model = auto(["Theta", "Intermittent"]).fit(frame)
    assert "Intermittent" in model.models_ and model.predict().values.min() >= 0


def test_known_covariates_reach_the_members_that_use_them():
    rng = np.random.default_rng(0)
    price = rng.normal(size=84)
    frame = pd.DataFrame(
        {"unique_id": "a", "ds": range(84), "y": 20 + 5 * price + 0.1 * rng.normal(size=84), "price": price}
    )
    past, future = frame[:80], frame[80:].drop(columns="y")
    model = auto(["AutoARIMA"]).fit(past, known=["price"])
    assert model.weights_["AutoARIMA"] > 0.5
    error = np.abs(model.predict(future=future).median[0] - frame["y"][80:]).mean()
    assert error < 1.0  # the standard deviation is 5
    with pytest.raises(tsf.DataError):
        model.predict()


def test_the_control_and_the_answer_are_in_the_leaderboard(frame):
    model = auto(["Theta"]).fit(frame)
    board = model.leaderboard_
    assert list(board["model"]) == ["Auto", "equal weights", "SeasonalNaive", "Theta"]
    assert list(board.columns) == [
        "model", "score", "wql", "scaled_crps", "mase", "coverage_80", "coverage_95", "weight", "validation", "refit",
        "status",
    ]  # fmt: skip
    assert board.set_index("model").loc["SeasonalNaive", "score"] == pytest.approx(1)


def test_it_explains_which_models_carry_the_answer(frame):
    model = auto(["Theta", "AutoETS"]).fit(frame)
    table = model.explain()
    assert table["model"][0] == "Auto" and table["weight"].is_monotonic_decreasing
    assert len(model.explain(picture=True).axes) == 1
    assert "of SeasonalNaive" in model.summary_ and "%" in model.summary_


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["Thetta"], "Theta"),
        (["Theta(metod='dynamic')"], "metod"),
        (["Theta", "Theta"], "twice"),
        ([tsf.Theta(horizon=5)], "forecasts 5 steps"),
        (["__import__('os')"], "names no forecaster"),
    ],
)
def test_candidates_that_cannot_be_are_refused_before_work(frame, models, message):
    with pytest.raises(TsformersError, match=message):
        auto(models).fit(frame)


def test_a_changed_horizon_is_refused_after_fit(frame):
    model = auto(["Theta"]).fit(frame)
    model.horizon = 9
    with pytest.raises(TsformersError, match="horizon was 4 in fit"):
        model.predict()


def test_the_order_of_series_and_their_number_of_blocks_change_nothing(frame, monkeypatch):
    model = auto(["Theta"]).fit(frame)
    whole = model.predict().values
    monkeypatch.setattr("tsformers.compose.auto.forecaster.NUMBERS_AT_ONCE", 1)
    assert len(list(model.predict_blocks())) == 2
    np.testing.assert_array_equal(model.predict().values, whole)


def test_a_silent_series_does_not_sink_the_candidates(frame):
    frame = frame.copy()
    frame.loc[(frame["unique_id"] == "w1") & (frame["ds"] < 77), "y"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = auto(["Theta", "AutoETS"]).fit(frame)
    assert set(model.leaderboard_["status"]) == {"the answer", "control", "validated"}
    assert np.isfinite(model.predict().values).all()


def test_what_members_warn_of_is_said_once_and_in_the_readers_tongue():
    frame = make_frame(n_series=2, rows=60)
    frame.loc[30, "y"] = 1e6
    with pytest.warns(tsf.DataWarning) as caught:
        auto(["Theta", "AutoETS"]).fit(frame)
    texts = [str(each.message) for each in caught]
    assert len(texts) == len(set(texts)) and any("s0" in text for text in texts)
