"""The page on refused files: every symptom of its table is met, named with its option, and mended by it."""

import inspect
import re
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.cli.app import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "data.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("| what happens |") : PAGE.index("A job file has the same")]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLE.strip().splitlines()[2:]]
DAYS = pd.date_range("2024-01-01", periods=20).strftime("%Y-%m-%d")
NAIVE = ["--model", "SeasonalNaive", "--set", "season_length=1", "--horizon", "2", "--output", "f.csv"]


def text_of(header: str, *columns: Any) -> bytes:
    """A CSV file."""
    lines = [header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    return ("\n".join(lines) + "\n").encode()


def drifting(least: int, most: int) -> pd.Series:
    """Stamps that many seconds apart."""
    steps = np.random.default_rng(0).integers(least, most, 60).cumsum()
    return pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(steps, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")


HOURS = ["00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00", "05:00+01:00"]
WEEKS = [day for year in (2021, 2022, 2023) for day in pd.date_range(f"{year}-01-01", periods=52, freq="7D").date]


@dataclass(frozen=True)
class Symptom:
    """A row of the table.

    Args:
        begins: how its first cell begins.
        content: of a small file.
        shell: what the message of the command names; "" = it is read, and the option changes how.
        python: what the message names in Python; None = there is no such message there, the file is read elsewhere.
        mended: the options that let the command pass.
        call: the same in Python.
    """

    begins: str
    content: bytes
    shell: str
    python: str | None
    mended: str
    call: Callable[[pd.DataFrame], Any] | None = None


def panel(**roles: Any) -> Callable[[pd.DataFrame], Any]:
    """Reads a frame with keywords."""
    return lambda frame: tsf.Panel.from_frame(frame, **roles)


COUNT, WIDE = range(20), text_of("day,north,south", DAYS, range(20), range(2, 22))
TIMES_REPEAT = text_of("day,store,sales", [*DAYS] * 2, ["a"] * 20 + ["b"] * 20, range(40))
EPOCHS = text_of("t,sales", [1500000000000000 + 3600000 * k for k in COUNT], COUNT)
SYMPTOMS = [
    Symptom("times repeat", TIMES_REPEAT, "--id-col store", "id_col='store'", "--id-col store", panel(id_col="store")),
    Symptom(
        "times repeat",
        text_of("day,store,item,sales", np.repeat(DAYS, 4), [*"aabb"] * 20, [*"xyxy"] * 20, range(80)),
        "--id-col store --id-col item",
        "id_col=['store', 'item']",
        "--id-col store --id-col item",
        panel(id_col=["store", "item"]),
    ),
    Symptom("several numeric columns: one series each", WIDE, "--wide", "tsf.from_wide(df)", "--wide", tsf.from_wide),
    Symptom(
        "several numeric columns: one is the target",
        text_of("day,sales,price", DAYS, COUNT, COUNT),
        "--target-col sales",
        "target_col='sales'",
        "--target-col sales",
        panel(target_col="sales"),
    ),
    Symptom(
        "times stand in the header",
        text_of("country," + ",".join(map(str, range(2000, 2020))), "xy", *([k, k + 1] for k in COUNT)),
        "--wide-rows",
        "tsf.from_wide(df, series='rows')",
        "--wide-rows",
        lambda frame: tsf.from_wide(frame, series="rows"),
    ),
    Symptom(
        "no column of times",
        text_of("label,load", [f"2020/{k:03d}" for k in range(1, 21)], COUNT),
        "--time-col, and how it reads with --time-format",
        "time_col=, and how it reads with time_format=",
        "--time-col label --time-format %Y/%j",
        panel(time_col="label", time_format="%Y/%j"),
    ),
    Symptom(
        "two columns of times",
        text_of("opened,closed,sales", DAYS, DAYS, COUNT),
        "--time-col opened or --time-col closed",
        "time_col='opened' or time_col='closed'",
        "--time-col opened",
        panel(time_col="opened"),
    ),
    Symptom(
        "day and hour",
        text_of("Date,Time,load", ["2024-01-01"] * 20, [f"{h:02d}:00" for h in COUNT], COUNT),
        "--time-col Date --time-col Time",
        "time_col=['Date', 'Time']",
        "--time-col Date --time-col Time",
        panel(time_col=["Date", "Time"]),
    ),
    Symptom(
        "day or month first",
        text_of("day,sales", [f"{m:02d}/01/2024" for m in range(1, 13)], range(12)),
        "--time-format %d/%m/%Y or --time-format %m/%d/%Y",
        "time_format='%d/%m/%Y' or time_format='%m/%d/%Y'",
        "--time-format %d/%m/%Y",
        panel(time_format="%d/%m/%Y"),
    ),
    Symptom(
        "year and week",
        text_of("week,sales", [202001 + k for k in COUNT], COUNT),
        "--time-format %G%V or --time-format count",
        None,
        "--time-format %G%V",
        panel(time_format="%G%V"),
    ),
    Symptom("whole numbers are read as epochs", EPOCHS, "", None, "--time-format count", panel(time_format="count")),
    Symptom(
        "offsets from UTC change",
        text_of("time,load", [f"2024-10-27T{hour}" for hour in HOURS], range(7)),
        "--tz Europe/Berlin",
        "tz='Europe/Berlin'",
        "--tz Europe/Berlin",
        panel(tz="Europe/Berlin"),
    ),
    Symptom(
        "stamps off the grid",
        text_of("time,load", drifting(20, 45), range(60)),
        "--resample",
        "resample=",
        "--resample 30s",
        panel(resample="30s"),
    ),
    Symptom(
        "stamps off the grid",
        text_of("time,amount", drifting(20, 45_000), range(60)),
        "--resample D",
        "resample='D'",
        "--resample D --aggregate sum",
        lambda frame: tsf.resample(frame, "D", aggregate="sum"),
    ),
    Symptom(
        "stamps off the grid",
        text_of("week,sales", WEEKS, range(156)),
        "--resample W-",
        "resample='W-",
        "--resample W-MON",
        panel(resample="W-MON"),
    ),
    Symptom(
        "-9999",
        text_of("day,sales", DAYS, [-9999 if k in (3, 7) else 10 + k for k in COUNT]),
        "--missing -9999",
        "missing=-9999",
        "--missing -9999",
        panel(missing=-9999),
    ),
    Symptom(
        "`1,010`",
        text_of("day,sales", DAYS, [f'"1,0{10 + k}"' for k in COUNT]),
        "--decimal , or --decimal .",
        None,
        "--decimal .",
        lambda _: tsf.Panel.from_frame(pd.read_csv("a.csv", thousands=",")),
    ),
    Symptom(
        "another separator",
        text_of("day,sales", DAYS, COUNT).replace(b",", b"~"),
        "--sep '~'",
        None,
        "--sep ~",
        lambda _: tsf.Panel.from_frame(pd.read_csv("a.csv", sep="~")),
    ),
    Symptom(
        "bytes that are not UTF-8",
        text_of("day,store,sales", DAYS, ["Köln"] * 20, COUNT).decode().encode("latin-1"),
        "--encoding latin-1",
        None,
        "--encoding latin-1",
    ),
    Symptom(
        "lines above the header",
        b"Sales,of,2024\nby,day,x\n" + text_of("day,sales,remark", DAYS, COUNT, ["ok"] * 20),
        "--skip-rows",
        None,
        "--skip-rows 2",
        lambda _: tsf.Panel.from_frame(pd.read_csv("a.csv", skiprows=2)),
    ),
    Symptom(
        "series too short",
        text_of("unique_id,ds,y", [*"a"] * 20 + ["b", "b"], [*DAYS, *DAYS[-2:]], range(22)),
        "--short drop",
        "short='drop'",
        "--short drop",
    ),
]
OTHERS = ("a workbook of several sheets", "forecasts below zero", "a workbook cannot be opened")


def flags_of(cell: str) -> set[str]:
    """The options that a cell names."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", cell))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs a command in a folder of its own; exit code and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str]:
        code = main([*words])
        return code, capsys.readouterr().err

    return call


@pytest.mark.parametrize("flag", sorted(flags_of(PAGE)))
def test_an_option_of_the_page_is_in_the_help(run, capsys, flag):
    main(["forecast", "--help"])
    assert flag in flags_of(capsys.readouterr().out)


@pytest.mark.parametrize("code", sorted(set(re.findall(r"`([a-z_]+=[^`]+)`", " ".join(row[2] for row in ROWS)))))
def test_a_keyword_of_the_table_is_one_of_from_frame(code):
    assert set(re.findall(r"([a-z_]+)=", code)) <= {*inspect.signature(tsf.Panel.from_frame).parameters}


def test_every_row_of_the_table_is_tried():
    firsts = (*(symptom.begins for symptom in SYMPTOMS), *OTHERS)
    assert [row[0] for row in ROWS if not row[0].startswith(firsts)] == []
    assert [begins for begins in firsts if not any(row[0].startswith(begins) for row in ROWS)] == []


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.begins)
def test_a_symptom_names_its_option_in_a_shell_and_passes_with_it(run, tmp_path, symptom):
    (tmp_path / "a.csv").write_bytes(symptom.content)
    model = ["--model", "Linear", "--set", "max_steps=2", "--horizon", "4", "--output", "f.csv"]
    words = ["forecast", "a.csv", *(model if symptom.begins == "series too short" else NAIVE)]
    code, err = run(*words)
    row = next(row for row in ROWS if row[0].startswith(symptom.begins))
    assert flags_of(symptom.mended) <= flags_of(row[1])
    if symptom.shell:
        assert symptom.shell in err and (code == 2 or "warning: " in err), err
        assert len(err.splitlines()) == 1 or code == 0 or symptom.begins == "series too short", err
    code, err = run(*words, *symptom.mended.split())
    assert code == 0, err


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.begins)
def test_a_symptom_names_its_keyword_in_python_and_passes_with_it(tmp_path, monkeypatch, symptom):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_bytes(symptom.content)
    if symptom.python:
        message = message_in_python(pd.read_csv("a.csv"), symptom.begins)
        assert symptom.python in message, message
    if symptom.call:
        symptom.call(pd.read_csv("a.csv", thousands=","))


def message_in_python(frame: pd.DataFrame, begins: str) -> str:
    """The refusal of a frame, or its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = tsf.Linear(horizon=4, max_steps=2) if begins == "series too short" else None
            tsf.Panel.from_frame(frame) if model is None else model.fit(frame)
        except ValueError as error:
            return str(error)
    return " ".join(str(entry.message) for entry in caught)


def test_whole_numbers_that_are_read_as_epochs_are_said(run, tmp_path):
    (tmp_path / "a.csv").write_bytes(EPOCHS)
    assert "times are epoch microseconds" in run("forecast", "a.csv", *NAIVE)[1]
    assert "times are epoch" not in run("forecast", "a.csv", *NAIVE, "--time-format", "count")[1]


def test_year_and_week_of_a_frame_are_counts():
    frame = pd.DataFrame({"week": [202001 + k for k in COUNT], "sales": COUNT})
    assert tsf.Panel.from_frame(frame).grid.freq == 1


def test_quantiles_below_a_history_of_zero_and_more_name_the_option(run, tmp_path):
    (tmp_path / "a.csv").write_bytes(text_of("day,sales", DAYS, [0, 9, 0, 1] * 5))
    assert "--lower 0" in run("forecast", "a.csv", *NAIVE)[1]
    assert "--lower 0" not in run("forecast", "a.csv", *NAIVE, "--lower", "0")[1]
    assert pd.read_csv("f.csv")["q0.1"].min() >= 0


def write_workbook(path: Path) -> None:
    """A workbook of two sheets with the same rows."""
    rows = [("day", "sales"), *zip(DAYS, map(str, COUNT), strict=True)]
    cells = "".join(f"<table:table-row>{''.join(map(cell_of, row))}</table:table-row>" for row in rows)
    sheets = "".join(f'<table:table table:name="{name}">{cells}</table:table>' for name in ("north", "south"))
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{sheets}</office:spreadsheet>"
            "</office:body></office:document-content>",
        )


def cell_of(text: str) -> str:
    """A cell of a workbook: a number, or text."""
    kind = f'float" office:value="{text}' if text.isdigit() else "string"
    return f'<table:table-cell office:value-type="{kind}"><text:p>{text}</text:p></table:table-cell>'


def test_the_block_above_the_table_is_what_is_printed(run, tmp_path):
    days = pd.date_range("2023-01-01", "2024-03-31")
    rows = ["Sales by store;;;;", "printed on 1 April 2024;;;;", ";day;store;sales;remark"]
    kept = [(store, k, day) for store in "abc" for k, day in enumerate(days) if k % 100 != 50]
    rows += [f"{n};{day:%Y-%m-%d};{store};{100 + k % 9},5;ok" for n, (store, k, day) in enumerate(kept)]
    (tmp_path / "sales.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    command, printed = re.search(r"```console\n\$ tsformers (.*?)\n(.*?)```", PAGE, re.DOTALL).groups()
    assert run(*command.split()) == (0, printed)


def test_a_workbook_names_its_extra_and_its_sheets(run, tmp_path, monkeypatch):
    pytest.importorskip("python_calamine")
    write_workbook(tmp_path / "a.ods")
    assert "--sheet south" in run("forecast", "a.ods", *NAIVE)[1]
    assert run("forecast", "a.ods", *NAIVE, "--sheet", "south")[0] == 0
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    assert "pip install 'tsformers[excel]'" in run("forecast", "a.ods", *NAIVE)[1]
