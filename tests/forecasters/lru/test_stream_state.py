"""The state of a stream of LRU: units that follow the series, snapshots, constant memory."""

import numpy as np
import pytest

import tsformers as tsf
from tsformers.testing import make_frame

T = 16

SMALL = {"context_length": T, "max_steps": 3, "d_model": 8, "d_state": 6, "batch_size": 8, "seed": 0, "horizon": 3}

LEVELS = [0.01, 0.1, 0.5, 0.77, 0.99]


def test_running_units_follow_the_series_as_the_formulas_say(fit, rng):
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


def test_an_outlier_moves_robust_units_by_three_deviations_and_frozen_ones_not_at_all(fit):
    model = fit(make_frame(1, 60), scaler="robust")
    for units, steps in (("running", 3.0), ("frozen", 0.0)):
        stream = model.stream(units=units)
        before = stream.snapshot()["units"][0]
        stream.update(1e9)
        after = stream.snapshot()["units"][0]
        np.testing.assert_allclose(after[0] - before[0], steps * before[1] / T, rtol=1e-9, atol=1e-12)


def test_running_units_follow_a_new_level_and_a_constant_series(fit):
    model = fit(make_frame(1, 60))
    stream = model.stream()
    for k in range(300):
        following = stream.update(1e6 + k % 3)
    assert abs(following.mean[0] - 1e6) < 100 and 0 < np.ptp(following.interval(0.9)) < 1000
    for _ in range(3000):
        following = stream.update(7.0)
    assert np.isfinite(following.quantile(LEVELS)).all() and abs(following.mean[0] - 7) < 1


@pytest.mark.parametrize(("shift", "factor"), [(0.0, 1e-3), (500.0, 1.0), (-3.0, 40.0)])
def test_distributions_shift_and_scale_with_the_series(fit, shift, factor):
    frame = make_frame(2, 60)
    model = fit(frame)
    moved = frame.assign(y=factor * frame["y"] + shift)
    first, second = (model.stream(each).update([3.0 * a + b, 4.0 * a + b]).quantile(LEVELS)
                     for each, a, b in ((frame, 1.0, 0.0), (moved, factor, shift)))  # fmt: skip
    np.testing.assert_allclose(second, factor * first + shift, rtol=1e-7)


@pytest.mark.parametrize("cell", ["lru", "s4d", "gru"])
def test_a_stream_resumed_from_a_snapshot_gives_the_same_bits(fit, cell, tmp_path):
    model = tsf.LRU(**SMALL | {"cell": cell}).fit(make_frame(2, 60))
    stream = model.stream()
    stream.update([9.0, 21.0])
    saved = stream.snapshot()
    kept = saved["units"].copy()
    first = [stream.update([9.0 + k, np.nan]).quantile(LEVELS) for k in range(5)]
    assert np.array_equal(saved["units"], kept), "a snapshot must not change with the stream"
    model.save(tmp_path / "m")
    other = tsf.load(tmp_path / "m").stream(make_frame(1, 30)).restore(saved)
    second = [other.update([9.0 + k, np.nan]).quantile(LEVELS) for k in range(5)]
    assert np.array_equal(first, second)
    assert other.ids.tolist() == ["s0", "s1"]
    with pytest.raises(ValueError, match="another model"):
        tsf.LRU(**SMALL | {"d_state": 10}).fit(make_frame(2, 60)).stream().restore(saved)


def test_a_distribution_is_not_changed_by_later_updates_nor_a_stream_by_a_new_fit(fit):
    frame = make_frame(2, 60)
    model = tsf.LRU(**SMALL).fit(frame)
    stream, other = model.stream(), model.stream()
    following = stream.update([9.0, 21.0])
    before = following.quantile(LEVELS)
    stream.update([-50.0, 90.0])
    assert np.array_equal(following.quantile(LEVELS), before)
    model.fit(frame, warm_start=True)
    assert np.array_equal(other.update([9.0, 21.0]).quantile(LEVELS), before)


def test_no_state_grows_with_the_length_of_a_stream(fit):
    model = tsf.LRU(**SMALL).fit(make_frame(2, 60, "h"))
    stream = model.stream()

    def size():
        arrays = [value for value in stream.snapshot().values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes for array in arrays), sum(len(clock.features) for clock in stream._clocks.phases)

    stream.update([9.0, 21.0])
    memory, looked_up = size()
    for k in range(3000):
        following = stream.update([9.0 + k % 5, 21.0 - k % 7])
    assert size()[0] == memory and size()[1] <= 3 * looked_up
    assert following.times[0] == np.datetime64("2024-01-01") + np.timedelta64(60 + 3001, "h")
    assert np.isfinite(following.mean).all()
