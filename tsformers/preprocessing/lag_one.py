"""The lag-1 autocorrelation rho of errors: regression on neighbours, and errors with and without the adjustment."""

import numpy as np
from jaxtyping import Float

from tsformers.data.panel import Panel
from tsformers.preprocessing.adjusted_network import summed_up


def neighbours(panel: Panel, values: Float[np.ndarray, " R"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of neighbouring rows within a history.

    Args:
        panel: N series in R rows.
        values: one a row.

    Returns:
        Later value, earlier value and series of each pair.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": [*"aab"], "ds": [0, 1, 0], "y": [5.0, 6.0, 7.0]})
        >>> panel = Panel.from_frame(frame, freq=1)
        >>> neighbours(panel, panel.y)
        (array([6.]), array([5.]), array([0]))
    """
    owner = panel.owner
    inside = (owner[1:] == owner[:-1]) & panel.in_history[1:]
    return values[1:][inside], values[:-1][inside], owner[1:][inside]


def lag_one_regression(
    now: np.ndarray, earlier: np.ndarray, owner: np.ndarray, n_series: int, per_series: bool
) -> Float[np.ndarray, " N"]:
    """Least squares of errors on the errors before them.

    Args:
        now: errors, NaN = missing.
        earlier: the error before each.
        owner: the series of each pair.
        n_series: N.
        per_series: one rho a series, the mean of all for a series without a pair; False: one for all, the mean of
            theirs weighted by their pairs, so that each series counts in its own units.

    Returns:
        N numbers, or one.

    Example:
        >>> now, earlier, owner = np.array([1.0, 2.0, -3.0]), np.array([2.0, 4.0, 3.0]), np.array([0, 0, 1])
        >>> lag_one_regression(now, earlier, owner, 2, True), lag_one_regression(now, earlier, owner, 2, False)
        (array([ 0.5, -1. ]), array([0.]))
    """
    observed = np.isfinite(now) & np.isfinite(earlier)
    now, earlier, owner = now[observed], earlier[observed], owner[observed]
    cross = np.bincount(owner, now * earlier, minlength=n_series)
    power = np.bincount(owner, earlier**2, minlength=n_series)
    known = power > 0
    rho = np.divide(cross, power, out=np.zeros(n_series), where=known)
    if per_series:
        return np.where(known, rho, rho[known].mean() if known.any() else 0.0)
    count = np.bincount(owner, minlength=n_series)
    return np.array([np.average(rho[known], weights=count[known]) if known.any() else 0.0])


def unadjusted_errors(new: Float[np.ndarray, "K N"], rho: Float[np.ndarray, " N"]) -> Float[np.ndarray, "K N"]:
    """Errors without the adjustment, from the innovations: ``e[k] = u[k] + rho e[k-1]``.

    Args:
        new: innovations u; missing ones count as 0, those before the first are missing in the answer.
        rho: of each series.

    Returns:
        The errors e.

    Example:
        >>> unadjusted_errors(np.array([[1.0], [0.0], [2.0]]), np.array([0.5]))[:, 0]
        array([1.  , 0.5 , 2.25])
    """
    begun = np.logical_or.accumulate(np.isfinite(new), axis=0)
    return np.where(begun, summed_up(np.nan_to_num(new).T, rho[:, None], np.zeros((1, 1))).T, np.nan)


def history_means(panel: Panel) -> Float[np.ndarray, " N"]:
    """Mean of each history; 0 without a value.

    Example:
        >>> import pandas as pd
        >>> history_means(Panel.from_frame(pd.Series([1.0, np.nan, 5.0], name="a")))
        array([3.])
    """
    owner = panel.owner
    observed = np.isfinite(panel.y) & panel.in_history
    count = np.bincount(owner[observed], minlength=panel.n_series)
    return np.bincount(owner[observed], panel.y[observed], minlength=panel.n_series) / np.maximum(count, 1)


def last_observed(panel: Panel) -> Float[np.ndarray, " N"]:
    """Last observed value of each history; 0 without one.

    Example:
        >>> import pandas as pd
        >>> last_observed(Panel.from_frame(pd.Series([1.0, 5.0, np.nan], name="a")))
        array([5.])
    """
    owner = panel.owner
    observed = np.flatnonzero(np.isfinite(panel.y) & panel.in_history)
    last = np.zeros(panel.n_series)
    last[owner[observed]] = panel.y[observed]  # the last assignment stays
    return last
