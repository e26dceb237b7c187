"""The validation of candidates: networks with fewer steps where time is short, local models by chunks."""

import numpy as np
import pytest

import tsformers as tsf
from tsformers.compose.auto import budget
from tsformers.compose.auto.budget import Budget
from tsformers.compose.auto.candidates import Common, made
from tsformers.compose.auto.trials import tried
from tsformers.compose.auto.windows import held_out
from tsformers.data.panel import Panel
from tsformers.testing import make_frame
from tsformers.training import time_limit

COMMON = Common(horizon=4, season_length=7, n_jobs=1, seed=0)


@pytest.fixture
def panel():
    return Panel.from_frame(make_frame(n_series=5, rows=90))


@pytest.fixture
def held(panel):
    return held_out(panel, 4, 7, seed=0)


def test_a_network_gets_the_steps_that_fit_and_a_name_that_says_so(panel, held, monkeypatch):
    monkeypatch.setattr(time_limit, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(budget, "CLOCK", lambda: 0.0)
    monkeypatch.setattr(time_limit.OutOfTime, "seconds", lambda self, steps: float(steps))  # a step a second
    trial = tried("Linear", made("Linear", COMMON), held, panel, Budget(1200.0), 0.0)
    assert trial.validated and trial.name == "Linear(max_steps=300)"  # 2.2 * 300 s fit into 70 % of the time, not 400
    assert trial.candidate.model.max_steps == 300 and trial.entry == "Linear"


def test_steps_that_the_caller_has_set_are_kept_or_skipped(panel, held, monkeypatch):
    monkeypatch.setattr(time_limit, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(budget, "CLOCK", lambda: 0.0)
    monkeypatch.setattr(time_limit.OutOfTime, "seconds", lambda self, steps: float(steps))
    trial = tried("a", made("Linear(max_steps=900)", COMMON), held, panel, Budget(1200.0), 0.0)
    assert trial.status == "skipped: 900 steps, and as many with all data, would take 1980 s"
    free = tried("a", made("Linear(max_steps=20)", COMMON), held, panel, Budget(None), 0.0)
    assert free.validated and free.name == "Linear(max_steps=20)"


@pytest.mark.parametrize("name", ["Theta", "SeasonalNaive", "AutoETS(season_length=1)"])
def test_chunks_change_nothing(panel, held, name):
    """Models of single series are fitted some series at a time; the forecasts are those of a fit to all."""
    candidate = made(name, COMMON)
    trial = tried(name, candidate, held, panel, Budget(None), 0.0)
    fitted = candidate.model.fit(held.training())
    here, before = held.at(held.n_windows - 1, np.arange(5))
    whole = fitted.predict(before, n_samples=200, quantiles=(0.1, 0.5, 0.9)).values
    np.testing.assert_array_equal(trial.values[-1][here][:, [3, 11, 19]], whole)


def test_a_model_that_is_slow_on_each_series_is_skipped_after_a_few(panel, held, monkeypatch):
    class Clock:
        seconds = 0.0

    monkeypatch.setattr(budget, "CLOCK", lambda: Clock.seconds)
    calls = []

    class Slow(tsf.SeasonalNaive):
        def learn(self, panel, season):
            calls.append(panel.n_series)
            Clock.seconds += 10 * panel.n_series
            return super().learn(panel, season)

    trial = tried("slow", made(Slow(horizon=4), COMMON), held, panel, Budget(60.0), 0.0)
    assert trial.status.startswith("skipped: would take about") and sum(calls) <= 2
