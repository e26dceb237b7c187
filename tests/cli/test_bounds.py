"""The command forecast keeps to bounds, says what lies below zero, and compares with the seasonal naive model."""

import io

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf

from .conftest import NAIVE

COUNTS = np.array([0, 2, 0, 5, 1, 0, 3, 1, 0, 0, 4, 0, 2, 6, 0, 1, 3, 0, 0, 2, 1, 5, 0, 0, 1, 2, 0, 4], dtype=float)
WORSE = '''
from dataclasses import dataclass
import numpy as np, tsformers as tsf
from sklearn.base import BaseEstimator

@dataclass(kw_only=True, repr=False, eq=False)
class Low(BaseEstimator):
    """A thousand below the last value."""
    horizon: int
    seed: int | None = None
    def fit(self, data, **roles):
        self.panel_ = tsf.Panel.from_frame(data, **roles)
        return self
    def predict(self, data=None, *, future=None, static=None, n_samples=100, seed=None):
        panel = self.panel_ if data is None else self.panel_.like(data)
        values = np.full((panel.n_series, n_samples, self.horizon), -1000.0)
        return tsf.Forecast(panel.ids, panel.future_times(self.horizon), values, grid=panel.grid, schema=panel.schema)

FORECASTERS = {"Low": Low}
'''


@pytest.fixture
def table(here):
    """Writes one daily series."""

    def write(values, name="a.csv", **columns):
        days = pd.date_range("2024-01-01", periods=len(values)).strftime("%Y-%m-%d")
        pd.DataFrame({"unique_id": "a", "ds": days, "y": values, **columns}).to_csv(here / name, index=False)
        return name

    return write


def numbers(answer):
    code, out, _ = answer
    assert code == 0, answer
    return pd.read_csv(io.StringIO(out)).iloc[:, 2:]


def test_quantiles_below_a_history_of_zero_and_more_name_the_option_that_ends_them(run, table):
    table(COUNTS)
    free = run("forecast", "a.csv", *NAIVE)
    assert (numbers(free) < 0).any(axis=None)
    (said,) = [line for line in free[2] if "below 0" in line]
    assert said.startswith("warning: ") and "1 of 1 series" in said and said.endswith("pass --lower 0")
    bound = run("forecast", "a.csv", *NAIVE, "--lower", 0)
    assert (numbers(bound) >= 0).all(axis=None) and not any("--lower" in line for line in bound[2])
    np.testing.assert_allclose(numbers(bound)["q0.9"], numbers(free)["q0.9"])


def test_a_history_with_values_below_zero_is_not_told_of(run, table):
    table(COUNTS - 3)
    assert not any("--lower" in line for line in run("forecast", "a.csv", *NAIVE)[2])


def test_a_saved_model_keeps_its_bounds_and_a_loaded_one_takes_them(run, table):
    table(COUNTS)
    kept = run("forecast", "a.csv", *NAIVE, "--lower", 0, "--upper", 4, "--save", "bounded")
    assert isinstance(tsf.load("bounded"), tsf.Pipeline)
    again = run("forecast", "a.csv", "--model", "bounded/")
    pd.testing.assert_frame_equal(numbers(kept), numbers(again))
    run("forecast", "a.csv", *NAIVE, "--save", "free")
    pd.testing.assert_frame_equal(
        numbers(run("forecast", "a.csv", "--model", "free/", "--lower", 0, "--upper", 4)), numbers(kept)
    )


def test_bounds_that_would_not_be_kept_or_leave_nothing_are_refused(run, table):
    table(COUNTS)
    run("forecast", "a.csv", *NAIVE, "--save", "free")
    code, out, err = run("forecast", "a.csv", "--model", "free/", "--lower", 0, "--save", "other")
    assert (code, out) == (2, "") and "--lower" in err[-1] and "--save" in err[-1]
    code, out, err = run("forecast", "a.csv", *NAIVE, "--lower", 2, "--upper", 1)
    assert (code, out) == (2, "") and "--lower 2.0 and --upper 1.0 leave no value" in err[-1]


def test_the_comparison_is_said_and_a_worse_model_is_warned_of(run, table, here):
    table([5.0 * k + v for k, v in enumerate(np.resize([0, 30, 5, 60, 10, 90, 20], 56))])
    _, _, err = run("forecast", "a.csv", "--horizon", 7, "--model", "Theta")
    (line,) = [line for line in err if "SeasonalNaive" in line]
    assert line.startswith("compared with SeasonalNaive on the last 7 steps: the pinball loss of Theta is ")
    assert line.endswith(" % lower")
    (here / "low.py").write_text(WORSE)
    worse = ("forecast", "a.csv", "--horizon", 7, "--model", "Low", "--plugin", "low.py")
    for quiet in ((), ("--quiet",)):
        _, _, err = run(*worse, *quiet)
        (line,) = [line for line in err if "SeasonalNaive" in line]
        assert line.startswith("warning: SeasonalNaive is better than Low") and "--model SeasonalNaive" in line
    assert not any(
        "SeasonalNaive" in line for line in run("forecast", "a.csv", "--horizon", 7, "--model", "Theta", "--quiet")[2]
    )


def test_without_a_comparison_the_reason_is_said(run, table):
    table(COUNTS[:8])
    _, _, err = run("forecast", "a.csv", "--horizon", 5, "--model", "Theta", "--save", "kept")
    assert "not compared with SeasonalNaive: no series has 5 rows before its last 5" in err
    _, _, err = run("forecast", "a.csv", "--model", "kept/")
    assert "not compared with SeasonalNaive: the model was fitted before" in err


def test_covariates_that_the_model_cannot_use_are_told_of_by_their_option(run, table):
    table(COUNTS, price=1.0)
    days = pd.date_range("2024-01-29", periods=3).strftime("%Y-%m-%d")
    pd.DataFrame({"unique_id": "a", "ds": days, "price": 1.0}).to_csv("plan.csv", index=False)
    _, _, err = run("forecast", "a.csv", *NAIVE, "--known", "price", "--future", "plan.csv")
    (line,) = [line for line in err if "covariates" in line]
    assert line.startswith("warning: SeasonalNaive takes no covariates; --known price is not used")


def test_an_id_column_called_like_a_column_of_the_answer_is_refused_before_the_fit(run, table, here):
    table(COUNTS)
    frame = pd.read_csv(here / "a.csv").rename(columns={"unique_id": "mean"})
    frame.to_csv(here / "b.csv", index=False)
    endless = ("--model", "LRU", "--set", "max_steps=10000000", "--set", "context_length=7", "--horizon", 3)
    code, out, err = run("forecast", "b.csv", "--id-col", "mean", *endless)
    assert (code, out) == (2, "") and "column 'mean' of the data has the name of a column of the forecast" in err[-1]
