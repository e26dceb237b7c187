"""Fits and their criteria beside the numbers of R and of an independent port."""

import numpy as np
import pytest

from tsformers.forecasters.local.ets.selection import (
    Fit,
    admitted,
    best_first,
    chosen,
    criterion,
    fit_all,
    is_contained,
    params_of,
    scale_of,
)
from tsformers.forecasters.local.ets.states import FAMILY, Spec

# statsforecast 2.1.1, the least AICc with weights in the usual region, plus n (1 + log 2 pi - log n)
PUBLISHED = {"airmiles": 418.64, "nhtemp": 190.71, "USAccDeaths": 1045.71, "WWWusage": 595.66, "austourists": 317.29,
             "Nile": 1281.82}  # fmt: skip
SEASONS = {"USAccDeaths": 12, "austourists": 4}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_least_aicc_is_not_above_that_of_a_port_of_r(name, classics):
    y, m = classics[name], SEASONS.get(name, 1)
    best = chosen(fit_all(y, m, admitted(y, m, FAMILY)), "aicc")
    assert criterion(best, "aicc") <= PUBLISHED[name] + 0.1


def test_single_models_are_those_of_the_port(classics):
    """statsforecast 2.1.1 on austourists: log-likelihood without constant, weights; both searches reach the maximum."""
    y = classics["austourists"]
    wanted = {
        Spec("add", None, False, "add"): (-157.287, 0.545, 0.0, 0.390),
        Spec("add", "add", False, "add"): (-150.477, 0.304, 0.0, 0.415),
        Spec("mul", "add", False, "mul"): (-148.086, 0.432, 0.0, 0.0),
        Spec("mul", "add", False, "add"): (-155.587, 0.341, 0.0, 0.373),
        Spec("add", None, False, None): (-240.535, 0.197, 0.0, 0.0),
    }
    for fit in fit_all(y, 4, list(wanted)):
        params = params_of(fit, "aicc")
        found = (params["loglik"], params["alpha"], params["beta"], params["gamma"])
        np.testing.assert_allclose(found, wanted[fit.spec], atol=2e-3)


def test_parameters_are_counted_as_r_counts_them(classics):
    """Holt-Winters on austourists from 2005 in Hyndman & Athanasopoulos (2018), 7.3: AIC 234.4, AICc 239.7, BIC 250.4,
    sigma 1.949; they imply 9 parameters, sigma among them, and 8 in the denominator of its square."""
    y = classics["austourists"][24:]
    fit = fit_all(y, 4, [Spec("add", "add", False, "add")])[0]
    constant = 44 * (1 + np.log(2 * np.pi) - np.log(44))
    found = [criterion(fit, name) - constant for name in ("aic", "aicc", "bic")]
    np.testing.assert_allclose(found, [234.4, 239.7, 250.4], atol=0.5)
    assert fit.k == 9 and found[1] - found[0] == pytest.approx(5.3, abs=0.01)
    assert params_of(fit, "aicc")["sigma"] == pytest.approx(1.949, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_a_larger_model_is_never_below_one_it_contains(seed):
    rng = np.random.default_rng(seed)
    y = np.exp(np.cumsum(rng.normal(0, 0.05, 36))) * (1 + 0.2 * np.tile(rng.normal(size=4), 9)) * 50
    fits = fit_all(y, 4, FAMILY)
    for large in fits:
        for small in fits:
            if is_contained(small.spec, large.spec) and small.spec.error == large.spec.error:
                assert large.loglik > small.loglik - 1e-6, f"{large.spec} below {small.spec}"


@pytest.mark.parametrize("name", ["airmiles", "austourists", "USAccDeaths"])
def test_initial_states_are_sane(name, classics):
    y, m = classics[name], SEASONS.get(name, 1)
    head = y[: max(10, 2 * m)]
    for fit in fit_all(y, m, admitted(y, m, FAMILY)):
        params = params_of(fit, "aicc")
        assert head.min() - np.ptp(head) <= params["level"] <= head.max() + np.ptp(head)
        if fit.spec.error == "mul":
            assert params["level"] > 0
        if fit.spec.seasonal:
            assert params["seasonals"].mean() == pytest.approx(float(fit.spec.seasonal == "mul"), abs=1e-9 * y.mean())


def test_rows_that_are_few_allow_small_models_only():
    rng = np.random.default_rng(0)
    names = {n: {spec[:4] for spec in admitted(rng.random(n) + 1, 4, FAMILY)} for n in (3, 4, 5, 7, 8, 9, 13)}
    assert names[3] == set() and names[4] == names[5] == {("add", None, False, None), ("mul", None, False, None)}
    assert ("add", "add", False, None) in names[7] and ("add", "add", True, None) not in names[7]
    assert ("add", None, False, "add") not in names[8] and ("add", None, False, "add") in names[9]
    assert len(names[13]) == 15


def test_what_multiplies_needs_positive_values_and_a_season_two_whole_ones():
    assert {spec.error for spec in admitted(np.arange(40.0), 4, FAMILY)} == {"add"}
    assert not any(spec.seasonal for spec in admitted(np.arange(1.0, 24.0), 12, FAMILY))
    assert not any(spec.seasonal for spec in admitted(np.arange(1.0, 24.0), 1, FAMILY))


def test_a_model_whose_relative_errors_would_change_the_sign_is_not_chosen():
    y = np.exp(np.random.default_rng(1).normal(0, 2, 40))
    fits = fit_all(y, 1, admitted(y, 1, FAMILY))
    assert max(fit.sigma for fit in fits if fit.found.relative) > 0.5
    assert chosen(fits, "aicc").sigma <= 0.5 or not chosen(fits, "aicc").found.relative


def test_the_likelihood_is_of_the_data_as_given(classics):
    y = classics["nhtemp"]
    for one, other in zip(fit_all(y, 1, FAMILY[::3]), fit_all(1024 * y, 1, FAMILY[::3]), strict=True):
        assert other.loglik == pytest.approx(one.loglik - 60 * np.log(1024), abs=1e-9)
        np.testing.assert_array_equal(one.x, other.x)


def test_criteria_order_and_scales():
    fit = Fit(None, None, None, -10.0, 1.0, 4, 3, 0.0, 1.0)
    assert criterion(fit, "aicc") == np.inf and criterion(fit, "bic") == pytest.approx(20 + 3 * np.log(4))
    assert best_first([np.zeros(1), np.ones(1)], [np.inf, 3.0])[0] == 1
    assert scale_of(np.array([1.0, np.nan, 3.0]), True) == (0.0, 2.0)
    with pytest.raises(ValueError, match="could be fitted"):
        chosen([], "aicc")
