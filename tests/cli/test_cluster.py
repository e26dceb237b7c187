"""The command cluster: a label for each series, by every method."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf

from .conftest import after_reading, mistake


@pytest.mark.parametrize("method", ["ar", "kmeans", "gmm"])
def test_each_series_of_a_file_gets_a_cluster(run, table, here, method):
    code, _, err = run("cluster", "a.csv", "--clusters", 2, "--method", method, "-o", "c.csv", "--save", "m")
    assert code == 0 and after_reading(err) == ["wrote c.csv, m", "clusters: 3 series in 0, 3 series in 1"]
    labels = pd.read_csv(here / "c.csv")["cluster"]
    assert labels[::2].nunique() == labels[1::2].nunique() == 1
    assert tsf.load("m").predict(table)["cluster"].tolist() == labels.tolist()


def test_shares_stand_beside_the_label(run, table, here):
    assert run("cluster", "a.csv", "--clusters", 2, "--shares", "-o", "c.csv")[0] == 0
    found = pd.read_csv(here / "c.csv")
    np.testing.assert_allclose(found[["cluster_0", "cluster_1"]].sum(axis=1), 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cluster", "a.csv", "--clusters", "30"], "lower n_clusters"),
        (["cluster", "a.csv", "--method", "dbscan"], "choose one of transformer, ar, kmeans, gmm"),
        (["cluster", "a.csv", "--method", "kmeans"], "needs one number of --clusters"),
        (["cluster", "a.csv", "--set", "order=x"], "order"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, table, words, message):
    assert mistake(run(*words), message)


def test_text_in_the_values_is_named(run, here):
    (here / "bad.csv").write_text("unique_id,ds,y\na,1,5\na,2,high\n")
    assert mistake(run("cluster", "bad.csv"), "high")
