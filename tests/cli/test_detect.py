"""The command detect: what it reads and writes, and mistakes in one line."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import tsformers as tsf
from tsformers.cli.app import main
from tsformers.pandas_versions import EXACT_CSV

from ..streaming.conftest import FIT, STEPS, decisions, fill, lines, series


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a history, a detector made of it, and rows to watch."""
    return fill(tmp_path_factory.mktemp("watch"))


@pytest.fixture
def run(place, capsys):
    """Runs the command with the detector; returns exit code, standard output, and lines on standard error."""

    def call(*words, model="d"):
        code = main(["detect", *(["--model", str(place / model)] if model else []), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


# in and out


def test_the_command_gives_the_decisions_of_the_detector(place):
    found = decisions(place / "whole.jsonl")
    detector = tsf.load(place / "d")
    rows = [line for line in (place / "rows.jsonl").read_text(encoding="utf-8").splitlines() if line]
    assert len(found) == len(rows)
    for number, line in enumerate(rows, start=1):
        answer = found[number]
        row = json.loads(line) if line.startswith("{") else {}
        decision = detector.update(row)
        assert answer["status"] == decision.status
        assert answer["anomaly"] == decision.anomaly
        assert (answer["p_value"] is None and decision.p_value != decision.p_value) or answer[
            "p_value"
        ] == decision.p_value
    assert {answer["status"] for answer in found.values()} == {"tested", "missing", "late", "duplicate", "invalid"}
    assert sum(answer["anomaly"] for answer in found.values()) > 10


def test_csv_parquet_and_json_lines_give_the_same_decisions(place, run, tmp_path):
    code, out, err = run(place / "rows.csv")
    assert code == 0
    assert "4,500 rows" in err[-1]
    of_csv = pd.read_csv(io.StringIO(out), **EXACT_CSV)
    assert run(place / "rows.parquet", "--output", tmp_path / "out.parquet")[0] == 0
    of_parquet = pd.read_parquet(tmp_path / "out.parquet")
    for name in ("row", "p_value", "level", "anomaly", "expected", "status"):
        assert_array_equal(of_csv[name], of_parquet[name])
    (tmp_path / "plain.jsonl").write_text("".join(lines(series(STEPS, "2024-01-06", 1))), encoding="utf-8")
    assert run(tmp_path / "plain.jsonl", "-o", tmp_path / "out.jsonl")[0] == 0
    of_lines = [answer["p_value"] for answer in decisions(tmp_path / "out.jsonl").values()]
    assert_array_equal(np.array(of_lines, dtype=float), of_csv["p_value"])


def test_a_new_detector_is_described_in_a_line(place, run, tmp_path):
    words = ["--fit", place / "history.csv", *FIT, "--save", tmp_path / "d"]
    code, _, err = run(*words, model=None)
    assert code == 0
    assert err[-2] == (
        "3 series, step 'h', season_length 24, 40 calibration errors per series; "
        "false alarms in normal operation: about 20 of 1,000 rows, if p-values are valid"
    )
    words += ["--decay", "1.0"]
    assert run(*words, model=None)[2][-2].endswith("per series; no alarm is possible in normal operation")
    code, _, err = run(*words[:2], *FIT[:10], "--detector", "window=30", "--save", tmp_path / "d", model=None)
    assert code == 0
    assert "30 calibration errors per series" in err[-2]


def test_standard_input_to_standard_output(place, run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((place / "few.jsonl").read_bytes())))
    code, out, _ = run()
    assert code == 0
    assert [json.loads(line)["row"] for line in out.splitlines()] == list(range(1, 41))


def test_alarms_alone_and_a_picture(place, run, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, err = run(place / "rows.jsonl", "--alarms", "--plot", tmp_path / "p.png")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert all(one["anomaly"] for one in answers)
    assert f"{len(answers)} alarms" in err[-1]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_leaves_out_rows_without_a_time_and_needs_no_new_row(place, run, tmp_path):
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
    answer = json.loads(run(tmp_path / "r.jsonl")[1])
    assert (answer["status"], answer["why"]) == ("invalid", "'y' is text: '1.5'")
    answer = pd.read_csv(io.StringIO(run(tmp_path / "r.csv")[1]))
    assert answer["status"].tolist() == ["tested", "invalid"]
    assert answer["why"].fillna("").tolist() == ["", "'y' is text: 'high'"]


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


@pytest.mark.filterwarnings("ignore:.*isolated value")
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
def test_rows_under_other_names_are_warned_of(end, place, run, tmp_path):
    rows = [json.loads(line) for line in lines(series(STEPS, "2024-01-06", 1))[:end]]
    for part, names in (("y", {"y": "value"}), ("'unique_id', 'ds', 'y'", {"unique_id": "host", "ds": "t", "y": "v"})):
        other = "".join(json.dumps({names.get(k, k): v for k, v in row.items()}) + "\n" for row in rows)
        (tmp_path / "r.jsonl").write_text(other)
        code, _, err = run(tmp_path / "r.jsonl", "-o", tmp_path / "out.jsonl")
        nameless = "unique_id" in names  # rows without a series are invalid, those without a value are missing
        assert (code, len(err)) == ((1, 3) if nameless else (0, 2))
        assert (f"all {end:,} rows were invalid" in err[-1]) == nameless
        assert (
            f"none of {min(end, 1000):,} rows had a column {part if ',' in part else repr(part)}: they have" in err[0]
        )
        assert f"they have {', '.join(repr(names.get(name, name)) for name in rows[0])}, and the detector" in err[0]
        assert "fitted with 'unique_id', 'ds', 'y'; rename their columns" in err[0]
    (tmp_path / "r.jsonl").write_text("nothing\n")
    assert "they have nothing that could be read" in run(tmp_path / "r.jsonl", "-o", tmp_path / "out.jsonl")[2][0]


# mistakes


@pytest.mark.parametrize(
    ("words", "message"),
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
        (["--model", "d", "r.jsonl", "--format", "parquet"], "a Parquet file cannot be resumed, or piped"),
        (["--model", "d", "r.parquet", "--follow"], "a Parquet file is complete and does not grow"),
        (["--model", "d", "r.jsonl", "--control", "OnlineBH", "--decay", "0.9"], "decay"),
        (["--model", "d", "--source", "redis://localhost"], "names no stream; write redis://localhost:6379/STREAM"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(words, message, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place / "d", "d")
    shutil.copy(place / "history.csv", "h.csv")
    shutil.copy(place / "few.jsonl", "r.jsonl")
    capsys.readouterr()
    assert main(["detect", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert message in captured.err


def test_help_waits_for_no_slow_library():
    code = (
        "import sys; from tsformers.cli.app import main; main(['detect', '--help']);"
        "print([m for m in ('torch', 'pandas', 'numpy', 'numba', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for word in ("--fit", "--model", "--alpha", "--state", "--every", "--follow", "--source", "--plot", "history.csv"):
        assert word in done.stdout


@pytest.mark.parametrize("role", ["id_col", "time_col", "target_col"])
@pytest.mark.parametrize("name", ["level", "row", "status"])
def test_a_detector_whose_decisions_would_lose_a_column_is_refused_before_it_is_fitted(
    role, name, place, run, tmp_path
):
    usual = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}[role]
    history = (place / "history.csv").read_text().replace(usual, name, 1)
    (tmp_path / "h.csv").write_text(history)
    words = ["--fit", tmp_path / "h.csv", *FIT, "--save", tmp_path / "d", f"--{role.replace('_', '-')}", name]
    code, _, err = run(*words, model=None)
    assert code == 2 and f"column '{name}' of the data has the name of a column of the decisions" in err[-1]
    assert len(err) == 1, "refused before the history is read"
    assert not (tmp_path / "d").exists()


def test_streams_are_read_by_the_options_of_a_table(place, run, tmp_path):
    rows = "".join(
        f"{row['unique_id']}~{row['ds']}~{str(row['y']).replace('.', ',')}\n"
        for row in map(json.loads, lines(series(STEPS, "2024-01-06", 1)))
    )
    (tmp_path / "r.txt").write_text("unique_id~ds~y\n" + rows)
    code, _, err = run(tmp_path / "r.txt", "--sep", "~", "--decimal", ",", "-o", tmp_path / "out.jsonl")
    assert code == 0 and "invalid" not in err[-1], err
