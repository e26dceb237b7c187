"""Watching with a state: runs that are stopped or killed and resume, and inputs that are recognised."""

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tsformers.storage.state_file import read_state, write_state

from .conftest import FIT, decisions

KILLS = 20
NURSERY = """
import json, os, signal, sys, time
from tsformers.cli.app import main
words, source = json.loads(sys.stdin.readline())
main([*words, "--output", os.devnull, "--format", "jsonl", source])  # what is compiled or imported late is there now
print("ready", flush=True)
for line in sys.stdin:
    words, source, target, patience = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(source, os.O_RDONLY), 0)
        os.dup2(os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
        os._exit(main(words))
    if patience is not None:
        time.sleep(patience)
        os.kill(child, signal.SIGKILL)  # nobody has waited for it: it is still that child, even if it has ended
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


# stopped, killed, and resumed


def test_more_rows_later_resume_from_the_state(place, run, tmp_path):
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    part, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    for end in (500, 501, 2000, len(rows)):
        part.write_text("".join(rows[:end]), encoding="utf-8")
        assert run(part, "--state", tmp_path / "s", "--output", out, "--every", 300)[0] == 0
    assert out.read_text(encoding="utf-8") == (place / "whole.jsonl").read_text(encoding="utf-8")


def test_rows_answered_twice_get_the_same_decisions(place, run, tmp_path):
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_text("".join((place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:700]))
    with open(out, "ab") as file:
        _, first, _ = run(shorter, "--state", state)
        file.write(first.encode())
        kept = state.read_bytes()
        _, more, _ = run(place / "rows.jsonl", "--state", state)
        file.write(more[: len(more) // 2].rpartition("\n")[0].encode() + b"\n")
        state.write_bytes(kept)  # as if killed before the next state was kept
        file.write(run(place / "rows.jsonl", "--state", state)[1].encode())
    assert decisions(out) == decisions(place / "whole.jsonl")


@pytest.fixture(scope="module")
def nursery(place):
    """A process that has imported and compiled everything, and forks the command on request."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip

        def ask(*words):
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        assert ask(["detect", "--model", str(place / "d")], str(place / "few.jsonl")) == "ready"
        yield ask
        process.stdin.close()
        process.wait(10)


@pytest.mark.parametrize("way", ["standard output", "a file of its own"])
def test_killed_at_random_moments_and_run_again_it_gives_the_same_decisions(way, place, nursery, tmp_path):
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    words = ["detect", "--model", str(place / "d"), "--state", str(state), "--every", "100"]
    target = str(out)
    if way != "standard output":
        words, target = [*words, "--output", str(out)], os.devnull
    whole = (place / "whole.jsonl").read_text(encoding="utf-8")
    rng, killed = np.random.default_rng(len(way)), 0
    while killed < KILLS:
        before, limit = killed, 0.2
        while int(nursery(words, str(place / "rows.jsonl"), target, rng.uniform(0.0, limit))) == -signal.SIGKILL:
            killed += 1
            limit *= 1.05  # a busy machine gets there too
        if way == "standard output":
            assert decisions(out) == decisions(place / "whole.jsonl")
        else:
            assert out.read_text(encoding="utf-8") == whole
        assert killed > before, "it was done before it could be killed"
        out.unlink()
        state.unlink()


def test_a_state_of_another_detector_or_another_rate_is_refused(place, run, tmp_path):
    assert run(place / "few.jsonl", "--state", tmp_path / "s")[0] == 0
    code, _, err = run(place / "few.jsonl", "--state", tmp_path / "s", "--alpha", "0.01")
    assert code == 2
    assert "its tests were those of" in err[0]
    words = ["--fit", place / "history.csv", *FIT[2:], "--seed", "5", "--save", tmp_path / "d"]
    assert run(*words, model=None)[0] == 0
    code, _, err = run(place / "few.jsonl", "--state", tmp_path / "s", model=tmp_path / "d")
    assert code == 2
    assert "is the state of another detector" in err[0]


# the state and its input


def halves(place, tmp_path):
    """Rows 1 to 900 and the rest as two files, and the decisions on all of them."""
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    first, rest = tmp_path / "first.jsonl", tmp_path / "rest.jsonl"
    first.write_text("".join(rows[:900]), encoding="utf-8")
    rest.write_text("".join(rows[900:]), encoding="utf-8")
    return first, rest, (place / "whole.jsonl").read_text(encoding="utf-8")


