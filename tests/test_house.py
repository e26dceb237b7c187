"""The house itself: public names, packages and folders, sizes of files, docstrings, words."""

import ast
import importlib
import inspect
import re
import tomllib
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import tsformers
from tsformers.catalog import CLUSTERERS, FORECASTERS, OTHERS, PREPROCESSORS, PUBLIC, SUBMODULES

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FILES = sorted((ROOT / "tsformers").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PACKAGES = sorted(path.parent for path in FILES if path.name == "__init__.py")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
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
    assert imported == {*PUBLIC, *SUBMODULES}
    assert set(tsformers.__all__) == set(PUBLIC) == {*FORECASTERS, *PREPROCESSORS, *CLUSTERERS, *OTHERS}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'Autoforme'; did you mean 'Autoformer'"):
        tsformers.Autoforme  # noqa: B018


def test_the_face_lists_public_names_only():
    assert {name for name in dir(tsformers) if not name.startswith("__")} == {*PUBLIC, *SUBMODULES}


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


@pytest.mark.parametrize("name", SUBMODULES)
def test_every_submodule_is_an_attribute_of_the_package(name):
    assert getattr(tsformers, name).__name__ == f"tsformers.{name}"


def test_the_version_is_written_once():
    assert tsformers.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize(("face", "name"), SOURCED)
def test_public_blocks_models_and_scores_name_their_source_and_show_an_example(face, name):
    doc = inspect.getdoc(getattr(importlib.import_module(face), name)) or ""
    assert "Source:" in doc, f"{name} names no source"
    assert ">>>" in doc, f"{name} has no example"


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def short(path):
    return str(path.relative_to(ROOT))


def test_files_are_short():
    lines = {
        short(path): sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines()) for path in FILES
    }
    assert {path: n for path, n in lines.items() if n > 460} == {}
    counts = sorted(n for path, n in lines.items() if not path.endswith("__init__.py"))
    assert median(counts) <= 150
    assert counts[int(0.9 * len(counts))] <= 340


def test_functions_are_short():
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                doc = node.body[0] if ast.get_docstring(node) else None
                lines = node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)
                assert lines <= 60, f"{short(path)}: {node.name} has {lines} lines"


def test_no_folder_holds_more_than_18_files():
    counts = {short(folder): len(list(folder.glob("*.py"))) for folder in PACKAGES}
    assert {folder: n for folder, n in counts.items() if n > 18} == {}


def test_no_file_has_an_underscored_name():
    names = [short(path) for path in (*FILES, *TESTS) if path.name.startswith("_")]
    assert [name for name in names if not name.endswith(("__init__.py", "__main__.py"))] == []


def test_underscored_names_are_used_in_their_own_file_only():
    found = []
    for path in (*FILES, *TESTS):
        modules = set()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom):
                found += [f"{short(path)}: {alias.name}" for alias in node.names if is_private(alias.name)]
                modules |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.Import):
                modules |= {alias.asname for alias in node.names if alias.name.startswith("tsformers") and alias.asname}
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and is_private(node.attr) and isinstance(node.value, ast.Name):
                found += [f"{short(path)}: {node.value.id}.{node.attr}"] * (node.value.id in modules)
    assert found == []


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name not in ("_fields", "_asdict", "_replace")


@pytest.mark.parametrize("folder", PACKAGES, ids=short)
def test_the_face_of_a_package_has_a_docstring_of_one_line(folder):
    doc = ast.get_docstring(tree_of(folder / "__init__.py"))
    assert doc and "\n" not in doc


@pytest.mark.parametrize("folder", PACKAGES, ids=short)
def test_no_module_bears_the_name_of_a_function_that_its_face_exports(folder):
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    exported = {
        alias.asname or alias.name
        for node in tree_of(folder / "__init__.py").body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert modules & exported == set()


# Former words of this house; the field's terms stand in their place
FORMER_WORDS = re.compile(
    r"restless|luckier|gone on with|goes on from|goes on inside|\btold\b|\btold_|_told\b|held back|quiet times"
    r"|beginnings|one column a level|zeros for gaps|words alone|plain data|one step at once|(past|future)_seen"
    r"|refuse_idle|NextLaw|next_law|into_law"
)
OLD_NAMES = ("former_format", "test_house", "fixed_point")  # files that name them to convert or to refuse them


def test_former_words_do_not_return():
    found = [
        f"{short(path)}:{i}: {match.group()}"
        for path in (*FILES, *TESTS, *PAGES)
        if not any(name in str(path) for name in OLD_NAMES)
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := FORMER_WORDS.search(line))
    ]
    assert found == []


def test_nothing_is_pickled():
    for path in FILES:
        names = {alias.name for node in ast.walk(tree_of(path)) if isinstance(node, ast.Import) for alias in node.names}
        assert not names & {"pickle", "dill", "cloudpickle"}, path


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_forecaster_needs_its_horizon_and_nothing_else(name):
    model = getattr(tsformers, name)(horizon=3)
    assert model.get_params()["horizon"] == 3
