"""A fitted LRU that goes on one observation at a time: constant cost, constant memory, all series side by side."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from tsformers.calendar.feature_cache import FeatureCache
from tsformers.calendar.grid import as_counts, decompose
from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel
from tsformers.data.windows import cut
from tsformers.errors import DataError
from tsformers.forecasters.fitted_settings import check_unchanged
from tsformers.forecasters.lru.layers import SIGNALS
from tsformers.forecasters.lru.next_step import NextStepDistribution
from tsformers.forecasters.lru.stream_state import ARRAYS, RULES, TENSORS, FrozenNetwork, Memory, Reader, load_kernels
from tsformers.forecasters.neural.validation import check_bare, check_like
from tsformers.nn.heads.gluonts_output import OutputHead
from tsformers.training.randomness import seeded

PIECE_STEPS = 2048  # of a history read at once
MOST_READ = 1 << 17  # steps of all series read at once

Units = Literal["running", "frozen"]


class LRUStream:
    """Goes on from the end of a history, one observation at a time, each at the same cost.

    ``update`` takes in one value of each series (or of some) and answers with the law of the next one; ``next`` is the
    law of all series as they stand. A stream is what a batch is: reading a history at once, and reading its beginning
    at once and the rest value by value, give the same laws up to rounding, if that beginning has ``context_length_``
    rows or more. And of a history of ``context_length_`` rows, the next law is that of the first step of ``predict``
    with ``decoding="autoregressive"``. With "direct" it is that of the one-step head trained beside it.

    Units: a batch measures a window in units of its context. A stream takes those of the first ``context_length_`` rows
    from the first value on (of all, if there are fewer). With ``units="running"`` they follow the series from there:
    each value moves location and scale (as the model's ``scaler`` has them; of "robust", values beyond three
    deviations count as three) with weight ``1 / context_length_``, so that a level that drifts away stays in sight; the
    scale does not fall below a thousandth of the first one. With "frozen" they stay.

    Args:
        model: a fitted ``LRU``; a later fit of it does not reach the stream.
        units: see above.

    Example:
        >>> import tsformers as tsf
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = tsf.LRU(horizon=4, context_length=16, d_model=8, d_state=8, max_steps=2, seed=0, verbose=False)
        >>> stream = model.fit(frame).stream()
        >>> saved = stream.snapshot()
        >>> law = stream.update(-0.3)
        >>> bool(np.array_equal(law.mean, stream.restore(saved).update(-0.3).mean))
        True

    Source: Orvieto et al. (2023), LRU, section 2: a linear recurrence is served one step at a time.
    """

    def __init__(self, model: Any, units: Units = "running") -> None:
        self._multivariate, self._seed = model.multivariate, model.seed
        self._covariates, self._panel = model.covariates_, model.panel_
        self._context, self._scaler = model.context_length_, model.scaler
        self._network, self._kernels = FrozenNetwork(model.network_), load_kernels()
        self._rule = RULES[model.scaler if units == "running" else None]
        series = len(self._panel.ids) if model.multivariate else 1
        self._n_statics = model.sizes_[2] - model.sizes_[3] - series * self._covariates.known.shape[1]
        self._has_calendar = model.sizes_[3] > 0
        self._drawn = isinstance(self._network.next.head, OutputHead)
        self._repr = repr(model)
        self._memory: Memory | None = None
        self._clocks: FeatureCache | None = None
        self._next: NextStepDistribution | None = None
        self.ids = pd.Index([])

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"LRUStream({len(self.ids)} series of {self._repr})"

    @property
    def next(self) -> NextStepDistribution:
        """The law of the next value of every series."""
        rows = self._rows(None)
        with torch.inference_mode():
            return self._law(rows)

    def add(self, data: Frame | Panel, *, future: Frame | None = None, static: Frame | None = None) -> Self:
        """Read the histories of series that are not in the stream yet.

        Args:
            data: as for ``predict``; all rows are read, and a few are enough.
            future: the known covariates of the step that follows each, if the model has some.
            static: statics of the series, if the model has some.

        Returns:
            The stream itself; the new series stand behind the others.

        Raises:
            DataError: a series without a value, or one that is there already; covariates that differ.
        """
        panel = self._panel.like(data, static)
        check_like(_Like(self._panel, self._multivariate), panel)
        known = panel.ids.intersection(self.ids)
        if len(known):
            raise DataError(f"series {known[0]!r} is in the stream already; update it, or leave it out of data=")
        skipped = _rows_before_a_value(panel)
        if (skipped < 0).any() and not (self._multivariate and (skipped >= 0).any()):
            raise DataError(
                f"series {panel.ids[skipped < 0][0]!r} has no value, so that there is no unit to measure it in; leave "
                f"it out until it has one"
            )
        panel = panel.with_future(future, 1)
        lengths = panel.lengths - skipped
        with torch.inference_mode():
            if self._multivariate:
                fresh = self._read(panel, int(lengths[skipped >= 0].max()))
            else:
                groups = _alike(lengths)
                parts = [self._read(panel.select(some), int(lengths[some].max())) for some in groups]
                fresh = Memory.join(parts).pick(np.argsort(np.concatenate(groups)))
        self._memory = fresh if self._memory is None else Memory.join([self._memory, fresh])
        self.ids = self.ids.append(panel.ids) if len(self.ids) else panel.ids
        self._set_clocks()
        return self

    def update(
        self,
        values: float | Sequence[float] | np.ndarray,
        *,
        ids: Sequence[Any] | pd.Index | None = None,
        known: Any = None,
        past: Any = None,
    ) -> NextStepDistribution:
        """Take in one value of each series.

        Args:
            values: (M,), or one number for one series; NaN = missing, which is a step too.
            ids: of the series that move on, each once, in the order of ``values``; None: all, in the order of ``ids``.
            known: (M, K) known covariates of the step that follows, in the order of ``known=`` at ``fit``.
            past: (M, P) past covariates of the step of ``values``, in the order in which ``fit`` found them; NaN =
                missing.

        Returns:
            The law of the next value of these series.

        Raises:
            DataError: values or covariates are lacking, too many or infinite; an id is unknown, or there twice.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        rows = self._rows(ids)
        y = np.atleast_1d(np.asarray(values, dtype=np.float64))
        if y.shape != rows.shape:
            raise DataError(f"values must be one a series, ({len(rows)},), not of shape {y.shape}; name some with ids=")
        if np.isinf(y).any():
            name = self.ids[rows[int(np.isinf(y).argmax())]]
            raise DataError(f"the value of series {name!r} is infinite; give NaN where it is missing")
        later = _table(known, len(rows), self._covariates.known, "known", "their values at the step that follows")
        own = _table(past, len(rows), self._covariates.past, "past", "their values at this step, NaN where missing")
        assert self._memory is not None
        memory, told = self._memory, np.empty((len(rows), 1, SIGNALS))
        start = np.zeros(len(rows), dtype=np.int64)
        self._kernels.observe(y[None], rows, start, self._rule, float(self._context), *memory.lanes(), told)
        memory.position[rows] += 1
        with torch.inference_mode():
            at = None if rows is self._all else torch.from_numpy(rows)
            self._network.step(self._inputs(told, rows, later, own), at, memory)
            return self._law(rows)

    def snapshot(self) -> dict[str, Any]:
        """All that the stream remembers: arrays, and a list of ids. Complex states are pairs of real numbers."""
        if self._memory is None:
            raise ValueError("the stream has no series yet; add(data) reads some")
        memory = self._memory
        states = [torch.view_as_real(state) if state.is_complex() else state for state in memory.states]
        arrays: dict[str, Any] = {name: part.copy() for name, part in memory.arrays().items()}
        arrays |= {name: getattr(memory, name).cpu().numpy().copy() for name in TENSORS}
        return arrays | {"ids": self.ids.tolist(), "states": [state.cpu().numpy().copy() for state in states]}

    def restore(self, snapshot: dict[str, Any]) -> Self:
        """Go back to a snapshot, or on from one in a new process: the same bits from there on.

        Args:
            snapshot: of a stream of the same model, with the same ``units``.

        Returns:
            The stream itself.

        Raises:
            ValueError: the snapshot is of a stream of another model.
        """
        device, blocks = self._network.device, self._network.blocks
        wanted = [each.block.initial_state(1) for each in blocks]
        states = [torch.from_numpy(np.array(state)).to(device) for state in snapshot["states"]]
        if len(states) == len(wanted):
            states = [
                torch.view_as_complex(state) if like.is_complex() and state.shape[-1] == 2 else state
                for state, like in zip(states, wanted, strict=True)
            ]
        alike = [state.shape[1:] == like.shape[1:] for state, like in zip(states, wanted, strict=False)]
        lags = snapshot["ring"].shape[1]
        if len(states) != len(wanted) or not all(alike) or lags != len(self._network.kernel):
            raise ValueError("the snapshot is of a stream of another model; restore it into a stream of its own model")
        features, statics = (torch.from_numpy(np.array(snapshot[name])).to(device) for name in TENSORS)
        arrays = {name: np.array(snapshot[name]) for name in ARRAYS}
        self._memory = Memory(states, features, statics, **arrays)
        self.ids = pd.Index(snapshot["ids"], tupleize_cols=False)
        self._set_clocks()
        return self

    def _read(self, panel: Panel, longest: int) -> Memory:
        """The memory of histories of which the longest has so many rows from its first value on."""
        pieces = -(-longest // PIECE_STEPS)
        length = longest if pieces == 1 else pieces * PIECE_STEPS
        packed = self._covariates.pack_future(panel, length, 1, multivariate=self._multivariate)
        window = cut(packed, torch.arange(len(packed.ends)), packed.ends, length, 1)
        counts = as_counts(panel.times[panel.ends - 1])
        position, phase = decompose(counts, panel.grid)
        return self._reader().read(window, self._n_statics, position, np.broadcast_to(phase, position.shape).copy())

    def _reader(self) -> Reader:
        return Reader(self._network, self._kernels, self._context, self._scaler, self._rule, PIECE_STEPS)

    def _set_clocks(self) -> None:
        assert self._memory is not None
        self._all = np.arange(len(self.ids))
        if self._has_calendar:
            self._clocks = FeatureCache(self._memory.position, self._memory.phase, self._panel.grid)

    def _rows(self, ids: Sequence[Any] | pd.Index | None) -> np.ndarray:
        if self._memory is None:
            raise DataError("the stream has no series yet; add(data) reads some")
        if ids is None:
            return self._all
        if self._multivariate:
            raise DataError("the series of a multivariate model move together; leave ids= out and give all values")
        asked = pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
        rows = self.ids.get_indexer(asked)
        if (rows < 0).any():
            raise DataError(f"series {asked[rows < 0][0]!r} is not in the stream; add(data) reads its history first")
        if asked.has_duplicates:
            name = asked[asked.duplicated()][0]
            raise DataError(f"series {name!r} is there twice; update it once for each of its values, in order")
        return rows.astype(np.int64)

    def _inputs(self, told: np.ndarray, rows: np.ndarray, later: np.ndarray, own: np.ndarray) -> Tensor:
        """What enters the network at one step of some rows, (M, I)."""
        assert self._memory is not None
        batch = 1 if self._multivariate else len(rows)
        parts = [told.reshape(batch, -1)]
        if self._clocks is not None:
            parts.append(self._clocks.after(self._memory.position, rows[:batch]))
        parts += [later.reshape(batch, -1)] if later.size else []
        if self._n_statics:
            parts.append(self._memory.statics[torch.from_numpy(rows)].cpu().numpy())
        parts += [own.reshape(batch, -1), np.ones((batch, 1))] if own.size else []
        x = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return torch.from_numpy(x).to(self._network.device, self._network.dtype)

    def _law(self, rows: np.ndarray) -> NextStepDistribution:
        assert self._memory is not None
        memory, ahead = self._memory, np.empty(len(rows))
        self._kernels.look_ahead(rows, self._network.kernel, *memory.lanes(), ahead)
        location, spread = memory.units[rows, 0], memory.units[rows, 1]
        features = memory.features if rows is self._all else memory.features[torch.from_numpy(rows)]
        with seeded(self._seed, self._network.device) if self._drawn else nullcontext():
            family = self._network.laws(features, ahead, location, spread, self._kernels)
        ids = self.ids if rows is self._all else self.ids[rows]
        ticks = memory.position[rows] + 1, memory.phase[rows]
        return NextStepDistribution(ids, family, ticks, self._panel.grid, self._panel.schema)


def stream(
    self: Any,
    data: Frame | Panel | None = None,
    *,
    future: Frame | None = None,
    static: Frame | None = None,
    units: Units = "running",
) -> LRUStream:
    """A stream that goes on from the end of each series of ``data`` (None: of the data of ``fit``), see ``LRUStream``.

    Args:
        self: a fitted ``LRU``.
        data: histories of these or other series, of which all rows are read.
        future: the known covariates of the step that follows each, if the model has some.
        static: statics of the series of ``data``.
        units: whether location and scale go on "running" after the series, or stay "frozen".

    Returns:
        The stream.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: a setting was changed since ``fit``, or ``units`` is unknown.
        DataError: a series without a value; covariates that differ.

    Source: Orvieto et al. (2023), LRU, section 2.
    """
    check_is_fitted(self, "network_")
    check_unchanged(self)
    check_bare(self, "stream")
    if units not in ("running", "frozen"):
        raise ValueError(f"units={units!r} is unknown; choose 'running' or 'frozen'")
    return LRUStream(self, units).add(self.panel_ if data is None else data, future=future, static=static)


class _Like:
    """What ``check_like`` looks at."""

    def __init__(self, panel: Panel, multivariate: bool) -> None:
        self.panel_, self.multivariate = panel, multivariate


def _rows_before_a_value(panel: Panel) -> np.ndarray:
    """(N,) rows of each history before its first value; -1 where there is none."""
    seen = np.flatnonzero(~np.isnan(panel.y))
    place = np.searchsorted(seen, panel.offsets[:-1])
    first = np.append(seen, len(panel.y))[place]
    return np.where(first < panel.ends, first - panel.offsets[:-1], -1)


def _alike(lengths: np.ndarray) -> list[np.ndarray]:
    """Series that are read together: as many pieces each, and not too many steps at once."""
    order = np.argsort(lengths, kind="stable")
    pieces = -(-lengths[order] // PIECE_STEPS)
    groups = []
    for same in np.split(order, np.flatnonzero(np.diff(pieces)) + 1):
        size = max(1, MOST_READ // min(int(lengths[same].max()), PIECE_STEPS))
        groups += [same[first : first + size] for first in range(0, len(same), size)]
    return groups


def _table(given: Any, rows: int, units: np.ndarray, kind: str, what: str) -> np.ndarray:
    """Covariates (M, K) in the units of ``fit``."""
    width = units.shape[1]
    if given is None and not width:
        return np.zeros((rows, 0))
    if given is None:
        raise DataError(f"the model has {width} {kind} covariates; give {kind}=({rows}, {width}), {what}")
    table = np.asarray(given, dtype=np.float64)
    if table.size != rows * width or (table.ndim > 1 and table.shape != (rows, width)):
        raise DataError(f"{kind} must have shape ({rows}, {width}), {what}; got {table.shape}")
    if np.isinf(table).any() or (kind == "known" and np.isnan(table).any()):
        raise DataError(f"{kind} holds a value that is no number; give {what}")
    standard = (table.reshape(rows, width) - units[0]) / units[1]
    return np.nan_to_num(standard, nan=0.0).astype(np.float32)  # as batches have them
