"""Averages over observed values: shapes are checked, NaN in y is left out, any other NaN is kept."""

import numpy as np
from jaxtyping import Bool, Float, Real

Axis = int | tuple[int, ...] | None
Number = float | int


def paired(
    y: Real[np.ndarray, "..."] | Number, forecast: Real[np.ndarray, "..."] | Number
) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, after a check that their shapes match (no accidental broadcasting).

    Args:
        y: observed values.
        forecast: of the shape of ``y``, or a single number.

    Returns:
        The two arrays.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> paired(np.array([1]), 2)[1]
        array(2.)
    """
    truth, other = np.asarray(y, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if other.shape not in (truth.shape, ()):
        raise ValueError(f"y has shape {truth.shape} and the forecast {other.shape}; give one forecast an entry of y")
    return truth, other


def mean_observed(
    values: Float[np.ndarray, "*b"], observed: Bool[np.ndarray, "*b"], axis: Axis
) -> Float[np.ndarray, "..."]:
    """Mean of the scored values; a NaN among those makes the mean NaN.

    Args:
        values: one number an entry.
        observed: which entries count.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        The means; NaN where nothing counts.

    Raises:
        numpy.exceptions.AxisError: there is no such axis.

    Example:
        >>> mean_observed(np.array([1.0, 2.0, 9.0]), np.array([True, True, False]), None)
        array(1.5)
    """
    total = np.sum(values, axis=axis, where=observed)
    return ratio(total, np.sum(observed, axis=axis))


def ratio(above: Real[np.ndarray, "*b"] | np.generic, below: Real[np.ndarray, "*b"] | np.generic) -> np.ndarray:
    """``above / below``, and NaN, without a warning, where ``below`` is 0.

    Args:
        above: numerator.
        below: denominator.

    Returns:
        The quotients.

    Example:
        >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
        array([0.5, nan])
    """
    return np.asarray(np.divide(above, np.where(np.asarray(below) == 0, np.nan, below)))


def mean_ratio(
    above: Float[np.ndarray, "*b"], below: Float[np.ndarray, "*b"], observed: Bool[np.ndarray, "*b"], axis: Axis
) -> Float[np.ndarray, "..."]:
    """Mean of ``above / below`` where ``observed`` is True and ``below`` is not 0.

    Args:
        above: numerators.
        below: denominators.
        observed: which entries count.
        axis: axes to average over; None = all, ``()`` = none.

    Returns:
        The means; NaN where nothing counts.

    Example:
        >>> mean_ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]), np.array([True, True]), None)
        array(0.5)
    """
    return mean_observed(ratio(above, below), observed & (below != 0), axis)


def scaled_mean(
    truth: Float[np.ndarray, "*b H"], error: Float[np.ndarray, "*b H"], scale: Float[np.ndarray, "*b 1"], axis: Axis
) -> Float[np.ndarray, "..."]:
    """Mean of ``error / scale`` over the known entries of series whose scale is known and not 0.

    Args:
        truth: observed values; NaN = not scored.
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
    return mean_ratio(error, np.broadcast_to(scale, error.shape), ~np.isnan(truth) & ~np.isnan(scale), axis)
