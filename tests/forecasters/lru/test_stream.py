"""Streams of LRU: the same laws as a batch, at the same cost for ever."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

import tsformers as tsf
import tsformers.forecasters.lru.stream as lru_stream
import tsformers.forecasters.lru.stream_state as lru_memory
from tsformers.data.panel import Panel
from tsformers.data.window_scaling import scale
from tsformers.data.windows import cut
from tsformers.errors import DataError
from tsformers.testing import make_frame

T = 16
SMALL = {"context_length": T, "max_steps": 3, "d_model": 8, "d_state": 6, "batch_size": 8, "seed": 0, "horizon": 3}
LEVELS = [0.01, 0.1, 0.5, 0.77, 0.99]
close = {"rtol": 1e-9, "atol": 1e-9}


def fit(frame, roles=None, **settings):
    """A model in double precision whose weights are far from their start."""
    model = tsf.LRU(**SMALL | settings).fit(frame, **(roles or {}))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.network_.parameters():
            weight += 0.2 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.1)
    model.network_.double()
    return model


def rich(rows=60, freq="h", n_series=3):
    """Values with gaps, covariates of all kinds, series of different lengths."""
    rng = np.random.default_rng(1)
    frame = make_frame(n_series, rows, freq)
    frame["rain"], frame["price"] = rng.normal(size=(2, len(frame)))
    frame.loc[rng.random(len(frame)) < 0.15, ["y", "rain"]] = np.nan
    static = pd.DataFrame({"kind": ["x", "y", "x"][:n_series], "size": [1.0, 5.0, 2.0][:n_series]})
    static.index = pd.Index([f"s{i}" for i in range(n_series)], name="unique_id")
    return frame, {"known": ["price"], "static": static}


def split(frame, rows):
    """All but the last so many rows of each series, and those rows, step by step."""
    left = frame.groupby("unique_id").cumcount(ascending=False)
    return frame[left >= rows], [frame[left == k] for k in range(rows - 1, -1, -1)]


def ahead_of(rows):
    """A future frame: what is known of the rows."""
    return rows[["unique_id", "ds", "price"]]


@pytest.mark.parametrize("units", ["running", "frozen"])
@pytest.mark.parametrize("scaler", ["standard", "mean_abs", "robust", None])
def test_value_by_value_or_at_once_the_laws_are_the_same(scaler, units):
    frame = make_frame(3, 80)
    frame.loc[frame.index % 7 == 3, "y"] = np.nan
    model = fit(frame, scaler=scaler)
    head, steps = split(frame, 45)
    stream = model.stream(head, units=units)
    for rows in steps:
        law = stream.update(rows["y"].to_numpy())
    whole = model.stream(frame, units=units).next
    np.testing.assert_allclose(law.quantile(LEVELS), whole.quantile(LEVELS), **close)
    assert law.times.tolist() == whole.times.tolist()


@pytest.mark.parametrize("settings", [{"cell": "s4d"}, {"cell": "gru"}, {"start": "last"}, {"likelihood": "student_t"}])
@pytest.mark.parametrize("decoding", ["direct", "autoregressive"])
def test_so_they_are_with_all_cells_and_covariates_of_all_kinds(decoding, settings):
    frame, roles = rich()
    later, steps = split(frame, 20)
    model = fit(later, roles, decoding=decoding, **settings)
    stream = model.stream(split(later, 20)[0], future=ahead_of(split(later, 20)[1][0]))
    for rows, following in zip(split(later, 20)[1], [*split(later, 20)[1][1:], steps[0]], strict=True):
        law = stream.update(rows["y"].to_numpy(), known=following[["price"]], past=rows[["rain"]].to_numpy())
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(law.quantile(LEVELS), whole.quantile(LEVELS), **close)
    assert law.times.tolist() == steps[0]["ds"].to_numpy().astype("M8[ns]").tolist()


@pytest.mark.parametrize("likelihood", ["quantile_function", "normal", "student_t", "negative_binomial"])
def test_after_one_context_the_next_law_is_the_first_of_the_batch(likelihood):
    frame = make_frame(3, 60)
    scaler = "standard"
    if likelihood == "negative_binomial":
        frame["y"], scaler = frame["y"].round().clip(lower=0), "mean_abs"
    frame.loc[frame.index % 5 == 2, "y"] = np.nan
    model = fit(frame, likelihood=likelihood, decoding="autoregressive", scaler=scaler)
    packed = model.covariates_.pack_future(model.panel_, T, 3, multivariate=False)
    window = scale(cut(packed, torch.arange(3), packed.ends, T, 3), scaler, dtype=torch.float64)
    whole = model.network_(window).mean[:, 0, 0] * window.scale[:, 0, 0] + window.location[:, 0, 0]
    law = model.stream().next
    if likelihood == "quantile_function":
        values = model.network_(window).values[:, 0, 0] * window.scale[:, 0] + window.location[:, 0]
        np.testing.assert_allclose(law.quantile(model.network_.next.head.knots), values.detach(), **close)
    else:
        np.testing.assert_allclose(law.mean, whole.detach(), **close)


class Gumbel:
    """A law of the caller's own."""

    args_dim = {"loc": 1, "scale": 1}  # noqa: RUF012

    def get_args_proj(self, in_features):
        return torch.nn.Linear(in_features, 2)

    def distribution(self, distr_args, loc=None, scale=None):
        centre, spread = distr_args.unbind(-1)
        return torch.distributions.Gumbel(centre * scale + loc, torch.nn.functional.softplus(spread) * scale)


