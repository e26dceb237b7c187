"""Charts of alarms: no panel is empty without a word."""

import numpy as np
import pandas as pd
import pytest

from tsformers.plotting.alarms import alarm_chart


def decisions(**changes):
    table = {"unique_id": list("aabb"), "ds": [0, 1, 0, 1], "y": [0.0, 9.0, 0.0, 1.0], "expected": 0.0, "lower": -1.0}
    table |= {"upper": 1.0, "p_value": [0.5, 1e-9, 0.5, 0.5], "level": 0.01, "anomaly": [False, True, False, False]}
    return pd.DataFrame(table | changes)


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes[::2]]


def test_series_that_are_not_there_are_named_rather_than_drawn_empty():
    assert titles(alarm_chart(decisions())) == ["a", "b"]
    assert titles(alarm_chart(decisions(), "b")) == ["b"]
    with pytest.raises(ValueError, match=r"series 'c' is not in the decisions that can be drawn; it has \['a', 'b'\]"):
        alarm_chart(decisions(), ["a", "c"])
    with pytest.raises(ValueError, match="ids= names no series to draw"):
        alarm_chart(decisions(), [])
    with pytest.raises(ValueError, match="series 'b' is not in"):
        alarm_chart(decisions(status=["ok", "ok", "invalid", "invalid"]), ["b"])


def test_a_panel_without_values_says_so():
    figure = alarm_chart(decisions(y=[0.0, 1.0, np.nan, np.nan], p_value=[0.5, 0.5, np.nan, np.nan]), ["a", "b"])
    said = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert said == [[], [], ["no value"], ["no value was tested"]]


def test_series_of_joined_ids_are_drawn_apart():
    joined = decisions(shop=["n"] * 4, item=[1, 1, 2, 2])
    assert titles(alarm_chart(joined, id_col=["shop", "item"])) == ["n/1", "n/2"]
