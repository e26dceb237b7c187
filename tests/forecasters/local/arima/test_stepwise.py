"""The walk over orders."""

import numpy as np
import pytest

from tsformers.forecasters.local.arima.fits import Fit, Order
from tsformers.forecasters.local.arima.stepwise import MAX_MODELS, neighbours, stepwise


def test_neighbours_differ_by_one_step():
    for order in neighbours(Order(2, 1, 1, 0, True)):
        moves = np.abs(np.array(order[:4]) - [2, 1, 1, 0])
        assert moves.max() <= 1 and (moves.sum() == 0) == (order.constant is False)


def walk(aicc, admissible=lambda order: True, tops=(5, 5, 2, 2), constant=True):
    tried = []

    def fit(order, parent):
        tried.append(order)
        return Fit(order, np.zeros(0), 0.0, aicc(order), 1.0, admissible(order))

    def allowed(order):
        return all(0 <= size <= top for size, top in zip(order[:4], tops, strict=True))

    return stepwise(fit, allowed, tops, constant), tried


def test_the_least_value_is_reached_and_no_model_fitted_twice():
    found, tried = walk(
        lambda order: abs(order.p - 4) + abs(order.q - 1) + abs(order.sq - 2) + order.sp + order.constant
    )
    assert found[0].order == Order(4, 1, 0, 2, False)
    assert len(tried) == len(set(tried)) <= MAX_MODELS


def test_models_without_the_constant_are_among_the_first():
    _, tried = walk(lambda order: float(sum(order[:4])))
    assert Order(0, 0, 0, 0, False) in tried[:5] and Order(0, 0, 0, 0, True) in tried[:5]


def test_the_walk_passes_through_models_that_may_not_be_kept():
    found, _ = walk(lambda order: 9.0 - order.p, lambda order: order.p in (0, 5))
    assert found[0].order.p == 5 and all(fit.admissible for fit in found)


def test_the_best_that_may_be_kept_has_no_better_neighbour():
    found, tried = walk(lambda order: abs(order.p - 3) + order.q, lambda order: order.p != 3)
    assert found[0].order[:2] in ((2, 0), (4, 0))
    assert set(neighbours(found[0].order)) & {Order(2, 0, 0, 0, True), Order(4, 0, 0, 0, True)} <= set(tried)


def test_no_model_at_all_is_named():
    with pytest.raises(ValueError, match="no ARIMA model of the search is stationary and invertible"):
        walk(lambda order: 0.0, lambda order: False)
