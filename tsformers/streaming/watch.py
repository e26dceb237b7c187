"""Rows in, decisions out, and a state kept so that a crash costs nothing: the loop behind the command ``detect``."""

import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers.data.files.table_files import SUFFIXES
from tsformers.errors import DataError, JobError
from tsformers.storage.state_file import fingerprint, read_state, write_state
from tsformers.streaming.line_source import open_source
from tsformers.streaming.redis import Address, RedisSink, RedisSource
from tsformers.streaming.sinks import Sink, open_sink
from tsformers.streaming.source import Batch, Source

FORMAT = 1
DRAWN = 20_000  # latest decisions that a picture is made of
PIECE = 1000  # rows answered at once
LOOKED_AT = 1000  # rows without a column that is needed, after which it is said
MOST_NAMES = 20  # of columns, in that message
SECONDS = 60.0  # between two states, at most


@dataclass(frozen=True)
class Ended:
    """What watching came to, whether the rows ended or somebody ended it.

    Args:
        counts: what became of all rows since ``fit``.
        passed: rows of the input that an earlier run had answered; None: it did not go on from a state.
        new: rows answered now.
        state: where the state was kept; None: nowhere.
        interrupted: Ctrl-C ended it.
    """

    counts: dict[str, int]
    passed: int | None
    new: int
    state: str | Path | None
    interrupted: bool


def watch(
    detector: Any,
    *,
    source: str = "-",
    sink: str = "-",
    model: str | None = None,
    state: str | Path | None = None,
    fresh_input: bool = False,
    every: int = 10_000,
    seconds: float = SECONDS,
    follow: bool = False,
    idle: float | None = None,
    alarms_only: bool = False,
    format: str | None = None,
    input_format: str | None = None,
    keep: Callable[[Any], object] | None = None,
    tell: Callable[[Ended], object] | None = None,
) -> dict[str, int]:
    """Answer rows as they come, and keep the state so that a crash costs nothing.

    After every ``every`` rows or ``seconds``, and at the end, decisions are handed over first, then the state replaces
    the one before in one rename, then a Redis source is told. Begun again with the same state and input, after whatever
    ended it, it goes on behind the last state kept: rows answered since are answered again, alike, under the same row
    numbers. The state knows its input by a checksum of all that was read of it; another input is refused, unless it is
    said to be a fresh one.

    Args:
        detector: fitted; it is changed.
        source: file, "-" for standard input, or the address of a Redis stream.
        sink: likewise, for decisions.
        model: the folder of the detector, so that a state is not gone on from with another.
        state: file to go on from, if it is there, and to keep the state in.
        fresh_input: all rows of ``source`` are new; what the state has learned is kept, its place in the input is not.
        every: rows between two states.
        seconds: between two states, at most, while there are rows that the last one has not seen.
        follow: at the end of a file wait for more.
        idle: seconds without a row after which to end; None: never.
        alarms_only: only decisions that are alarms are handed over.
        format: of decisions: "jsonl", "csv" or "parquet"; None: by suffix, else as the input.
        input_format: of rows; None: by suffix, else by the first byte.
        keep: is handed every decision.
        tell: is handed what it came to, before this returns or Ctrl-C goes on.

    Returns:
        What became of all rows since ``fit``, see ``AnomalyDetector.counts``.

    Raises:
        JobError: the state is of another detector or kind of input, or source and sink cannot be used.
        DataError: the input is not the one that the state has seen.
    """
    if fresh_input and state is None:
        raise JobError("--fresh-input keeps what a state has learned; name its file with --state, or leave it out")
    belongs = {"format": FORMAT, "model": None if model is None else fingerprint(model)}
    page = None if state is None else read_state(state)
    if page is not None:
        if {key: page.get(key) for key in belongs} != belongs:
            raise JobError(f"{state} is the state of another detector; remove it to begin anew, or name its model")
        detector.state = page["detector"]
    chosen = _format(sink, format or _format_of(source, input_format), keeps=state is not None)
    rows = _source(source, detector, input_format, follow, idle)
    with closing(rows), _stopping() as stopped:
        run = _Run(detector, rows, every, seconds, state, belongs)
        run.begin(page, fresh_input)
        resumed = None if page is None else page["output"]
        run.open_sink = lambda: _sink(sink, detector, chosen, resumed, cut=not fresh_input)
        told = _Told(alarms_only, keep, _Names.of(detector))
        try:
            run.through(told, stopped)
        finally:
            run.close()
        interrupted = stopped() == signal.SIGINT
        if tell is not None:
            tell(Ended(detector.counts, run.passed, run.new, state, interrupted))
        if interrupted:
            raise KeyboardInterrupt
    return detector.counts


