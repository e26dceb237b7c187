"""Values that look like a mark of missing ones are reported; ordinary extremes are not."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tsformers import DataWarning
from tsformers.data.intake.sentinels import sentinels
from tsformers.data.panel import Panel

WEEK = np.tile([10.0, 11, 12, 13, 14, 15, 16], 8)


def panel(y, **roles):
    data = pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})
    return Panel.from_frame(data, **roles)


def with_marks(**marks):
    y = WEEK.copy()
    for place, value in marks.items():
        y[int(place[1:])] = value
    return y


@pytest.mark.parametrize("value", [-9999, -999, -1, -99, -200, 9999, 999.9, 99999, 1e20])
def test_a_far_extreme_of_the_kind_is_reported_with_its_count(value):
    scale = 0.1 if value == -1 else 1.0
    y = WEEK * scale
    y[[5, 30]] = value
    y = y if value != -1 else np.where(np.arange(len(y)) % 56 == 5, -1, 100 + y)
    assert list(sentinels(y, np.array([0, len(y)]))) == [value]
    with pytest.warns(DataWarning, match=r"column 'y' holds .*(2 times|once), first in series 'a'.*missing="):
        panel(y)


def test_both_of_two_marks_are_offered_together():
    with pytest.warns(DataWarning) as caught:
        panel(with_marks(r51=-9999, r9=-999))
    message = caught[0].message.message
    assert message.text("shell").endswith("--missing -9999 --missing -999")
    assert message.text("python").endswith("missing=[-9999, -999]")


@pytest.mark.parametrize(
    "y",
    [
        WEEK - 13,  # -3 to 3, -1 among them
        WEEK + 9989,  # 9999 to 10005
        -9 * (WEEK - 9),  # -9 to -63
        np.where(np.arange(56) == 20, 9999, 800 * (WEEK - 9)),
        np.tile([-1.0, 1.0], 20),
        np.tile([0.0, 0, 0, -1], 10),
        np.full(9, -9999.0),
    ],
)
def test_ordinary_values_are_not_taken_for_marks(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert panel(y).y.tolist() == [*map(float, y)]


def test_missing_takes_values_and_texts_and_counts_in_the_reading():
    marked = with_marks(r51=-9999.0, r9=-999.0)
    made = panel(marked, missing=[-9999, "-999"])
    assert np.flatnonzero(np.isnan(made.y)).tolist() == [9, 51] and "2 of 56 rows are missing" in str(made.reading)
    assert np.isnan(panel(marked.astype("float32"), missing=[-9999, -999]).y).sum() == 2
    texts = pd.Series(WEEK, dtype=object)
    texts[3] = "n.a."
    assert np.isnan(panel(texts, missing="n.a.").y[3])
    later = made.like(pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [-9999.0, 1.0]}))
    assert np.isnan(later.y[0])


def test_marks_in_covariates_are_missing_too():
    data = pd.DataFrame({"unique_id": "a", "ds": [0, 1], "y": 1.0, "rain": [-99.0, 2.0], "sky": ["?", "blue"]})
    made = Panel.from_frame(data, past=["rain", "sky"], missing=[-99, "?"])
    np.testing.assert_array_equal(made.past, [[np.nan, np.nan], [2.0, 1.0]])
    assert made.schema.past_columns == ("rain", "sky=blue")
