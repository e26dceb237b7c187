"""Who may import whom: downwards only, and no slow library where it is not wanted."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tsformers"
FLOORS = {
    "__init__": 0, "errors": 0, "catalog": 0, "jit": 0, "counter_rng": 0, "parallel": 0, "progress": 0,
    "validation": 0, "keywords": 0, "bundled": 0, "toml_tables": 0, "messages": 0, "places": 0, "pandas_versions": 0,
    "calendar": 1, "nn": 1, "fdr": 1, "hsmm": 1, "distributions": 1, "scoring": 1, "plotting": 1,
    "data": 2, "simulate": 2,
    "contracts": 3, "storage": 3, "scoring.table": 3, "scoring.matching": 3, "scoring.forecast_file": 3,
    "training": 4, "testing": 4,
    "forecasters": 5, "clustering": 5, "preprocessing": 5, "anomaly": 5, "compose": 5, "diagnostics": 5,
    "evaluation": 6, "datasets": 6,
    "jobs": 7,
    "streaming": 8, "reproduction": 8,
    "cli": 9, "__main__": 9,
}  # fmt: skip
WINGS = ("forecasters", "clustering", "preprocessing", "anomaly", "compose")
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
        reached, todo = set(), list(edges[start])
        while todo:
            here = todo.pop()
            if here in edges and here not in reached:
                reached.add(here)
                todo += edges[here]
        return reached

    assert [room for room in edges if room in reach(room)] == []


@pytest.mark.parametrize(
    "room",
    [
        "data.dataframes",
        "calendar",
        "data.panel",
        "data.forecast",
        "storage",
        "cli.app",
        "errors",
        "catalog",
        "datasets.load",
    ],
)
def test_the_lower_rooms_do_not_load_slow_libraries(room):
    code = f"import sys, tsformers.{room}; print([m for m in {SLOW!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_loads_neither_pandas_nor_torch():
    code = "import sys, tsformers; print([m for m in ('numpy', 'pandas', 'torch', 'gluonts') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
