"""Checks of the arrays that a Forecast is made of: stamps, values, levels."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.errors import TsformersError
from tsformers.messages import Message, Option


def checked_times(ids: pd.Index, times: np.ndarray) -> np.ndarray:
    """Time stamps as nanoseconds or int64.

    Args:
        ids: N names.
        times: (N, H) datetime64 or integers.

    Returns:
        (N, H) datetime64[ns] or int64.

    Raises:
        ValueError: an id that occurs twice, another kind of array, or stamps that do not increase along the horizon.

    Example:
        >>> checked_times(pd.Index(["a"]), np.array([[7, 8]], dtype=np.int32)).dtype
        dtype('int64')
    """
    if not ids.is_unique:
        raise ValueError(f"series {plain(ids[ids.duplicated()][0])!r} is there twice; every id names one series")
    array = np.asarray(times)
    if array.dtype.kind not in "Miu" or array.ndim != 2:
        raise ValueError(f"times must be an (N, H) array of datetime64 or integers; got {array.dtype} {array.shape}")
    array = array.astype("datetime64[ns]" if array.dtype.kind == "M" else np.int64, copy=False)
    steady = (array[:, 1:] > array[:, :-1]).all(axis=1)
    if len(array) == len(ids) and not steady.all():
        raise ValueError(
            f"the stamps of series {plain(ids[int(np.argmin(steady))])!r} do not increase from step to step"
        )
    return array


def checked_values(ids: pd.Index, values: np.ndarray) -> np.ndarray:
    """Values as float64.

    Args:
        ids: N names.
        values: (N, S, H).

    Returns:
        (N, S, H) float64.

    Raises:
        ValueError: another shape, or a value that is NaN or infinite.

    Example:
        >>> checked_values(pd.Index(["a"]), np.array([[[3]]]))
        array([[[3.]]])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 3 or len(array) != len(ids) or 0 in array.shape[1:]:
        raise ValueError(f"values must have shape (N, S, H) with N = {len(ids)} ids; got {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        n, s, h = (int(i) for i in np.unravel_index(int(np.argmin(finite)), array.shape))
        raise ValueError(
            f"the forecast of series {plain(ids[n])!r} is {array[n, s, h]} at step {h + 1}; a forecast must be finite: "
            "look at that series' last values, or at the model's loss, for what blew up"
        )
    return array


def are_counts(values: np.ndarray) -> bool:
    """Whether all values are whole numbers of 0 or more.

    Args:
        values: any shape.

    Returns:
        True or False.

    Example:
        >>> are_counts(np.array([0.0, 3.0])), are_counts(np.array([0.5])), are_counts(np.array([-1.0]))
        (True, False, False)
    """
    return bool((values >= 0).all() and (values == np.floor(values)).all())


def checked_levels(levels: Sequence[float], n_levels: int) -> tuple[float, ...]:
    """Levels of quantiles as floats.

    Args:
        levels: one for each quantile.
        n_levels: Q, how many quantiles there are.

    Returns:
        The levels.

    Raises:
        ValueError: another number of levels, or levels that are not strictly increasing inside (0, 1).

    Example:
        >>> checked_levels([0.1, 0.9], 2)
        (0.1, 0.9)
    """
    held = tuple(float(level) for level in levels)
    inside = all(0 < level < 1 for level in held)
    if not inside or any(a >= b for a, b in pairwise(held)) or len(held) != n_levels:
        raise ValueError(f"levels must be {n_levels} numbers inside (0, 1), strictly increasing; got {held}")
    return held


def level_array(quantiles: object) -> np.ndarray:
    """Levels that a caller asks for, as an array.

    Args:
        quantiles: one level or several.

    Returns:
        (Q,) numbers as they were given.

    Raises:
        TsformersError: anything but a number or a sequence of numbers.

    Example:
        >>> level_array(0.5)
        array([0.5])
    """
    given = np.asarray(quantiles)
    if given.ndim > 1 or (given.dtype.kind not in "iuf" and given.size):
        levels = Option("quantiles", [0.1, 0.5, 0.9])
        raise TsformersError("quantiles must be levels such as ", levels, f", not {quantiles!r}")
    return np.atleast_1d(given)


def out_of_range(quantiles: object, levels: np.ndarray, *, ends: bool = False) -> TsformersError:
    """The error for levels that no quantile has.

    Args:
        quantiles: what was given.
        levels: the same as an array.
        ends: whether 0 and 1 would do.

    Returns:
        An error that shows percentages as the levels that they mean.

    Example:
        >>> print(out_of_range(50, np.array([50])))
        quantiles must be levels inside (0, 1), not 50; write quantiles=[0.5]
    """
    percent = levels.size > 0 and bool(((levels > 0) & (levels < 100)).all())
    remedy = [float(f"{level / 100:.15g}") for level in levels] if percent and (levels > 1).any() else [0.1, 0.5, 0.9]
    where = "in [0, 1]" if ends else "inside (0, 1)"
    shown = ", at least one" if levels.size == 0 else f", not {quantiles!r}"
    return TsformersError(f"quantiles must be levels {where}{shown}; write ", Option("quantiles", remedy))


def checked_means(means: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Means as float64.

    Args:
        means: one for each series and step.
        shape: (N, H).

    Returns:
        (N, H) float64.

    Raises:
        ValueError: another shape, or a mean that is NaN or infinite.

    Example:
        >>> checked_means(np.array([[3]]), (1, 1))
        array([[3.]])
    """
    array = np.asarray(means, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"means has shape {array.shape}; there must be one for each series and step, {shape}")
    if not np.isfinite(array).all():
        raise TsformersError("a mean is NaN or infinite; leave ", Option("means"), " out where they are not known")
    return array


def checked_bounds(lower: float | int | None, upper: float | int | None) -> tuple[float, float]:
    """Two bounds of values as floats.

    Args:
        lower: the least value; None: no bound.
        upper: the greatest value; None: no bound.

    Returns:
        The bounds, infinite where there is none.

    Raises:
        TsformersError: no bound at all, one that is no finite number, or a lower one that is not below the upper one.

    Example:
        >>> checked_bounds(0, None)
        (0.0, inf)
    """
    given = {"lower": lower, "upper": upper}
    some = {name: value for name, value in given.items() if value is not None}
    if not some:
        raise TsformersError("there is no bound; pass ", Option("lower", 0), ", ", Option("upper", 1), " or both")
    for name, value in some.items():
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not (number and math.isfinite(value)):
            raise TsformersError(Option(name), f" must be a finite number, not {value!r}; leave it out for no bound")
    low, high = -math.inf if lower is None else float(lower), math.inf if upper is None else float(upper)
    if low >= high:
        shown = Message(Option("lower", lower), " and ", Option("upper", upper))
        raise TsformersError(shown, " leave no value between them; lower must be less than upper")
    return low, high
