"""The house itself: public names, packages and folders, docstrings, and no code in the folders of recipes."""

import ast
import importlib
import inspect
import tomllib
from pathlib import Path

import pytest

import tsformers
from tsformers.catalog import CLUSTERERS, FORECASTERS, OTHERS, PREPROCESSORS, PUBLIC

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FACES = {face: importlib.import_module(f"tsformers.{face}").__all__ for face in ("nn", "scoring")}
SOURCED = [
    *(("tsformers", name) for name in (*FORECASTERS, *PREPROCESSORS, *CLUSTERERS)),
    *((f"tsformers.{face}", name) for face, names in FACES.items() for name in names),
]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_loads_and_is_documented_with_an_example(name):
    thing = getattr(tsformers, name)
    assert thing.__name__ == name
    assert inspect.getdoc(thing)
    assert ">>>" in inspect.getsource(thing), f"{name} has no example"


def test_the_face_offers_exactly_the_catalog_and_its_stub_says_the_same():
    stub = ast.parse((ROOT / "tsformers" / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == {*PUBLIC, *tsformers.catalog.SUBMODULES}
    assert set(tsformers.__all__) == set(PUBLIC) == {*FORECASTERS, *PREPROCESSORS, *CLUSTERERS, *OTHERS}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'Autoforme'; did you mean 'Autoformer'"):
        tsformers.Autoforme  # noqa: B018


def test_the_face_lists_public_names_only():
    assert {name for name in dir(tsformers) if not name.startswith("__")} == {*PUBLIC, *tsformers.catalog.SUBMODULES}


def test_the_packages_listed_are_the_folders_there_are():
    folders = {"tsformers"} | {
        "tsformers." + ".".join(path.parent.relative_to(ROOT / "tsformers").parts)
        for path in (ROOT / "tsformers").rglob("__init__.py")
        if path.parent != ROOT / "tsformers"
    }
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert listed == folders | {"tsformers._datasets", "tsformers._pipelines"}


@pytest.mark.parametrize("folder", ["datasets", "pipelines"])
def test_recipes_and_jobs_are_data_and_hold_no_python(folder):
    assert list((ROOT / folder).glob("*.toml"))
    assert list((ROOT / folder).rglob("*.py")) == []


def test_the_version_is_said_once():
    assert tsformers.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize(("face", "name"), SOURCED)
def test_public_blocks_models_and_scores_name_their_source_and_show_an_example(face, name):
    doc = inspect.getdoc(getattr(importlib.import_module(face), name)) or ""
    assert "Source:" in doc, f"{name} names no source"
    assert ">>>" in doc, f"{name} has no example"


def test_files_and_functions_stay_readable():
    for path in sorted((ROOT / "tsformers").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert sum(bool(line.strip()) for line in text.splitlines()) <= 460, f"{path} is longer than 460 lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                doc = node.body[0] if ast.get_docstring(node) else None
                lines = node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)
                assert lines <= 60, f"{path}: {node.name} has {lines} lines"


def test_nothing_is_pickled():
    for path in sorted((ROOT / "tsformers").rglob("*.py")):
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not names & {"pickle", "dill", "cloudpickle"}, path


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_forecaster_needs_its_horizon_and_nothing_else(name):
    model = getattr(tsformers, name)(horizon=3)
    assert model.get_params()["horizon"] == 3
