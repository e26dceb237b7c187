"""Streams of LRU: the distributions of a batch, value by value."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

import tsformers as tsf
import tsformers.forecasters.lru.frozen_network as frozen_network
import tsformers.forecasters.lru.stream as lru_stream
import tsformers.forecasters.lru.stream_inputs as stream_inputs
from tsformers.data.panel import Panel
from tsformers.data.window_scaling import scale
from tsformers.data.windows import cut
from tsformers.errors import DataError
from tsformers.testing import make_frame

T = 16

SMALL = {"context_length": T, "max_steps": 3, "d_model": 8, "d_state": 6, "batch_size": 8, "seed": 0, "horizon": 3}

LEVELS = [0.01, 0.1, 0.5, 0.77, 0.99]

close = {"rtol": 1e-9, "atol": 1e-9}


@pytest.mark.parametrize("units", ["running", "frozen"])
@pytest.mark.parametrize("scaler", ["standard", "mean_abs", "robust", None])
def test_value_by_value_or_in_one_pass_the_distributions_are_the_same(fit, split, scaler, units):
    frame = make_frame(3, 80)
    frame.loc[frame.index % 7 == 3, "y"] = np.nan
    model = fit(frame, scaler=scaler)
    head, steps = split(frame, 45)
    stream = model.stream(head, units=units)
    for rows in steps:
        following = stream.update(rows["y"].to_numpy())
    whole = model.stream(frame, units=units).next
    np.testing.assert_allclose(following.quantile(LEVELS), whole.quantile(LEVELS), **close)
    assert following.times.tolist() == whole.times.tolist()


@pytest.mark.parametrize("settings", [{"cell": "s4d"}, {"cell": "gru"}, {"start": "last"}, {"likelihood": "student_t"}])
@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_the_same_holds_for_all_cells_and_all_kinds_of_covariates(fit, rich, split, ahead_of, decoding, settings):
    frame, roles = rich()
    later, steps = split(frame, 20)
    model = fit(later, roles, decoding=decoding, **settings)
    stream = model.stream(split(later, 20)[0], future=ahead_of(split(later, 20)[1][0]))
    for rows, following in zip(split(later, 20)[1], [*split(later, 20)[1][1:], steps[0]], strict=True):
        answer = stream.update(rows["y"].to_numpy(), known=following[["price"]], past=rows[["rain"]].to_numpy())
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(answer.quantile(LEVELS), whole.quantile(LEVELS), **close)
    assert answer.times.tolist() == steps[0]["ds"].to_numpy().astype("M8[ns]").tolist()


@pytest.mark.parametrize("likelihood", ["quantile_function", "normal", "student_t", "negative_binomial"])
def test_after_one_context_the_next_distribution_is_the_first_of_the_batch(fit, likelihood):
    frame = make_frame(3, 60)
    scaler = "standard"
    if likelihood == "negative_binomial":
        frame["y"], scaler = frame["y"].round().clip(lower=0), "mean_abs"
    frame.loc[frame.index % 5 == 2, "y"] = np.nan
    model = fit(frame, likelihood=likelihood, decoding="autoregressive", scaler=scaler)
    packed = model.covariates_.pack_future(model.panel_, T, 3, multivariate=False)
    window = scale(cut(packed, torch.arange(3), packed.ends, T, 3), scaler, dtype=torch.float64)
    whole = model.network_(window).mean[:, 0, 0] * window.scale[:, 0, 0] + window.location[:, 0, 0]
    following = model.stream().next
    if likelihood == "quantile_function":
        values = model.network_(window).values[:, 0, 0] * window.scale[:, 0] + window.location[:, 0]
        np.testing.assert_allclose(following.quantile(model.network_.next.head.knots), values.detach(), **close)
    else:
        np.testing.assert_allclose(following.mean, whole.detach(), **close)


class Gumbel:
    """A distribution of the caller's own."""

    args_dim = {"loc": 1, "scale": 1}  # noqa: RUF012

    def get_args_proj(self, in_features):
        return torch.nn.Linear(in_features, 2)

    def distribution(self, distr_args, loc=None, scale=None):
        centre, spread = distr_args.unbind(-1)
        return torch.distributions.Gumbel(centre * scale + loc, torch.nn.functional.softplus(spread) * scale)


