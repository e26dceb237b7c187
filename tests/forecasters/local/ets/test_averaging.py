"""What the data leave open: shares of models, and particles of weights."""

import numpy as np
import pytest

from tsformers.forecasters.local.ets.averaging import (
    PARTICLES,
    learned,
    members,
    posterior,
    proposal_scale,
    shares,
    van_der_corput,
)
from tsformers.forecasters.local.ets.kernels import N_WEIGHTS
from tsformers.forecasters.local.ets.optimiser import maximise
from tsformers.forecasters.local.ets.selection import criterion, fit_all
from tsformers.forecasters.local.ets.states import FAMILY, Spec

SMOOTHING = Spec("add", None, False, None)


def smoothed(n, alpha=0.4, seed=0):
    e = np.random.default_rng(seed).normal(size=n)
    return 20 + alpha * (np.cumsum(e) - e) + e


def test_shares_are_those_of_akaike():
    fits = fit_all(smoothed(40), 1, FAMILY)
    values = np.array([criterion(fit, "aicc") for fit in fits])
    weights = np.exp(-0.5 * (values - values.min()))
    np.testing.assert_allclose(shares(fits, "aicc"), weights / weights.sum(), atol=0.01)
    assert shares(fits, "bic")[0] > shares(fits, "aic")[0]  # the smallest model


@pytest.mark.parametrize("n", [12, 60, 400])
def test_the_posterior_of_a_weight_is_that_of_a_fine_grid(n):
    """Smoothing by one weight: mean and standard deviation of it under the likelihood with the variance integrated."""
    y = smoothed(n)
    fit = fit_all(y, 1, [SMOOTHING])[0]
    z, found = (y - fit.centre) / fit.scale, fit.found
    grid, logs = np.linspace(0.0005, 0.9995, 1000), []
    for alpha in grid:
        x = fit.x.copy()
        x[0] = alpha
        logs.append(-0.5 * (n - 1) / n * maximise(z, found._replace(columns=found.columns[1:]), x, 5, np.inf))
    weights = np.exp(np.array(logs) - max(logs))
    mean = grid @ weights / weights.sum()
    sd = np.sqrt((grid - mean) ** 2 @ weights / weights.sum())
    x, parts = posterior(z, fit, 96)
    assert x[:, 0] @ parts == pytest.approx(mean, abs=(0.2 if n == 12 else 0.05) * sd)
    assert np.sqrt((x[:, 0] - mean) ** 2 @ parts) == pytest.approx(sd, rel=0.1)


def test_a_slope_is_slow_where_the_data_say_nothing():
    y = np.random.default_rng(2).normal(size=12)
    fit = fit_all(y, 1, [Spec("add", "add", False, None)])[0]
    x, parts = posterior((y - fit.centre) / fit.scale, fit, 96)
    assert x[:, 1] @ parts < 0.35


def test_at_a_bound_proposals_are_as_wide_as_the_likelihood_decays():
    curvature, low, high = np.diag([200.0, 200.0]), np.zeros(2), np.ones(2)
    scale = proposal_scale(curvature, np.array([0.0, -60.0]), np.array([0.5, 1.0]), low, high)
    assert scale[0] == pytest.approx(1.5 * 0.1, rel=0.01) and scale[1] == pytest.approx(1.5 / np.sqrt(100 + 900))
    flat = proposal_scale(np.zeros((2, 2)), np.zeros(2), np.array([0.5, 1.0]), low, high)
    np.testing.assert_array_equal(flat, 1.0)


def test_particles_are_shared_out_by_the_shares_and_lie_in_the_box():
    y = smoothed(60)
    fits = fit_all(y, 1, FAMILY)
    found = members(y, fits, "aicc")
    assert sum(member.counts.sum() for member in found) == PARTICLES
    share = dict(zip([fit.spec for fit in fits], shares(fits, "aicc"), strict=True))
    for member in found:
        assert member.counts.sum() == pytest.approx(PARTICLES * share[member.spec], abs=2)
        assert (member.slots[:, :N_WEIGHTS] >= member.low[:N_WEIGHTS]).all() and (member.slots <= member.high).all()


def test_an_exact_rule_leaves_nothing_open():
    params = learned(5 + 2.0 * np.arange(48), 1, FAMILY, "aicc")
    assert {member[0][1] for member in params["members"]} == {"add"}
    assert max(member[-1].max() for member in params["members"]) < 1e-6


def test_van_der_corput_numbers_spread_evenly():
    for base in (2, 3, 5):
        np.testing.assert_allclose(np.sort(van_der_corput(base**3 - 1, base)), np.arange(1, base**3) / base**3)
