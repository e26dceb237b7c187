"""The model of a series that has the least AICc, and those near it."""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.arima.fits import ROUGHLY, Fit, Order, Sample, exact_fit, padded
from tsformers.forecasters.local.arima.stepwise import stepwise

FEWEST_PAIRS = 8  # neighbouring observed rows, without which nothing is known of the dependence from row to row
EXACT = 1e-20  # mean squared error, of data of variance 1, of a rule without noise
FINALISTS, FEW_STEPS = 2, 20  # models fitted to all rows where the search looked at less, and steps of the optimiser
NEAR, MOST_NEAR = 6.0, 6  # difference in AICc of models that count, a twentieth of the weight, and how many do


class Limits(NamedTuple):
    """Highest p and q, highest P and Q, highest sum of the four."""

    order: int
    seasonal: int
    total: int


def best_fits(sample: Sample, searched: Sample, limits: Limits) -> list[Fit]:
    """The model with the least AICc that the search finds, and those near it; a rule that explains all is alone.

    With one difference the constant is a slope, which is tried and left out; without a difference it is the mean, and
    always there, since no value of a series is known to be its natural zero; with two there is none, except where the
    differences are constant.

    Args:
        sample: data of variance 1.
        searched: ``sample``, or a cheaper one that the search looks at; the best models are then fitted to ``sample``.
        limits: of the orders.

    Returns:
        At least one fit, the best first.

    Raises:
        ValueError: no model is stationary and invertible.

    Example:
        >>> w = np.random.default_rng(3).normal(size=50)
        >>> sample = Sample(np.vstack([w, np.ones(50)]), None, 1, 1, 51)
        >>> best_fits(sample, sample, Limits(2, 0, 3))[0].order
        Order(p=0, q=0, sp=0, sq=0, constant=False)
    """
    for constant in (False, True)[sample.power == 0 :]:
        simplest = exact_fit(sample, Order(0, 0, 0, 0, constant), [np.zeros(0)])
        if simplest and simplest.mean_square < EXACT:
            return [simplest]
    observed = np.isfinite(sample.columns[0])
    together = int((observed[1:] & observed[:-1]).sum())
    top = min(limits.order, sample.rows // 3) if together >= FEWEST_PAIRS else 0
    seasonal_top = min(limits.seasonal, sample.rows // 3 // sample.season) if sample.season > 1 else 0
    tops = (top, top, seasonal_top, seasonal_top)

    def allowed(order: Order) -> bool:
        within = all(0 <= size <= most for size, most in zip(order[:4], tops, strict=True))
        constant = sample.power == 1 or order.constant == (sample.power == 0)
        return within and constant and sum(order[:4]) <= limits.total

    def fit(order: Order, parent: Fit | None) -> Fit | None:
        starts = [np.zeros(order.p + order.q + order.sp + order.sq)]
        if parent is not None and len(starts[0]):
            starts.append(padded(parent.free, parent.order, order))
        return exact_fit(searched, order, starts if searched.lags is None else starts[-1:], ROUGHLY)

    found = stepwise(fit, allowed, tops, sample.power < 2)
    if searched is sample:
        found[0] = exact_fit(sample, found[0].order, [found[0].free]) or found[0]
    else:
        again = [exact_fit(sample, one.order, [one.free], ROUGHLY, FEW_STEPS) for one in found[:FINALISTS]]
        found = sorted((one for one in again if one and one.admissible), key=lambda one: one.aicc) or found
    return [one for one in found[:MOST_NEAR] if one.aicc <= found[0].aicc + NEAR]
