"""Level maps of groups, and the coverage table: no window is judged by a map that has seen it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tsformers.compose import level_maps
from tsformers.compose.held_out import HeldOut
from tsformers.compose.level_maps import LEVEL, calibrate, group_names, recalibrated, without_width


def coverage_table(held, codes, n_groups, stride):
    return level_maps.coverage_table(held, calibrate(held, codes, n_groups, stride).pit, codes, n_groups, stride)


def windows(n_windows, n_series, horizon, width, seed=0):
    rng = np.random.default_rng(seed)
    width = np.broadcast_to(np.asarray(width, float), (n_series,))
    truth = rng.normal(size=(n_windows, n_series, horizon))
    values = np.tile((width[:, None] * norm.ppf(LEVEL))[None, :, :, None], (n_windows, 1, 1, horizon))
    return HeldOut(values, truth, pd.RangeIndex(n_series))


def test_the_table_shows_coverage_before_and_after():
    held = windows(20, 60, 3, 0.5)
    table = coverage_table(held, np.full(60, -1), 0, 3).set_index("nominal")
    expected = 2 * norm.cdf(0.5 * norm.ppf(0.5 + table.index / 2)) - 1
    np.testing.assert_allclose(table["raw"], expected, atol=0.03)
    np.testing.assert_allclose(table["recalibrated"], table.index, atol=0.02)


def test_no_window_is_judged_by_a_map_that_has_seen_it():
    held = windows(2, 3000, 2, 1.0)
    held.truth[1] *= 4.0  # the map of each window alone is wrong for the other one
    table = coverage_table(held, np.full(3000, -1), 0, 2).set_index("nominal")
    assert table["recalibrated"][0.8] < 0.75


def test_one_window_is_split_by_series_and_one_series_in_one_window_says_nothing():
    table = coverage_table(windows(1, 3000, 2, 0.5), np.full(3000, -1), 0, 2).set_index("nominal")
    assert table["recalibrated"][0.8] == pytest.approx(0.8, abs=0.04) and table["raw"][0.8] < 0.6
    assert coverage_table(windows(1, 1, 2, 0.5), np.array([-1]), 0, 2)["recalibrated"].isna().all()


def test_the_ends_of_an_interval_belong_to_it():
    held = windows(4, 2, 1, 1.0)
    held.truth[:] = held.values[0, 0, np.searchsorted(LEVEL, 0.1), 0]
    assert coverage_table(held, np.full(2, -1), 0, 1).set_index("nominal")["raw"][0.8] == 1.0


def test_groups_get_maps_of_their_own_shrunk_to_the_pooled_one():
    width = np.repeat([0.5, 1.5], 40)
    held = windows(20, 80, 2, width)
    codes = np.repeat([0, 1], 40)
    maps = calibrate(held, codes, 2, 2)
    low = np.searchsorted(LEVEL, 0.1)
    assert maps.groups[0].mapped[0, low] < maps.pooled.mapped[0, low] < maps.groups[1].mapped[0, low]
    read = recalibrated(held.values[0], codes, maps.pooled, maps.groups)
    np.testing.assert_allclose(read[:, low].mean(axis=1), norm.ppf(0.1), atol=0.15)
    small = calibrate(held, np.r_[np.zeros(1, int), np.full(79, -1)], 1, 2)
    far = np.abs(norm.ppf(small.groups[0].mapped) - norm.ppf(small.pooled.mapped)).max()
    assert far < 0.8 * np.abs(norm.ppf(maps.groups[0].mapped) - norm.ppf(maps.pooled.mapped)).max()


def test_a_group_whose_series_were_all_too_short_has_the_pooled_map():
    maps = calibrate(windows(10, 5, 2, 0.5), np.zeros(5, int), 2, 2)
    np.testing.assert_allclose(maps.groups[1].mapped, maps.pooled.mapped)


def test_forecasts_without_width_that_hit_are_none():
    values = np.ones((2, 2, len(LEVEL), 2))
    truth = np.array([[[1.0, 1.0], [1.0, 2.0]], [[1.0, np.nan], [3.0, 1.0]]])
    assert without_width(HeldOut(values, truth, pd.RangeIndex(2))).tolist() == [0.0, 0.5]


def test_group_names_come_from_columns_functions_and_mappings():
    ids, static = pd.Index(["a1", "b1"]), pd.DataFrame({"zone": ["x", "y"]}, index=["a1", "b1"])
    for by, expected in (
        ("zone", ["x", "y"]),
        ("shop", ["a", "b"]),
        (lambda name: name[1], ["1", "1"]),
        ({"a1": 7}, [7, None]),
        (pd.Series({"a1": 7}), [7, None]),
    ):
        assert group_names(by, ids, static, {"shop": np.array(["a", "b"])}).tolist() == expected
    for by in ("none", 3, ["x", "y"]):
        with pytest.raises(ValueError, match=r"names no groups.*'zone', 'shop'"):
            group_names(by, ids, static, {"shop": np.array(["a", "b"])})
