"""The latest values of all series in ring buffers, and the panel of them that a forecaster reads."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.grid import Grid, as_counts, compose, decompose, like_times
from tsformers.data.blocks.panel_blocks import row_blocks
from tsformers.data.panel import Panel

ROWS_AT_ONCE = 2**20  # of contexts that are read together
TABLE = 4  # stamps are looked up where they are this many times fewer than rows


class Contexts:
    """Ring buffers of N series: the value at grid position k of series i stands in cell ``k % R`` of row i.

    R is the length of the context plus the horizon, so that a context can still be read as it was H steps ago.

    Args:
        arrays: ``values`` (N, R, 1 + P), NaN = missing, and (N,) positions ``first`` and ``last`` of each series and
            its ``phase`` within the grid's step; changed in place.

    Example:
        >>> contexts = Contexts.blank(1, 4, 1)
        >>> contexts.begin(np.array([0]), np.array([7]), np.array([0]))
        >>> contexts.write(np.array([0]), np.array([7]), np.array([[1.5]]))
        >>> contexts.write(np.array([0]), np.array([9]), np.array([[2.5]]))
        >>> contexts.read(np.array([0, 0, 0]), np.array([7, 8, 9]))[:, 0]
        array([1.5, nan, 2.5])
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.values, self.first = arrays["values"], arrays["first"]
        self.last, self.phase = arrays["last"], arrays["phase"]

    @classmethod
    def blank(cls, n: int, cells: int, width: int) -> "Contexts":
        """Buffers of ``n`` series without a row."""
        whole = {name: np.full(n, -1, dtype=np.int64) for name in ("first", "last", "phase")}
        return cls({"values": np.full((n, cells, width), np.nan), **whole})

    @classmethod
    def from_panel(cls, panel: Panel, cells: int, grid: Grid) -> "Contexts":
        """Buffers with the last rows of each series of a panel.

        Args:
            panel: the history.
            cells: R.
            grid: of the panel.
        """
        contexts = cls.blank(panel.n_series, cells, 1 + panel.past.shape[1])
        firsts = decompose(as_counts(panel.times[panel.offsets[:-1]]), grid)
        contexts.begin(np.arange(panel.n_series), *firsts)
        for start, part in row_blocks(panel):
            latest = part.tail(cells)
            position, _ = decompose(as_counts(latest.times), grid)
            contexts.values[start + latest.owner, position % cells] = np.column_stack([latest.y, latest.past])
            contexts.last[start : start + part.n_series] = position[latest.ends - 1]
        return contexts

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The state, not copied."""
        return {"values": self.values, "first": self.first, "last": self.last, "phase": self.phase}

    def __len__(self) -> int:
        return len(self.last)

    def resize(self, n: int) -> None:
        """Room for ``n`` series: new ones are blank, those beyond are dropped."""
        kept, (_, cells, width) = min(n, len(self)), self.values.shape
        more = Contexts.blank(n - kept, cells, width)
        for name, part in self.arrays.items():
            setattr(self, name, np.concatenate([part[:kept], getattr(more, name)]))

    def begin(self, series: np.ndarray, position: np.ndarray, phase: np.ndarray) -> None:
        """Set the position of the first row of some series."""
        self.first[series], self.last[series], self.phase[series] = position, position - 1, phase

    def write(self, series: np.ndarray, position: np.ndarray, values: np.ndarray) -> None:
        """One row of each of some distinct series, later than all of theirs; steps left out are missing."""
        cells = self.values.shape[1]
        left_out = np.minimum(position - self.last[series] - 1, cells - 1)
        if left_out.any():
            owner = np.repeat(series, left_out)
            until = np.repeat(position, left_out)
            back = np.repeat(np.cumsum(left_out), left_out) - np.arange(len(owner))
            self.values[owner, (until - back) % cells] = np.nan
        self.values[series, position % cells] = values
        self.last[series] = position

    def amend(self, series: np.ndarray, position: np.ndarray, y: np.ndarray) -> None:
        """Change the targets of rows in the buffer; rows that it no longer holds are skipped."""
        cells = self.values.shape[1]
        held = (position > self.last[series] - cells) & (position <= self.last[series])
        self.values[series[held], position[held] % cells, 0] = y[held]

    def read(self, series: np.ndarray, position: np.ndarray) -> np.ndarray:
        """(K, 1 + P) values; NaN beyond the last row and where the buffer no longer reaches."""
        cells, last = self.values.shape[1], self.last[series]
        found = self.values[series, position % cells]
        found[(position > last) | (position <= last - cells)] = np.nan
        return found

    def panel(
        self, series: np.ndarray, origin: np.ndarray, rows: int, grid: Grid, like: Panel, names: pd.Index
    ) -> tuple[Panel, np.ndarray]:
        """The latest rows of some series, each up to a grid position, as a panel.

        Args:
            series: (n,) which.
            origin: (n,) the last position of each; beyond its last row values are missing.
            rows: at most so many rows of each.
            grid: of the positions.
            like: a panel with the statics, the frequency and the schema.
            names: (n,) their ids.

        Returns:
            The panel of those that have a value among these rows, and which of ``series`` these are.
        """
        lengths = np.clip(origin - self.first[series] + 1, 0, rows)
        firsts, offsets = origin - lengths + 1, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        values, times = np.empty((int(offsets[-1]), self.values.shape[2])), []
        observed, size = np.zeros(len(series), dtype=bool), max(1, ROWS_AT_ONCE // max(rows, 1))
        for start in range(0, max(len(series), 1), size):
            part = slice(start, start + size)
            owner, place, _ = _spans(firsts[part], lengths[part])
            found = self.read(series[part][owner], place)
            values[offsets[start] : offsets[start] + len(place)] = found
            finite = np.isfinite(found[:, 0])
            observed[part] = np.bincount(owner, weights=finite, minlength=len(lengths[part])) > 0
            times.append(self._times(place, self.phase[series[part]], owner, grid))
        if not observed.all():
            kept = np.flatnonzero(observed)
            return self.panel(series[observed], origin[observed], rows, grid, like, names[kept])[0], series[observed]
        known = np.zeros((len(values), 0))
        static = like.static.loc[names] if len(like.static.columns) else pd.DataFrame(index=names)
        parts: dict[str, Any] = {
            "ids": names,
            "offsets": offsets,
            "ends": offsets[1:].copy(),
            "times": np.concatenate(times),
        }
        panel = Panel(
            **parts,
            y=np.ascontiguousarray(values[:, 0]),
            past=np.ascontiguousarray(values[:, 1:]),
            known=known,
            static=static,
            grid=like.grid,
            schema=like.schema,
        )
        return panel, series

    def _times(self, place: np.ndarray, phase: np.ndarray, owner: np.ndarray, grid: Grid) -> np.ndarray:
        """Stamps of positions; where series share the grid, each is composed once."""
        if not len(place):
            return like_times(place, grid)
        low, high = int(place.min()), int(place.max())
        if (phase == phase[0]).all() and (high - low) * TABLE < len(place):
            table = compose(np.arange(low, high + 1), np.full(high - low + 1, phase[0]), grid)
            return like_times(table[place - low], grid)
        return like_times(compose(place, phase[owner], grid), grid)


def _spans(firsts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Owner and position of each row of ``firsts[i], firsts[i] + 1, ...`` one series after another, and offsets."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    owner = np.repeat(np.arange(len(firsts)), lengths)
    return owner, np.arange(offsets[-1]) - offsets[owner] + firsts[owner], offsets
