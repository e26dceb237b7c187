"""What the page on preprocessors shows is what happens."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "preprocessors.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(capsys):
    code, output = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", PAGE, re.DOTALL).groups()
    exec(compile(code, "preprocessors.md", "exec"), {})
    printed, promised = capsys.readouterr().out.split(), output.split()
    assert len(printed) == len(promised)
    for ours, theirs in zip(printed, promised, strict=True):
        if re.fullmatch(r"-?\d+\.\d+", theirs):
            assert float(ours) == pytest.approx(float(theirs), rel=0.02, abs=0.05)
        else:
            assert ours == theirs
