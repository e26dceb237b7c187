"""A command of ``python -m tsformers``, run in this process: what it prints, and its tables."""

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers.pandas_versions import EXACT_CSV


def run(*words: object, given: str = "") -> str:
    """Standard output of ``python -m tsformers WORDS``; raises where the exit code is not 0."""
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.TextIOWrapper(io.BytesIO(), write_through=True)
    before, stdin = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["tsformers", *map(str, words)], io.TextIOWrapper(io.BytesIO(given.encode()))
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            runpy.run_module("tsformers", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv, sys.stdin = before, stdin
    if code:
        raise RuntimeError(f"exit code {code}: {err.buffer.getvalue().decode()[-600:]}")
    return out.buffer.getvalue().decode()


def table(*words: object, given: str = "") -> dict[str, Any]:
    """The CSV that a command prints: its text, and its columns as numbers."""
    text = run(*words, given=given)
    return {"text": text} | columns(text)


def columns(text: str) -> dict[str, Any]:
    """The columns of a CSV."""
    frame = pd.read_csv(io.StringIO(text), **EXACT_CSV, keep_default_na=True)
    return {"frame": frame}


def frame(*words: object, given: str = "") -> dict[str, Any]:
    """As ``table``, where the text holds words that may change."""
    return columns(run(*words, given=given))


def lines(path: str) -> dict[str, Any]:
    """JSON lines of a file: as a frame."""
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    frame = pd.DataFrame(rows)
    for name in frame.columns[[isinstance(dtype, pd.StringDtype) for dtype in frame.dtypes]]:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)  # null stays None, as under pandas 2
    return {"frame": frame}
