"""Files of published experiments: each is read by the module of its kind."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from tsformers.errors import JobError, did_you_mean
from tsformers.messages import Option
from tsformers.reproduction.fdr_simulation import read_simulation
from tsformers.reproduction.published_tables import find_reproduction, read_reproduction
from tsformers.toml_tables import job_kind, read_toml

KINDS = ("long_horizon", "fdr")


class Experiment(Protocol):
    """A published experiment whose file has been read and checked, ready to run."""

    @property
    def table(self) -> Any:
        """The tables of the file; they have a ``title`` and a ``source``."""
        ...

    @property
    def out(self) -> Path:
        """Where finished cells are kept."""
        ...

    @property
    def about(self) -> str:
        """What runs, in one line."""
        ...

    @property
    def wide(self) -> tuple[str, ...]:
        """Columns that only a wide terminal shows."""
        ...

    def run(self, report: Callable[[str], None] = ...) -> pd.DataFrame:
        """Measure what is not measured yet, and report a line about each cell."""
        ...


def read_published(
    name: str | Path,
    *,
    dataset: str | None = None,
    horizon: int | None = None,
    seeds: int | None = None,
    out: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
) -> Experiment:
    """Read and check the file of a published experiment, of whichever kind; nothing is run.

    Args:
        name: of a file that came with the package, or the path of a file of one's own.
        dataset: this data set, or experiment, alone; None: all.
        horizon: this horizon alone; None: all.
        seeds: how many, or how many simulated streams; None: as many as the file asks for.
        out: folder of the results; None: ``runs/reproduce/NAME``.
        plugins: Python files whose ``FORECASTERS`` may be named as classes.

    Returns:
        The experiment.

    Raises:
        JobError: there is no such file, it is a backtest, a key is missing or unknown, or its kind has no such part.

    Example:
        >>> read_published("fdr").about[:16]
        'procedures: LORD'
        >>> read_published("repeat").about
        'model: class = SeasonalNaive, season_length = 1'
    """
    path = find_reproduction(name)
    kind = job_kind(read_toml(path)) or KINDS[0]
    if kind == "backtest":
        raise JobError(f"{path}: a backtest is no published table; `tsformers backtest {name}` runs it")
    if kind == "fdr":
        for option, given in (("horizon", horizon), ("plugin", plugins or None)):
            if given is not None:
                raise JobError(f"{path}: a simulation of kind 'fdr' has no {option}; leave ", Option(option), " out")
        return read_simulation(path, dataset=dataset, repeats=seeds, out=out)
    if kind not in KINDS:
        raise JobError(f"{path}: there is no kind {kind!r}; {did_you_mean(kind, KINDS)}")
    return read_reproduction(path, dataset=dataset, horizon=horizon, seeds=seeds, out=out, plugins=plugins)
