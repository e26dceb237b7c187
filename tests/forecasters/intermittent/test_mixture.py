"""The mixture of count models beside scipy and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from tsformers.forecasters.intermittent.mixture import (
    KEPT,
    N_COMPONENTS,
    N_COUNTS,
    OUTLIERS,
    SHAPES,
    SIZE_SHAPES,
    WIDE,
    component,
    log_likelihoods,
    log_pmf,
    mixture_draws,
    mixture_mean,
    mixture_weights,
    state_at_end,
)

ONE = np.ones(1)
FAST = settings(max_examples=30, deadline=None)
COUNTS = st.lists(st.integers(0, 9), min_size=2, max_size=25).map(lambda y: np.array(y, dtype=float))


def chance(k, mean, shape):
    return nbinom.pmf(k, shape, shape / (shape + mean))


def widened(mean, shape, rows):
    return 1 / (1 / shape + (1 / mean + 1 / shape) / rows * (1 + 1 / shape))


def slow_likelihoods(y):
    """One-step likelihoods of all components by definition."""
    out = np.zeros(N_COMPONENTS)
    for d, kept in enumerate(KEPT):
        level, n = [y.mean()], [1.0]
        share, rows = [(y > 0).mean()], [1.0]
        size, big = [(y[y > 0] - 1).mean()], [1.0]
        for value in y:
            mean = sum(level) / sum(n)
            wild = chance(value, mean, widened(mean, SHAPES[WIDE], sum(n)))
            for r, shape in enumerate(SHAPES):
                usual = chance(value, mean, widened(mean, shape, sum(n)))
                out[d * len(SHAPES) + r] += np.log((1 - OUTLIERS) * usual + OUTLIERS * wild)
            p, z = np.clip(sum(share) / sum(rows), 1e-12, 1 - 1e-12), max(sum(size) / sum(big), 1e-9)
            for r, shape in enumerate(SIZE_SHAPES):
                found = 1 - p if value == 0 else p * chance(value - 1, z, widened(z, shape, sum(big)))
                out[N_COUNTS + d * len(SIZE_SHAPES) + r] += np.log(found)
            level, n = [kept * x for x in level] + [value], [kept * x for x in n] + [1.0]
            share, rows = [kept * x for x in share] + [float(value > 0)], [kept * x for x in rows] + [1.0]
            if value > 0:
                size, big = [kept * x for x in size] + [value - 1], [kept * x for x in big] + [1.0]
    return out


@FAST
@given(st.integers(0, 200), st.floats(0.01, 1000), st.floats(0.05, 500))
def test_probabilities_are_those_of_scipy(k, mean, shape):
    assert log_pmf(k, mean, shape) == pytest.approx(nbinom.logpmf(k, shape, shape / (shape + mean)), abs=1e-8)
    assert log_pmf(k, mean, 1e12) == pytest.approx(poisson.logpmf(k, mean), abs=1e-8)


@FAST
@given(COUNTS.filter(lambda y: y.max() > 0))
def test_likelihoods_are_those_of_a_loop_and_missing_rows_are_left_out(y):
    out = np.zeros(N_COMPONENTS)
    log_likelihoods(y, ONE, out)
    np.testing.assert_allclose(out, slow_likelihoods(y), rtol=1e-6, atol=1e-6)
    again = np.zeros(N_COMPONENTS)
    log_likelihoods(np.insert(y, [0, 1, len(y)], np.nan), ONE, again)
    np.testing.assert_array_equal(again, out)


def test_the_weights_find_what_made_the_series(rng):
    out = np.zeros(N_COMPONENTS)
    mixture_weights(rng.poisson(4.0, 400).astype(float), ONE, False, out)
    assert out.sum() == pytest.approx(1)
    assert out.reshape(-1)[:N_COUNTS].reshape(len(KEPT), -1)[:2, 4:].sum() > 0.8  # no forgetting, nearly Poisson
    sold = np.where(rng.random(400) < 0.2, 20 + rng.poisson(4.0, 400), 0).astype(float)
    mixture_weights(sold, ONE, False, out)
    assert out[N_COUNTS:].sum() > 0.99  # a chance of demand, and sizes
    walk = rng.poisson(np.exp(np.cumsum(rng.normal(0, 0.15, 400)) + 3)).astype(float)
    mixture_weights(walk, ONE, False, out)
    assert out[:N_COUNTS].reshape(len(KEPT), -1)[3:].sum() > 0.9  # it forgets


@pytest.mark.parametrize("ahead", [0.0, 9.0])
@pytest.mark.parametrize("kind", ["sparse", "sold", "large", "huge"])
def test_draws_are_the_quantiles_of_the_mixture(kind, ahead, rng):
    y = {
        "sparse": rng.poisson(0.3, 60),
        "sold": np.where(rng.random(60) < 0.3, 5 + rng.poisson(2.0, 60), 0),
        "large": rng.negative_binomial(5, 5 / 305, 200),
        "huge": rng.poisson(2e5, 100),
    }[kind].astype(float)
    weights, sums, draws = np.zeros(N_COMPONENTS), np.empty((len(KEPT), 6)), np.empty(101)
    mixture_weights(y, ONE, False, weights)
    state_at_end(y, ONE, 0, sums)
    mixture_draws(weights, sums, 1.0, ahead, 4000, draws)
    assert (draws == np.floor(draws)).all() and (np.diff(draws) >= 0).all() and draws[0] >= 0
    below, reached = np.zeros(101), np.zeros(101)
    for k in np.flatnonzero(weights):
        p, mean, shape = component(k, sums, 1.0, ahead)
        cdf = lambda x, m=mean, r=shape: nbinom.cdf(x, r, r / (r + m))  # noqa: E731
        shift, zero = (0, 0.0) if k < N_COUNTS else (1, 1 - p)
        below += weights[k] * np.where(draws > 0, zero + p * cdf(draws - 1 - shift), 0.0)
        reached += weights[k] * (zero + p * cdf(draws - shift))
    levels = (np.arange(101) + 0.5) / 101
    slack = {"huge": 3e-3, "large": 1e-3}.get(kind, 1e-5)
    assert (below <= levels + slack).all() and (reached >= levels - slack).all()
    if kind != "sold":
        assert draws.mean() == pytest.approx(mixture_mean(weights, sums, 1.0), rel=0.05)
