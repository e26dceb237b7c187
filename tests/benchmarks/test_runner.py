"""``python -m benchmarks`` reports each row when it is measured, keeps it in a file, and survives a failure."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "benchmarks"
SUPPORT = ("__main__", "machine", "runner", "timing")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
FAST = '''"""How fast is nothing?

The rest of the docstring is not listed.
"""
from benchmarks.timing import compare, take_turns, without_peer


def run():
    ours, peer = take_turns(lambda: None, lambda: None, repeats=3)
    yield compare("nothing", ours, "nothing too", peer, ">= 1x")
    yield compare("memory", 3.0, "more memory", 6.0, "none", unit="MiB")
    yield without_peer("alone", ours, "absent", "absent-package", "none")
'''
BROKEN = '''"""Does it break?"""
from benchmarks.timing import compare


def run():
    yield compare("before", 1.0, "two", 2.0, "none")
    raise RuntimeError("out of luck\\nand more")
'''
WAITING = '''"""Does it wait?"""
from benchmarks.timing import compare


def run():
    yield compare("first", 1.0, "two", 2.0, "none")
    input()
    yield compare("second", 1.0, "two", 2.0, "none")
'''


@pytest.fixture
def folder(tmp_path):
    """A checkout with three small benchmarks and today's runner."""
    (tmp_path / "benchmarks").mkdir()
    for name in SUPPORT:
        shutil.copy(SOURCE / f"{name}.py", tmp_path / "benchmarks")
    for name, text in {"broken": BROKEN, "fast": FAST, "waiting": WAITING}.items():
        (tmp_path / "benchmarks" / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def environment(**variables):
    """Our environment without thread counts, and without paths that come before the folder of the test."""
    return {key: value for key, value in os.environ.items() if key not in (*THREADS, "PYTHONPATH")} | variables


def call(folder, *arguments, **variables):
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(**variables), capture_output=True, text=True)


def results(folder, name):
    return json.loads((folder / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_a_row_is_printed_before_the_next_is_measured(folder):
    command = [sys.executable, "-m", "benchmarks", "waiting"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment(), **pipes) as process:
        for line in process.stdout:
            assert not line.startswith("second")
            if line.startswith("first"):
                break
        rest, _ = process.communicate("continue\n")
    assert rest.startswith("second")
    assert process.returncode == 0


def test_rows_are_written_with_machine_versions_threads_and_commit(folder):
    done = call(folder, "fast")
    assert done.returncode == 0, done.stderr
    written = results(folder, "fast")
    nothing, memory, alone = written["rows"]
    assert nothing["what"] == "nothing"
    assert nothing["ours"] > 0 and nothing["theirs"] > 0 and nothing["ratio"] > 0
    assert (memory["ours"], memory["theirs"], memory["ratio"], memory["unit"]) == (3.0, 6.0, 2.0, "MiB")
    assert (alone["theirs"], alone["ratio"]) == (None, None)
    assert "peer not installed: pip install absent-package" in done.stdout
    assert written["failure"] is None
    assert written["versions"].keys() >= {"python", "numpy", "torch", "numba", "pandas", "river"}
    assert written.keys() >= {"machine", "processor", "cores", "threads", "commit", "began"}


def test_a_failure_is_one_line_and_the_next_benchmark_runs(folder):
    done = call(folder, "broken", "fast")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "broken failed: RuntimeError: out of luck (broken.py, line 7)",
        "1 failed: broken",
    ]
    assert "nothing too" in done.stdout
    written = results(folder, "broken")
    assert written["failure"].startswith("RuntimeError: out of luck")
    assert [row["what"] for row in written["rows"]] == ["before"]
    assert results(folder, "fast")["failure"] is None


def test_an_unknown_name_is_refused_with_the_names_there_are(folder):
    done = call(folder, "fast", "fats")
    assert done.returncode == 2
    assert "no benchmark is called fats; there are: broken, fast, waiting" in done.stderr
    assert not (folder / "benchmarks" / "results").exists()


def test_the_list_shows_each_benchmark_and_its_question(folder):
    assert call(folder, "--list").stdout.split("\n") == [
        f"{'broken':<15} Does it break?",
        f"{'fast':<15} How fast is nothing?",
        f"{'waiting':<15} Does it wait?",
        "",
    ]


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ([], {}, ["1", "1", "1", "1"]),
        ([], {"OMP_NUM_THREADS": "3"}, ["3", "3", "3", "3"]),
        ([], {"MKL_NUM_THREADS": "2"}, ["1", "2", "1", "1"]),
        (["--threads", "2"], {"OMP_NUM_THREADS": "3"}, ["2", "2", "2", "2"]),
    ],
)
def test_one_thread_unless_environment_or_option_say_otherwise(folder, arguments, variables, expected):
    assert call(folder, *arguments, "fast", **variables).returncode == 0
    threads = results(folder, "fast")["threads"]
    assert [threads[name] for name in THREADS] == expected


def test_every_benchmark_of_the_project_has_a_question(folder):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"],
        cwd=SOURCE.parent,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    others = {*SUPPORT, "plain_autoformer", "statsforecast_worker"}
    assert {name for name, _ in listed} == {path.stem for path in SOURCE.glob("*.py")} - others
    assert all(question.endswith((".", "?")) for _, question in listed)
