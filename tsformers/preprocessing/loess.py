"""STL and MSTL of packed series, by statsmodels."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from tsformers.data.packed.classical_decomposition import PackedSeries, Parts, moving_average
from tsformers.parallel import each

LOESS_CYCLES = 7  # that a seasonal value of STL is averaged over


def loess(
    series: PackedSeries,
    periods: Sequence[int],
    shown: Bool[np.ndarray, "N M"],
    n_jobs: int | None,
    verbose: bool | None,
) -> Parts:
    """STL of each series, with several periods MSTL; missing values are interpolated linearly for it.

    Args:
        series: N of them.
        periods: rows of each season, rising; those of which a series has fewer than two are left out for it.
        shown: which of them each series has. A series for which none is left gets its moving average.
        n_jobs: processes, in joblib's counting.
        verbose: progress bar; None: on a terminal.

    Returns:
        Trend and a seasonal column for each period.

    Example:
        >>> series = PackedSeries(np.tile([1.0, -1.0], 20), np.array([0, 40]), np.zeros(1, dtype=int))
        >>> loess(series, [2], np.array([[True]]), 1, False).seasonal[:2, 0].round(6).tolist()
        [1.0, -1.0]

    Source: Cleveland et al. (1990), STL; Bandara, Hyndman & Bergmeir (2021), MSTL; statsmodels.
    """
    parts = moving_average(series, 1)
    parts = Parts(parts.trend, np.zeros((len(series.y), len(periods))))
    tasks = []
    for i, (first, stop) in enumerate(zip(series.offsets[:-1], series.offsets[1:], strict=True)):
        fit = tuple(m for m, p in enumerate(periods) if shown[i, m] and stop - first >= 2 * p + (m > 0))
        if fit and np.isfinite(series.y[first:stop]).any():
            tasks.append((slice(first, stop), fit))
    work = [(series.y[span], tuple(periods[m] for m in fit)) for span, fit in tasks]
    found = each(_loess_of_one, work, n_jobs, "STL", verbose)
    for (span, fit), (trend, seasonal) in zip(tasks, found, strict=True):
        parts.trend[span], parts.seasonal[span, list(fit)] = trend, seasonal
    return parts


def _loess_of_one(task: tuple[np.ndarray, tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Trend (T,) and seasons (T, M) of one series with M periods, by statsmodels."""
    from statsmodels.tsa.seasonal import MSTL, STL

    y, periods = task
    row, observed = np.arange(len(y)), np.isfinite(y)
    y = np.interp(row, row[observed], y[observed])
    found = STL(y, period=periods[0]).fit() if len(periods) == 1 else MSTL(y, periods=periods).fit()
    return np.asarray(found.trend), np.asarray(found.seasonal).reshape(len(y), len(periods))
