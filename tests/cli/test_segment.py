"""The command segment: regimes, a picture, and saved models."""

import pandas as pd
import pytest

import tsformers as tsf

from .conftest import mistake

SEGMENT = ["--set", "max_steps=3", "--set", "context_length=16", "--set", "verbose=false"]


def test_regimes_of_a_file_come_with_a_picture(run, table, here):
    code, _, err = run("segment", "a.csv", "--regimes", 3, "--output", "r.csv", "--save", "m", *SEGMENT)
    assert code == 0 and err[-1] == "wrote r.csv, m, r.png"
    found = pd.read_csv(here / "r.csv")
    assert list(found) == ["unique_id", "ds", "regime", "probability", "expected_remaining"]
    assert len(found) == len(table) and found["regime"].between(0, 2).all() and found["probability"].between(0, 1).all()
    assert (here / "r.png").read_bytes()[:4] == b"\x89PNG"
    assert run("segment", "a.csv", "--model", "m", "-o", "again.csv", "--plot", "other.png", "--ids", "s2")[0] == 0
    pd.testing.assert_frame_equal(pd.read_csv(here / "again.csv"), found)
    assert (here / "other.png").exists()


def test_on_standard_output_the_picture_is_named_after_the_file(run, table, here):
    code, out, err = run("segment", "a.csv", "--regimes", 2, *SEGMENT)
    assert code == 0 and err[-1] == "wrote a_regimes.png"
    assert out.splitlines()[0] == "unique_id,ds,regime,probability,expected_remaining"


def test_a_model_that_finds_no_regimes_and_settings_beside_a_saved_one_are_refused(run, table):
    tsf.SeasonalNaive(horizon=2).fit(table).save("naive")
    assert "SeasonalNaive, which finds no regimes" in run("segment", "a.csv", "--model", "naive")[2][0]
    run("segment", "a.csv", "--regimes", 2, "--save", "m", "-o", "r.csv", *SEGMENT)
    assert "takes no n_regimes" in run("segment", "a.csv", "--model", "m", "--regimes", 2)[2][-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["segment", "a.csv", "--regimes", "3", "--set", "regimes=2"], "REDSDS has no setting 'regimes'"),
        (["segment", "nowhere.csv", "--regimes", "3"], "there is no such file"),
        (["segment", "a.csv", "--regimes", "3", "--target-col", "sales"], "sales"),
        (["segment", "a.csv", "--model", "nowhere"], "there is no saved model"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, table, words, message):
    assert mistake(run(*words), message)


def test_text_in_the_values_is_named(run, here):
    (here / "bad.csv").write_text("unique_id,ds,y\na,1,5\na,2,high\n")
    assert mistake(run("segment", "bad.csv"), "high")


def test_series_too_short_to_learn_from_can_be_dropped_and_have_regimes_too(run, table, here):
    short = table[(table["unique_id"] != "s0") | (table["ds"] < "2024-01-05")]
    short.to_csv(here / "short.csv", index=False)
    words = ["segment", "short.csv", "--regimes", 2, "-o", "r.csv", *SEGMENT]
    assert mistake(run(*words), "s0")
    assert run(*words, "--short", "drop")[0] == 0
    assert pd.read_csv(here / "r.csv")["unique_id"].nunique() == 6
