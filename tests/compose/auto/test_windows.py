"""The held-out windows: how many, of which series, and nothing of them in the training rows."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.compose.auto.windows import MOST_SERIES, held_out
from tsformers.data.panel import Panel


def panel_of(lengths):
    rows = [
        pd.DataFrame({"unique_id": f"s{i:04}", "ds": range(n), "y": np.arange(n) + 0.5}) for i, n in enumerate(lengths)
    ]
    return Panel.from_frame(pd.concat(rows), freq=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 90), min_size=1, max_size=8), st.integers(1, 12), st.sampled_from([1, 4, 12]))
def test_windows_follow_the_training_rows_of_each_series(lengths, horizon, season):
    held = held_out(panel_of(lengths), horizon, season, seed=0)
    fitting = [n for n in lengths if n - horizon >= max(3, season + 1 if season > 1 else 3)]
    assert (held is None) == (not fitting)
    if held is None:
        return
    training = held.training()
    assert sorted(held.panel.lengths) == sorted(fitting)
    assert (training.lengths + held.windows * horizon == held.panel.lengths).all()
    assert (held.windows >= 1).all() and (training.lengths >= 3).all()
    several = held.windows > 1
    assert (held.windows[several] * horizon <= held.panel.lengths[several] / 3 + 1e-9).all()
    for window in range(held.n_windows):
        here, before = held.at(window, np.arange(len(held.scored)))
        first = held.truth[window, here, 0]
        assert (before.y[before.ends - 1] + 1 == first).all()  # the row right after the cutoff
        assert np.isnan(np.delete(held.truth[window], here, axis=0)).all()
    assert np.isfinite(held.truth[-1]).all()


def test_of_many_series_a_seeded_choice_is_scored():
    panel = panel_of([30] * (MOST_SERIES + 50))
    one, same, other = (held_out(panel, 2, 1, seed=seed) for seed in (0, 0, 1))
    assert len(one.scored) == MOST_SERIES and one.panel.n_series == MOST_SERIES + 50
    np.testing.assert_array_equal(one.scored, same.scored)
    assert not np.array_equal(one.scored, other.scored)


def test_few_series_have_more_windows_as_far_as_history_goes():
    assert held_out(panel_of([300]), 5, 1, seed=0).n_windows == 10
    assert held_out(panel_of([60]), 5, 1, seed=0).n_windows == 4
    assert held_out(panel_of([60] * 200), 5, 1, seed=0).n_windows == 2


def test_a_series_without_values_before_its_windows_has_none():
    frame = pd.DataFrame({"unique_id": ["a"] * 40 + ["b"] * 40, "ds": [*range(40)] * 2, "y": 1.0})
    frame.loc[40:77, "y"] = np.nan
    held = held_out(Panel.from_frame(frame), 4, 1, seed=0)
    assert held.panel.ids.tolist() == ["a"]
