"""Series that ended long before the others: a forecast from their end is of a time that has passed."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tsformers.calendar.arithmetic import ordinals
from tsformers.calendar.grid import as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.calendar.seasons import season_length
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning

SEASONS = 2
SHARE = 0.2  # of the panel's span; collections of short series with ends of their own lie closer together
LISTED = 3


class SilentSeriesWarning(DataWarning):
    """Some series ended long before the others.

    Example:
        >>> issubclass(SilentSeriesWarning, UserWarning)
        True
    """


def silent_series(panel: Panel, horizon: int) -> np.ndarray:
    """Which series ended long before the others.

    That is more steps before the latest row than the horizon, than two seasons and than a fifth of the panel's span: a
    forecast from such an end lies in the past of the other series, and a late delivery does not explain it.

    Args:
        panel: N series.
        horizon: steps to be forecast.

    Returns:
        (N,) bool.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": [0, 1, 0, 50], "y": 1.0})
        >>> silent_series(Panel.from_frame(frame, freq=1), horizon=12)
        array([ True, False])
    """
    if panel.n_series < 2 or (panel.lengths == 0).any():
        return np.zeros(panel.n_series, dtype=bool)
    first, last = (ordinals(panel.times[rows], panel.grid) for rows in (panel.offsets[:-1], panel.ends - 1))
    latest = last.max()
    return latest - last > max(horizon, SEASONS * season_length(panel.grid), SHARE * (latest - first.min()))


def warn_of_silent_series(panel: Panel, horizon: int, stacklevel: int = 3) -> None:
    """One warning that counts the series that ended long before the others, and names the first of them.

    Args:
        panel: what is forecast.
        horizon: steps.
        stacklevel: as in ``warnings.warn``.

    Warns:
        SilentSeriesWarning: there are such series.
    """
    silent = np.flatnonzero(silent_series(panel, horizon))
    if 0 < len(silent) <= panel.n_series / 2:  # of more than half it cannot be said that the others went on
        ends = as_counts(panel.times[panel.ends - 1])
        names = ", ".join(f"{plain(panel.ids[i])!r} ({show(ends[i], panel.grid)})" for i in silent[:LISTED])
        more = f" and {len(silent) - LISTED} more" if len(silent) > LISTED else ""
        text = (
            f"{len(silent)} of {panel.n_series} series ended long before the others and are forecast from their own "
            f"ends: {names}{more}, while the latest row is of {show(ends.max(), panel.grid)}; leave them out where "
            "nothing follows"
        )
        warnings.warn(SilentSeriesWarning(text), stacklevel=stacklevel)


@contextmanager
def silence_accepted() -> Iterator[None]:
    """A block without these warnings: forecasts of past cutoffs, or of parts of a panel that was looked at as a whole.

    Example:
        >>> with silence_accepted():
        ...     warnings.warn(SilentSeriesWarning("long ago"))
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SilentSeriesWarning)
        yield
