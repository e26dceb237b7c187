"""Simulated testing: rates of the procedures, resuming, refusals, and the published powers."""

import textwrap

import numpy as np
import pandas as pd
import pytest

import tsformers.reproduction.fdr_simulation as fdr_simulation
from tsformers.errors import JobError
from tsformers.fdr import LORD
from tsformers.reproduction.fdr_simulation import Simulation, read_simulation
from tsformers.reproduction.fdr_streams import simulate

MINE = """
    kind = "fdr"
    title = "Mine"
    source = "nobody"
    decay = 0.9

    [procedures.plain]
    class = "LORD"

    [procedures.decayed]
    class = "LORD"
    decay = 0.9

    [experiments.sweep]
    length = 200
    repeats = 3
    strength = [4.0]
    targets = { first = 0.1, last = 0.1, count = 1 }
    shares = { first = 0.01, last = 0.1, count = 2 }
    published_at = [1]
    published.decayed = { power = [0.7], fdr = [0.05] }

    [experiments.curve]
    length = 150
    repeats = 2
    share = [0.1, 0.02]
    strength = [4.0]
    gamma_size = 50
    targets = { first = 0.5, last = 0.1, count = 3 }
    thresholds = { first = 0.1, last = 0.001, count = 3 }
"""
WITH_PICTURES = ("a_row_for_each", "the_command")


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """Pictures take seconds; two tests alone look at them."""
    if not any(name in request.node.name for name in WITH_PICTURES):
        monkeypatch.setattr(fdr_simulation, "draw", lambda found, folder: [])


@pytest.fixture
def simulation(tmp_path):
    """Writes a file and reads it."""

    def read(text: str = MINE, **chosen) -> Simulation:
        (tmp_path / "mine.toml").write_text(textwrap.dedent(text))
        return read_simulation(tmp_path / "mine.toml", **{"out": tmp_path / "run"} | chosen)

    return read


def test_a_row_for_each_experiment_share_and_procedure_beside_the_published_rates(simulation, tmp_path):
    lines: list[str] = []
    found = simulation().run(lines.append)
    assert found[["experiment", "share", "procedure"]].to_numpy().tolist() == [
        [experiment, share, procedure]
        for experiment, share in (("sweep", "0.01"), ("sweep", "0.1"), ("curve", "0.1 to 0.02"))
        for procedure in ("plain", "decayed")
    ]
    assert found["published_power"].dropna().tolist() == [0.7] and found["published_power"][3] == 0.7
    assert found["published_decayed_fdr"].isna().all() and (found["target"] == 0.1).all()
    assert lines[:3] == [
        "sweep-00: 3 streams of 200 tests",
        "sweep-01: 3 streams of 200 tests",
        "curve: 2 streams of 150 tests",
    ]
    pictures = sorted(path.name for path in (tmp_path / "run").glob("*.png"))
    assert pictures == ["fdr_curves.png", "fdr_curves_decayed.png", "fdr_sweep.png"]


def test_the_rates_are_those_of_the_procedure_run_on_each_stream(simulation):
    read = simulation(dataset="sweep")
    row = read.run().set_index(["share", "procedure"]).loc[("0.1", "decayed")]
    cell = read.cells[1]
    p, anomalous = simulate(cell.table, cell.share, 3, read.seed(cell))
    rejected = np.array([LORD(alpha=0.1, decay=0.9).test_many(stream)[1] for stream in p])
    assert row["power"] == np.mean([(r & a).sum() / max(a.sum(), 1) for r, a in zip(rejected, anomalous, strict=True)])
    assert row["fdr"] == np.mean([(r & ~a).sum() / max(r.sum(), 1) for r, a in zip(rejected, anomalous, strict=True)])


def test_finished_cells_are_kept_and_the_rest_is_measured(simulation, tmp_path, monkeypatch):
    first = simulation().run()
    (tmp_path / "run" / "curve.json").unlink()
    measured = []
    measure = Simulation.measure
    monkeypatch.setattr(Simulation, "measure", lambda self, cell: measured.append(cell.name) or measure(self, cell))
    pd.testing.assert_frame_equal(simulation().run(), first)
    assert measured == ["curve"]


def test_cells_of_other_settings_are_refused(simulation):
    simulation(dataset="curve").run()
    with pytest.raises(JobError, match="repeats = 2, now it is 5"):
        simulation(dataset="curve", repeats=5).run()
    with pytest.raises(JobError, match="procedures"):
        simulation(
            MINE.replace("decay = 0.9\n\n    [experiments", "decay = 0.8\n\n    [experiments"), dataset="curve"
        ).run()


def test_one_experiment_can_run_alone(simulation):
    assert [cell.name for cell in simulation(dataset="sweep").cells] == ["sweep-00", "sweep-01"]
    with pytest.raises(JobError, match="did you mean 'sweep'"):
        simulation(dataset="sweeep")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class = "LORD"', 'class = "LARD"', "did you mean 'LORD'"),
        (
            "decay = 0.9\n\n    [experiments",
            "decay = 9.0\n\n    [experiments",
            "procedures.decayed: decay must be",
        ),
        ("decay = 0.9\n\n    [experiments", "fade = 9.0\n\n    [experiments", "procedures.decayed.*fade"),
        ("share = [0.1, 0.02]", "", "either share"),
        ("share = [0.1, 0.02]", "share = [0.1, 0.02, 0.3]", "curve.share must hold"),
        ("published_at = [1]", "published_at = [1, 0]", "one number for each"),
        ("published_at = [1]", "published_at = [2]", "one number for each"),
        ("repeats = 3", "repeat = 3", "did you mean 'repeats'"),
    ],
)
def test_a_file_with_a_mistake_is_refused_before_anything_runs(simulation, old, new, message):
    with pytest.raises(JobError, match=message):
        simulation(MINE.replace(old, new))


def test_the_published_powers_are_reproduced(tmp_path):
    """Two shares of experiment 1 with 20 streams each; the page of the procedures asks for 0.03 from 20 streams on.

    SAFFRON is not compared: the published one uses the p-value under test.
    """
    read = read_simulation("fdr", dataset="rates", repeats=20)
    found = Simulation(path=read.path, table=read.table, cells=(read.cells[8], read.cells[10]), out=tmp_path).run()
    compared = found[found["published_power"].notna() & (found["procedure"] != "SAFFRON")]
    assert len(compared) == 8
    assert (compared["power"] - compared["published_power"]).abs().max() < 0.03
