"""Windows of Blend: validation shares no target with training, and every series has its turn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.blend.windows import drawn, longest_context, shortest_context, split


def packed(lengths):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return offsets, offsets[1:]


def targets(cuts, horizon):
    return {int(row) for stop in cuts.stop for row in range(stop, stop + horizon)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=90), st.integers(1, 24), st.sampled_from([1, 4, 7, 12]))
def test_no_target_of_training_is_one_of_validation_and_all_lie_inside_their_series(lengths, horizon, season):
    offsets, ends = packed(lengths)
    rng = np.random.default_rng(0)
    parts = split(offsets, ends, horizon, season, 0, rng)
    cuts = drawn(offsets, parts.limits, horizon, season, 0, 500, rng)
    assert not targets(cuts, horizon) & targets(parts.validation, horizon)
    for some in (cuts, parts.validation):
        assert (some.first >= offsets[some.series]).all()
        assert (some.stop + horizon <= ends[some.series]).all()
        assert (some.stop - some.first >= shortest_context(season)).all()
        assert (some.stop - some.first <= longest_context(season, 0)).all()


def test_a_panel_of_many_series_keeps_whole_series_and_trains_on_the_others_to_their_ends():
    offsets, ends = packed([50] * 100)
    parts = split(offsets, ends, 6, 4, 0, np.random.default_rng(0))
    kept = np.unique(parts.validation.series)
    assert len(kept) == 20
    assert (parts.limits[kept] == -1).all()
    assert (np.delete(parts.limits, kept) == np.delete(ends, kept)).all()
    assert set(ends[kept] - 6) <= set(parts.validation.stop)


def test_a_panel_of_few_series_keeps_the_last_fifth_of_the_rows():
    offsets, ends = packed([1000, 500])
    parts = split(offsets, ends, 10, 7, 0, np.random.default_rng(0))
    assert (ends - parts.limits).tolist() == [200, 100]
    assert parts.validation.stop.min() >= parts.limits.min()


def test_three_tenths_of_the_windows_are_at_the_last_cutoff_and_half_have_all_rows():
    offsets, ends = packed([400] * 3)
    cuts = drawn(offsets, ends, 10, 1, 0, 4000, np.random.default_rng(0))
    assert np.mean(cuts.stop == ends[cuts.series] - 10) == pytest.approx(0.3, abs=0.03)
    whole = cuts.stop - cuts.first == np.minimum(cuts.stop - offsets[cuts.series], 350)
    assert whole.mean() == pytest.approx(0.5, abs=0.04)
    assert np.bincount(cuts.series) == pytest.approx(np.full(3, 4000 / 3), rel=0.1)


def test_series_too_short_give_no_window():
    offsets, ends = packed([5, 6])
    parts = split(offsets, ends, 4, 1, 0, np.random.default_rng(0))
    assert (parts.limits == -1).all()
    assert not len(drawn(offsets, parts.limits, 4, 1, 0, 10, np.random.default_rng(0)).stop)
