"""The reference names every public name, and modules and classes that exist."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tsformers import catalog

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENTRY = re.compile(r"^::: (\S+)(?:\n    options:\n      members: \[(.*)\])?$", re.MULTILINE)
ENTRIES = [
    (name, members.split(", ") if members else [])
    for page in [DOCS / "reference.md", *sorted((DOCS / "reference").glob("*.md"))]
    for name, members in ENTRY.findall(page.read_text(encoding="utf-8"))
]
MODULES = [name for name, _ in ENTRIES]
FACES = sorted(
    {f"tsformers.{name}" for name in catalog.SUBMODULES if name != "testing"}
    | {"tsformers.forecasters.neural", "tsformers.forecasters.redsds", "tsformers.nn.heads", "tsformers.storage"}
)


@pytest.mark.parametrize(("name", "members"), ENTRIES)
def test_an_entry_of_the_reference_exists_and_is_documented(name, members):
    entry = resolve_name(name)
    assert entry.__doc__
    assert all(getattr(entry, member).__doc__ for member in members)


def test_the_overview_names_every_public_name():
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert [name for name in catalog.PUBLIC if f"tsf.{name}" not in page] == []


def test_no_entry_stands_twice():
    assert len(set(MODULES)) == len(MODULES)


@pytest.mark.parametrize(("name", "module"), (catalog.PUBLIC | catalog.PROCEDURES | catalog.SETTINGS).items())
def test_a_public_name_stands_on_a_page_of_the_reference(name, module):
    members = dict(ENTRIES)[module]
    assert name in (members or [name])


@pytest.mark.parametrize("face", FACES)
def test_what_a_folder_exports_stands_on_a_page_of_the_reference(face):
    for name in import_module(face).__all__:
        module = getattr(getattr(import_module(face), name), "__module__", None)
        if module is not None and module.startswith("tsformers"):
            members = dict(ENTRIES).get(module)
            assert members is not None and name in (members or [name]), f"{face}.{name} of {module}"
