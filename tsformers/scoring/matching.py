"""Observed values and histories, aligned with a forecast."""

from typing import NamedTuple

import numpy as np

from tsformers.calendar.grid import Grid, as_counts
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Frame, stamps
from tsformers.data.forecast import Forecast
from tsformers.data.intake.bound import bound_ids, bound_source, bound_times, key_columns
from tsformers.data.intake.columns import RowNames, check_columns
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.messages import Option
from tsformers.places import Places

SERIES_AT_ONCE = 256  # histories padded together; more would be padded to one very long series


class Rows(NamedTuple):
    """Long rows: series number in the forecast (-1 = not there), stamp as int64, value; and the rows' names."""

    code: np.ndarray
    stamp: np.ndarray
    y: np.ndarray
    names: RowNames
    places: Places = Places()


class Past(NamedTuple):
    """Packed histories of the forecast's series, in its order: series i is ``y[starts[i]:ends[i]]``.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> past = Past(np.array([1.0, 2.0, 5.0]), np.array([0, 2]), np.array([2, 3]), parse(1))
        >>> [block.tolist() for block in past.blocks()]
        [[[1.0, 2.0], [nan, 5.0]]]
    """

    y: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    grid: Grid

    def blocks(self) -> list[np.ndarray]:
        """Histories as rows, padded with NaN in front, a few hundred series at a time."""
        return [self._block(slice(i, i + SERIES_AT_ONCE)) for i in range(0, len(self.ends), SERIES_AT_ONCE)]

    def _block(self, series: slice) -> np.ndarray:
        starts, ends = self.starts[series, None], self.ends[series, None]
        rows = ends - np.arange(int((ends - starts).max(initial=0)), 0, -1)
        return (
            np.where(rows >= starts, self.y[np.maximum(rows, 0)], np.nan) if rows.size else np.full(rows.shape, np.nan)
        )


def past_of(forecast: Forecast, history: Panel | Frame) -> Past:
    """The history of each series of a forecast, cut before the first step forecast.

    Args:
        forecast: N series.
        history: a Panel or a long frame with the forecast's column names; rows from the forecast's first stamp on are
            ignored, so the whole data may be given.

    Returns:
        The packed rows, shared with the panel.

    Raises:
        DataError: a series is missing, the two count time differently, or the frame cannot be read.

    Example:
        >>> import pandas as pd
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[2, 3]]), np.zeros((1, 3, 2)), freq=1)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": [0, 1, 2], "y": [1.0, 2.0, 9.0]})
        >>> past_of(forecast, frame).blocks()
        [array([[1., 2.]])]
    """
    panel = history if isinstance(history, Panel) else _panel(forecast, history)
    _check_kind_of_time(forecast, panel.times.dtype.kind == "M", panel.schema.tz, "history")
    places = panel.ids.get_indexer(forecast.ids)
    if (places < 0).any():
        lacking = forecast.ids[int(np.argmax(places < 0))]
        raise DataError(
            f"history has no series {plain(lacking)!r}, which the forecast has; "
            "pass the rows before the forecast for every series"
        )
    first = np.full(panel.n_series, np.iinfo(np.int64).min)
    first[places] = as_counts(forecast.times[:, 0])
    before = (as_counts(panel.times) < first[panel.owner]) & panel.in_history
    starts, lengths = panel.offsets[:-1], np.bincount(panel.owner[before], minlength=panel.n_series)
    return Past(panel.y, starts[places], (starts + lengths)[places], panel.grid)


