"""A fitted LRU updated one observation at a time: constant cost, constant memory, all series side by side."""

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
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel
from tsformers.data.windows import cut
from tsformers.errors import DataError, TsformersError
from tsformers.forecasters.fitted_settings import check_unchanged
from tsformers.forecasters.lru.frozen_network import FrozenNetwork
from tsformers.forecasters.lru.history_reader import SCALE_RULES, HistoryReader, load_kernels
from tsformers.forecasters.lru.inputs import CHANNEL_FEATURES
from tsformers.forecasters.lru.next_step import NextStepDistribution
from tsformers.forecasters.lru.stream_inputs import PIECE_STEPS, reading_groups, rows_before_a_value, scaled_covariates
from tsformers.forecasters.lru.stream_state import ARRAYS, TENSORS, StreamState
from tsformers.forecasters.neural.validation import check_bare, check_like
from tsformers.messages import Option
from tsformers.nn.heads.gluonts_output import OutputHead
from tsformers.training.randomness import seeded

Units = Literal["running", "frozen"]


class LRUStream:
    """Continues from the end of a history, one observation at a time, each at the same cost.

    ``update`` takes one value of each series (or of some) and returns the distribution of the next one; ``next`` is
    that of all series at present. A stream equals a batch: reading a history in one pass, and reading its beginning in
    one pass and the rest value by value, give the same distributions up to rounding, if that beginning has
    ``context_length_`` rows or more. After a history of ``context_length_`` rows, the next distribution is that of the
    first step of ``predict`` with ``decoding="autoregressive"``; with "direct", that of the decoder of the next value
    that is trained jointly.

    Units: a batch scales a window by its context. A stream is scaled by the first ``context_length_`` rows from the
    first value on (by all, if there are fewer). With ``units="running"`` location and scale are then updated by each
    value (by the model's ``scaler``; for "robust", values beyond three deviations count as three) with weight
    ``1 / context_length_``, which follows a drifting level; the scale does not fall below a thousandth of the first
    one. With "frozen" they stay as they are.

    Args:
        model: a fitted ``LRU``; a later fit of it does not reach the stream.
        units: see above.

    Example:
        >>> import tsformers as tsf
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = tsf.LRU(horizon=4, context_length=16, d_model=8, d_state=8, max_steps=2, seed=0, verbose=False)
        >>> stream = model.fit(frame).stream()
        >>> saved = stream.snapshot()
        >>> following = stream.update(-0.3)
        >>> bool(np.array_equal(following.mean, stream.restore(saved).update(-0.3).mean))
        True

    Source: Orvieto et al. (2023), LRU, section 2: a linear recurrence is updated one step at a time.
    """

    def __init__(self, model: Any, units: Units = "running") -> None:
        self._multivariate, self._seed = model.multivariate, model.seed
        self._covariates, self._panel = model.covariates_, model.panel_
        self._context, self._scaler = model.context_length_, model.scaler
        self._network, self._kernels = FrozenNetwork(model.network_), load_kernels()
        self._rule = SCALE_RULES[model.scaler if units == "running" else None]
        series = len(self._panel.ids) if model.multivariate else 1
        self._n_statics = model.sizes_[2] - model.sizes_[3] - series * self._covariates.known.shape[1]
        self._has_calendar = model.sizes_[3] > 0
        self._drawn = isinstance(self._network.next.head, OutputHead)
        self._repr = repr(model)
        self._memory: StreamState | None = None
        self._clocks: FeatureCache | None = None
        self._next: NextStepDistribution | None = None
        self.ids = pd.Index([])

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"LRUStream({len(self.ids)} series of {self._repr})"

    @property
    def next(self) -> NextStepDistribution:
        """The distribution of the next value of every series."""
        rows = self._rows(None)
        with torch.inference_mode():
            return self._distribution(rows)

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
        check_like(_FittedOn(self._panel, self._multivariate), panel)
        known = panel.ids.intersection(self.ids)
        if len(known):
            raise DataError(
                f"series {plain(known[0])!r} is in the stream already; update it, or leave it out of ", Option("data")
            )
        skipped = rows_before_a_value(panel)
        if (skipped < 0).any() and not (self._multivariate and (skipped >= 0).any()):
            raise DataError(
                f"series {plain(panel.ids[skipped < 0][0])!r} has no value, so that its scale is unknown; leave it out "
                "until it has one"
            )
        panel = panel.with_future(future, 1)
        lengths = panel.lengths - skipped
        with torch.inference_mode():
            if self._multivariate:
                fresh = self._read(panel, int(lengths[skipped >= 0].max()))
            else:
                groups = reading_groups(lengths)
                parts = [self._read(panel.select(some), int(lengths[some].max())) for some in groups]
                fresh = StreamState.join(parts).pick(np.argsort(np.concatenate(groups)))
        self._memory = fresh if self._memory is None else StreamState.join([self._memory, fresh])
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
        """Update with one value of each series.

        Args:
            values: (M,), or one number for one series; NaN = missing, which is a step too.
            ids: of the series to update, each once, in the order of ``values``; None: all, in the order of ``ids``.
            known: (M, K) known covariates of the step that follows, in the order of ``known=`` at ``fit``.
            past: (M, P) past covariates of the step of ``values``, in their order in the data of ``fit``; NaN =
                missing.

        Returns:
            The distribution of the next value of these series.

        Raises:
            DataError: values or covariates are lacking, too many or infinite; an id is unknown or given twice.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        rows = self._rows(ids)
        y = np.atleast_1d(np.asarray(values, dtype=np.float64))
        if y.shape != rows.shape:
            raise DataError(
                f"values must be one a series, ({len(rows)},), not of shape {y.shape}; name some with ", Option("ids")
            )
        if np.isinf(y).any():
            name = plain(self.ids[rows[int(np.isinf(y).argmax())]])
            raise DataError(f"the value of series {name!r} is infinite; give NaN where it is missing")
        later = scaled_covariates(
            known, len(rows), self._covariates.known, "known", "their values at the step that follows"
        )
        own = scaled_covariates(
            past, len(rows), self._covariates.past, "past", "their values at this step, NaN where missing"
        )
        assert self._memory is not None
        memory, features = self._memory, np.empty((len(rows), 1, CHANNEL_FEATURES))
        start = np.zeros(len(rows), dtype=np.int64)
        self._kernels.observe(y[None], rows, start, self._rule, float(self._context), *memory.lanes(), features)
        memory.position[rows] += 1
        with torch.inference_mode():
            at = None if rows is self._all else torch.from_numpy(rows)
            self._network.step(self._inputs(features, rows, later, own), at, memory)
            return self._distribution(rows)

    def snapshot(self) -> dict[str, Any]:
        """The whole state of the stream: arrays, and a list of ids. Complex states are pairs of real numbers."""
        if self._memory is None:
            raise ValueError("the stream has no series yet; add(data) reads some")
        memory = self._memory
        states = [torch.view_as_real(state) if state.is_complex() else state for state in memory.states]
        arrays: dict[str, Any] = {name: part.copy() for name, part in memory.arrays().items()}
        arrays |= {name: getattr(memory, name).cpu().numpy().copy() for name in TENSORS}
        return arrays | {"ids": self.ids.tolist(), "states": [state.cpu().numpy().copy() for state in states]}

    def restore(self, snapshot: dict[str, Any]) -> Self:
        """Return to a snapshot, or continue from one in a new process, with the same bits from there on.

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
        self._memory = StreamState(states, features, statics, **arrays)
        self.ids = pd.Index(snapshot["ids"], tupleize_cols=False)
        self._set_clocks()
        return self

    def _read(self, panel: Panel, longest: int) -> StreamState:
        """The state after histories of which the longest has so many rows from its first value on."""
        pieces = -(-longest // PIECE_STEPS)
        length = longest if pieces == 1 else pieces * PIECE_STEPS
        packed = self._covariates.pack_future(panel, length, 1, multivariate=self._multivariate)
        window = cut(packed, torch.arange(len(packed.ends)), packed.ends, length, 1)
        counts = as_counts(panel.times[panel.ends - 1])
        position, phase = decompose(counts, panel.grid)
        return self._reader().read(window, self._n_statics, position, np.broadcast_to(phase, position.shape).copy())

    def _reader(self) -> HistoryReader:
        return HistoryReader(self._network, self._kernels, self._context, self._scaler, self._rule, PIECE_STEPS)

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
            raise DataError(
                "the series of a multivariate model are updated together; leave ",
                Option("ids"),
                " out and give all values",
            )
        asked = pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
        rows = self.ids.get_indexer(asked)
        if (rows < 0).any():
            raise DataError(f"series {asked[rows < 0][0]!r} is not in the stream; add(data) reads its history first")
        if asked.has_duplicates:
            name = asked[asked.duplicated()][0]
            raise DataError(f"series {name!r} is given twice; update it once for each of its values, in order")
        return rows.astype(np.int64)

    def _inputs(self, features: np.ndarray, rows: np.ndarray, later: np.ndarray, own: np.ndarray) -> Tensor:
        """Inputs (M, I) of the network at one step of some rows."""
        assert self._memory is not None
        batch = 1 if self._multivariate else len(rows)
        parts = [features.reshape(batch, -1)]
        if self._clocks is not None:
            parts.append(self._clocks.after(self._memory.position, rows[:batch]))
        parts += [later.reshape(batch, -1)] if later.size else []
        if self._n_statics:
            parts.append(self._memory.statics[torch.from_numpy(rows)].cpu().numpy())
        parts += [own.reshape(batch, -1), np.ones((batch, 1))] if own.size else []
        x = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return torch.from_numpy(x).to(self._network.device, self._network.dtype)

    def _distribution(self, rows: np.ndarray) -> NextStepDistribution:
        assert self._memory is not None
        memory, ahead = self._memory, np.empty(len(rows))
        self._kernels.look_ahead(rows, self._network.kernel, *memory.lanes(), ahead)
        location, spread = memory.units[rows, 0], memory.units[rows, 1]
        features = memory.features if rows is self._all else memory.features[torch.from_numpy(rows)]
        with seeded(self._seed, self._network.device) if self._drawn else nullcontext():
            family = self._network.distributions(features, ahead, location, spread, self._kernels)
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
    """A stream that continues from the ends of the series of ``data`` (None: of the data of ``fit``): ``LRUStream``.

    Args:
        self: a fitted ``LRU``.
        data: histories of these or other series, of which all rows are read.
        future: the known covariates of the step that follows each, if the model has some.
        static: statics of the series of ``data``.
        units: "running": location and scale follow the series; "frozen": they stay as they are.

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
        raise TsformersError(Option("units", units), " is unknown; choose 'running' or 'frozen'")
    return LRUStream(self, units).add(self.panel_ if data is None else data, future=future, static=static)


class _FittedOn:
    """The part of a model that ``check_like`` reads."""

    def __init__(self, panel: Panel, multivariate: bool) -> None:
        self.panel_, self.multivariate = panel, multivariate
