"""Rows in, decisions out, and a state from which a stopped run resumes: the loop behind the command ``detect``."""

import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsformers.anomaly.decisions import Decision
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import JobError
from tsformers.messages import Option
from tsformers.storage.state_file import fingerprint, read_state
from tsformers.streaming.column_check import ColumnCheck
from tsformers.streaming.endpoints import columns_of, decision_format, sink_of, source_of
from tsformers.streaming.run import Outlet, Run
from tsformers.streaming.stop_signals import stop_signals

STATE_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class WatchSettings:
    """Where rows come from, where decisions go, and how the state is kept.

    Args:
        source: file, "-" for standard input, or the address of a Redis stream.
        sink: likewise, for decisions.
        state: file to resume from, if it exists, and to keep the state in; None: no state is kept.
        fresh_input: all rows of ``source`` are new; what the state has learned is kept, its place in the input is not.
        every: rows between two states.
        seconds: between two states, at most, while there are rows that the last one does not cover.
        follow: at the end of a file wait for more.
        idle: seconds without a row after which to end; None: never.
        alarms_only: only decisions that are alarms are written.
        format: of decisions: "jsonl", "csv" or "parquet"; None: by suffix, else as the input.
        input_format: of rows; None: by suffix, else by the first byte.
        options: how a file of rows is read, where its content does not tell.

    Example:
        >>> WatchSettings(source="rows.csv").every
        10000
    """

    source: str = "-"
    sink: str = "-"
    state: str | Path | None = None
    fresh_input: bool = False
    every: int = 10_000
    seconds: float = 60.0
    follow: bool = False
    idle: float | None = None
    alarms_only: bool = False
    format: str | None = None
    input_format: str | None = None
    options: FileOptions | None = None


@dataclass(frozen=True)
class Watched:
    """The result of watching, whether the rows ended or the run was stopped.

    Args:
        counts: what became of all rows since ``fit``.
        passed: rows of the input that an earlier run answered; None: no state was resumed from.
        new: rows that this run answered.
        invalid: how many of them were invalid.
        state: where the state was kept; None: nowhere.
        interrupted: Ctrl-C ended the run.

    Example:
        >>> Watched({"rows": 3}, passed=None, new=3, invalid=0, state=None, interrupted=False).new
        3
    """

    counts: dict[str, int]
    passed: int | None
    new: int
    invalid: int
    state: str | Path | None
    interrupted: bool


def watch(
    detector: Any,
    settings: WatchSettings,
    *,
    model: str | None = None,
    keep: Callable[[Decision], object] | None = None,
    report: Callable[[Watched], object] | None = None,
) -> dict[str, int]:
    r"""Answer rows as they come, and keep the state so that a crash loses nothing.

    After every ``every`` rows or ``seconds``, and at the end, decisions are handed over first, then the state replaces
    the one before in one rename, then rows of a Redis source are acknowledged. Run again with the same state and input,
    whatever ended it, the run resumes after the last state: rows answered since are answered again, with the same
    decisions and row numbers. The state identifies its input by a checksum of all that was read of it; another input is
    refused, unless it is declared to be a fresh one.

    Args:
        detector: fitted; it is changed.
        settings: source, sink and state.
        model: the folder of the detector, so that the state of another one is refused.
        keep: is handed every decision.
        report: is handed the result before this returns, also when Ctrl-C ends the run.

    Returns:
        What became of all rows since ``fit``, see ``AnomalyDetector.counts``.

    Raises:
        JobError: the state is of another detector or kind of input, or source and sink cannot be used.
        DataError: the input is not the one that the state covers.
        KeyboardInterrupt: Ctrl-C ended the run, after the state was kept.

    Example:
        >>> import pandas as pd
        >>> from tempfile import mkdtemp
        >>> from tsformers import AnomalyDetector, SeasonalNaive
        >>> history = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0.0, 1.0] * 30})
        >>> detector = AnomalyDetector(SeasonalNaive(horizon=1, season_length=2), p_value="predictive").fit(history)
        >>> path = Path(mkdtemp()) / "rows.csv"
        >>> _ = path.write_text("unique_id,ds,y\na,60,0\na,61,1\n")
        >>> watch(detector, WatchSettings(source=str(path), sink=str(path.with_suffix(".jsonl"))))["tested"]
        2
    """
    state, fresh_input = settings.state, settings.fresh_input
    if fresh_input and state is None:
        raise JobError(
            Option("fresh_input", True),
            " keeps what a state has learned; name its file with ",
            Option("state"),
            ", or leave it out",
        )
    identity = {"format": STATE_FORMAT, "model": None if model is None else fingerprint(model)}
    page = None if state is None else read_state(state)
    if page is not None:
        if {key: page.get(key) for key in identity} != identity:
            raise JobError(f"{state} is the state of another detector; remove it to start again, or name its model")
        detector.state = page["detector"]
    format = decision_format(
        settings.sink, settings.source, settings.format, settings.input_format, resumable=state is not None
    )
    kind, options = settings.input_format, settings.options
    source = source_of(settings.source, detector, kind, follow=settings.follow, idle=settings.idle, options=options)
    resumed = None if page is None else page["output"]

    def open_sink() -> Any:
        return sink_of(settings.sink, detector, format, resumed, cut=not fresh_input)

    with closing(source), stop_signals() as stopped:
        run = Run(detector, source, open_sink, settings.every, settings.seconds, state, identity)
        if page is not None:
            run.resume(page, fresh_input=fresh_input)
        before = detector.counts["invalid"]
        try:
            run.answer_rows(Outlet(settings.alarms_only, keep, ColumnCheck(columns_of(detector))), stopped)
        finally:
            run.close()
        interrupted = stopped() == signal.SIGINT
        if report is not None:
            invalid = detector.counts["invalid"] - before
            report(Watched(detector.counts, run.passed, run.new, invalid, state, interrupted))
        if interrupted:
            raise KeyboardInterrupt
    return detector.counts