def test_a_law_of_the_callers_own_is_streamed_by_repeatable_draws():
    frame = make_frame(2, 60)
    model = tsf.LRU(**SMALL | {"likelihood": Gumbel()}).fit(frame)
    before = torch.get_rng_state()
    first, second = (model.stream().update([9.0, 21.0]) for _ in range(2))
    assert np.array_equal(first.quantile(LEVELS), second.quantile(LEVELS))
    assert torch.equal(before, torch.get_rng_state())
    assert np.abs(first.mean - frame.groupby("unique_id")["y"].mean()).max() < 8


def test_predict_draws_its_first_step_from_that_law():
    model = tsf.LRU(**SMALL | {"decoding": "autoregressive"}).fit(make_frame(2, 60))
    drawn = model.predict(n_samples=20_000).quantile(LEVELS)[..., 0]
    law = model.stream().next
    inside = slice(1, 4)  # draws end beyond the outermost levels in a straight line, the law in a tail
    np.testing.assert_allclose(law.quantile(LEVELS)[:, inside], drawn[:, inside], atol=0.1)


def test_several_pieces_and_groups_read_what_one_reads(monkeypatch):
    frame = pd.concat([make_frame(1, rows).assign(unique_id=f"n{rows}") for rows in (9, 31, 32, 33, 64, 90)])
    model = fit(frame[frame["unique_id"] != "n9"])
    whole = model.stream(frame).next.quantile(LEVELS)
    monkeypatch.setattr(lru_stream, "PIECE_STEPS", 32)
    monkeypatch.setattr(lru_stream, "MOST_READ", 64)
    monkeypatch.setattr(lru_memory, "TOGETHER", 2)
    np.testing.assert_allclose(model.stream(frame).next.quantile(LEVELS), whole, **close)


def test_the_channels_of_a_multivariate_model_go_on_together():
    parts = [make_frame(1, 60, seed=i).assign(unique_id=name) for i, name in enumerate("abc")]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.assign(price=np.arange(len(frame)) % 5)
    frame = frame[(frame["unique_id"] != "b") | (frame.index % 60 > 5)]
    model = fit(frame, {"known": ["price"]}, multivariate=True)
    later, steps = split(frame, 12)
    stream = model.stream(split(later, 15)[0], future=ahead_of(split(later, 15)[1][0]))
    for rows, following in zip(split(later, 15)[1], [*split(later, 15)[1][1:], steps[0]], strict=True):
        law = stream.update(rows["y"].to_numpy(), known=following[["price"]])
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(law.quantile(LEVELS), whole.quantile(LEVELS), **close)
    with pytest.raises(DataError, match="move together"):
        stream.update([1.0], ids=["a"], known=[[1.0]])


def test_series_that_tick_at_other_minutes_have_their_own_calendar():
    frame, roles = rich()
    half = frame["unique_id"] == "s1"
    frame.loc[half, "ds"] += pd.Timedelta(minutes=30)
    later, steps = split(frame, 5)
    model = fit(later, roles)
    stream = model.stream(split(later, 9)[0], future=ahead_of(split(later, 9)[1][0]))
    for rows, following in zip(split(later, 9)[1], [*split(later, 9)[1][1:], steps[0]], strict=True):
        law = stream.update(rows["y"].to_numpy(), known=following[["price"]], past=rows[["rain"]].to_numpy())
    whole = model.stream(later, future=ahead_of(steps[0])).next
    np.testing.assert_allclose(law.quantile(LEVELS), whole.quantile(LEVELS), **close)


