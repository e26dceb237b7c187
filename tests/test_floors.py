"""Who may import whom: downwards only, and no slow library where it is not wanted."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tsformers"
FLOORS = {
    "__init__": 0, "errors": 0, "catalog": 0, "jit": 0, "parallel": 0, "progress": 0, "bundled": 0, "toml_tables": 0,
    "intake": 1, "frames": 1, "calendar": 1, "panel": 1, "forecast": 1, "plotting": 1, "storage": 1, "data": 1,
    "nn": 1, "tables": 1, "interchange": 1, "quantiles": 1, "grouping": 1, "columns": 1, "encoding": 1,
    "sampling": 1, "counter_rng": 1, "distributions": 1, "scoring": 1, "fdr": 1,
    "hsmm": 1, "_hsmm_walks": 1, "_hsmm_torch": 1, "_hsmm_kernels": 1, "_hsmm_paths": 1, "simulate": 1,
    "contracts": 1, "windows": 1, "covariates": 1, "scoring.table": 3, "scoring.matching": 3,
    "training": 3, "testing": 3,
    "forecasters": 4, "preprocessing": 4, "clustering": 4, "anomaly": 4, "compose": 4,
    "jobs": 5, "evaluation": 5, "datasets": 5, "streaming": 5, "reproduction": 5,
    "cli": 6, "terminal": 6, "__main__": 6,
}  # fmt: skip
WINGS = ("forecasters", "preprocessing", "anomaly", "compose")
SLOW = ("torch", "gluonts", "statsmodels", "matplotlib", "sklearn", "scipy")


def rooms():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ".".join(path.relative_to(PACKAGE).with_suffix("").parts), path


def floor(room: str) -> int:
    room = room.removesuffix(".__init__")
    while room not in FLOORS:
        assert "." in room, f"{room} stands on no floor: add it to FLOORS"
        room = room.rpartition(".")[0]
    return FLOORS[room]


def imports(path: Path, *, top_only: bool):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.names[0].name != "*", f"{path}: star import"
            yield node.module
            if node.module.startswith("tsformers"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(("room", "path"), [pytest.param(room, path, id=room) for room, path in rooms()])
def test_a_room_imports_only_what_lies_below_it(room, path):
    own = {name for name, _ in rooms()} | {name.removesuffix(".__init__") for name, _ in rooms()}
    for name in imports(path, top_only=False):
        target = name.removeprefix("tsformers.")
        if not name.startswith("tsformers.") or target not in own or target == room:
            continue
        assert floor(target) <= floor(room), f"{room} (floor {floor(room)}) imports {target} (floor {floor(target)})"
        wings = [
            next((wing for wing in WINGS if part == wing or part.startswith(f"{wing}.")), None)
            for part in (room, target)
        ]
        assert None in wings or wings[0] == wings[1], f"{room} imports another wing: {target}"


def test_no_room_is_in_an_import_cycle():
    edges = {}
    for room, path in rooms():
        here = room.removesuffix(".__init__")
        names = {
            name.removeprefix("tsformers.") for name in imports(path, top_only=True) if name.startswith("tsformers.")
        }
        faces = {name.rpartition(".")[0] for name in names}  # importing a.b.c runs the face of a.b first
        edges[here] = {name for name in names | faces if name and not f"{here}.".startswith(f"{name}.")}

    def reach(start):
        seen, todo = set(), list(edges[start])
        while todo:
            here = todo.pop()
            if here in edges and here not in seen:
                seen.add(here)
                todo += edges[here]
        return seen

    assert [room for room in edges if room in reach(room)] == []


LOWER = ("frames", "calendar", "panel", "forecast", "storage", "cli", "errors", "catalog", "jobs.recipes")
LOWER += ("data.dataframes", "data.panel", "data.forecast", "cli.app", "datasets.load")


@pytest.mark.parametrize("room", sorted({name.removesuffix(".__init__") for name, _ in rooms()} & set(LOWER)))
def test_the_lower_rooms_do_not_load_slow_libraries(room):
    code = f"import sys, tsformers.{room}; print([m for m in {SLOW!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_loads_neither_pandas_nor_torch():
    code = "import sys, tsformers; print([m for m in ('numpy', 'pandas', 'torch', 'gluonts') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