def actual_values(forecast: Forecast, actual: Panel | Frame | np.ndarray) -> np.ndarray:
    """The observed value of each step of each series of a forecast.

    Args:
        forecast: N series, H steps.
        actual: a long frame with the forecast's column names, a Panel, or an array (N, H) in the forecast's order.

    Returns:
        (N, H) float64; NaN where ``actual`` has no row.

    Raises:
        DataError: the frame cannot be read, holds a step of a series twice, or matches no step of the forecast.

    Example:
        >>> import pandas as pd
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[5, 6]]), np.zeros((1, 3, 2)), freq=1)
        >>> actual_values(forecast, pd.DataFrame({"unique_id": ["a", "a"], "ds": [6, 7], "y": [1.0, 2.0]}))
        array([[nan,  1.]])
    """
    if isinstance(actual, np.ndarray):
        if actual.shape != forecast.times.shape:
            raise DataError(
                f"actual is an array of shape {actual.shape}; the forecast has {forecast.times.shape}, series by steps"
            )
        return actual.astype(np.float64)
    rows = _panel_rows(forecast, actual) if isinstance(actual, Panel) else _frame_rows(forecast, actual)
    moments, step = np.unique(as_counts(forecast.times), return_inverse=True)
    key = (np.arange(forecast.n_series)[:, None] * len(moments) + step.reshape(forecast.times.shape)).ravel()  # rising
    at = np.searchsorted(moments, rows.stamp)
    asked = rows.code * len(moments) + at
    place = np.searchsorted(key, asked)
    hit = (rows.code >= 0) & (moments[np.minimum(at, len(moments) - 1)] == rows.stamp)
    hit &= key[np.minimum(place, len(key) - 1)] == asked
    if not hit.any():
        raise DataError(_why_nothing_matches(forecast, rows))
    places = place[hit]
    doubled = np.bincount(places, minlength=len(key))[place[hit]] > 1
    if doubled.any():
        row = int(np.flatnonzero(hit)[np.flatnonzero(doubled)[-1]])
        raise DataError(
            f"actual holds series {plain(rows.names[row])!r} at {_shown(forecast, rows.stamp[row])} twice, "
            f"the last time at {rows.places.at(row)}; drop one of them"
        )
    y = np.full(len(key), np.nan)
    y[places] = rows.y[hit]
    return y.reshape(forecast.times.shape)


def _frame_rows(forecast: Forecast, actual: Frame) -> Rows:
    schema = forecast.schema
    source = bound_source(actual, schema, "actual")
    keys = {**key_columns(source, schema), "target_col": schema.target_col}
    check_columns(source.frame, keys, what=source.places.what)
    ids = bound_ids(source, schema, forecast.ids)
    names = RowNames(ids.names, ids.code)
    times = bound_times(source, schema, names, forecast.times.dtype.kind != "M")
    target = schema.target_col
    y = read_numbers(source.numeric(target), target, names, source.places, missing=schema.missing)
    return Rows(forecast.ids.get_indexer(ids.names)[ids.code], times.counts, y, names, source.places)


def _panel_rows(forecast: Forecast, panel: Panel) -> Rows:
    _check_kind_of_time(forecast, panel.times.dtype.kind == "M", panel.schema.tz, "actual")
    code = forecast.ids.get_indexer(panel.ids)[panel.owner]
    return Rows(code, as_counts(panel.times), panel.y, RowNames(panel.ids, panel.owner))


def _panel(forecast: Forecast, history: Frame) -> Panel:
    return Panel.history(history, forecast.schema, forecast.grid, forecast.ids, forecast.times.dtype.kind != "M")


def _check_kind_of_time(forecast: Forecast, dated: bool, tz: str | None, what: str) -> None:
    """Refuse to compare dates with integers, or stamps with a zone and without one."""
    if dated != (forecast.times.dtype.kind == "M"):
        kinds = ("integers", "datetimes")
        raise DataError(
            f"{what} counts time in {kinds[dated]}, the forecast in {kinds[not dated]}; give both the same kind"
        )
    if dated and (tz is None) != (forecast.schema.tz is None):
        with_zone, without = (what, "the forecast") if tz else ("the forecast", what)
        raise DataError(
            f"the stamps of {with_zone} have a time zone, those of {without} have none; give both one, such as with ",
            Option("tz"),
        )


def _shown(forecast: Forecast, count: np.int64) -> object:
    """One stamp as the caller wrote it."""
    kind = "M8[ns]" if forecast.times.dtype.kind == "M" else "i8"
    return stamps(np.array([count]).astype(kind), forecast.schema)[0]


def _why_nothing_matches(forecast: Forecast, rows: Rows) -> str:
    """Why no row matches: other ids, or other time stamps."""
    inside = np.flatnonzero(rows.code >= 0)
    if not len(inside):
        return (
            f"no series of actual is in the forecast: the forecast has {plain(forecast.ids[0])!r}, "
            f"actual has {plain(rows.names[0])!r} at {rows.places.at(0)}; use the same ids (and the same type of ids) "
            "in both"
        )
    row = int(inside[0])
    begin, end = (_shown(forecast, as_counts(forecast.times)[rows.code[row], k]) for k in (0, -1))
    return (
        f"no row of actual meets the forecast: series {plain(rows.names[row])!r} is forecast from {begin} to {end}, "
        f"actual has {_shown(forecast, rows.stamp[row])} at {rows.places.at(row)}; pass the rows of the forecast's "
        "stamps"
    )
