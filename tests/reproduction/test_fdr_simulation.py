"""Simulated testing: streams as asked, rates as defined, resuming, refusals, and the numbers of the publication."""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import tsformers.reproduction.fdr_simulation as fdr_simulation
from tsformers.cli.app import main
from tsformers.errors import JobError
from tsformers.fdr import LORD
from tsformers.reproduction.dispatch import read_published
from tsformers.reproduction.fdr_simulation import (
    ExperimentTable,
    RangeTable,
    Simulation,
    rates,
    read_simulation,
    simulate,
)

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
ONE = RangeTable(first=0.1, last=0.1, count=1)


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """Pictures take seconds, and are looked at in two tests alone."""
    if not any(name in request.node.name for name in WITH_PICTURES):
        monkeypatch.setattr(fdr_simulation, "draw", lambda found, folder: [])


@pytest.fixture
def asked(tmp_path):
    """Writes a file of its own and reads it."""

    def read(text: str = MINE, **chosen) -> Simulation:
        (tmp_path / "mine.toml").write_text(textwrap.dedent(text))
        return read_simulation(tmp_path / "mine.toml", **{"out": tmp_path / "run"} | chosen)

    return read


def test_a_row_for_each_experiment_share_and_procedure_with_what_was_published(asked, tmp_path):
    told: list[str] = []
    found = asked().run(told.append)
    assert found[["experiment", "share", "procedure"]].to_numpy().tolist() == [
        [experiment, share, procedure]
        for experiment, share in (("sweep", "0.01"), ("sweep", "0.1"), ("curve", "0.1 to 0.02"))
        for procedure in ("plain", "decayed")
    ]
    assert found["published_power"].dropna().tolist() == [0.7] and found["published_power"][3] == 0.7
    assert found["published_decayed_fdr"].isna().all() and (found["target"] == 0.1).all()
    assert told[:3] == [
        "sweep-00: 3 streams of 200 tests",
        "sweep-01: 3 streams of 200 tests",
        "curve: 2 streams of 150 tests",
    ]
    pictures = sorted(path.name for path in (tmp_path / "run").glob("*.png"))
    assert pictures == ["fdr_curves.png", "fdr_curves_decayed.png", "fdr_sweep.png"]


def test_the_rates_are_those_of_the_procedure_run_on_each_stream(asked):
    read = asked(dataset="sweep")
    row = read.run().set_index(["share", "procedure"]).loc[("0.1", "decayed")]
    cell = read.cells[1]
    p, anomalous = simulate(cell.table, cell.share, 3, read.seed(cell))
    rejected = np.array([LORD(alpha=0.1, decay=0.9).test_many(stream)[1] for stream in p])
    assert row["power"] == np.mean([(r & a).sum() / max(a.sum(), 1) for r, a in zip(rejected, anomalous, strict=True)])
    assert row["fdr"] == np.mean([(r & ~a).sum() / max(r.sum(), 1) for r, a in zip(rejected, anomalous, strict=True)])


def test_decayed_rates_are_those_of_the_recursion():
    rng = np.random.default_rng(0)
    alarms, truth = rng.random((2, 4, 300)) < 0.1
    expected = []
    for alarm, anomalous in zip(alarms, truth, strict=True):
        false = all_ = 0.0
        for r, a in zip(alarm, anomalous, strict=True):
            false, all_ = 0.95 * false + (r and not a), 0.95 * all_ + r
        expected.append((false / max(all_, 1), false / (all_ + 1)))
    found = rates(alarms, truth, 0.95)
    assert (found["decayed_fdr"], found["smoothed_fdr"]) == pytest.approx(tuple(np.mean(expected, axis=0)))


@pytest.mark.parametrize("autoregression", [0.0, 0.9])
def test_p_values_of_what_is_normal_are_uniform_and_anomalies_are_as_strong_as_asked(autoregression):
    table = ExperimentTable(length=4000, repeats=5, strength=[3.0], targets=ONE, autoregression=autoregression)
    p, anomalous = simulate(table, [0.3], 5, [1])
    assert stats.kstest(p[~anomalous], "uniform").pvalue > 1e-3
    assert stats.norm.isf(p[anomalous]).mean() == pytest.approx(3, abs=0.05)
    assert anomalous.mean() == pytest.approx(0.3, abs=0.02)


