"""Data sets by name: rows, series and roles are those of the literature."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tsformers.bundled import shipped_names
from tsformers.data.panel import Panel
from tsformers.datasets.load import catalogue, load_dataset, recipe, recipes
from tsformers.errors import JobError

from .conftest import write_table

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


@pytest.mark.parametrize("name", PACKAGED)
def test_sets_of_dependencies_load_without_any_file_and_fill_a_panel(name, monkeypatch):
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    frame = load_dataset(name)
    assert list(frame.columns) == ["unique_id", "ds", "y"]
    assert (len(frame), frame["unique_id"].nunique()) == PACKAGED[name]
    assert Panel.from_frame(frame, **recipe(name).roles).n_series == PACKAGED[name][1]


def test_statsmodels_sets_hold_the_numbers_of_statsmodels():
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


def test_labels_and_splits_are_loaded_on_request(data):
    assert "split" not in load_dataset("m4_hourly") and "is_anomaly" not in load_dataset("kpi_aiops")
    assert load_dataset("kpi_aiops", extra=["is_anomaly"])["is_anomaly"].sum() > 0


def test_a_part_of_a_file_has_a_name_of_its_own(data):
    frame = load_dataset("m3_monthly")
    assert frame["unique_id"].nunique() == 1428 and recipe("m3_monthly").season == 12


def test_the_catalogue_lists_every_recipe_once():
    table = catalogue()
    assert table["name"].tolist() == shipped_names("datasets") == [each.name for each in recipes()]
    assert set(table["here"]) <= {"yes", "no", "to fetch"}


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
