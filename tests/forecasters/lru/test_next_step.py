"""The distribution of the next value: against scipy's distributions and against ``Forecast``."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch

from tsformers.calendar.grid import parse
from tsformers.data.forecast import Forecast
from tsformers.distributions.families import join_families
from tsformers.distributions.marginals import Marginals
from tsformers.forecasters.lru.kernels import quantiles
from tsformers.forecasters.lru.next_step import NextStepDistribution, family_of
from tsformers.nn.heads.distributions import Rescaled, SquaredError
from tsformers.nn.heads.quantile import QuantileHead

LEVELS = np.array([0.0, 0.003, 0.05, 0.3, 0.5, 0.9, 0.999])
LOCATION, SCALE = np.array([5.0, -2.0, 0.0]), np.array([2.0, 0.5, 1.0])
CENTRE, SPREAD, DF = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.2, 3.0]), np.array([2.5, 4.0, 30.0])
SHAPE = (3, 1, 1)
centre, spread, df = (torch.from_numpy(x).view(SHAPE) for x in (CENTRE, SPREAD, DF))


def normal(kind=torch.distributions.Normal):
    return kind(centre, spread, validate_args=False)


DISTRIBUTIONS = {
    "normal": (normal(), scipy.stats.norm(CENTRE * SCALE + LOCATION, SPREAD * SCALE)),
    "squared error": (normal(SquaredError), scipy.stats.norm(CENTRE * SCALE + LOCATION, SPREAD * SCALE)),
    "student": (
        torch.distributions.StudentT(df, centre, spread),
        scipy.stats.t(DF, CENTRE * SCALE + LOCATION, SPREAD * SCALE),
    ),
    "counts": (
        Rescaled(
            torch.distributions.NegativeBinomial(df, probs=torch.tensor(0.4).double()),
            torch.ones(SHAPE),
        ),
        scipy.stats.nbinom(DF, 1 - 0.4),
    ),
}


def next_step(family):
    n = len(family.mean())
    return NextStepDistribution(pd.RangeIndex(n), family, (np.arange(n), np.zeros(n, np.int64)), parse(1))


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_closed_forms_agree_with_scipy(kind):
    head, peer = DISTRIBUTIONS[kind]
    following = next_step(family_of(head, LOCATION, SCALE))
    np.testing.assert_allclose(following.mean, peer.mean(), rtol=1e-6)
    wanted = np.stack([peer.ppf(level) for level in LEVELS], axis=1)
    np.testing.assert_allclose(
        following.quantile(LEVELS), np.maximum(wanted, 0) if kind == "counts" else wanted, rtol=1e-6
    )
    for y in (np.array([0.0, 3.0, 1.0]), np.array([5.5, -2.0, 7.25])):
        ties = (peer.cdf(np.ceil(y) - 1) + peer.cdf(np.floor(y))) / 2 if kind == "counts" else peer.cdf(y)
        np.testing.assert_allclose(following.cdf(y), ties, rtol=1e-6, atol=1e-12)
    drawn = following.sample(40_000, seed=0)
    assert drawn.shape == (3, 40_000)
    np.testing.assert_allclose(drawn.mean(1), peer.mean(), atol=0.1)
    np.testing.assert_allclose(np.quantile(drawn, 0.8, axis=1), peer.ppf(0.8), atol=0.1)


@pytest.fixture
def held(rng):
    levels = np.array([0.05, 0.2, 0.5, 0.9])
    return Marginals(rng.normal(size=(4, 4)), tuple(levels))


def test_quantiles_are_read_as_a_forecast_reads_them(held):
    following = next_step(held)
    forecast = Forecast(following.ids, np.arange(4)[:, None], held.values[..., None], levels=held.levels)
    asked = [0.001, 0.05, 0.3, 0.95]
    np.testing.assert_allclose(following.quantile(asked), forecast.quantile(asked)[..., 0])
    np.testing.assert_allclose(following.mean, forecast.mean[:, 0])
    y = np.array([-9.0, 0.0, np.nan, 9.0])
    np.testing.assert_allclose(following.cdf(y), forecast.cdf(y[:, None])[:, 0])
    own = following.to_forecast()
    assert np.array_equal(own.values, forecast.values) and own.levels == forecast.levels and own.horizon == 1
    np.testing.assert_allclose(np.quantile(following.sample(50_000, seed=1), [0.01, 0.3, 0.97], axis=1).T,
                               following.quantile([0.01, 0.3, 0.97]), atol=0.06)  # fmt: skip
    np.testing.assert_allclose(following.interval(0.6), following.quantile([0.2, 0.8]))
    np.testing.assert_allclose(following.median, held.values[:, 2])


def test_a_closed_form_becomes_a_forecast_of_fine_levels():
    forecast = next_step(family_of(DISTRIBUTIONS["normal"][0], LOCATION, SCALE)).to_forecast()
    np.testing.assert_allclose(forecast.quantile(0.25)[:, 0, 0], DISTRIBUTIONS["normal"][1].ppf(0.25), rtol=1e-6)
    assert forecast.times[:, 0].tolist() == [0, 1, 2]


def test_a_distribution_without_a_closed_form_is_drawn_from():
    torch.manual_seed(0)
    gumbel = torch.distributions.Gumbel(centre, spread)
    following = next_step(family_of(gumbel, LOCATION, SCALE))
    peer = scipy.stats.gumbel_r(CENTRE * SCALE + LOCATION, SPREAD * SCALE)
    np.testing.assert_allclose(following.quantile([0.2, 0.7]), np.stack([peer.ppf(0.2), peer.ppf(0.7)], 1), atol=0.5)
    np.testing.assert_allclose(following.cdf(peer.ppf(0.4)), 0.4, atol=0.06)
    assert np.isnan(following.cdf([np.nan, 1.0, 2.0])[0]) and following.sample(7).shape == (3, 7)


def test_joined_families_are_one_after_the_other(held):
    joined = join_families([held, held])
    np.testing.assert_array_equal(joined.quantile(LEVELS[1:]), np.tile(held.quantile(LEVELS[1:]), (2, 1)))
    parts = [family_of(DISTRIBUTIONS["student"][0], LOCATION, SCALE)] * 2
    np.testing.assert_array_equal(join_families(parts).mean(), np.tile(parts[0].mean(), 2))


def test_the_compiled_quantiles_are_those_of_the_head():
    torch.manual_seed(0)
    head, features = QuantileHead(6, 2).double(), 9 * torch.randn(5, 1, 6, dtype=torch.float64)
    torch.nn.init.normal_(head.project.weight)
    location = torch.randn(5, 1, 2, dtype=torch.float64)
    wanted = head(features, location).values.detach().numpy().reshape(10, -1)
    raw = head.project(features).detach().numpy().reshape(10, -1)
    found, units = np.empty(raw.shape), np.random.default_rng(0).uniform(1, 2, (2, 10))
    quantiles(raw, raw.shape[1] // 2, location.numpy().ravel(), units[0], units[1], found)
    np.testing.assert_allclose(found, wanted * units[1][:, None] + units[0][:, None], rtol=1e-9)


def test_levels_and_values_out_of_place_are_refused(held):
    following = next_step(held)
    with pytest.raises(ValueError, match=r"in \[0, 1\], at least one; got 1\.5"):
        following.quantile(1.5)
    with pytest.raises(ValueError, match="coverage must be in"):
        following.interval(1.0)
    with pytest.raises(ValueError, match=r"one value a series, \(4,\)"):
        following.cdf([1.0, 2.0])
    assert len(following) == 4 and "4 series" in repr(following)
