"""Files of kind "fdr": testing procedures on simulated streams, power and false alarms beside published ones."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from tsformers import fdr
from tsformers.catalog import PROCEDURES
from tsformers.errors import JobError, did_you_mean
from tsformers.fdr.procedure import find_procedure
from tsformers.reproduction.fdr_figures import draw
from tsformers.reproduction.published_tables import FOLDER, find_reproduction, read_result, write_result
from tsformers.toml_tables import parse_table, read_toml

FIXED = "fixed threshold"
RATES = ("power", "fdr", "decayed_fdr")
NEAR = 0.1  # of the many targets of an experiment the table shows the nearest one


@dataclass(frozen=True, kw_only=True)
class RangeTable:
    """A few numbers from ``first`` to ``last``."""

    first: float
    last: float
    count: int


@dataclass(frozen=True, kw_only=True)
class ExperimentTable:
    """The table [experiments.NAME]. One number is a constant, two are the ends of a straight line in time."""

    length: int
    repeats: int
    strength: list[float]  # mean of an anomaly
    targets: RangeTable  # of the procedures' alpha, evenly spaced
    share: list[float] = field(default_factory=list)  # of anomalies
    shares: RangeTable | None = None  # in place of it: a row of constant ones, evenly spaced in their logarithm
    noise: list[float] = field(default_factory=lambda: [1.0])  # its standard deviation, which p-values take for 1
    autoregression: float = 0.0
    thresholds: RangeTable | None = None  # p-values below which to alarm, whatever was before; evenly in the logarithm
    gamma_size: int | None = None  # of every procedure
    published: dict[str, Any] = field(default_factory=dict)  # by procedure: a table as PublishedTable
    published_at: list[int] = field(default_factory=list)  # the shares they belong to, by position


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """Published rates of one procedure, one for each entry of ``published_at``."""

    power: list[float] = field(default_factory=list)
    fdr: list[float] = field(default_factory=list)
    decayed_fdr: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SimulationTable:
    """A whole file."""

    kind: Literal["fdr"]
    procedures: dict[str, Any]  # by name: class and settings, without alpha
    experiments: dict[str, Any]
    title: str = ""
    source: str = ""
    seed: int = 0
    decay: float = 0.99  # of the decayed rates


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One experiment, at one share of anomalies."""

    experiment: str
    table: ExperimentTable
    share: list[float]
    number: int  # of the share, among those of the experiment
    repeats: int

    @property
    def name(self) -> str:
        """Of the file that holds its result."""
        return self.experiment if self.table.shares is None else f"{self.experiment}-{self.number:02d}"


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """A file of kind "fdr" that has been read and checked, ready to run.

    Example:
        >>> asked = read_simulation("fdr", dataset="stationary")
        >>> [cell.name for cell in asked.cells], len(asked.table.procedures)
        (['stationary'], 6)
    """

    path: Path
    table: SimulationTable
    cells: tuple[Cell, ...]
    out: Path
    wide: tuple[str, ...] = ("repeats", "power_sd", "fdr_sd", "decayed_fdr_sd", "smoothed_fdr", "smoothed_fdr_sd")

    @property
    def about(self) -> str:
        """What runs, in one line."""
        return f"procedures: {', '.join(self.table.procedures)}"

    def run(self, tell: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
        """Simulate what is not there yet; each cell is kept in ``out`` when it is finished, and pictures are drawn.

        Args:
            tell: is given a line about each cell.

        Returns:
            One row an experiment, share of anomalies and procedure, at the target nearest to 0.1. Means over streams,
            and ``_sd`` their deviation between streams, of the power, of V / max(R, 1), and at the end of the stream
            of the same with fading memory, and of V / (R + 1) with it.

        Raises:
            JobError: ``out`` holds a cell of other settings.
        """
        work = [(cell, self.out / f"{cell.name}.json", self._asked(cell)) for cell in self.cells]
        for _, place, asked in work:
            if place.is_file():
                read_result(place, asked)  # refused now rather than later
        parts = []
        for cell, place, asked in work:
            if not place.is_file():
                write_result(place, {"asked": asked, "found": self._measure(cell).to_dict("list")})
            parts.append(self._framed(cell, pd.DataFrame(read_result(place, asked))))
            tell(f"{cell.name}: {cell.repeats} streams of {cell.table.length} tests")
        whole = pd.concat(parts, ignore_index=True)
        for picture in draw(whole, self.out):
            tell(f"picture: {picture}")
        return whole[whole["near"]].drop(columns="near").reset_index(drop=True)

    def seed(self, cell: Cell) -> list[int]:
        """Of the streams of a cell: no two share any."""
        return [self.table.seed, zlib.crc32(cell.name.encode())]

    def _asked(self, cell: Cell) -> dict[str, Any]:
        """What decides the numbers of a cell."""
        told = {key: value for key, value in asdict(cell.table).items() if not key.startswith("published")}
        told |= {"share": cell.share, "repeats": cell.repeats, "seed": self.table.seed, "scored with": self.table.decay}
        return told | {"procedures": self.table.procedures}

    def _measure(self, cell: Cell) -> pd.DataFrame:
        """Rates of every procedure at every target, and of the fixed thresholds."""
        p, anomalous = simulate(cell.table, cell.share, cell.repeats, self.seed(cell))
        rows = []
        for name, chosen in self.table.procedures.items():
            for target in _spaced(cell.table.targets):
                control = self._procedure(name, chosen, cell.table, target)
                streams = np.repeat(np.arange(len(p)), p.shape[1])
                rejected = control.many(len(p)).test(p.ravel(), series=streams)[1].reshape(p.shape)
                rows.append({"procedure": name, "target": target} | rates(rejected, anomalous, self.table.decay))
        if cell.table.thresholds is not None:
            for target in _spaced(cell.table.thresholds, logarithmic=True):
                found = rates(p <= target, anomalous, self.table.decay)
                rows.append({"procedure": FIXED, "target": target} | found)
        return pd.DataFrame(rows)

    def _procedure(self, name: str, chosen: dict[str, Any], table: ExperimentTable, target: float) -> fdr.Procedure:
        place, settings = f"{self.path}: procedures.{name}", dict(chosen)
        asked = str(settings.pop("class", ""))
        kind: Any = find_procedure(asked)
        if kind is None:
            raise JobError(f"{place}: there is no procedure {asked!r}; {did_you_mean(asked, PROCEDURES)}")
        if table.gamma_size is not None:
            settings = {"gamma_size": table.gamma_size} | settings
        try:
            return kind(alpha=target, **settings)
        except (TypeError, ValueError) as error:
            raise JobError(f"{place}: {error}; correct the settings") from error

    def _framed(self, cell: Cell, found: pd.DataFrame) -> pd.DataFrame:
        """What was found, and what was published about the same."""
        found.insert(0, "experiment", cell.experiment)
        found.insert(1, "share", " to ".join(f"{value:.4g}" for value in cell.share))
        found.insert(4, "repeats", cell.repeats)
        nearest = found.groupby("procedure")["target"].transform(lambda each: (each - NEAR).abs().min())
        found["near"] = ((found["target"] - NEAR).abs() == nearest) & (found["procedure"] != FIXED)
        for rate in RATES:
            said = {
                name: getattr(table, rate)[cell.table.published_at.index(cell.number)]
                for name, table in _published(cell.table, f"{self.path}: experiments.{cell.experiment}").items()
                if cell.number in cell.table.published_at and getattr(table, rate)
            }
            found[f"published_{rate}"] = found["procedure"].map(said).astype(float)
        return found


def read_simulation(
    name: str | Path, *, dataset: str | None = None, repeats: int | None = None, out: str | Path | None = None
) -> Simulation:
    """Read and check a file of kind "fdr"; nothing is run.

    Args:
        name: of a file that came with the package, such as "fdr", or the path of a file of one's own.
        dataset: this experiment alone; None: all.
        repeats: streams of each; None: as many as the file says.
        out: folder of the results; None: ``runs/reproduce/NAME``, NAME of the file.

    Returns:
        What is to be run.

    Raises:
        JobError: there is no such file or experiment, or the file does not say what it must.
    """
    path = find_reproduction(name)
    table = parse_table(SimulationTable, read_toml(path), f"{path}:")
    if dataset is not None and dataset not in table.experiments:
        raise JobError(f"{path}: there is no experiment {dataset!r}; {did_you_mean(dataset, table.experiments)}")
    if repeats is not None and repeats < 1:
        raise JobError(f"{path}: there must be 1 stream or more, not {repeats}")
    cells: list[Cell] = []
    for key, each in table.experiments.items():
        if dataset in (None, key):
            cells += _cells(key, parse_table(ExperimentTable, each, f"{path}: experiments.{key}"), repeats, path)
    folder = Path("runs") / FOLDER / path.stem if out is None else Path(out)
    asked = Simulation(path=path, table=table, cells=tuple(cells), out=folder)
    for cell in cells:
        for key, chosen in table.procedures.items():
            asked._procedure(key, chosen, cell.table, cell.table.targets.first)
    return asked


def simulate(
    table: ExperimentTable, share: list[float], repeats: int, seed: list[int]
) -> tuple[Float[np.ndarray, "R T"], Bool[np.ndarray, "R T"]]:
    """Streams of values, normal or anomalous, as upper-tail p-values of a law with standard deviation 1.

    ``y_t = phi y_{t - 1} + noise_t e_t + strength_t a_t``, where a_t is 1 with probability ``share_t``; p is that of
    ``y_t - phi y_{t - 1}``.

    Args:
        table: the experiment.
        share: of anomalies, a constant or the ends of a line.
        repeats: R, how many streams.
        seed: of the streams.

    Returns:
        p-values, and which of them are anomalies.

    Example:
        >>> asked = read_simulation("fdr", dataset="stationary").cells[0]
        >>> p, anomalous = simulate(asked.table, [0.5], 2, [0])
        >>> p.shape, bool((p[anomalous].mean() < p[~anomalous].mean()))
        ((2, 2000), True)
    """
    from scipy.signal import lfilter  # slow to import
    from scipy.special import ndtr

    rng, shape = np.random.default_rng(seed), (repeats, table.length)
    anomalous = rng.random(shape) < _line(share, table.length)
    pushed = rng.standard_normal(shape) * _line(table.noise, table.length)
    pushed += anomalous * _line(table.strength, table.length)
    y = lfilter([1.0], [1.0, -table.autoregression], pushed, axis=1)
    y[:, 1:] -= table.autoregression * y[:, :-1].copy()
    return ndtr(-y), anomalous


def rates(rejected: Bool[np.ndarray, "R T"], anomalous: Bool[np.ndarray, "R T"], decay: float) -> dict[str, float]:
    """Means and deviations over R streams of the power and of three shares of false alarms.

    Args:
        rejected: which tests were alarms.
        anomalous: which should have been.
        decay: of the memory, a test.

    Returns:
        ``power`` (of a stream without anomalies: 0), ``fdr``, ``decayed_fdr`` and ``smoothed_fdr``, and each with
        ``_sd``.

    Example:
        >>> alarms, truth = np.array([[True, True, False]]), np.array([[False, True, True]])
        >>> found = rates(alarms, truth, 0.5)
        >>> found["power"], found["fdr"], found["decayed_fdr"], round(found["smoothed_fdr"], 3)
        (0.5, 0.5, 0.25, 0.143)
    """
    weights = decay ** np.arange(rejected.shape[1] - 1, -1, -1, dtype=np.float64)
    false = rejected & ~anomalous
    faded, faded_false = rejected @ weights, false @ weights
    each = {
        "power": (rejected & anomalous).sum(axis=1) / np.maximum(anomalous.sum(axis=1), 1),
        "fdr": false.sum(axis=1) / np.maximum(rejected.sum(axis=1), 1),
        "decayed_fdr": faded_false / np.maximum(faded, 1),
        "smoothed_fdr": faded_false / (faded + 1),
    }
    found = {name: float(values.mean()) for name, values in each.items()}
    return found | {f"{name}_sd": float(values.std()) for name, values in each.items()}


def _cells(key: str, table: ExperimentTable, repeats: int | None, path: Path) -> Iterator[Cell]:
    place = f"{path}: experiments.{key}"
    if (table.shares is None) == (not table.share):
        raise JobError(f"{place} needs either share, a constant or the two ends of a line, or shares; write one")
    lines = {"share": table.share or [0.0], "strength": table.strength, "noise": table.noise}
    for name, line in lines.items():
        if len(line) not in (1, 2):
            raise JobError(f"{place}.{name} must hold one number, or the two ends of a line, not {len(line)}")
    shares = [table.share] if table.shares is None else [[s] for s in _spaced(table.shares, logarithmic=True)]
    for name, said in _published(table, place).items():
        wrong = [rate for rate in RATES if len(getattr(said, rate)) not in (0, len(table.published_at))]
        if wrong or not set(table.published_at) <= set(range(len(shares))):
            raise JobError(f"{place}.published.{name} must hold one number for each entry of published_at")
    for number, share in enumerate(shares):
        yield Cell(experiment=key, table=table, share=share, number=number, repeats=repeats or table.repeats)


def _published(table: ExperimentTable, place: str) -> dict[str, PublishedTable]:
    return {
        name: parse_table(PublishedTable, said, f"{place}.published.{name}") for name, said in table.published.items()
    }


def _spaced(table: RangeTable, *, logarithmic: bool = False) -> list[float]:
    """The numbers of a range."""
    space = np.geomspace if logarithmic else np.linspace
    return [float(value) for value in space(table.first, table.last, table.count)]


def _line(ends: list[float], length: int) -> np.ndarray:
    return np.linspace(ends[0], ends[-1], length)
