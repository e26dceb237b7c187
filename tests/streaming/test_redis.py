"""Watching Redis streams: addresses, rows in, decisions out, crashes between."""

import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import replace

import pytest

import tsformers as tsf
from tsformers.errors import JobError
from tsformers.streaming.redis import Address
from tsformers.streaming.watch import WatchSettings, watch

from .conftest import STEPS, lines, series


def test_an_address_names_server_stream_and_group():
    assert Address.read("redis://h:7/rows") == Address("redis://h:7/0", "rows")
    assert Address.read("rediss://h/3/rows?group=g&consumer=c") == Address("rediss://h/3", "rows", "g", "c")
    with pytest.raises(JobError, match="there is no option 'grup'"):
        Address.read("redis://h/rows?grup=g")


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """A server of its own for these tests, where there is one to start."""
    redis = pytest.importorskip("redis", reason="the package redis is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on the PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("r")),
    ]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(port=port)
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield client, f"redis://127.0.0.1:{port}"
        process.terminate()


def entries(client, key):
    """Decisions in a stream by their row."""
    return {name.decode(): {k.decode(): v.decode() for k, v in cells.items()} for name, cells in client.xrange(key)}


def filled(client, place, key, end=300):
    """A stream with rows, half of them in fields and half as JSON, and the decisions of the detector on them."""
    client.delete(key, f"{key}-out")
    rows = [json.loads(line) for line in lines(series(STEPS, "2024-01-06", 1))[:end]]
    for k, row in enumerate(rows):
        fields = {"json": json.dumps(row)} if k % 2 else {n: str(v) if v is not None else "" for n, v in row.items()}
        client.xadd(key, fields, id=f"{k + 1}-0")
    return tsf.load(place / "d").update_many(rows)


def test_rows_come_from_a_redis_stream_and_decisions_go_into_one(redis_server, place, tmp_path):
    client, server = redis_server
    expected = filled(client, place, "rows")
    settings = WatchSettings(
        source=f"{server}/rows", sink=f"{server}/rows-out", state=tmp_path / "s", idle=0.2, every=70
    )
    watch(tsf.load(place / "d"), settings)
    found = entries(client, "rows-out")
    assert [found[f"{k + 1}-0"]["status"] for k in range(300)] == [d.status for d in expected]
    assert [float(found[f"{k + 1}-0"]["p_value"]) for k in range(300)] == pytest.approx(
        [d.p_value for d in expected], rel=0, abs=0, nan_ok=True
    )
    assert client.xpending("rows", "tsformers")["pending"] == 0


def test_entries_not_acknowledged_come_again_and_entries_kept_change_nothing(redis_server, place, tmp_path):
    client, server = redis_server
    expected = filled(client, place, "again")
    settings = WatchSettings(
        source=f"{server}/again?group=g", sink=f"{server}/again-out", state=tmp_path / "s", idle=0.2, every=50
    )

    class Crash(Exception):
        pass

    def crash_at(number):
        answered = []

        def keep(_):
            answered.append(1)
            if len(answered) == number:
                raise Crash

        return keep

    for rows in (90, 170, 20):  # killed between a state and the next: decisions are out, entries not acknowledged
        with pytest.raises(Crash):
            watch(tsf.load(place / "d"), settings, keep=crash_at(rows))
        assert client.xpending("again", "g")["pending"] > 0
    client.xadd("again", {"y": "1"}, id="301-0")
    counts = watch(tsf.load(place / "d"), settings)
    assert counts["rows"] == 301
    assert client.xpending("again", "g")["pending"] == 0
    found = entries(client, "again-out")
    assert [*found] == [f"{k}-0" for k in range(1, 302)], "each once, in order"
    assert [found[f"{k + 1}-0"]["status"] for k in range(301)] == [*(d.status for d in expected), "invalid"]


def test_the_state_of_one_stream_is_refused_with_another(redis_server, place, tmp_path):
    client, server = redis_server
    filled(client, place, "one", 20)
    filled(client, place, "two", 20)
    one = WatchSettings(source=f"{server}/one", sink=os.devnull, format="jsonl", state=tmp_path / "s", idle=0.1)
    watch(tsf.load(place / "d"), one)
    with pytest.raises(JobError, match=r"has read stream 'one', and this is stream 'two'; .*fresh_input=True"):
        watch(tsf.load(place / "d"), replace(one, source=f"{server}/two"))
    counts = watch(tsf.load(place / "d"), replace(one, source=f"{server}/two", fresh_input=True))
    assert counts["rows"] == 40
    assert counts["duplicate"] + counts["late"] == 20


def test_redis_missing_or_silent_is_a_mistake_of_one_line(place, run):
    code, _, err = run("--source", "redis://127.0.0.1:1/rows")
    assert code == 2
    assert "pip install 'tsformers[redis]'" in err[0] or "does not answer" in err[0]
