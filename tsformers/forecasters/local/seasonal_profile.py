"""The seasonal profile of a series, and missing values filled by it."""

import numpy as np

LONG_SEASON = 24  # longer seasons are taken out as one fixed profile: a state per season position costs too much


def filled(y: np.ndarray) -> np.ndarray:
    """``y`` with missing values interpolated linearly."""
    seen = np.isfinite(y)
    if seen.all():
        return y
    rows = np.arange(len(y))
    return np.interp(rows, rows[seen], y[seen])


def seasonal_profile(y: np.ndarray, season: int) -> np.ndarray:
    """The latest season (m,) of an STL decomposition, at the places ``row % m``; ValueError below two seasons."""
    from statsmodels.tsa.seasonal import STL

    if len(y) < 2 * season:
        raise ValueError(f"{len(y)} rows are fewer than two seasons of {season}")
    latest = STL(filled(y), period=season, robust=True).fit().seasonal[-season:]
    return np.roll(latest, len(y) % season)


def placed(profile: np.ndarray, start: int, rows: int) -> np.ndarray:
    """The seasonal ``profile`` (m,) at ``rows`` steps from step ``start`` of the training history on."""
    return profile[(start + np.arange(rows)) % len(profile)]
