"""Numbers that may stand for a missing value, such as -9999: an extreme of its series, far from all other values."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.errors import DataWarning, first_names
from tsformers.messages import Message, Option

SENTINELS = np.array(
    sorted(
        {
            *(-float("9" * n) for n in range(1, 9)),
            *(float("9" * n) for n in range(2, 9)),
            *(sign * float("9" * n + ".9") for n in range(1, 6) for sign in (-1, 1)),
            *(sign * float("9" * n + ".99") for n in range(1, 6) for sign in (-1, 1)),
            *(sign * float("8" * n) for n in range(3, 7) for sign in (-1, 1)),
            *(sign * 10.0**n for n in (20, 30, 31, 34, 35, 36, 37, 38) for sign in (-1, 1)),
            *(-1.0, -100.0, -200.0, -500.0, -1000.0, -32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0),
            *(-7999.0, 7999.0, -6999.0, 9.96921e36),
        }
    )
)
FAR = 20  # robust standard deviations
NORMAL = 1.349  # interquartile range of a normal distribution, in standard deviations


def sentinels(y: np.ndarray, offsets: np.ndarray) -> dict[float, tuple[int, int]]:
    """Values of the sentinel kind that are extremes of their series, 20 robust standard deviations from all others.

    The deviation of a series is its interquartile range / 1.349 without such values; the plain deviation where that is
    zero, and a quarter of the level where all other values are the same.

    Args:
        y: (R,) values, NaN = missing.
        offsets: (N + 1,), no series is empty.

    Returns:
        For each value how often it stands, and the first series that has it.

    Example:
        >>> sentinels(np.array([10.0, 12, 11, -9999, 13]), np.array([0, 5]))
        {-9999.0: (1, 0)}
        >>> sentinels(np.array([10.0, -1, 2, -3]), np.array([0, 4]))
        {}
    """
    low, high = np.fmin.reduceat(y, offsets[:-1]), np.fmax.reduceat(y, offsets[:-1])
    suspects = np.flatnonzero(_listed(low) | _listed(high))
    if not len(suspects):
        return {}
    lengths = np.diff(offsets)[suspects]
    rows = np.arange(lengths.sum()) + np.repeat(offsets[suspects] - np.cumsum(lengths) + lengths, lengths)
    values, owner = y[rows], np.repeat(np.arange(len(suspects)), lengths)
    observed = ~np.isnan(values)
    values, owner = values[observed], owner[observed]
    marked = _listed(values)
    far = _far(values, owner, marked, len(suspects))
    found: dict[float, tuple[int, int]] = {}
    for value in np.unique(values[far]):
        here = far & (values == value)
        found[float(value)] = (int(here.sum()), int(suspects[owner[here][0]]))
    return found


def _far(values: np.ndarray, owner: np.ndarray, marked: np.ndarray, n: int) -> np.ndarray:
    """Which marked values lie beyond all others of their series, and further than FAR deviations from these."""
    rest, of = values[~marked], owner[~marked]
    order = np.lexsort((rest, of))
    rest = rest[order]
    count = np.bincount(of, minlength=n)
    first = np.cumsum(count) - count
    known = count > 0

    def at(share: float) -> np.ndarray:
        place = np.where(known, first + np.floor(share * np.maximum(count - 1, 0)).astype(np.int64), 0)
        return rest[place] if len(rest) else np.zeros(n)

    low, quarter, middle, three, high = (at(share) for share in (0, 0.25, 0.5, 0.75, 1))
    mean = np.bincount(of, weights=rest, minlength=n) / np.maximum(count, 1) if len(rest) else np.zeros(n)
    square = np.bincount(of, weights=(rest - mean[of[order]]) ** 2, minlength=n) if len(rest) else np.zeros(n)
    scale = (three - quarter) / NORMAL
    scale = np.where(scale > 0, scale, np.sqrt(square / np.maximum(count, 1)))
    scale = np.where(scale > 0, scale, np.maximum(np.abs(middle), 1) / 4)
    beyond = (values < low[owner]) | (values > high[owner])
    return marked & known[owner] & beyond & (np.abs(values - middle[owner]) > FAR * scale[owner])


def _listed(values: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(SENTINELS, values), len(SENTINELS) - 1)
    return np.abs(SENTINELS[at] - values) <= 1e-6 * np.abs(SENTINELS[at])  # 999.9 as float32 too


def warning_of(found: dict[float, tuple[int, int]], column: str, ids: pd.Index) -> DataWarning:
    """What is reported sentinels.

    Args:
        found: of ``sentinels``.
        column: of the values.
        ids: N names.

    Returns:
        The warning, with the option that makes them missing.

    Example:
        >>> print(warning_of({-9999.0: (2, 0)}, "y", pd.Index(["a"])))
        column 'y' holds -9999 (2 times, first in series 'a'), far from all other values; if it stands for a missing
        value, pass missing=-9999
    """
    shown = [_shown(value) for value in found]
    places = [
        f"{mark} ({_often(count)}, first in series {first_names([ids[series]])})"
        for mark, (count, series) in zip(shown, found.values(), strict=True)
    ]
    several = len(shown) > 1
    remedy = Option("missing", shown if several else shown[0])
    return DataWarning(
        f"column {column!r} holds {' and '.join(places)}, far from all other values; if "
        f"{'they stand for missing values' if several else 'it stands for a missing value'}, pass ",
        Message(remedy),
    )


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _shown(value: float) -> Any:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
