"""Whether one forecast beats another by more than chance: the Diebold-Mariano test."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real


class PairedTest(NamedTuple):
    """A test of equal accuracy of two forecasts.

    Args:
        mean: mean difference of the losses, negative where the first forecast is better.
        statistic: the mean over its standard error, corrected for small samples.
        p_value: two-sided; NaN where the differences say nothing: one alone, all the same number, or all overlapping.
    """

    mean: float
    statistic: float
    p_value: float


def diebold_mariano(loss: Real[np.ndarray, "..."], other: Real[np.ndarray, "..."], horizon: int = 1) -> PairedTest:
    """Diebold-Mariano test of equal accuracy, with the correction of Harvey, Leybourne and Newbold.

    Of the differences ``d_t = loss_t - other_t`` of T forecasts in order of time, the mean is divided by the root of
    ``(g_0 + 2 g_1 + ... + 2 g_(h-1)) / T``, g being autocovariances: forecasts that overlap h - 1 others have errors
    correlated up to that lag. Where that sum is not positive, Bartlett weights ``1 - k/h`` stand before the g, as in
    Newey and West. The statistic is multiplied by the root of ``(T + 1 - 2h + h(h - 1)/T) / T`` and compared with
    Student's t of T - 1 degrees of freedom, which matters where T is small.

    Args:
        loss: (T,) of the first forecast, one number a time; NaN = not compared.
        other: (T,) of the second one, at the same times.
        horizon: h, steps ahead of the forecasts in units of the distance between two of them; 1 = no overlap.

    Returns:
        Mean difference, statistic and p-value.

    Raises:
        ValueError: the shapes differ, or ``horizon`` is below 1.

    Example:
        >>> test = diebold_mariano(np.array([1.0, 2.0, 3.0, 2.0]), np.array([2.0, 2.0, 5.0, 3.0]))
        >>> round(test.statistic, 4), round(test.p_value, 4)
        (-2.4495, 0.0917)

    Source: Diebold & Mariano (1995), section 1; Harvey, Leybourne & Newbold (1997), eq. 9; Newey & West (1987), eq. 5.
    """
    one, two = np.asarray(loss, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if one.ndim != 1 or one.shape != two.shape:
        raise ValueError(f"loss has shape {one.shape} and other {two.shape}; give both one number a time")
    if horizon < 1:
        raise ValueError(f"horizon must be 1 or more, 1 where forecasts do not overlap; got {horizon!r}")
    difference = one - two
    difference = difference[~np.isnan(difference)]
    n = len(difference)
    mean = float(difference.mean()) if n else float("nan")
    variance = _variance_of_mean(difference, min(horizon, n)) if n > 1 else 0.0
    h = min(horizon, n)
    correction = (n + 1 - 2 * h + h * (h - 1) / n) / n if n else 0.0
    if variance <= 0 or correction <= 0:
        return PairedTest(mean, float("nan"), float("nan"))
    from scipy.stats import t  # slow to import

    statistic = float(mean / np.sqrt(variance) * np.sqrt(correction))
    return PairedTest(mean, statistic, float(2 * t.sf(abs(statistic), n - 1)))


def _variance_of_mean(difference: Float[np.ndarray, " T"], h: int) -> float:
    """Variance of the mean of correlated numbers; 0 where they are all the same."""
    n, centred = len(difference), difference - difference.mean()
    if np.abs(centred).max() <= 1e-12 * np.abs(difference).max():
        return 0.0
    covariances = np.array([centred[k:] @ centred[: n - k] for k in range(h)]) / n
    weights = np.full(h, 2.0)
    weights[0] = 1.0
    variance = float(weights @ covariances) / n
    if variance > 0:
        return variance
    return float((weights * (1 - np.arange(h) / h)) @ covariances) / n
