"""The application: no waiting for --help, and one line for a mistake in any command."""

import subprocess
import sys

import pytest

from .conftest import NAIVE, mistake


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


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["forecast", "gone.csv", *NAIVE], ["gone.csv: there is no such file"]),
        (["forecast", ".", *NAIVE], ["is a folder"]),
        (["forecast", "sales.csv", "--model", "Thetta", "--horizon", "2"], ["Thetta", "did you mean 'Theta'"]),
        (["forecast", "sales.csv", "--horizon", "0"], ["--horizon", "tsformers forecast --help"]),
        (["forecast", "sales.csv", "--horizon", "x"], ["--horizon"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season=4"], ["season_length"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season"], ["key=value"]),
        (["forecast", "sales.csv", *NAIVE, "--set", "season_length=0"], ["season_length"]),
        (["forecast", "sales.csv", *NAIVE, "--quantiles", "0.1,x"], ["--quantiles", "'x'"]),
        (["forecast", "sales.csv", *NAIVE, "--quantiles", "5,95"], ["levels", "--quantiles 0.05,0.95"]),
        (["forecast", "sales.csv", *NAIVE, "--format", "xls"], ["xls", "csv, parquet, jsonl"]),
        (["forecast", "sales.csv", *NAIVE, "--input-format", "parquet"], ["sales.csv cannot be read as Parquet"]),
        (["forecast", "sales.csv", *NAIVE, "-o", "out.xls"], ["out.xls", ".parquet"]),
        (["forecast", "sales.csv", *NAIVE, "-o", "no/out.csv"], ["--output no/out.csv", "no folder no"]),
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


def test_debug_shows_the_traceback_and_the_same_exit_code(run):
    code, out, err = run("--debug", "backtest", "gone.toml")
    assert (code, out) == (2, "") and err[0].startswith("Traceback") and "JobError" in "\n".join(err)
