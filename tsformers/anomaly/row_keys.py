"""Ids and times of rows of a stream, read as those of ``fit``: joined, matched as text, in their form and zone."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Schema
from tsformers.data.intake.source import text_of
from tsformers.errors import DataWarning

PLAIN = ("datetime", "date", "count")  # forms that the reader parses by itself


class RowKeys:
    """Ids and times under a schema.

    Args:
        schema: of the panel of ``fit``.
        ids: of the panel; rows of other types are matched as text, which is reported once.

    Example:
        >>> import warnings
        >>> keys = RowKeys(Schema(text_ids=True), pd.Index(["1"]))
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     keys.ids([{"unique_id": 1}, {"unique_id": "x"}])
        ['1', 'x']
    """

    def __init__(self, schema: Schema, ids: pd.Index) -> None:
        self.schema = schema
        self.id_columns = schema.id_cols or (schema.id_col,)
        self.time_columns = schema.time_cols or (schema.time_col,)
        self.only = ids[0] if schema.single and len(ids) == 1 else None
        self.known = set(ids)
        self.by_text = {text_of(name): name for name in ids}
        self.warned = len(self.by_text) < len(ids)  # two ids with one text: nothing is matched

    def ids(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The id of each row.

        Args:
            rows: M rows.

        Returns:
            Ids of ``fit`` where the text is the same; None where there is none.
        """
        first, *more = self.id_columns
        if more:
            return [self._joined([row.get(name) for name in self.id_columns]) for row in rows]
        return [self.named(row.get(first)) for row in rows]

    def named(self, name: Any) -> Any:
        """One id as ``fit`` has it.

        Args:
            name: as it came.

        Returns:
            The id.
        """
        if name is None:
            return self.only
        try:
            if name in self.known or name != name:
                return name
        except TypeError:
            return name
        found = self.by_text.get(text_of(name))
        if found is None or len(self.by_text) < len(self.known):
            return name
        if not self.warned:
            self.warned = True
            warnings.warn(
                DataWarning(f"ids such as {name!r} are matched as text with those of fit, such as {found!r}"),
                stacklevel=6,
            )
        return found

    def column(self, frame: pd.DataFrame) -> pd.Series:
        """The ids of a frame.

        Args:
            frame: rows.

        Returns:
            (M,) ids.
        """
        first, *more = self.id_columns
        if not more and first in frame:
            ids = frame[first]
            try:
                if self.known.issuperset(ids.dropna().unique()):
                    return ids
            except TypeError:  # ids that cannot be hashed
                return ids
            return pd.Series([self.named(name) for name in ids], index=frame.index, dtype=object)
        if not more:
            return pd.Series([self.only] * len(frame), index=frame.index, dtype=object)
        parts = zip(*(frame[name] for name in self.id_columns), strict=True)
        return pd.Series([self._joined(list(part)) for part in parts], index=frame.index, dtype=object)

    def stamps(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The time of each row as it came; joined times as one text.

        Args:
            rows: M rows.

        Returns:
            M times.
        """
        first, *more = self.time_columns
        if not more:
            return [row.get(first) for row in rows]
        return [self._pasted([row.get(name) for name in self.time_columns]) for row in rows]

    def moments(self, stamps: Sequence[Any], unreadable: int) -> np.ndarray | None:
        """Times in a form that is neither ISO 8601 nor whole numbers.

        Args:
            stamps: M times.
            unreadable: stands for a time that does not fit.

        Returns:
            (M,) int64, None where the reader parses the form itself.
        """
        form = self.schema.form
        if form.kind in PLAIN and (form.kind != "count" or not form.format):
            return None
        whole = np.array([isinstance(stamp, str | int | float | np.number) for stamp in stamps], dtype=bool)
        found = np.full(len(stamps), unreadable, dtype=np.int64)
        if whole.any():
            given = [
                stamp if form.kind == "epoch" else str(stamp) for stamp, ok in zip(stamps, whole, strict=True) if ok
            ]
            values = pd.Series(given, dtype=object).infer_objects()
            counts, bad = form.parse(values, self.schema.tz)
            found[whole] = np.where(bad, unreadable, counts)
        typed = pd.to_datetime(
            pd.Series([s for s, ok in zip(stamps, whole, strict=True) if not ok], dtype=object), errors="coerce"
        )
        moments = typed.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(typed.dtype, "tz", None) else typed
        found[~whole] = np.where(moments.isna(), unreadable, moments.to_numpy("M8[ns]").view(np.int64))
        return found

    def _joined(self, parts: list[Any]) -> Any:
        missing = [part is None or part != part for part in parts]
        return None if any(missing) else self.named(self.schema.id_sep.join(map(text_of, parts)))

    def _pasted(self, parts: list[Any]) -> Any:
        return None if any(part is None for part in parts) else " ".join(map(text_of, parts))
