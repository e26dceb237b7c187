"""Every answer is the one that was recorded; ``record.py`` says how, and records anew."""

import pytest

from fixed_point import store
from fixed_point.cases import CASES

STORE = store.read_hashes()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if differences["slow"] else ())
        for name, differences in STORE["cases"].items()
    ],
)
def test_the_answers_are_those_recorded(name):
    case = CASES[name]
    differences = store.compare(name, case.run(), case.trained, store.machine() == STORE["machine"])
    assert not differences, "\n".join(differences)


def test_the_store_holds_every_case():
    assert [*STORE["cases"]] == [*CASES]
