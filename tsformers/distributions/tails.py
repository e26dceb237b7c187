"""Tail probabilities of a value under its predictive distribution: both, as logarithms, each computed as such."""

import math

import numpy as np
from jaxtyping import Float

import tsformers.distributions.kernels as kernels
from tsformers.distributions.marginals import Marginals
from tsformers.errors import TsformersError
from tsformers.messages import Either, Setting

LEAST_DRAWS = 10


def log_tails(
    y: Float[np.ndarray, " M"],
    marginals: Marginals,
    *,
    uniform: Float[np.ndarray, " M"] | None = None,
    shape: float | None = None,
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Natural logarithms of ``P(X >= y)`` and ``P(X <= y)``.

    ``PredictiveP`` says what the distribution is between and beyond draws or quantiles.

    Args:
        y: of M rows.
        marginals: of the same rows.
        uniform: in (0, 1), where values are whole numbers: the tails are ``P(X > y) + U P(X = y)`` and its complement.
            None: values are continuous.
        shape: of generalised-Pareto tails; None: fitted to draws, 0 for quantiles.

    Returns:
        Upper and lower tails, (M,) each; NaN where ``y`` or its row of ``marginals`` is NaN.

    Raises:
        ValueError: fewer than 10 draws, or a point forecast.

    Example:
        >>> marginals = Marginals(np.array([[0.0, 1.0]]), (0.1, 0.9))
        >>> upper, lower = log_tails(np.array([100.0]), marginals)
        >>> upper.round(2), lower < 0
        (array([-219.83]), array([ True]))
    """
    levels, edges, exceedances = _edges(marginals, shape)
    rows = np.array(marginals.values, order="C")
    if uniform is not None:
        kernels.spread_ties(rows, levels)
    mirrored = np.negative(rows[:, ::-1], order="C")
    fitted = math.nan if exceedances else 0.0

    def at(values: np.ndarray) -> np.ndarray:
        found = np.empty((2, len(values)))
        contiguous = np.ascontiguousarray(values, dtype=np.float64)
        xi = fitted if shape is None else float(shape)
        kernels.log_tails(contiguous, rows, mirrored, levels, edges, exceedances, xi, found)
        return found

    if uniform is None:
        found = at(y)
        return found[0], found[1]
    below, above = at(y - 0.5), at(y + 0.5)
    return _between(above[0], below[0], uniform), _between(below[1], above[1], 1 - uniform)


def _edges(marginals: Marginals, shape: float | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Levels of the columns, ``edges`` of the kernel, and how many draws the tail is fitted to."""
    columns = marginals.values.shape[1]
    if marginals.levels is None:
        if columns < LEAST_DRAWS:
            raise TsformersError(
                f"tails of {columns} draws cannot be fitted; draw {LEAST_DRAWS} or more with ",
                Setting("n_samples", 100, flag="detector"),
                ", or use ",
                Setting("p_value", "conformal", flag="detector"),
            )
        k = math.ceil(min(columns / 5, 3 * math.sqrt(columns)))
        edge = -math.log(columns + 1)
        return np.arange(1, columns + 1) / (columns + 1), np.array([[edge, 0.0], [edge, 0.0]]), k
    if columns < 2:
        raise TsformersError(
            "a point forecast has no tails; use ",
            Either("ConformalP(score='residual'), or a forecast with", "a forecaster whose forecasts have"),
            " a distribution",
        )
    levels = np.asarray(marginals.levels)
    upper, lower = (1 - levels[-1], 1 - levels[-2]), (levels[0], levels[1])
    edges = [[math.log(outer), _per_step(inner / outer, shape)] for outer, inner in (upper, lower)]
    return levels, np.array(edges), 0


def _per_step(ratio: float, shape: float | None) -> float:
    """Scale of the tail whose survival function falls by ``ratio`` between quantiles one apart."""
    if not shape:
        return 1 / math.log(ratio)
    return shape * ratio**shape / (ratio**shape - 1)


def _between(log_above: np.ndarray, log_with: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Logarithm of (1 - U) exp(log_above) + U exp(log_with), where ``log_with`` is the greater one."""
    gap = np.where(log_with == -np.inf, 0.0, log_above - np.where(log_with == -np.inf, 0.0, log_with))
    return log_with + np.log(uniform + (1 - uniform) * np.exp(gap))
