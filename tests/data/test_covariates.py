"""Covariates in the units of fit, statics as columns, and panels as blocks of rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tsformers.calendar.features import time_features
from tsformers.data.covariates import Covariates
from tsformers.data.panel import Panel
from tsformers.data.windows import cut
from tsformers.errors import DataError
from tsformers.testing import make_frame


def panel(n_series=3, freq="D", **static):
    frame = make_frame(n_series, 30, freq)
    rng = np.random.default_rng(0)
    frame["rain"], frame["price"] = rng.normal(-4, 3, len(frame)), rng.normal(100, 5, len(frame))
    made = Panel.from_frame(frame, known=["price"])
    return replace(made, static=pd.DataFrame(static, index=made.ids))


def test_covariates_have_mean_zero_and_deviation_one_and_keep_the_units_of_fit():
    first = panel()
    covariates = Covariates.learn(first)
    packed = covariates.pack(first, multivariate=False)
    for values in (packed.past_x[:, 0], packed.known_x[:, 3]):
        assert values.mean().item() == pytest.approx(0, abs=1e-6)
        assert values.std(correction=0).item() == pytest.approx(1, abs=1e-6)
    moved = covariates.pack(replace(first, past=first.past + 6), multivariate=False)
    assert (moved.past_x - packed.past_x).mean().item() == pytest.approx(6 / first.past.std(), rel=1e-5)


def test_constant_and_empty_covariates_are_finite_and_missing_values_are_the_mean():
    first = panel()
    past = np.stack([np.full(len(first.y), 1e6), np.full(len(first.y), np.nan)], axis=1)
    packed = Covariates.learn(replace(first, past=past)).pack(replace(first, past=past), multivariate=False)
    assert not packed.past_x.any()


def test_calendar_features_come_first_and_follow_the_clock_of_each_series():
    first = panel()
    packed = Covariates.learn(first).pack(first, multivariate=False)
    expected = time_features(first.times, first.grid).astype(np.float32)
    assert np.array_equal(packed.known_x[:, :3], expected)
    ahead = Covariates.learn(first).pack_future(first, 8, 0, multivariate=False)
    assert np.array_equal(ahead.known_x[:8, :3], expected[22:30])


def test_statics_are_numbers_or_one_column_a_level():
    first = panel(size=[1.0, 3.0, 5.0], place=["sea", None, "hill"], kind=pd.Categorical(["a", "a", "b"]))
    covariates = Covariates.learn(first)
    packed = covariates.pack(first, multivariate=False)
    assert covariates.columns(first, multivariate=False) == (1, 1, 3 + 1 + 1 + 2 + 2, 3)
    assert torch.allclose(packed.static[:, 0], torch.tensor([-1.2247449, 0, 1.2247449]))
    assert packed.static[:, 1:].tolist() == [[0, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 1]]
    window = cut(packed, torch.tensor([2]), packed.ends[2:] - 2, 5, 2)
    assert window.past_x[0, :, -5:].tolist() == [packed.static[2].tolist()] * 5
    assert window.future_x[0, :, -5:].tolist() == [packed.static[2].tolist()] * 2


def test_a_level_that_fit_did_not_see_is_refused():
    covariates = Covariates.learn(panel(place=["sea", "sea", "hill"]))
    assert covariates.pack(panel(place=["sea", "sea", "hill"]), multivariate=False).static.tolist()[2] == [1, 0]
    with pytest.raises(DataError, match="static column 'place' holds 'moon', first at series 's0'"):
        covariates.pack(panel(place=["moon", "sea", "hill"]), multivariate=False)


def test_too_many_levels_are_refused_by_name():
    many = panel(n_series=20)
    names = [f"x{i}" for i in range(101)]
    with pytest.raises(DataError, match="static column 'place' has 101 levels, 100 at most"):
        Covariates.learn(
            replace(many.select(np.arange(101) % 20), static=pd.DataFrame({"place": names}, index=range(101)))
        )


def test_blocks_for_prediction_hold_the_same_rows_as_the_panel():
    frame = make_frame(3, 30).assign(rain=np.arange(87.0), price=np.arange(87.0) ** 2)
    whole = Panel.from_frame(frame, known=["price"])
    known = whole.until(whole.ends - 4, horizon=4)
    covariates = Covariates.learn(whole)
    full = covariates.pack(whole, multivariate=False)
    block = covariates.pack_future(known, 8, 4, multivariate=False)
    series = torch.arange(3)
    expected = cut(full, series, full.ends - 4, 8, 4)
    actual = cut(block, series, block.ends, 8, 4)
    for name in ("past", "past_observed", "past_x", "future_x", "series"):
        assert torch.equal(getattr(expected, name), getattr(actual, name)), name
    assert not actual.future_observed.any()
    assert not actual.future.any()


@pytest.mark.parametrize("freq", ["D", 2])
def test_channels_are_aligned_at_their_common_end(freq):
    frame = make_frame(3, 30, freq)
    last = frame["ds"].max()
    step = pd.Timedelta(days=1) if freq == "D" else 2
    shift = {name: last - part["ds"].max() for name, part in frame.groupby("unique_id")}
    frame["ds"] = frame["ds"] + frame["unique_id"].map(shift)
    whole = Panel.from_frame(frame, freq=freq)
    packed = Covariates.learn(whole).pack(whole, multivariate=True)
    wide = frame.pivot(index="ds", columns="unique_id", values="y")
    assert wide.index[1] - wide.index[0] == step
    assert np.array_equal(packed.observed, wide.notna())
    assert np.array_equal(packed.y, wide.fillna(0))
    assert packed.y.is_contiguous()
