"""Auto as the default model of the command forecast: what it says, and the options that repeat it."""

import io
import re
import shlex

import pandas as pd
import pytest

from .conftest import mistake

QUICK = ["--set", 'models=["SeasonalNaive", "Theta", "Theta(method=dynamic)"]']


def test_auto_is_the_default_and_says_which_models_carry_the_answer(run, sales):
    code, out, err = run("forecast", "sales.csv", "--horizon", 3, *QUICK)
    assert code == 0 and len(pd.read_csv(io.StringIO(out))) == 6
    (said,) = [line for line in err if line.startswith("the forecast is of ")]
    assert re.search(
        r"(SeasonalNaive|Theta\S*) \d+ %.*: on \d+ held-out windows its error is .* of SeasonalNaive", said
    )
    assert not any("compared with" in line for line in err)


def test_the_line_repeats_the_answer(run, sales):
    words = ["forecast", "sales.csv", "--horizon", 3, *QUICK, "--time-limit", 100, "--seed", 3]
    _, first, err = run(*words)
    (line,) = [line for line in err if line.startswith("to repeat it: ")]
    options = shlex.split(line.removeprefix("to repeat it: "))
    assert "--time-limit" not in options and "time_limit=none" in options
    assert run("forecast", "sales.csv", "--horizon", 3, *options, "--seed", 3)[1] == first


def test_a_bounded_and_a_saved_auto_say_the_same(run, sales):
    _, _, err = run("forecast", "sales.csv", "--horizon", 3, *QUICK, "--lower", 0, "--save", "kept")
    assert any(line.startswith("the forecast is of ") for line in err)
    code, out, _ = run("forecast", "sales.csv", "--model", "kept/")
    assert code == 0 and len(out.splitlines()) == 7


@pytest.mark.parametrize("words", [["--model", "Theta"], ["--model", "kept/"]])
def test_a_limit_for_another_model_is_refused(run, sales, words):
    assert mistake(run("forecast", "sales.csv", "--horizon", 3, *words, "--time-limit", 10), "--time-limit")


def test_quiet_silences_what_auto_says(run, sales):
    _, _, err = run("forecast", "sales.csv", "--horizon", 3, *QUICK, "--quiet")
    assert not any("forecast is of" in line for line in err)
