"""Cases by name, and how one is run: one thread, no warnings, a folder of its own, no data sets of the machine."""

import contextlib
import os
import random
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fixed_point.answers import flat


@dataclass(frozen=True)
class Case:
    """A function that gives answers; ``trained``: networks were trained on the way."""

    name: str
    answers: Callable[[], Any]
    trained: bool

    def run(self) -> dict[str, np.ndarray]:
        """Its answers as plain arrays by path."""
        with alone():
            return {name.lstrip("/") or "answer": array for name, array in flat(self.answers())}


CASES: dict[str, Case] = {}


def case(name: str, *, trained: bool = False) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Registers a function as the case ``name``."""

    def register(answers: Callable[[], Any]) -> Callable[[], Any]:
        assert name not in CASES, name
        CASES[name] = Case(name, answers, trained)
        return answers

    return register


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One thread, a temporary folder to work in, no data sets but those of packages, and global seeds of our own."""
    threads, data = torch.get_num_threads(), {name: os.environ.get(name) for name in ("TSFORMERS_DATA",)}
    cache, columns = os.environ.get("XDG_CACHE_HOME"), os.environ.get("COLUMNS")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        os.environ.pop("TSFORMERS_DATA", None)
        os.environ.update(XDG_CACHE_HOME=os.path.join(folder, "cache"), COLUMNS="200")
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            for name, value in (data | {"XDG_CACHE_HOME": cache, "COLUMNS": columns}).items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
