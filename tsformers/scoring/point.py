"""Scores of a single number a step: absolute, squared, relative and scaled errors."""

import numpy as np
from jaxtyping import Float, Real

from tsformers.scoring.averages import Axis, mean_observed, mean_ratio, paired, ratio, scaled_mean
from tsformers.scoring.reference import scale_of


def mae(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Mean absolute error, in the units of ``y``; the median of the predictive distribution minimises it.

    ``mean |y - f|`` over the entries of ``y`` that are not NaN.

    Args:
        y: observed values; NaN = not scored.
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
    return mean_observed(np.abs(truth - point), ~np.isnan(truth), axis)


def mse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Mean squared error, in squared units of ``y``; the mean of the predictive distribution minimises it.

    ``mean (y - f)^2`` over the entries of ``y`` that are not NaN.

    Args:
        y: observed values; NaN = not scored.
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
    return mean_observed(np.square(truth - point), ~np.isnan(truth), axis)


def rmse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Root mean squared error, in the units of ``y``: ``sqrt(mse)``.

    Args:
        y: observed values; NaN = not scored.
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
        y: observed values; NaN = not scored.
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
    return mean_ratio(np.abs(truth - point), np.abs(truth), ~np.isnan(truth), axis)


def smape(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Symmetric mean absolute percentage error as a fraction, 0 to 2; times 100 it is the figure of the M competitions.

    ``mean 2 |y - f| / (|y| + |f|)``. Entries where both are 0 have no percentage and are not scored, as in GluonTS.

    Args:
        y: observed values; NaN = not scored.
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
    return mean_ratio(2 * np.abs(truth - point), np.abs(truth) + np.abs(point), ~np.isnan(truth), axis)


def nd(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Normalised deviation: ``sum |y - f| / sum |y|``, one ratio of two sums.

    Args:
        y: observed values; NaN = not scored.
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
    return ratio(mae(y, forecast, axis), mean_observed(np.abs(truth), ~np.isnan(truth), axis))


def nrmse(y: Real[np.ndarray, "*b"], forecast: Real[np.ndarray, "*b"], axis: Axis = None) -> Float[np.ndarray, "..."]:
    """Normalised root mean squared error: ``sqrt(mean (y - f)^2) / mean |y|``.

    Args:
        y: observed values; NaN = not scored.
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
    return ratio(rmse(y, forecast, axis), mean_observed(np.abs(truth), ~np.isnan(truth), axis))


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
        y: observed values, time on the last axis; NaN = not scored.
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
        y: observed values, time on the last axis; NaN = not scored.
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
        y: observed values, time on the last axis; NaN = not scored.
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
        >>> owa(y, forecast=y, reference=np.array([[1.0, 1.0]]), history=past)
        array(0.)

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, section 2.2.
    """
    relative_smape = ratio(smape(y, forecast, axis), smape(y, reference, axis))
    against = mase(y, reference, history, season_length, axis)
    return np.asarray((relative_smape + ratio(mase(y, forecast, history, season_length, axis), against)) / 2)