@dataclass(frozen=True)
class _Told:
    """Which decisions go where."""

    alarms_only: bool
    keep: Callable[[Any], object] | None
    columns: "_Names"

    def hand_over(self, names: Sequence[int | str], given: Sequence[Any], decisions: Sequence[Any], out: Sink) -> None:
        self.columns.look(given)
        told = [said for said in zip(names, decisions, strict=True) if said[1].anomaly or not self.alarms_only]
        out.write([name for name, _ in told], [said for _, said in told])
        for said in decisions if self.keep is not None else ():
            self.keep(said)  # type: ignore[misc]


@dataclass
class _Names:
    """Columns that rows should have and, so far, none had."""

    wanted: tuple[str, ...]
    lacking: list[str]
    found: dict[str, None] = field(default_factory=dict)
    rows: int = 0

    @classmethod
    def of(cls, detector: Any) -> "_Names":
        schema = detector.panel.schema
        wanted = (schema.id_col, schema.time_col, schema.target_col)
        return cls(wanted, [*wanted])

    def look(self, rows: Sequence[Any]) -> None:
        """Look at rows until each column has been met, or enough of them had none."""
        for row in rows if self.lacking else ():
            self.rows += 1
            self.found |= dict.fromkeys(map(str, row)) if len(self.found) < MOST_NAMES else {}
            self.lacking = [name for name in self.lacking if name not in row]
            if not self.lacking:
                return
            if self.rows == LOOKED_AT:
                self.warn()

    def warn(self) -> None:
        """Say which columns no row had; once."""
        if self.lacking and self.rows:
            lacking, found, wanted = (", ".join(map(repr, part)) for part in (self.lacking, self.found, self.wanted))
            warnings.warn(
                f"none of {self.rows:,} rows had a column {lacking}: they have "
                f"{found or 'nothing that could be read'}, "
                f"and the detector was fitted with {wanted}; rename their columns, or fit anew with --id-col, "
                "--time-col and --target-col",
                UserWarning,
                stacklevel=2,
            )
        self.lacking = []


@dataclass
class _Run:
    """One run over an input: how far it is, and what the last state has seen of it."""

    detector: Any
    rows: Source
    every: int
    seconds: float
    state: str | Path | None
    belongs: Mapping[str, Any]
    open_sink: Callable[[], Sink] | None = None
    out: Sink | None = None
    mark: int | str | None = None
    done: int = 0  # rows answered, of this input and those before it
    begun: int = 0  # of which before this input
    passed: int | None = None
    new: int = 0
    since: int = 0  # the last state
    kept_at: float = field(default_factory=time.monotonic)

    def begin(self, page: Mapping[str, Any] | None, fresh_input: bool) -> None:
        """Where an earlier run stood."""
        if page is None:
            return
        self.done = self.begun = page["rows"]
        if fresh_input:
            self.passed = 0
            return
        if page.get("source", self.rows.kind) != self.rows.kind:
            raise JobError(
                f"{self.state} has read {page['source']}, and this is {self.rows.kind}; give the same input, or take "
                "this one as new rows with --fresh-input"
            )
        self.mark, self.begun = page["mark"], page.get("begun", 0)
        self.passed = self.done - self.begun

    def through(self, told: _Told, stopped: Callable[[], int]) -> None:
        """All rows; nothing is written before the source has found the place of the mark."""
        if self.mark is None:
            self._opened()
        for batch in self._batches():
            for names, given, marks in _pieces(batch, self.every, self.since):
                told.hand_over(names, given, self.detector.update_many(given), self._opened())
                self.mark, self.done = marks[-1], self.done + len(names)
                self.new, self.since = self.new + len(names), self.since + len(names)
                if self.since >= self.every:
                    self._checkpoint()
            if self.since and time.monotonic() - self.kept_at > self.seconds:
                self._checkpoint()
            if stopped():
                break
        else:
            self._opened()
            told.columns.warn()
        if self.mark is not None and self.out is not None:
            self._checkpoint()

    def close(self) -> None:
        """Decisions get their end."""
        if self.out is not None:
            self.out.close()

    def _batches(self) -> Iterator[Batch]:
        """What the source gives; where it has become something else, what was learned of it is kept first."""
        try:
            yield from self.rows.batches(self.mark, self.done)
        except DataError:
            if self.since:
                self._checkpoint()
            raise

    def _opened(self) -> Sink:
        if self.out is None:
            assert self.open_sink is not None
            self.out = self.open_sink()
        return self.out

    def _checkpoint(self) -> None:
        """Decisions are out; then the state is kept; then the source may forget."""
        assert self.mark is not None
        place = self._opened().place()
        if self.state is not None:
            where = {"source": self.rows.kind, "mark": self.mark, "rows": self.done, "begun": self.begun}
            write_state({**self.belongs, **where, "output": place, "detector": self.detector.snapshot()}, self.state)
        self.rows.settle(self.mark)
        self.since, self.kept_at = 0, time.monotonic()


