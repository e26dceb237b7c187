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


def test_the_commands_of_a_raw_file_are_those_of_the_first_hour():
    hour = (Path(__file__).resolve().parents[1] / "docs" / "first_hour.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)[1]
    steps = [step for step in re.split(r"(?=^\$ )", block, flags=re.MULTILINE) if step]
    assert len(steps) == 2 and all(step in hour for step in steps)
