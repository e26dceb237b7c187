"""What a table of series holds, series by series: rows, gaps, times, season, zeros."""

from typing import Unpack

import numpy as np
import pandas as pd

from tsformers.calendar.seasons import season_length
from tsformers.data.dataframes import Frame, from_pandas, stamps
from tsformers.data.intake.ids import id_columns
from tsformers.data.intake.sentinels import sentinels
from tsformers.data.packed.classical_decomposition import PackedSeries, moving_average
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError
from tsformers.keywords import refuse_unknown

LEAST_SEASONS = 2  # that a series must hold for a season strength


def describe(data: Frame | Panel, **roles: Unpack[Roles]) -> Frame:
    """What was understood of a table, one row a series.

    Args:
        data: a long frame, or a Panel.
        **roles: the keywords of ``Panel.from_frame``.

    Returns:
        A frame of the caller's type: id, ``rows`` (steps of the grid from the first to the last row), ``missing`` (of
        them), ``gaps`` (runs of missing rows), ``longest_gap`` (in rows), ``step``, ``first`` and ``last`` time,
        ``least``, ``median`` and ``greatest`` value, ``zeros`` (share of the values), ``sentinels`` (values such as
        -9999 that may stand for missing ones, see ``missing=``), ``season_length`` (by frequency), and
        ``season_strength``: the share of the variance about the trend that a season of that length explains, adjusted
        for its number of means, from 0 to 1; NaN for fewer than two seasons.

    Raises:
        DataError: the data cannot be used, or the id column bears the name of another column of the answer.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=28)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": [0.0, 1, 2, 3, 4, 5, 6] * 4}).drop(index=[3, 4])
        >>> describe(frame)[["rows", "missing", "gaps", "step", "zeros", "season_strength"]].round(2)
           rows  missing  gaps step  zeros  season_strength
        0    28        2     1    D   0.15             0.99
    """
    refuse_unknown(roles, "describe", Roles.__annotations__)
    panel = Panel.from_frame(data, **roles)
    packed = _histories(panel)
    schema, first, last = panel.schema, panel.offsets[:-1], panel.ends - 1
    season = season_length(panel.grid)
    columns = {
        "rows": panel.lengths,
        **_gaps(packed),
        "step": [panel.freq] * panel.n_series,
        "first": stamps(panel.times[first], schema),
        "last": stamps(panel.times[last], schema),
        **_values(packed),
        "sentinels": _sentinels(packed),
        "season_length": np.full(panel.n_series, season),
        "season_strength": season_strength(packed, season),
    }
    ids = id_columns(panel.ids, schema)
    for name in ids.keys() & columns:
        raise DataError(f"the id column {name!r} is also a column of the answer; rename it, for example to '{name}_'")
    return from_pandas(pd.DataFrame({**ids, **columns}), schema.backend)


def season_strength(series: PackedSeries, season: int) -> np.ndarray:
    """The share of the variance about the trend that a season explains, adjusted for its number of means.

    With R the remainder and S the seasonal part of n values it is
    ``1 - [sum R^2 / (n - season)] / [sum (S + R)^2 / (n - 1)]``, at least 0.

    Args:
        series: N of them.
        season: rows of a season.

    Returns:
        (N,) shares; NaN for fewer than two seasons of values, and where there is no season.

    Example:
        >>> wave = PackedSeries(np.tile([1.0, 5.0, 3.0], 5), np.array([0, 15]), np.zeros(1, dtype=int))
        >>> season_strength(wave, 3).round(9)
        array([1.])

    Source: after Wang, Smith & Hyndman (2006), section 3.2.
    """
    n = len(series.anchor)
    if season < 2:
        return np.full(n, np.nan)
    trend, seasonal = moving_average(series, season)
    rest = series.y - trend
    observed = np.isfinite(rest)
    owner, count = series.owner[observed], np.bincount(series.owner[observed], minlength=n)
    rest, remainder = rest[observed], (rest - seasonal[:, 0])[observed]
    mean = np.bincount(owner, rest, minlength=n) / np.maximum(count, 1)
    total = np.bincount(owner, (rest - mean[owner]) ** 2, minlength=n)
    left = np.bincount(owner, remainder**2, minlength=n)
    enough = (count >= LEAST_SEASONS * season) & (count > season) & (total > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - (left / (count - season)) / (total / (count - 1))
    return np.where(enough, np.maximum(share, 0.0), np.nan)


def _histories(panel: Panel) -> PackedSeries:
    """The histories alone, without known rows after them."""
    offsets = np.concatenate([[0], np.cumsum(panel.lengths)])
    return PackedSeries(panel.y[panel.in_history], offsets, np.zeros(panel.n_series, dtype=np.int64))


def _gaps(series: PackedSeries) -> dict[str, np.ndarray]:
    """Missing rows, runs of them, and the longest run of each series."""
    n, owner = len(series.anchor), series.owner
    missing = np.isnan(series.y)
    starts = missing & ~(np.r_[False, missing[:-1]] & (series.place > 0))
    run = np.cumsum(starts)[missing] - 1
    longest = np.zeros(n, dtype=np.int64)
    np.maximum.at(longest, owner[starts], np.bincount(run, minlength=int(starts.sum())))
    counts = (np.bincount(owner[mask], minlength=n) for mask in (missing, starts))
    return dict(zip(("missing", "gaps"), counts, strict=True)) | {"longest_gap": longest}


def _values(series: PackedSeries) -> dict[str, np.ndarray]:
    """Least, median and greatest value, and the share of zeros."""
    n, owner, seen = len(series.anchor), series.owner, np.isfinite(series.y)
    grouped = pd.Series(series.y[seen]).groupby(owner[seen])
    table = pd.DataFrame({"least": grouped.min(), "median": grouped.median(), "greatest": grouped.max()})
    table = table.reindex(np.arange(n))
    count = np.bincount(owner[seen], minlength=n)
    zeros = np.bincount(owner[series.y == 0], minlength=n) / np.where(count > 0, count, np.nan)
    return {str(name): table[name].to_numpy() for name in table} | {"zeros": zeros}


def _sentinels(series: PackedSeries) -> np.ndarray:
    """How many values of each series are of the sentinel kind."""
    found = [*sentinels(series.y, series.offsets)]
    marked = np.isin(series.y, found)
    return np.bincount(series.owner[marked], minlength=len(series.anchor))
