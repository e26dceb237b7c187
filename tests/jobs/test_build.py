"""Models from names and settings: classes of the catalog and of plug-ins."""

import pytest

from tsformers.cli.parsing import assignments
from tsformers.errors import JobError
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths
from tsformers.jobs.build import build, procedure_class


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
