"""One run over an input: rows answered, decisions handed over, and the state kept at checkpoints."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsformers.anomaly.decisions import Decision
from tsformers.errors import DataError, JobError
from tsformers.messages import Option
from tsformers.storage.state_file import write_state
from tsformers.streaming.column_check import ColumnCheck
from tsformers.streaming.sinks import Sink
from tsformers.streaming.source import Batch, Row, Source

MOST_ROWS = 1000  # answered at once


@dataclass(frozen=True)
class Outlet:
    """Where decisions go, beside the sink.

    Args:
        alarms_only: only decisions that are alarms reach the sink.
        keep: is handed every decision, where it is not None.
        columns: checks the columns of the rows.

    Example:
        >>> from tsformers.streaming.sinks import LineSink
        >>> kept: list[Decision] = []
        >>> outlet = Outlet(alarms_only=True, keep=kept.append, columns=ColumnCheck(("unique_id", "ds", "y")))
        >>> outlet.hand_over([1], [{"y": 1.0}], [Decision("a", 1, 1.0)], LineSink("-", "jsonl", (), None))
        >>> len(kept)
        1
    """

    alarms_only: bool
    keep: Callable[[Decision], object] | None
    columns: ColumnCheck

    def hand_over(
        self, names: Sequence[int | str], rows: Sequence[Row], decisions: Sequence[Decision], sink: Sink
    ) -> None:
        """Hand decisions over.

        Args:
            names: of the rows.
            rows: as they came.
            decisions: one a row.
            sink: of decisions.
        """
        self.columns.look_at(rows)
        chosen = [pair for pair in zip(names, decisions, strict=True) if pair[1].anomaly or not self.alarms_only]
        sink.write([name for name, _ in chosen], [decision for _, decision in chosen])
        if self.keep is not None:
            for decision in decisions:
                self.keep(decision)


@dataclass
class Run:
    """One run over an input: how far it is, and what the last state covers of it.

    Args:
        detector: fitted; it is changed.
        source: of rows.
        open_sink: opens the sink, once the source has found the place of the mark.
        every: rows between two states.
        seconds: between two states, at most.
        state: the file of the state; None: no state is kept.
        identity: what the state names beside: its format, and the detector that it belongs to.
    """

    detector: Any
    source: Source
    open_sink: Callable[[], Sink]
    every: int
    seconds: float
    state: str | Path | None
    identity: Mapping[str, Any]
    sink: Sink | None = None
    mark: int | str | None = None
    done: int = 0  # rows answered, of this input and those before it
    before: int = 0  # of which before this input
    passed: int | None = None  # rows of this input that an earlier run answered; None: no state
    new: int = 0  # rows answered by this run
    unsaved: int = 0  # rows answered since the last state
    saved_at: float = field(default_factory=time.monotonic)

    def resume(self, page: Mapping[str, Any], *, fresh_input: bool) -> None:
        """Continue where an earlier run ended.

        Args:
            page: its state.
            fresh_input: the input is another one, all of whose rows are new.

        Raises:
            JobError: the state is of another kind of input.
        """
        self.done = self.before = page["rows"]
        if fresh_input:
            self.passed = 0
            return
        if page.get("source", self.source.kind) != self.source.kind:
            raise JobError(
                f"{self.state} has read {page['source']}, and this is {self.source.kind}; give the same input, or take "
                "this one as new rows with ",
                Option("fresh_input", True),
            )
        self.mark, self.before = page["mark"], page.get("begun", 0)
        self.passed = self.done - self.before

    def answer_rows(self, outlet: Outlet, stopped: Callable[[], int]) -> None:
        """Answer all rows; nothing is written before the source has found the place of the mark.

        Args:
            outlet: where decisions go.
            stopped: true once the run should end.

        Raises:
            DataError: the input is not the one that the state covers, or was cut while it was read.
        """
        for batch in self._batches():
            if self.mark is None:
                self._opened()
            for names, rows, marks in parts_of(batch, self.every, self.unsaved):
                outlet.hand_over(names, rows, self.detector.update_many(rows), self._opened())
                self.mark, self.done = marks[-1], self.done + len(names)
                self.new, self.unsaved = self.new + len(names), self.unsaved + len(names)
                if self.unsaved >= self.every:
                    self._checkpoint()
            if self.unsaved and time.monotonic() - self.saved_at > self.seconds:
                self._checkpoint()
            if stopped():
                break
        else:
            self._opened()
            outlet.columns.warn()
        if self.mark is not None and self.sink is not None:
            self._checkpoint()

    def close(self) -> None:
        """Close the sink."""
        if self.sink is not None:
            self.sink.close()

    def _batches(self) -> Iterator[Batch]:
        """The batches of the source; where it turns out to be another input, what was learned of it is kept first."""
        try:
            yield from self.source.batches(self.mark, self.done)
        except DataError:
            if self.unsaved:
                self._checkpoint()
            raise

    def _opened(self) -> Sink:
        if self.sink is None:
            self.sink = self.open_sink()
        return self.sink

    def _checkpoint(self) -> None:
        """Keep the state after decisions were handed over, then let the source forget the rows."""
        assert self.mark is not None
        position = self._opened().position()
        if self.state is not None:
            # keys of the former version, whose states are read
            place = {"source": self.source.kind, "mark": self.mark, "rows": self.done, "begun": self.before}
            page = {**self.identity, **place, "output": position, "detector": self.detector.snapshot()}
            write_state(page, self.state)
        self.source.acknowledge(self.mark)
        self.unsaved, self.saved_at = 0, time.monotonic()


def parts_of(
    batch: Batch, every: int, unsaved: int
) -> Iterator[tuple[Sequence[int | str], Sequence[Row], Sequence[int | str]]]:
    """A batch in parts of at most ``MOST_ROWS`` rows that end where a state is due.

    Args:
        batch: rows that came together.
        every: rows between two states.
        unsaved: rows since the last state.

    Returns:
        Names, rows and marks of each part.

    Example:
        >>> [len(rows) for _, rows, _ in parts_of(Batch(range(10), range(10), range(10)), 4, 3)]
        [1, 4, 4, 1]
    """
    start, total = 0, len(batch.rows)
    while start < total:
        end = min(total, start + min(MOST_ROWS, every - unsaved))
        yield batch.names[start:end], batch.rows[start:end], batch.marks[start:end]
        unsaved = (unsaved + end - start) % every
        start = end
