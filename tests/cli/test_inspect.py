"""The command inspect: what is understood of a table, its readings, and what comes next."""

import io
import shlex

import numpy as np
import pandas as pd
import pytest

from .conftest import after_reading, mistake


def days(n, start="2024-01-01"):
    return pd.date_range(start, periods=n).strftime("%Y-%m-%d")


def test_each_series_is_a_row_and_the_next_commands_can_be_pasted(run, sales, here):
    sales.rename(columns={"unique_id": "shop"}).drop(index=[3, 4]).to_csv(here / "sales.csv", index=False, sep=";")
    code, out, err = run("inspect", "sales.csv", "--id-col", "shop", "--plot", "s.png")
    table = pd.read_csv(io.StringIO(out), keep_default_na=False)
    assert code == 0 and err[0] == "read sales.csv: separator ';'"
    assert table["shop"].tolist() == ["NA", "b"] and table["missing"].tolist() == [2, 0]
    assert table["season_strength"].astype(float).min() > 0.9
    assert (here / "s.png").read_bytes()[:4] == b"\x89PNG"
    following = [line.removeprefix("next: ") for line in err if line.startswith("next: ")]
    assert [shlex.split(line)[1] for line in (following[0], following[2])] == ["forecast", "detect"]
    assert "tsformers backtest sales.toml" in following[1]
    assert run(*shlex.split(following[0])[1:])[0] == 0
    words = shlex.split(following[1])
    (here / "sales.toml").write_text("\n".join(words[2 : words.index(">")]) + "\n")
    assert run("backtest", "sales.toml")[0] == 0
    assert run(*shlex.split(following[2])[1:])[0] == 0 and (here / "sales_detector").is_dir()


def test_of_many_series_the_worst_are_shown_and_all_are_written(run, here):
    frame = pd.DataFrame({"unique_id": np.repeat([f"s{i:03d}" for i in range(60)], 20), "ds": [*days(20)] * 60})
    frame["y"] = 1.0 + np.arange(len(frame)) % 7
    frame.loc[(frame["unique_id"] == "s042") & (frame["ds"] > "2024-01-15"), "y"] = np.nan
    frame.to_csv(here / "a.csv", index=False)
    code, out, err = run("inspect", "a.csv")
    table = pd.read_csv(io.StringIO(out))
    assert code == 0 and len(table) == 10 and table["unique_id"][0] == "s042"
    assert any(line.startswith("60 series of 20 to 20 rows, 1 with missing rows") for line in err)
    assert run("inspect", "a.csv", "--output", "all.csv")[0] == 0 and len(pd.read_csv(here / "all.csv")) == 60


def test_a_table_with_two_readings_is_shown_with_the_commands_that_choose_one(run, here):
    pd.DataFrame({"date": days(28), "east": 1.5, "west": 2.5}).to_csv(here / "bikes.csv", index=False)
    code, out, err = run("inspect", "bikes.csv")
    columns = pd.read_csv(io.StringIO(out))
    assert code == 0 and columns["column"].tolist() == ["date", "east", "west"]
    assert columns["holds"].tolist() == ["text", "number", "number"]
    following = [line.removeprefix("next: ") for line in err if line.startswith("next: ")]
    assert "tsformers inspect bikes.csv --wide" in following
    assert "tsformers inspect bikes.csv --target-col east" in following
    for command in following:
        code, out, err = run(*shlex.split(command)[1:])
        assert code == 0 and "unique_id,rows" in out, command


def test_a_comma_with_two_readings_is_offered_twice(run, here):
    rows = "".join(f'a,{day},"{1000 + k:,}"\n' for k, day in enumerate(days(14)))
    (here / "a.csv").write_text("unique_id,ds,y\n" + rows)
    code, _, err = run("inspect", "a.csv")
    assert code == 0
    assert err[-2:] == ["next: tsformers inspect a.csv --decimal ,", "next: tsformers inspect a.csv --decimal ."]


def test_what_has_no_reading_is_refused(run, sales, here):
    assert mistake(run("inspect", "gone.csv"), "gone.csv")
    assert mistake(run("inspect", "sales.csv", "--output", "sales.csv"), "sales.csv")
    assert mistake(run("inspect", "sales.csv", "--ids", "b"), "--plot")
    assert mistake(run("inspect", "sales.csv", "--ids", "zz", "--plot", "p.png"), "zz")


def test_quiet_leaves_the_table_alone(run, sales):
    code, out, err = run("inspect", "sales.csv", "--quiet")
    assert (code, err) == (0, []) and len(out.splitlines()) == 3


@pytest.mark.parametrize("option", ["--wide", "--wide-rows"])
def test_wide_tables_are_described(run, here, option):
    table = pd.DataFrame({"day": days(14), "east": 1.0, "west": 2.0})
    turned = table.set_index("day").T.rename_axis("land").reset_index()
    (table if option == "--wide" else turned).to_csv(here / "w.csv", index=False)
    code, out, err = run("inspect", "w.csv", option)
    assert code == 0 and len(out.splitlines()) == 3
    assert all(f"{option}" in line or "wide" in line for line in after_reading(err) if line.startswith("next: "))