def _pieces(batch: Batch, every: int, since: int) -> Iterator[tuple[Any, Any, Any]]:
    """A batch in pieces that end where a state is due."""
    begin, total = 0, len(batch.rows)
    while begin < total:
        end = min(total, begin + min(PIECE, every - since))
        yield batch.names[begin:end], batch.rows[begin:end], batch.marks[begin:end]
        since = (since + end - begin) % every
        begin = end


@contextmanager
def _stopping() -> Iterator[Callable[[], int]]:
    """SIGTERM and Ctrl-C end the work after the rows at hand; a second one ends it at once."""
    seen: list[int] = []

    def note(number: int, _: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before: dict[int, Any] = {}
    try:
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: signals are somebody else's
        pass
    try:
        yield lambda: seen[0] if seen else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _source(text: str, detector: Any, format: str | None, follow: bool, idle: float | None) -> Source:
    panel = detector.panel
    schema = panel.schema
    typed = {schema.id_col: _typed(panel.ids)} | dict.fromkeys((schema.target_col, *schema.past), as_number)
    if text.startswith(("redis://", "rediss://")):
        return RedisSource(Address.read(text), idle=idle, typed=typed)
    return open_source(text, format, follow=follow, idle=idle, typed=typed)  # type: ignore[arg-type]


def _format(sink: str, format: str, *, keeps: bool) -> str:
    """Of decisions, by the suffix of their file first."""
    chosen = SUFFIXES.get(Path(sink).suffix.lower(), format) if sink != "-" else format
    if chosen == "parquet" and (keeps or sink == "-"):
        raise JobError("a Parquet file cannot be gone on with, or piped; write decisions to a .jsonl or .csv file")
    return str(chosen)


def _sink(text: str, detector: Any, format: str, resumed: int | None, *, cut: bool) -> Sink:
    schema = detector.panel.schema
    columns = (schema.id_col, schema.time_col, schema.target_col)
    if text.startswith(("redis://", "rediss://")):
        return RedisSink(Address.read(text), columns)
    return open_sink(text, format, columns, resumed, cut=cut, ids=detector.panel.ids)  # type: ignore[arg-type]


def _format_of(source: str, format: str | None) -> str:
    """Decisions look like the rows, as far as can be told before the first; else JSON lines."""
    found = format or SUFFIXES.get(Path(source).suffix.lower())
    return "csv" if found == "csv" else "jsonl"


def _typed(ids: pd.Index) -> Callable[[str], Any]:
    """What an id's text means, by the ids that ``fit`` has seen."""
    make: Callable[[str], Any] = {"i": int, "u": int, "f": float}.get(getattr(ids.dtype, "kind", "O"), str)

    def typed(text: str) -> Any:
        try:
            return make(text)
        except ValueError:
            return text

    return typed


def as_number(text: str) -> float | str:
    """A cell of CSV or a field of Redis as the number that it is to be; the text itself where it is none.

    Example:
        >>> as_number("1.5"), as_number("high")
        (1.5, 'high')
    """
    try:
        return text if "_" in text or not text else float(text)
    except ValueError:
        return text


class Latest:
    """The latest decisions, for a picture.

    Args:
        most: so many are kept.
        times: reads the stamps of rows; None: they stay as they are.

    Example:
        >>> Latest(2).frame().empty
        True
    """

    def __init__(self, most: int = DRAWN, times: Callable[[list[Any]], Any] | None = None) -> None:
        self.kept: deque[Any] = deque(maxlen=most)
        self.times = times

    def __call__(self, decision: Any) -> None:
        """Keep a decision, and forget the oldest."""
        self.kept.append(decision)

    def frame(self) -> pd.DataFrame:
        """Those that have a place in the picture, as a frame with a column a field."""
        told = [said for said in self.kept if said.status not in ("invalid", "ahead")]
        frame = pd.DataFrame([{name: getattr(said, name) for name in said.__slots__} for said in told])
        return frame if self.times is None or frame.empty else frame.assign(ds=self.times(frame["ds"].tolist()))
