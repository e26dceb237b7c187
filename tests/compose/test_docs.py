"""The example on the page on preprocessors prints what the page shows."""

from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "preprocessors.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(prints_what_it_says):
    prints_what_it_says(PAGE)
