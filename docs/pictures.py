"""For the site alone: makes the pictures of the pages from the code beside them, and keeps the built site offline.

A picture ``![...](pictures/NAME.png)`` belongs to the nearest Python block above it: the block is run, and the figure
that it calls ``NAME`` is drawn. Where the page shows ``$ python examples/FILE.py`` above, the block finds the files
that this example writes. Pictures are kept in ``build/pictures`` under a digest of the block and of the package,
so that an unchanged block is run once.
"""

import hashlib
import os
import re
import runpy
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported; small networks are faster with one

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "pictures"
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^\$ python (examples/\w+\.py)$", re.MULTILINE)
PICTURE = re.compile(r"\]\((?:\.\./)*pictures/(\w+)\.png\)")
ASSET = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
)
IMAGE = re.compile(r"<img\b[^>]*\bsrc=\"([^\"]+)\.png\"[^>]*>")
DOTS_PER_INCH = 160
NARROW = 0.6  # width of the picture for phones, on which the same letters stand larger


class Block(NamedTuple):
    """A piece of code and the figures that it makes.

    Args:
        code: Python, complete in itself.
        names: variables that hold a matplotlib figure at the end, and names of the pictures.
        examples: scripts that write the files which the code reads, relative to the repository.
    """

    code: str
    names: tuple[str, ...]
    examples: tuple[str, ...] = ()


def blocks(page: str) -> Iterator[Block]:
    """The Python blocks of a page that have pictures.

    Args:
        page: its Markdown.

    Yields:
        The blocks, from top to bottom.
    """
    found = list(BLOCK.finditer(page))
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(page)
        names = tuple(PICTURE.findall(page, match.end(), end))
        if names:
            yield Block(match[1], names, tuple(EXAMPLE.findall(page, 0, match.start())))


def figures(block: Block) -> dict[str, Any]:
    """Runs a block in a namespace of its own, and in a folder of its own where examples write its files.

    Args:
        block: code and names.

    Returns:
        A matplotlib figure for each name.

    Raises:
        NameError: the code does not make a figure of that name.
    """
    space: dict[str, Any] = {"__name__": "__page__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tempfile.TemporaryDirectory() if block.examples else nullcontext(".") as folder, chdir(folder):
            for example in block.examples:
                runpy.run_path(str(ROOT / example), run_name="__main__")
            exec(compile(block.code, "<page>", "exec"), space)
    for name in block.names:
        if not hasattr(space.get(name), "savefig"):
            raise NameError(f"the block above pictures/{name}.png makes no figure called {name!r}")
    return {name: space[name] for name in block.names}


def _digest_of_package() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted([*(ROOT / "tsformers").rglob("*.py"), *(ROOT / "examples").glob("first_hour_files.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _drawn(block: Block, package: str) -> dict[str, Path]:
    """Files of a block's pictures; the block is run if one of them is missing."""
    key = hashlib.sha256((package + block.code).encode()).hexdigest()[:16]
    files = {name + size: KEPT / f"{name}{size}-{key}.png" for name in block.names for size in ("", "_narrow")}
    if not all(path.is_file() for path in files.values()):
        KEPT.mkdir(parents=True, exist_ok=True)
        for name, figure in figures(block).items():
            figure.savefig(files[name], dpi=DOTS_PER_INCH, transparent=True)
            width, height = figure.get_size_inches()
            legends = [legend.get_window_extent().width / figure.dpi + 0.2 for legend in figure.legends]
            figure.set_size_inches(max([NARROW * width, *legends]), height)
            figure.savefig(files[f"{name}_narrow"], dpi=DOTS_PER_INCH, transparent=True)
    return files


def on_files(files: Any, config: Any) -> Any:
    """Adds the pictures of all pages to the files of the site."""
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    os.environ.setdefault("MPLBACKEND", "Agg")  # no window
    package, names = _digest_of_package(), set()
    for page in list(files.documentation_pages()):
        for block in blocks(page.content_string):
            for name, path in _drawn(block, package).items():
                if name in names:
                    raise PluginError(f"{page.src_uri}: another picture is called {name!r}; rename one")
                names.add(name)
                files.append(File.generated(config, f"pictures/{name}.png", abs_src_path=str(path)))
    return files


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Links each picture to its file, and gives phones the narrow form of those that the build drew."""

    def linked(image: re.Match[str]) -> str:
        shown, name = image[0], image[1]
        if PICTURE.fullmatch(f"]({name}.png)"):
            shown = f'<picture><source media="(max-width: 600px)" srcset="{name}_narrow.png">{shown}</picture>'
        return f'<a href="{name}.png">{shown}</a>'

    return IMAGE.sub(linked, html)


def on_post_build(config: Any) -> None:
    """Refuses a site whose pages would load scripts, styles or pictures from elsewhere."""
    from mkdocs.exceptions import PluginError

    for page in sorted(Path(config.site_dir).rglob("*.html")):
        found = ASSET.search(page.read_text(encoding="utf-8"))
        if found:
            raise PluginError(f"{page} loads something from another server: {found[0]}")
