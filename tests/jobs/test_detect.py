"""The command detect: two commands to a running detector, killed and gone on, pipes without end, Redis streams."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import tsformers as tsf
from tsformers.cli import main
from tsformers.errors import JobError
from tsformers.jobs import detect
from tsformers.jobs.redis_streams import Address
from tsformers.jobs.states import read_state, write_state

FIT = ["--model", "SeasonalNaive", "--horizon", "4", "--control", "LORD", "--decay", "0.9", "--alpha", "0.2"]
FIT += ["--detector", "p_value=predictive", "--detector", "refresh=4", "--detector", "n_samples=20"]
FIT += ["--detector", "context_length=30"]
STEPS, KILLS = 1500, 20
NURSERY = """
import json, os, signal, sys, time
from tsformers.cli import main
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


def series(rows: int, start: str, seed: int, n: int = 3) -> pd.DataFrame:
    """Hourly rows of n series in order of time, some of them strange, some missing."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(rows, n)) + 3 * np.sin(np.arange(rows) * 2 * np.pi / 24)[:, None]
    y[rng.random((rows, n)) < 0.01] += 30
    y[rng.random((rows, n)) < 0.01] = np.nan
    ids = np.tile([chr(97 + i // 26) + chr(97 + i % 26) for i in range(n)], rows)
    return pd.DataFrame(
        {"unique_id": ids, "ds": np.repeat(pd.date_range(start, periods=rows, freq="h"), n), "y": y.ravel()}
    )


def lines(frame: pd.DataFrame) -> list[str]:
    """The rows as JSON lines."""
    rows = frame.assign(ds=frame["ds"].map(pd.Timestamp.isoformat)).to_dict("records")
    return [json.dumps({**row, "y": None if row["y"] != row["y"] else row["y"]}) + "\n" for row in rows]


def decisions(path: Path) -> dict[object, dict]:
    """Decisions in a file by the name of their row; the latest where there are several."""
    return {found["row"]: found for found in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a history, a detector made of it by the command, and rows to watch."""
    folder = tmp_path_factory.mktemp("watch")
    series(120, "2024-01-01", 0).to_csv(folder / "history.csv", index=False)
    assert main(["detect", "--fit", str(folder / "history.csv"), *FIT, "--save", str(folder / "d")]) == 0
    later = series(STEPS, "2024-01-06", 1)
    later.to_csv(folder / "rows.csv", index=False)
    later.to_parquet(folder / "rows.parquet", index=False)
    odd = ['{"unique_id": "aa", "ds": "2024-01-01T00:00:00", "y": 1}\n', "no json\n", "\n", "[1]\n", '{"y": 1}\n']
    rows = lines(later)
    rows[100:100] = [*odd, rows[99]]
    (folder / "rows.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "few.jsonl").write_text("".join(rows[:40]), encoding="utf-8")
    assert (
        main(["detect", "--model", str(folder / "d"), str(folder / "rows.jsonl"), "-o", str(folder / "whole.jsonl")])
        == 0
    )
    return folder


@pytest.fixture
def run(place, capsys):
    """Runs the command with the detector; returns exit code, standard output, and lines on standard error."""

    def call(*words, model="d"):
        code = main(["detect", *(["--model", str(place / model)] if model else []), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


# in and out


def test_the_command_says_what_the_detector_says(place):
    found = decisions(place / "whole.jsonl")
    detector = tsf.load(place / "d")
    rows = [line for line in (place / "rows.jsonl").read_text(encoding="utf-8").splitlines() if line]
    assert len(found) == len(rows)
    for number, line in enumerate(rows, start=1):
        said = found[number]
        row = json.loads(line) if line.startswith("{") else {}
        decision = detector.update(row)
        assert said["status"] == decision.status
        assert said["anomaly"] == decision.anomaly
        assert (said["p_value"] is None and decision.p_value != decision.p_value) or said["p_value"] == decision.p_value
    assert {said["status"] for said in found.values()} == {"tested", "missing", "late", "duplicate", "invalid"}
    assert sum(said["anomaly"] for said in found.values()) > 10


def test_csv_parquet_and_json_lines_bring_the_same_answers(place, run, tmp_path):
    code, out, err = run(place / "rows.csv")
    assert code == 0
    assert "4,500 rows" in err[-1]
    of_csv = pd.read_csv(io.StringIO(out), float_precision="round_trip")
    assert run(place / "rows.parquet", "--output", tmp_path / "out.parquet")[0] == 0
    of_parquet = pd.read_parquet(tmp_path / "out.parquet")
    for name in ("row", "p_value", "level", "anomaly", "expected", "status"):
        assert_array_equal(of_csv[name], of_parquet[name])
    (tmp_path / "plain.jsonl").write_text("".join(lines(series(STEPS, "2024-01-06", 1))), encoding="utf-8")
    assert run(tmp_path / "plain.jsonl", "-o", tmp_path / "out.jsonl")[0] == 0
    of_lines = [said["p_value"] for said in decisions(tmp_path / "out.jsonl").values()]
    assert_array_equal(np.array(of_lines, dtype=float), of_csv["p_value"])


def test_what_was_made_is_told_in_a_line(place, run, tmp_path):
    words = ["--fit", place / "history.csv", *FIT, "--save", tmp_path / "d"]
    code, _, err = run(*words, model=None)
    assert code == 0
    assert err[0] == (
        "3 series, step 'h', season_length 24, 40 errors held back of each; "
        "false alarms in quiet times: about 20 of 1,000 rows, if p-values are honest"
    )
    words += ["--decay", "1.0"]
    assert run(*words, model=None)[2][0].endswith("of each; no alarm is possible in quiet times")
    code, _, err = run(*words[:2], *FIT[:10], "--detector", "window=30", "--save", tmp_path / "d", model=None)
    assert code == 0
    assert "30 errors held back of each" in err[-2]


def test_standard_input_to_standard_output(place, run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((place / "few.jsonl").read_bytes())))
    code, out, _ = run()
    assert code == 0
    assert [json.loads(line)["row"] for line in out.splitlines()] == list(range(1, 41))


def test_alarms_alone_and_a_picture(place, run, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, err = run(place / "rows.jsonl", "--alarms", "--plot", tmp_path / "p.png")
    assert code == 0
    said = [json.loads(line) for line in out.splitlines()]
    assert all(one["anomaly"] for one in said)
    assert f"{len(said)} alarms" in err[-1]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_leaves_out_what_has_no_place_in_it_and_nothing_new_is_no_mistake(place, run, tmp_path):
    pytest.importorskip("matplotlib")
    odd = ['{"unique_id": "aa", "ds": "soon", "y": 1}\n', '{"unique_id": "aa", "ds": 7, "y": 1}\n', "nothing\n"]
    (tmp_path / "r.jsonl").write_text("".join([*odd, (place / "few.jsonl").read_text(encoding="utf-8"), *odd]))
    how = ("-o", tmp_path / "out.jsonl", "--state", tmp_path / "s", "--plot")
    assert run(tmp_path / "r.jsonl", *how, tmp_path / "p.png")[0] == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = run(tmp_path / "r.jsonl", *how, tmp_path / "again.png")
    assert code == 0
    assert any("there was no new row that could be drawn" in line for line in err)
    assert not (tmp_path / "again.png").exists()


@pytest.mark.parametrize("kind", ["whole numbers", "a zone"])
def test_a_picture_of_rows_with_whole_number_and_with_zoned_times(kind, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    days = pd.date_range("2024-01-01", periods=120, freq="D", tz="UTC").map(pd.Timestamp.isoformat)
    frame = pd.DataFrame(
        {"unique_id": "a", "ds": days if kind == "a zone" else range(1, 600, 5), "y": np.arange(120) % 7}
    )
    frame[:100].to_csv(tmp_path / "h.csv", index=False)
    frame[100:].to_csv(tmp_path / "r.csv", index=False)
    assert main(["detect", "--fit", str(tmp_path / "h.csv"), *FIT, "--save", str(tmp_path / "d")]) == 0
    assert (
        main(["detect", "--model", str(tmp_path / "d"), str(tmp_path / "r.csv"), "--plot", str(tmp_path / "p.png")])
        == 0
    )
    assert (tmp_path / "p.png").exists()
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["status"].tolist() == ["tested"] * 20


def test_parquet_holds_odd_ids_and_times_too(place, run, tmp_path):
    odd = [{"unique_id": 7, "ds": "2024-01-06T00:00:00", "y": 1}, {"unique_id": "aa", "ds": 5, "y": 1}, {"y": None}]
    rows = [json.dumps(row) + "\n" for row in odd]
    (tmp_path / "r.jsonl").write_text("".join([*rows, (place / "few.jsonl").read_text(encoding="utf-8"), *rows]))
    assert run(tmp_path / "r.jsonl", "-o", tmp_path / "out.parquet")[0] == 0
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["unique_id"].iloc[[0, 1, 3]].tolist() == ["7", "aa", "aa"]
    assert found["unique_id"].isna().sum() == 2
    assert found["ds"].iloc[1] == "5"
    assert found["why"].iloc[1] == "time 5 is none in ISO 8601 without a time zone, or out of reach"
    frame = pd.read_parquet(place / "rows.parquet")
    assert run(place / "rows.parquet", "-o", tmp_path / "out.parquet")[0] == 0
    assert pd.read_parquet(tmp_path / "out.parquet")["ds"].tolist() == frame["ds"].tolist()


def test_text_among_values_is_no_number_but_in_csv_all_cells_are_text(place, run, tmp_path):
    (tmp_path / "r.jsonl").write_text('{"unique_id": "aa", "ds": "2024-01-06T00:00:00", "y": "1.5"}\n')
    (tmp_path / "r.csv").write_text("unique_id,ds,y\naa,2024-01-06T00:00:00,1.5\nab,2024-01-06T00:00:00,high\n")
    said = json.loads(run(tmp_path / "r.jsonl")[1])
    assert (said["status"], said["why"]) == ("invalid", "'y' is text: '1.5'")
    said = pd.read_csv(io.StringIO(run(tmp_path / "r.csv")[1]))
    assert said["status"].tolist() == ["tested", "invalid"]
    assert said["why"].fillna("").tolist() == ["", "'y' is text: 'high'"]


def test_whole_number_ids_are_read_from_csv_as_such(tmp_path, capsys):
    frame = series(120, "2024-01-01", 0, 2).assign(unique_id=np.tile([10, 7], 120))
    frame.to_csv(tmp_path / "h.csv", index=False)
    assert main(["detect", "--fit", str(tmp_path / "h.csv"), *FIT, "--save", str(tmp_path / "d")]) == 0
    (tmp_path / "r.csv").write_text("unique_id,ds,y\n7,2024-01-06 00:00:00,1.0\n10,2024-01-06 00:00:00,NA\n")
    capsys.readouterr()
    assert main(["detect", "--model", str(tmp_path / "d"), str(tmp_path / "r.csv")]) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["status"].tolist() == ["tested", "missing"]


def test_another_rate_and_another_procedure(place, run):
    _, out, _ = run(place / "few.jsonl", "--alpha", "0.01", "--control", "SAFFRON")
    first = tsf.fdr.SAFFRON(alpha=0.01, decay=1.0).first_level
    assert json.loads(out.splitlines()[0])["level"] == first


def test_a_forecaster_that_is_fitted_becomes_a_detector(place, run, tmp_path):
    history = pd.read_csv(place / "history.csv", parse_dates=["ds"])
    tsf.SeasonalNaive(horizon=4, seed=0).fit(history).save(tmp_path / "f")
    words = ["--fit", place / "history.csv", "--save", tmp_path / "d", *FIT[4:]]
    assert run(*words, model=tmp_path / "f")[0] == 0
    assert run(place / "few.jsonl", model=tmp_path / "d")[0] == 0
    code, _, err = run(place / "few.jsonl", model=tmp_path / "f")
    assert code == 2
    assert "holds a SeasonalNaive, which watches nothing yet" in err[0]


@pytest.mark.parametrize("end", [40, 1500])
def test_rows_under_other_names_are_told_of(end, place, run, tmp_path):
    rows = [json.loads(line) for line in lines(series(STEPS, "2024-01-06", 1))[:end]]
    for part, names in (("y", {"y": "value"}), ("'unique_id', 'ds', 'y'", {"unique_id": "host", "ds": "t", "y": "v"})):
        other = "".join(json.dumps({names.get(k, k): v for k, v in row.items()}) + "\n" for row in rows)
        (tmp_path / "r.jsonl").write_text(other)
        code, _, err = run(tmp_path / "r.jsonl", "-o", tmp_path / "out.jsonl")
        assert (code, len(err)) == (0, 2)
        assert (
            f"none of {min(end, 1000):,} rows had a column {part if ',' in part else repr(part)}: they have" in err[0]
        )
        assert f"they have {', '.join(repr(names.get(name, name)) for name in rows[0])}, and the detector" in err[0]
        assert "fitted with 'unique_id', 'ds', 'y'; rename their columns" in err[0]
    (tmp_path / "r.jsonl").write_text("nothing\n")
    assert "they have nothing that could be read" in run(tmp_path / "r.jsonl", "-o", tmp_path / "out.jsonl")[2][0]


# the state


def test_more_rows_later_go_on_where_the_state_was(place, run, tmp_path):
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    part, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    for end in (500, 501, 2000, len(rows)):
        part.write_text("".join(rows[:end]), encoding="utf-8")
        assert run(part, "--state", tmp_path / "s", "--output", out, "--every", 300)[0] == 0
    assert out.read_text(encoding="utf-8") == (place / "whole.jsonl").read_text(encoding="utf-8")


def test_what_comes_out_twice_says_the_same(place, run, tmp_path):
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


def test_the_file_of_a_state_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    write_state({"rows": 1, "a": np.arange(3)}, tmp_path / "s")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(JobError, match=r"cannot be written to .*No space left on device"):
        write_state({"rows": 2}, tmp_path / "s")
    assert read_state(tmp_path / "s")["rows"] == 1
    (tmp_path / "s").write_bytes(b"something else")
    with pytest.raises(JobError, match="is not the state of a detector"):
        read_state(tmp_path / "s")
    assert read_state(tmp_path / "nothing") is None


@pytest.fixture(scope="module")
def nursery(place):
    """A process that has imported and compiled everything, and forks the command on request."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip

        def say(*words):
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        assert say(["detect", "--model", str(place / "d")], str(place / "few.jsonl")) == "ready"
        yield say
        process.stdin.close()
        process.wait(10)


@pytest.mark.parametrize("way", ["standard output", "a file of its own"])
def test_killed_at_random_moments_and_started_again_it_says_what_it_would_have_said(way, place, nursery, tmp_path):
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


# the state and its input


def halves(place, tmp_path):
    """Rows 1 to 900 and the rest as two files, and what is said of all of them."""
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    first, rest = tmp_path / "first.jsonl", tmp_path / "rest.jsonl"
    first.write_text("".join(rows[:900]), encoding="utf-8")
    rest.write_text("".join(rows[900:]), encoding="utf-8")
    return first, rest, (place / "whole.jsonl").read_text(encoding="utf-8")


def test_an_input_that_the_state_has_not_seen_is_refused_before_anything_is_written(place, run, tmp_path):
    first, rest, _ = halves(place, tmp_path)
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    assert run(first, "--state", state, "--output", out)[0] == 0
    kept, said = state.read_bytes(), out.read_text(encoding="utf-8")
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
        assert (state.read_bytes(), out.read_text(encoding="utf-8")) == (kept, said)


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
    assert run(first, *how, "--fresh-input")[0] == 0, (
        "no state yet: the same command begins a pipe and goes on with one"
    )
    assert run(rest, *how, "--fresh-input")[0] == 0
    assert out.read_text(encoding="utf-8") == whole
    code, _, err = run(rest, *how)
    assert (code, err[0]) == (
        0,
        f"{len(whole.splitlines()) - 899:,} rows that the state has seen were passed over, 0 were new",
    )
    assert out.read_text(encoding="utf-8") == whole
    assert run(rest, "--fresh-input")[2][0].endswith("name its file with --state, or leave it out")


def test_a_parquet_file_is_known_again_too(place, run, tmp_path):
    frame = pd.read_parquet(place / "rows.parquet")
    frame[:800].to_parquet(tmp_path / "part.parquet", index=False)
    frame[::-1].to_parquet(tmp_path / "other.parquet", index=False)
    how = ("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
    assert run(tmp_path / "part.parquet", *how)[0] == 0
    code, _, err = run(tmp_path / "other.parquet", *how)
    assert (code, len(err)) == (2, 1)
    assert "other.parquet is not the file that the state has read up to row 800" in err[0]
    code, _, err = run(place / "rows.parquet", *how)
    assert (code, err[0]) == (0, "800 rows that the state has seen were passed over, 3,700 were new")
    assert [*decisions(tmp_path / "out.jsonl")] == [*range(1, 4501)]
    assert run(tmp_path / "part.parquet", *how)[0] == 2


def test_a_state_from_before_inputs_were_known_again_is_gone_on_from(place, run, tmp_path):
    first, _, whole = halves(place, tmp_path)
    out, state = tmp_path / "out.jsonl", tmp_path / "s"
    assert run(first, "--state", state, "--output", out)[0] == 0
    page = read_state(state)
    del page["source"], page["begun"]
    write_state(page | {"mark": int(page["mark"].split(":")[0])}, state)
    assert run(place / "rows.jsonl", "--state", state, "--output", out)[0] == 0
    assert out.read_text(encoding="utf-8") == whole


def test_half_a_line_that_was_answered_and_grew_is_answered_again(place, run, tmp_path):
    text = (place / "few.jsonl").read_text(encoding="utf-8")
    growing, how = tmp_path / "g.jsonl", ("--state", tmp_path / "s", "--output", tmp_path / "out.jsonl")
    half = text.index("\n", 1000) - 20
    for end in (half, half, len(text)):
        growing.write_text(text[:end], encoding="utf-8")
        assert run(growing, *how)[0] == 0
    found = decisions(tmp_path / "out.jsonl")
    assert len(found) == 41
    assert [said["status"] for said in found.values()].count("invalid") == 1


def test_a_log_that_is_cut_or_renamed_while_it_is_followed_is_told_with_a_remedy_that_works(place, run, tmp_path):
    rows = (place / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    log, how = tmp_path / "g.log", {"sink": str(tmp_path / "out.jsonl"), "state": tmp_path / "s", "follow": True}
    log.write_text("".join(rows[:30]), encoding="utf-8")

    def rename(_):
        if log.stat().st_size > 100 and not (tmp_path / "g.log.1").exists():
            log.rename(tmp_path / "g.log.1")
            log.write_text("".join(rows[30:35]), encoding="utf-8")

    with pytest.warns(UserWarning, match=r"is another file now, .*: tail -n \+1 -F .*g.log \| .*--fresh-input"):
        detect.watch(tsf.load(place / "d"), source=str(log), idle=0.4, keep=rename, input_format="jsonl", **how)
    detect.watch(tsf.load(place / "d"), source=str(log), fresh_input=True, input_format="jsonl", **how, idle=0.1)
    with pytest.raises(tsf.errors.DataError, match=r"has become shorter .*: tail -n \+1 -F .*g.log \| .*--fresh-input"):
        detect.watch(
            tsf.load(place / "d"), source=str(log), input_format="jsonl", keep=lambda _: os.truncate(log, 10),
            **(how | {"state": tmp_path / "other", "sink": os.devnull}), format="jsonl", idle=5,
        )  # fmt: skip
    assert read_state(tmp_path / "other")["rows"] == 5, "what was learned before is kept"
    assert [said["p_value"] for said in decisions(tmp_path / "out.jsonl").values()] == [
        said["p_value"] for said in decisions(place / "whole.jsonl").values()
    ][:35]


def test_the_state_is_kept_while_few_rows_come(place, tmp_path):
    growing, state = tmp_path / "rows.jsonl", tmp_path / "s"
    growing.write_bytes((place / "few.jsonl").read_bytes())
    seen = []

    def look():
        time.sleep(0.5)
        seen.append(read_state(state))

    thread = threading.Thread(target=look)
    thread.start()
    detect.watch(tsf.load(place / "d"), source=str(growing), sink=os.devnull, format="jsonl", follow=True, idle=1.0,
                 state=state, seconds=0.05)  # fmt: skip
    thread.join()
    assert seen[0]["rows"] == 40


def test_ctrl_c_says_how_far_it_came_and_where_the_state_is(tmp_path, place):
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


# rows without end


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
    detect.watch(tsf.load(place / "d"), source=str(growing), sink=str(out), follow=True, idle=1.0, state=tmp_path / "s")
    writer.join()
    assert [*decisions(out).values()] == [*decisions(place / "whole.jsonl").values()][:40]


def test_a_pipe_is_answered_as_rows_come_in_steady_memory_and_ends_well_when_told_to(tmp_path):
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


def test_a_half_line_that_a_crash_left_in_the_output_is_cut_off(tmp_path):
    from tsformers.jobs.sinks import _cut_to_whole_lines

    out = tmp_path / "out.jsonl"
    out.write_bytes(b'{"row": 1}\n{"ro')
    with out.open("ab") as file:
        _cut_to_whole_lines(file.fileno())
        file.write(b'{"row": 2}\n')
    assert out.read_bytes() == b'{"row": 1}\n{"row": 2}\n'


# mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fit", "h.csv"], "--fit makes a detector and --save keeps it"),
        (["--fit", "h.csv", "--save", "x"], "--horizon is missing"),
        (["--fit", "h.csv", "--save", "x", "--horizon", "2", "--detector", "refrsh=2"], "no setting 'refrsh'"),
        (
            ["--fit", "h.csv", "--save", "x", "--control", "LORDY"],
            "there is no procedure 'LORDY'; did you mean 'LORD'",
        ),
        (["r.jsonl"], "--model is missing; name the folder of a detector"),
        (["--model", "d", "--horizon", "24", "r.jsonl"], "--horizon does nothing without --fit; leave it out"),
        (["--model", "d", "--id-col", "host", "r.jsonl"], "--id-col does nothing without --fit"),
        (["--model", "d", "--set", "a=1", "r.jsonl"], "--set does nothing without --fit"),
        (["--model", "d", "--detector", "unseen=skip", "r.jsonl"], "--detector does nothing without --fit"),
        (["--model", "d", "--freq", "h", "r.jsonl"], "--freq does nothing without --fit"),
        (
            ["--fit", "h.csv", "--save", "x", "--horizon", "2", "r.jsonl"],
            "FILE does nothing beside --fit; leave it out",
        ),
        (["--fit", "h.csv", "--save", "x", "--horizon", "2", "--state", "s"], "--state does nothing beside --fit"),
        (["r.jsonl", "--model", "nowhere"], "there is no saved model at nowhere"),
        (["--model", "d", "none.jsonl"], "none.jsonl cannot be read"),
        (["--model", "d", "r.jsonl", "--format", "parquet"], "a Parquet file cannot be gone on with, or piped"),
        (["--model", "d", "r.parquet", "--follow"], "a Parquet file is whole and does not grow"),
        (["--model", "d", "r.jsonl", "--control", "OnlineBH", "--decay", "0.9"], "decay"),
        (["--model", "d", "--source", "redis://localhost"], "names no stream; write redis://localhost:6379/STREAM"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(words, said, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place / "d", "d")
    shutil.copy(place / "history.csv", "h.csv")
    shutil.copy(place / "few.jsonl", "r.jsonl")
    capsys.readouterr()
    assert main(["detect", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert said in captured.err


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


def test_help_waits_for_no_slow_library():
    code = (
        "import sys; from tsformers.cli import main; main(['detect', '--help']);"
        "print([m for m in ('torch', 'pandas', 'numpy', 'numba', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for word in ("--fit", "--model", "--alpha", "--state", "--every", "--follow", "--source", "--plot", "history.csv"):
        assert word in done.stdout


# Redis streams


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
    """A stream with rows, half of them in fields and half as JSON, and what the detector says of them."""
    client.delete(key, f"{key}-out")
    rows = [json.loads(line) for line in lines(series(STEPS, "2024-01-06", 1))[:end]]
    for k, row in enumerate(rows):
        fields = {"json": json.dumps(row)} if k % 2 else {n: str(v) if v is not None else "" for n, v in row.items()}
        client.xadd(key, fields, id=f"{k + 1}-0")
    return tsf.load(place / "d").update_many(rows)


def test_rows_come_from_a_redis_stream_and_decisions_go_into_one(redis_server, place, tmp_path):
    client, server = redis_server
    said = filled(client, place, "rows")
    detect.watch(
        tsf.load(place / "d"),
        source=f"{server}/rows",
        sink=f"{server}/rows-out",
        state=tmp_path / "s",
        idle=0.2,
        every=70,
    )
    found = entries(client, "rows-out")
    assert [found[f"{k + 1}-0"]["status"] for k in range(300)] == [d.status for d in said]
    assert [float(found[f"{k + 1}-0"]["p_value"]) for k in range(300)] == pytest.approx(
        [d.p_value for d in said], rel=0, abs=0, nan_ok=True
    )
    assert client.xpending("rows", "tsformers")["pending"] == 0


def test_what_was_not_acknowledged_comes_again_and_what_was_kept_changes_nothing(redis_server, place, tmp_path):
    client, server = redis_server
    said = filled(client, place, "again")
    how = {"source": f"{server}/again?group=g", "sink": f"{server}/again-out", "state": tmp_path / "s", "idle": 0.2}

    class Crash(Exception):
        pass

    def crash_at(number):
        seen = []

        def keep(_):
            seen.append(1)
            if len(seen) == number:
                raise Crash

        return keep

    for rows in (90, 170, 20):  # killed between a state and the next: decisions are out, entries not acknowledged
        with pytest.raises(Crash):
            detect.watch(tsf.load(place / "d"), keep=crash_at(rows), every=50, **how)
        assert client.xpending("again", "g")["pending"] > 0
    client.xadd("again", {"y": "1"}, id="301-0")
    counts = detect.watch(tsf.load(place / "d"), every=50, **how)
    assert counts["rows"] == 301
    assert client.xpending("again", "g")["pending"] == 0
    found = entries(client, "again-out")
    assert [*found] == [f"{k}-0" for k in range(1, 302)], "each once, in order"
    assert [found[f"{k + 1}-0"]["status"] for k in range(301)] == [*(d.status for d in said), "invalid"]


def test_the_state_of_one_stream_is_not_gone_on_from_with_another(redis_server, place, tmp_path):
    client, server = redis_server
    filled(client, place, "one", 20)
    filled(client, place, "two", 20)
    how = {"sink": os.devnull, "format": "jsonl", "state": tmp_path / "s", "idle": 0.1}
    detect.watch(tsf.load(place / "d"), source=f"{server}/one", **how)
    with pytest.raises(JobError, match=r"has read stream 'one', and this is stream 'two'; .*--fresh-input"):
        detect.watch(tsf.load(place / "d"), source=f"{server}/two", **how)
    counts = detect.watch(tsf.load(place / "d"), source=f"{server}/two", fresh_input=True, **how)
    assert counts["rows"] == 40
    assert counts["duplicate"] + counts["late"] == 20


def test_redis_missing_or_silent_is_a_mistake_of_one_line(place, run):
    code, _, err = run("--source", "redis://127.0.0.1:1/rows")
    assert code == 2
    assert "pip install 'tsformers[redis]'" in err[0] or "does not answer" in err[0]
