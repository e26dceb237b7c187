"""Stepwise search over orders of seasonal ARMA models, by exact likelihood."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

SMALLEST_ROOT = 1.01  # Hyndman & Khandakar (2008), section 3.2: no nearly non-stationary or non-invertible model
FEWEST_PAIRS = 8  # neighbouring observed rows, without which nothing is known of the dependence from row to row
EXACT = 1e-20  # mean squared error, of data of variance 1, of a rule without noise
MAX_MODELS = 94  # fitted in one search, as in R's forecast package
STEPS = 60  # of the optimiser
LEAST_SQUARE = 1e-24  # mean squared error, of data of variance 1, that counts as none


class Order(NamedTuple):
    """What the search varies: orders of autoregression and moving average, non-seasonal and seasonal; a constant."""

    p: int
    q: int
    sp: int
    sq: int
    constant: bool


class Sample(NamedTuple):
    """The data of one search.

    With ``gaps`` the columns are not differenced, ``lags`` (d + D m,) says how the filter does it, and NaN in the first
    one is a missing value; else they are differenced, and ``lags`` is empty.
    """

    columns: np.ndarray  # (2 + K, n) the series, K regressors, the constant
    lags: np.ndarray
    season: int
    gaps: bool
    power: int  # d + D
    rows: int  # observed values before differencing


class Limits(NamedTuple):
    """Highest p and q, highest P and Q, highest sum of the four."""

    order: int
    seasonal: int
    total: int


class Fit(NamedTuple):
    """One model: its order, free numbers (their tanh are partial autocorrelations), log-likelihood and AICc."""

    order: Order
    free: np.ndarray
    loglik: float
    aicc: float
    mean_square: float = 1.0  # of the errors, in the unit of the data, times the geometric mean of their variances


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

    def better(order: Order) -> bool:
        nonlocal best
        if order in tried or not allowed(order) or len(tried) >= MAX_MODELS:
            return False
        found = tried[order] = fit(order, best)
        if found is None or (best is not None and found.aicc >= best.aicc):
            return False
        best = found
        return True

    for order in (*first, first[0]._replace(constant=False)):
        better(order)
    while best is not None and any(better(order) for order in neighbours(best.order)):
        pass
    found = sorted((one for one in tried.values() if one), key=lambda one: one.aicc)
    if not found:
        raise ValueError("no ARIMA model of the search is stationary and invertible")
    return found


def padded(free: np.ndarray, order: Order, other: Order) -> np.ndarray:
    """The free numbers of a model as those of ``other``: what a longer polynomial adds is 0, what is over is left out.

    Example:
        >>> padded(np.array([0.1, 0.2]), Order(1, 1, 0, 0, True), Order(2, 1, 0, 0, True)).tolist()
        [0.1, 0.0, 0.2]
    """
    parts = np.split(free, np.cumsum(order[:4])[:-1])
    kept = [np.r_[part[:size], np.zeros(max(size - len(part), 0))] for part, size in zip(parts, other[:4], strict=True)]
    return np.concatenate(kept)


def is_admissible(free: np.ndarray, order: Order) -> bool:
    """Whether all roots of all four polynomials lie outside the circle of radius ``SMALLEST_ROOT``.

    Example:
        >>> [is_admissible(np.array([free]), Order(1, 0, 0, 0, True)) for free in (0.5, 3.0)]
        [True, False]
    """
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    first = 0
    for size in order[:4]:
        shrunk = kernels.stationary(free, first, size) * SMALLEST_ROOT ** np.arange(1, size + 1)
        first += size
        while len(shrunk):  # downwards through the orders: each last coefficient is a partial autocorrelation
            last = shrunk[-1]
            if not abs(last) < 1.0:
                return False
            shrunk = (shrunk[:-1] + last * shrunk[-2::-1]) / (1.0 - last * last) if len(shrunk) > 1 else shrunk[:0]
    return True


def exact_fit(sample: Sample, order: Order, starts: list[np.ndarray]) -> Fit | None:
    """The model of an order with the greatest likelihood that is reached from any of ``starts``; None near a unit root.

    Args:
        sample: data of variance 1 or differences of such.
        order: p, q, P, Q and the constant.
        starts: free numbers (k,) to begin with.

    Returns:
        The fit; its AICc counts coefficients and the variance, and the rows that are left by differencing.
    """
    import tsformers.forecasters.local.arima.fit_kernels as kernels

    columns = sample.columns if order.constant else sample.columns[:-1]
    sizes = np.array(order[:4])
    best, least, used = starts[0], np.inf, 0
    for start in starts:
        free = start.copy()
        total, rows, _ = kernels.maximised(free, sizes, sample.season, sample.lags, sample.gaps, columns, STEPS)
        if total < least:
            best, least, used = free, total, rows
    k = len(best) + len(columns)
    if not np.isfinite(least) or used - k - 1 <= 0 or not is_admissible(best, order):
        return None
    loglik = -0.5 * used * (np.log(2 * np.pi * max(least / used, LEAST_SQUARE)) + 1)
    return Fit(order, best, loglik, -2 * loglik + 2 * k * used / (used - k - 1), least / used)


def best_fit(sample: Sample, limits: Limits) -> Fit:
    """The model with the least AICc that the search finds; a rule that explains all is taken at once.

    With one difference the constant is a slope, which is tried and left out; without a difference it is the mean, and
    always there, since no value of a series is known to be its natural zero; with two there is none, except where the
    differences are constant.

    Args:
        sample: data of variance 1.
        limits: of the orders.

    Returns:
        The fit.

    Raises:
        ValueError: no model is stationary and invertible.

    Example:
        >>> w = np.random.default_rng(1).normal(size=50)
        >>> best_fit(Sample(np.vstack([w, np.ones(50)]), np.zeros(0), 1, False, 1, 51), Limits(2, 0, 3)).order
        Order(p=0, q=0, sp=0, sq=0, constant=False)
    """
    for constant in (False, True)[sample.power == 0 :]:
        simplest = exact_fit(sample, Order(0, 0, 0, 0, constant), [np.zeros(0)])
        if simplest and simplest.mean_square < EXACT:
            return simplest
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
        return exact_fit(sample, order, starts)

    return stepwise(fit, allowed, tops, sample.power < 2)[0]
