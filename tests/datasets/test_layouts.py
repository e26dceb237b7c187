"""Tables of every layout become long frames with the benchmark's split."""

import numpy as np
import pandas as pd

from tsformers.datasets.load import load_dataset


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


def test_split_shares_put_validation_in_the_middle(data):
    counts = load_dataset("national_illness", extra=["split"])["split"].value_counts() / 7
    assert counts.to_dict() == {"train": int(966 * 0.7), "validation": 97, "test": int(966 * 0.2)}


def test_competition_splits_come_from_the_file(data):
    frame = load_dataset("m4_hourly", extra=["split"])
    assert (frame[frame["split"] == "test"].groupby("unique_id").size() == 48).all()


def test_the_weather_codes_are_missing_values_and_its_double_stamp_is_one_row(data):
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
