"""Draws after a history: exact means, gaps, other histories and what is unknown."""

import numpy as np
import pytest

from tsformers.forecasters.local.ets.averaging import Member, learned
from tsformers.forecasters.local.ets.continuation import (
    GOLDEN,
    better_states,
    drawn,
    model_at,
    particles,
    rolled,
    spread,
    unseen_variances,
)
from tsformers.forecasters.local.ets.kernels import LEVEL, SEASON
from tsformers.forecasters.local.ets.states import FAMILY, Spec

ADDITIVE = [spec for spec in FAMILY if spec.error == "add"]
SEASON_ALONE = [Spec("add", None, False, "add")]
PATTERN = np.array([10.0, -5.0, 2.0, -7.0])


def seasonal(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return 50 + np.tile(PATTERN, n // 4) + np.cumsum(rng.normal(size=n)) * 0.3 + rng.normal(size=n)


def draw(params, y, start=0, horizon=6, n=512, seed=0):
    return drawn(params, y, start, horizon, n, np.random.default_rng(seed))


def members_of(params):
    return [Member(Spec(*member[0]), *member[1:]) for member in params["members"]]


def test_the_mean_of_additive_models_is_exact():
    y = seasonal()
    params = learned(y, 4, ADDITIVE, "aicc")
    one, other = (draw(params, y, seed=seed).mean(axis=0) for seed in (0, 1))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_medians_of_two_seeds_differ_little():
    y = seasonal() + 50
    params = learned(y, 4, FAMILY, "aicc")
    one, other = (draw(params, y, seed=seed) for seed in (0, 1))
    assert np.abs(np.median(one, axis=0) - np.median(other, axis=0)).max() < 0.1 * one.std(axis=0).min()


def test_rows_are_antithetic_pairs_of_one_particle():
    y = seasonal()
    params = learned(y, 4, SEASON_ALONE, "aicc")
    values, centres = draw(params, y, n=200), []
    for i in range(100):
        centres.append((values[i] + values[i + 100]) / 2)
    assert np.ptp(centres, axis=0).max() < np.ptp(values, axis=0).min() / 3


def test_a_longer_history_is_filtered_from_the_states_of_fit():
    y = seasonal(80)
    params = learned(y[:60], 4, ADDITIVE, "aicc")
    later = draw(params, y).mean(axis=0)
    np.testing.assert_allclose(later - y[-4:].mean(), [10, -5, 2, -7, 10, -5], atol=2.5)
    moved = y.copy()
    moved[60:] += 30
    assert draw(params, moved).mean() > draw(params, y).mean() + 10


@pytest.mark.parametrize("first", [8, 21, 57, 59])
def test_other_histories_are_aligned_with_the_season(first):
    y = seasonal()
    params = learned(y, 4, SEASON_ALONE, "aicc")
    shifted = 100 + y[first:]
    values = draw(params, shifted, first)
    np.testing.assert_allclose(values.mean(axis=0) - values.mean(), draw(params, y).mean(axis=0)
                               - draw(params, y).mean(), atol=2.0)  # fmt: skip
    assert values.mean() == pytest.approx(draw(params, y).mean() + 100, abs=3)


def test_states_of_fit_stay_where_they_explain_the_history_better():
    y = seasonal()
    params = learned(y, 4, SEASON_ALONE, "aicc")
    member = members_of(params)[0]
    z = (y - member.centre) / member.scale
    x = member.slots[0]
    model = model_at(member, params, 0)
    same = rolled(model, x, params["places"], 4)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(np.sort(np.append(rolled(model, x, params["places"], 1)[SEASON:], 0))[1:].shape, 3)
    better = better_states(model, x, z + 5)
    assert better[LEVEL] == pytest.approx(x[LEVEL] + 5, abs=0.2)


def test_a_gap_at_the_end_widens_and_a_gap_inside_does_not_narrow():
    rng = np.random.default_rng(5)
    y = np.cumsum(rng.normal(size=120)) + 100
    params = learned(y, 1, [Spec("add", None, False, None)], "aicc")
    gappy = y.copy()
    gappy[70:119] = np.nan
    assert draw(params, gappy).std(axis=0)[0] >= draw(params, y).std(axis=0)[0] * 0.98
    noise = 100 + rng.normal(size=120)
    noise[1:-1][rng.random(118) < 0.6] = np.nan
    params = learned(noise, 1, [Spec("add", None, False, None)], "aicc")
    assert 0.8 < draw(params, noise).std(axis=0)[-1] < 1.6


def test_a_place_that_never_occurred_is_as_open_as_the_others_differ():
    y = seasonal(80)
    y[3::4] = np.nan
    y = y[:-1]
    params = learned(y, 4, SEASON_ALONE, "aicc")
    assert params["places"].tolist() == [0, 1, 2]
    member = members_of(params)[0]
    before = unseen_variances(model_at(member, params, 0), member.slots[0], member.sigmas[0])
    assert before[3 + 3] > 1 and (before[:6] == 0).all()
    values = draw(params, y, horizon=4)
    spreads = values.std(axis=0)
    assert spreads[0] > 2 * spreads[1:].max() and abs(values.mean(axis=0)[0] - 50) < 8


def test_a_particle_that_cannot_have_made_a_history_is_left_out():
    y = seasonal() + 50
    params = learned(y, 4, [Spec("mul", None, False, None)], "aicc")
    with pytest.raises(ValueError, match="can have made such values"):
        draw(params, y - 200)
    both = learned(y, 4, FAMILY, "aicc")
    sizes = [len(particles(member, both, y - 200, 0)) for member in members_of(both)]
    assert sum(sizes) == 0 or np.isfinite(draw(both, y - 200)).all()


def test_short_histories_have_wider_draws_than_their_errors():
    """The variance is drawn, states are uncertain: six rows of noise have a wider forecast than six hundred."""
    rng = np.random.default_rng(3)
    widths = []
    for n in (6, 600):
        found = [draw(learned(y, 1, ADDITIVE[:1], "aicc"), y).std(axis=0)[0] / y.std(ddof=1)
                 for y in rng.normal(size=(20, n))]  # fmt: skip
        widths.append(np.mean(found))
    assert widths[0] > 1.15 * widths[1] and widths[1] == pytest.approx(1.0, abs=0.05)


def test_neighbours_in_a_spread_are_far_apart():
    order = spread(100, GOLDEN)
    assert sorted(order) == list(range(100)) and np.abs(np.diff(order)).min() > 30


@pytest.mark.parametrize("y", [np.full(20, 5.0), np.zeros(20), 5 + 1e-15 * np.arange(20.0)], ids=["5", "0", "rounding"])
def test_what_is_left_of_an_exact_pattern_is_continued(y):
    values = draw(learned(y, 1, ADDITIVE[::2], "aicc"), y)
    np.testing.assert_allclose(values, np.full_like(values, y[-1]), atol=1e-13)
