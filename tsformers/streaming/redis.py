"""Rows from a Redis stream, acknowledged when the state is kept so that none is lost, and decisions into one."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tsformers.anomaly.decisions import Decision
from tsformers.errors import JobError
from tsformers.messages import Option
from tsformers.streaming.source import Batch

GROUP, CONSUMER = "tsformers", "detect"
BATCH = 1000  # entries asked for at once
WAIT = 100  # milliseconds that the server waits for an entry before it answers


@dataclass(frozen=True)
class Address:
    """A stream on a server: ``redis://host:port/stream``, or ``redis://host:port/db/stream?group=g&consumer=c``.

    Args:
        server: address without the stream.
        stream: its key.
        group: consumer group.
        consumer: name within the group; two detectors must not share one.

    Example:
        >>> Address.read("redis://localhost:6379/2/rows?group=night").group
        'night'
    """

    server: str
    stream: str
    group: str = GROUP
    consumer: str = CONSUMER

    @classmethod
    def read(cls, text: str) -> "Address":
        """The parts of an address.

        Raises:
            JobError: it names no stream, or has an unknown option.
        """
        parts, options = urlsplit(text), {key: values[-1] for key, values in parse_qs(urlsplit(text).query).items()}
        database, _, stream = parts.path.strip("/").rpartition("/")
        if parts.scheme not in ("redis", "rediss") or not stream or not (database or "0").isdigit():
            raise JobError(f"{text!r} names no stream; write redis://localhost:6379/STREAM, or .../DATABASE/STREAM")
        unknown = options.keys() - {"group", "consumer"}
        if unknown:
            raise JobError(f"{text!r}: there is no option {min(unknown)!r}; there are group and consumer")
        return cls(f"{parts.scheme}://{parts.netloc}/{database or 0}", stream, **options)


def connect(address: Address) -> Any:
    """A connection to a server that answers.

    Args:
        address: where.

    Returns:
        A client of the package ``redis``.

    Raises:
        JobError: the package is missing, or no server answers there.

    Example:
        >>> connect(Address("redis://127.0.0.1:1/0", "rows"))  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        tsformers.errors.JobError: redis://127.0.0.1:1/0 does not answer; start the server, or correct --source
    """
    try:
        import redis
    except ImportError as error:
        raise JobError(
            "Redis streams need the package redis; install it with: pip install 'tsformers[redis]'"
        ) from error
    server = redis.Redis.from_url(address.server)
    try:
        server.ping()
    except redis.RedisError as error:
        raise JobError(
            f"{address.server} does not answer ({error}); start the server, or correct ", Option("source")
        ) from error
    return server


class RedisSource:
    """Rows of a stream, read as a consumer of a group.

    An entry holds a row in fields named after the columns, or as JSON in the one field ``json``. Entries that an
    earlier run read and did not acknowledge come first; those that the state covers already (up to its mark) are
    acknowledged and not given again.

    Args:
        address: where.
        idle: seconds without an entry after which to end; None: never.
        typed: converters of text, by column.
    """

    def __init__(self, address: Address, *, idle: float | None, typed: Mapping[str, Callable[[str], Any]]) -> None:
        self.address, self.idle, self.typed = address, idle, typed
        self.server, self.kind = connect(address), f"stream {address.stream!r}"
        self.unacknowledged: list[bytes] = []  # ids of entries

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Entries after ``mark``; those that were read before and not acknowledged first."""
        self._join()
        last, after, last_read = _entry_id(mark or "0-0"), "0", time.monotonic()
        while True:
            found = self._read(after)
            if found:
                last_read = time.monotonic()
                self.unacknowledged += [name for name, _ in found]
                new = [(name.decode(), self._row(cells or {})) for name, cells in found if _entry_id(name) > last]
                after = found[-1][0].decode() if after != ">" else ">"
                if new:
                    names = [name for name, _ in new]
                    yield Batch(names, [row for _, row in new], names)
                continue
            if after != ">":
                after = ">"
                continue
            if self.idle is not None and time.monotonic() - last_read > self.idle:
                return
            yield Batch((), (), ())

    def acknowledge(self, mark: int | str) -> None:
        """Acknowledge the entries that were given up to ``mark``."""
        until = _entry_id(mark)
        done = [name for name in self.unacknowledged if _entry_id(name) <= until]
        for start in range(0, len(done), BATCH):
            self.server.xack(self.address.stream, self.address.group, *done[start : start + BATCH])
        self.unacknowledged = self.unacknowledged[len(done) :]

    def close(self) -> None:
        """Close the connection."""
        self.server.close()

    def _join(self) -> None:
        """Join the group; a new group starts at the first entry of the stream."""
        import redis

        try:
            self.server.xgroup_create(self.address.stream, self.address.group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise JobError(f"{self.address.stream}: {error}; name a key that holds a stream") from error

    def _read(self, after: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        where = {self.address.stream: after}
        found = self.server.xreadgroup(self.address.group, self.address.consumer, where, count=BATCH, block=WAIT)
        if isinstance(found, dict):  # newer protocol: batches by stream
            batches = [batch for parts in found.values() for batch in parts]
            return [entry for batch in batches for entry in batch]
        return found[0][1] if found else []

    def _row(self, cells: dict[bytes, bytes]) -> dict[str, Any]:
        if cells.keys() == {b"json"}:
            try:
                row = json.loads(cells[b"json"])
            except ValueError:
                return {}
            return row if isinstance(row, dict) else {}
        named = {name.decode(errors="replace"): cell.decode(errors="replace") for name, cell in cells.items()}
        return {name: self.typed.get(name, str)(cell) for name, cell in named.items()}


class RedisSink:
    """Decisions as entries of a stream, each with the id of its row, so that a repeated one changes nothing.

    Args:
        address: where; group and consumer have no effect.
        columns: names of the columns of id, time and value.
    """

    def __init__(self, address: Address, columns: Sequence[str]) -> None:
        self.address, self.server = address, connect(address)
        self.header = [*columns, *[field.name for field in fields(Decision)][3:]]
        entries = self.server.xrevrange(address.stream, count=1)
        self.last = _entry_id(entries[0][0]) if entries else (0, 0)

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """One entry a decision; entries that the stream has already are left out."""
        pipe = self.server.pipeline(transaction=False)
        for name, decision in zip(names, decisions, strict=True):
            entry_id = _entry_id(name)
            if entry_id > self.last:
                values = [getattr(decision, field.name) for field in fields(Decision)]
                cells = {column: json.dumps(value, default=str) if isinstance(value, bool) else str(value)
                         for column, value in zip(self.header, values, strict=True)}  # fmt: skip
                pipe.xadd(self.address.stream, cells, id=f"{entry_id[0]}-{entry_id[1]}")
                self.last = entry_id
        pipe.execute()

    def position(self) -> int:
        """-1: entries are kept once they are written."""
        return -1

    def close(self) -> None:
        """Close the connection."""
        self.server.close()


def _entry_id(name: int | str | bytes) -> tuple[int, int]:
    """The id of an entry, or the number of a row, as a pair that sorts by age."""
    text = name.decode() if isinstance(name, bytes) else str(name)
    time_part, _, turn = text.partition("-")
    return int(time_part), int(turn or 0)