def test_a_distribution_of_the_callers_own_is_streamed_by_repeatable_draws(fit):
    frame = make_frame(2, 60)
    model = tsf.LRU(**SMALL | {"likelihood": Gumbel()}).fit(frame)
    before = torch.get_rng_state()
    first, second = (model.stream().update([9.0, 21.0]) for _ in range(2))
    assert np.array_equal(first.quantile(LEVELS), second.quantile(LEVELS))
    assert torch.equal(before, torch.get_rng_state())
    assert np.abs(first.mean - frame.groupby("unique_id")["y"].mean()).max() < 8


def test_predict_draws_its_first_step_from_the_next_distribution(fit):
    model = tsf.LRU(**SMALL | {"decoding": "autoregressive"}).fit(make_frame(2, 60))
    drawn = model.predict(n_samples=20_000).quantile(LEVELS)[..., 0]
    following = model.stream().next
    inside = slice(1, 4)  # draws end beyond the outermost levels in a straight line, the distribution in a tail
    np.testing.assert_allclose(following.quantile(LEVELS)[:, inside], drawn[:, inside], atol=0.1)


def test_several_pieces_and_groups_read_what_one_reads(fit, monkeypatch):
    frame = pd.concat([make_frame(1, rows).assign(unique_id=f"n{rows}") for rows in (9, 31, 32, 33, 64, 90)])
    model = fit(frame[frame["unique_id"] != "n9"])
    whole = model.stream(frame).next.quantile(LEVELS)
    monkeypatch.setattr(lru_stream, "PIECE_STEPS", 32)
    monkeypatch.setattr(stream_inputs, "PIECE_STEPS", 32)
    monkeypatch.setattr(stream_inputs, "MAX_STEPS", 64)
    monkeypatch.setattr(frozen_network, "MAX_ROWS", 2)
    np.testing.assert_allclose(model.stream(frame).next.quantile(LEVELS), whole, **close)


def test_the_channels_of_a_multivariate_model_are_updated_together(fit, split, ahead_of):
    parts = [make_frame(1, 60, seed=i).assign(unique_id=name) for i, name in enumerate("abc")]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.assign(price=np.arange(len(frame)) % 5)
    frame = frame[(frame["unique_id"] != "b") | (frame.index % 60 > 5)]
    model = fit(frame, {"known": ["price"]}, multivariate=True)
    later, steps = split(frame, 12)
    stream = model.stream(split(later, 15)[0], future=ahead_of(split(later, 15)[1][0]))
    for rows, following in zip(split(later, 15)[1], [*split(later, 15)[1][1:], steps[0]], strict=True):
        answer = stream.update(rows["y"].to_numpy(), known=following[["price"]])
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(answer.quantile(LEVELS), whole.quantile(LEVELS), **close)
    with pytest.raises(DataError, match="are updated together"):
        stream.update([1.0], ids=["a"], known=[[1.0]])


def test_series_at_other_minutes_of_the_hour_have_their_own_calendar(fit, rich, split, ahead_of):
    frame, roles = rich()
    half = frame["unique_id"] == "s1"
    frame.loc[half, "ds"] += pd.Timedelta(minutes=30)
    later, steps = split(frame, 5)
    model = fit(later, roles)
    stream = model.stream(split(later, 9)[0], future=ahead_of(split(later, 9)[1][0]))
    for rows, following in zip(split(later, 9)[1], [*split(later, 9)[1][1:], steps[0]], strict=True):
        answer = stream.update(rows["y"].to_numpy(), known=following[["price"]], past=rows[["rain"]].to_numpy())
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(answer.quantile(LEVELS), whole.quantile(LEVELS), **close)


def test_some_series_may_be_updated_while_others_wait(fit):
    frame = make_frame(3, 60)
    model = fit(frame)
    together, apart = model.stream(), model.stream()
    values = np.array([[9.0, 21.0, 30.0], [11.0, np.nan, 29.0]])
    for row in values:
        following = together.update(row)
    apart.update(values[:, 2][:1], ids=["s2"])
    apart.update(values[0, [1, 0]], ids=["s1", "s0"])
    backwards = apart.update(values[1, ::-1], ids=["s2", "s1", "s0"])
    np.testing.assert_allclose(backwards.quantile(LEVELS)[::-1], following.quantile(LEVELS), **close)
    assert backwards.ids.tolist() == ["s2", "s1", "s0"] and backwards.times.tolist() == following.times.tolist()[::-1]
    np.testing.assert_allclose(apart.next.quantile(LEVELS), following.quantile(LEVELS), **close)


