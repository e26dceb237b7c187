"""The page on the architecture names files, folders and floors as they are."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("floors", ROOT / "tests" / "test_floors.py")
floors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(floors)

OF_THE_READER = {"mine.py", "m/", "model.json", "arrays.safetensors"}  # files that are not in the repository
OF_A_FAMILY = {"forecaster.py", "network.py", "layers.py", "kernels.py", "explain.py", "stream.py"}
CODE = {*re.findall(r"`([^`\s]+)`", PAGE)} - OF_THE_READER
FILES = sorted(name for name in CODE if re.search(r"\.(py|pyi|toml|md|jinja)$", name))
FOLDERS = sorted(name for name in CODE if name.endswith("/"))


@pytest.mark.parametrize("name", [name for name in FILES if name not in OF_A_FAMILY])
def test_a_file_of_the_page_exists(name):
    assert any(path.is_file() for folder in (ROOT / "tsformers", ROOT) for path in folder.glob(name))


@pytest.mark.parametrize("name", sorted(OF_A_FAMILY))
def test_the_files_of_a_model_family_have_these_names(name):
    assert name in FILES
    assert list((ROOT / "tsformers" / "forecasters").glob(f"*/{name}"))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_the_page_exists(name):
    folders = [*(ROOT / "tsformers").glob(name), *(ROOT / "tsformers").glob(f"*/{name}"), *ROOT.glob(name)]
    assert any(path.is_dir() for path in folders)


def test_the_table_of_the_tree_has_every_folder_and_file_of_the_package():
    table = PAGE[PAGE.index("## The tree") : PAGE.index("## Floors")]
    here = [path for path in (ROOT / "tsformers").iterdir() if not path.name.startswith("__")]
    names = {f"{path.name}/" for path in here if (path / "__init__.py").is_file()} | {
        path.name for path in here if path.suffix == ".py"
    }
    rows = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\S+)`", row)}
    assert names - rows - {"testing.py"} == set()


def test_the_table_of_floors_is_that_of_the_checks():
    rows = re.findall(r"^\| (\d) \| (.*) \|$", PAGE, re.MULTILINE)
    stated = {
        name.removesuffix("/").removesuffix(".py").replace("/", "."): int(number)
        for number, row in rows
        for name in re.findall(r"`(\S+)`", row)
    }
    assert stated == {name: floor for name, floor in floors.FLOORS.items() if not name.startswith("__")}
