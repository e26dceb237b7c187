"""Recipes: the files are found, fetched and checked; the frames are the sets as the literature knows them."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.data.panel import Panel
from tsformers.datasets.load import catalogue, load_dataset, recipe, recipes
from tsformers.errors import JobError

PACKAGED = {"co2": (2284, 1), "elnino": (732, 1), "macrodata": (2436, 12), "nile": (100, 1), "sunspots": (309, 1)}
BENCHMARKS = {  # rows and series as the manifest beside the files counts them
    "ETTh1": (121940, 7),
    "ETTm2": (487760, 7),
    "exchange_rate": (60704, 8),
    "national_illness": (6762, 7),
    "m4_hourly": (373372, 414),
    "m4_weekly": (371579, 359),
    "hospital": (64428, 767),
    "nn5_daily": (87801, 111),
    "fred_qd": (60347, 233),
    "bike_sharing_hourly": (17544, 1),
    "walmart_weekly": (2860, 20),
}
WHOLE = """
title = "t"
licence = "l"
citation = "c"
layout = "long"
frequency = 1
source.file = "mine.csv"
source.origin = "my drawer"
columns.id = "who"
columns.time = "when"
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A recipe of one's own beside an empty cache; returns the recipe's path."""
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "recipes").mkdir()
    path = tmp_path / "recipes" / "mine.toml"
    path.write_text(WHOLE)
    return path


@pytest.fixture
def data(shared, monkeypatch):
    monkeypatch.setenv("TSFORMERS_DATA", str(shared / "data"))


def write_table(folder: Path, name: str = "mine.csv", text: str = "who,when,y\na,1,2.5\na,2,\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def downloadable(recipe_path: Path, origin: Path, digest: str | None = None, url: str | None = None) -> None:
    address = url or origin.as_uri()
    with recipe_path.open("a") as file:
        file.write(f'[source.download]\nurl = "{address}"\nfile = "mine.csv"\nsha256 = "{digest or sha256(origin)}"\n')


@pytest.mark.parametrize("name", shipped_names("datasets"))
def test_every_recipe_reads_and_says_whose_data_it_are(name):
    chosen = recipe(name)
    assert chosen.title and chosen.licence and chosen.citation and chosen.source.origin
    assert chosen.source.package or re.fullmatch(r"[0-9a-f]{64}", chosen.source.sha256)
    cuts = chosen.benchmark
    assert sum(cut is not None for cut in (cuts.split_column, cuts.split_rows, cuts.split_shares, cuts.split_last)) <= 1


@pytest.mark.parametrize("name", PACKAGED)
def test_sets_of_dependencies_load_without_any_file_and_fill_a_panel(name, monkeypatch):
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    frame = load_dataset(name)
    assert list(frame.columns) == ["unique_id", "ds", "y"]
    assert (len(frame), frame["unique_id"].nunique()) == PACKAGED[name]
    assert Panel.from_frame(frame, **recipe(name).roles).n_series == PACKAGED[name][1]


def test_statsmodels_sets_hold_the_numbers_that_statsmodels_gives():
    from statsmodels.datasets import co2, elnino, macrodata

    weekly = co2.load_pandas().data["co2"]
    frame = load_dataset("co2").set_index("ds")["y"]
    np.testing.assert_array_equal(frame.to_numpy(), weekly.to_numpy())
    assert (frame.index == weekly.index).all() and frame.isna().sum() == 59
    monthly = elnino.load_pandas().data.set_index("YEAR").to_numpy().ravel()
    frame = load_dataset("elnino")
    np.testing.assert_array_equal(frame["y"].to_numpy(), monthly)
    assert frame["ds"].iloc[13] == pd.Timestamp("1951-02-01")
    quarterly = macrodata.load_pandas().data
    wide = load_dataset("macrodata").pivot_table(index="ds", columns="unique_id", values="y")
    np.testing.assert_array_equal(wide["realgdp"].to_numpy(), quarterly["realgdp"].to_numpy())
    assert wide.index[-1] == pd.Timestamp("2009-07-01") and wide.shape == (203, 12)


def test_loading_a_packaged_set_does_not_import_the_package():
    code = "import sys; from tsformers import load_dataset; load_dataset('nile'); print('statsmodels' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_sets_have_the_rows_and_series_of_the_manifest(name, data):
    frame = load_dataset(name)
    assert (len(frame), frame["unique_id"].nunique()) == BENCHMARKS[name]
    assert frame["y"].dtype == np.float64 and not frame.duplicated(["unique_id", "ds"]).any()


@pytest.mark.parametrize(
    "name", ["ETTh1", "exchange_rate", "national_illness", "nn5_daily", "weather", "vic_elec_halfhourly"]
)
def test_benchmark_sets_fill_a_panel_under_the_roles_of_their_recipe(name, data):
    frame = load_dataset(name)
    panel = Panel.from_frame(frame, **recipe(name).roles)
    assert panel.n_series == frame["unique_id"].nunique()
    assert panel.freq == recipe(name).frequency


def test_wide_tables_come_back_from_the_long_frame_unchanged(data, shared):
    wide = pd.read_parquet(shared / "data" / "forecasting" / "ETTh2.parquet").set_index("date")
    frame = load_dataset("ETTh2")
    again = frame.pivot_table(index="ds", columns="unique_id", values="y")[wide.columns]
    np.testing.assert_array_equal(again.to_numpy(), wide.to_numpy())


def test_rows_of_the_ett_split_are_those_of_the_benchmark(data):
    frame = load_dataset("ETTh1", extra=["split"])
    one = frame[frame["unique_id"] == "OT"].reset_index(drop=True)
    assert one["split"].value_counts(sort=False).to_dict() == {
        "train": 8640,
        "validation": 2880,
        "test": 2880,
        "unused": 3020,
    }
    assert one["split"].tolist() == sorted(one["split"], key=["train", "validation", "test", "unused"].index)


def test_split_shares_leave_the_middle_to_validation(data):
    counts = load_dataset("national_illness", extra=["split"])["split"].value_counts() / 7
    assert counts.to_dict() == {"train": int(966 * 0.7), "validation": 97, "test": int(966 * 0.2)}


def test_competition_splits_come_from_the_file(data):
    frame = load_dataset("m4_hourly", extra=["split"])
    assert (frame[frame["split"] == "test"].groupby("unique_id").size() == 48).all()


def test_labels_and_splits_stay_out_unless_asked_for(data):
    assert "split" not in load_dataset("m4_hourly") and "is_anomaly" not in load_dataset("kpi_aiops")
    assert load_dataset("kpi_aiops", extra=["is_anomaly"])["is_anomaly"].sum() > 0


def test_a_part_of_a_file_has_a_name_of_its_own(data):
    frame = load_dataset("m3_monthly")
    assert frame["unique_id"].nunique() == 1428 and recipe("m3_monthly").season == 12


def test_the_weather_codes_are_missing_and_its_double_stamp_is_one(data):
    frame = load_dataset("weather")
    assert frame["y"].isna().sum() == 81 and frame["y"].min() > -9999
    assert (frame.groupby("unique_id").size() == 52695).all()


def test_series_side_by_side_in_rows_become_long(data, shared):
    table = pd.read_parquet(shared / "data" / "clustering" / "GunPoint.parquet")
    frame = load_dataset("GunPoint", extra=["label", "split"])
    first = frame[frame["unique_id"] == table["unique_id"][3]]
    np.testing.assert_array_equal(first["y"], table.filter(regex="^t[0-9]").iloc[3])
    assert first["label"].unique().tolist() == [table["label"][3]]


def test_channels_of_a_recording_become_series_of_their_own(data, shared):
    table = pd.read_parquet(shared / "data" / "anomaly" / "skab.parquet").drop_duplicates(["unique_id", "ds"])
    frame = load_dataset("skab")
    name = table["unique_id"].iloc[-1]
    part = frame[frame["unique_id"] == f"{name}/Current"]["y"].to_numpy()
    np.testing.assert_array_equal(part, table[table["unique_id"] == name]["Current"])


def test_the_catalogue_lists_every_recipe_once():
    table = catalogue()
    assert table["name"].tolist() == shipped_names("datasets") == [each.name for each in recipes()]
    assert set(table["here"]) <= {"yes", "no", "to fetch"}


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


def test_without_the_file_the_message_says_where_to_put_it_and_where_it_comes_from(mine, tmp_path):
    with pytest.raises(JobError, match="my drawer") as caught:
        load_dataset(str(mine))
    assert str(tmp_path / "cache" / "tsformers" / "mine.csv") in str(caught.value)
    assert "TSFORMERS_DATA" in str(caught.value)


def test_a_file_is_fetched_once_and_then_kept(mine, tmp_path):
    origin = write_table(tmp_path / "origin")
    downloadable(mine, origin)
    assert len(load_dataset(str(mine))) == 2
    origin.unlink()
    assert len(load_dataset(str(mine))) == 2
    assert [path.name for path in (tmp_path / "cache" / "tsformers").iterdir()] == ["mine.csv"]


def test_a_fetched_file_with_a_wrong_checksum_is_refused_and_not_kept(mine, tmp_path):
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
def test_an_address_that_does_not_answer_is_named_with_the_way_out(mine, tmp_path, url):
    downloadable(mine, tmp_path, digest="0" * 64, url=url)
    with pytest.raises(JobError, match=r"could not be fetched .* put it as .*TSFORMERS_DATA"):
        load_dataset(str(mine))


def test_a_file_of_ones_own_that_differs_is_used_with_a_warning(mine, tmp_path):
    mine.write_text(f'{WHOLE}source.sha256 = "{"0" * 64}"\n')
    write_table(mine.parent)
    with pytest.warns(UserWarning, match="sha256 differs"):
        assert len(load_dataset(str(mine))) == 2


def test_a_file_without_a_column_of_the_recipe_is_refused_by_name(mine):
    path = write_table(mine.parent, text="who,then,y\na,1,2.5\n")
    with pytest.raises(JobError, match=re.escape(f"{path} lacks the column 'when'")):
        load_dataset(str(mine))


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(JobError, match="did you mean 'ETTh1'"):
        load_dataset("etth1")
    with pytest.raises(JobError, match="m3_"):
        load_dataset("m3")
    with pytest.raises(JobError, match="tsformers datasets list"):
        load_dataset("qqqqqqqq")
    with pytest.raises(JobError, match="no extra column 'splitt'; did you mean 'split'"):
        load_dataset("nile", extra=["splitt"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('licens = "x"', "no key 'licens'; did you mean 'licence'"),
        ('source.fiel = "x"', "source has no key 'fiel'; did you mean 'file'"),
        ('season = "x"', "season = 'x' must be a whole number"),
        ("benchmark.horizons = [1.5]", "benchmark.* horizons = .1.5. must be a list of whole numbers"),
        ('columns = "x"', "must be a table"),
        ("= 3", "not a TOML file"),
    ],
)
def test_a_wrong_line_of_a_recipe_is_named(mine, line, message):
    mine.write_text(f"{WHOLE if not line.startswith('columns =') else WHOLE.partition('columns')[0]}\n{line}\n")
    with pytest.raises(JobError, match=message) as caught:
        recipe(str(mine))
    assert str(mine) in str(caught.value)


def test_a_missing_key_is_named(mine):
    mine.write_text(WHOLE.replace('licence = "l"', ""))
    with pytest.raises(JobError, match=r"lacks 'licence'; write licence = ... \(a text\)"):
        recipe(str(mine))


def test_no_python_file_stands_among_recipes_and_jobs():
    for kind in ("datasets", "pipelines"):
        assert {path.suffix for path in shipped_folder(kind).rglob("*") if path.is_file()} == {".toml"}
