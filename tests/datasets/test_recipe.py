"""Recipes: every one that is shipped is complete, and a mistake in one is named."""

import re

import pytest

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.datasets.load import recipe
from tsformers.errors import JobError

from .conftest import WHOLE


@pytest.mark.parametrize("name", shipped_names("datasets"))
def test_every_recipe_names_its_licence_citation_and_origin(name):
    chosen = recipe(name)
    assert chosen.title and chosen.licence and chosen.citation and chosen.source.origin
    assert chosen.source.package or re.fullmatch(r"[0-9a-f]{64}", chosen.source.sha256)
    cuts = chosen.benchmark
    assert sum(cut is not None for cut in (cuts.split_column, cuts.split_rows, cuts.split_shares, cuts.split_last)) <= 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('licens = "x"', "no key 'licens'; did you mean 'licence'"),
        ('source.fiel = "x"', "source has no key 'fiel'; did you mean 'file'"),
        ('season = "x"', "season = 'x' must be a whole number"),
        ("benchmark.horizons = [1.5]", "benchmark.* horizons = .1.5. must be a list of whole numbers"),
        ('columns = "x"', "must be a table"),
        ("= 3", "not a TOML file"),
    ],
)
def test_a_wrong_line_of_a_recipe_is_named(mine, line, message):
    mine.write_text(f"{WHOLE if not line.startswith('columns =') else WHOLE.partition('columns')[0]}\n{line}\n")
    with pytest.raises(JobError, match=message) as caught:
        recipe(str(mine))
    assert str(mine) in str(caught.value)


def test_a_missing_key_is_named(mine):
    mine.write_text(WHOLE.replace('licence = "l"', ""))
    with pytest.raises(JobError, match=r"lacks 'licence'; write licence = ... \(a text\)"):
        recipe(str(mine))


def test_no_python_file_stands_among_recipes_and_jobs():
    for kind in ("datasets", "pipelines"):
        assert {path.suffix for path in shipped_folder(kind).rglob("*") if path.is_file()} == {".toml"}
