"""What reaches the terminal: tables that are drawn, warnings, and one line for an error."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd

from tsformers.cli.terminal import guarded

from .conftest import NAIVE, after_reading


def test_a_terminal_is_shown_a_drawn_table(monkeypatch, run):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, _ = run("models", "show", "SeasonalNaive")
    assert code == 0 and "season_length" in out and "setting,default" not in out


def test_what_nobody_expected_is_one_line_too(capsys):
    def broken(options):
        raise RuntimeError("two\nlines")

    assert guarded(broken) == 1
    assert (
        capsys.readouterr().err
        == "tsformers: RuntimeError: two lines (unexpected; --debug before the command shows where)\n"
    )


def test_ctrl_c_ends_with_130_and_one_line(monkeypatch, run, sales):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tsformers.data.files.long_table.read_table", interrupt)
    assert run("forecast", "sales.csv", *NAIVE) == (130, "", ["tsformers: interrupted"])


def test_a_reader_that_goes_away_is_met_with_silence():
    command = f"{sys.executable} -P -m tsformers datasets export macrodata | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=os.environ)
    assert done.stdout.strip() == "unique_id,ds,y" and done.stderr == ""


def test_a_warning_is_one_line_and_no_failure(run, here):
    rows = [("a", day, float(day)) for day in range(8)] + [("b", day, np.nan) for day in range(8)]
    pd.DataFrame(rows, columns=["unique_id", "ds", "y"]).to_csv(here / "a.csv", index=False)
    code, out, err = run("forecast", "a.csv", *NAIVE, "--short", "drop")
    assert code == 0 and len(out.splitlines()) == 4
    assert err[0] == "read a.csv: separator ','" and len(after_reading(err)) == 1
    assert err[-1].startswith("warning: ") and "'b'" in err[-1]
