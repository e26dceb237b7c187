"""The command forecast: tables in every format, models fitted and saved, and data that are refused."""

import io
import json
import subprocess
import sys

import pandas as pd
import pytest

from tsformers.data.files.read import read_table
from tsformers.data.files.write import write_table

from .conftest import NAIVE, after_reading, mistake, refusal


def test_a_forecast_has_one_row_a_series_and_step(run, sales):
    code, out, err = run("forecast", "sales.csv", *NAIVE)
    frame = pd.read_csv(io.StringIO(out), keep_default_na=False)
    assert (code, after_reading(err)) == (0, [])
    assert list(frame.columns) == ["unique_id", "ds", "mean", "q0.1", "q0.5", "q0.9"]
    assert frame["unique_id"].tolist() == ["NA"] * 3 + ["b"] * 3
    assert frame["ds"].tolist()[:3] == ["2024-01-29", "2024-01-30", "2024-01-31"]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(run, sales):
    answers = [run("forecast", "sales.csv", *NAIVE, "--seed", seed)[1] for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


def test_quantiles_and_settings_are_those_asked_for(run, sales):
    code, out, _ = run("forecast", "sales.csv", *NAIVE, "--quantiles", "0.25, 0.75", "--set", "season_length=1")
    frame = pd.read_csv(io.StringIO(out))
    assert code == 0 and list(frame.columns)[3:] == ["q0.25", "q0.75"]
    last = sales["y"].iloc[-1]
    assert abs(frame["mean"].iloc[3] - last) < 2.0  # the last value, not the first day of the week


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_every_format_comes_in_and_goes_out(run, sales, here, suffix):
    sales["ds"] = pd.to_datetime(sales["ds"])
    write_table(sales, here / f"in.{suffix}")
    code, out, err = run("forecast", f"in.{suffix}", *NAIVE, "--output", f"out.{suffix}")
    assert (code, out, after_reading(err)) == (0, "", [f"wrote out.{suffix}"])
    _, reference, _ = run("forecast", "sales.csv", *NAIVE)
    wanted = pd.read_csv(io.StringIO(reference), keep_default_na=False, parse_dates=["ds"])
    frame = read_table(here / f"out.{suffix}").frame
    frame["ds"] = pd.to_datetime(frame["ds"])
    pd.testing.assert_frame_equal(frame, wanted, check_dtype=False)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_the_format_of_standard_input_is_found_by_its_first_bytes(run, piped, sales, here, suffix):
    write_table(sales, here / f"in.{suffix}")
    piped((here / f"in.{suffix}").read_bytes())
    code, out, _ = run("forecast", "-", *NAIVE, "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and len(rows) == 6 and rows[0]["unique_id"] == "NA" and rows[0]["ds"] == "2024-01-29"


def test_parquet_goes_through_a_pipe_byte_for_byte(sales, here):
    command = [sys.executable, "-P", "-m", "tsformers", "forecast", "-", *NAIVE, "--format", "parquet"]
    done = subprocess.run(command, input=(here / "sales.csv").read_bytes(), capture_output=True, check=True)
    assert len(pd.read_parquet(io.BytesIO(done.stdout))) == 6


def test_whole_numbers_are_integer_time(run, here):
    pd.DataFrame({"unique_id": 1, "ds": range(10, 20), "y": 1.0}).to_csv(here / "a.csv", index=False)
    code, out, _ = run("forecast", "a.csv", *NAIVE, "--freq", "1")
    assert code == 0 and pd.read_csv(io.StringIO(out))["ds"].tolist() == [20, 21, 22]


def test_columns_may_have_other_names(run, sales, here):
    sales.rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"}).to_csv(here / "s.csv", index=False)
    names = ["--id-col", "shop", "--time-col", "day", "--target-col", "sold"]
    code, out, _ = run("forecast", "s.csv", *NAIVE, *names)
    assert code == 0 and out.startswith("shop,day,mean")


def test_a_saved_model_forecasts_what_it_did_and_takes_no_settings(run, sales, here):
    code, first, err = run("forecast", "sales.csv", *NAIVE, "--save", "kept")
    assert (code, after_reading(err)) == (0, ["wrote kept"])
    assert run("forecast", "sales.csv", "--model", "kept")[1] == first
    assert run("forecast", "sales.csv", "--model", "kept", "--horizon", 3)[1] == first
    assert mistake(run("forecast", "sales.csv", "--model", "kept", "--horizon", 4), "kept is fitted", "--horizon")
    assert mistake(run("forecast", "sales.csv", "--model", "kept", "--set", "seed=1"), "--set")
    assert mistake(run("forecast", "sales.csv", "--model", "kept", "--freq", "D"), "--freq")


def test_a_folder_that_holds_no_model_is_named(run, sales, here):
    (here / "empty").mkdir()
    assert mistake(run("forecast", "sales.csv", "--model", "empty"), "empty")
    assert mistake(run("forecast", "sales.csv", "--model", "gone/away"), "gone/away")


def test_a_plot_is_drawn(run, sales, here):
    pytest.importorskip("matplotlib")
    code, _, err = run("forecast", "sales.csv", *NAIVE, "--plot", "f.png", "-o", "f.csv")
    assert code == 0 and after_reading(err) == ["wrote f.csv, f.png"]
    assert (here / "f.png").read_bytes().startswith(b"\x89PNG")


def test_a_forecaster_of_ones_own_is_used_by_its_name(run, sales, here):
    (here / "mine.py").write_text(
        "from tsformers.forecasters.seasonal_naive import SeasonalNaive\n"
        "class Mine(SeasonalNaive):\n    '''Mine, all mine.'''\nFORECASTERS = {'mine': Mine}\n"
    )
    code, out, _ = run("forecast", "sales.csv", "--model", "mine", "--horizon", 3, "--plugin", "mine.py")
    assert code == 0 and out == run("forecast", "sales.csv", *NAIVE)[1]
    assert 'mine,"Mine, all mine."' in run("models", "list", "--plugin", "mine.py")[1]
    words = ("--model", "mine", "--horizon", 3, "--plugin", "mine.py", "--save", "kept", "-o", "f.csv")
    assert run("forecast", "sales.csv", *words)[0] == 0
    assert run("forecast", "sales.csv", "--model", "kept", "--plugin", "mine.py")[1] == out


def test_known_covariates_come_with_their_future(run, sales, here):
    sales.assign(price=1.0).to_csv(here / "s.csv", index=False)
    days = pd.date_range("2024-01-29", periods=3).strftime("%Y-%m-%d")
    future = pd.DataFrame({"unique_id": ["NA"] * 3 + ["b"] * 3, "ds": [*days] * 2, "price": 1.0})
    future.to_csv(here / "f.csv", index=False)
    words = ["forecast", "s.csv", "--model", "Autoformer", "--horizon", 3, "--known", "price"]
    words += ["--set", "max_steps=1", "--set", "context_length=6", "--set", "d_model=8", "--set", "d_ff=8"]
    code, out, _ = run(*words, "--future", "f.csv")
    assert code == 0 and len(out.splitlines()) == 7
    future.iloc[:-1].to_csv(here / "f.csv", index=False)
    assert mistake(run(*words, "--future", "f.csv"), "'b'", "2024-01-31")


def test_a_missing_horizon_is_asked_for(run, sales):
    assert mistake(run("forecast", "sales.csv"), "--horizon is missing")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["is empty"]),
        ("unique_id,ds,y\n", ["empty"]),
        ("unique_id,ds\na,2024-01-01\n", ["--target-col"]),
        ("unique_id,ds,y\na,2024-01-01,cheap\na,2024-01-02,1\n", ["'y'", "'a'", "cheap", "line 2", "--missing cheap"]),
        ("unique_id,ds,y\na,2024-01-01,1\na,2024-01-01,2\n", ["'a'", "2024-01-01"]),
        ("unique_id,ds,y\na,2024-01-01,1\na,yesterday,2\n", ["'ds'", "yesterday", "line 3"]),
        ("unique_id,ds,y\n,2024-01-01,1\n", ["unique_id", "line 2"]),
        ('{"unique_id": "a", "ds": }\n', ["cannot be read as JSON lines", "line 1"]),
    ],
)
def test_data_that_cannot_be_used_are_refused_by_row(run, here, text, parts):
    (here / "bad.csv").write_text(text)
    code, out, err = run("forecast", "bad.csv", *NAIVE, *(["--input-format", "jsonl"] if text.startswith("{") else []))
    assert refusal((code, out, err), *parts)


