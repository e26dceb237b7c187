"""What scaled errors are measured by: the seasonal naive scale and the Naive2 forecast."""

import numpy as np
from jaxtyping import Float, Real

from tsformers.scoring.averages import mean_observed, ratio

SEASONALITY_QUANTILE = 1.645  # 90% normal quantile of the M4 competition's test for seasonality


def seasonal_scale(
    history: Real[np.ndarray, "*b T"], season_length: int = 1, power: int = 1
) -> Float[np.ndarray, "*b"]:
    """What the seasonal naive forecast errs by, on average, within the history: the yardstick of scaled errors.

    ``mean |x_t - x_(t - m)|^power`` over the pairs of which both are known; where there is no such pair (a history
    shorter than a season) ``m`` is 1, as in GluonTS.

    Args:
        history: T values of each series, NaN = missing.
        season_length: m, steps in a season.
        power: 1 for ``mase`` and ``msis``, 2 for ``rmsse``.

    Returns:
        One scale a series; NaN where no two values are known.

    Raises:
        ValueError: ``season_length`` is below 1.

    Example:
        >>> seasonal_scale(np.array([[1.0, 2.0, 4.0], [np.nan, 2.0, 7.0]]), season_length=2)
        array([3., 5.])

    Source: Hyndman & Koehler (2006), section 3.
    """
    if season_length < 1:
        raise ValueError(f"season_length counts steps from 1; got {season_length}")
    past = np.asarray(history, dtype=np.float64)
    scale = _mean_change(past, season_length, power)
    unknown = np.isnan(scale)
    if season_length > 1 and unknown.any():
        scale[unknown] = _mean_change(past[unknown], 1, power)
    return scale


def scale_of(
    truth: Float[np.ndarray, "*b H"], history: Real[np.ndarray, "..."], season_length: int, power: int = 1
) -> Float[np.ndarray, "*b 1"]:
    """``seasonal_scale`` of the histories that belong to ``truth``, ready to divide by.

    Args:
        truth: observed values, time on the last axis.
        history: the same series before, time on the last axis.
        season_length: steps in a season.
        power: 1 or 2.

    Returns:
        One scale a series, its last axis of length 1.

    Raises:
        ValueError: the two do not hold the same series, or ``season_length`` is below 1.

    Example:
        >>> scale_of(np.zeros((1, 2)), np.array([[1.0, 3.0]]), 1)
        array([[2.]])

    Source: Hyndman & Koehler (2006), section 3.
    """
    past = np.asarray(history, dtype=np.float64)
    if past.ndim != truth.ndim or past.shape[:-1] != truth.shape[:-1]:
        raise ValueError(
            f"y has shape {truth.shape} and history {past.shape}; all but the last axis, time, must be the same"
        )
    return seasonal_scale(past, season_length, power)[..., None]


def naive2(
    history: Real[np.ndarray, "*b T"], horizon: int, season_length: int = 1
) -> Float[np.ndarray, "*b {horizon}"]:
    """The M4 competition's Naive2: last observed value, adjusted for multiplicative seasonality where a test finds it.

    Seasonal where at least three seasons are known and the autocorrelation at one season exceeds its 90% limit; the
    indices come from the classical decomposition by a centred moving average. Series with a value or an index that is
    not positive are taken as not seasonal.

    Args:
        history: the T last values, NaN = missing (pad shorter series in front).
        horizon: steps to forecast.
        season_length: steps in a season; 1 = none.

    Returns:
        The forecast; NaN for a series without any value.

    Raises:
        ValueError: ``horizon`` or ``season_length`` is below 1.

    Example:
        >>> naive2(np.tile([1.0, 3.0], 8), horizon=3, season_length=2).round(6)
        array([1., 3., 1.])

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, section 2.3.
    """
    past = np.asarray(history, dtype=np.float64)
    if horizon < 1 or season_length < 1:
        raise ValueError(f"horizon and season_length count steps from 1; got {horizon} and {season_length}")
    phases = np.ones((*past.shape[:-1], season_length))  # index of the season's step that follows, and so on
    if season_length > 1 and past.shape[-1] >= 3 * season_length:
        seasonal = _is_seasonal(past, season_length)[..., None]
        phases = np.where(seasonal, _seasonal_indices(past, season_length), 1.0)
    observed = ~np.isnan(past)
    back = np.argmax(observed[..., ::-1], axis=-1)[..., None]  # steps from the end to the last observed value
    last = np.take_along_axis(past, past.shape[-1] - 1 - back, axis=-1)
    level = last / np.take_along_axis(phases, (-1 - back) % season_length, axis=-1)
    return level * phases[..., np.arange(horizon) % season_length]


def _mean_change(past: np.ndarray, lag: int, power: int) -> np.ndarray:
    """``mean |x_t - x_(t - lag)|^power`` over known pairs, along the last axis."""
    change = np.abs(past[..., lag:] - past[..., :-lag])
    if power != 1:
        change **= power
    return mean_observed(change, ~np.isnan(change), -1)


def _is_seasonal(past: np.ndarray, season_length: int) -> np.ndarray:
    """Whether the autocorrelation at one season exceeds its 90% limit, for series of three seasons or more."""
    observed = ~np.isnan(past)
    n = observed.sum(axis=-1)
    centred = np.where(observed, past - mean_observed(past, observed, -1)[..., None], 0.0)
    power = np.abs(np.fft.rfft(centred, 2 * past.shape[-1])) ** 2
    covariance = np.fft.irfft(power)[..., : season_length + 1]
    correlation = ratio(covariance[..., 1:], np.broadcast_to(covariance[..., :1], covariance[..., 1:].shape))
    spread = np.sqrt(1 + 2 * np.sum(correlation[..., :-1] ** 2, axis=-1))
    limit = SEASONALITY_QUANTILE * spread / np.sqrt(np.maximum(n, 1))
    positive = np.all(~observed | (past > 0), axis=-1)
    return np.asarray((n >= 3 * season_length) & positive & (np.abs(correlation[..., -1]) > limit))


def _seasonal_indices(past: np.ndarray, season_length: int) -> np.ndarray:
    """Multiplicative indices by classical decomposition; first the one of the step after the end. 1 where undefined."""
    observed, half, length = ~np.isnan(past), season_length // 2, past.shape[-1]
    known = _moving_sum(observed, season_length) == season_length  # no trend where a value is missing
    trend = np.where(known, _moving_sum(np.where(observed, past, 0.0), season_length) / season_length, np.nan)
    if season_length % 2 == 0:
        trend = (trend[..., 1:] + trend[..., :-1]) / 2
    relative = np.full((*past.shape[:-1], -(-length // season_length) * season_length), np.nan)
    start = relative.shape[-1] - length + half  # whole seasons, counted from the end
    relative[..., start : start + trend.shape[-1]] = past[..., half : length - half] / trend
    seasons = relative.reshape(*past.shape[:-1], -1, season_length)
    indices = mean_observed(seasons, ~np.isnan(seasons), -2)
    indices = ratio(indices, np.broadcast_to(indices.mean(axis=-1, keepdims=True), indices.shape))
    return np.where(np.all(indices > 0, axis=-1, keepdims=True), indices, 1.0)


def _moving_sum(values: np.ndarray, width: int) -> np.ndarray:
    """Sums of ``width`` neighbours along the last axis, one for each place where the window fits."""
    total = np.cumsum(values, axis=-1, dtype=np.float64)
    total[..., width:] -= total[..., :-width].copy()
    return total[..., width - 1 :]
