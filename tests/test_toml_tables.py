from dataclasses import dataclass

import pytest

from tsformers.errors import JobError
from tsformers.toml_tables import describe, fits, job_kind, parse_table, read_toml


@dataclass
class Windows:
    horizon: int
    step: int = 1


@dataclass
class Job:
    backtest: Windows
    scale: float = 1.0


def test_a_truth_value_is_no_number_and_a_whole_number_is_one():
    assert not fits(True, float) and fits(3, float) and not fits(3.0, int)
    assert fits({"a": [1]}, dict[str, list[int]]) and not fits([1, "a"], list[int])
    assert describe(dict[str, int]) == "a table" and describe(bool | int) == "true or false or a whole number"


def test_a_table_becomes_its_dataclass_with_the_tables_inside():
    assert parse_table(Job, {"backtest": {"horizon": 3}, "scale": 2}, "mine.toml:") == Job(Windows(3), 2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1], "must be a table"),
        ({"backtest": {"horizont": 3}}, "backtest has no key 'horizont'; did you mean 'horizon'?"),
        ({"backtest": {}}, "lacks 'horizon'; write horizon = ... .a whole number."),
        ({"backtest": {"horizon": "3"}}, "horizon = '3' must be a whole number"),
    ],
)
def test_a_wrong_table_is_refused_by_key(table, message):
    with pytest.raises(JobError, match=message):
        parse_table(Job, table, "mine.toml:")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(JobError, match="no such file"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(JobError, match=r"bad\.toml: not a TOML file: .*line 1"):
        read_toml(tmp_path / "bad.toml")


def test_the_kind_of_a_job_is_its_own_word_or_that_of_its_tables():
    assert job_kind({"kind": "fdr", "backtest": {}}) == "fdr"
    assert job_kind({"datasets": {}}) == "long_horizon" and job_kind({}) is None
