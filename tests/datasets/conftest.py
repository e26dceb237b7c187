"""Recipes and tables for tests of data sets."""

import hashlib
from pathlib import Path

import pytest

WHOLE = """
title = "t"
licence = "l"
citation = "c"
layout = "long"
frequency = 1
source.file = "mine.csv"
source.origin = "my drawer"
columns.id = "who"
columns.time = "when"
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A recipe of one's own beside an empty cache; returns the recipe's path."""
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "recipes").mkdir()
    path = tmp_path / "recipes" / "mine.toml"
    path.write_text(WHOLE)
    return path


@pytest.fixture
def data(shared, monkeypatch):
    monkeypatch.setenv("TSFORMERS_DATA", str(shared / "data"))


def write_table(folder: Path, name: str = "mine.csv", text: str = "who,when,y\na,1,2.5\na,2,\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def downloadable(recipe_path: Path, origin: Path, digest: str | None = None, url: str | None = None) -> None:
    address = url or origin.as_uri()
    with recipe_path.open("a") as file:
        file.write(f'[source.download]\nurl = "{address}"\nfile = "mine.csv"\nsha256 = "{digest or sha256(origin)}"\n')