def test_lines_in_time_go_from_one_end_to_the_other():
    table = ExperimentTable(length=2000, repeats=50, strength=[2.0, 5.0], noise=[1.0, 2.0], targets=ONE)
    p, anomalous = simulate(table, [0.1, 0.4], 50, [2])
    z = stats.norm.isf(p)
    assert [anomalous[:, part].mean() for part in (slice(0, 100), slice(-100, None))] == pytest.approx(
        [0.1, 0.4], abs=0.03
    )
    for part, strength, noise in ((slice(0, 100), 2, 1), (slice(-100, None), 5, 2)):
        assert z[:, part][~anomalous[:, part]].std() == pytest.approx(noise, abs=0.12)
        assert z[:, part][anomalous[:, part]].mean() == pytest.approx(strength, abs=0.35)


def test_finished_cells_are_kept_and_the_rest_goes_on(asked, tmp_path, monkeypatch):
    first = asked().run()
    (tmp_path / "run" / "curve.json").unlink()
    measured = []
    measure = Simulation._measure
    monkeypatch.setattr(Simulation, "_measure", lambda self, cell: measured.append(cell.name) or measure(self, cell))
    pd.testing.assert_frame_equal(asked().run(), first)
    assert measured == ["curve"]


def test_cells_of_other_settings_are_refused(asked):
    asked(dataset="curve").run()
    with pytest.raises(JobError, match="repeats = 2, now it is 5"):
        asked(dataset="curve", repeats=5).run()
    with pytest.raises(JobError, match="procedures"):
        asked(MINE.replace("decay = 0.9\n\n    [experiments", "decay = 0.8\n\n    [experiments"), dataset="curve").run()


def test_an_experiment_can_be_asked_for_alone(asked):
    assert [cell.name for cell in asked(dataset="sweep").cells] == ["sweep-00", "sweep-01"]
    with pytest.raises(JobError, match="did you mean 'sweep'"):
        asked(dataset="sweeep")


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
def test_a_file_that_cannot_be_meant_is_refused_before_anything_runs(asked, old, new, message):
    with pytest.raises(JobError, match=message):
        asked(MINE.replace(old, new))


def test_the_shipped_simulation_answers_to_its_kind_its_name_and_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("fdr", "fdr_simulation", "fdr_simulation.toml", "pipelines/fdr_simulation.toml"):
        asked = read_published(name)
        assert isinstance(asked, Simulation) and asked.path.name == "fdr_simulation.toml"
        assert asked.out == Path("runs/reproduce/fdr_simulation")


def test_a_kind_decides_who_reads_the_file(tmp_path):
    assert read_published("repeat").about.startswith("model: ")
    with pytest.raises(JobError, match="no horizon"):
        read_published("fdr", horizon=24)
    (tmp_path / "x.toml").write_text('kind = "fdrr"')
    with pytest.raises(JobError, match="did you mean 'fdr'"):
        read_published(tmp_path / "x.toml")


def test_the_command_prints_the_table_and_where_the_pictures_are(tmp_path, capfd):
    (tmp_path / "mine.toml").write_text(textwrap.dedent(MINE))
    words = ["reproduce", str(tmp_path / "mine.toml"), "--dataset", "curve", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert (
        out.startswith("experiment,share,procedure,target,repeats,power,fdr,decayed_fdr") and len(out.splitlines()) == 3
    )
    assert "fdr_curves.png" in err and "published: nobody" in err


def test_the_published_powers_come_out_again(tmp_path):
    """Two shares of experiment 1 with 20 streams each; the page of the procedures asks for 0.03 from 20 streams on.

    SAFFRON is not compared: the published one looks at the p-value under test.
    """
    read = read_simulation("fdr", dataset="rates", repeats=20)
    found = Simulation(path=read.path, table=read.table, cells=(read.cells[8], read.cells[10]), out=tmp_path).run()
    compared = found[found["published_power"].notna() & (found["procedure"] != "SAFFRON")]
    assert len(compared) == 8
    assert (compared["power"] - compared["published_power"]).abs().max() < 0.03
