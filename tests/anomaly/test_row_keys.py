"""Rows of a stream are read as the table of fit was."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tsformers import AnomalyDetector, DataWarning, SeasonalNaive

WEEK = [10.0, 11, 12, 13, 14, 15, 16]


def detector(data, **roles):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # errors too few for an alarm
        return AnomalyDetector(SeasonalNaive(horizon=1, seed=0), p_value="predictive").fit(data, **roles)


def history(name="1", form="%Y-%m-%d"):
    days = pd.date_range("2024-01-01", periods=28)
    return pd.DataFrame({"unique_id": name, "ds": days.strftime(form), "y": WEEK * 4})


def test_numbers_are_matched_as_text_and_reported_once():
    made = detector(history())
    with pytest.warns(DataWarning, match="matched as text") as caught:
        reported = made.update_many([{"unique_id": 1, "ds": f"2024-01-{day}", "y": 10.0} for day in (29, 30)])
    assert [(row.unique_id, row.status) for row in reported] == [("1", "tested")] * 2 and len(caught) == 1


def test_times_come_in_the_form_of_fit_and_others_are_named():
    made = detector(history(form="%d.%m.%Y"))
    rows = [{"unique_id": "1", "ds": stamp, "y": 10.0} for stamp in ("29.01.2024", "soon")]
    reported = made.update_many(rows)
    assert [row.status for row in reported] == ["tested", "invalid"] and "%d.%m.%Y" in reported[1].why
    answer = made.detect(pd.DataFrame({"unique_id": ["1"], "ds": ["30.01.2024"], "y": [11.0]}))
    assert answer["ds"].tolist() == ["30.01.2024"] and np.isfinite(answer["p_value"]).all()


def test_joined_ids_a_single_series_and_marks_of_missing():
    joined = detector(history().rename(columns={"unique_id": "shop"}).assign(item=7), id_col=["shop", "item"])
    assert joined.update({"shop": "1", "item": 7, "ds": "2024-01-29", "y": 10.0}).status == "tested"
    single = detector(history().drop(columns="unique_id"), missing=-9999)
    reported = single.update_many([{"ds": "2024-01-29", "y": 10.0}, {"ds": "2024-01-30", "y": -9999}])
    assert reported[0].status == "tested" and np.isnan(reported[1].y)


def test_levels_of_text_covariates_are_those_of_fit():
    made = detector(history().assign(sky=["clear", "rain"] * 14), past=["sky"])
    rows = [
        {"unique_id": "1", "ds": f"2024-01-{day}", "y": 10.0, "sky": sky} for day, sky in ((29, "rain"), (30, "snow"))
    ]
    reported = made.update_many(rows)
    assert (
        reported[0].status == "tested"
        and reported[1].status == "invalid"
        and "'sky' is text: 'snow'" in reported[1].why
    )
