"""What the README and the operator's page show of watching is what happens."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd

from tsformers.anomaly.decisions import EVENTS, STATUSES
from tsformers.cli.app import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "anomalies.md").read_text(encoding="utf-8")


def test_the_streaming_example_prints_what_the_readme_says(prints_what_it_says):
    prints_what_it_says(README[README.index("## Anomaly detection in streams") :])


def test_the_operators_page_tells_of_every_status_and_count():
    for name in (*STATUSES, *EVENTS):
        assert f"`{name}`" in PAGE, name


def words(pattern, text):
    """The part of a text that a pattern matches, without numbers, quoted words and indentation."""
    return re.sub(r"'\w+'|[\d,]+|^ +", "", re.search(pattern, text, re.MULTILINE)[0])


def test_the_two_commands_of_the_operators_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=400, freq="h")
    frame = pd.DataFrame({"unique_id": "db1", "ds": hours, "y": np.sin(np.arange(400) * 2 * np.pi / 24)})
    frame["y"] += 0.1 * rng.normal(size=400)
    frame[:-20].to_csv("history.csv", index=False)
    frame[-20:].to_csv("rows.csv", index=False)
    commands = re.findall(r"^    tsformers (detect .*)$", PAGE, re.MULTILINE)[:2]
    assert ["--fit" in commands[0], "--state" in commands[1]] == [True, True]
    assert main(shlex.split(commands[0])) == 0
    reported = capsys.readouterr().err
    assert "126 calibration scores give no p-value below" in reported
    assert words(r"^\d+ series, step .*(?=;)", reported) == words(r"^    [\d,]+ series, step .*(?=;)", PAGE)
    assert main([*shlex.split(commands[1].partition("<")[0]), "rows.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 21
