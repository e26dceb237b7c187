"""A series that ended long before the others is named, once a call."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector
from tsformers.data.intake.silent_series import SilentSeriesWarning, silent_series
from tsformers.testing import make_frame

SETTINGS = {"horizon": 3, "seed": 0}


def frame_of(**ends: str) -> pd.DataFrame:
    parts = []
    for name, end in ends.items():
        days = pd.date_range("2010-01-01", end, freq="D")
        parts.append(pd.DataFrame({"unique_id": name, "ds": days, "y": 5.0 + np.arange(len(days)) % 7}))
    return pd.concat(parts, ignore_index=True)


OLD = frame_of(shop="2011-12-31", other="2018-06-30", third="2018-06-29")
NAIVE = tsf.SeasonalNaive(**SETTINGS)


def messages(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in caught if issubclass(each.category, SilentSeriesWarning)]


@pytest.mark.parametrize(
    "model",
    [
        NAIVE,
        tsf.Linear(**SETTINGS, context_length=14, max_steps=1, verbose=False),
        tsf.Ensemble([NAIVE, tsf.SeasonalNaive(horizon=3, season_length=1)]),
        tsf.Pipeline([tsf.Scale()], NAIVE),
        tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0), order=1), NAIVE),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("quantiles", [None, (0.5,)])
def test_one_line_names_the_series_its_end_and_the_latest_row(model, quantiles):
    fitted = model.fit(OLD)
    for data in (None, OLD):
        (found,) = messages(lambda data=data: fitted.predict(data, quantiles=quantiles))
        assert found.startswith("1 of 3 series ended long before the others")
        assert "'shop' (2011-12-31" in found
        assert "2018-06-30" in found
        assert "\n" not in found


def test_many_are_counted_and_the_first_of_them_named():
    old, new = ({f"{name}{k}": end for k in range(5)} for name, end in (("s", "2011-12-31"), ("t", "2018-06-30")))
    (found,) = messages(NAIVE.fit(frame_of(**old, **new)).predict)
    assert found.startswith("5 of 10 series")
    assert "'s2'" in found and "'s3'" not in found and "and 2 more" in found


def test_where_most_series_end_early_none_is_named():
    frame = frame_of(a="2011-12-31", b="2011-12-31", last="2018-06-30")
    assert messages(NAIVE.fit(frame).predict) == []


@pytest.mark.parametrize(
    ("behind", "horizon", "silent"),
    [(14, 3, False), (20, 3, False), (21, 3, True), (21, 21, False), (22, 21, True)],
    ids=["two seasons", "a fifth", "more than a fifth", "the horizon", "more than the horizon"],
)
def test_a_late_series_is_not_silent(behind, horizon, silent):
    days = pd.date_range("2024-01-01", periods=101)
    frame = pd.concat([
        pd.DataFrame({"unique_id": "a", "ds": days, "y": 1.0}),
        pd.DataFrame({"unique_id": "b", "ds": days[: len(days) - behind], "y": 1.0}),
    ])  # fmt: skip
    assert silent_series(tsf.Panel.from_frame(frame), horizon).tolist() == [False, silent]


def test_backtests_and_detectors_say_nothing_of_it():
    assert messages(lambda: tsf.backtest(NAIVE, OLD, windows=2)) == []
    assert messages(lambda: AnomalyDetector(tsf.SeasonalNaive(horizon=1)).fit(OLD)) == []
    model = tsf.Pipeline([tsf.AutocorrelatedErrors()], tsf.SeasonalNaive(horizon=3, seed=0))
    assert messages(lambda: model.fit(make_frame(2, 60))) == []
    assert messages(lambda: NAIVE.fit(OLD)) == []
