"""The fold over rows: each takes the state one row further and is answered. A time step of all series goes at once."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.anomaly.decisions import (
    AHEAD,
    DUPLICATE,
    EVENTS,
    LATE,
    MISSING,
    OFF_GRID,
    STATUSES,
    TESTED,
    UNSEEN,
    WAITING,
    Answers,
)
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.anomaly.row_reader import Columns
from tsformers.anomaly.settings import Setup, needed_rows
from tsformers.distributions.marginals import Law
from tsformers.errors import DataError
from tsformers.fdr import Parallel

State = dict[str, Any]
FORMAT = 1
AGREE = 3  # rows ahead in a row that move their series


class Fold:
    """The running state of a detector and what takes it further.

    Every row is answered from what came before it. Rows of distinct series do not depend on each other but through the
    testing procedure, which takes them in their order, and through a new forecast, which reads all contexts; so rows
    between two forecasts go together until a series comes again, and the answers are those of one row at a time.

    Args:
        setup: what does not change.
        contexts: where the series stand.
    """

    def __init__(self, setup: Setup, contexts: Contexts) -> None:
        n = len(contexts)
        self.setup, self.contexts, self.grid = setup, contexts, setup.like.grid
        self.names: pd.Index = setup.like.ids
        self.code: dict[Any, int] = {name: i for i, name in enumerate(self.names)}
        self.since = np.full(n, setup.refresh, dtype=np.int64)  # rows since the last forecast
        self.origin = np.full(n, -1, dtype=np.int64)  # position that the last forecast starts after
        self.row = np.full(n, -1, dtype=np.int64)  # of each series in the last forecast; -1: not in it
        self.run = np.zeros(n, dtype=np.int64)  # alarms in a row
        width = setup.shift_after or 0
        self.held = np.full((n, width), np.nan)  # what raised them
        self.held_at = np.full((n, width), -1, dtype=np.int64)
        self.ahead = np.zeros(n, dtype=np.int64)  # rows too far ahead, one after the other
        self.ahead_at = np.full(n, -1, dtype=np.int64)  # where the latest of them stands
        self.p_arrays: dict[str, np.ndarray] = setup.p_value.start(n)
        self.tests: Parallel = setup.control.many(n if setup.per_series else 1)
        self.counts = dict.fromkeys(EVENTS, 0)
        self.stale = False  # contexts were amended behind the forecast's back
        self.generalises = setup.learn_unseen and not setup.aligned
        self.laws: np.ndarray | None = None  # (H, n, S) the last forecast
        self.levels: tuple[float, ...] | None = None
        self.least = needed_rows(setup.forecaster)
        self.forecasts = 0  # made so far

    @property
    def fitted(self) -> int:
        """How many series ``fit`` has seen."""
        return len(self.setup.like.ids)

    # rows in, answers out

    def take(self, columns: Columns, calibrating: bool = False) -> Answers:
        """Take the state over M rows, in their order.

        Args:
            columns: the rows.
            calibrating: they are history that is held back: errors are learned, nothing is tested.

        Returns:
            M answers.
        """
        answers = Answers.blank(columns.status)
        codes = self._codes(columns)
        readable = np.flatnonzero(columns.status == TESTED)
        answers.status[readable[codes[readable] < 0]] = UNSEEN
        readable = readable[codes[readable] >= 0]
        off = columns.phase[readable] != self.contexts.phase[codes[readable]]
        answers.status[readable[off]] = OFF_GRID
        rows = readable[~off]
        for begin, end in _distinct(codes[rows]):
            self._together(rows[begin:end], codes, columns, answers, calibrating)
        self.counts["rows"] += len(codes)
        found = np.bincount(answers.status, minlength=len(STATUSES)).tolist()
        for name, count in zip(STATUSES, found, strict=True):
            self.counts[name] += count
        self.counts["alarms"] += int(answers.anomaly.sum())
        return answers

    def _codes(self, columns: Columns) -> np.ndarray:
        """Which series each row belongs to, -1 for none; new series are given a place, in order of arrival."""
        good = columns.status == TESTED
        if len(good) == 1:
            codes = np.array([self.code.get(columns.ids[0], -1) if good[0] else -1])
        else:
            ids = pd.Index(columns.ids, dtype=object, tupleize_cols=False).where(good, None)
            codes = self.names.get_indexer(ids)
        new = np.flatnonzero((codes < 0) & good) if self.generalises else ()
        for i in new:
            name = columns.ids[i]
            if name not in self.code:
                self._grow(name, columns.position[i : i + 1], columns.phase[i : i + 1])
            codes[i] = self.code[name]
        return codes.astype(np.int64)

    def _grow(self, name: Any, position: np.ndarray, phase: np.ndarray) -> None:
        """A place for a series that ``fit`` has not seen."""
        n = len(self.contexts) + 1
        self.code[name] = n - 1
        self._resize(n, self.names.append(pd.Index([name], dtype=object, tupleize_cols=False)))
        self.contexts.begin(np.array([n - 1]), position, phase)

    def _resize(self, n: int, names: pd.Index) -> None:
        kept = min(n, len(self.contexts))
        more = n - kept
        self.contexts.resize(n)
        self.names = names
        self.since = np.r_[self.since[:kept], np.full(more, self.setup.refresh)]
        self.origin, self.row, self.ahead_at = (
            np.r_[part[:kept], np.full(more, -1)] for part in (self.origin, self.row, self.ahead_at)
        )
        self.run, self.ahead = (np.r_[part[:kept], np.zeros(more, dtype=np.int64)] for part in (self.run, self.ahead))
        width = self.held.shape[1]
        self.held = np.concatenate([self.held[:kept], np.full((more, width), np.nan)])
        self.held_at = np.concatenate([self.held_at[:kept], np.full((more, width), -1)])
        if more:
            self.p_arrays = self.setup.p_value.grow(self.p_arrays, n)
        else:
            self.p_arrays = {name: part[:n] for name, part in self.p_arrays.items()}
        if self.setup.per_series and more:
            self.tests.grow(n)
        elif self.setup.per_series:
            kept_tests = {name: part[:n] for name, part in self.tests.arrays.items()}
            self.tests = Parallel.from_arrays(self.setup.control, kept_tests)

    def _together(
        self, rows: np.ndarray, codes: np.ndarray, columns: Columns, answers: Answers, calibrating: bool
    ) -> None:
        """Rows of distinct series; the forecast is renewed wherever one of them asks for it."""
        gone = codes[rows] < 0  # forgotten since these rows were looked up
        answers.status[rows[gone]] = UNSEEN
        rows = rows[~gone]
        ahead = columns.position[rows] - self.contexts.last[codes[rows]]
        answers.status[rows[ahead == 0]] = DUPLICATE
        answers.status[rows[ahead < 0]] = LATE
        rows = rows[ahead > 0]
        if not calibrating:
            far = self._too_far(codes[rows], columns.position[rows], ahead[ahead > 0])
            answers.status[rows[far]] = AHEAD
            rows = rows[~far]
        while len(rows):
            due = self._due(codes[rows], columns.position[rows])
            if due[0]:
                self._refresh(int(columns.position[rows[0]]))
                gone = codes[rows] >= len(self.contexts)
                answers.status[rows[gone]] = UNSEEN
                codes[codes >= len(self.contexts)] = -1
                rows = rows[~gone]
                continue
            stop = int(due.argmax()) if due.any() else len(rows)
            self._answer(rows[:stop], codes[rows[:stop]], columns, answers, calibrating)
            rows = rows[stop:]

    def _too_far(self, series: np.ndarray, position: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Which rows of distinct series lie too far ahead to be believed; where several agree, the last of them is."""
        bound = self.setup.max_jump or self.setup.rows
        far = ahead > bound
        step = position - self.ahead_at[series]
        agrees = far & (self.ahead[series] > 0) & (step <= bound)
        again = agrees & (step == 0)  # the same row once more proves nothing
        run = np.where(agrees & (step >= 0), self.ahead[series] + ~again, far)
        believed = run >= AGREE
        self.ahead[series] = np.where(believed, 0, run)
        self.ahead_at[series] = np.where(far, position, -1)
        return far & ~believed

    def _answer(
        self, rows: np.ndarray, series: np.ndarray, columns: Columns, answers: Answers, calibrating: bool
    ) -> None:
        """Rows of distinct series that the last forecast serves: test, learn, and keep their values."""
        position, values = columns.position[rows], columns.values[rows]
        y = values[:, 0]
        answers.status[rows[np.isnan(y)]] = MISSING
        told = self.row[series] >= 0
        answers.status[rows[~told & ~np.isnan(y)]] = WAITING
        if told.any():
            rows_told, series_told = rows[told], series[told]
            lead = position[told] - self.origin[series_told] - 1
            assert self.laws is not None
            law = Law(self.laws[lead, self.row[series_told]], self.levels)
            expected = law.expected
            answers.expected[rows_told] = expected
            answers.lower[rows_told], answers.upper[rows_told] = law.interval(self.setup.coverage)
            tested = np.flatnonzero(~np.isnan(y[told]))
            if len(tested):
                law = law if len(tested) == len(law) else law.take(tested)
                at = np.flatnonzero(told)[tested]
                if calibrating:
                    self.setup.p_value.calibrate(self.p_arrays, series[at], y[at], law)
                else:
                    self._test(rows[at], series[at], y[at], law, answers)
                    self._keep(values, at, position[at], series[at], answers.anomaly[rows[at]], expected[tested])
        self.counts["gaps"] += int((position - self.contexts.last[series] - 1).sum())
        self.contexts.write(series, position, values)
        self.since[series] += 1
        if self.setup.shift_after and not calibrating:
            self._shift(series)

    def _test(self, rows: np.ndarray, series: np.ndarray, y: np.ndarray, law: Law, answers: Answers) -> None:
        log_p = self.setup.p_value.log_p(self.p_arrays, series, y, law)
        p = np.exp(np.minimum(log_p, 0.0))
        which = series if self.setup.per_series else np.zeros(len(series), dtype=np.int64)
        level, anomaly = self.tests.test(p, which)
        answers.p_value[rows], answers.level[rows], answers.anomaly[rows] = p, level, anomaly
        self.setup.p_value.learn(self.p_arrays, series, y, law, ~anomaly)

    def _keep(
        self,
        values: np.ndarray,
        at: np.ndarray,
        position: np.ndarray,
        series: np.ndarray,
        anomaly: np.ndarray,
        expected: np.ndarray,
    ) -> None:
        """Count alarms in a row; with ``replace``, put what was expected in the place of what raised them."""
        self.run[series] = np.where(anomaly, self.run[series] + 1, 0)
        if not self.setup.replace:
            return
        out = anomaly.copy()
        if self.setup.shift_after:
            at_turn = self.run[series] - 1
            kept = anomaly & (at_turn < self.setup.shift_after)
            self.held[series[kept], at_turn[kept]] = values[at[kept], 0]
            self.held_at[series[kept], at_turn[kept]] = position[kept]
            out &= self.run[series] < self.setup.shift_after
        values[at[out], 0] = expected[out]
        self.counts["replaced"] += int(out.sum())

    def _shift(self, series: np.ndarray) -> None:
        """So many alarms in a row are a new level: the values that raised them go into the context after all."""
        now = series[self.run[series] == self.setup.shift_after]
        now = now[self.held_at[now, -1] == self.contexts.last[now]] if self.setup.replace else now[:0]
        if len(now):
            self.counts["shifts"] += len(now)
            width = self.held.shape[1]
            self.contexts.amend(np.repeat(now, width), self.held_at[now].ravel(), self.held[now].ravel())
            self.stale = True

    def forget_counts(self) -> None:
        """Counting begins anew."""
        self.counts = dict.fromkeys(EVENTS, 0)

    # forecasts

    def _due(self, series: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Which rows need a new forecast before they are answered."""
        lead = position - self.origin[series]
        old = (self.since[series] >= self.setup.refresh) | (lead < 1) | (lead > self.setup.horizon) | self.stale
        return old & self._ready(series)

    def _ready(self, series: np.ndarray) -> np.ndarray:
        """Series with rows enough to be forecast: those of ``fit``, and others once their context is full."""
        contexts = self.contexts
        rows = contexts.last[series] - contexts.first[series] + 1
        return rows >= np.where(series < self.fitted, self.least, self.setup.rows)

    def _refresh(self, position: int) -> None:
        """Forecast all series anew from what is known before ``position``, in one batch."""
        contexts, every = self.contexts, np.arange(len(self.contexts))
        away = position - contexts.last
        late = np.ones(len(every), dtype=bool) if self.setup.aligned else away > self.setup.horizon
        self.origin = np.where(late, position - 1, contexts.last)
        self.since[:] = 0
        self.stale = False
        self.counts["refreshes"] += 1
        self.forecasts += 1
        series = every[self._ready(every)]
        try:
            self._predict(series)
        except DataError as error:
            if (series < self.fitted).all():
                raise
            self._forget(error)
            self._predict(series[series < self.fitted])

    def _forget(self, error: DataError) -> None:
        """The forecaster cannot tell of series that it was not fitted to: from now on they are not taken in."""
        n = len(self.contexts) - self.fitted
        warnings.warn(
            f"{n} series that fit had not seen cannot be forecast by {type(self.setup.forecaster).__name__}; their "
            f"rows are answered untested, as 'unseen': {error}",
            UserWarning,
            stacklevel=2,
        )
        self.generalises = False
        self.code = {name: i for name, i in self.code.items() if i < self.fitted}
        self._resize(self.fitted, self.setup.like.ids)

    def _predict(self, series: np.ndarray) -> None:
        """The forecast of some series from their origins; those without a value in their context have none."""
        setup = self.setup
        self.row[:] = -1
        panel, series = self.contexts.panel(
            series, self.origin[series], setup.rows, self.grid, setup.like, self.names[series]
        )
        if not len(series):
            return
        with warnings.catch_warnings():
            if self.forecasts > 1:
                warnings.simplefilter("ignore")  # said once is enough: the same series would be named at each refresh
            forecast = setup.forecaster.predict(panel, n_samples=setup.n_samples, seed=setup.seed + self.forecasts)
        where = forecast.ids.get_indexer(panel.ids)
        self.row[series] = where
        self.laws = np.ascontiguousarray(forecast.values.transpose(2, 0, 1))
        self.levels = forecast.levels

    # the state

    def state(self, *, with_forecast: bool = True) -> State:
        """Everything needed to go on, as numbers, texts, lists, arrays and dicts.

        Args:
            with_forecast: False leaves the forecast out, which ``load`` then makes again from the contexts.
        """
        names = ("since", "origin", "row", "run", "held", "held_at", "ahead", "ahead_at")
        state: State = {
            "format": FORMAT,
            "added": list(self.names[self.fitted :]),
            "contexts": {name: part.copy() for name, part in self.contexts.arrays.items()},
            "series": {name: getattr(self, name).copy() for name in names},
            "p_value": {name: part.copy() for name, part in self.p_arrays.items()},
            "control": {"procedure": self.tests.procedure.fresh().state, "arrays": self.tests.arrays},
            "counts": dict(self.counts),
            "forecasts": self.forecasts,
            "stale": self.stale,
            "generalises": self.generalises,
        }
        if with_forecast and self.laws is not None:
            state["forecast"] = {"laws": self.laws, "levels": self.levels}  # replaced as a whole, never changed
        return state

    @classmethod
    def load(cls, setup: Setup, state: State) -> "Fold":
        """The fold that ``state`` was taken from; it goes on as if nothing had happened.

        Args:
            setup: as it was then.
            state: from ``state``; it is not changed.

        Raises:
            ValueError: this is no such state, or that of a detector of other series or settings.
        """
        try:
            if state["format"] != FORMAT:
                raise ValueError(f"its format is {state['format']}, and this version reads {FORMAT}")
            cls._check(setup, state)
            fold = cls(setup, Contexts({name: part.copy() for name, part in state["contexts"].items()}))
            added = pd.Index(state["added"], dtype=object, tupleize_cols=False)
            if len(added):
                fold.names = setup.like.ids.append(added)
                fold.code = {name: i for i, name in enumerate(fold.names)}
            for name, part in state["series"].items():
                setattr(fold, name, part.copy())
            fold.p_arrays = {name: part.copy() for name, part in state["p_value"].items()}
            fold.tests = Parallel.from_arrays(setup.control, state["control"]["arrays"])
            fold.counts = fold.counts | state["counts"]
            fold.forecasts = state["forecasts"]
            fold.stale, fold.generalises = state["stale"], state["generalises"]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this state cannot be gone on from: {error}; pass one of this detector") from error
        if "forecast" in state:
            fold.laws, fold.levels = state["forecast"]["laws"], state["forecast"]["levels"]
        elif (fold.row >= 0).any() and not fold.stale:
            fold._again()
        return fold

    @staticmethod
    def _check(setup: Setup, state: State) -> None:
        n, settings = len(setup.like.ids) + len(state["added"]), setup.control.fresh().state
        if state["control"]["procedure"] != settings:
            raise ValueError(f"its tests were those of {state['control']['procedure']['settings']}")
        if len(state["contexts"]["last"]) != n:
            raise ValueError(f"it is of {len(state['contexts']['last'])} series, and there are {n}")

    def _again(self) -> None:
        """The last forecast once more, from the contexts as they were."""
        row = self.row.copy()
        self._predict(np.flatnonzero(row >= 0))
        assert (self.row == row).all()


def _distinct(codes: np.ndarray) -> Sequence[tuple[int, int]]:
    """Cut M rows into the longest stretches within which no series comes twice."""
    if len(codes) < 2:
        return [(0, len(codes))]
    order = np.argsort(codes, kind="stable")
    again = codes[order[1:]] == codes[order[:-1]]
    before = np.full(len(codes), -1)
    before[order[1:][again]] = order[:-1][again]
    latest = np.maximum.accumulate(before)
    cuts, begin = [], 0
    while begin < len(codes):
        end = int(np.searchsorted(latest, begin))
        cuts.append((begin, end))
        begin = end
    return cuts
