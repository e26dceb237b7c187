"""What the page on regimes shows is what happens."""

from pathlib import Path

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "regimes.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(prints_what_it_says):
    prints_what_it_says(PAGE)
