"""The task of one worker of a backtest: fit a model at a cutoff, forecast windows, score and store them."""

import copy
import hashlib
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Unpack

import pandas as pd

from tsformers.data.blocks.forecast_blocks import forecast_blocks
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel, Roles
from tsformers.errors import TrainingInterrupted
from tsformers.evaluation.origins import Origins
from tsformers.evaluation.results import Settings
from tsformers.evaluation.run_folder import RunFolder
from tsformers.evaluation.window_tables import window_blocks, window_tables
from tsformers.storage.learned_state import has_settings

SECONDS = ("fit", "predict", "fit_cpu", "predict_cpu")  # of a window; cpu: of this process and its threads


@dataclass(frozen=True, eq=False)
class RunContext:
    """What the tasks of a backtest share.

    Args:
        origins: data and cutoffs.
        settings: of the backtest.
        folder: where finished windows are stored; None = they stay in memory.
        short: "drop" lets models leave out series that they cannot forecast; "error" does not.
    """

    origins: Origins
    settings: Settings
    folder: RunFolder | None
    short: Literal["error", "drop"]

    def seed(self, *labels: object) -> int | None:
        """A seed hashed from the backtest's own and labels, order-independent; None where the backtest has none."""
        if self.settings.seed is None:
            return None
        text = "\0".join(map(str, (self.settings.seed, *labels)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little") >> 1


@dataclass(frozen=True, eq=False)
class Task:
    """One model, fitted at one cutoff, and the windows that it forecasts.

    Args:
        model: name.
        forecaster: the caller's object, which is copied.
        fit_window: the window at whose cutoff it is fitted.
        windows: those that are not finished.
        reused: the fitted model serves several windows, so a run folder stores it.
    """

    model: str
    forecaster: Any
    fit_window: int
    windows: tuple[int, ...]
    reused: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """A window of one model: its tables (None where they are on disk), or its error."""

    model: str
    window: int
    forecasts: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    error: str | None = None


class Elapsed(NamedTuple):
    """Seconds of work: on the clock, and of the processor in this process and its threads."""

    clock: float
    cpu: float

    @classmethod
    def now(cls) -> "Elapsed":
        """Both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, began: "Elapsed") -> "Elapsed":
        """What has gone by."""
        return Elapsed(self.clock - began.clock, self.cpu - began.cpu)


NO_TIME = Elapsed(0.0, 0.0)


def run_task(context: RunContext, task: Task, tick: Callable[[], object] | None = None) -> list[Outcome]:
    """Fit a model, forecast and score its windows; an error becomes the outcome of the windows that it affects.

    Args:
        context: what all tasks share.
        task: the model and its windows.
        tick: called after every window.

    Returns:
        One outcome a window.
    """
    outcomes: list[Outcome] = []
    fitted, seconds, failure = None, NO_TIME, None
    for window in task.windows:
        try:
            if fitted is None and failure is None:
                fitted, seconds, failure = _try_fit(context, task)
            if failure is not None:
                raise failure
            outcomes.append(_forecast_window(context, task, window, fitted, seconds))
            seconds = NO_TIME  # counted once, with the first window
        except (Exception, SystemExit) as error:  # a model may not end the others; Ctrl-C may
            message = f"{type(error).__name__}: {error}"
            if context.folder is not None:
                trace = "".join(traceback.format_exception(error))
                context.folder.write_failure(task.model, window, message, trace)
            outcomes.append(Outcome(task.model, window, error=message))
        if tick is not None:
            tick()
    return outcomes


def fit_whole(model: Any, data: Frame | Panel, **roles: Unpack[Roles]) -> Any:
    """``model.fit(data, **roles)`` to its end: Ctrl-C, after which ``fit`` alone keeps a partial model, stops the job.

    Args:
        model: a forecaster.
        data: what its ``fit`` takes.
        **roles: the keywords of ``Panel.from_frame``.

    Returns:
        The fitted model.

    Raises:
        KeyboardInterrupt: Ctrl-C during the fit; no partly trained model is returned.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": 1.0})
        >>> fit_whole(SeasonalNaive(horizon=1), frame).predict().median
        array([[1.]])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterrupted)
        try:
            return model.fit(data, **roles)
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt from stopped


def _try_fit(context: RunContext, task: Task) -> tuple[Any, Elapsed, BaseException | None]:
    """The fitted model and the seconds it took, or the error of fitting."""
    try:
        if context.folder is not None and task.reused:
            found = context.folder.load_model(task.model, task.fit_window, type(task.forecaster))
            if found is not None:
                return found, NO_TIME, None
        began = Elapsed.now()
        model = _unfitted_copy(context, task)
        roles: Roles = {} if context.short == "error" else {"short": context.short}
        fitted = fit_whole(model, context.origins.history(task.fit_window), **roles)
        seconds = Elapsed.now().since(began)
        if context.folder is not None and task.reused:
            context.folder.save_model(task.model, task.fit_window, fitted)
        return fitted, seconds, None
    except (Exception, SystemExit) as error:
        return None, NO_TIME, error


def _unfitted_copy(context: RunContext, task: Task) -> Any:
    """An unfitted copy: settings ``seed=None`` are filled in, and ``verbose=None`` becomes False."""
    if not has_settings(task.forecaster):
        return copy.deepcopy(task.forecaster)
    from sklearn.base import clone

    model = clone(task.forecaster)
    filled: dict[str, object] = {}
    for name, value in model.get_params(deep=True).items():
        setting = name.rpartition("__")[2]
        if setting == "seed" and value is None and context.settings.seed is not None:
            filled[name] = context.seed(task.model, "fit", name, task.fit_window)
        elif setting == "verbose" and value is None:
            filled[name] = False
    return model.set_params(**filled)


class _Timed:
    """Blocks of a forecast, and the seconds that making them took."""

    def __init__(self, blocks: Iterator[Forecast]) -> None:
        self.blocks, self.seconds = blocks, NO_TIME

    def __iter__(self) -> Iterator[Forecast]:
        return self

    def __next__(self) -> Forecast:
        began = Elapsed.now()
        try:
            with silence_accepted():  # a cutoff is of a series' own
                return next(self.blocks)
        finally:
            passed = Elapsed.now().since(began)
            self.seconds = Elapsed(self.seconds.clock + passed.clock, self.seconds.cpu + passed.cpu)


def _forecast_window(context: RunContext, task: Task, window: int, fitted: Any, fit: Elapsed) -> Outcome:
    """Forecast a window, score it, and store it where there is a folder."""
    history = context.origins.history(window, context.settings.horizon)
    seed = context.seed(task.model, "predict", window)
    timed = _Timed(forecast_blocks(fitted, history, n_samples=context.settings.n_samples, seed=seed))
    asked = (context.origins, context.settings, task.model, window, timed, context.short == "drop")

    def seconds() -> dict[str, float]:
        spent = (fit.clock, timed.seconds.clock, fit.cpu, timed.seconds.cpu)
        return dict(zip(SECONDS, spent, strict=True))

    if context.folder is None:
        forecasts, scores = window_tables(*asked)
        return Outcome(task.model, window, forecasts, scores, seconds())
    context.folder.write_window(task.model, window, window_blocks(*asked), seconds)
    return Outcome(task.model, window)
