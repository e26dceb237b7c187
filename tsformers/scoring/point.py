"""Scores of a single number a step: absolute, squared, relative and scaled errors."""

import numpy as np
from jaxtyping import Bool, Float, Real

Axis = int | tuple[int, ...] | None
Number = float | int
SEASONALITY_QUANTILE = 1.645  # 90% normal quantile of the M4 competition's test for seasonality


def mae(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Mean absolute error, in the units of ``y``; the median of the predictive distribution minimises it.

    ``mean |y - f|`` over the entries of ``y`` that are not NaN.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``; NaN where ``y`` is known makes the mean NaN.
        axis: axes to average over; None = all, ``()`` = none, which keeps one number an entry.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> mae(np.array([1.0, np.nan, 5.0]), np.array([2.0, 2.0, 2.0]))
        array(2.)

    Source: Hyndman & Koehler (2006), section 2.
    """
    truth, point = paired(y, forecast)
    return mean_seen(np.abs(truth - point), ~np.isnan(truth), axis)


def mse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Mean squared error, in squared units of ``y``; the mean of the predictive distribution minimises it.

    ``mean (y - f)^2`` over the entries of ``y`` that are not NaN.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> mse(np.array([1.0, np.nan, 5.0]), np.array([2.0, 2.0, 2.0]))
        array(5.)

    Source: Hyndman & Koehler (2006), section 2.
    """
    truth, point = paired(y, forecast)
    return mean_seen(np.square(truth - point), ~np.isnan(truth), axis)


def rmse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Root mean squared error, in the units of ``y``: ``sqrt(mse)``.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to average over before the root; None = all.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> rmse(np.array([1.0, np.nan, 5.0]), np.array([2.0, 2.0, 4.0]))
        array(1.)

    Source: Hyndman & Koehler (2006), section 2.
    """
    return np.asarray(np.sqrt(mse(y, forecast, axis)))


def mape(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Mean absolute percentage error as a fraction: 0.1 is ten per cent.

    ``mean |y - f| / |y|``. Entries with ``y = 0`` have no percentage and are not scored, as in GluonTS.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> mape(np.array([10.0, 0.0, 20.0]), np.array([11.0, 1.0, 14.0]))
        array(0.2)

    Source: Hyndman & Koehler (2006), section 2.
    """
    truth, point = paired(y, forecast)
    return _mean_ratio(np.abs(truth - point), np.abs(truth), ~np.isnan(truth), axis)


def smape(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Symmetric mean absolute percentage error as a fraction, 0 to 2; times 100 it is the figure of the M competitions.

    ``mean 2 |y - f| / (|y| + |f|)``. Entries where both are 0 have no percentage and are not scored, as in GluonTS.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> smape(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
        array(0.5)

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, eq. for sMAPE.
    """
    truth, point = paired(y, forecast)
    return _mean_ratio(2 * np.abs(truth - point), np.abs(truth) + np.abs(point), ~np.isnan(truth), axis)


def nd(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Normalised deviation: ``sum |y - f| / sum |y|``, one ratio of two sums.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to sum over; None = all.

    Returns:
        ``y`` without the axes summed over; NaN where ``y`` is unknown or 0 throughout.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> nd(np.array([3.0, np.nan, 1.0]), np.array([1.0, 2.0, 1.0]))
        array(0.5)

    Source: Salinas, Flunkert, Gasthaus & Januschowski (2020), DeepAR, section 4.
    """
    truth, _ = paired(y, forecast)
    return ratio(mae(y, forecast, axis), mean_seen(np.abs(truth), ~np.isnan(truth), axis))


def nrmse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Normalised root mean squared error: ``sqrt(mean (y - f)^2) / mean |y|``.

    Args:
        y: what happened; NaN = not scored.
        forecast: as many numbers as ``y``.
        axis: axes to average over; None = all.

    Returns:
        ``y`` without the axes averaged over; NaN where ``y`` is unknown or 0 throughout.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> nrmse(np.array([3.0, np.nan, 1.0]), np.array([1.0, 2.0, 3.0]))
        array(1.)

    Source: Salinas, Flunkert, Gasthaus & Januschowski (2020), DeepAR, section 4.
    """
    truth, _ = paired(y, forecast)
    return ratio(rmse(y, forecast, axis), mean_seen(np.abs(truth), ~np.isnan(truth), axis))


def mase(
    y: Real[np.ndarray, "*b H"],
    forecast: Real[np.ndarray, "*b H"],
    history: Real[np.ndarray, "*b T"],
    season_length: int = 1,
    axis: Axis = None,
) -> Float[np.ndarray, "..."]:
    """Mean absolute scaled error: 1 is the seasonal naive forecast's average one-step error on the history.

    ``mean |y - f| / scale``, where ``scale`` is ``seasonal_scale(history, season_length)`` of each series. Series whose
    scale is 0 or unknown are not scored, as in GluonTS.

    Args:
        y: what happened, time on the last axis; NaN = not scored.
        forecast: as many numbers as ``y``.
        history: the T values before, NaN = missing (pad shorter series in front).
        season_length: steps in a season.
        axis: axes to average over; None = all, -1 = one number a series, ``()`` = one an entry.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match, or ``season_length`` is below 1.

    Example:
        >>> mase(np.array([[4.0, 6.0]]), np.array([[3.0, 3.0]]), np.array([[1.0, 2.0, 3.0]]))
        array(2.)

    Source: Hyndman & Koehler (2006), section 3.
    """
    truth, point = paired(y, forecast)
    return scaled_mean(truth, np.abs(truth - point), scale_of(truth, history, season_length), axis)


def rmsse(
    y: Real[np.ndarray, "*b H"],
    forecast: Real[np.ndarray, "*b H"],
    history: Real[np.ndarray, "*b T"],
    season_length: int = 1,
    axis: Axis = None,
) -> Float[np.ndarray, "..."]:
    """Root mean squared scaled error, the squared counterpart of ``mase``.

    ``sqrt(mean (y - f)^2 / scale)`` with ``scale = seasonal_scale(history, season_length, power=2)`` of each series.
    The M5 competition's figure is the one of each series, ``axis=-1``, averaged over series afterwards.

    Args:
        y: what happened, time on the last axis; NaN = not scored.
        forecast: as many numbers as ``y``.
        history: the T values before, NaN = missing (pad shorter series in front).
        season_length: steps in a season; M5 uses 1.
        axis: axes to average over before the root; None = all, -1 = one number a series.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match, or ``season_length`` is below 1.

    Example:
        >>> rmsse(np.array([[4.0, 6.0]]), np.array([[4.0, 4.0]]), np.array([[1.0, 2.0, 3.0]]), axis=-1).round(3)
        array([1.414])

    Source: Makridakis, Spiliotis & Assimakopoulos (2022), M5 accuracy competition, eq. 1.
    """
    truth, point = paired(y, forecast)
    scale = scale_of(truth, history, season_length, power=2)
    return np.asarray(np.sqrt(scaled_mean(truth, np.square(truth - point), scale, axis)))


def owa(
    y: Real[np.ndarray, "*b H"],
    forecast: Real[np.ndarray, "*b H"],
    reference: Real[np.ndarray, "*b H"],
    history: Real[np.ndarray, "*b T"],
    season_length: int = 1,
    axis: Axis = None,
) -> Float[np.ndarray, "..."]:
    """Overall weighted average of the M4 competition: below 1 is better than the reference.

    ``(smape / smape of reference + mase / mase of reference) / 2``: averages first, then their ratio.

    Args:
        y: what happened, time on the last axis; NaN = not scored.
        forecast: as many numbers as ``y``.
        reference: the forecast to compare with, in M4 ``naive2(history, horizon, season_length)``.
        history: the T values before, NaN = missing (pad shorter series in front).
        season_length: steps in a season.
        axis: axes to average over; None = all.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored or the reference has no error at all.

    Raises:
        ValueError: the shapes do not match, or ``season_length`` is below 1.

    Example:
        >>> y, past = np.array([[2.0, 3.0]]), np.array([[3.0, 2.0, 1.0]])
        >>> owa(y, np.array([[1.0, 1.0]]), naive2(past, 2), past)
        array(1.)

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, section 2.2.
    """
    relative_smape = ratio(smape(y, forecast, axis), smape(y, reference, axis))
    against = mase(y, reference, history, season_length, axis)
    return np.asarray((relative_smape + ratio(mase(y, forecast, history, season_length, axis), against)) / 2)


def naive2(
    history: Real[np.ndarray, "*b T"], horizon: int, season_length: int = 1
) -> Float[np.ndarray, "*b {horizon}"]:
    """The M4 competition's Naive2: last seen value, adjusted for multiplicative seasonality where a test finds it.

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
    seen = ~np.isnan(past)
    back = np.argmax(seen[..., ::-1], axis=-1)[..., None]  # steps from the end to the last seen value
    last = np.take_along_axis(past, past.shape[-1] - 1 - back, axis=-1)
    level = last / np.take_along_axis(phases, (-1 - back) % season_length, axis=-1)
    return level * phases[..., np.arange(horizon) % season_length]


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


def paired(y: Real[np.ndarray, "..."], forecast: Real[np.ndarray, "..."] | Number) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, after a check that nothing would be broadcast by accident.

    Args:
        y: what happened.
        forecast: as many numbers as ``y``, or a single one for all.

    Returns:
        The two arrays.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> paired(np.array([1]), 2)[1]
        array(2.)

    Source: none; a check.
    """
    truth, other = np.asarray(y, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if other.shape not in (truth.shape, ()):
        raise ValueError(f"y has shape {truth.shape} and the forecast {other.shape}; give one forecast an entry of y")
    return truth, other


def mean_seen(values: Float[np.ndarray, "*b"], seen: Bool[np.ndarray, "*b"], axis: Axis) -> Float[np.ndarray, "..."]:
    """Mean of the values that are to be scored; NaN among those is not hidden.

    Args:
        values: one number an entry.
        seen: which entries count.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        The means; NaN where nothing counts.

    Raises:
        numpy.exceptions.AxisError: there is no such axis.

    Example:
        >>> mean_seen(np.array([1.0, 2.0, 9.0]), np.array([True, True, False]), None)
        array(1.5)

    Source: none; arithmetic.
    """
    total = np.sum(values, axis=axis, where=seen)
    return ratio(total, np.sum(seen, axis=axis))


def ratio(above: Real[np.ndarray, "*b"] | np.generic, below: Real[np.ndarray, "*b"] | np.generic) -> np.ndarray:
    """``above / below``, and NaN, without a warning, where ``below`` is 0: what cannot be compared is not scored.

    Args:
        above: numerator.
        below: denominator.

    Returns:
        The quotients.

    Example:
        >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
        array([0.5, nan])

    Source: none; arithmetic.
    """
    return np.asarray(np.divide(above, np.where(np.asarray(below) == 0, np.nan, below)))


def scaled_mean(
    truth: Float[np.ndarray, "*b H"], error: Float[np.ndarray, "*b H"], scale: Float[np.ndarray, "*b 1"], axis: Axis
) -> Float[np.ndarray, "..."]:
    """Mean of ``error / scale`` over the known entries of series whose scale is known and not 0.

    Args:
        truth: what happened; NaN = not scored.
        error: one number an entry.
        scale: one number a series, its last axis of length 1.
        axis: axes to average over; None = all.

    Returns:
        The means; NaN where nothing was scored.

    Example:
        >>> scaled_mean(np.zeros((1, 2)), np.ones((1, 2)), np.array([[4.0]]), None)
        array(0.25)

    Source: Hyndman & Koehler (2006), section 3.
    """
    return _mean_ratio(error, np.broadcast_to(scale, error.shape), ~np.isnan(truth) & ~np.isnan(scale), axis)


def scale_of(
    truth: Float[np.ndarray, "*b H"], history: Real[np.ndarray, "..."], season_length: int, power: int = 1
) -> Float[np.ndarray, "*b 1"]:
    """``seasonal_scale`` of the histories that belong to ``truth``, ready to divide by.

    Args:
        truth: what happened, time on the last axis.
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


def _mean_ratio(above: np.ndarray, below: np.ndarray, seen: np.ndarray, axis: Axis) -> np.ndarray:
    """Mean of ``above / below`` where seen and defined."""
    return mean_seen(ratio(above, below), seen & (below != 0), axis)


def _mean_change(past: np.ndarray, lag: int, power: int) -> np.ndarray:
    """``mean |x_t - x_(t - lag)|^power`` over known pairs, along the last axis."""
    change = np.abs(past[..., lag:] - past[..., :-lag])
    if power != 1:
        change **= power
    return mean_seen(change, ~np.isnan(change), -1)


def _is_seasonal(past: np.ndarray, season_length: int) -> np.ndarray:
    """Whether the autocorrelation at one season exceeds its 90% limit, for series of three seasons or more."""
    seen = ~np.isnan(past)
    n = seen.sum(axis=-1)
    centred = np.where(seen, past - mean_seen(past, seen, -1)[..., None], 0.0)
    power = np.abs(np.fft.rfft(centred, 2 * past.shape[-1])) ** 2
    covariance = np.fft.irfft(power)[..., : season_length + 1]
    correlation = ratio(covariance[..., 1:], np.broadcast_to(covariance[..., :1], covariance[..., 1:].shape))
    spread = np.sqrt(1 + 2 * np.sum(correlation[..., :-1] ** 2, axis=-1))
    limit = SEASONALITY_QUANTILE * spread / np.sqrt(np.maximum(n, 1))
    positive = np.all(~seen | (past > 0), axis=-1)
    return np.asarray((n >= 3 * season_length) & positive & (np.abs(correlation[..., -1]) > limit))


def _seasonal_indices(past: np.ndarray, season_length: int) -> np.ndarray:
    """Multiplicative indices by classical decomposition; first the one of the step after the end. 1 where undefined."""
    seen, half, length = ~np.isnan(past), season_length // 2, past.shape[-1]
    known = _moving_sum(seen, season_length) == season_length  # a window with a gap has no trend
    trend = np.where(known, _moving_sum(np.where(seen, past, 0.0), season_length) / season_length, np.nan)
    if season_length % 2 == 0:
        trend = (trend[..., 1:] + trend[..., :-1]) / 2
    relative = np.full((*past.shape[:-1], -(-length // season_length) * season_length), np.nan)
    start = relative.shape[-1] - length + half  # whole seasons, counted from the end
    relative[..., start : start + trend.shape[-1]] = past[..., half : length - half] / trend
    seasons = relative.reshape(*past.shape[:-1], -1, season_length)
    indices = mean_seen(seasons, ~np.isnan(seasons), -2)
    indices = ratio(indices, np.broadcast_to(indices.mean(axis=-1, keepdims=True), indices.shape))
    return np.where(np.all(indices > 0, axis=-1, keepdims=True), indices, 1.0)


def _moving_sum(values: np.ndarray, width: int) -> np.ndarray:
    """Sums of ``width`` neighbours along the last axis, one for each place where the window fits."""
    total = np.cumsum(values, axis=-1, dtype=np.float64)
    total[..., width:] -= total[..., :-width].copy()
    return total[..., width - 1 :]
