"""Stepwise search over orders of seasonal ARMA models."""

from collections.abc import Callable, Iterator

from tsformers.forecasters.local.arima.fits import Fit, Order

MAX_MODELS = 94  # fitted in one search, as in R's forecast package


def neighbours(order: Order) -> Iterator[Order]:
    """Orders one step away: each of the four by one, both of a pair by one, the constant.

    Example:
        >>> len(list(neighbours(Order(1, 1, 0, 0, False))))
        17
    """
    steps = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]
    for a, b in steps:
        yield order._replace(sp=order.sp + a, sq=order.sq + b)
    for a, b in steps:
        yield order._replace(p=order.p + a, q=order.q + b)
    yield order._replace(constant=not order.constant)


def stepwise(
    fit: Callable[[Order, Fit | None], Fit | None],
    allowed: Callable[[Order], bool],
    tops: tuple[int, ...],
    constant: bool,
) -> list[Fit]:
    """All models fitted on a descent in AICc from five small ones, the best first.

    Args:
        fit: the model of an order, begun from another model's coefficients; None where there is none.
        allowed: whether an order is within the limits.
        tops: highest p, q, P and Q.
        constant: whether the first models have a constant.

    Returns:
        At least one.

    Raises:
        ValueError: no model is stationary and invertible.

    Example:
        >>> import numpy as np
        >>> toy = lambda order, parent: Fit(order, np.zeros(0), 0.0, abs(order.p - 3) + order.q + 0.0)
        >>> stepwise(toy, lambda order: 0 <= order.p <= 5 and order.q >= 0, (5, 5, 0, 0), False)[0].order.p
        3

    Source: Hyndman & Khandakar (2008), Automatic time series forecasting: the forecast package for R, section 3.2.
    """
    sizes = [(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1), (2, 2, 1, 1)]
    capped = [[min(size, top) for size, top in zip(one, tops, strict=True)] for one in sizes]
    first = [Order(p, q, sp, sq, constant) for p, q, sp, sq in capped]
    tried: dict[Order, Fit | None] = {}
    best: Fit | None = None
    strict = False

    def better(order: Order) -> bool:
        nonlocal best
        if order not in tried and allowed(order) and len(tried) < MAX_MODELS:
            tried[order] = fit(order, best)
        found = tried.get(order)
        if found is None or (best is not None and (found.aicc >= best.aicc or (strict and not found.admissible))):
            return False
        best = found
        return True

    for order in (*first, first[0]._replace(constant=False)):
        better(order)
    while best is not None and any(better(order) for order in neighbours(best.order)):
        pass
    if best is not None and not best.admissible:  # once more from the best one that may be kept
        strict = True
        best = min((one for one in tried.values() if one and one.admissible), key=lambda one: one.aicc, default=None)
        while best is not None and any(better(order) for order in neighbours(best.order)):
            pass
    found = sorted((one for one in tried.values() if one and one.admissible), key=lambda one: one.aicc)
    if not found:
        raise ValueError("no ARIMA model of the search is stationary and invertible")
    return found