def test_another_input_than_that_of_the_state_is_refused_before_anything_is_written(place, run, tmp_path):
    first, rest, _ = halves(place, tmp_path)
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    assert run(first, "--state", state, "--output", out)[0] == 0
    kept, written = state.read_bytes(), out.read_text(encoding="utf-8")
    text = first.read_text(encoding="utf-8")
    (tmp_path / "edited.jsonl").write_text(text.replace('"ab"', '"ba"', 1) + rest.read_text(encoding="utf-8"))
    (tmp_path / "late.jsonl").write_text(text[:-40] + text[-39:] + "\n\n" + rest.read_text(encoding="utf-8"))
    (tmp_path / "cut.jsonl").write_text(text[: len(text) // 2])
    for other, words in (
        (rest, "rest.jsonl is not the input that the state has read up to byte"),
        (tmp_path / "edited.jsonl", "edited.jsonl is not the input that the state has read up to byte"),
        (tmp_path / "late.jsonl", "late.jsonl is not the input that the state has read up to byte"),
        (tmp_path / "cut.jsonl", f"and the state has read its input up to byte {len(text):,}; give that input"),
        (place / "rows.parquet", "has read lines of text, and this is a Parquet file; give the same input"),
    ):
        more = ("--follow", "--idle", "0.1") if other.suffix == ".jsonl" else ()
        code, printed, err = run(other, "--state", state, "--output", out, *more)
        assert (code, printed, len(err)) == (2, "", 1), other
        assert words in err[0]
        assert "--fresh-input" in err[0]
        assert (state.read_bytes(), out.read_text(encoding="utf-8")) == (kept, written)


def test_a_pipe_that_is_another_or_ends_too_early_is_refused(place, run, tmp_path, monkeypatch):
    first, rest, _ = halves(place, tmp_path)
    assert run(first, "--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")[0] == 0
    for content in (rest.read_bytes(), first.read_bytes()[:-500], b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        code, _, err = run("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
        assert code == 2
        assert "standard input is not the input that the state has read" in err[0]


def test_rows_of_a_fresh_input_are_all_new_and_nothing_learned_is_lost(place, run, tmp_path):
    first, rest, whole = halves(place, tmp_path)
    out, how = tmp_path / "out.jsonl", ("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
    assert run(first, *how, "--fresh-input")[0] == 0, "no state yet: the same command starts a pipe and resumes one"
    assert run(rest, *how, "--fresh-input")[0] == 0
    assert out.read_text(encoding="utf-8") == whole
    code, _, err = run(rest, *how)
    assert (code, err[0]) == (
        0,
        f"{len(whole.splitlines()) - 899:,} rows that the state covers were passed over, 0 were new",
    )
    assert out.read_text(encoding="utf-8") == whole
    assert run(rest, "--fresh-input")[2][0].endswith("name its file with --state, or leave it out")


def test_a_parquet_file_is_recognised_too(place, run, tmp_path):
    frame = pd.read_parquet(place / "rows.parquet")
    frame[:800].to_parquet(tmp_path / "part.parquet", index=False)
    frame[::-1].to_parquet(tmp_path / "other.parquet", index=False)
    how = ("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
    assert run(tmp_path / "part.parquet", *how)[0] == 0
    code, _, err = run(tmp_path / "other.parquet", *how)
    assert (code, len(err)) == (2, 1)
    assert "other.parquet is not the file that the state has read up to row 800" in err[0]
    code, _, err = run(place / "rows.parquet", *how)
    assert (code, err[0]) == (0, "800 rows that the state covers were passed over, 3,700 were new")
    assert [*decisions(tmp_path / "out.jsonl")] == [*range(1, 4501)]
    assert run(tmp_path / "part.parquet", *how)[0] == 2


def test_a_state_of_an_earlier_version_without_a_checksum_resumes(place, run, tmp_path):
    first, _, whole = halves(place, tmp_path)
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    assert run(first, "--state", state, "--output", out)[0] == 0
    page = read_state(state)
    del page["source"], page["begun"]
    write_state(page | {"mark": int(page["mark"].split(":")[0])}, state)
    assert run(place / "rows.jsonl", "--state", state, "--output", out)[0] == 0
    assert out.read_text(encoding="utf-8") == whole


def test_an_incomplete_line_that_was_answered_and_grew_is_answered_again(place, run, tmp_path):
    text = (place / "few.jsonl").read_text(encoding="utf-8")
    growing, how = tmp_path / "g.jsonl", ("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
    half = text.index("\n", 1000) - 20
    for end in (half, half, len(text)):
        growing.write_text(text[:end], encoding="utf-8")
        assert run(growing, *how)[0] == 0
    found = decisions(tmp_path / "out.jsonl")
    assert len(found) == 41
    assert [each["status"] for each in found.values()].count("invalid") == 1
