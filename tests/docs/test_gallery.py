"""Each picture of the site is made by the code beside it."""

import ast
import importlib.util
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("matplotlib").use("Agg")

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
pictures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pictures)

PAGES = {page.relative_to(DOCS).as_posix(): page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))}
BLOCKS = [(name, block) for name, page in PAGES.items() for block in pictures.blocks(page)]
NAMES = [name for _, block in BLOCKS for name in block.names]
QUICK = [block for page, block in BLOCKS if page == "index.md" or "decomposition" in block.names]


def test_every_picture_that_a_page_shows_has_code_and_a_name_of_its_own():
    shown = [name for page in PAGES.values() for name in pictures.PICTURE.findall(page)]
    assert sorted(shown) == sorted(NAMES)
    assert max(Counter(NAMES).values()) == 1


def test_the_gallery_and_the_front_page_have_their_pictures():
    assert sum(len(block.names) for page, block in BLOCKS if page == "gallery.md") >= 8
    assert [block.names for page, block in BLOCKS if page == "index.md"] == [("fan", "alarms")]


def test_the_front_page_shows_ten_lines():
    (code,) = (block.code for page, block in BLOCKS if page == "index.md")
    assert len([line for line in code.splitlines() if line]) == 10


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=lambda block: block.names[0])
def test_a_block_compiles_and_assigns_its_figures(block):
    names = [node for node in ast.walk(ast.parse(block.code)) if isinstance(node, ast.Name)]
    assert set(block.names) <= {node.id for node in names if isinstance(node.ctx, ast.Store)}


@pytest.mark.parametrize("block", QUICK, ids=lambda block: block.names[0])
def test_a_quick_block_draws_its_figures(block):
    assert [figure.axes != [] for figure in pictures.figures(block).values()] == [True] * len(block.names)


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=lambda block: block.names[0])
def test_every_block_draws_its_figures(block):
    assert all(figure.axes for figure in pictures.figures(block).values())


def test_a_figure_that_the_code_does_not_make_is_refused():
    with pytest.raises(NameError, match="makes no figure called 'other'"):
        pictures.figures(pictures.Block("figure = 1", ("other",)))


@pytest.mark.parametrize(
    ("tag", "outside"),
    [
        ('<script src="https://cdn.example/x.js">', True),
        ('<link rel="stylesheet" href="//fonts.example/css">', True),
        ("<img src=https://example/x.png>", True),
        ('<a href="https://example">', False),
        ('<link href="assets/site.css" rel="stylesheet">', False),
    ],
)
def test_what_a_page_would_load_from_another_server_is_found(tag, outside):
    assert bool(pictures.ASSET.search(tag)) is outside
