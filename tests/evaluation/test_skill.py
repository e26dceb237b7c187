"""Skill with its intervals: clipped ratios, medians, win rates, the bootstrap, tests against the best."""

import numpy as np
import pandas as pd
import pytest

from tsformers.evaluation.skill import clipped, geometric_skill, paired_tests, score_ratios, skill_table


def losses(**columns):
    """Losses of series 0, 1, ... in windows 0, 1, ...: one list a series."""
    n, w = np.shape(next(iter(columns.values())))
    rows = pd.MultiIndex.from_product([range(n), range(w)], names=["series", "window"])
    return pd.DataFrame({name: np.ravel(values) for name, values in columns.items()}, index=rows)


def test_ratios_are_of_means_over_the_windows_that_both_finished():
    table = losses(naive=[[1.0, 3.0], [2.0, np.nan]], mine=[[1.0, 1.0], [1.0, 100.0]])
    assert score_ratios(table, "naive")["mine"].tolist() == [0.5, 0.5]


def test_a_dead_series_does_not_rule_the_geometric_mean_and_is_counted():
    ratios = pd.DataFrame({"mine": [0.85, 0.85, 4e-5, np.inf]})
    expected = 1 - (0.85**2 * 0.01 * 100) ** 0.25
    assert geometric_skill(ratios)["mine"] == pytest.approx(expected)
    row = skill_table(ratios).loc["mine"]
    assert (row["clipped"], row["series"]) == (2, 4)
    assert row["median_skill"] == pytest.approx(1 - 0.85)
    assert row["win_rate"] == 0.75
    assert clipped(ratios)["mine"].tolist() == [0.85, 0.85, 0.01, 100.0]


def test_ties_count_half_and_missing_ratios_do_not_count():
    ratios = pd.DataFrame({"naive": [1.0, 1.0, 1.0], "mine": [0.5, 1.0, np.nan]})
    table = skill_table(ratios)
    assert table["win_rate"].tolist() == [0.5, 0.75] and table["series"].tolist() == [3, 2]


def test_the_interval_is_that_of_a_plain_bootstrap_and_repeats():
    ratios = pd.DataFrame({"mine": np.exp(np.random.default_rng(3).normal(-0.2, 0.5, 50))})
    rng, plain = np.random.default_rng(7), []
    for _ in range(1000):
        chosen = ratios["mine"].to_numpy()[rng.integers(0, 50, 50)]
        plain.append(1 - np.exp(np.log(chosen).mean()))
    row = skill_table(ratios, seed=7).loc["mine"]
    assert [row["skill_low"], row["skill_high"]] == pytest.approx(np.quantile(plain, [0.025, 0.975]))
    assert row["skill_low"] < row["skill"] < row["skill_high"]
    pd.testing.assert_frame_equal(skill_table(ratios, seed=7), skill_table(ratios, seed=7))


def test_one_series_has_no_interval():
    row = skill_table(pd.DataFrame({"mine": [0.5]})).loc["mine"]
    assert np.isnan(row["skill_low"]) and np.isnan(row["skill_high"]) and row["skill"] == pytest.approx(0.5)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for seed in range(60):
        ratios = pd.DataFrame({"mine": np.exp(rng.normal(-0.3, 0.4, 60))})
        row = skill_table(ratios, seed=seed).loc["mine"]
        hits += row["skill_low"] < 1 - np.exp(-0.3) < row["skill_high"]
    assert hits >= 52


def test_paired_tests_by_hand():
    """Series mean losses of both models are 1.5, 2, 2.5; so differences over them are 2/3, 1 and 6/5 in one series."""
    table = losses(best=[[1.0, 1.0, 1.0]], mine=[[2.0, 3.0, 4.0]])
    size = np.mean([1.5, 2.0, 2.5])
    d = np.array([1.0, 2.0, 3.0]) / size
    expected = d.mean() / np.sqrt(((d - d.mean()) ** 2).mean() / 3) * np.sqrt(2 / 3)
    assert paired_tests(table, "best").loc["mine", "dm"] == pytest.approx(expected)


def test_paired_tests_do_not_depend_on_the_scale_of_a_series():
    rng = np.random.default_rng(0)
    one, two = rng.gamma(2.0, size=(2, 6, 5))
    scale = 10.0 ** np.arange(6)[:, None]
    plain, scaled = (paired_tests(losses(best=one * k, mine=two * k), "best") for k in (1.0, scale))
    pd.testing.assert_frame_equal(plain, scaled)


def test_one_window_and_the_best_itself_have_no_test():
    found = paired_tests(losses(best=[[1.0], [2.0]], mine=[[2.0], [1.0]]), "best")
    assert found["p_value"].isna().all()


def test_a_series_that_both_forecast_without_error_is_a_tie():
    found = paired_tests(losses(best=[[0.0, 0.0], [1.0, 2.0]], mine=[[0.0, 0.0], [2.0, 2.0]]), "best")
    assert np.isfinite(found.loc["mine", "p_value"])
