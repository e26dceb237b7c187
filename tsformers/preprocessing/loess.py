"""STL and MSTL of packed series, by statsmodels."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from tsformers.data.packed.classical_decomposition import PackedSeries, Parts, moving_average
from tsformers.parallel import each

LOESS_CYCLES = 7  # that a seasonal value of STL is averaged over


def loess(series: PackedSeries, periods: Sequence[int], n_jobs: int | None, verbose: bool | None) -> Parts:
    """STL of each series, with several periods MSTL; missing values are interpolated linearly for it.

    Args:
        series: N of them.
        periods: rows of each season, rising; those of which a series has fewer than two are left out for it. A series
            for which none is left gets its moving average.
        n_jobs: processes, in joblib's counting.
        verbose: progress bar; None: on a terminal.

    Returns:
        Trend and a seasonal column for each period.

    Example:
        >>> series = PackedSeries(np.tile([1.0, -1.0], 20), np.array([0, 40]), np.zeros(1, dtype=int))
        >>> loess(series, [2], 1, False).seasonal[:2, 0].round(6).tolist()
        [1.0, -1.0]

    Source: Cleveland et al. (1990), STL; Bandara, Hyndman & Bergmeir (2021), MSTL; statsmodels.
    """
    parts = moving_average(series, 1)
    parts = Parts(parts.trend, np.zeros((len(series.y), len(periods))))
    spans = [slice(*span) for span in zip(series.offsets[:-1], series.offsets[1:], strict=True)]
    tasks = [span for span in spans if span.stop - span.start >= 2 * periods[0] and np.isfinite(series.y[span]).any()]
    found = each(partial(_loess_of_one, tuple(periods)), [series.y[span] for span in tasks], n_jobs, "STL", verbose)
    for span, (trend, seasonal) in zip(tasks, found, strict=True):
        parts.trend[span], parts.seasonal[span] = trend, seasonal
    return parts


def _loess_of_one(periods: tuple[int, ...], y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trend (T,) and seasons (T, M) of one series, by statsmodels."""
    from statsmodels.tsa.seasonal import MSTL, STL

    row, observed = np.arange(len(y)), np.isfinite(y)
    y = np.interp(row, row[observed], y[observed])
    fit = [period for period in periods if len(y) >= 2 * period + 1 or period == periods[0]]
    seasonal = np.zeros((len(y), len(periods)))
    if len(fit) == 1:
        found = STL(y, period=fit[0]).fit()
        seasonal[:, 0] = found.seasonal
    else:
        found = MSTL(y, periods=fit).fit()
        seasonal[:, : len(fit)] = found.seasonal
    return np.asarray(found.trend), seasonal
