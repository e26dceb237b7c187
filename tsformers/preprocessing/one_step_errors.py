"""One-step errors of a forecaster within a panel, and their autocorrelation."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel
from tsformers.errors import DataError

MOST_SERIES = 25  # whose errors are computed
MOST_CUTOFFS = 60  # from each of them
DRAWS = 50  # behind each mean
LAGS = 10  # of the test


class Errors(NamedTuple):
    """Observed values less their one-step-ahead forecasts, NaN where nothing was observed."""

    ids: pd.Index
    values: np.ndarray  # (K, N), the last row is the latest


class Whiteness(NamedTuple):
    """Tests of K errors of each of N series for autocorrelation."""

    n: np.ndarray  # errors
    lag_one: np.ndarray  # autocorrelation; NaN with fewer than four errors
    p_value: np.ndarray  # of white errors, NaN likewise


def one_step_errors(
    predict: Callable[[Panel, int], Forecast], panel: Panel, horizon: int, most_series: int = MOST_SERIES
) -> Errors:
    """Errors at the last rows of each series, each forecast from the rows before it alone.

    Args:
        predict: from a panel and a number of draws to a forecast.
        panel: histories; of more than ``most_series``, that many spread over the longer half are used.
        horizon: H of the forecasts; known covariates must reach so far.
        most_series: how many series at most.

    Returns:
        Errors of at most 60 steps, and of at most half of each history; fewer where one becomes too short for the
        forecaster. NaN where a series has fewer.

    Example:
        >>> from tsformers import Theta
        >>> panel = Panel.from_frame(pd.Series(np.arange(40.0) % 4, name="a"))
        >>> model = Theta(horizon=1, season_length=4, seed=0).fit(panel)
        >>> errors = one_step_errors(lambda past, n: model.predict(past, n_samples=n), panel, horizon=1)
        >>> errors.values.shape, bool(np.abs(errors.values).max() < 0.5)
        ((19, 1), True)

    Source: textbook.
    """
    long = np.flatnonzero(panel.lengths >= np.median(panel.lengths)) if panel.n_series > most_series else None
    chosen = np.arange(panel.n_series) if long is None else long
    some = panel.select(chosen[np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), most_series)).astype(int))])
    ahead = horizon if some.schema.known else 1
    steps = np.minimum(MOST_CUTOFFS, (some.lengths - ahead) // 2)  # of each series, whatever the others have
    errors: list[np.ndarray] = []
    for k in range(int(steps.max(initial=0))):
        those = some if (steps > k).all() else some.select(steps > k)
        ends = those.ends - ahead - k
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # warned of at fit already
                with silence_accepted():
                    forecast = predict(those.until(ends, horizon), DRAWS)
        except DataError:  # from here on histories are too short for the forecaster
            break
        at = those.ids.get_indexer(forecast.ids)
        errors.append(np.full(some.n_series, np.nan))
        errors[-1][some.ids.get_indexer(forecast.ids)] = those.y[ends[at]] - forecast.mean[:, 0]
    return Errors(some.ids, np.array(errors[::-1]).reshape(-1, some.n_series))


def whiteness(errors: np.ndarray) -> Whiteness:
    """Lag-1 autocorrelation and the Ljung-Box test over ten lags, for each column of errors (K, N).

    Example:
        >>> found = whiteness(np.tile([1.0, -1.0], 20)[:, None])
        >>> found.n.tolist(), found.lag_one.round(3).tolist(), bool(found.p_value[0] < 1e-6)
        ([40], [-0.975], True)

    Source: Ljung & Box (1978); statsmodels.
    """
    from statsmodels.stats.diagnostic import acorr_ljungbox

    n = np.isfinite(errors).sum(axis=0)
    lag_one, p_value = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for i, column in enumerate(errors.T):
        e = column[np.isfinite(column)]
        if len(e) < 4 or e.std() == 0:
            continue
        e = e - e.mean()
        lag_one[i] = e[1:] @ e[:-1] / (e @ e)
        p_value[i] = acorr_ljungbox(e, lags=[min(LAGS, len(e) // 2 - 1)])["lb_pvalue"].iloc[0]
    return Whiteness(n, lag_one, p_value)


def autocorrelation_report(after: np.ndarray, before: np.ndarray) -> dict[str, np.ndarray]:
    """Columns that compare the autocorrelation of errors without and with an adjustment.

    Args:
        after: (K, N) errors with the adjustment.
        before: (K, N) errors without it.

    Returns:
        n_errors, lag1_before, lag1_after, ljung_box_before and ljung_box_after, (N,) each.

    Example:
        >>> errors = np.tile([1.0, 1.0, -1.0, -1.0], 10)[:, None]
        >>> report = autocorrelation_report(errors, np.sort(errors, axis=0))
        >>> report["lag1_before"].round(2), report["lag1_after"].round(2)
        (array([0.92]), array([0.02]))
    """
    left, unadjusted = whiteness(after), whiteness(before)
    return {
        "n_errors": left.n,
        "lag1_before": unadjusted.lag_one,
        "lag1_after": left.lag_one,
        "ljung_box_before": unadjusted.p_value,
        "ljung_box_after": left.p_value,
    }
