"""AnomalyDetector: alarms with a controlled rate of false ones, over any forecaster, on rows or frames."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.anomaly.calibration import calibrate, calibration_lengths
from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.decisions import FIELDS, WHY, Answers, Decision
from tsformers.anomaly.engine import OnlineEngine, State
from tsformers.anomaly.p_values import PValue, warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.anomaly.row_reader import Columns, Reader
from tsformers.anomaly.settings import Setup, context_rows
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas
from tsformers.data.intake.source import source_of
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError, TsformersError
from tsformers.fdr import SAFFRON, Procedure
from tsformers.messages import Either, Option, Setting
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, Between, check_settings

WINDOW = 1000


@dataclass(repr=False, eq=False)
class AnomalyDetector(BaseEstimator):
    """Watches many series and raises alarms with a controlled share of false ones, row by row or frame by frame.

    Each row is compared with a forecast made before it came: how far out it lies gives a p-value, and the online
    testing procedure ``control`` chooses the level at which that is an alarm. The forecaster is fitted once; its
    forecast of all series is renewed in one batch whenever a series has had ``refresh`` rows since (or its forecast
    reaches no further), from the latest values of all series, which are kept in ring buffers. So a row costs constant
    time, and memory does not grow with the stream.

    Rows are processed in order of arrival, and each series keeps its own time. ``detect`` sorts a frame by time first;
    within one time step rows keep the order of the frame. ``detect`` on a frame and ``update`` row by row in that order
    give the same decisions, bit for bit; so do an uninterrupted run and one that is stopped, saved, loaded and resumed.
    Irregular rows (gaps, late rows, duplicates, rows far ahead, missing values, new series, times off the grid) are
    answered like any other, never by an exception, and counted in ``counts`` (``docs/anomalies.md``).

    A detector keeps 8 bytes for each of ``window`` errors of a series and each row of its context (100,000 series at
    the defaults: 0.8 GB of errors, 0.1 GB of contexts). While it watches it holds its latest
    forecast as well, 8 bytes for each step and draw (24 steps, 100 draws: 1.8 GB); ``fit`` and ``save`` hold none, and
    forecast some series after others where the forecaster can. A smaller ``window``, horizon or ``n_samples`` needs
    less.

    Guaranteed is what ``control`` guarantees for valid (super-uniform) p-values. Each row is tested against a forecast
    that shares its errors with others, so p-values of one series depend on each other: give ``control`` a ``lag``, or
    use ``LOND``, where that matters.

    Args:
        forecaster: any forecaster; a copy is fitted.
        control: the testing procedure; ``SAFFRON(alpha, decay=0.99)`` for an endless stream with few anomalies.
        p_value: "conformal": by rank among the series' own earlier errors, see ``ConformalP``; "predictive": by the
            tails of the forecast, see ``PredictiveP``; or an object like these.
        refresh: rows of a series that one forecast serves; 1 is most accurate, the horizon is cheapest.
        scope: "global": one procedure over all rows, which controls the whole; "series": one for each series.
        contamination: "replace": a value that raises an alarm enters the context as the expected value; "keep": as it
            came.
        context_length: rows of each series that forecasts are made from; None: as many as the forecaster's network
            reads, else four seasons, at least 100.
        window: how many errors of each series "conformal" ranks among, 20 or more, 8 bytes each; None: 1,000.
        calibration: rows at the end of each series that ``fit`` does not fit the forecaster to: its calibration set,
            of which the errors are learned; None: a third of the median series, at most ``window``. Never more than
            half a series.
        shift_after: with "replace", so many alarms of a series in a row are a level shift, and the values that raised
            them enter the context after all; None: never.
        coverage: of the interval from ``lower`` to ``upper``.
        n_samples: draws of a forecast.
        max_jump: steps that a row may lie after the last one of its series. One further ahead is a wrong clock or
            the end of an outage: its status is "ahead" and it does not move the series, until three of them in a row
            agree, each after the one before and at most so far; None: as many as a context holds.
        unseen: "learn": a series that ``fit`` did not have is added, and tested once its context is full, if the
            forecaster can forecast such series; "skip": its rows are answered, and nothing is kept of it.
        seed: of fit, forecasts and ties.
        verbose: a progress bar while calibrating; None: where stderr is a terminal.

    Returns:
        After ``fit``: ``forecaster_``, ``errors_`` (how many errors of the median series were learned), ``counts``,
        ``state``. A setting changed later takes effect at the next fit.

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
    time series; the treatment of irregular rows is ours.
    """

    forecaster: Any
    control: Procedure = field(default_factory=lambda: SAFFRON(alpha=0.05))
    p_value: Literal["conformal", "predictive"] | PValue = "conformal"
    refresh: Annotated[int, AtLeast(1)] = 1
    scope: Literal["global", "series"] = "global"
    contamination: Literal["replace", "keep"] = "replace"
    _: KW_ONLY
    context_length: Annotated[int, AtLeast(1)] | None = None
    window: Annotated[int, AtLeast(20)] | None = None
    calibration: Annotated[int, AtLeast(0)] | None = None
    shift_after: Annotated[int, AtLeast(1)] | None = 10
    coverage: Annotated[float, Between(0, 1, open="both")] = 0.95
    n_samples: Annotated[int, AtLeast(10)] = 100
    max_jump: Annotated[int, AtLeast(1)] | None = None
    unseen: Literal["learn", "skip"] = "learn"
    seed: Annotated[int, AtLeast(0)] = 0
    verbose: bool | None = None

    save = storage.save

    # fitting

    def fit(self, data: Frame | Panel, y: Any = None, *, prefit: bool = False, **roles: Unpack[Roles]) -> Self:
        """Fit the forecaster to all rows but the calibration set, and learn its errors from that.

        Args:
            data: the history, a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            prefit: ``forecaster`` is fitted already and is used as it is; its errors look smaller than they are where
                it was fitted to the last rows of ``data``.
            **roles: the keywords of ``Panel.from_frame``; ``known`` is refused.

        Returns:
            The detector itself, ready for the row after the last of each series.

        Warns:
            UserWarning: the errors learned are too few for ``control`` ever to raise an alarm.
        """
        warn_unused_covariates(self.forecaster, {key: value for key, value in roles.items() if key != "known"})
        self.check()
        panel = training_panel(data, y, roles)
        if panel.schema.known:
            raise DataError(
                f"column {panel.schema.known[0]!r} is known in advance, but a stream does not say its future; leave it "
                "out of ",
                Option("known"),
                ", so that it is read as it comes",
            )
        head = panel.until(panel.ends - calibration_lengths(panel, self.calibration, self.window or WINDOW))
        short = roles.get("short", "error")
        forecaster = self.forecaster
        if not prefit:
            forecaster = clone(forecaster, safe=False).fit(head, **({} if short == "error" else {"short": short}))
        setup = self._setup(forecaster, panel)
        contexts = Contexts.from_panel(head, setup.rows + setup.horizon, head.grid)
        self._attach(OnlineEngine(setup, contexts))
        self.errors_ = calibrate(self._engine, panel, head, self.verbose)
        warn_if_blind(setup.p_value, setup.control, self.errors_)
        return self

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
            rows=context_rows(self.context_length, forecaster, panel),
            horizon=int(forecaster.horizon),
            n_samples=int(self.n_samples),
            seed=int(self.seed),
            coverage=float(self.coverage),
            shift_after=self.shift_after,
            add_new_series=self.unseen == "learn",
            max_jump=self.max_jump,
        )

    def _attach(self, engine: OnlineEngine) -> None:
        setup = engine.setup
        self._engine, self.forecaster_ = engine, setup.forecaster
        self._reader = Reader(setup.like.schema, setup.like.grid, setup.horizon, setup.like.ids)
        self._reasons = [text.format(rows=setup.rows, jump=setup.max_jump or setup.rows) for text in WHY]

    # detection

    def update(self, row: Mapping[str, Any]) -> Decision:
        """The decision about one row.

        Args:
            row: id, time, value and past covariates, under the column names of ``fit``.
        """
        return self.update_many([row])[0]

    def update_many(self, rows: Sequence[Mapping[str, Any]]) -> list[Decision]:
        """The decisions about rows in order of arrival: those of ``update`` on each, several times faster."""
        check_is_fitted(self, "forecaster_")
        columns = self._reader.rows(rows)
        return self._decisions(columns, self._engine.process(columns))

    def stream(self, rows: Iterable[Any]) -> Iterator[Decision]:
        """Decisions one by one, as rows come.

        Args:
            rows: dictionaries, Arrow batches or frames, each processed in the order of its rows; or one Arrow table or
                reader of batches.

        Yields:
            A decision a row.
        """
        check_is_fitted(self, "forecaster_")
        for item in [rows] if isinstance(rows, pa.Table | pa.RecordBatch | pd.DataFrame) else rows:
            if isinstance(item, Mapping):
                yield self.update(item)
                continue
            columns = self._reader.frame(self._pandas(item)[0])
            yield from self._decisions(columns, self._engine.process(columns))

    def detect(self, data: Frame, *, status: bool = False) -> Frame:
        """Decide of each row of a frame whether it is an anomaly, in order of time.

        Args:
            data: a long frame with the columns of ``fit``; what follows the rows so far.
            status: add the columns ``status`` and ``why``, what became of each row, see ``Decision``.

        Returns:
            One row a row of ``data``, in its order and its own frame type: id, time, value, ``expected, lower, upper,
            p_value, level, anomaly``.

        Raises:
            DataError: a column is missing, or has the name of one of the answer.
        """
        check_is_fitted(self, "forecaster_")
        schema = self._reader.schema
        check_answer_columns(schema, (*FIELDS, "status", "why"), "the answer", target=True)
        frame, backend = self._pandas(data)
        columns = self._reader.frame(frame)
        order = np.lexsort((columns.phase, columns.position))
        found = self._engine.process(columns.take(order))
        back = np.argsort(order, kind="stable")
        answers = Answers(*(part[back] for part in found))
        names = (*(schema.id_cols or (schema.id_col,)), *(schema.time_cols or (schema.time_col,)))
        given = {name: frame[name] for name in names if name in frame}
        found_columns = {schema.target_col: columns.values[:, 0]} | answers.columns()
        answer = pd.DataFrame({**given, **found_columns}, index=frame.index)
        if status:
            answer["status"], answer["why"] = answers.words(), self._why(columns, answers)
        return from_pandas(answer, backend)

    def _decisions(self, columns: Columns, answers: Answers) -> list[Decision]:
        """Rows and their answers as decisions."""
        parts = [part.tolist() for part in answers[:-1]]
        y, status = columns.values[:, 0].tolist(), (answers.words(), self._why(columns, answers))
        return [Decision(*row) for row in zip(columns.ids, columns.stamps, y, *parts, *status, strict=True)]

    def _why(self, columns: Columns, answers: Answers) -> list[str]:
        return [own or self._reasons[code] for own, code in zip(columns.why, answers.status.tolist(), strict=True)]

    def _pandas(self, data: Any) -> tuple[pd.DataFrame, str]:
        schema = self._reader.schema
        table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
        source = source_of(table, schema.columns, (schema.id_col, schema.time_col, schema.target_col))
        return source.frame, source.backend

    # the state

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came since ``fit``, and what became of them, see ``Decision``.

        Also: alarms, steps left out (``gaps``), values replaced, level shifts (``shifts``) and forecasts renewed.
        """
        check_is_fitted(self, "forecaster_")
        return dict(self._engine.counts)

    @property
    def quiet_rate(self) -> float:
        """The expected number of false alarms a row under the null, when levels are at their least.

        That holds for valid p-values while there are no alarms; each alarm raises the levels for a while. Zero where no
        alarm is possible then: the levels tend to 0, or the errors learned are too few.
        """
        check_is_fitted(self, "forecaster_")
        least, setup = self._engine.setup.control.least_level, self._engine.setup
        finest = float(np.median(setup.p_value.resolution(self._engine.p_arrays)))
        return least if finest == 0 else float(np.floor(least / finest * (1 + 1e-9)) * finest)

    @property
    def panel(self) -> Panel:
        """The last row of each series of ``fit``: its ids, frequency and column names."""
        check_is_fitted(self, "forecaster_")
        return self._engine.setup.like

    def read_times(self, stamps: Sequence[Any]) -> np.ndarray:
        """(M,) stamps of rows as they are understood: integers, or datetime64 in UTC, not-a-time where unreadable."""
        check_is_fitted(self, "forecaster_")
        return self._reader.times(stamps)

    @property
    def state(self) -> State:
        """Everything that rows have changed: numbers, texts, lists, dicts and arrays. It can be set."""
        check_is_fitted(self, "forecaster_")
        return self._engine.state()

    @state.setter
    def state(self, state: State) -> None:
        check_is_fitted(self, "forecaster_")
        self._engine = OnlineEngine.load(self._engine.setup, state)

    def snapshot(self) -> State:
        """The state without the forecast, which is made again from the contexts: smaller, for a file."""
        check_is_fitted(self, "forecaster_")
        return self._engine.state(with_forecast=False)

    def step(self, state: State, row: Mapping[str, Any]) -> tuple[State, Decision]:
        """One row as a pure function: the next state and the decision; neither ``state`` nor the detector changes.

        It copies the state, so that it costs more than ``update``, which does the same in place.
        """
        check_is_fitted(self, "forecaster_")
        engine, columns = OnlineEngine.load(self._engine.setup, state), self._reader.rows([row])
        answers = engine.process(columns)
        return engine.state(), self._decisions(columns, answers)[0]

    def set_control(self, control: Procedure) -> Self:
        """Test by another procedure from now on, from its first test; contexts and calibration stay."""
        check_is_fitted(self, "forecaster_")
        self.control = control
        self._engine.use_control(control)
        return self

    def learned(self) -> dict[str, object]:
        """What was learned by ``fit`` and the rows since, as serialisable values."""
        check_is_fitted(self, "forecaster_")
        setup = self._engine.setup
        settings = {name: getattr(setup, name) for name in setup.__dataclass_fields__ if name != "like"}
        state = self._engine.state(with_forecast=False, copied=False)
        return {"settings": settings, "panel": setup.like, "state": state, "errors": self.errors_}

    def relearn(self, learned: dict[str, Any]) -> None:
        """Restore what ``learned`` gave."""
        setup = Setup(like=learned["panel"], **learned["settings"])
        self.errors_ = int(learned.get("errors", 0))  # earlier versions did not keep it
        self._attach(OnlineEngine.load(setup, learned["state"]))

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        check_settings(self)
        if isinstance(self.p_value, str) and self.p_value not in ("conformal", "predictive"):
            raise TsformersError(
                Setting("p_value", self.p_value, flag="detector"),
                " is unknown; choose 'conformal' or 'predictive'",
                Either(", or give a ConformalP", ""),
            )
        if self.window is not None and self.p_value != "conformal":
            raise TsformersError(
                Setting("window", self.window, flag="detector"),
                " belongs to ",
                Setting("p_value", "conformal", flag="detector"),
                "; leave it out",
                Either(", or give ConformalP one", ""),
            )
        if not isinstance(self.control, Procedure):
            raise ValueError(f"control must be a procedure of tsformers.fdr, such as SAFFRON(); got {self.control!r}")
