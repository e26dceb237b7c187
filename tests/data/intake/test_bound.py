"""What fit understood binds whatever comes later: form and zone of times, bins, columns; and it is saved."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers import DataError
from tsformers.data.dataframes import Schema
from tsformers.data.panel import Panel
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder

DAYS = pd.date_range("2024-01-10", periods=6)


def german(days, **columns):
    return pd.DataFrame({"Datum": days.strftime("%d.%m.%Y"), "Anrufe": 1.0, **columns})


def test_the_format_of_fit_binds_plans_that_could_be_read_in_two_ways():
    panel = Panel.from_frame(
        german(pd.date_range("2024-01-27", periods=6), price=2.0), target_col="Anrufe", known="price"
    )
    later = panel.with_future(pd.DataFrame({"Datum": ["02.02.2024"], "price": [3.0]}), 1)  # 2 January or 2 February
    assert later.times[-1] == np.datetime64("2024-02-02") and later.known[-1, 0] == 3.0
    with pytest.raises(DataError, match=r"does not fit .*the form of fit"):
        panel.like(pd.DataFrame({"Datum": ["02/02/2024"], "Anrufe": 1.0, "price": 1.0}))


def test_answers_are_written_in_the_form_that_came_in():
    panel = Panel.from_frame(pd.DataFrame({"quarter": ["2023Q3", "2023Q4", "2024Q1"], "gdp": [1.0, 2, 3]}))
    answer = tsf.SeasonalNaive(horizon=2, season_length=1, seed=0).fit(panel).predict().to_frame()
    assert answer["quarter"].tolist() == ["2024Q2", "2024Q3"]
    assert "quarters such as" in str(panel.reading)


def test_naive_times_are_in_the_zone_that_fit_was_given():
    data = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-06-01", periods=3, freq="h"), "y": 1.0})
    given = Panel.from_frame(data, tz="Europe/Berlin")
    assert given.times[0] == np.datetime64("2024-05-31T22:00")
    assert given.like(data).times[0] == given.times[0]
    typed = Panel.from_frame(data.assign(ds=data["ds"].dt.tz_localize("Europe/Berlin")))
    with pytest.raises(
        DataError, match="holds times without a time zone, the data of fit held times in time zone Europe"
    ):
        typed.like(data)


def test_bins_of_fit_hold_for_plans_and_other_frames():
    hours = pd.date_range("2024-01-01", periods=72, freq="h")
    data = pd.DataFrame({"unique_id": "a", "ds": hours, "y": 1.0, "price": np.arange(72.0), "promo": "no"})
    panel = Panel.from_frame(data, resample="D", aggregate="sum", known=["price", "promo"])
    assert panel.freq == "D" and panel.y.tolist() == [24, 24, 24] and panel.known[:, 0].tolist() == [11.5, 35.5, 59.5]
    assert "bins of 'D' by their sum" in str(panel.reading)
    ahead = pd.date_range("2024-01-04", periods=24, freq="h")
    plan = pd.DataFrame({"unique_id": "a", "ds": ahead, "price": 7.0, "promo": "no"})
    assert panel.with_future(plan, 1).known[-1].tolist() == [7.0, 1.0]
    assert panel.like(data).y.tolist() == [24, 24, 24]
    with pytest.raises(DataError, match="freq='h' is not that of bins of 'D'"):
        Panel.from_frame(data, resample="D", freq="h")


def test_empty_bins_of_a_sum_are_reported():
    data = pd.DataFrame({"unique_id": "a", "ds": [0, 1, 9], "y": 1.0})
    assert "3 bins of 2 have no row: their sum is missing" in str(
        Panel.from_frame(data, resample="2", aggregate="sum").reading
    )


def test_columns_that_fit_left_out_may_come_again():
    data = german(DAYS, remark="x", price=1.0, index=range(6))
    panel = Panel.from_frame(data, target_col="Anrufe", past=[])
    assert panel.like(data).n_series == 1
    with pytest.raises(DataError, match=r"also has \['cost'\]"):
        panel.like(data.assign(cost=1.0))


def test_a_schema_is_saved_whole_and_one_of_a_former_version_loads():
    data = pd.DataFrame({"a": "x", "b": "y", "Datum": DAYS.strftime("%d.%m.%Y"), "y": 1.0, "promo": "no"})
    schema = Panel.from_frame(data, id_col=["a", "b"], known="promo", missing=[-1.5, "n.a."]).schema
    encoder = Encoder()
    held = json.loads(json.dumps(encoder.value(schema, ("schema",))))
    assert Decoder(encoder.arrays, {}).value(held) == schema
    former = {**held, "v": {key: held["v"][key] for key in ("id_col", "time_col", "target_col", "past", "known", "tz")}}
    assert Decoder(encoder.arrays, {}).value(former) == Schema("a/b", "Datum", "y", (), ("promo",))


def test_a_panel_of_whole_numbers_of_a_former_version_reads_later_frames():
    panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": 1.0}))
    from dataclasses import replace

    former = replace(panel, schema=Schema())
    assert former.like(pd.DataFrame({"unique_id": "a", "ds": [5, 6], "y": 1.0})).times.tolist() == [5, 6]


def test_a_loaded_model_reads_by_the_schema_of_fit(tmp_path):
    data = german(pd.date_range("2024-01-01", periods=21), remark="x")
    model = tsf.SeasonalNaive(horizon=1, seed=0).fit(data)
    model.save(tmp_path / "m")
    answer = tsf.load(tmp_path / "m").predict(german(pd.date_range("2024-02-01", periods=11))).to_frame()
    assert answer["Datum"].tolist() == ["12.02.2024"] and answer["unique_id"].tolist() == ["Anrufe"]


def test_history_of_plots_and_scores_is_read_as_fit_was():
    data = german(pd.date_range("2024-01-01", periods=21), remark="x")
    forecast = tsf.SeasonalNaive(horizon=2, seed=0).fit(data[:19]).predict()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = tsf.score(forecast, data, history=data, metrics=["mae", "mase"])
    assert scores["value"].iloc[0] == 0
