"""Scores of joint draws: the worked example, GluonTS's evaluator, and properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.scoring import crps_samples, crps_sum, energy_score, variogram_score, weighted_quantile_loss

seeds = st.integers(0, 2**32 - 1)
moderate = settings(max_examples=25, deadline=None)

# windows x samples x steps x series, and windows x steps x series
DRAWS = np.array(
    [
        [
            [(1, 2), (2, 3), (3, 5)],
            [(2, 2), (3, 1), (4, 4)],
            [(0, 4), (2, 2), (5, 3)],
            [(3, 1), (4, 4), (2, 2)],
            [(1, 3), (1, 5), (6, 6)],
        ],
        [
            [(2, 1), (3, 3), (1, 4)],
            [(4, 2), (5, 2), (2, 6)],
            [(3, 0), (4, 4), (3, 5)],
            [(1, 3), (2, 1), (0, 3)],
            [(2, 2), (3, 5), (4, 4)],
        ],
    ],
    dtype=float,
).transpose(0, 3, 1, 2)  # windows, series, samples, steps
TRUTH = np.array([[(2, 3), (2, 4), (4, 4)], [(3, 2), (3, 3), (2, 5)]], dtype=float).transpose(0, 2, 1)


def test_crps_sum_of_the_worked_example():
    """From ../shared/specs/protran.md, section 11 (GluonTS 0.17), printed to 16 digits."""
    assert float(crps_sum(TRUTH, DRAWS)) == pytest.approx(0.1092460881934566, rel=1e-14)
    fine = [k / 100 for k in range(1, 100)]
    assert float(crps_sum(TRUTH, DRAWS, fine)) == pytest.approx(0.1063499863499863, rel=1e-14)
    coarse = [k / 10 for k in range(1, 10)]
    assert float(crps_sum(TRUTH, DRAWS, coarse)) == pytest.approx(0.1147147147147147, rel=1e-14)
    by_samples = crps_samples(TRUTH.sum(1), DRAWS.sum(1), axis=1).sum() / TRUTH.sum()
    assert by_samples == pytest.approx(0.1135135135135135, rel=1e-14)


@pytest.mark.usefixtures("needs_gluonts")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_crps_sum_equals_that_of_the_multivariate_evaluator(rng):
    from gluonts.evaluation import MultivariateEvaluator
    from gluonts.model.forecast import SampleForecast

    y, samples = rng.normal(size=(3, 5)), rng.normal(size=(3, 40, 5))
    index = pd.period_range("2024-01-01", periods=24, freq="D")
    truth = pd.DataFrame(np.concatenate([rng.normal(size=(19, 3)), y.T]), index=index)
    theirs = SampleForecast(samples=samples.transpose(1, 2, 0), start_date=index[19])
    levels = np.round(np.arange(1, 20) * 0.05, 2)
    evaluator = MultivariateEvaluator(quantiles=levels, target_agg_funcs={"sum": np.sum}, num_workers=0)
    aggregate, _ = evaluator(iter([truth]), iter([theirs]))
    assert float(crps_sum(y, samples)) == pytest.approx(aggregate["m_sum_mean_wQuantileLoss"], rel=1e-12)


def test_a_step_with_a_gap_in_one_series_is_not_scored_by_crps_sum(rng):
    y, samples = rng.normal(size=(3, 5)), rng.normal(size=(3, 40, 5))
    without = crps_sum(np.delete(y, 2, axis=1), np.delete(samples, 2, axis=2))
    y[1, 2] = np.nan
    assert float(crps_sum(y, samples)) == pytest.approx(float(without), rel=1e-12)


def test_crps_sum_of_one_series_is_its_weighted_quantile_loss(rng):
    y, samples = rng.normal(size=(1, 6)), rng.normal(size=(1, 201, 6))
    levels = [0.1, 0.5, 0.9]
    quantiles = np.quantile(samples[0], levels, axis=0)  # 201 draws: interpolation meets the draws themselves
    expected = weighted_quantile_loss(y[0], quantiles, levels, levels_axis=0)
    assert float(crps_sum(y, samples, levels)) == pytest.approx(float(expected))


def test_a_nan_draw_makes_crps_sum_nan(rng):
    y, samples = rng.normal(size=(2, 3)), rng.normal(size=(2, 10, 3))
    samples[0, 0, 0] = np.nan
    assert np.isnan(crps_sum(y, samples))


@moderate
@given(seeds, st.sampled_from(["edf", "fair"]))
def test_the_energy_score_of_one_variable_is_the_crps(seed, estimator):
    rng = np.random.default_rng(seed)
    y, samples = rng.normal(size=(4, 1)), rng.normal(size=(4, 9, 1))
    expected = crps_samples(y[:, 0], samples[..., 0], estimator=estimator)
    np.testing.assert_allclose(energy_score(y, samples, estimator), expected, atol=1e-13)


def test_both_are_their_definitions(rng):
    y, x = rng.normal(size=4), rng.normal(size=(6, 4))
    pairs = np.linalg.norm(x[:, None] - x[None], axis=-1)
    expected = np.linalg.norm(x - y, axis=-1).mean() - pairs.mean() / 2
    assert float(energy_score(y, x)) == pytest.approx(expected, rel=1e-12)
    w = rng.random((4, 4))
    actual = np.abs(y[:, None] - y[None]) ** 0.5
    mean = (np.abs(x[:, :, None] - x[:, None, :]) ** 0.5).mean(axis=0)
    assert float(variogram_score(y, x)) == pytest.approx(((actual - mean) ** 2).sum(), rel=1e-12)
    assert float(variogram_score(y, x, weights=w)) == pytest.approx((w * (actual - mean) ** 2).sum(), rel=1e-12)


@moderate
@given(seeds, st.floats(0.1, 10))
def test_both_move_with_scale_and_ignore_a_shift_and_the_order_of_draws(seed, scale):
    rng = np.random.default_rng(seed)
    y, x = rng.normal(size=(3, 4)), rng.normal(size=(3, 7, 4))
    shuffled = rng.permutation(x, axis=1)
    np.testing.assert_allclose(energy_score(scale * y + 1, scale * shuffled + 1), scale * energy_score(y, x), rtol=1e-9)
    moved = variogram_score(scale * y + 1, scale * shuffled + 1, p=1.0)
    np.testing.assert_allclose(moved, scale**2 * variogram_score(y, x, p=1.0), rtol=1e-9)


def test_a_missing_variable_is_left_out(rng):
    y, x = rng.normal(size=(3, 4)), rng.normal(size=(3, 7, 4))
    y[0, 1], y[1] = np.nan, np.nan
    kept = [0, 2, 3]
    energy, variogram = energy_score(y, x), variogram_score(y, x)
    assert energy[0] == pytest.approx(energy_score(y[0, kept], x[0][:, kept]))
    assert variogram[0] == pytest.approx(variogram_score(y[0, kept], x[0][:, kept]))
    assert np.isnan(energy[1]) and np.isnan(variogram[1])
    assert energy[2] == energy_score(y[2], x[2])


def test_true_dependence_scores_better_than_independence(rng):
    common = rng.normal(size=(600, 41, 1))
    joint = common + 0.3 * rng.normal(size=(600, 41, 5))
    y, right = joint[:, 0], joint[:, 1:]
    wrong = rng.permuted(right, axis=1)  # same margins, no dependence
    assert energy_score(y, right).mean() < energy_score(y, wrong).mean()
    assert variogram_score(y, right).mean() < variogram_score(y, wrong).mean()
    assert float(crps_sum(y.T, right.transpose(2, 1, 0))) < float(crps_sum(y.T, wrong.transpose(2, 1, 0)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: crps_sum(np.zeros((2, 3)), np.zeros((2, 3, 3)).transpose(0, 2, 1)[:1]), "same"),
        (lambda: crps_sum(np.zeros((2, 3)), np.zeros((2, 0, 3))), "N, S, H"),
        (lambda: energy_score(np.zeros(3), np.zeros((1, 3)), estimator="fair"), "two draws"),
        (lambda: variogram_score(np.zeros(3), np.zeros((5, 3)), p=0.0), "order"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, words):
    from jaxtyping import TypeCheckError

    with pytest.raises((ValueError, TypeCheckError), match=f"{words}|typechecking"):
        call()
