"""The command reproduce: published tables and simulations, measured again."""

import pandas as pd

import tsformers.reproduction.published_tables as published_tables
from tsformers.reproduction.long_horizon import split_frame

SIMULATION = """
kind = "fdr"
source = "nobody"
procedures.plain.class = "LORD"
procedures.decayed = { class = "LORD", decay = 0.9 }

[experiments.curve]
length = 150
repeats = 2
share = [0.1, 0.02]
strength = [4.0]
gamma_size = 50
targets = { first = 0.5, last = 0.1, count = 3 }
"""
TABLE = """
source = "nobody"
n_samples = 4
model = { class = "Linear", likelihood = "squared_error", max_steps = 5 }

[datasets.walk]
context_length = 8
horizons = [2, 4]
published.4 = { mse = 1.5, mae = 1.25 }
"""


def test_a_simulation_prints_its_table_and_where_the_figures_are(run, here):
    (here / "mine.toml").write_text(SIMULATION)
    code, out, err = run("reproduce", "mine.toml", "--dataset", "curve", "--out", "run")
    assert code == 0 and len(out.splitlines()) == 3
    assert out.startswith("experiment,share,procedure,target,repeats,power,fdr,decayed_fdr")
    assert "picture: run/fdr_curves.png" in err and "published: nobody; results: run" in err


def test_a_table_prints_measured_numbers_beside_published_ones(run, here, monkeypatch):
    rows = pd.DataFrame({"unique_id": "a", "ds": range(120), "y": [float(t % 7) for t in range(120)]})
    rows["split"] = ["train"] * 60 + ["validation"] * 20 + ["test"] * 40
    monkeypatch.setattr(published_tables, "split_dataset", lambda name: split_frame(rows, name, freq=1))
    (here / "mine.toml").write_text(TABLE)
    code, out, err = run("reproduce", "mine.toml", "--horizon", "4", "--seeds", "1", "--out", "run")
    assert code == 0
    assert out.splitlines()[0].startswith("dataset,horizon,context_length,seeds,windows,windows_32,mse,mae,mse_32")
    assert out.splitlines()[1].startswith("walk,4,8,1,37,32,")
    assert any("walk, horizon 4, seed 1: mse" in line for line in err) and "published: nobody; results: run" in err
    assert run("reproduce", "autoforme")[0] == 2
