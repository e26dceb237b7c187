"""The commands decompose, cluster and segment: files in, tables and pictures out, mistakes told in one line."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.cli.app import main

SEGMENT = ["--set", "max_steps=3", "--set", "context_length=16", "--set", "verbose=false"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(here):
    """Walks and white noise with a week in it; names that are not the usual ones."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(6, 56)) + 3 * np.sin(2 * np.pi * np.arange(56) / 7)
    y[::2] = y[::2].cumsum(axis=1)
    days = pd.date_range("2024-01-01", periods=56)
    frame = {"unique_id": np.repeat([f"s{i}" for i in range(6)], 56), "ds": np.tile(days, 6), "y": y.ravel()}
    frame = pd.DataFrame(frame)
    frame.to_csv(here / "a.csv", index=False)
    return frame


@pytest.fixture
def run(capsys):
    def call(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


def test_parts_of_a_file_add_up_to_it(run, table, here):
    code, _, err = run("decompose", "a.csv", "--output", "parts.parquet", "--plot", "parts.png", "--ids", "s1,s4")
    assert code == 0 and err == ["wrote parts.parquet, parts.png"]
    parts = pd.read_parquet(here / "parts.parquet")
    assert list(parts) == ["unique_id", "ds", "trend", "seasonal", "remainder"]
    np.testing.assert_allclose(parts.iloc[:, 2:].sum(axis=1), table["y"], atol=1e-9)
    assert (here / "parts.png").read_bytes()[:4] == b"\x89PNG"


def test_several_periods_give_several_seasons(run, table, here):
    assert run("decompose", "a.csv", "--method", "mstl", "--period", "3,7", "-o", "p.csv")[0] == 0
    assert list(pd.read_csv(here / "p.csv"))[3:5] == ["seasonal_3", "seasonal_7"]


@pytest.mark.parametrize("method", ["ar", "kmeans", "gmm"])
def test_each_series_of_a_file_gets_a_cluster(run, table, here, method):
    code, _, err = run("cluster", "a.csv", "--clusters", 2, "--method", method, "-o", "c.csv", "--save", "m")
    assert code == 0 and err == ["wrote c.csv, m", "clusters: 3 series in 0, 3 series in 1"]
    labels = pd.read_csv(here / "c.csv")["cluster"]
    assert labels[::2].nunique() == labels[1::2].nunique() == 1
    assert tsf.load("m").predict(table)["cluster"].tolist() == labels.tolist()


def test_shares_stand_beside_the_label(run, table, here):
    assert run("cluster", "a.csv", "--clusters", 2, "--shares", "-o", "c.csv")[0] == 0
    found = pd.read_csv(here / "c.csv")
    np.testing.assert_allclose(found[["cluster_0", "cluster_1"]].sum(axis=1), 1)


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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decompose", "a.csv", "--period", "0"], "--period: 0 is no whole number of 1 or more"),
        (["decompose", "a.csv", "--method", "x11"], "choose one of 'moving_average', 'stl', 'mstl'"),
        (["decompose", "a.csv", "--plot", "p.png", "--ids", "zz"], "--ids zz: there is no such series"),
        (["cluster", "a.csv", "--clusters", "30"], "lower n_clusters"),
        (["cluster", "a.csv", "--method", "dbscan"], "choose one of transformer, ar, kmeans, gmm"),
        (["cluster", "a.csv", "--method", "kmeans"], "needs one number of --clusters"),
        (["cluster", "a.csv", "--set", "order=x"], "order"),
        (["segment", "a.csv", "--regimes", "3", "--set", "regimes=2"], "REDSDS has no setting 'regimes'"),
        (["segment", "nowhere.csv", "--regimes", "3"], "there is no such file"),
        (["segment", "a.csv", "--regimes", "3", "--target-col", "sales"], "sales"),
        (["segment", "a.csv", "--model", "nowhere"], "there is no saved model"),
    ],
)
def test_a_mistake_costs_one_line_and_exit_code_2(run, table, words, told):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert len(err) == 1 and told in err[0], err


def test_a_model_that_finds_no_regimes_and_settings_beside_a_saved_one_are_refused(run, table):
    tsf.SeasonalNaive(horizon=2).fit(table).save("naive")
    assert "SeasonalNaive, which finds no regimes" in run("segment", "a.csv", "--model", "naive")[2][0]
    run("segment", "a.csv", "--regimes", 2, "--save", "m", "-o", "r.csv", *SEGMENT)
    assert "takes no n_regimes" in run("segment", "a.csv", "--model", "m", "--regimes", 2)[2][0]


def test_text_in_the_values_is_told_by_its_row(run, here):
    (here / "bad.csv").write_text("unique_id,ds,y\na,1,5\na,2,high\n")
    for command in ("decompose", "cluster", "segment"):
        code, _, err = run(command, "bad.csv")
        assert code == 2 and "high" in err[0]
