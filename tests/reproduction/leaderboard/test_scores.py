"""Scores of a panel by hand and beside tsf.score."""

import numpy as np
import pandas as pd
import pytest

from tsformers import Panel, SeasonalNaive, score
from tsformers.evaluation.rolling import backtest
from tsformers.reproduction.leaderboard.scores import (
    DECILES,
    Answers,
    answers_of,
    averaged,
    completed,
    panel_scores,
    seasonal_scales,
)
from tsformers.testing import make_frame

LEVELS = (0.025, *DECILES, 0.975)


def answers(y, quantiles, series=None):
    y, quantiles = np.asarray(y, dtype=float), np.asarray(quantiles, dtype=float)
    series = np.arange(len(y)) if series is None else np.asarray(series)
    return Answers(series, np.zeros(len(y), dtype=int), y, quantiles)


def test_by_hand_one_quantile_function_that_is_a_point():
    """All quantiles 1 and truths 3 and 0: twice the pinball losses average .5 * 2 error = 2 and 1 over the deciles."""
    found = panel_scores(answers([[3.0], [0.0]], np.ones((2, 11, 1))), LEVELS, np.array([[4.0], [0.5]]))
    assert found["wql"] == pytest.approx((2 + 1) / 3)
    assert found["scaled_crps"] == pytest.approx((2 / 4 + 1 / 0.5) / 2)
    assert found["mase"] == pytest.approx((2 / 4 + 1 / 0.5) / 2)
    assert found["coverage_80"] == found["coverage_95"] == 0


def test_weights_of_levels_are_those_of_the_pinball_loss():
    q = np.zeros((1, 11, 1))
    q[0, LEVELS.index(0.9)] = 5.0
    found = panel_scores(answers([[1.0]], q), LEVELS, np.array([[1.0]]))
    by_level = [2 * a * 1.0 for a in DECILES[:-1]] + [2 * 0.1 * 4.0]
    assert found["wql"] == pytest.approx(np.mean(by_level))


def test_missing_values_and_series_without_a_scale_do_not_count():
    y = [[1.0, np.nan], [np.nan, np.nan], [2.0, 2.0]]
    found = panel_scores(answers(y, np.zeros((3, 11, 2))), LEVELS, np.array([[1.0], [1.0], [0.0]]))
    assert found["scaled_crps"] == pytest.approx(1.0)
    assert found["wql"] == pytest.approx(1.0)
    assert found["coverage_80"] == 0 and found["answers"] == 3


def test_intervals_include_their_ends():
    q = np.repeat(np.array(LEVELS)[None, :, None], 2, axis=0)
    found = panel_scores(answers([[0.1], [0.95]], q), LEVELS, np.ones((2, 1)))
    assert (found["coverage_80"], found["coverage_95"]) == (0.5, 1.0)


def test_scores_are_those_of_tsf_score_where_it_has_them():
    df = make_frame()
    model = SeasonalNaive(horizon=5, season_length=4)
    result = backtest(model, df, windows=1, n_samples=300, quantiles=LEVELS, metrics=["mase"], season_length=4)
    panel = Panel.from_frame(df)
    scales = seasonal_scales(panel, 5, 1, 4)
    table = result.tables["forecasts"]
    found = panel_scores(answers_of(table, "y", LEVELS, 5), LEVELS, scales)
    assert found["mase"] == pytest.approx(result.summary()["mase"][0], rel=1e-9)


def test_wql_of_a_panel_is_that_of_score():
    df = make_frame()
    panel = Panel.from_frame(df)
    past = panel.until(panel.ends - 5)
    forecast = SeasonalNaive(horizon=5).fit(past).predict(n_samples=300, seed=0)
    table = score(forecast, df, metrics=["wql", "coverage_80"]).set_index("metric")["value"]
    y = panel.y[(panel.ends - 5)[:, None] + np.arange(5)]
    found = panel_scores(answers(y, forecast.quantile(LEVELS)), LEVELS, np.ones((3, 1)))
    assert found["wql"] == pytest.approx(table["wql"]) and found["coverage_80"] == pytest.approx(table["coverage_80"])


def test_scales_are_of_all_rows_before_each_cutoff_with_inner_gaps_interpolated():
    y = [np.nan, 1.0, 3.0, np.nan, 7.0, 8.0, 20.0, 40.0]
    panel = Panel.from_frame(pd.Series(y, name="a"))
    filled = np.array([1.0, 3.0, 5.0, 7.0, 8.0, 20.0, 40.0])
    found = seasonal_scales(panel, horizon=1, windows=2, season=2)
    assert found.tolist() == [[np.abs(filled[2:5] - filled[:3]).mean(), np.abs(filled[2:6] - filled[:4]).mean()]]


def test_a_series_without_history_has_no_scale():
    assert np.isnan(seasonal_scales(Panel.from_frame(pd.Series([1.0, 2.0], name="a")), 1, 1, 1)).all()


def test_an_average_is_over_what_all_members_have_in_one_order():
    one = answers([[1.0], [2.0], [3.0]], np.arange(3.0)[:, None, None] * np.ones((3, 11, 1)), series=[0, 1, 2])
    two = answers([[3.0], [1.0]], np.array([10.0, 20.0])[:, None, None] * np.ones((2, 11, 1)), series=[2, 0])
    found = averaged([one, two])
    assert found.series.tolist() == [0, 2] and found.y.ravel().tolist() == [1.0, 3.0]
    assert found.quantiles[:, 0, 0].tolist() == [10.0, 6.0]


def test_rows_of_a_backtest_come_in_the_order_of_windows_and_series():
    rows = {"series": [1, 1, 0, 0], "window": [0, 0, 0, 0], "y": [3.0, 4.0, 1.0, 2.0], "q0.5": [7.0, 8.0, 5.0, 6.0]}
    found = answers_of(pd.DataFrame(rows), "y", [0.5], 2)
    assert found.series.tolist() == [0, 1] and found.y.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.quantiles.tolist() == [[[5.0, 6.0]], [[7.0, 8.0]]]


def test_what_was_left_out_is_answered_by_the_other_model():
    own = answers([[1.0], [2.0]], np.ones((2, 11, 1)), series=[0, 2])
    other = answers([[1.0], [5.0], [2.0]], np.full((3, 11, 1), 9.0), series=[0, 1, 2])
    found = completed(own, other)
    assert found.series.tolist() == [0, 1, 2] and found.y.ravel().tolist() == [1.0, 5.0, 2.0]
    assert found.quantiles[:, 0, 0].tolist() == [1.0, 9.0, 1.0]
