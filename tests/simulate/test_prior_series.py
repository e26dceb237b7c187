"""Synthetic series of many families."""

import numpy as np
import pytest

from tsformers import simulate
from tsformers.simulate.prior_series import draw
from tsformers.simulate.synthetic.lengths import FAMILIES, SECOND


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    return [draw(400, rng) for _ in range(25)]


def values_of(family, n_series=40, season_length=None, seed=0):
    frame = simulate.priors(n_series, families=[family], season_length=season_length, seed=seed)
    return [y.to_numpy()[np.isfinite(y)] for _, y in frame.groupby("unique_id")["y"]]


def test_the_same_generator_gives_the_same_bits():
    a, b = (draw(60, np.random.default_rng(3)) for _ in range(2))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(a.y[:3], draw(60, np.random.default_rng(4)).y[:3])


def test_contexts_lie_one_after_another_and_agree_with_the_horizon(many):
    for drawn in many:
        np.testing.assert_array_equal(drawn.first[1:], drawn.stop[:-1])
        assert drawn.first[0] == 0 and drawn.stop[-1] == len(drawn.y)
        assert drawn.future.shape == (400, drawn.horizon)
    assert draw(5, np.random.default_rng(0), horizon=7).future.shape == (5, 7)


def test_values_are_finite_and_the_future_stays_within_reach(many):
    for drawn in many:
        assert not np.isinf(drawn.y).any() and np.isfinite(drawn.future).all()
        for first, stop, future in zip(drawn.first, drawn.stop, drawn.future, strict=True):
            y = drawn.y[first:stop]
            assert np.isfinite(y).sum() >= 2
            if np.isfinite(y).all() and y.min() < y.max():
                assert np.abs(future).max() <= 45 * np.abs(y).max() + 20
                assert future.min() >= 0 or y.min() < 0  # a series that never was negative stays so


def test_lengths_and_seasons_are_those_of_the_contexts_of_blend(many):
    rows = np.concatenate([drawn.stop - drawn.first for drawn in many])
    seasons, second = (np.concatenate([getattr(drawn, name) for drawn in many]) for name in ("seasons", "second"))
    assert rows.min() == 3 and rows.max() == 1000
    longest = np.minimum(1000, np.maximum(np.where(seasons == 1, 350, np.maximum(16 * seasons, 60)), 3 * second))
    assert (rows <= longest).all()
    assert 0.15 < (rows == longest).mean() < 0.35 and 0.05 < (rows < 2 * seasons + 2).mean() < 0.2
    assert {1, 4, 5, 7, 12, 24, 48, 52, 96, 144} <= {*seasons} and seasons.max() <= 168
    assert all(second[i] in (0, SECOND.get(seasons[i], 0)) for i in range(len(seasons)))
    assert {168, 336, 365, 672} <= {*second}


@pytest.mark.parametrize(
    ("horizon", "season", "never"), [(48, 24, 4), (13, 52, 144), (6, 1, 144), (56, 7, 12), (18, 12, 96)]
)
def test_common_pairs_of_horizon_and_season_arise(horizon, season, never):
    seasons = draw(2000, np.random.default_rng(0), horizon).seasons
    assert (seasons == season).mean() > 0.1 and (seasons == season).mean() > 10 * (seasons == never).mean()


def test_a_horizon_beyond_all_is_drawn_too():
    drawn = draw(50, np.random.default_rng(0), horizon=300)
    assert drawn.future.shape == (50, 300) and np.isfinite(drawn.future).all()


def test_about_one_series_in_twenty_has_missing_values(many):
    missing = [np.isnan(d.y[a:b]).any() for d in many for a, b in zip(d.first, d.stop, strict=True)]
    assert 0.025 < np.mean(missing) < 0.06


def test_a_series_depends_on_its_own_key_alone():
    few = draw(1, np.random.default_rng(9), horizon=12)
    again = draw(1, np.random.default_rng(9), horizon=12)
    draw(100, np.random.default_rng(1), horizon=12)  # buffers of others leave no trace
    np.testing.assert_array_equal(few.y, again.y)


def test_the_frame_is_long_repeatable_and_says_what_each_series_is():
    frame = simulate.priors(300, latent=True, seed=0)
    assert frame.columns.tolist() == ["unique_id", "ds", "y", "family", "season_length"]
    assert frame.equals(simulate.priors(300, latent=True, seed=0))
    assert {*frame["family"]} == {*FAMILIES}
    assert frame["unique_id"].nunique() == 300 and frame["unique_id"].is_monotonic_increasing
    assert (frame.groupby("unique_id")["ds"].agg(lambda ds: (ds.diff().dropna() == 1).all())).all()
    assert frame.groupby("unique_id").size().min() >= 4


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "intermittent"])
def test_counts_are_whole(family):
    for y in values_of(family):
        assert (y >= 0).all() and (y == np.round(y)).all()


def test_intermittent_demand_is_mostly_zero():
    assert 0.4 < np.mean(np.concatenate(values_of("intermittent", 100)) == 0) < 0.95


@pytest.mark.parametrize("family", ["multiplicative", "walk", "bursts", "epidemic"])
def test_exponentiated_series_are_positive_before_rounding(family):
    assert all((y >= 0).all() for y in values_of(family))


def test_nights_are_dark_at_the_same_hours():
    for y in values_of("night", 20, season_length=24):
        if len(y) >= 240 and (y > 0).any():
            assert np.mean(y == 0) > 0.1
            dark = [np.mean(y[hour::24] == 0) for hour in range(24)]
            assert max(dark) == 1.0 and min(dark) < 0.7


def test_bounded_series_stay_below_their_ceiling():
    rng = np.random.default_rng(0)
    assert all(y.min() >= 0 for y in values_of("bounded", 40, seed=rng))


def test_walks_have_small_steps_and_no_season():
    found = [np.corrcoef(y[1:], y[:-1])[0, 1] for y in values_of("walk", 60) if len(y) > 100 and y.std() > 0]
    assert np.median(found) > 0.9


def test_seasons_are_found_in_most_series_with_a_period():
    frame = simulate.priors(300, families=["additive"], season_length=12, seed=0)
    strong = []
    for _, y in frame.groupby("unique_id")["y"]:
        d = y.diff().dropna().to_numpy()
        if len(d) >= 60 and d.std() > 0:
            strong.append(np.corrcoef(d[12:], d[:-12])[0, 1] > 0.3)
    assert 0.3 < np.mean(strong) < 0.9


def test_what_is_not_offered_is_refused():
    with pytest.raises(ValueError, match="there are additive"):
        simulate.priors(3, families=["chaos"])
    with pytest.raises(ValueError, match="season_length is 0"):
        simulate.priors(3, season_length=0)
    with pytest.raises(ValueError, match="n_series is 0"):
        simulate.priors(0)
