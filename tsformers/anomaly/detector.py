"""AnomalyDetector: over any forecaster, row by row or frame by frame, alarms at a stated rate of false ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.decisions import FIELDS, TESTED, WHY, Answers, Decision
from tsformers.anomaly.engine import Fold, State
from tsformers.anomaly.p_values import PValue, warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.anomaly.row_reader import Columns, Reader
from tsformers.anomaly.settings import Setup, longest_season, needed_rows
from tsformers.calendar.grid import as_counts, decompose
from tsformers.calendar.seasons import season_length
from tsformers.data.dataframes import Frame, from_pandas, to_pandas
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError
from tsformers.fdr import SAFFRON, Procedure
from tsformers.progress import progress

SLICE = 256  # rows between two looks at the progress bar, at least
WINDOW = 1000
LEAST_CONTEXT = 100
SEASONS = 4


@dataclass(repr=False, eq=False)
class AnomalyDetector(BaseEstimator):
    """Watches many series row by row and raises alarms of which, in the long run, few are false.

    Each row is compared with a forecast made before it came: how far out it lies becomes a p-value, and the testing
    procedure ``control`` decides at which level that is an alarm. The forecaster is fitted once; its forecast of all
    series is renewed in one batch whenever a series has had ``refresh`` rows since (or its forecast reaches no
    further), from the latest values of all series, which are kept in ring buffers. A row therefore costs a fixed time
    and memory does not grow with the stream.

    Rows are taken in the order in which they arrive, and each series keeps its own time. ``detect`` sorts a frame by
    time first; within one time step the rows stand as they do in the frame. ``detect`` on a frame and ``update`` row by
    row in that order give the same decisions, bit for bit; so do a run and the same run stopped, saved, loaded and gone
    on with. Every odd row has its answer, none raises, and ``counts`` tells how many there were of each kind
    (``docs/anomalies.md``): gaps, late rows, duplicates, rows far ahead, missing
    values, unseen series, stamps off the grid.

    Guaranteed is what ``control`` guarantees, where p-values are honest. Each row is tested against a forecast that
    shares its errors with others, so p-values of one series depend on each other: give ``control`` a ``lag``, or take
    ``LOND``, where that matters.

    Args:
        forecaster: any forecaster; a copy is fitted.
        control: the testing procedure; ``SAFFRON(alpha, decay=0.99)`` for an endless stream with few anomalies.
        p_value: "conformal": by rank among the series' own earlier errors, see ``ConformalP``; "predictive": by the
            tails of the forecast, see ``PredictiveP``; or an object like these.
        refresh: rows of a series that one forecast serves; 1 is sharpest, the horizon is cheapest.
        scope: "global": one procedure over all rows, which controls the whole; "series": one for each series.
        contamination: "replace": what raised an alarm enters the context as the value that was expected; "keep": as it
            came.
        context_length: rows of each series that forecasts are made from; None: as many as the forecaster's network
            looks at, else four seasons, at least 100.
        window: how many errors of each series "conformal" ranks among, 20 or more, 8 bytes each; None: 1,000.
        calibration: how many last rows of each series ``fit`` holds back from the forecaster, to learn from them how
            large its errors are; None: a third of the median series, at most ``window``. At most half a series is held
            back.
        shift_after: with "replace", so many alarms of a series in a row are a new level, and the values that raised
            them enter the context after all; None: never.
        coverage: of the interval from ``lower`` to ``upper``.
        n_samples: draws of a forecast.
        max_jump: so many steps may a row lie after the last one of its series. One further ahead is a wrong clock or
            the end of an outage: it is answered "ahead" and does not move the series, until three of them in a row
            agree, each after the one before and at most so far; None: as many as a context holds.
        unseen: "learn": a series that ``fit`` has not seen is taken in, and tested once its context is full, if the
            forecaster can tell of such series; "skip": its rows are answered, and nothing is kept of it.
        seed: of fit, forecasts and ties.
        verbose: a progress bar while calibrating; None: where stderr is a terminal.

    Returns:
        After ``fit``: ``forecaster_``, ``errors_`` (how many it learned of the median series), ``counts``, ``state``.
        A setting changed later takes effect at the next fit.

    Raises:
        ValueError: at ``fit``, a setting is out of its range.
        DataError: at ``fit``, the data cannot be used, or have covariates known in advance.

    Example:
        >>> from tsformers import SeasonalNaive, fdr
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(600), "y": rng.normal(size=600)})
        >>> detector = AnomalyDetector(SeasonalNaive(horizon=1), fdr.LORD(alpha=0.1, decay=0.99), p_value="predictive")
        >>> detector.fit(frame, freq=1).update({"unique_id": "a", "ds": 600, "y": 0.3}).anomaly
        False
        >>> detector.update({"unique_id": "a", "ds": 601, "y": 30.0}).anomaly
        True

    Source: Rebjock, Kurt, Januschowski & Callot (2021), Online false discovery rate control for anomaly detection in
    time series; what becomes of odd rows is ours.
    """

    forecaster: Any
    control: Procedure = field(default_factory=lambda: SAFFRON(alpha=0.05))
    p_value: Literal["conformal", "predictive"] | PValue = "conformal"
    refresh: int = 1
    scope: Literal["global", "series"] = "global"
    contamination: Literal["replace", "keep"] = "replace"
    _: KW_ONLY
    context_length: int | None = None
    window: int | None = None
    calibration: int | None = None
    shift_after: int | None = 10
    coverage: float = 0.95
    n_samples: int = 100
    max_jump: int | None = None
    unseen: Literal["learn", "skip"] = "learn"
    seed: int = 0
    verbose: bool | None = None

    save = storage.save

    # fitting

    def fit(self, data: Frame | Panel, *, prefit: bool = False, **roles: Unpack[Roles]) -> Self:
        """Fit the forecaster to all but the last rows, and learn from these how large its errors are.

        Args:
            data: the history, a long frame or a Panel.
            prefit: ``forecaster`` is fitted already and is used as it is; its errors look smaller than they are where
                it has seen the last rows of ``data``.
            **roles: the keywords of ``Panel.from_frame``; ``known`` is refused.

        Returns:
            The detector itself, ready for the row after the last of each series.

        Warns:
            UserWarning: the errors learned are too few for ``control`` ever to raise an alarm.
        """
        self.check()
        panel = Panel.from_frame(data, **roles)
        if panel.schema.known:
            raise DataError(
                f"column {panel.schema.known[0]!r} is known in advance, but a stream does not say its future; leave it "
                "out of known=, so that it is read as it comes, or drop it"
            )
        head = panel.until(panel.ends - self._held_back(panel))
        short = roles.get("short", "error")
        forecaster = self.forecaster
        if not prefit:
            forecaster = clone(forecaster, safe=False).fit(head, **({} if short == "error" else {"short": short}))
        self._begin(Fold(self._setup(forecaster, panel), self._contexts(forecaster, head)))
        self._calibrate(panel, head)
        return self

    def _held_back(self, panel: Panel) -> np.ndarray:
        """(N,) rows at the end that the forecaster is not fitted to."""
        wanted = self.calibration
        if wanted is None:
            wanted = min(self.window or WINDOW, int(np.median(panel.lengths)) // 3)
        return np.minimum(wanted, panel.lengths // 2)

    def _rows(self, forecaster: Any, panel: Panel) -> int:
        """T: how many rows of each series a context holds."""
        least, horizon = needed_rows(forecaster), int(forecaster.horizon)
        if self.context_length is not None and self.context_length < least:
            raise ValueError(
                f"context_length={self.context_length} is less than the {least} rows that the forecaster looks at; "
                "leave it out, or write more"
            )
        season = max(season_length(panel.grid), longest_season(forecaster))
        usual = least if least > 1 else max(LEAST_CONTEXT, SEASONS * season, 2 * horizon)
        return usual if self.context_length is None else self.context_length

    def _setup(self, forecaster: Any, panel: Panel) -> Setup:
        ranks = ConformalP(window=self.window or WINDOW, seed=self.seed)
        named: dict[str, PValue] = {"conformal": ranks, "predictive": PredictiveP(seed=self.seed)}
        return Setup(
            forecaster=forecaster,
            like=panel.tail(1),
            p_value=named[self.p_value] if isinstance(self.p_value, str) else self.p_value,
            control=self.control.fresh(),
            refresh=int(self.refresh),
            per_series=self.scope == "series",
            replace=self.contamination == "replace",
            rows=self._rows(forecaster, panel),
            horizon=int(forecaster.horizon),
            n_samples=int(self.n_samples),
            seed=int(self.seed),
            coverage=float(self.coverage),
            shift_after=self.shift_after,
            learn_unseen=self.unseen == "learn",
            max_jump=self.max_jump,
        )

    def _contexts(self, forecaster: Any, head: Panel) -> Contexts:
        """Ring buffers with the last rows of each series."""
        cells, grid = self._rows(forecaster, head) + int(forecaster.horizon), head.grid
        contexts = Contexts.blank(head.n_series, cells, 1 + head.past.shape[1])
        position, phase = decompose(as_counts(head.times), grid)
        begins, every = head.offsets[:-1], np.arange(head.n_series)
        contexts.begin(every, position[begins], phase[begins])
        latest = head.tail(cells)
        position, _ = decompose(as_counts(latest.times), grid)
        contexts.values[latest.owner, position % cells] = np.column_stack([latest.y, latest.past])
        contexts.last[:] = position[latest.ends - 1]
        return contexts

    def _calibrate(self, panel: Panel, head: Panel) -> None:
        """Go through the rows held back as if they came in, in order of time, and learn the errors."""
        owner = panel.owner
        within = np.arange(len(panel.y)) - panel.offsets[owner]
        rows = np.flatnonzero(within >= head.lengths[owner])
        position, phase = decompose(as_counts(panel.times[rows]), panel.grid)
        order = np.lexsort((phase, position))
        rows, position, phase = rows[order], position[order], phase[order]
        values = np.column_stack([panel.y[rows], panel.past[rows]])
        status = np.full(len(rows), TESTED, dtype=np.int8)
        why = np.full(len(rows), "", dtype=object)
        columns = Columns(panel.ids[owner[rows]], panel.times[rows], values, position, phase, status, why)
        size = max(SLICE, panel.n_series)
        starts = range(0, len(rows), size)
        with progress(len(starts), self.verbose, "errors of the forecaster", delay=1) as bar:
            for start in starts:
                self._fold.take(columns.take(slice(start, start + size)), calibrating=True)
                bar.update()
        self._fold.forget_counts()
        seen = np.isfinite(values[:, 0])
        each = np.bincount(owner[rows][seen], minlength=panel.n_series)
        setup = self._fold.setup
        self.errors_ = int(np.median(each))
        warn_if_blind(setup.p_value, setup.control, self.errors_)

    def _begin(self, fold: Fold) -> None:
        setup = fold.setup
        self._fold, self.forecaster_ = fold, setup.forecaster
        self._reader = Reader(setup.like.schema, setup.like.grid, setup.horizon)
        self._reasons = [text.format(rows=setup.rows, jump=setup.max_jump or setup.rows) for text in WHY]

    # watching

    def update(self, row: Mapping[str, Any]) -> Decision:
        """One row in, its decision out.

        Args:
            row: id, time, value and past covariates, under the column names of ``fit``.
        """
        return self.update_many([row])[0]

    def update_many(self, rows: Sequence[Mapping[str, Any]]) -> list[Decision]:
        """Rows in order of arrival: the decisions of ``update`` on each, several times faster."""
        check_is_fitted(self, "forecaster_")
        columns = self._reader.rows(rows)
        return self._decisions(columns, self._fold.take(columns))

    def stream(self, rows: Iterable[Any]) -> Iterator[Decision]:
        """Decisions one by one, as rows come.

        Args:
            rows: dictionaries, Arrow batches or frames, of which each is taken in the order of its rows; or one Arrow
                table or reader of batches.

        Yields:
            A decision a row.
        """
        check_is_fitted(self, "forecaster_")
        for item in [rows] if isinstance(rows, pa.Table | pa.RecordBatch | pd.DataFrame) else rows:
            if isinstance(item, Mapping):
                yield self.update(item)
                continue
            columns = self._reader.frame(self._pandas(item)[0])
            yield from self._decisions(columns, self._fold.take(columns))

    def detect(self, data: Frame, *, status: bool = False) -> Frame:
        """Take the rows of a frame, in order of time, and say of each whether it is an anomaly.

        Args:
            data: a long frame with the columns of ``fit``; what follows the rows seen so far.
            status: add the columns ``status`` and ``why``, which say what became of each row, see ``Decision``.

        Returns:
            One row a row of ``data``, in its order and its own frame type: id, time, value, ``expected, lower, upper,
            p_value, level, anomaly``.

        Raises:
            DataError: a column is missing, or called like one of the answer.
        """
        check_is_fitted(self, "forecaster_")
        frame, backend = self._pandas(data)
        schema = self._reader.schema
        columns = self._reader.frame(frame)
        for name in (schema.id_col, schema.time_col, schema.target_col):
            if name in (*FIELDS, "status", "why"):
                raise DataError(
                    f"column {name!r} of the data has the name of a column of the answer; rename it before fit, for "
                    f"example with df.rename(columns={{{name!r}: {name + '_'!r}}})"
                )
        order = np.lexsort((columns.phase, columns.position))
        found = self._fold.take(columns.take(order))
        back = np.argsort(order, kind="stable")
        answers = Answers(*(part[back] for part in found))
        own = {name: frame[name] for name in (schema.id_col, schema.time_col)}
        said = {schema.target_col: columns.values[:, 0]} | answers.columns()
        answer = pd.DataFrame({**own, **said}, index=frame.index)
        if status:
            answer["status"], answer["why"] = answers.words(), self._why(columns, answers)
        return from_pandas(answer, backend)

    def _decisions(self, columns: Columns, answers: Answers) -> list[Decision]:
        """The rows with their answers, one by one."""
        parts = [part.tolist() for part in answers[:-1]]
        y, told = columns.values[:, 0].tolist(), (answers.words(), self._why(columns, answers))
        return [Decision(*row) for row in zip(columns.ids, columns.stamps, y, *parts, *told, strict=True)]

    def _why(self, columns: Columns, answers: Answers) -> list[str]:
        return [own or self._reasons[code] for own, code in zip(columns.why, answers.status.tolist(), strict=True)]

    def _pandas(self, data: Any) -> tuple[pd.DataFrame, str]:
        schema = self._reader.schema
        table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
        return to_pandas(table, schema.id_col, schema.time_col, schema.target_col)

    # the state

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came since ``fit``, and what became of them, see ``Decision``.

        Besides: alarms, steps left out (``gaps``), values replaced, new levels (``shifts``) and forecasts renewed.
        """
        check_is_fitted(self, "forecaster_")
        return dict(self._fold.counts)

    @property
    def quiet_rate(self) -> float:
        """How many false alarms to expect of each row in quiet times, when levels are at their least.

        That is so with honest p-values, and so long as nothing is found; each alarm raises the levels for a while. Zero
        where no alarm is possible then: the levels die out, or the errors learned are too few.
        """
        check_is_fitted(self, "forecaster_")
        least, setup = self._fold.setup.control.least_level, self._fold.setup
        finest = float(np.median(setup.p_value.resolution(self._fold.p_arrays)))
        return least if finest == 0 else float(np.floor(least / finest * (1 + 1e-9)) * finest)

    @property
    def panel(self) -> Panel:
        """The last row of each series of ``fit``: its ids, frequency and column names."""
        check_is_fitted(self, "forecaster_")
        return self._fold.setup.like

    def read_times(self, stamps: Sequence[Any]) -> np.ndarray:
        """(M,) stamps of rows as they are understood: integers, or datetime64 in UTC, not-a-time where unreadable."""
        check_is_fitted(self, "forecaster_")
        return self._reader.times(stamps)

    @property
    def state(self) -> State:
        """Everything that rows have changed: numbers, texts, lists, dicts and arrays. It can be set again."""
        check_is_fitted(self, "forecaster_")
        return self._fold.state()

    @state.setter
    def state(self, state: State) -> None:
        check_is_fitted(self, "forecaster_")
        self._fold = Fold.load(self._fold.setup, state)

    def snapshot(self) -> State:
        """The state without the forecast, which is made again from the contexts: smaller, for a file."""
        check_is_fitted(self, "forecaster_")
        return self._fold.state(with_forecast=False)

    def step(self, state: State, row: Mapping[str, Any]) -> tuple[State, Decision]:
        """One row as a pure function: the next state and the decision; neither ``state`` nor the detector changes.

        It copies the state, so that it costs more than ``update``, which does the same in place.
        """
        check_is_fitted(self, "forecaster_")
        fold, columns = Fold.load(self._fold.setup, state), self._reader.rows([row])
        answers = fold.take(columns)
        return fold.state(), self._decisions(columns, answers)[0]

    def set_control(self, control: Procedure) -> Self:
        """Test by another procedure from now on, which begins anew; contexts and calibration stay."""
        check_is_fitted(self, "forecaster_")
        self.control = control
        fold = self._fold
        fold.setup = replace(fold.setup, control=control.fresh())
        fold.tests = fold.setup.control.many(len(fold.contexts) if fold.setup.per_series else 1)
        return self

    def learned(self) -> dict[str, object]:
        """What ``fit`` and the rows since have taught, as plain values."""
        check_is_fitted(self, "forecaster_")
        setup = self._fold.setup
        settings = {name: getattr(setup, name) for name in setup.__dataclass_fields__ if name not in ("like",)}
        return {"settings": settings, "panel": setup.like, "state": self.snapshot(), "errors": self.errors_}

    def relearn(self, learned: dict[str, Any]) -> None:
        """Take up what ``learned`` gave."""
        setup = Setup(like=learned["panel"], **learned["settings"])
        self.errors_ = int(learned.get("errors", 0))  # versions before did not say
        self._begin(Fold.load(setup, learned["state"]))

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        for name, least in (("refresh", 1), ("n_samples", 10), ("context_length", 1), ("calibration", 0),
                            ("shift_after", 1), ("max_jump", 1), ("window", 20), ("seed", 0)):  # fmt: skip
            value, optional = getattr(self, name), name not in ("refresh", "n_samples", "seed")
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
            if not whole and not (value is None and optional):
                raise ValueError(
                    f"{name} must be a whole number of {least} or more{' or None' if optional else ''}, not {value!r}"
                )
        for name, offered in (("scope", ("global", "series")), ("contamination", ("replace", "keep")),
                              ("unseen", ("learn", "skip"))):  # fmt: skip
            if getattr(self, name) not in offered:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; choose {' or '.join(map(repr, offered))}")
        if isinstance(self.p_value, str) and self.p_value not in ("conformal", "predictive"):
            raise ValueError(
                f"p_value={self.p_value!r} is unknown; choose 'conformal' or 'predictive', or give a ConformalP"
            )
        if self.window is not None and self.p_value != "conformal":
            raise ValueError(
                f"window={self.window} belongs to p_value='conformal'; leave it out, or give ConformalP one"
            )
        if not isinstance(self.control, Procedure):
            raise ValueError(f"control must be a procedure of tsformers.fdr, such as SAFFRON(); got {self.control!r}")
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage must lie between 0 and 1, for example 0.95; got {self.coverage!r}")
