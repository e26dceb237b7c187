"""The page on classical forecasters: its example prints what it shows, its table holds every local class."""

import re
from pathlib import Path

import tsformers as tsf
from tsformers.catalog import FORECASTERS
from tsformers.forecasters.local.base import LocalForecaster

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "classical.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(prints_what_it_says):
    prints_what_it_says(PAGE)


def test_the_table_of_the_page_holds_every_local_forecaster():
    local = {name for name in FORECASTERS if issubclass(getattr(tsf, name), LocalForecaster)}
    table = PAGE[PAGE.index("| class |") : PAGE.index("Measured on M1")]
    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == local
