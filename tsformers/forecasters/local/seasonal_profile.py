"""The seasonal profile of a series, and missing values interpolated."""

import numpy as np

LONG_SEASON = 24  # rows; longer seasons are removed as one fixed profile: a state for each position is too slow


def interpolated(y: np.ndarray) -> np.ndarray:
    """A series with its missing values interpolated linearly.

    Args:
        y: (T,), NaN = missing.

    Returns:
        (T,); ``y`` itself where nothing is missing.

    Example:
        >>> interpolated(np.array([1.0, np.nan, 3.0]))
        array([1., 2., 3.])
    """
    observed = np.isfinite(y)
    if observed.all():
        return y
    rows = np.arange(len(y))
    return np.interp(rows, rows[observed], y[observed])


def seasonal_profile(y: np.ndarray, season: int) -> np.ndarray:
    """The latest season of an STL decomposition, by season position ``row % m``.

    Args:
        y: (T,), NaN = missing.
        season: rows of one season, m.

    Returns:
        (m,) in the units of ``y``.

    Raises:
        ValueError: fewer rows than two seasons.

    Example:
        >>> seasonal_profile(np.tile([1.0, 0.0, -1.0, 0.0], 10), 4).round(2) + 0.0
        array([ 1.,  0., -1.,  0.])
    """
    from statsmodels.tsa.seasonal import STL

    if len(y) < 2 * season:
        raise ValueError(f"{len(y)} rows are fewer than two seasons of {season}")
    latest = STL(interpolated(y), period=season, robust=True).fit().seasonal[-season:]
    return np.roll(latest, len(y) % season)


def profile_at(profile: np.ndarray, start: int, rows: int) -> np.ndarray:
    """A seasonal profile repeated over rows.

    Args:
        profile: (m,) by season position.
        start: steps from the first row of the training history to the first row asked for.
        rows: how many.

    Returns:
        (rows,)

    Example:
        >>> profile_at(np.array([1, 2, 3]), 2, 4)
        array([3, 1, 2, 3])
    """
    return profile[(start + np.arange(rows)) % len(profile)]
