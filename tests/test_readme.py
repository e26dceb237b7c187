"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_first_example_prints_what_the_readme_says(capsys):
    code, output = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.DOTALL).groups()
    exec(compile(code, "README.md", "exec"), {})
    printed, promised = capsys.readouterr().out.split(), output.split()
    assert len(printed) == len(promised)
    for ours, theirs in zip(printed, promised, strict=True):
        if re.fullmatch(r"-?\d+\.\d+", theirs):  # another processor rounds otherwise
            assert float(ours) == pytest.approx(float(theirs), rel=0.02, abs=0.02)
        else:
            assert ours == theirs


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_somewhere(link):
    assert link.startswith("https://") or (Path(__file__).resolve().parents[1] / link).is_file()
