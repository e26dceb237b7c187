"""The laws hold for every catalogued class, and each law catches a class that breaks it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn

import tsformers as tsf
from tsformers.catalog import FORECASTERS
from tsformers.data.forecast import Forecast
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.testing import (
    check_forecaster,
    check_network,
    check_preprocessor,
    check_procedure,
    make_frame,
    make_window,
)

QUICK = {
    "Autoformer": {"context_length": 14, "max_steps": 3, "d_model": 8, "n_heads": 2, "d_ff": 16, "batch_size": 8},
    "LRU": {"context_length": 14, "max_steps": 3, "d_model": 8, "d_state": 8, "batch_size": 8},
    "REDSDS": {"context_length": 14, "max_steps": 3, "n_regimes": 2, "max_duration": 6, "batch_size": 8},
    "Linear": {"max_steps": 3, "batch_size": 8},
    "AutoARIMA": {"season_length": 1},
    "AutoETS": {"season_length": 1},
    "Auto": {"models": ["Theta"], "time_limit": None, "season_length": 1},
}


@pytest.mark.parametrize("name", FORECASTERS)
def test_the_laws_hold_for_every_forecaster(name):
    model = getattr(tsf, name)(horizon=4, **QUICK.get(name, {}))
    check_forecaster(model, make_frame(n_series=2, rows=40, counts=getattr(model, "counts", False)))


def test_a_model_of_counts_is_checked_on_counts():
    check_forecaster(tsf.Intermittent(horizon=4))


@dataclass(kw_only=True, repr=False, eq=False)
class Forgetful(SeasonalNaive):
    """Gives other numbers at every call."""

    def predict(self, *args, **keywords):
        forecast = super().predict(*args, **keywords)
        self.calls_ = getattr(self, "calls_", 0) + 1
        return replace(forecast, values=forecast.values + self.calls_)


@dataclass(kw_only=True, repr=False, eq=False)
class Meddler(SeasonalNaive):
    """Changes a setting in fit."""

    def fit(self, *args, **keywords):
        super().fit(*args, **keywords)
        self.season_length = 3
        return self


@dataclass(kw_only=True, repr=False, eq=False)
class Gambler(SeasonalNaive):
    """Draws from the caller's random state."""

    def fit(self, *args, **keywords):
        np.random.random()
        return super().fit(*args, **keywords)


@dataclass(kw_only=True, repr=False, eq=False)
class Sleeper(SeasonalNaive):
    """Starts a step too late."""

    def predict(self, *args, **keywords):
        forecast = super().predict(*args, **keywords)
        return replace(forecast, times=forecast.times + (forecast.times[:, 1:2] - forecast.times[:, :1]))


@dataclass(kw_only=True, repr=False, eq=False)
class Peeper(SeasonalNaive):
    """Remembers the longest history it ever saw."""

    def predict(self, data=None, **keywords):
        forecast = super().predict(data, **keywords)
        if data is None:
            return forecast
        last = float(forecast.times.astype("int64").max())
        self.highest_ = max(getattr(self, "highest_", -np.inf), last)
        return replace(forecast, values=forecast.values + (last < self.highest_))


@dataclass(kw_only=True, repr=False, eq=False)
class Chameleon(SeasonalNaive):
    """Takes a setting up at fit and again when it is loaded, but not in between."""

    shift: float = 0.0

    def fit(self, *args, **keywords):
        super().fit(*args, **keywords)
        self.settings_, self.shift_ = {}, self.shift
        return self

    def predict(self, *args, **keywords):
        forecast = super().predict(*args, **keywords)
        return replace(forecast, values=forecast.values + self.shift_)

    def relearn(self, learned):
        super().relearn(learned)
        self.shift_ = self.shift


@pytest.mark.parametrize(
    ("culprit", "law"),
    [
        (Chameleon, "shift, changed after fit, must be refused"),
        (Forgetful, "same seed"),
        (Meddler, "changed a setting"),
        (Gambler, "random state"),
        (Sleeper, "right after"),
        (Peeper, "must not change a forecast"),
    ],
)
def test_a_forecaster_that_breaks_a_law_is_caught(culprit, law):
    with pytest.raises(AssertionError, match=law):
        check_forecaster(culprit(horizon=4))


