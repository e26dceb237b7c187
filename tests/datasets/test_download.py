"""Files of data sets: found, downloaded and checked."""

import re

import numpy as np
import pytest

from tsformers.datasets.load import load_dataset
from tsformers.errors import JobError

from .conftest import WHOLE, downloadable, write_table


def test_a_folder_of_TSFORMERS_DATA_may_hold_the_path_or_the_bare_name(mine, tmp_path, monkeypatch):
    mine.write_text(WHOLE.replace('"mine.csv"', '"deep/mine.csv"'))
    monkeypatch.setenv("TSFORMERS_DATA", f"{tmp_path / 'no'}:{tmp_path / 'yes'}")
    write_table(tmp_path / "yes")
    assert len(load_dataset(str(mine))) == 2
    write_table(tmp_path / "yes" / "deep", text="who,when,y\na,1,2.5\n")
    assert len(load_dataset(str(mine))) == 1


def test_a_file_beside_a_recipe_of_ones_own_is_found(mine):
    write_table(mine.parent)
    frame = load_dataset(str(mine))
    assert frame["unique_id"].tolist() == ["a", "a"] and frame["ds"].tolist() == [1, 2] and np.isnan(frame["y"][1])


def test_without_the_file_the_message_names_its_place_and_origin(mine, tmp_path):
    with pytest.raises(JobError, match="my drawer") as caught:
        load_dataset(str(mine))
    assert str(tmp_path / "cache" / "tsformers" / "mine.csv") in str(caught.value)
    assert "TSFORMERS_DATA" in str(caught.value)


def test_a_file_is_downloaded_once(mine, tmp_path):
    origin = write_table(tmp_path / "origin")
    downloadable(mine, origin)
    assert len(load_dataset(str(mine))) == 2
    origin.unlink()
    assert len(load_dataset(str(mine))) == 2
    assert [path.name for path in (tmp_path / "cache" / "tsformers").iterdir()] == ["mine.csv"]


def test_a_downloaded_file_with_a_wrong_checksum_is_refused_and_deleted(mine, tmp_path):
    downloadable(mine, write_table(tmp_path / "origin"), digest="0" * 64)
    with pytest.raises(JobError, match="sha256"):
        load_dataset(str(mine))
    assert not any((tmp_path / "cache" / "tsformers").iterdir())


def test_a_cached_file_that_was_damaged_is_refused_by_name(mine, tmp_path):
    origin = write_table(tmp_path / "origin")
    downloadable(mine, origin)
    load_dataset(str(mine))
    damaged = write_table(tmp_path / "cache" / "tsformers", text="who,when,y\n")
    with pytest.raises(JobError, match=re.escape(f"{damaged} has a wrong sha256; delete it")):
        load_dataset(str(mine))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/mine.csv", "file:///nowhere/mine.csv", "nonsense"])
def test_an_address_that_does_not_answer_is_named_with_the_remedy(mine, tmp_path, url):
    downloadable(mine, tmp_path, digest="0" * 64, url=url)
    with pytest.raises(JobError, match=r"could not be fetched .* put it as .*TSFORMERS_DATA"):
        load_dataset(str(mine))


def test_a_file_of_ones_own_that_differs_is_used_with_a_warning(mine, tmp_path):
    mine.write_text(f'{WHOLE}source.sha256 = "{"0" * 64}"\n')
    write_table(mine.parent)
    with pytest.warns(UserWarning, match="sha256 differs"):
        assert len(load_dataset(str(mine))) == 2