def test_series_may_be_added_later(fit):
    frame = make_frame(3, 60)
    model = fit(frame)
    stream = model.stream(frame[frame["unique_id"] != "s1"]).add(frame[frame["unique_id"] == "s1"])
    assert stream.ids.tolist() == ["s0", "s2", "s1"] and len(stream) == 3
    whole = model.stream().update([9.0, 21.0, 30.0])
    following = stream.update([9.0, 30.0, 21.0])
    assert np.isfinite(following.mean).all()
    tail = frame.groupby("unique_id").tail(T)
    again = model.stream(tail[tail["unique_id"] != "s1"]).add(tail[tail["unique_id"] == "s1"])
    np.testing.assert_allclose(
        again.update([9.0, 30.0, 21.0]).quantile(LEVELS), whole.quantile(LEVELS)[[0, 2, 1]], **close
    )


def test_a_short_history_is_enough(fit):
    model = fit(make_frame(2, 60))
    stream = model.stream(pd.DataFrame({"unique_id": "new", "ds": pd.date_range("2024", periods=2), "y": [1.0, 3.0]}))
    for value in (2.0, 4.0, 1.0):
        following = stream.update(value)
    assert np.isfinite(following.quantile(LEVELS)).all()
    assert stream.snapshot()["units"][0, 0] == pytest.approx(2.2)  # the mean of all five: fewer than a context


def test_many_series_give_what_each_gives_alone(fit):
    model = tsf.LRU(**SMALL).fit(make_frame(2, 60, freq=1))
    rng = np.random.default_rng(0)
    n, rows = 10_000, 20
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(n), rows), "ds": np.tile(np.arange(rows), n)})
    frame["y"] = rng.normal(size=len(frame)).cumsum()
    stream = model.stream(frame)
    values = rng.normal(size=(2, n))
    for row in values:
        following = stream.update(row)
    assert following.quantile(LEVELS).shape == (n, 5)
    for i in (0, 511, 512, 9_999):
        alone = model.stream(frame[frame["unique_id"] == i])
        for value in values[:, i]:
            single = alone.update(value)
        np.testing.assert_allclose(single.quantile(LEVELS)[0], following.quantile(LEVELS)[i], rtol=1e-3, atol=1e-3)


def test_values_and_series_that_do_not_fit_are_refused(fit, rich):
    frame, roles = rich()
    model = fit(frame, roles)
    later = frame.groupby("unique_id").tail(1)[["unique_id", "ds", "price"]]
    later = later.assign(ds=later["ds"] + pd.Timedelta(hours=1))
    stream = model.stream(future=later)
    full = {"known": np.ones((3, 1)), "past": np.ones((3, 1))}
    refused = [
        (([1.0, 2.0],), full, r"one a series, \(3,\), not of shape \(2,\)"),
        (([1.0, np.inf, 2.0],), full, "series 's1' is infinite"),
        (([1.0, 2.0, 3.0],), {"past": np.ones((3, 1))}, r"has 1 known covariates; give known=\(3, 1\)"),
        (([1.0, 2.0, 3.0],), full | {"known": np.ones((3, 2))}, r"known must have shape \(3, 1\)"),
        (([1.0, 2.0, 3.0],), full | {"known": np.full((3, 1), np.nan)}, "known holds NaN or infinite values"),
        (([1.0, 2.0, 3.0],), full | {"ids": ["s0", "s0", "s1"]}, "'s0' is given twice"),
        (([1.0, 2.0, 3.0],), full | {"ids": ["s0", "s9", "s1"]}, "'s9' is not in the stream"),
    ]
    before = stream.next.quantile(LEVELS)
    for values, keywords, message in refused:
        with pytest.raises(DataError, match=message):
            stream.update(*values, **keywords)
    assert np.array_equal(stream.next.quantile(LEVELS), before), "what is refused must change nothing"
    with pytest.raises(DataError, match="'s0' is in the stream already"):
        stream.add(frame, future=later)
    plain = make_frame(2)
    ended = Panel.from_frame(plain.assign(y=plain["y"].where((plain.index < 50) | (plain.index > 59)))).tail(3)
    with pytest.raises(DataError, match="'s0' has no value"):
        fit(plain).stream(ended)
    with pytest.raises(ValueError, match="choose 'running' or 'frozen'"):
        model.stream(units="none")
    with pytest.raises(NotFittedError):
        tsf.LRU(horizon=2).stream()
    with pytest.raises(ValueError, match="d_model was 8 at fit"):
        model.set_params(d_model=16).stream(future=later)