class Bare:
    """Nothing but horizon, fit and predict, written by somebody who knows no base class."""

    def __init__(self, horizon):
        self.horizon = horizon
        self.model = None

    def fit(self, data, **roles):
        self.model = SeasonalNaive(horizon=self.horizon, season_length=1, seed=0).fit(data, **roles)
        return self

    def predict(self, data=None, **keywords):
        if self.model is None:
            raise NotFittedError("call fit first")
        return self.model.predict(data, **keywords)


class BareAndRude(Bare):
    def predict(self, data=None, **keywords):
        return self.model.predict(data, **keywords)


def test_any_class_with_horizon_fit_and_predict_is_a_forecaster():
    check_forecaster(Bare(4))


def test_another_error_before_fit_is_a_broken_law():
    with pytest.raises(AssertionError, match=r"NotFittedError .* not AttributeError"):
        check_forecaster(BareAndRude(4))


def test_what_is_no_forecaster_at_all_is_refused_with_what_it_lacks():
    with pytest.raises(AssertionError, match="object lacks horizon, fit, predict"):
        check_forecaster(object())


class Halve:
    def fit(self, panel):
        return self

    def transform(self, panel):
        return replace(panel, y=panel.y / 2)

    def inverse(self, forecast: Forecast, past=None) -> Forecast:
        return replace(forecast, values=forecast.values * 2)


class HalveOneWay(Halve):
    def inverse(self, forecast: Forecast, past=None) -> Forecast:
        return forecast


class HalveInPlace(Halve):
    def transform(self, panel):
        y = panel.y / 2
        panel.y.setflags(write=True)
        panel.y[:] = y
        return replace(panel, y=y.copy())


def test_a_preprocessor_that_undoes_itself_passes():
    check_preprocessor(Halve())


@pytest.mark.parametrize("culprit", [HalveOneWay, HalveInPlace])
def test_a_preprocessor_that_breaks_a_law_is_caught(culprit):
    with pytest.raises(AssertionError):
        check_preprocessor(culprit())


class Correct(nn.Module):
    levels = None

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(16, 4)

    def loss(self, window):
        error = (self.read(window.past.mT).mT - window.future) * window.future_observed
        return error.square().mean((1, 2))

    def sample(self, window, n_samples):
        centre = self.read(window.past.mT).mT[:, None]
        return centre + torch.randn(centre.shape[0], n_samples, *centre.shape[2:])


class ScoresTheMissing(Correct):
    def loss(self, window):
        return (self.read(window.past.mT).mT - window.future).square().mean((1, 2))


class Cheats(Correct):
    def sample(self, window, n_samples):
        return super().sample(window, n_samples) + window.future[:, None]


class LooksAtTheBatch(Correct):
    def loss(self, window):
        return super().loss(window) + window.past.mean()


class SumsUp(Correct):
    def loss(self, window):
        return super().loss(window).sum()


def test_a_correct_network_passes():
    check_network(Correct(), make_window())


@pytest.mark.parametrize(
    ("culprit", "law"),
    [(ScoresTheMissing, "missing"), (Cheats, "ignore the future"), (LooksAtTheBatch, "batch"), (SumsUp, "shape")],
)
def test_a_network_that_breaks_a_law_is_caught(culprit, law):
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=law):
        check_network(culprit(), make_window())


class Spending:
    """Alpha spending on a square-summable sequence."""

    def __init__(self, alpha=0.05):
        self.state = {"alpha": alpha, "t": 0}

    @classmethod
    def from_state(cls, state):
        new = cls()
        new.state = dict(state)
        return new

    def level(self, p):
        return self.state["alpha"] * 6 / np.pi**2 / self.state["t"] ** 2

    def test(self, p):
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no p-value")
        self.state["t"] += 1
        level = self.level(p)
        return level, p <= level


class SeesItsOwnP(Spending):
    def level(self, p):
        return super().level(p) * (1 + p)


class Amnesiac(Spending):
    @classmethod
    def from_state(cls, state):
        new = cls()
        new.state["t"] = 0
        return new


class TakesAnything(Spending):
    def test(self, p):
        return super().test(min(max(p, 0.0), 1.0))


def test_a_correct_procedure_passes():
    check_procedure(Spending())


@pytest.mark.parametrize(
    ("culprit", "law"), [(SeesItsOwnP, "own p-value"), (Amnesiac, "resumed"), (TakesAnything, "ValueError")]
)
def test_a_procedure_that_breaks_a_law_is_caught(culprit, law):
    with pytest.raises(AssertionError, match=law):
        check_procedure(culprit())
