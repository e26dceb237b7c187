"""The response of windows to known columns: what it keeps for the fit, gaps, channels, and one fit only."""

import numpy as np
import pytest
import torch

from tsformers.data.windows import cut, pack_rows
from tsformers.forecasters.neural import known_response
from tsformers.forecasters.neural.known_response import Kept, KnownResponse, fit_start
from tsformers.nn import RidgeMap

T, H = 12, 4


def windows_of(y, known, series=1, batch=50):
    """All windows of series of equal length, in the order of time."""
    rows = len(y) // series
    packed = pack_rows(y, [rows * i for i in range(series + 1)], known_x=known)
    first = np.arange(T, rows - H + 1)
    starts = torch.from_numpy((first + rows * np.arange(series)[:, None]).ravel())
    which = torch.arange(series).repeat_interleave(len(first))
    return [cut(packed, which[i : i + batch], starts[i : i + batch], T, H) for i in range(0, len(starts), batch)]


def sample(rows=400, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(rows, channels))
    return known**2 + 0.1 * rng.normal(size=(rows, channels)), known


def fitted(windows, channels=1, known=1, calendar=0):
    response, ridge = KnownResponse(channels, known, calendar), RidgeMap(T, H)
    fit_start(ridge, response, windows, windows[-1:])
    return response, ridge


def test_what_is_left_of_the_past_has_less_variance_and_the_steps_ahead_are_forecast():
    windows = windows_of(*sample())
    response, _ = fitted(windows)
    rest, ahead = response(windows[0])
    assert rest.var() < 0.3 * windows[0].past.var()
    left = windows[0].future - ahead
    assert left.var() < 0.3 * windows[0].future.var()


def test_rows_are_kept_within_the_budget_and_gaps_take_the_columns_of_the_step_before(monkeypatch):
    y, known = sample()
    y[3::7] = np.nan
    windows = windows_of(y, known)
    response = KnownResponse(1, 1, 0)
    past, future, columns, *_ = response.rows(windows[0], T)
    assert len(past) < 50 and np.isfinite(future).all()  # windows without some target are left out
    assert (np.diff(past, axis=1) == 0).any()
    np.testing.assert_array_equal(np.diff(past, axis=1) == 0, np.diff(columns[:, :T, 0], axis=1) == 0)
    monkeypatch.setattr(known_response, "MAX_NUMBERS", 2000)
    kept = Kept(response, T)
    assert len([*kept.watch(windows)]) == len(windows)
    assert 0 < sum(part.known.size for part in kept.batches()) <= 2000


def test_a_missing_value_is_replaced_by_what_is_left_of_the_value_before():
    y, known = sample()
    response, _ = fitted(windows_of(y, known))
    y[T // 2] = np.nan
    (window,) = windows_of(y[: T + H], known[: T + H])
    rest, _ = response(window)
    assert rest[0, T // 2, 0] == rest[0, T // 2 - 1, 0]


def test_each_channel_reads_its_own_columns():
    windows = windows_of(*sample(channels=2))
    response, _ = fitted(windows, channels=2, known=2)
    some = windows[0]
    moved = some._replace(future_x=some.future_x + torch.tensor([0.0, 1.0]))
    first, second = response(some)[1], response(moved)[1]
    assert torch.equal(first[..., 0], second[..., 0]) and not torch.equal(first[..., 1], second[..., 1])
    shared, _ = fitted(windows_of(sample(channels=2)[0], sample()[1]), channels=2, known=1)
    assert shared(windows_of(sample(channels=2)[0], sample()[1])[0])[1].shape[-1] == 2


def test_columns_that_vary_in_no_window_leave_the_map_of_the_past_as_it_is():
    y, _ = sample(rows=400)
    static = np.repeat([[1.0], [2.0]], 200, axis=0)
    windows = windows_of(y, static, series=2)
    response, ridge = fitted(windows)
    plain = RidgeMap(T, H)
    fit_start(plain, None, windows, windows[-1:])
    assert response.fitted and not len(response.coefficients) and torch.equal(ridge.weight, plain.weight)


@pytest.mark.parametrize("filled", [True, False])
def test_it_is_loaded_with_the_sizes_it_was_saved_with(filled):
    windows = windows_of(*sample())
    response = fitted(windows)[0] if filled else KnownResponse(1, 1, 0)
    again = KnownResponse(1, 1, 0)
    again.load_state_dict(response.state_dict())
    for first, second in zip(response(windows[0]), again(windows[0]), strict=True):
        assert torch.equal(first, second)
    again.load_state_dict({})  # saved before there was a response: as it is
