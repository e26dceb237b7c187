"""Rolling origins: series that are too short for windows, or join late."""

import numpy as np
import pandas as pd
import pytest

from tsformers.errors import DataError
from tsformers.evaluation.rolling import backtest

from .conftest import Walk, frame, of


def test_windows_that_a_series_is_too_short_for_are_left_out_with_one_warning():
    with pytest.warns(UserWarning, match=r"1 of 3 series \('s2'\) .* 2 of their windows .* 14 rows") as caught:
        result = backtest({"walk": Walk(), "other": Walk()}, frame((40, 37, 9)), windows=3)
    assert len(caught) == 1
    assert result.scores.groupby(["model", "unique_id"])["cutoff"].nunique().tolist() == [3, 3, 1, 3, 3, 1]


def test_a_series_that_joins_late_brings_a_new_fit_at_its_first_window():
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 37, 13)), windows=3)
    assert [panel.n_series for _, panel, _ in of("fit")] == [2, 3]
    assert [panel.n_series for _, panel, _ in of("predict")] == [2, 3, 3]


def test_static_covariates_go_with_their_series():
    static = pd.DataFrame({"unique_id": ["s0", "s1", "s2"], "size": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 9, 37)), windows=2, static=static)
    assert [panel.static["size"].tolist() for _, panel, _ in of("predict")] == [[1.0, 3.0], [1.0, 2.0, 3.0]]


def test_when_no_series_is_long_enough_the_message_states_the_length_needed():
    with pytest.raises(DataError, match=r"needs 6 rows.*10 rows for 2 windows.*longest series has 5"):
        backtest(Walk(), frame((5, 4)), windows=2)


def test_missing_values_before_a_cutoff_do_not_count_as_history():
    df = frame((12,))
    df.loc[:7, "y"] = np.nan
    with pytest.raises(DataError, match="no series is long enough"):
        backtest(Walk(), df, windows=1, freq=1)


def test_dropping_short_series_is_left_to_the_model_that_can():
    backtest(Walk(), frame(), windows=1, short="drop")
    assert of("fit")[0][2] == {"short": "drop"}
