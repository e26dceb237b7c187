"""The reference names every public name and modules that exist."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tsformers import catalog

DOCS = Path(__file__).resolve().parents[2] / "docs"
MODULES = [
    name
    for page in [DOCS / "reference.md", *sorted((DOCS / "reference").glob("*.md"))]
    for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_reference_can_be_imported(name):
    assert import_module(name).__doc__


def test_the_overview_names_every_public_name():
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert [name for name in catalog.PUBLIC if f"tsf.{name}" not in page] == []


def test_every_public_class_stands_on_a_page_of_the_reference():
    documented = {module for module in MODULES if module in catalog.PUBLIC.values()}
    others = {"tsformers.errors"}
    assert {*catalog.PUBLIC.values()} - documented <= others
