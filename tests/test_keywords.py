"""A keyword that a call does not have is answered with the nearest one that it has."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.keywords import PREDICT, refuse_unknown

DATA = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 7})
NAIVE = tsf.SeasonalNaive(horizon=2, seed=0)
SHORT = {"horizon": 2, "context_length": 4, "max_steps": 1, "seed": 0, "verbose": False, "device": "cpu"}


def fitted():
    yield NAIVE.fit(DATA)
    yield tsf.Ensemble([NAIVE]).fit(DATA)
    yield tsf.Pipeline([tsf.Scale()], NAIVE).fit(DATA)
    yield tsf.Linear(**SHORT).fit(DATA)


@pytest.mark.parametrize(
    ("given", "near"),
    [("n_windows", "windows"), ("window", "windows"), ("folds", "windows"), ("step_size", "step"),
     ("metric", "metrics"), ("level", "quantiles"), ("num_samples", "n_samples"), ("season", "season_length"),
     ("id", "id_col"), ("knwon", "known"), ("output", "out"), ("frequency", "freq"), ("random_state", "seed")],
)  # fmt: skip
def test_backtest_names_the_nearest_of_its_keywords(given, near):
    with pytest.raises(TypeError, match=rf"^backtest\(\) has no keyword '{given}'; did you mean .*'{near}'") as caught:
        tsf.backtest(NAIVE, DATA, **{given: 3})
    assert "Panel" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "near"), [("know", "known"), ("id", "id_col"), ("frequency", "freq"), ("X", "known")]
)
def test_fit_and_what_reads_frames_name_the_nearest_of_their_keywords(given, near):
    calls = {
        "fit": [NAIVE.fit, tsf.Pipeline([], NAIVE).fit, tsf.Ensemble([NAIVE]).fit, tsf.Linear(**SHORT).fit],
        "describe": [tsf.describe],
        "decompose": [tsf.TrendSeasonalDecomposition().decompose],
    }
    for name, functions in calls.items():
        for call in functions:
            with pytest.raises(TypeError, match=rf"^{name}\(\) has no keyword '{given}'; did you mean '{near}'"):
                call(DATA, **{given: ["a"]})


@pytest.mark.parametrize("given", ["h", "horizon", "prediction_length"])
def test_a_setting_that_is_given_to_fit_or_predict_belongs_to_the_class(given):
    for call in (lambda **k: NAIVE.fit(DATA, **k), lambda **k: NAIVE.fit(DATA).predict(**k)):
        with pytest.raises(TypeError, match=r"'horizon' is a setting of the forecaster.*horizon=12"):
            call(**{given: 3})


@pytest.mark.parametrize(
    ("given", "near"), [("n_sample", "n_samples"), ("level", "quantiles"), ("X_df", "future"), ("random_state", "seed")]
)
def test_predict_names_the_nearest_of_its_keywords(given, near):
    for model in fitted():
        with pytest.raises(TypeError, match=rf"^predict\(\) has no keyword '{given}'; did you mean '{near}'"):
            model.predict(**{given: 3})


def test_a_keyword_near_none_is_answered_with_all():
    with pytest.raises(TypeError, match="it has data, future, static"):
        refuse_unknown({"zzz": 1}, "predict", PREDICT)
    refuse_unknown({"seed": 1}, "predict", PREDICT)


@pytest.mark.parametrize("wrong", [2.5, 0, -1, "10", None, True, float("nan")])
def test_a_number_of_draws_that_there_cannot_be_is_named(wrong):
    for model in fitted():
        with pytest.raises(ValueError, match=f"n_samples must be a whole number of 1 or more, not {wrong!r}"):
            model.predict(n_samples=wrong)


@pytest.mark.parametrize("wrong", [-1, 1.5, "a", float("nan")])
def test_a_seed_that_there_cannot_be_is_named(wrong):
    for model in fitted():
        with pytest.raises(ValueError, match=f"seed must be a whole number of 0 or more or None, not {wrong!r}"):
            model.predict(seed=wrong)
    with pytest.raises(ValueError, match="seed"):
        tsf.backtest(NAIVE, DATA, seed=wrong)


@pytest.mark.parametrize("wrong", [50, (5, 95), "0.5", -0.1, [[0.5]], True, ("a", 1)])
def test_levels_that_there_cannot_be_are_named(wrong):
    model = NAIVE.fit(DATA)
    calls = [model.predict, lambda **asked: tsf.backtest(NAIVE, DATA, **asked)]
    if wrong in (50, (5, 95), -0.1):  # others are refused by the annotation here
        calls.append(model.predict().to_frame)
    for call in calls:
        with pytest.raises(ValueError, match="quantiles"):
            call(quantiles=wrong)


def test_percentages_are_answered_with_levels_and_one_level_is_enough():
    with pytest.raises(ValueError, match=r"not \(5, 95\); write quantiles=\[0.05, 0.95\]"):
        NAIVE.fit(DATA).predict(quantiles=(5, 95))
    assert list(NAIVE.fit(DATA).predict().to_frame(0.9).columns) == ["unique_id", "ds", "mean", "q0.9"]
    assert tsf.backtest(NAIVE, DATA, windows=1, quantiles=0.9).settings.quantiles == (0.9,)
