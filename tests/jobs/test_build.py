"""Models from names and settings: classes of the catalog and of plug-ins."""

import subprocess
import sys

import pytest

from tsformers.cli.parsing import assignments
from tsformers.errors import JobError
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths
from tsformers.jobs.build import (
    about,
    build,
    catalogue,
    find_forecaster,
    load_plugins,
    procedure_class,
    settings_of,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "offers no forecaster"),
        ("1/0", "fails to run: ZeroDivisionError"),
        ("FORECASTERS = {'a': 1}", "offers no forecaster"),
    ],
)
def test_a_plug_in_without_a_forecaster_is_named(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(JobError, match=message):
        load_plugins([tmp_path / "bad.py"])


def test_a_plug_in_that_is_not_there_is_named(tmp_path):
    with pytest.raises(JobError, match="no such Python file"):
        load_plugins([tmp_path / "gone.py"])


def test_classes_of_plug_ins_travel_to_other_processes(plugin):
    cloudpickle = pytest.importorskip("cloudpickle")
    kind = load_plugins([plugin])["level"]
    sent = cloudpickle.dumps(kind(horizon=2, level=3.0)).hex()
    code = f"import pickle; print(pickle.loads(bytes.fromhex('{sent}')).level)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3.0"


def test_a_class_that_takes_any_keyword_is_given_the_horizon():
    class Any:
        def __init__(self, **settings):
            self.settings = settings

    assert build("any", {"a": 1}, place="", defaults={"horizon": 3}, extra={"any": Any}).settings == {
        "horizon": 3,
        "a": 1,
    }


def test_a_value_that_a_constructor_refuses_is_reported_with_its_table():
    class Strict:
        def __init__(self, horizon):
            raise ValueError("horizon is odd")

    with pytest.raises(JobError, match="here: Strict refuses its settings: horizon is odd"):
        build("strict", {}, place="here", defaults={"horizon": 3}, extra={"strict": Strict})


def test_the_catalogue_shows_the_docstrings_of_the_classes(plugin):
    extra = load_plugins([plugin])
    shown = catalogue(extra)
    assert shown["level"] == "Forecasts one level for ever."
    assert shown["SeasonalNaive"] == about(find_forecaster("SeasonalNaive", {}))
    assert all(shown.values())


def test_settings_of_a_class_come_with_defaults_and_meanings(plugin):
    rows = {row["setting"]: row for row in settings_of(load_plugins([plugin])["level"])}
    assert rows["horizon"]["default"] == "required" and rows["level"]["default"] == "0.0"
    assert rows["season_length"]["meaning"].startswith("rows of one season")


def test_a_procedure_is_found_by_the_name_of_its_class():
    assert procedure_class("LOND").__name__ == "LOND"
    for name in ("Procedure", "Parallel", "LORDY"):
        with pytest.raises(JobError, match=f"here: there is no procedure '{name}'"):
            procedure_class(name, "here")


@pytest.mark.parametrize(
    "chosen",
    [
        {"widths": {"emission": [6, 10]}, "annealing": {"kick_in": 3, "rate": 0.5}},
        assignments(["widths.emission=[6, 10]", "annealing.kick_in=3", "annealing.rate=0.5"]),
    ],
)
def test_tables_and_dotted_names_are_the_fields_of_a_class_of_settings(chosen):
    model = build("REDSDS", {"horizon": 4, **chosen}, place="here")
    assert model.widths == Widths(emission=(6, 10))
    assert model.annealing == TemperatureAnnealing(kick_in=3, rate=0.5)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"widths.embeding": 3}, "here.widths: Widths has no setting 'embeding'; did you mean 'embedding'"),
        ({"width.embedding": 3}, "here: REDSDS has no setting 'width'; did you mean 'widths'"),
        (
            {"d_embedding": 3},
            r"here: REDSDS has no setting 'd_embedding' any more; write widths=Widths\(embedding=...\)",
        ),
    ],
)
def test_unknown_and_former_names_are_refused_with_the_remedy(chosen, message):
    with pytest.raises(JobError, match=message):
        build("REDSDS", {"horizon": 4, **chosen}, place="here")


def test_fields_of_a_class_of_settings_are_listed_with_dotted_names():
    rows = {row["setting"]: row for row in settings_of(type(build("REDSDS", {"horizon": 4}, place="here")))}
    assert rows["widths.embedding"]["default"] == "4"
    assert "regime" in rows["n_regimes"]["meaning"] or rows["n_regimes"]["meaning"] == "K."
    assert rows["annealing.kick_in"]["meaning"].startswith("steps before temperatures fall")
    assert "widths" not in rows
