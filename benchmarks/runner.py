"""Runs benchmarks: prints each row when it is measured, and writes the rows of each benchmark to a JSON file."""

import ast
import json
import math
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.timing import Row, Unit

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
LINE = "{:<88} {:>11} {:>11} {:>9}  {:<30}  {}"


def find_benchmarks() -> dict[str, str]:
    """Name and first line of each benchmark: the files of this folder that define a function ``run``."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in module.body):
            found[path.stem] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


def run_benchmarks(names: Sequence[str]) -> list[str]:
    """Run benchmarks one after the other; one that fails does not keep the next from running.

    Args:
        names: of files in this folder.

    Returns:
        The names of those that failed.
    """
    titles = find_benchmarks()
    print(LINE.format("medians of repeats, one process", "tsformers", "peer's", "ratio", "goal", "peer"), flush=True)
    failed = []
    for name in names:
        print(f"\n{name}: {titles[name]}", flush=True)
        failure = run_benchmark(name)
        if failure:
            print(f"{name} failed: {failure}", file=sys.stderr, flush=True)
            failed.append(name)
    return failed


def run_benchmark(name: str) -> str | None:
    """Print the rows of one benchmark as they come, and write ``results/NAME.json``, after a failure too.

    Returns:
        The reason of a failure in one line, or None.
    """
    began, rows = datetime.now(UTC), []
    failure: str | None = "interrupted"
    try:
        for row in import_module(f"benchmarks.{name}").run():
            rows.append(row)
            print(format_row(row), flush=True)
        failure = None
    except Exception as error:
        failure = _reason(error)
    finally:
        write_results(name, began, rows, failure)
    return failure


def format_row(row: Row) -> str:
    """One line of the report."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    return LINE.format(row.what, _show(row.ours, row.unit), _show(row.theirs, row.unit), ratio, row.goal, row.peer)


def write_results(name: str, began: datetime, rows: Sequence[Row], failure: str | None) -> None:
    """Write ``results/NAME.json``: where and when it ran, why it failed if it did, and the rows it measured."""
    measured = [
        {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
        for row in map(asdict, rows)
    ]
    content = {"benchmark": name, "began": began.isoformat(timespec="seconds"), "failure": failure}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(content | describe_machine() | {"rows": measured}, indent=2, allow_nan=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _show(measured: float | None, unit: Unit) -> str:
    if measured is None:
        return ""
    if unit == "MiB":
        return f"{measured:.0f} MiB"
    return f"{measured:.2f} s" if measured >= 1 else f"{1e3 * measured:.2f} ms"


def _reason(error: Exception) -> str:
    """Kind, first line of the message, and the place, in one line."""
    message = str(error).strip().partition("\n")[0]
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind = type(error).__name__
    return f"{kind}{': ' if message else ''}{message} ({Path(place.filename).name}, line {place.lineno})"