def test_running_units_follow_the_series_as_the_formulas_say(rng):
    frame = make_frame(1, 40)
    values = rng.normal(50, 3, 100)
    streams = {}
    for scaler in ("standard", "mean_abs"):
        streams[scaler] = fit(frame, scaler=scaler).stream()
        for value in values:
            streams[scaler].update(value)
    context = frame["y"].to_numpy()[-T:]
    mean, variance, size = context.mean(), context.var(), np.abs(context).mean()
    for y in values:
        variance = (1 - 1 / T) * (variance + (y - mean) ** 2 / T)
        mean += (y - mean) / T
        size += (abs(y) - size) / T
    units = streams["standard"].snapshot()["units"][0]
    np.testing.assert_allclose(units[:2], [mean, np.sqrt(variance)], rtol=1e-10)
    np.testing.assert_allclose(streams["mean_abs"].snapshot()["units"][0, :2], [0, size], rtol=1e-10)


def test_a_wild_value_moves_robust_units_by_three_deviations_and_frozen_ones_not_at_all():
    model = fit(make_frame(1, 60), scaler="robust")
    for units, steps in (("running", 3.0), ("frozen", 0.0)):
        stream = model.stream(units=units)
        before = stream.snapshot()["units"][0]
        stream.update(1e9)
        after = stream.snapshot()["units"][0]
        np.testing.assert_allclose(after[0] - before[0], steps * before[1] / T, rtol=1e-9, atol=1e-12)


def test_a_level_that_drifts_away_and_a_series_that_stands_still_stay_in_sight():
    model = fit(make_frame(1, 60))
    stream = model.stream()
    for k in range(300):
        law = stream.update(1e6 + k % 3)
    assert abs(law.mean[0] - 1e6) < 100 and 0 < np.ptp(law.interval(0.9)) < 1000
    for _ in range(3000):
        law = stream.update(7.0)
    assert np.isfinite(law.quantile(LEVELS)).all() and abs(law.mean[0] - 7) < 1


@pytest.mark.parametrize(("shift", "factor"), [(0.0, 1e-3), (500.0, 1.0), (-3.0, 40.0)])
def test_shifted_and_stretched_series_have_shifted_and_stretched_laws(shift, factor):
    frame = make_frame(2, 60)
    model = fit(frame)
    moved = frame.assign(y=factor * frame["y"] + shift)
    first, second = (model.stream(each).update([3.0 * a + b, 4.0 * a + b]).quantile(LEVELS)
                     for each, a, b in ((frame, 1.0, 0.0), (moved, factor, shift)))  # fmt: skip
    np.testing.assert_allclose(second, factor * first + shift, rtol=1e-7)


def test_some_series_may_move_while_others_wait():
    frame = make_frame(3, 60)
    model = fit(frame)
    together, apart = model.stream(), model.stream()
    values = np.array([[9.0, 21.0, 30.0], [11.0, np.nan, 29.0]])
    for row in values:
        law = together.update(row)
    apart.update(values[:, 2][:1], ids=["s2"])
    apart.update(values[0, [1, 0]], ids=["s1", "s0"])
    backwards = apart.update(values[1, ::-1], ids=["s2", "s1", "s0"])
    np.testing.assert_allclose(backwards.quantile(LEVELS)[::-1], law.quantile(LEVELS), **close)
    assert backwards.ids.tolist() == ["s2", "s1", "s0"] and backwards.times.tolist() == law.times.tolist()[::-1]
    np.testing.assert_allclose(apart.next.quantile(LEVELS), law.quantile(LEVELS), **close)


def test_series_may_be_added_later():
    frame = make_frame(3, 60)
    model = fit(frame)
    stream = model.stream(frame[frame["unique_id"] != "s1"]).add(frame[frame["unique_id"] == "s1"])
    assert stream.ids.tolist() == ["s0", "s2", "s1"] and len(stream) == 3
    whole = model.stream().update([9.0, 21.0, 30.0])
    law = stream.update([9.0, 30.0, 21.0])
    assert np.isfinite(law.mean).all()
    tail = frame.groupby("unique_id").tail(T)
    again = model.stream(tail[tail["unique_id"] != "s1"]).add(tail[tail["unique_id"] == "s1"])
    np.testing.assert_allclose(
        again.update([9.0, 30.0, 21.0]).quantile(LEVELS), whole.quantile(LEVELS)[[0, 2, 1]], **close
    )