def test_what_was_read_is_said_and_quiet_silences_it(run, sales):
    code, out, err = run("forecast", "sales.csv", *NAIVE)
    assert code == 0 and err[0] == "read sales.csv: separator ','" and "2 series (column 'unique_id')" in err[1]
    assert run("forecast", "sales.csv", *NAIVE, "--quiet") == (0, out, [])


@pytest.mark.parametrize(
    ("text", "option", "words"),
    [
        (
            "day,n,s\n2024-01-01,1,2\n2024-01-02,3,4\n2024-01-03,3,4\n",
            "--wide",
            "2 series (one a column), every day from",
        ),
        (
            "land,2021,2022,2023\nn,1,2,3\ns,3,4,5\n",
            "--wide-rows",
            "2 series (one a row), every year (YS-JAN) from 2021",
        ),
    ],
)
def test_the_reading_of_a_wide_table_names_no_column_that_it_lacks(run, here, text, option, words):
    (here / "wide.csv").write_text(text)
    code, _, err = run("forecast", "wide.csv", *NAIVE, option)
    assert code == 0 and err[1].startswith(words), err


ENDLESS = ["--model", "LRU", "--horizon", 3, "--set", "max_steps=1000000", "--set", "context_length=7"]


def test_a_plan_is_checked_before_training(run, sales, here):
    sales.assign(price=1.0).to_csv(here / "s.csv", index=False)
    days = pd.date_range("2024-01-29", periods=3).strftime("%Y-%m-%d")
    plan = pd.DataFrame({"unique_id": ["NA"] * 3 + ["b"] * 3, "ds": [*days] * 2, "price": 1.0})
    plan.rename(columns={"price": "cost"}).to_csv(here / "other.csv", index=False)
    plan[plan["ds"] < "2024-01-31"].to_csv(here / "short.csv", index=False)
    words = ["forecast", "s.csv", *ENDLESS]
    assert refusal(run(*words, "--known", "price"), "--future", "price")
    assert refusal(run(*words, "--future", "other.csv"), "--known")
    assert mistake(run(*words, "--known", "price", "--future", "other.csv"), "price")
    assert mistake(run(*words, "--known", "price", "--future", "short.csv"), "2024-01-31")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--output", "no/f.csv"], ["--output no/f.csv", "no folder no"]),
        (["--plot", "no/f.png"], ["--plot no/f.png", "no folder no"]),
        (["--output", "./sales.csv"], ["--output ./sales.csv is the input"]),
        (["--output", "f.csv", "--plot", "f.csv"], ["--plot f.csv names no kind of picture"]),
        (["--format", "xls"], ["xls"]),
    ],
)
def test_outputs_are_checked_before_any_work(run, sales, here, words, parts):
    before = (here / "sales.csv").read_bytes()
    assert refusal(run("forecast", "sales.csv", *ENDLESS, *words), *parts)
    assert (here / "sales.csv").read_bytes() == before


