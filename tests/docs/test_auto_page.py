"""The page on Auto: its example prints what it shows, and its list of candidates is the ladder."""

import re
from pathlib import Path

from tsformers.compose.auto.candidates import LADDER, parsed

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "auto.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(prints_what_it_says):
    prints_what_it_says(PAGE)


def test_the_page_names_the_candidates_in_their_order():
    listed = re.search(r"in this order: (.*?)\. ", PAGE, re.DOTALL).group(1)
    places = [listed.index(kind) for kind in dict.fromkeys(parsed(name)[0] for name in LADDER)]
    assert places[0] == 0 and max(places) == listed.index(parsed(LADDER[-1])[0])
