"""Laws of all bases and features: unit, batch, order, and that every history has a finite answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.errors import DataError
from tsformers.forecasters.blend.bases.contexts import BASES, CENTRE, FEATURES, Contexts, inputs

K = len(BASES)
SCALES = st.sampled_from([1e-9, 0.37, 3.0, 1 / 3, 1e7])


def contexts(*histories, m=4, second=0):
    """``Contexts`` of several histories (values, or values with a season), one after the other."""
    stop = np.cumsum([len(y) for y in histories])
    n = len(histories)
    return Contexts(
        np.concatenate([np.asarray(y, float) for y in histories]), stop - [len(y) for y in histories], stop,
        np.broadcast_to(m, n), np.broadcast_to(second, n),
    )  # fmt: skip


def drawn(seed, n, kind):
    rng = np.random.default_rng(seed)
    y = np.cumsum(rng.normal(size=n)) + 3 * np.sin(np.arange(n) * np.pi / 2) + 1
    if kind == "counts":
        y = rng.poisson(0.7, n).astype(float)
    elif kind == "positive":
        y = np.exp(y / 4)
    elif kind == "missing":
        y[rng.random(n) < 0.3] = np.nan
    elif kind == "offset":
        y += 1e9
    return y


KINDS = ("walk", "counts", "positive", "missing", "offset")
HARD = {
    "one row": [5.0],
    "two rows": [5.0, -7.0],
    "three rows": [1.0, 2.0, 4.0],
    "no value": [np.nan] * 9,
    "one value": [np.nan, np.nan, 3.0, np.nan],
    "constant": [4.0] * 30,
    "zeros": [0.0] * 30,
    "a perfect season": [1.0, 2.0, 3.0, 4.0] * 9,
    "a perfect line": np.arange(40.0),
    "negative": -(np.arange(1.0, 30.0) ** 2),
    "mostly zeros": [0.0] * 20 + [7.0] + [0.0] * 12,
    "a great offset": 1e12 + np.arange(30.0) % 4,
    "huge": np.array([1e150, 2e150, -1e150, 1e149] * 8),
    "tiny": np.array([1e-150, 2e-150, 3e-150, 1e-149] * 8),
    "an outlier": [1.0] * 30 + [1e9],
    "near zero": [1e-12, 1.0, 1.0, 1.0] * 10,
    "one missing season": np.where(np.arange(40) // 4 == 5, np.nan, np.arange(40.0) % 4),
    "a phase never there": np.where(np.arange(40) % 4 == 1, np.nan, np.arange(40.0)),
    "long missing end": [1.0, 3.0, 2.0, 5.0] * 4 + [np.nan] * 20,
}


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("second", [0, 8, 10])
@pytest.mark.parametrize("m", [1, 4, 7])
def test_every_history_has_a_finite_answer(m, second):
    found = inputs(contexts(*HARD.values(), m=m, second=second), 11)
    assert np.isfinite(found.forecasts).all()
    assert np.isfinite(found.features).all() and np.abs(found.features).max() <= 8
    assert (found.scale > 0).all() and np.isfinite(found.scale).all()
    assert found.available[:, :14].all() and not found.available[:, -1].any()
    steady = [name for name, constant in zip(HARD, found.constant, strict=True) if constant]
    assert steady == ["one row", "no value", "one value", "constant", "zeros"]


def test_a_constant_history_is_forecast_by_its_constant():
    found = inputs(contexts([4.0] * 30, [0.0] * 9, [np.nan] * 5), 6)
    np.testing.assert_allclose(found.forecasts[0], 4.0, rtol=1e-12)
    assert not found.forecasts[1:].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 70), st.sampled_from(KINDS), SCALES, st.sampled_from([1, 4, 7]))
def test_forecasts_scale_with_the_unit_and_features_do_not_see_it(seed, n, kind, scale, m):
    y = drawn(seed, n, kind)
    one, other = (inputs(contexts(a * y, m=m, second=8), 6) for a in (1.0, scale))
    size = np.nanmax(np.abs(y)) if not np.isnan(y).all() else 1.0
    np.testing.assert_allclose(other.forecasts, scale * one.forecasts, rtol=1e-5, atol=1e-9 * scale * size)
    np.testing.assert_array_equal(other.available, one.available)
    if not one.constant[0]:
        np.testing.assert_allclose(other.scale, scale * one.scale, rtol=1e-9)
    np.testing.assert_allclose(other.features, one.features, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("slow_errors", [True, False])
def test_a_history_alone_is_answered_as_in_a_batch_in_any_order(slow_errors):
    histories = [drawn(seed, 5 + 13 * seed, KINDS[seed % 5]) for seed in range(10)]
    seasons = np.arange(10) % 3 * 3 + 1
    batch = inputs(contexts(*histories, m=seasons, second=14), 9, slow_errors=slow_errors)
    for i in (9, 4, 0, 7):
        alone = inputs(contexts(histories[i], m=seasons[i], second=14), 9, slow_errors=slow_errors)
        assert equal(alone, (part[i : i + 1] for part in batch))


def test_contexts_may_overlap_and_see_their_own_rows_only():
    y = drawn(0, 80, "positive")
    ends = np.array([30, 50, 50, 80])
    starts = np.array([0, 10, 0, 40])
    shared = inputs(Contexts(y, starts, ends, np.full(4, 4), np.zeros(4, int)), 5)
    for i, (start, stop) in enumerate(zip(starts, ends, strict=True)):
        changed = np.where((np.arange(80) < start) | (np.arange(80) >= stop), -1e6, y)
        other = inputs(Contexts(changed, starts, ends, np.full(4, 4), np.zeros(4, int)), 5)
        assert equal((part[i] for part in other), (part[i] for part in shared))


def test_missing_rows_before_the_first_value_change_nothing_but_their_count():
    y = drawn(1, 40, "walk")
    assert equal(inputs(contexts(np.r_[[np.nan] * 6, y]), 7), inputs(contexts(y), 7))


def test_bases_that_are_not_available_repeat_the_centre():
    y = drawn(2, 30, "walk")
    chosen = np.zeros(K, dtype=bool)
    chosen[[0, 2]] = True
    found = inputs(contexts(y), 5, chosen=chosen)
    assert found.available[0].tolist() == chosen.tolist()
    every = inputs(contexts(y), 5)
    for answer in (found, every):
        for k in np.flatnonzero(~answer.available[0]):
            np.testing.assert_array_equal(answer.forecasts[0, k], every.forecasts[0, CENTRE])


def column(found, name):
    return found.features[:, FEATURES.index(name)]


def test_error_features_are_those_of_forecasts_from_inside_the_history():
    y, horizon = drawn(5, 60, "walk"), 8
    found = inputs(contexts(y), horizon)
    for origin in (1, 2):
        stop = 60 - origin * 8
        inside = inputs(contexts(y[:stop]), 8)
        errors = (y[stop : stop + 8] - inside.forecasts[0]) / found.scale[0]
        for k, name in enumerate(BASES[:16]):
            known = inside.available[0, k]
            assert column(found, f"{name}_size_{origin}")[0] == pytest.approx(
                known * np.log1p(np.abs(errors[k]).mean()), rel=1e-5
            )
            assert column(found, f"{name}_bias_{origin}")[0] == pytest.approx(
                known * np.arcsinh(errors[k].mean()), rel=1e-5, abs=1e-6
            )
        assert column(found, f"level_shape_known_{origin}")[0] == inside.available[0, 15]


@pytest.mark.parametrize(("n", "rooms"), [(1, [0, 0]), (3, [0, 0]), (4, [1, 0]), (6, [1, 1]), (40, [1, 1])])
def test_short_histories_say_where_there_was_room(n, rooms):
    found = inputs(contexts(np.arange(1.0, n + 1)), 12)
    assert [column(found, "room_1")[0], column(found, "room_2")[0]] == rooms


def test_without_slow_errors_only_their_columns_change():
    y = drawn(3, 90, "positive")
    full, fast = inputs(contexts(y), 6), inputs(contexts(y), 6, slow_errors=False)
    assert equal(full[:4], fast[:4])
    changed = {FEATURES[f] for f in np.flatnonzero(full.features[0] != fast.features[0])}
    assert changed and all(name.startswith(("dynamic_theta_", "level_shape_")) for name in changed)
    assert column(fast, "dynamic_theta_known_1")[0] == 0 and column(fast, "dynamic_theta_available")[0] == 1


def test_names_are_told_once():
    assert len(set(FEATURES)) == len(FEATURES) and len(set(BASES)) == K == 19
    assert BASES[-1] == "linear"


@pytest.mark.parametrize(
    ("change", "message"), [({"seasons": [0]}, "season is 0"), ({"first": [-1]}, "outside"), ({"stop": [9]}, "outside")]
)
def test_what_cannot_be_a_context_is_refused(change, message):
    one = contexts(np.arange(8.0))
    with pytest.raises(DataError, match=message):
        inputs(one._replace(**{name: np.array(value) for name, value in change.items()}), 2)