def test_a_folder_does_not_hide_a_class_of_its_name(run, sales, here):
    (here / "SeasonalNaive").mkdir()
    assert run("forecast", "sales.csv", *NAIVE)[0] == 0
    assert mistake(run("forecast", "sales.csv", "--model", "./SeasonalNaive", "--horizon", 3), "SeasonalNaive")


def test_a_saved_model_binds_roles_and_times(run, here):
    rows = [f"{name};{day:02d}.02.2024;{day % 7}" for name in ("007", "7") for day in range(1, 29)]
    (here / "a.csv").write_text("\n".join(["shop;day;sold", *rows]) + "\n")
    first = run("forecast", "a.csv", *NAIVE, "--id-col", "shop", "--save", "kept")
    assert first[0] == 0 and first[1].splitlines()[1].startswith("007,29.02.2024")
    code, out, err = run("forecast", "a.csv", "--model", "kept")
    assert (code, out) == first[:2] and err[0] == "read a.csv: separator ';'"
    assert run("forecast", "a.csv", "--model", "kept", "--id-col", "shop")[1] == out
    assert mistake(run("forecast", "a.csv", "--model", "kept", "--time-format", "count"), "takes no --time-format")
    assert mistake(run("forecast", "a.csv", "--model", "kept", "--short", "drop"), "--short")


def test_counts_are_forecast_as_counts(run, here):
    """Also by a job file; what is no count is refused in one line with what a shell can type."""
    rows = pd.DataFrame({"unique_id": "part", "ds": range(40), "y": [0, 0, 3, 0, 1] * 8})
    rows.to_csv(here / "parts.csv", index=False)
    asked = ("--model", "Intermittent", "--horizon", "3", "--freq", "1")
    code, out, _ = run("forecast", "parts.csv", *asked, "--quantiles", "0.05,0.5,0.77,0.99")
    found = pd.read_csv(io.StringIO(out)).filter(regex="^q")
    assert code == 0 and (found == found.round()).all(axis=None) and found.min(axis=None) >= 0
    (here / "job.toml").write_text(
        '[data]\nfile = "parts.csv"\nfreq = 1\n[backtest]\nhorizon = 3\nwindows = 1\nmetrics = ["mae"]\n'
        '[models.counts]\nclass = "Intermittent"\nmethod = "tsb"\nalpha = 0.2\nseed = 0\n'
    )
    code, out, _ = run("backtest", "job.toml")
    assert code == 0 and "counts" in out
    rows.assign(y=rows.y + 0.5).to_csv(here / "halves.csv", index=False)
    code, _, err = run("forecast", "halves.csv", *asked)
    assert (
        code == 2
        and "series 'part' has y = 0.5 at ds = 0; for numbers of 0 or more choose --model Theta --low" in err[-1]
    )
