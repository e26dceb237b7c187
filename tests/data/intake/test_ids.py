"""Ids: joined and split, and matched as text between tables of other kinds."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers import DataError, DataWarning
from tsformers.data.dataframes import Schema
from tsformers.data.intake.ids import Ids, id_columns, ids_of_answer, matched
from tsformers.data.panel import Panel


def frame(ids, days=3, **columns):
    rows = [(name, day) for name in ids for day in range(days)]
    return pd.DataFrame(
        {"unique_id": [n for n, _ in rows], "ds": [d for _, d in rows], "y": np.arange(len(rows)) * 1.0, **columns}
    )


def test_columns_are_joined_to_ids_and_come_back():
    data = pd.DataFrame(
        {"shop": ["n/a", "n/a", "s", "s"], "item": [1, 1, 12, 12], "ds": [0, 1, 0, 1], "y": [1.0, 2, 3, 4]}
    )
    panel = Panel.from_frame(data, id_col=["shop", "item"], time_col="ds")
    assert panel.ids.tolist() == ["n/a|1", "s|12"]  # a separator that no part holds
    pd.testing.assert_frame_equal(panel.to_frame(), data, check_dtype=False)
    later = panel.like(data.assign(y=9.0))
    assert later.ids.tolist() == panel.ids.tolist()


@pytest.mark.parametrize(
    ("fit", "later"), [(["1", "2"], [1, 2]), (["1", "2"], [1.0, 2.0]), ([1, 2, 10], ["1", "2", "10"])]
)
def test_ids_of_another_type_are_matched_as_text_with_a_warning(fit, later):
    panel = Panel.from_frame(frame(fit, price=1.0), known=["price"])
    with pytest.warns(DataWarning, match="matched as text"):
        found = panel.like(frame(later, price=1.0))
    assert found.ids.tolist() == panel.ids.tolist()
    plan = pd.DataFrame({"unique_id": later, "ds": 3, "price": 2.0})
    with pytest.warns(DataWarning, match="the future frame.*matched as text"):
        assert panel.with_future(plan, 1).known[-1, 0] == 2.0


def test_ids_that_match_are_left_alone_and_new_ones_stay_new():
    ids = Ids(np.array([0, 1]), pd.Index(["1", 2], dtype=object))
    assert matched(ids, pd.Index(["1", "2"]), "the frame") is ids
    new = Ids(np.array([0]), pd.Index([7]))
    assert matched(new, pd.Index(["1", "2"]), "the frame") is new


def test_a_plan_of_an_unknown_series_is_refused_by_row():
    panel = Panel.from_frame(frame(["a"], price=1.0), known=["price"])
    plan = pd.DataFrame({"unique_id": ["a", "z"], "ds": 3, "price": 2.0})
    with pytest.raises(DataError, match="series 'z' at row 1, which the data do not have"):
        panel.with_future(plan, 1)


def test_a_series_without_ids_needs_none_later():
    panel = Panel.from_frame(
        pd.DataFrame({"day": [1, 2, 3], "sales": [1.0, 2, 3], "price": 1.0}), target_col="sales", known=["price"]
    )
    later = panel.with_future(pd.DataFrame({"day": [4], "price": [5.0]}), 1)
    assert later.known[-1, 0] == 5.0 and later.ids.tolist() == ["sales"]
    assert panel.like(pd.DataFrame({"day": [8, 9], "sales": 1.0, "price": 1.0})).ids.tolist() == ["sales"]


def test_id_columns_of_a_plain_schema_are_the_ids():
    panel = Panel.from_frame(frame(["a"]))
    assert list(id_columns(panel.ids, panel.schema)) == ["unique_id"]


def joined_frame(n=40):
    """Two shops with two numbered items each."""
    parts = [pd.DataFrame({"shop": shop, "item": item, "ds": range(n), "y": np.arange(float(n)) % 4 + item})
             for shop in ("n", "s") for item in (1, 2)]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


JOINED = {"id_col": ["shop", "item"], "freq": 1}


def test_ids_that_were_split_are_joined_again():
    schema = Schema(id_cols=("shop", "item"), id_sep="|", id_kinds=("text", "int"))
    ids = pd.Index(["n|1", "s|2"])
    assert ids_of_answer(pd.DataFrame(id_columns(ids, schema)), schema).equals(ids)
    assert ids_of_answer(pd.DataFrame({"shop": [3]}), Schema(id_col="shop")).tolist() == [3]


def test_scores_backtests_coresets_and_reports_have_the_columns_of_joined_ids():
    data, roles = joined_frame(), ["shop", "item"]
    forecast = tsf.SeasonalNaive(horizon=2, season_length=4).fit(data, **JOINED).predict()
    actual = data.assign(ds=data["ds"] + 40)
    assert [*tsf.score(forecast, actual, metrics="mae", by="unique_id").columns] == [*roles, "metric", "value"]
    result = tsf.backtest({"naive": tsf.SeasonalNaive(horizon=2, season_length=4)}, data, windows=2, **JOINED)
    assert [*result.scores.columns] == ["model", *roles, "cutoff", "metric", "value"]
    assert [*result.forecasts.columns][:4] == ["model", *roles, "ds"] and result.forecasts["item"].dtype == "int64"
    coreset = tsf.Coreset(60, n_clusters=2, seed=0).fit(data, **JOINED)
    assert [*coreset.entities_.columns] == [*roles, "weight"] and [*coreset.times_.columns][:2] == roles
    assert set(coreset.pairs().entity) == set(range(len(coreset.ids_)))
    errors = tsf.AutocorrelatedErrors()
    errors.fit_with(tsf.Panel.from_frame(data, **JOINED), tsf.SeasonalNaive(horizon=2, season_length=4))
    assert [*errors.report_.columns][:3] == [*roles, "rho"]


def test_columns_of_joined_ids_may_not_be_those_of_a_backtest():
    data = joined_frame().rename(columns={"item": "model"})
    with pytest.raises(DataError, match="column 'model' of the data is also a column of the result"):
        tsf.backtest(tsf.SeasonalNaive(horizon=2), data, windows=1, id_col=["shop", "model"], freq=1)


@pytest.mark.parametrize(
    ("fit", "later", "found"),
    [
        ([1, 2], [1.0, 2.0], [1, 2]),
        ([1.0, 2.0], [1, 2], [1.0, 2.0]),
        ([1, 2], [2.0, 3.0], [2, 3]),
        ([1, 2], [2.0, 3.5], [2.0, 3.5]),
    ],
)
def test_equal_numbers_of_two_types_are_one_series_with_one_forecast(fit, later, found):
    model = tsf.SeasonalNaive(horizon=2, seed=0).fit(frame(fit))
    answer = model.predict(frame(later))
    assert [*map(repr, answer.ids.tolist())] == [*map(repr, found)]
    if len({*fit, *later}) == 2:
        own = tsf.Theta(horizon=2, season_length=1, n_jobs=1, seed=0).fit(frame(fit, days=9))
        np.testing.assert_array_equal(own.predict(frame(later, days=9)).values, own.predict().values)


def test_time_stamps_at_fit_and_text_later_give_one_warning():
    days = [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")]
    model = tsf.SeasonalNaive(horizon=2, seed=0).fit(frame(days))
    with pytest.warns(DataWarning, match="matched as text") as caught:
        assert model.predict(frame(["2024-01-01", "2024-01-02"])).ids.tolist() == days
    assert len(caught) == 1
