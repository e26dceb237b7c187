"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_first_example_prints_what_the_readme_says(prints_what_it_says):
    prints_what_it_says(README)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_somewhere(link):
    assert link.startswith("https://") or (Path(__file__).resolve().parents[1] / link).is_file()
