"""Published experiments: the kind of a file decides which module reads it."""

from pathlib import Path

import pytest

from tsformers.errors import JobError
from tsformers.reproduction.dispatch import read_published
from tsformers.reproduction.fdr_simulation import Simulation


def test_the_shipped_simulation_is_found_by_its_kind_its_name_and_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("fdr", "fdr_simulation", "fdr_simulation.toml", "pipelines/fdr_simulation.toml"):
        asked = read_published(name)
        assert isinstance(asked, Simulation) and asked.path.name == "fdr_simulation.toml"
        assert asked.out == Path("runs/reproduce/fdr_simulation")


def test_the_kind_of_a_file_decides_which_module_reads_it(tmp_path):
    assert read_published("repeat").about.startswith("model: ")
    with pytest.raises(JobError, match="no horizon"):
        read_published("fdr", horizon=24)
    (tmp_path / "x.toml").write_text('kind = "fdrr"')
    with pytest.raises(JobError, match="did you mean 'fdr'"):
        read_published(tmp_path / "x.toml")
