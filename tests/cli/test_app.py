"""The command line: tables in and out, one line for a mistake, and no waiting for --help."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsformers.cli.app import main
from tsformers.cli.terminal import assignments, guarded
from tsformers.data.files.table_files import parse_times, read_table, write_table

JOB = '[data]\ndataset = "nile"\n[backtest]\nhorizon = 3\nwindows = 2\nmetrics = ["mae"]\n[models.naive]\n'
NAIVE = ["--model", "SeasonalNaive", "--horizon", "3"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every command runs in a folder of its own, far from data and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def sales(here):
    """Two daily series, as a CSV file."""
    days = pd.date_range("2024-01-01", periods=28).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"unique_id": ["NA"] * 28 + ["b"] * 28, "ds": [*days] * 2})
    frame["y"] = np.tile(np.arange(7.0), 8) + np.linspace(0, 1, 56) ** 2
    frame.to_csv(here / "sales.csv", index=False)
    return frame


@pytest.fixture
def run(capsys):
    """Runs a command; returns exit code, what it printed, and its lines on standard error."""

    def call(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


@pytest.fixture
def piped(monkeypatch):
    """Puts bytes on standard input."""

    def put(content: bytes):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


def mistake(answer, *parts):
    """The answer is exit code 2, nothing on standard output, and one line that holds all parts."""
    code, out, err = answer
    assert (code, out) == (2, ""), (code, out, err)
    assert len(err) == 1, err
    for part in parts:
        assert part in err[0], err[0]
    return True


# --help and start


@pytest.mark.parametrize(
    "words", [["--help"], ["forecast", "--help"], ["datasets", "--help"], ["models", "-h"], ["--version"]]
)
def test_help_waits_for_no_slow_library(words):
    slow = ("torch", "pandas", "numpy", "gluonts", "statsmodels", "sklearn", "scipy", "matplotlib", "joblib", "pyarrow")
    code = (
        f"import sys; from tsformers.cli.app import main; code = main({words!r}); "
        f"loaded = [name for name in {slow!r} if name in sys.modules]; print('LOADED', loaded, code)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED [] 0"


def test_listing_data_sets_does_not_wait_for_torch():
    code = "import sys; from tsformers.cli.app import main; main(['datasets', 'list']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_the_module_runs_as_the_command_does():
    done = subprocess.run([sys.executable, "-P", "-m", "tsformers", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("tsformers ")


def test_no_command_at_all_shows_the_help(run):
    code, out, err = run()
    assert "Usage" in out and code in (0, 2) and len(err) <= 1


# forecast


def test_a_forecast_has_one_row_a_series_and_step(run, sales):
    code, out, err = run("forecast", "sales.csv", *NAIVE)
    frame = pd.read_csv(io.StringIO(out), keep_default_na=False)
    assert (code, err) == (0, [])
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
    assert (code, out, err) == (0, "", [f"wrote out.{suffix}"])
    _, reference, _ = run("forecast", "sales.csv", *NAIVE)
    frame = read_table(here / f"out.{suffix}")
    pd.testing.assert_frame_equal(frame, read_table_text(reference, here), check_dtype=False)


def read_table_text(text: str, folder: Path) -> pd.DataFrame:
    (folder / "reference.csv").write_text(text)
    return read_table(folder / "reference.csv")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_standard_input_is_told_by_its_first_bytes(run, piped, sales, here, suffix):
    write_table(sales, here / f"in.{suffix}")
    piped((here / f"in.{suffix}").read_bytes())
    code, out, _ = run("forecast", "-", *NAIVE, "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and len(rows) == 6 and rows[0]["unique_id"] == "NA" and rows[0]["ds"] == "2024-01-29T00:00:00"


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
    assert (code, err) == (0, ["wrote kept"])
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
    assert code == 0 and err == ["wrote f.csv, f.png"]
    assert (here / "f.png").read_bytes().startswith(b"\x89PNG")


def test_a_forecaster_of_ones_own_is_used_by_its_name(run, sales, here):
    (here / "mine.py").write_text(
        "from tsformers.forecasters.seasonal_naive import SeasonalNaive\n"
        "class Mine(SeasonalNaive):\n    '''Mine, all mine.'''\nFORECASTERS = {'mine': Mine}\n"
    )
    code, out, _ = run("forecast", "sales.csv", "--model", "mine", "--horizon", 3, "--plugin", "mine.py")
    assert code == 0 and out == run("forecast", "sales.csv", *NAIVE)[1]
    assert 'mine,"Mine, all mine."' in run("models", "list", "--plugin", "mine.py")[1]


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


# mistakes


def test_a_missing_horizon_is_asked_for(run, sales):
    assert mistake(run("forecast", "sales.csv"), "--horizon is missing")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["forecast", "gone.csv", *NAIVE], ["gone.csv: there is no such file"]),
        (["forecast", ".", *NAIVE], ["cannot be read"]),
        (["forecast", "sales.csv", "--model", "Thetta", "--horizon", "2"], ["Thetta", "did you mean 'Theta'"]),
        (["forecast", "sales.csv", "--horizon", "0"], ["--horizon", "tsformers forecast --help"]),
        (["forecast", "sales.csv", "--horizon", "x"], ["--horizon"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season=4"], ["season_length"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season"], ["key=value"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season_length=0"], ["season_length"]),
        (["forecast", "sales.csv", *NAIVE, "--quantiles", "0.1,x"], ["--quantiles", "'x'"]),
        (["forecast", "sales.csv", *NAIVE, "--quantiles", "1.5"], ["levels"]),
        (["forecast", "sales.csv", *NAIVE, "--format", "xls"], ["xls", "csv, parquet or jsonl"]),
        (["forecast", "sales.csv", *NAIVE, "--input-format", "parquet"], ["sales.csv cannot be read as parquet"]),
        (["forecast", "sales.csv", *NAIVE, "-o", "out.xls"], ["out.xls", ".parquet"]),
        (["forecast", "sales.csv", *NAIVE, "-o", "no/out.csv"], ["no/out.csv cannot be written"]),
        (["forecast", "sales.csv", *NAIVE, "--freq", "furlong"], ["furlong"]),
        (["forecast", "sales.csv", *NAIVE, "--known", "price"], ["price"]),
        (["forecast", "sales.csv", *NAIVE, "--id-col", "shop"], ["shop"]),
        (["forecast", "sales.csv", *NAIVE, "--plugin", "gone.py"], ["gone.py"]),
        (["forecast", "sales.csv", *NAIVE, "--short", "perhaps"], ["perhaps"]),
        (["forecast"], ["FILE", "tsformers forecast --help"]),
        (["forecas"], ["forecas"]),
        (["forecast", "sales.csv", "--horizn", "3"], ["--horizn"]),
        (["backtest", "gone.toml"], ["gone.toml"]),
        (["backtest", "quikstart"], ["did you mean 'quickstart'"]),
        (["backtest", "fdr_simulation"], ["kind 'fdr' is no backtest", "`tsformers reproduce fdr_simulation` runs it"]),
        (["reproduce", "quickstart"], ["a backtest is no published table", "`tsformers backtest quickstart` runs it"]),
        (["reproduce", "quikstart"], ["there is no such file, nor a table of that name"]),
        (["datasets", "show", "etth1"], ["did you mean 'ETTh1'"]),
        (["datasets", "export", "ETTm2", "--extra", "x"], ["no extra column 'x'"]),
        (["datasets", "export", "m4_hourly"], ["TSFORMERS_DATA", "m4_hourly.parquet"]),
        (["models", "show", "SeasonalNaiv"], ["did you mean 'SeasonalNaive'"]),
        (["score", "gone.csv", "sales.csv"], ["gone.csv"]),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, sales, words, parts):
    assert mistake(run(*words), *parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["is empty"]),
        ("unique_id,ds,y\n", ["empty"]),
        ("unique_id,ds\na,2024-01-01\n", ["'y'"]),
        ("unique_id,ds,y\na,2024-01-01,cheap\na,2024-01-02,1\n", ["'y'", "'a'", "cheap", "row 0"]),
        ("unique_id,ds,y\na,2024-01-01,1\na,2024-01-01,2\n", ["'a'", "2024-01-01"]),
        ("unique_id,ds,y\na,2024-01-01,1\na,yesterday,2\n", ["'ds'", "yesterday", "row 1"]),
        ("unique_id,ds,y\n,2024-01-01,1\n", ["unique_id", "row 0"]),
        ('{"unique_id": "a", "ds": }\n', ["cannot be read as jsonl"]),
    ],
)
def test_data_that_cannot_be_used_are_refused_by_row(run, here, text, parts):
    (here / "bad.csv").write_text(text)
    code, out, err = run("forecast", "bad.csv", *NAIVE, *(["--input-format", "jsonl"] if text.startswith("{") else []))
    assert mistake((code, out, err), *parts)


def test_debug_shows_the_traceback_and_the_same_exit_code(run):
    code, out, err = run("--debug", "backtest", "gone.toml")
    assert (code, out) == (2, "") and err[0].startswith("Traceback") and "JobError" in "\n".join(err)


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

    monkeypatch.setattr("tsformers.cli.forecast.read_table", interrupt)
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
    assert len(err) == 1 and err[0].startswith("warning: ") and "'b'" in err[0]


# score


def test_a_forecast_that_was_written_can_be_scored(run, sales, here):
    sales.groupby("unique_id").head(25).to_csv(here / "past.csv", index=False)
    sales.groupby("unique_id").tail(3).to_csv(here / "actual.csv", index=False)
    run("forecast", "past.csv", *NAIVE, "-o", "f.csv", "--quantiles", "0.1,0.25,0.5,0.75,0.9")
    words = ["score", "f.csv", "actual.csv", "--metrics", "crps,mae,coverage_80"]
    code, out, err = run(*words)
    frame = pd.read_csv(io.StringIO(out))
    assert (code, err) == (0, []) and frame["metric"].tolist() == ["crps", "mae", "coverage_80"]
    median = pd.read_csv(here / "f.csv")["q0.5"].to_numpy()
    actual = pd.read_csv(here / "actual.csv")["y"].to_numpy()
    assert frame["value"][1] == pytest.approx(np.abs(median - actual).mean())
    by_series = pd.read_csv(io.StringIO(run(*words, "--by", "unique_id")[1]), keep_default_na=False)
    assert by_series["unique_id"].unique().tolist() == ["NA", "b"]
    assert by_series[by_series["metric"] == "mae"]["value"].mean() == pytest.approx(frame["value"][1])
    scaled = run("score", "f.csv", "actual.csv", "--metrics", "mase", "--history", "past.csv", "--format", "jsonl")
    assert scaled[0] == 0 and json.loads(scaled[1])["metric"] == "mase"
    assert mistake(run("score", "f.csv", "actual.csv", "--metrics", "mase"), "history")
    assert mistake(run("score", "f.csv", "actual.csv", "--metrics", "crpps"), "crpps")
    assert mistake(run("score", "-", "-"), "only one table")


def test_a_point_forecast_is_scored_as_one(run, here):
    (here / "f.csv").write_text("unique_id,ds,mean\na,1,5.0\na,2,6.0\n")
    (here / "y.csv").write_text("unique_id,ds,y\na,1,4.0\na,2,9.0\n")
    code, out, _ = run("score", "f.csv", "y.csv", "--metrics", "mae")
    assert code == 0 and out.splitlines()[1] == "mae,2.0"


@pytest.mark.parametrize(
    ("text", "part"),
    [("unique_id,ds\na,1\n", "no column 'mean'"), ("unique_id,ds,mean\na,1,2\nb,1,2\nb,2,2\n", "rows")],
)
def test_a_forecast_that_cannot_be_read_is_refused(run, here, text, part):
    (here / "f.csv").write_text(text)
    (here / "y.csv").write_text("unique_id,ds,y\na,1,4.0\n")
    assert mistake(run("score", "f.csv", "y.csv"), part)


# backtest, datasets, models


def test_a_backtest_prints_its_ranking_and_says_where_the_report_is(run, here):
    (here / "mine.toml").write_text(JOB + 'class = "SeasonalNaive"\n')
    code, out, err = run("backtest", "mine.toml")
    frame = pd.read_csv(io.StringIO(out))
    assert code == 0 and frame["model"].tolist() == ["naive"] and frame["mae"][0] > 0
    assert err[-1] == "report: runs/mine/report.html" and (here / "runs/mine/report.html").is_file()
    code, out, _ = run("backtest", "mine.toml", "--out", "r", "--output", "s.parquet")
    assert (code, out) == (0, "") and len(pd.read_parquet(here / "s.parquet")) == 1
    assert (here / "r" / "report.html").is_file()


def test_a_run_of_other_settings_is_not_mixed_with_what_is_there(run, here):
    (here / "mine.toml").write_text(JOB + 'class = "SeasonalNaive"\n')
    assert run("backtest", "mine.toml")[0] == 0
    (here / "mine.toml").write_text(JOB.replace("windows = 2", "windows = 3") + 'class = "SeasonalNaive"\n')
    assert mistake(run("backtest", "mine.toml"), "runs/mine")


def test_a_job_whose_models_all_fail_is_a_mistake_with_the_reason(run, here):
    (here / "bad.py").write_text(
        "class Bad:\n    '''Fails.'''\n    def __init__(self, horizon): self.horizon = horizon\n"
        "    def fit(self, data, **roles): raise ValueError('no such luck')\n"
        "    def predict(self, data=None, **more): ...\nFORECASTERS = {'bad': Bad}\n"
    )
    (here / "mine.toml").write_text(JOB + 'class = "bad"\n')
    code, _, err = run("backtest", "mine.toml", "--plugin", "bad.py")
    assert code == 2 and "no such luck" in err[-1]


def test_every_data_set_is_listed_with_its_licence(run):
    code, out, err = run("datasets", "list")
    frame = pd.read_csv(io.StringIO(out), keep_default_na=False)
    assert (code, err) == (0, []) and {"macrodata", "ETTh1", "m4_hourly"} <= set(frame["name"])
    assert (frame["licence"] != "").all() and frame.set_index("name")["here"]["nile"] == "yes"


def test_a_data_set_shows_where_it_comes_from(run):
    code, out, _ = run("datasets", "show", "m4_hourly", "--format", "jsonl")
    facts = {row["key"]: row["value"] for row in map(json.loads, out.splitlines())}
    assert code == 0 and facts["horizons"] == "48" and "M4-methods" in facts["origin"] and len(facts["sha256"]) == 64


def test_a_data_set_is_exported_as_it_loads(run, here):
    from tsformers import load_dataset

    assert run("datasets", "export", "co2", "-o", "co2.csv")[0] == 0
    pd.testing.assert_frame_equal(read_table(here / "co2.csv"), load_dataset("co2"))


def test_a_model_shows_its_settings_and_their_defaults(run):
    code, out, _ = run("models", "show", "SeasonalNaive")
    frame = pd.read_csv(io.StringIO(out), keep_default_na=False).set_index("setting")
    assert (
        code == 0 and frame.loc["horizon", "default"] == "required" and frame.loc["season_length", "default"] == "None"
    )


def test_a_terminal_is_shown_a_drawn_table(monkeypatch, run):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, _ = run("models", "show", "SeasonalNaive")
    assert code == 0 and "season_length" in out and "setting,default" not in out


# tables


def test_json_lines_keep_every_digit_and_what_is_missing(here):
    frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 2], "y": [0.1 + 0.2, np.nan], "z": [1e-300, 1e300]})
    write_table(frame, here / "a.jsonl")
    pd.testing.assert_frame_equal(read_table(here / "a.jsonl"), frame, check_exact=True)


def test_times_with_offsets_are_read_as_utc():
    mixed = parse_times(pd.Series(["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"]))
    assert mixed.tolist() == [pd.Timestamp("2024-03-31 00:00", tz="UTC"), pd.Timestamp("2024-03-31 01:00", tz="UTC")]
    one = parse_times(pd.Series(["2024-01-01T00:00:00+05:30"]))
    assert one[0] == pd.Timestamp("2023-12-31 18:30", tz="UTC")


def test_text_that_is_no_time_is_left_to_the_panel():
    times = pd.Series(["2024-01-01", "soon"])
    assert parse_times(times) is times


def test_settings_are_read_as_toml_and_else_as_text():
    assert assignments(["a=[1, 2]", 'b="x"', "c=x=y", "d=0.5", "e=False"]) == {
        "a": [1, 2],
        "b": "x",
        "c": "x=y",
        "d": 0.5,
        "e": False,
    }
