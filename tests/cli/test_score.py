"""The command score: forecasts that were written, against what happened."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from .conftest import NAIVE, mistake


def test_a_forecast_that_was_written_can_be_scored(run, sales, here):
    sales.groupby("unique_id").head(25).to_csv(here / "past.csv", index=False)
    sales.groupby("unique_id").tail(3).to_csv(here / "actual.csv", index=False)
    run("forecast", "past.csv", *NAIVE, "-o", "f.csv", "--quantiles", "0.1,0.25,0.5,0.75,0.9")
    words = ["score", "f.csv", "actual.csv", "--metrics", "crps,mae,coverage_80"]
    code, out, err = run(*words)
    frame = pd.read_csv(io.StringIO(out))
    assert (
        (code, len(err)) == (0, 2)
        and err[1].startswith("read actual.csv")
        and frame["metric"].tolist() == ["crps", "mae", "coverage_80"]
    )
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
    [("unique_id,ds\na,1\n", "neither q0.1"), ("unique_id,ds,mean\na,1,2\nb,1,2\nb,2,2\n", "rows")],
)
def test_a_forecast_that_cannot_be_read_is_refused(run, here, text, part):
    (here / "f.csv").write_text(text)
    (here / "y.csv").write_text("unique_id,ds,y\na,1,4.0\n")
    assert mistake(run("score", "f.csv", "y.csv"), part)


def test_scores_of_joined_ids_have_the_columns_of_both(run, sales, here):
    sales = sales.assign(region="n/a", shop=sales["unique_id"].map({"NA": 1, "b": 2})).drop(columns="unique_id")
    sales.groupby("shop").head(25).to_csv(here / "past.csv", index=False)
    sales.groupby("shop").tail(3).to_csv(here / "actual.csv", index=False)
    ids = ["--id-col", "region", "--id-col", "shop"]
    assert run("forecast", "past.csv", *NAIVE, *ids, "-o", "f.csv")[0] == 0
    scored = run(
        "score", "f.csv", "actual.csv", "--metrics", "mase", "--by", "unique_id", "--history", "past.csv", *ids
    )
    frame = pd.read_csv(io.StringIO(scored[1]), keep_default_na=False)
    assert scored[0] == 0 and [*frame.columns] == ["region", "shop", "metric", "value"]
    assert frame["region"].tolist() == ["n/a"] * 2 and frame["shop"].tolist() == [1, 2]
    one = run("score", "f.csv", "actual.csv", "--metrics", "mae", *ids)
    assert one[0] == 0 and len(one[1].splitlines()) == 2
