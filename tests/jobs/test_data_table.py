"""The table [data] of job files: the options of a table under the same names."""

from pathlib import Path

import pytest

from tsformers.errors import DataError, JobError
from tsformers.jobs.data_table import DataTable, read_data


@pytest.fixture
def job(tmp_path):
    """A job file beside which tables can be written."""
    return tmp_path / "mine.toml"


def put(job: Path, text: str, name: str = "a.csv") -> str:
    (job.parent / name).write_text(text)
    return name


def days(form: str = "{:02d}.01.2024") -> list[str]:
    return [form.format(day) for day in range(1, 15)]


def test_keys_read_a_table_as_the_options_do(job):
    rows = "".join(f"007;x;{day};{k},5;1\n8;x;{day};-9;2\n" for k, day in enumerate(days()))
    file = put(job, "title\nshop;dept;day;sold;price\n" + rows)
    data = DataTable(
        file=file, skip_rows=1, id_col=["shop", "dept"], missing=-9, time_format="%d.%m.%Y", target_col="sold",
        past=[], short="drop",
    )  # fmt: skip
    with pytest.warns(UserWarning, match="8/x"):
        panel, lines = read_data(data, job)
    assert panel.ids.tolist() == ["007/x"] and panel.y[1] == 1.5 and panel.schema.past == ()
    assert lines[0].endswith("decimal comma, 1 title line skipped") or "decimal comma" in lines[0]
    assert "'sold'" in lines[1]


def test_series_are_chosen_as_text_also_where_ids_are_joined(job):
    rows = "".join(f"{name},x,{day},1\n" for name in ("007", "7", "1e2") for day in days("2024-01-{:02d}"))
    file = put(job, "unique_id,dept,ds,y\n" + rows)
    assert read_data(DataTable(file=file, series=["007", "1e2"]), job)[0].ids.tolist() == ["007", "1e2"]
    joined = DataTable(file=file, id_col=["unique_id", "dept"], series=["7/x"])
    assert read_data(joined, job)[0].ids.tolist() == ["7/x"]
    with pytest.raises(JobError, match=r"data.series: '8' is not in the data"):
        read_data(DataTable(file=file, series=["8"]), job)


def test_wide_tables_are_read(job):
    file = put(job, "day,east,west\n" + "".join(f"{day},1,2\n" for day in days("2024-01-{:02d}")))
    assert read_data(DataTable(file=file, wide=True), job)[0].ids.tolist() == ["east", "west"]
    with pytest.raises(JobError, match="give one of them"):
        read_data(DataTable(file=file, wide=True, wide_rows=True), job)


def test_remedies_are_keys_of_the_table(job):
    file = put(job, "opened,closed,calls\n" + "".join(f"{day},{day},1\n" for day in days("2024-01-{:02d}")))
    with pytest.raises(DataError, match=r'mine.toml: data: .*time_col = "opened" or time_col = "closed"'):
        read_data(DataTable(file=file), job)


def test_keys_that_do_nothing_are_refused(job):
    with pytest.raises(JobError, match=r"data.sep says how a file is read, but data.dataset names a data set"):
        read_data(DataTable(dataset="nile", sep=";"), job)
    file = put(job, "unique_id,ds,y\na,1,2\na,2,3\n")
    with pytest.raises(DataError, match="aggregate"):
        read_data(DataTable(file=file, aggregate="sum"), job)


def test_rows_are_resampled(job):
    rows = "".join(f"2024-01-{day:02d} {hour:02d}:07,1\n" for day in range(1, 10) for hour in (9, 17))
    file = put(job, "time,amount\n" + rows)
    panel, _ = read_data(DataTable(file=file, resample="D", aggregate="sum"), job)
    assert panel.freq == "D" and panel.y.tolist() == [2.0] * 9
