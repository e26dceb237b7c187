"""What the pages of the group Start show is what happens."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SECTIONS = re.split(r"(?=^## )", (DOCS / "first_ten_minutes.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
PRINTING = [section for section in SECTIONS if "```text" in section]


@pytest.mark.parametrize("section", PRINTING, ids=lambda section: section[3:].partition("\n")[0])
def test_an_example_prints_what_the_first_ten_minutes_say(section, prints_what_it_says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prints_what_it_says(section)


def test_no_page_holds_marks_of_a_merge():
    pages = [DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md", *DOCS.rglob("*.md")]
    marked = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
    assert [page.name for page in pages if marked.search(page.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_of_a_page_leads_to_a_file(page):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        made_by_the_build = link.startswith("pictures/")
        assert made_by_the_build or link.startswith("https://") or (page.parent / link).is_file(), link
