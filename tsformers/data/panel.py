"""Panel: many series, validated and packed into contiguous arrays on one complete time grid."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypedDict

import numpy as np
import pandas as pd

from tsformers.calendar.arithmetic import future_times
from tsformers.calendar.grid import Grid
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Frame, Schema, from_pandas, stamps
from tsformers.data.intake.asked import asked
from tsformers.data.intake.ids import id_columns
from tsformers.data.intake.one_hot import decoded
from tsformers.data.intake.packing import Fitted, Rows, pack, pack_like
from tsformers.data.intake.reading import Reading, reading_of
from tsformers.data.intake.side_frames import future_rows, read_static
from tsformers.data.unused_covariates import warn_needless_future
from tsformers.errors import DataError
from tsformers.messages import Option


class Roles(TypedDict, total=False):
    """The keywords of ``Panel.from_frame``, as ``fit`` of every forecaster takes them."""

    freq: str | int | None
    known: Sequence[str]
    past: Sequence[str] | None
    static: Frame | None
    id_col: str | Sequence[str] | None
    time_col: str | Sequence[str] | None
    target_col: str | None
    short: Literal["error", "drop"]
    missing: Any
    time_format: str | None
    tz: str | None
    resample: str | None
    aggregate: str | None


@dataclass(frozen=True, eq=False)
class Panel:
    """N series in R packed rows, on one complete grid: rows missing in the frame are present, with NaN.

    Args:
        ids: N names, sorted.
        offsets: (N + 1,) int64; rows of series i are ``offsets[i]:offsets[i + 1]``.
        ends: (N,) int64; the history of series i is ``offsets[i]:ends[i]``, what follows holds known covariates only.
        times: (R,) datetime64[ns] (UTC where ``schema.tz`` is set) or int64.
        y: (R,) float64 in the caller's units, NaN = missing.
        past: (R, P) float64, covariates known up to the cutoff.
        known: (R, K) float64, covariates known in advance.
        static: N rows of numbers or text, index = ids.
        grid: the parsed frequency; ``freq`` is its name.
        schema: columns, time zone and type of the caller's frame.
        dropped: ids of the series that ``short="drop"`` or ``select`` left out; a future frame may still have them.
        facts: about the file that was read, such as "separator ';'".
        notes: what a reader should know of how the frame was read.
    """

    ids: pd.Index
    offsets: np.ndarray
    ends: np.ndarray
    times: np.ndarray
    y: np.ndarray
    past: np.ndarray
    known: np.ndarray
    static: pd.DataFrame
    grid: Grid
    schema: Schema
    dropped: pd.Index = field(default_factory=lambda: pd.Index([]))
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        data: "Frame | Panel",
        *,
        freq: str | int | None = None,
        known: Sequence[str] = (),
        past: Sequence[str] | None = None,
        static: Frame | None = None,
        id_col: str | Sequence[str] | None = None,
        time_col: str | Sequence[str] | None = None,
        target_col: str | None = None,
        short: Literal["error", "drop"] = "error",
        missing: Any = (),
        time_format: str | None = None,
        tz: str | None = None,
        resample: str | None = None,
        aggregate: str | None = None,
    ) -> "Panel":
        """Validate and pack a long frame, which is not modified; a Panel, which has its roles, is returned unchanged.

        Rows may come in any order. Rows that the grid of the frequency lacks become missing values; NaN in the target
        is a missing value too, also at the end: forecasts start after the last row of a series. Without keywords, the
        ids are ``unique_id`` (else there is one series, called after the target), the time is ``ds``, else the index,
        else the only column that is named like a time or reads as one, and the target is ``y``, ``value``, or the only
        column of numbers. Where there are two readings, both are offered; what was chosen stands in ``reading``.

        Args:
            data: a long frame (pandas, polars, pyarrow), a file that was read, or a pandas Series with a time index.
            freq: pandas alias or integer step; None = inferred, see ``tsformers.calendar.frequency``.
            known: covariates whose future values will be given at prediction. Text and categories are one-hot encoded.
            past: the covariates known up to the cutoff; None = every other column of numbers.
            static: one row a series, ids in the id column or the index; numbers or text, none missing.
            id_col: column of series ids; several are joined.
            time_col: column of times; several are joined with a blank.
            target_col: column of values.
            short: "error" refuses series without any value, "drop" leaves them out with a warning.
            missing: a value or text that stands for a missing value, or several.
            time_format: strptime codes, or one of the names in ``read_times``; None = by evidence.
            tz: time zone of stamps that have none; others are brought into it.
            resample: length of bins that the rows are brought to, such as "h"; None = rows as they are.
            aggregate: what a bin shows: "mean" (None), "sum", "last" or "max".

        Returns:
            The panel, series sorted by id.

        Raises:
            DataError: two readings, or anything that would make forecasts silently wrong, by column, series, row and
                remedy.

        Example:
            >>> days = ["2024-01-01", "2024-01-02", "2024-01-04"]
            >>> panel = Panel.from_frame(pd.DataFrame({"day": days, "sales": [1, 2, 4]}))
            >>> print(panel.reading)
            1 series, target 'sales', every day ('day') from 2024-01-01 to 2024-01-04; 1 of 4 rows is missing; season 7
        """
        columns: dict[str, Any] = {"id_col": id_col, "time_col": time_col, "target_col": target_col}
        others: dict[str, Any] = {"time_format": time_format, "tz": tz, "resample": resample, "aggregate": aggregate}
        if isinstance(data, Panel):
            given = {"freq": freq, "known": tuple(known) or None, "past": past, "static": static, **others}
            _refuse_roles({**given, "missing": missing or None}, columns)
            return data
        chosen = asked(**columns, **others, known=known, past=past, missing=missing)
        rows = pack(data, chosen, freq, short)
        return cls._of(rows, read_static(static, rows.ids, rows.schema))

    @classmethod
    def history(cls, data: Frame, schema: Schema, grid: Grid | None, ids: pd.Index, integer: bool) -> "Panel":
        """The values of some series, read as a forecast's schema says; covariates are ignored.

        Args:
            data: a long frame with the columns of ids, times and values of the schema.
            schema: of the forecast.
            grid: of the forecast; None = the frequency is inferred.
            ids: the series to read; rows of others are not looked at.
            integer: whether the forecast counts time in whole numbers.

        Returns:
            A panel of the series that are there.

        Raises:
            DataError: none of the series is there, or their rows cannot be used.

        Example:
            >>> from tsformers.calendar.grid import parse
            >>> frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 1], "y": [1.0, 2.0]})
            >>> Panel.history(frame, Schema(), parse(1), pd.Index(["b"]), True).y
            array([2.])
        """
        rows = pack_like(data, Fitted(schema, grid, ids, integer), "drop", ids)
        return cls._of(rows, pd.DataFrame(index=rows.ids))

    @classmethod
    def _of(cls, rows: Rows, static: pd.DataFrame) -> "Panel":
        ids, offsets, times, y, past, known, grid, schema, dropped, facts, notes = rows
        ends = offsets[1:].copy()
        return cls(ids, offsets, ends, times, y, past, known, static, grid, schema, dropped, facts, notes)

    @property
    def freq(self) -> str | int:
        """Name of the frequency: a pandas alias, or the step of integer time."""
        return self.grid.freq

    @property
    def reading(self) -> Reading:
        """What was read: roles of the columns, series, times, missing rows, and what was left out.

        Example:
            >>> Panel.from_frame(pd.Series([1.0, 2.0], name="a")).reading.n_rows
            2
        """
        history = self.in_history
        return reading_of(
            self.schema, self.grid, self.times[history], self.y[history], self.n_series, self.facts, self.notes
        )

    @property
    def n_series(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """(N,) rows of history of each series."""
        return self.ends - self.offsets[:-1]

    @cached_property
    def owner(self) -> np.ndarray:
        """(R,) int64, the series of each row, from 0.

        Example:
            >>> Panel.from_frame(pd.DataFrame({"unique_id": ["a", "b", "b"], "ds": [0, 0, 1], "y": 1.0})).owner
            array([0, 1, 1])
        """
        return _frozen(np.repeat(np.arange(self.n_series), np.diff(self.offsets)))

    @cached_property
    def in_history(self) -> np.ndarray:
        """(R,) bool, True for rows of a history, False for the known rows after it.

        Example:
            >>> frame = pd.DataFrame({"unique_id": "a", "ds": [1, 2, 3], "y": 1.0, "price": 5.0})
            >>> Panel.from_frame(frame, known=["price"]).until(np.array([2]), horizon=1).in_history
            array([ True,  True, False])
        """
        return _frozen(np.arange(len(self.y)) < np.repeat(self.ends, np.diff(self.offsets)))

    def to_frame(self) -> Frame:
        """The histories as a long frame in the caller's own type and column names, filled gaps included as NaN.

        Example:
            >>> Panel.from_frame(pd.Series([1.0, 2.0], name="a")).to_frame()["y"].tolist()
            [1.0, 2.0]
        """
        rows, _ = self._spans(self.offsets[:-1], self.ends)
        columns: dict[str, Any] = {
            **id_columns(self.ids.repeat(self.lengths), self.schema),
            self.schema.time_col: stamps(self.times[rows], self.schema),
            self.schema.target_col: self.y[rows],
        }
        columns |= decoded(self.past[rows], self.schema.past, self.schema)
        columns |= decoded(self.known[rows], self.schema.known, self.schema)
        return from_pandas(pd.DataFrame(columns), self.schema.backend)

    def select(self, series: np.ndarray) -> "Panel":
        """The series at these positions, in this order.

        Args:
            series: (n,) integer positions, or a boolean mask of N.

        Example:
            >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": ["a", "b"], "ds": [0, 0], "y": [1.0, 2.0]}), freq=1)
            >>> panel.select(np.array([1])).y
            array([2.])
        """
        chosen = np.arange(self.n_series)[np.asarray(series)]
        rows, offsets = self._spans(self.offsets[chosen], self.offsets[chosen + 1])
        left = np.ones(self.n_series, dtype=bool)
        left[chosen] = False
        ends, dropped = offsets[:-1] + self.lengths[chosen], self.ids[left]
        dropped = self.dropped.append(dropped) if len(self.dropped) else dropped
        part = self._at(rows, offsets, ends, self.ids[chosen], self.static.iloc[chosen])
        return replace(part, dropped=dropped)

    def until(self, ends: np.ndarray, horizon: int = 0) -> "Panel":
        """The panel as it was known at a cutoff: later rows are removed from its arrays.

        Args:
            ends: (N,) absolute row at which each history stops, exclusive.
            horizon: rows kept after it, with their known covariates only; none where there are no such covariates.

        Returns:
            A panel of the same series.

        Raises:
            ValueError: an end lies outside its series' history.

        Example:
            >>> panel = Panel.from_frame(pd.Series([1.0, 2.0, 3.0], name="a"))
            >>> panel.until(np.array([2])).y
            array([1., 2.])
        """
        ends = np.broadcast_to(np.asarray(ends, dtype=np.int64), (self.n_series,))
        if ((ends < self.offsets[:-1]) | (ends > self.ends)).any():
            raise ValueError("ends must lie within the histories: offsets[i] <= ends[i] <= panel.ends[i]")
        last = np.minimum(ends + (horizon if self.schema.known else 0), self.offsets[1:])
        rows, offsets = self._spans(self.offsets[:-1], last)
        part = self._at(rows, offsets, offsets[:-1] + ends - self.offsets[:-1], self.ids, self.static)
        after = ~part.in_history
        part.y[after], part.past[after] = np.nan, np.nan
        return part

    def tail(self, rows: int) -> "Panel":
        """The last ``rows`` rows of each history, and the known rows after it.

        Example:
            >>> Panel.from_frame(pd.Series([1.0, 2.0, 3.0], name="a")).tail(2).y
            array([2., 3.])
        """
        starts = np.maximum(self.offsets[:-1], self.ends - rows)
        kept, offsets = self._spans(starts, self.offsets[1:])
        return self._at(kept, offsets, offsets[:-1] + self.ends - starts, self.ids, self.static)

    def like(self, data: "Frame | Panel", static: Frame | None = None, short: str = "error") -> "Panel":
        """Read other data under this panel's roles and frequency.

        Args:
            data: a frame with the columns of this panel's, of known or new series; or a Panel.
            static: as in ``from_frame``; None = the static covariates of this panel's series.
            short: "drop" leaves series of a frame without a value out, with a warning; "error" refuses them.

        Returns:
            The panel of the new data.

        Raises:
            DataError: other covariates, another frequency or kind of time, new series without static covariates, or
                what ``from_frame`` refuses.

        Example:
            >>> panel = Panel.from_frame(pd.Series([1.0, 2.0], name="a"))
            >>> panel.like(pd.Series([3.0], name="b")).ids.tolist()
            ['b']
        """
        if isinstance(data, Panel):
            _refuse_roles({"static": static})
            return self._alike(data)
        rows = pack_like(data, self._fitted, short)
        rows = rows._replace(dropped=self.dropped.append(rows.dropped))
        columns = self.static.columns
        if static is not None:
            return self._of(rows, read_static(static, rows.ids, self.schema, self.static))
        if len(columns) and not rows.ids.isin(self.ids).all():
            new = [plain(name) for name in rows.ids[~rows.ids.isin(self.ids)][:5]]
            raise DataError(
                f"series {new} were not in fit, so that their static covariates are unknown; pass ", Option("static"),
                f" with the columns {list(columns)}",
            )  # fmt: skip
        return self._of(rows, self.static.reindex(rows.ids) if len(columns) else pd.DataFrame(index=rows.ids))

    @property
    def _fitted(self) -> Fitted:
        ids = self.ids.append(self.dropped) if len(self.dropped) else self.ids
        return Fitted(self.schema, self.grid, ids, self.grid.unit == "int")

    def _alike(self, other: "Panel") -> "Panel":
        """Another panel with its past covariates in this one's order; refused where roles or frequency differ."""
        for what, mine, theirs in (
            ("past covariates", sorted(self.schema.past_columns), sorted(other.schema.past_columns)),
            ("known covariates", list(self.schema.known_columns), list(other.schema.known_columns)),
            ("static covariates", list(self.static), list(other.static)),
            ("freq", self.freq, other.freq),
        ):
            if mine != theirs:
                raise DataError(
                    f"the panel's {what} are {theirs!r}, those of fit {mine!r}; build it with the roles of fit"
                )
        order = [other.schema.past_columns.index(name) for name in self.schema.past_columns]
        if order == sorted(order):
            return other
        return replace(other, past=other.past[:, order], schema=replace(other.schema, past=self.schema.past))

    def with_future(self, future: Frame | None, horizon: int) -> "Panel":
        """Append the known covariates of the steps to be forecast.

        Args:
            future: a frame of id, time and known columns, one row for each series and step; rows at other times (beyond
                the horizon, or in the history) or of series left out (``dropped``), and other columns, are ignored.
                None is enough where there are no known covariates, or where the panel has these rows already
                (``until``); a frame where there are no known covariates is not used, which a warning says.
            horizon: H.

        Returns:
            A panel with H known rows after each history; itself where there are no known covariates.

        Raises:
            DataError: lacking rows, unknown series, NaN and the like.

        Example:
            >>> frame = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [1.0, 2.0], "price": [5.0, 6.0]})
            >>> panel = Panel.from_frame(frame, known=["price"])
            >>> panel.with_future(pd.DataFrame({"unique_id": ["a"], "ds": [3], "price": [7.0]}), 1).known[:, 0]
            array([5., 6., 7.])
        """
        if not self.schema.known:
            if future is not None:
                warn_needless_future(future, self.schema)
            return self
        beyond = self.offsets[1:] - self.ends
        if future is None and (beyond >= horizon).all():
            return self
        later = self.future_times(horizon)
        values = future_rows(future, self.schema, self.ids, later, self.grid, self.dropped)
        rows, _ = self._spans(self.offsets[:-1], self.ends)
        lengths = self.lengths
        offsets = np.concatenate([[0], np.cumsum(lengths + horizon)])
        shift = np.repeat(offsets[:-1], lengths) + (rows - np.repeat(self.offsets[:-1], lengths))
        ahead = (offsets[1:, None] - horizon + np.arange(horizon)).ravel()

        def joined(history: np.ndarray, after: np.ndarray | float) -> np.ndarray:
            out = np.empty((offsets[-1], *history.shape[1:]), dtype=history.dtype)
            out[shift], out[ahead] = history[rows], after
            return out

        return replace(
            self,
            offsets=offsets,
            ends=offsets[1:] - horizon,
            times=joined(self.times, later.ravel()),
            y=joined(self.y, np.nan),
            past=joined(self.past, np.nan),
            known=joined(self.known, values.reshape(-1, values.shape[-1])),
        )

    def future_times(self, horizon: int) -> np.ndarray:
        """(N, H) stamps after the end of each history.

        Raises:
            DataError: a series has no row, or stamps would lie beyond the year 2262.

        Example:
            >>> Panel.from_frame(pd.Series([1.0, 2.0], name="a")).future_times(3)
            array([[2, 3, 4]])
        """
        if (self.lengths == 0).any():
            name = plain(self.ids[int(np.argmin(self.lengths))])
            raise DataError(f"series {name!r} has no row, so that no time follows it; leave it out with select")
        return future_times(self.times[self.ends - 1], horizon, self.grid, self.ids)

    def padded(self, rows: int) -> np.ndarray:
        """(N, rows) the last values of each history, NaN in front where it is shorter.

        Example:
            >>> Panel.from_frame(pd.Series([1.0, 2.0], name="a")).padded(3)
            array([[nan,  1.,  2.]])
        """
        at = self.ends[:, None] + np.arange(-rows, 0)
        return np.where(at >= self.offsets[:-1, None], self.y[np.maximum(at, 0)], np.nan)

    def _spans(self, starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of ``starts[i]:stops[i]`` one after another, and their offsets."""
        lengths = stops - starts
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths), offsets

    def _at(
        self, rows: np.ndarray, offsets: np.ndarray, ends: np.ndarray, ids: pd.Index, static: pd.DataFrame
    ) -> "Panel":
        return replace(
            self,
            ids=ids,
            offsets=offsets,
            ends=ends,
            static=static,
            times=self.times[rows],
            y=self.y[rows],
            past=self.past[rows],
            known=self.known[rows],
        )


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _refuse_roles(roles: dict[str, Any], columns: dict[str, Any] | None = None) -> None:
    """A Panel has its roles already: one that comes beside it would be ignored, so it is refused."""
    usual = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
    given = [key for key, value in roles.items() if value is not None]
    given += [key for key, name in (columns or {}).items() if name is not None and name != usual[key]]
    if given:
        raise DataError(
            Option(given[0]), " comes with a Panel, which has its roles already; give it to Panel.from_frame, or pass "
            "a frame",
        )  # fmt: skip
