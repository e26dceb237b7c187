"""OnlineEngine: the running state of a detector and its update by rows, a time step of all series at once."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tsformers.anomaly.alarm_runs import AlarmRuns
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
from tsformers.anomaly.forecast_cache import ForecastCache
from tsformers.anomaly.late_errors import LateErrors
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.anomaly.row_reader import Columns
from tsformers.anomaly.settings import Setup
from tsformers.anomaly.time_jumps import TimeJumps
from tsformers.distributions.marginals import Marginals
from tsformers.errors import DataError
from tsformers.fdr import Parallel, Procedure

State = dict[str, Any]
FORMAT = 1  # of the state


class OnlineEngine:
    """The running state of a detector, and its update by rows.

    Every row is tested against what came before it. Rows of distinct series do not depend on each other except through
    the testing procedure, which takes them in their order, and through a new forecast, which reads all contexts. So
    rows between two forecasts are processed together until a series comes again, and the answers are those of one row
    at a time.

    Args:
        setup: the settings.
        contexts: the latest values of all series.
    """

    def __init__(self, setup: Setup, contexts: Contexts) -> None:
        n = len(contexts)
        self.setup, self.contexts = setup, contexts
        self.names: pd.Index = setup.like.ids
        self.code: dict[Any, int] = {name: i for i, name in enumerate(self.names)}
        self.cache = ForecastCache(setup, n)
        self.runs = AlarmRuns(n, setup.shift_after, setup.replace)
        self.jumps = TimeJumps(n, setup.max_jump or setup.rows)
        self.p_arrays: dict[str, np.ndarray] = setup.p_value.start(n)
        self.tests: Parallel = setup.control.many(n if setup.per_series else 1)
        self.counts = dict.fromkeys(EVENTS, 0)
        self.adds_series = setup.add_new_series and not setup.aligned

    @property
    def n_fitted(self) -> int:
        """How many series ``fit`` had; those after them were added later."""
        return len(self.setup.like.ids)

    # rows in, answers out

    def process(self, columns: Columns, errors: LateErrors | None = None) -> Answers:
        """Test M rows in their order, and update the state by them.

        Args:
            columns: the rows.
            errors: they belong to the calibration set: nothing is tested, and their errors are learned later, by this.

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
        for begin, end in distinct_stretches(codes[rows]):
            self._process_distinct(rows[begin:end], codes, columns, answers, errors)
        self.counts["rows"] += len(codes)
        found = np.bincount(answers.status, minlength=len(STATUSES)).tolist()
        for name, count in zip(STATUSES, found, strict=True):
            self.counts[name] += count
        self.counts["alarms"] += int(answers.anomaly.sum())
        return answers

    def reset_counts(self) -> None:
        """Set all counts to zero."""
        self.counts = dict.fromkeys(EVENTS, 0)

    def use_control(self, control: Procedure) -> None:
        """Test by another procedure from its first test on."""
        self.setup = replace(self.setup, control=control.fresh())
        self.tests = self.setup.control.many(len(self.contexts) if self.setup.per_series else 1)

    def _codes(self, columns: Columns) -> np.ndarray:
        """Which series each row belongs to, -1 for none; new series are added in order of arrival."""
        good = columns.status == TESTED
        if len(good) == 1:
            codes = np.array([self.code.get(columns.ids[0], -1) if good[0] else -1])
        else:
            ids = pd.Index(columns.ids, dtype=object, tupleize_cols=False).where(good, None)
            codes = self.names.get_indexer(ids)
        new = np.flatnonzero((codes < 0) & good) if self.adds_series else ()
        for i in new:
            name = columns.ids[i]
            if name not in self.code:
                self._add_series(name, columns.position[i : i + 1], columns.phase[i : i + 1])
            codes[i] = self.code[name]
        return codes.astype(np.int64)

    def _process_distinct(
        self, rows: np.ndarray, codes: np.ndarray, columns: Columns, answers: Answers, errors: LateErrors | None
    ) -> None:
        """Rows of distinct series; the forecast is renewed wherever one of them needs it."""
        dropped = codes[rows] < 0  # since these rows were looked up
        answers.status[rows[dropped]] = UNSEEN
        rows = rows[~dropped]
        ahead = columns.position[rows] - self.contexts.last[codes[rows]]
        answers.status[rows[ahead == 0]] = DUPLICATE
        answers.status[rows[ahead < 0]] = LATE
        rows = rows[ahead > 0]
        if errors is None:
            far = self.jumps.rejected(codes[rows], columns.position[rows], ahead[ahead > 0])
            answers.status[rows[far]] = AHEAD
            rows = rows[~far]
        while len(rows):
            due = self.cache.due(codes[rows], columns.position[rows], self.contexts)
            if due[0]:
                if errors is not None:
                    errors.renew(int(columns.position[rows[0]]))
                    continue
                self._renew_forecast(int(columns.position[rows[0]]))
                dropped = codes[rows] >= len(self.contexts)
                answers.status[rows[dropped]] = UNSEEN
                codes[codes >= len(self.contexts)] = -1
                rows = rows[~dropped]
                continue
            stop = int(due.argmax()) if due.any() else len(rows)
            self._answer(rows[:stop], codes[rows[:stop]], columns, answers, errors)
            rows = rows[stop:]

    def _answer(
        self, rows: np.ndarray, series: np.ndarray, columns: Columns, answers: Answers, errors: LateErrors | None
    ) -> None:
        """Rows of distinct series that the latest forecast serves: test, learn, and keep their values."""
        position, values = columns.position[rows], columns.values[rows]
        if errors is not None:
            errors.add(series, position, values[:, 0])
        else:
            self._judge(rows, series, position, values, answers)
        self.counts["gaps"] += int((position - self.contexts.last[series] - 1).sum())
        self.contexts.write(series, position, values)
        self.cache.rows_since[series] += 1
        if self.setup.shift_after and errors is None:
            shifts = self.runs.restore_shifts(series, self.contexts)
            self.counts["shifts"] += shifts
            self.cache.outdated |= shifts > 0

    def _judge(
        self, rows: np.ndarray, series: np.ndarray, position: np.ndarray, values: np.ndarray, answers: Answers
    ) -> None:
        """Answers to rows of distinct series; a value that raises an alarm may be replaced, in place."""
        y = values[:, 0]
        answers.status[rows[np.isnan(y)]] = MISSING
        forecast = self.cache.row[series] >= 0
        answers.status[rows[~forecast & ~np.isnan(y)]] = WAITING
        if not forecast.any():
            return
        if self.cache.is_left_out:
            self.cache.remake(self.contexts, self.names)
        forecast_rows = rows[forecast]
        marginals = self.cache.marginals(series[forecast], position[forecast])
        expected = marginals.expected
        answers.expected[forecast_rows] = expected
        answers.lower[forecast_rows], answers.upper[forecast_rows] = marginals.interval(self.setup.coverage)
        tested = np.flatnonzero(~np.isnan(y[forecast]))
        if len(tested):
            marginals = marginals if len(tested) == len(marginals) else marginals.take(tested)
            at = np.flatnonzero(forecast)[tested]
            anomaly = self._test(rows[at], series[at], y[at], marginals, answers)
            self.counts["replaced"] += self.runs.record(values, at, position[at], series[at], anomaly, expected[tested])

    def _test(
        self, rows: np.ndarray, series: np.ndarray, y: np.ndarray, marginals: Marginals, answers: Answers
    ) -> np.ndarray:
        """p-values, levels and decisions into ``answers``, and the errors into the calibration set; the decisions."""
        log_p = self.setup.p_value.log_p(self.p_arrays, series, y, marginals)
        p = np.exp(np.minimum(log_p, 0.0))
        which = series if self.setup.per_series else np.zeros(len(series), dtype=np.int64)
        level, anomaly = self.tests.test(p, which)
        answers.p_value[rows], answers.level[rows], answers.anomaly[rows] = p, level, anomaly
        self.setup.p_value.learn(self.p_arrays, series, y, marginals, ~anomaly)
        return anomaly

    # forecasts and series

    def _renew_forecast(self, position: int) -> None:
        """Forecast all series from what is known before ``position``, in one batch."""
        self.counts["refreshes"] += 1
        series = self.cache.start_renewal(position, self.contexts)
        try:
            self.cache.predict(series, self.contexts, self.names)
        except DataError as error:
            if (series < self.n_fitted).all():
                raise
            self._drop_new_series(error)
            self.cache.predict(series[series < self.n_fitted], self.contexts, self.names)

    def _drop_new_series(self, error: DataError) -> None:
        """The forecaster cannot forecast series that it was not fitted to: they are skipped from now on."""
        n, name = len(self.contexts) - self.n_fitted, type(self.setup.forecaster).__name__
        warnings.warn(
            f"{n} series that were not in the data of fit cannot be forecast by {name}; their "
            f"rows are answered untested, as 'unseen': {error}",
            UserWarning,
            stacklevel=2,
        )
        self.adds_series = False
        self.code = {name: i for name, i in self.code.items() if i < self.n_fitted}
        self._resize(self.n_fitted, self.setup.like.ids)

    def _add_series(self, name: Any, position: np.ndarray, phase: np.ndarray) -> None:
        """Room for a series that ``fit`` did not have."""
        n = len(self.contexts) + 1
        self.code[name] = n - 1
        self._resize(n, self.names.append(pd.Index([name], dtype=object, tupleize_cols=False)))
        self.contexts.begin(np.array([n - 1]), position, phase)

    def _resize(self, n: int, names: pd.Index) -> None:
        grows = n > len(self.contexts)
        self.names = names
        for part in (self.contexts, self.cache, self.runs, self.jumps):
            part.resize(n)
        if grows:
            self.p_arrays = self.setup.p_value.grow(self.p_arrays, n)
        else:
            self.p_arrays = {name: part[:n] for name, part in self.p_arrays.items()}
        if self.setup.per_series and grows:
            self.tests.grow(n)
        elif self.setup.per_series:
            kept_tests = {name: part[:n] for name, part in self.tests.arrays.items()}
            self.tests = Parallel.from_arrays(self.setup.control, kept_tests)

    # the state

    def state(self, *, with_forecast: bool = True, copied: bool = True) -> State:
        """Everything needed to resume, as numbers, texts, lists, arrays and dicts.

        Args:
            with_forecast: False leaves the forecast out, which ``load`` then makes again from the contexts.
            copied: False for a state that is written at once, and needs no memory of its own.
        """
        if with_forecast and self.cache.is_left_out:
            self.cache.remake(self.contexts, self.names)
        cache, series = self.cache, self.cache.arrays | self.runs.arrays | self.jumps.arrays

        def own(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: part.copy() if copied else part for name, part in arrays.items()}

        state: State = {
            "format": FORMAT,
            "added": list(self.names[self.n_fitted :]),
            "contexts": own(self.contexts.arrays),
            "series": own(series),
            "p_value": own(self.p_arrays),
            "control": {"procedure": self.tests.procedure.fresh().state, "arrays": self.tests.arrays},
            "counts": dict(self.counts),
            "forecasts": cache.n_forecasts,
            "stale": cache.outdated,
            "generalises": self.adds_series,
        }
        if with_forecast and cache.values is not None:
            state["forecast"] = {"values": cache.values, "levels": cache.levels}  # replaced as a whole, never changed
        return state

    @classmethod
    def load(cls, setup: Setup, state: State) -> "OnlineEngine":
        """The engine that ``state`` was taken from, resumed.

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
            engine = cls(setup, Contexts({name: part.copy() for name, part in state["contexts"].items()}))
            added = pd.Index(state["added"], dtype=object, tupleize_cols=False)
            if len(added):
                engine.names = setup.like.ids.append(added)
                engine.code = {name: i for i, name in enumerate(engine.names)}
            cache = engine.cache
            for part in (cache, engine.runs, engine.jumps):
                part.load(state["series"])
            engine.p_arrays = {name: part.copy() for name, part in state["p_value"].items()}
            engine.tests = Parallel.from_arrays(setup.control, state["control"]["arrays"])
            engine.counts = engine.counts | state["counts"]
            cache.n_forecasts, cache.outdated = state["forecasts"], state["stale"]
            engine.adds_series = state["generalises"]
            if "forecast" in state:
                forecast = state["forecast"]
                cache.values = forecast["values"] if "values" in forecast else forecast["laws"]  # its name before
                cache.levels = forecast["levels"]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this state cannot be resumed: {error}; pass one of this detector") from error
        if "forecast" not in state and (cache.row >= 0).any() and not cache.outdated:
            cache.remake(engine.contexts, engine.names)
        return engine

    @staticmethod
    def _check(setup: Setup, state: State) -> None:
        n, settings = len(setup.like.ids) + len(state["added"]), setup.control.fresh().state
        if state["control"]["procedure"] != settings:
            raise ValueError(f"its tests were those of {state['control']['procedure']['settings']}")
        if len(state["contexts"]["last"]) != n:
            raise ValueError(f"it is of {len(state['contexts']['last'])} series, and there are {n}")


def distinct_stretches(codes: np.ndarray) -> Sequence[tuple[int, int]]:
    """Cut M rows into the longest stretches within which no series comes twice.

    Args:
        codes: (M,) the series of each row.

    Returns:
        Begin and end of each stretch.

    Example:
        >>> distinct_stretches(np.array([0, 1, 2, 1, 0]))
        [(0, 3), (3, 5)]
    """
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
