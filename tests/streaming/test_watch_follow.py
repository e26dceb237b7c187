"""Watching rows without end: files that are followed, pipes, and how a run is stopped."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import tsformers as tsf
from tsformers.storage.state_file import read_state
from tsformers.streaming.watch import WatchSettings, watch

from .conftest import decisions, lines, series


def test_a_file_that_grows_is_followed(place, tmp_path):
    rows = (place / "few.jsonl").read_text(encoding="utf-8")
    growing, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    growing.write_text(rows[:100])

    def grow():
        for begin in range(100, len(rows), 400):
            time.sleep(0.02)
            with growing.open("a") as file:
                file.write(rows[begin : begin + 400])

    writer = threading.Thread(target=grow)
    writer.start()
    settings = WatchSettings(source=str(growing), sink=str(out), follow=True, idle=1.0, state=tmp_path / "s")
    watch(tsf.load(place / "d"), settings)
    writer.join()
    assert [*decisions(out).values()] == [*decisions(place / "whole.jsonl").values()][:40]


def test_a_log_that_is_cut_or_renamed_while_it_is_followed_is_reported_with_a_remedy_that_works(place, run, tmp_path):
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    log, out = tmp_path / "g.log", str(tmp_path / "out.jsonl")
    settings = WatchSettings(source=str(log), sink=out, state=tmp_path / "s", follow=True, input_format="jsonl")
    log.write_text("".join(rows[:30]), encoding="utf-8")

    def rename(_):
        if log.stat().st_size > 100 and not (tmp_path / "g.log.1").exists():
            log.rename(tmp_path / "g.log.1")
            log.write_text("".join(rows[30:35]), encoding="utf-8")

    piped = re.compile(r": tail -n \+1 -F .*g.log \| .*--fresh-input")
    with pytest.warns(UserWarning, match="is another file now, ") as caught:
        watch(tsf.load(place / "d"), replace(settings, idle=0.4), keep=rename)
    watch(tsf.load(place / "d"), replace(settings, fresh_input=True, idle=0.1))
    other = replace(settings, state=tmp_path / "other", sink=os.devnull, format="jsonl", idle=5)
    with pytest.raises(tsf.errors.DataError, match="has become shorter ") as error:
        watch(tsf.load(place / "d"), other, keep=lambda _: os.truncate(log, 10))
    assert all(piped.search(each.message.text("shell")) for each in (caught[0].message, error.value))
    assert read_state(tmp_path / "other")["rows"] == 5, "what was learned before is kept"
    assert [each["p_value"] for each in decisions(tmp_path / "out.jsonl").values()] == [
        each["p_value"] for each in decisions(place / "whole.jsonl").values()
    ][:35]


def test_the_state_is_kept_while_few_rows_come(place, tmp_path):
    growing, state = tmp_path / "rows.jsonl", tmp_path / "s"
    growing.write_bytes((place / "few.jsonl").read_bytes())
    states = []

    def look():
        time.sleep(0.5)
        states.append(read_state(state))

    thread = threading.Thread(target=look)
    thread.start()
    settings = WatchSettings(
        source=str(growing), sink=os.devnull, format="jsonl", follow=True, idle=1.0, state=state, seconds=0.05
    )
    watch(tsf.load(place / "d"), settings)
    thread.join()
    assert states[0]["rows"] == 40


@pytest.mark.filterwarnings("ignore:.*isolated value")
def test_a_pipe_is_answered_as_rows_come_in_steady_memory_and_ends_well_on_sigterm(tmp_path):
    n, steps = 50, 800
    made = tsf.AnomalyDetector(
        tsf.SeasonalNaive(horizon=12),
        tsf.fdr.LORD(alpha=0.2, decay=0.9),
        p_value="predictive",
        refresh=12,
        n_samples=20,
        context_length=48,
    )
    made.fit(series(100, "2024-01-01", 0, n)).save(tmp_path / "d")
    rows = lines(series(steps, "2024-01-05T04", 1, n))
    words = ["detect", "--model", str(tmp_path / "d"), "--state", str(tmp_path / "s"), "--alarms"]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tsformers", *words, "--output", str(tmp_path / "out.jsonl"), "--every", "1000"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip

        def memory(upto: int) -> int:
            """Kilobytes once so many rows are done."""
            patience = time.monotonic() + 60
            while time.monotonic() < patience and process.poll() is None:
                page = read_state(tmp_path / "s")
                if page is not None and page["rows"] >= upto:
                    break
                time.sleep(0.05)
            assert process.poll() is None, process.stderr.read().decode()
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

        def feed(begin: int, end: int) -> None:
            process.stdin.write("".join(rows[begin:end]).encode())
            process.stdin.flush()

        feed(0, 10_000)
        early = memory(10_000)
        feed(10_000, len(rows))
        late = memory(len(rows))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"{len(rows):,} rows" in err.decode()
    assert read_state(tmp_path / "s")["rows"] == len(rows)
    assert late - early < 4_000, f"{early} kB after 10,000 rows, {late} kB after {len(rows)}"


def test_ctrl_c_reports_how_far_it_came_and_where_the_state_is(tmp_path, place):
    words = ["detect", "--model", str(place / "d"), "--state", str(tmp_path / "s"), "--output", str(tmp_path / "o.csv")]
    with subprocess.Popen([sys.executable, "-P", "-m", "tsformers", *words, "--follow", str(place / "few.jsonl")],
                          stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        patience = time.monotonic() + 60
        while time.monotonic() < patience and not (
            (tmp_path / "o.csv").exists() and os.path.getsize(tmp_path / "o.csv")
        ):
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"stopped after 40 rows; the state is kept in {tmp_path / 's'}" in err
    assert "40 rows, " in err
    assert read_state(tmp_path / "s")["rows"] == 40
