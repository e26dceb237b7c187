"""Models in folders: they come back whole, foreign folders are left alone, and damage is named."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers.storage.folder as storage
from tsformers.errors import JobError
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import OWN, Keeper, Mine
from .round_trips import same


def test_a_model_with_models_inside_comes_back(tmp_path):
    inner = Keeper(horizon=7)
    inner._weights = {"layer/0": np.arange(3.0), "layer": {"0": torch.ones(2)}}
    model = Mine(horizon=3, inner=inner)
    model.fits_ = [1, (2.5, None), {("a", 1): np.array(["x", "yy"])}]
    model._private_ = "not learned"
    model.save(tmp_path / "deep" / "m")
    back = storage.load(str(tmp_path / "deep" / "m"), classes=OWN)
    assert (type(back), back.horizon, type(back.inner), back.inner.horizon) == (Mine, 3, Keeper, 7)
    assert same(back.fits_, model.fits_)
    assert same(back.inner._weights, inner._weights)
    assert not hasattr(back, "_private_")
    assert sorted(path.name for path in (tmp_path / "deep" / "m").iterdir()) == ["arrays.safetensors", "model.json"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["m"]


def test_a_model_without_arrays_and_one_that_was_never_fitted_come_back(tmp_path):
    storage.save(Mine(horizon=9), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).get_params() == {"horizon": 9, "inner": None}
    storage.save(Mine(inner=Keeper(horizon=2)), tmp_path / "template")
    assert storage.load(tmp_path / "template", classes=OWN).inner.horizon == 2


def test_a_forecaster_that_was_saved_forecasts_the_same(tmp_path):
    frame = pd.DataFrame({"unique_id": ["b"] * 12, "ds": pd.date_range("2024", periods=12, freq="ME"), "y": range(12)})
    model = SeasonalNaive(horizon=3, seed=1).fit(frame)
    model.save(tmp_path / "m")
    before, after = model.predict(), storage.load(tmp_path / "m").predict()
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_array_equal(after.times, before.times)
    assert after.freq == before.freq == "ME"
    raw = b"".join(path.read_bytes() for path in (tmp_path / "m").iterdir())
    assert b"pickle" not in raw
    assert json.loads((tmp_path / "m" / "model.json").read_text())["class"] == "SeasonalNaive"


def test_only_models_can_be_saved(tmp_path):
    with pytest.raises(TypeError, match="get_params"):
        storage.save({"a": 1}, tmp_path / "m")


def test_a_folder_that_is_no_saved_model_is_never_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        storage.save(Mine(), tmp_path)
    with pytest.raises(FileExistsError, match="is a file"):
        storage.save(Mine(), tmp_path / "notes.txt")
    storage.save(Mine(), tmp_path / "m")
    (tmp_path / "m" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        storage.save(Mine(), tmp_path / "m")
    (tmp_path / "empty").mkdir()
    storage.save(Mine(), tmp_path / "empty")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("moment", ["open", "open second", "replace", "unlink"])
def test_an_interrupted_save_leaves_the_old_model_or_the_new(tmp_path, monkeypatch, moment):
    storage.save(Mine(horizon=1), tmp_path / "m")
    name, _, second = moment.partition(" ")
    calls = []
    original = getattr(storage.Path, name)

    def stop(self, *args, **kwargs):
        calls.append(self)
        if not second or len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(storage.Path, name, stop)
        with pytest.raises(KeyboardInterrupt):
            storage.save(Mine(horizon=2), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == (2 if name == "unlink" else 1)
    storage.save(Mine(horizon=3), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == 3
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("moment", ["mkdir", "open", "open second", "rename"])
def test_an_interrupted_first_save_leaves_nothing(tmp_path, monkeypatch, moment):
    name, _, second = moment.partition(" ")
    calls = []
    original = getattr(storage.Path, name)

    def stop(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == (2 if second or name == "mkdir" else 1):  # the first makes the folder above
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(storage.Path, name, stop)
        with pytest.raises(KeyboardInterrupt):
            storage.save(Mine(horizon=2), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_save_of_a_former_version_that_was_killed_between_its_two_renames_loads(tmp_path):
    storage.save(Mine(horizon=1), tmp_path / "m")
    (tmp_path / "m").rename(tmp_path / ".m.previous")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == 1


# --- folders that cannot be read -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    model = Mine()
    model.weights_ = np.arange(10.0)
    model.save(tmp_path / "m")
    return tmp_path / "m"


def rewrite(folder, **changes):
    page = json.loads((folder / "model.json").read_text()) | changes
    (folder / "model.json").write_text(json.dumps({k: v for k, v in page.items() if v is not ...}))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no saved model at .*nowhere"):
        storage.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(JobError, match=f"{name} is missing"):
        storage.load(folder, classes=OWN)


def test_damaged_files_are_named(folder):
    raw = (folder / "arrays.safetensors").read_bytes()
    (folder / "arrays.safetensors").write_bytes(raw[:-3])
    with pytest.raises(JobError, match=r"arrays\.safetensors .*checksum"):
        storage.load(folder, classes=OWN)
    (folder / "model.json").write_text("{")
    with pytest.raises(JobError, match="not readable JSON"):
        storage.load(folder, classes=OWN)
    (folder / "model.json").write_text("[1]")
    with pytest.raises(JobError, match="names no format"):
        storage.load(folder, classes=OWN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3, "tsformers": "9.0"}, r"format 3 of tsformers 9\.0.*update"),
        ({"learned": ...}, "lacks learned"),
        ({"class": "Nobody"}, r"no forecaster is called 'Nobody'.*classes="),
        ({"params": {"no_such_setting": 1}}, "no_such_setting"),
        ({"learned": {"w_": {"$": "code", "v": "print(1)"}}}, "'code' is no kind of value"),
        ({"learned": {"w_": {"$": "array", "at": "elsewhere", "dtype": "<f8"}}}, "elsewhere"),
        ({"learned": {"w_": {"$": "record", "class": "Popen", "v": {}}}}, "Popen"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(folder, changes, message):
    rewrite(folder, **changes)
    with pytest.raises(JobError, match=message):
        storage.load(folder, classes=OWN)


def test_storage_loads_neither_torch_nor_pickle_models():
    code = "import sys, tsformers.storage; print([m for m in ('torch', 'gluonts', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