def test_a_short_history_is_enough():
    model = fit(make_frame(2, 60))
    stream = model.stream(pd.DataFrame({"unique_id": "new", "ds": pd.date_range("2024", periods=2), "y": [1.0, 3.0]}))
    for value in (2.0, 4.0, 1.0):
        law = stream.update(value)
    assert np.isfinite(law.quantile(LEVELS)).all()
    assert stream.snapshot()["units"][0, 0] == pytest.approx(2.2)  # the mean of all five: fewer than a context


@pytest.mark.parametrize("cell", ["lru", "s4d", "gru"])
def test_from_a_snapshot_a_stream_goes_on_to_the_same_bits(cell, tmp_path):
    model = tsf.LRU(**SMALL | {"cell": cell}).fit(make_frame(2, 60))
    stream = model.stream()
    stream.update([9.0, 21.0])
    saved = stream.snapshot()
    kept = saved["units"].copy()
    first = [stream.update([9.0 + k, np.nan]).quantile(LEVELS) for k in range(5)]
    assert np.array_equal(saved["units"], kept), "a snapshot must not go on with the stream"
    model.save(tmp_path / "m")
    other = tsf.load(tmp_path / "m").stream(make_frame(1, 30)).restore(saved)
    second = [other.update([9.0 + k, np.nan]).quantile(LEVELS) for k in range(5)]
    assert np.array_equal(first, second)
    assert other.ids.tolist() == ["s0", "s1"]
    with pytest.raises(ValueError, match="another model"):
        tsf.LRU(**SMALL | {"d_state": 10}).fit(make_frame(2, 60)).stream().restore(saved)


def test_a_law_stays_what_it_was_and_the_model_may_be_fitted_anew():
    frame = make_frame(2, 60)
    model = tsf.LRU(**SMALL).fit(frame)
    stream, other = model.stream(), model.stream()
    law = stream.update([9.0, 21.0])
    before = law.quantile(LEVELS)
    stream.update([-50.0, 90.0])
    assert np.array_equal(law.quantile(LEVELS), before)
    model.fit(frame, warm_start=True)
    assert np.array_equal(other.update([9.0, 21.0]).quantile(LEVELS), before)


def test_nothing_grows_however_long_a_stream_goes_on():
    model = tsf.LRU(**SMALL).fit(make_frame(2, 60, "h"))
    stream = model.stream()

    def size():
        arrays = [value for value in stream.snapshot().values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes for array in arrays), sum(len(clock.features) for clock in stream._clocks.phases)

    stream.update([9.0, 21.0])
    memory, looked_up = size()
    for k in range(3000):
        law = stream.update([9.0 + k % 5, 21.0 - k % 7])
    assert size()[0] == memory and size()[1] <= 3 * looked_up
    assert law.times[0] == np.datetime64("2024-01-01") + np.timedelta64(60 + 3001, "h")
    assert np.isfinite(law.mean).all()


def test_many_series_are_what_each_is_alone():
    model = tsf.LRU(**SMALL).fit(make_frame(2, 60, freq=1))
    rng = np.random.default_rng(0)
    n, rows = 10_000, 20
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(n), rows), "ds": np.tile(np.arange(rows), n)})
    frame["y"] = rng.normal(size=len(frame)).cumsum()
    stream = model.stream(frame)
    values = rng.normal(size=(2, n))
    for row in values:
        law = stream.update(row)
    assert law.quantile(LEVELS).shape == (n, 5)
    for i in (0, 511, 512, 9_999):
        alone = model.stream(frame[frame["unique_id"] == i])
        for value in values[:, i]:
            single = alone.update(value)
        np.testing.assert_allclose(single.quantile(LEVELS)[0], law.quantile(LEVELS)[i], rtol=1e-3, atol=1e-3)


def test_what_a_stream_cannot_take_is_refused():
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
        (([1.0, 2.0, 3.0],), full | {"known": np.full((3, 1), np.nan)}, "known holds a value that is no number"),
        (([1.0, 2.0, 3.0],), full | {"ids": ["s0", "s0", "s1"]}, "'s0' is there twice"),
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
