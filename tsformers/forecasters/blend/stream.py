"""A fitted Blend updated one observation at a time: the last rows of each series are kept, the cost is constant."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tsformers.calendar.grid import as_counts, decompose
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel
from tsformers.distributions.marginals import Marginals
from tsformers.errors import DataError
from tsformers.forecasters.blend.covariates import without_covariates
from tsformers.forecasters.blend.windows import longest_context
from tsformers.forecasters.fitted_settings import check_unchanged
from tsformers.forecasters.lru.next_step import NextStepDistribution
from tsformers.messages import Option
from tsformers.nn.heads.quantile import LEVELS

ARRAYS = ("rows", "length", "position", "phase")


class BlendStream:
    """Continues from the end of a history, one observation at a time.

    ``update`` takes one value of each series (or of some) and returns the distribution of the next one; ``next`` is
    that of all series at present: the first step of what ``predict`` forecasts from the same rows. The base forecasts
    are computed anew from the kept rows, as many as a context has: memory and cost of an update do not grow.

    Args:
        model: a fitted ``Blend``.

    Example:
        >>> import tsformers as tsf
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> stream = tsf.Blend(horizon=4, max_steps=0).fit(frame).stream()
        >>> saved = stream.snapshot()
        >>> following = stream.update(-0.3)
        >>> bool(np.array_equal(following.mean, stream.restore(saved).update(-0.3).mean))
        True
    """

    def __init__(self, model: Any) -> None:
        self._model, self._panel = model, model.panel_
        self._longest = longest_context(*model.periods_)
        self._rows = np.zeros((0, 2 * self._longest))  # the kept rows of each series begin at its first column
        self._length = np.zeros(0, dtype=np.int64)
        self._position, self._phase = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        self.ids = pd.Index([])

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"BlendStream({len(self.ids)} series of {self._model!r})"

    @property
    def next(self) -> NextStepDistribution:
        """The distribution of the next value of every series."""
        return self._distribution(np.arange(len(self.ids)))

    def add(self, data: Frame | Panel, *, static: Frame | None = None) -> Self:
        """Read the histories of series that are not in the stream yet.

        Args:
            data: as for ``predict``; the last rows are read.
            static: statics of the series, if the model has some.

        Returns:
            The stream itself; the new series stand behind the others.

        Raises:
            DataError: a series that is there already.
        """
        panel = self._panel.like(data, static).tail(self._longest)
        known = panel.ids.intersection(self.ids)
        if len(known):
            raise DataError(
                f"series {plain(known[0])!r} is in the stream already; update it, or leave it out of ", Option("data")
            )
        lengths = panel.lengths
        rows = np.full((panel.n_series, 2 * self._longest), np.nan)
        rows[np.arange(2 * self._longest) < lengths[:, None]] = panel.y[panel.in_history]
        position, phase = decompose(as_counts(panel.times[panel.ends - 1]), panel.grid)
        self._rows, self._length = np.concatenate([self._rows, rows]), np.concatenate([self._length, lengths])
        self._position = np.concatenate([self._position, position])
        self._phase = np.concatenate([self._phase, np.broadcast_to(phase, position.shape)])
        self.ids = self.ids.append(panel.ids) if len(self.ids) else panel.ids
        return self

    def update(
        self, values: float | Sequence[float] | np.ndarray, *, ids: Sequence[Any] | pd.Index | None = None
    ) -> NextStepDistribution:
        """Update with one value of each series.

        Args:
            values: (M,), or one number for one series; NaN = missing, which is a step too.
            ids: of the series to update, each once, in the order of ``values``; None: all, in the order of ``ids``.

        Returns:
            The distribution of the next value of these series.

        Raises:
            DataError: values are lacking, too many or infinite; an id is unknown or given twice.
        """
        at = self._places(ids)
        y = np.atleast_1d(np.asarray(values, dtype=np.float64))
        if y.shape != at.shape:
            raise DataError(
                f"values must be one a series, ({len(at)},), not of shape {y.shape}; name some with ", Option("ids")
            )
        if np.isinf(y).any():
            name = plain(self.ids[at[int(np.isinf(y).argmax())]])
            raise DataError(f"the value of series {name!r} is infinite; give NaN where it is missing")
        full = at[self._length[at] == 2 * self._longest]
        self._rows[full, : self._longest] = self._rows[full, self._longest :]
        self._length[full] = self._longest
        self._rows[at, self._length[at]] = y
        self._length[at] += 1
        self._position[at] += 1
        return self._distribution(at)

    def snapshot(self) -> dict[str, Any]:
        """The whole state of the stream: arrays, and a list of ids."""
        kept = {name: getattr(self, f"_{name}").copy() for name in ARRAYS}
        return kept | {"ids": self.ids.tolist()}

    def restore(self, snapshot: dict[str, Any]) -> Self:
        """Return to a snapshot, or continue from one in a new process, with the same bits from there on.

        Args:
            snapshot: of a stream of the same model.

        Returns:
            The stream itself.

        Raises:
            ValueError: the snapshot is of a stream of another model.
        """
        if snapshot["rows"].shape[1] != 2 * self._longest:
            raise ValueError("the snapshot is of a stream of another model; restore it into a stream of its own model")
        for name in ARRAYS:
            setattr(self, f"_{name}", np.array(snapshot[name]))
        self.ids = pd.Index(snapshot["ids"], tupleize_cols=False)
        return self

    def _places(self, ids: Sequence[Any] | pd.Index | None) -> np.ndarray:
        if ids is None:
            return np.arange(len(self.ids))
        asked = pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
        rows = self.ids.get_indexer(asked)
        if (rows < 0).any():
            raise DataError(f"series {asked[rows < 0][0]!r} is not in the stream; add(data) reads its history first")
        if asked.has_duplicates:
            name = asked[asked.duplicated()][0]
            raise DataError(f"series {name!r} is given twice; update it once for each of its values, in order")
        return np.asarray(rows, dtype=np.int64)

    def _distribution(self, at: np.ndarray) -> NextStepDistribution:
        starts = at * self._rows.shape[1]
        first = starts + np.maximum(self._length[at] - self._longest, 0)
        values = self._model.quantiles_after(without_covariates(self._rows.ravel()), first, starts + self._length[at])[
            ..., 0
        ]
        family = Marginals.from_ascending(np.ascontiguousarray(values), LEVELS)
        ticks = self._position[at] + 1, self._phase[at]
        return NextStepDistribution(self.ids[at], family, ticks, self._panel.grid, self._panel.schema)


def stream(self: Any, data: Frame | Panel | None = None, *, static: Frame | None = None) -> BlendStream:
    """A stream that continues from the ends of the series of ``data`` (None: of the data of ``fit``): ``BlendStream``.

    Args:
        self: a fitted ``Blend``.
        data: histories of these or other series.
        static: statics of the series of ``data``.

    Returns:
        The stream.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: a setting was changed since ``fit``.
        DataError: the model was trained with covariates.
    """
    check_is_fitted(self, "panel_")
    check_unchanged(self)
    if self.response_ is not None:
        raise DataError(
            "a stream of Blend reads the target alone, but this one was trained with covariates; fit it without them, "
            "or use update(rows) and predict(), which read them"
        )
    return BlendStream(self).add(self.panel_ if data is None else data, static=static)
