"""The command decompose: parts that add up, and a picture."""

import numpy as np
import pandas as pd
import pytest

from .conftest import after_reading, mistake


def test_parts_of_a_file_add_up_to_it(run, table, here):
    code, _, err = run("decompose", "a.csv", "--output", "parts.parquet", "--plot", "parts.png", "--ids", "s1,s4")
    assert code == 0 and after_reading(err) == ["wrote parts.parquet, parts.png"]
    parts = pd.read_parquet(here / "parts.parquet")
    assert list(parts) == ["unique_id", "ds", "trend", "seasonal", "remainder"]
    np.testing.assert_allclose(parts.iloc[:, 2:].sum(axis=1), table["y"], atol=1e-9)
    assert (here / "parts.png").read_bytes()[:4] == b"\x89PNG"


def test_several_periods_give_several_seasons(run, table, here):
    assert run("decompose", "a.csv", "--method", "mstl", "--period", "3,7", "-o", "p.csv")[0] == 0
    assert list(pd.read_csv(here / "p.csv"))[3:5] == ["seasonal_3", "seasonal_7"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["decompose", "a.csv", "--period", "0"], "--period: 0 is no whole number of 1 or more"),
        (["decompose", "a.csv", "--method", "x11"], "choose one of 'moving_average', 'stl', 'mstl'"),
        (["decompose", "a.csv", "--plot", "p.png", "--ids", "zz"], "--ids zz: there is no such series"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, table, words, message):
    assert mistake(run(*words), message)


def test_text_in_the_values_is_named(run, here):
    (here / "bad.csv").write_text("unique_id,ds,y\na,1,5\na,2,high\n")
    assert mistake(run("decompose", "bad.csv"), "high")
