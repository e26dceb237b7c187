"""The commands datasets list, show and export."""

import io
import json

import pandas as pd

from tsformers import load_dataset


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
    assert run("datasets", "export", "co2", "-o", "co2.csv")[0] == 0
    again = pd.read_csv(here / "co2.csv", parse_dates=["ds"])
    pd.testing.assert_frame_equal(again, load_dataset("co2"), check_exact=True, check_dtype=False)
