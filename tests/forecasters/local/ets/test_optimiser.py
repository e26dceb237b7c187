"""The maximum of the likelihood beside many random starts, and the steps that lead to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.local.ets.kernels import ALPHA, BETA, GAMMA, LEVEL, PHI, admissible
from tsformers.forecasters.local.ets.optimiser import STEPS, evaluate, maximise, project, solve
from tsformers.forecasters.local.ets.selection import fit_all
from tsformers.forecasters.local.ets.states import FAMILY, Spec, first_states, model_of


@pytest.mark.parametrize(("name", "m"), [("austourists", 4), ("WWWusage", 1), ("USAccDeaths", 12), ("airmiles", 1)])
def test_random_starts_find_no_higher_maximum(name, m, classics):
    y, rng = classics[name], np.random.default_rng(0)
    for fit in fit_all(y, m, [spec for spec in FAMILY if m > 1 or not spec.seasonal]):
        z = (y - fit.centre) / fit.scale
        for _ in range(4):
            x = first_states(fit.found, z)
            x[:4] = np.clip([*rng.random(3), rng.uniform(0.8, 0.98)], fit.found.low[:4], fit.found.high[:4])
            other = -0.5 * maximise(z, fit.found, x, STEPS, np.inf) - fit.n * np.log(fit.scale)
            assert other < fit.loglik + 0.01, f"{fit.spec}: {other} for {fit.loglik}"


def test_at_the_maximum_the_gradient_vanishes_or_points_out_of_the_box(classics):
    y = classics["austourists"]
    for fit in fit_all(y, 4, FAMILY):
        model, z = fit.found, (y - fit.centre) / fit.scale
        here = evaluate(z, model, fit.x, np.zeros(3 + model.m), False)
        for slot, slope, curvature in zip(model.columns, here.gradient, np.diag(here.hessian), strict=True):
            at_bound = (fit.x[slot] <= model.low[slot] and slope > 0) or (fit.x[slot] >= model.high[slot] and slope < 0)
            assert at_bound or slope**2 <= 1e-3 * curvature, f"{fit.spec}, slot {slot}: gradient {slope}"


def test_an_admissible_weight_of_the_slope_is_found(classics):
    y = classics["USAccDeaths"] / 8000
    model = model_of(Spec("add", "add", False, "add"), y, 12)
    x = first_states(model, y)
    x[[ALPHA, BETA, GAMMA, PHI]] = 0.28, 1.0, 0.6, 1.0
    assert not admissible(x, 12)
    assert project(x, model, True)
    assert admissible(x, 12) and 0.05 < x[BETA] < 1
    x[BETA] += 0.01
    assert not admissible(x, 12)


def test_a_point_outside_the_box_is_clipped_to_it():
    y = np.arange(20.0)
    model = model_of(Spec("add", "add", True, None), y, 1)
    x = np.array([2.0, -1.0, 0.5, 0.5, 1e9, -1e9])
    assert not project(x, model, False)
    np.testing.assert_array_equal(x, [1, 0, 0, 0.8, model.high[LEVEL], model.low[5]])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 99), st.sampled_from([0.0, 0.5]))
def test_steps_solve_the_damped_equations_of_the_free_entries(p, seed, damping):
    rng = np.random.default_rng(seed)
    root, gradient, free = rng.normal(size=(p + 2, p)), rng.normal(size=p), rng.random(p) < 0.7
    hessian, step = root.T @ root, np.full(p, 9.0)
    solve(hessian, gradient, free, damping, step)
    damped = (hessian + damping * np.diag(np.diag(hessian)))[np.ix_(free, free)]
    np.testing.assert_allclose(damped @ step[free], -gradient[free], atol=1e-6)
    assert (step[~free] == 0).all()


def test_a_search_that_cannot_reach_its_rival_ends(classics):
    y = classics["WWWusage"] / 100
    model = model_of(Spec("add", "add", True, None), y, 1)
    start = first_states(model, y)
    start[:4] = 0.1, 0.1, 0.0, 0.9
    alone, hopeless = start.copy(), start.copy()
    assert maximise(y, model, hopeless, STEPS, -1e9) > maximise(y, model, alone, STEPS, np.inf)
