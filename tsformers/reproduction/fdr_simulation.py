"""Files of kind "fdr": testing procedures on simulated streams, their power and FDR beside published ones."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tsformers import fdr
from tsformers.errors import JobError, did_you_mean
from tsformers.jobs.build import procedure_class
from tsformers.messages import part_of
from tsformers.reproduction.fdr_figures import draw
from tsformers.reproduction.fdr_streams import rates, simulate
from tsformers.reproduction.fdr_tables import RATES, ExperimentTable, PublishedTable, SimulationTable
from tsformers.reproduction.published_tables import FOLDER, find_reproduction, read_result, write_result
from tsformers.toml_tables import parse_table, read_toml

FIXED = "fixed threshold"
NEAR = 0.1  # of the many targets of an experiment the table shows the nearest one


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
        """The name of the file that holds its result, without suffix."""
        return self.experiment if self.table.shares is None else f"{self.experiment}-{self.number:02d}"


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """A file of kind "fdr" that has been read and checked, ready to run.

    Example:
        >>> simulation = read_simulation("fdr", dataset="stationary")
        >>> [cell.name for cell in simulation.cells], len(simulation.table.procedures)
        (['stationary'], 6)
    """

    path: Path
    table: SimulationTable
    cells: tuple[Cell, ...]
    out: Path
    wide: tuple[str, ...] = ("repeats", "power_sd", "fdr_sd", "decayed_fdr_sd", "smoothed_fdr", "smoothed_fdr_sd")

    @property
    def about(self) -> str:
        """What runs, in one line.

        Example:
            >>> read_simulation("fdr").about
            'procedures: LORD, Decay LORD, SAFFRON, Decay SAFFRON, ADDIS, Decay ADDIS'
        """
        return f"procedures: {', '.join(self.table.procedures)}"

    def run(self, report: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
        """Simulate the cells that are not finished yet, keep each in ``out``, and draw figures.

        Args:
            report: is given a line about each cell.

        Returns:
            One row an experiment, share of anomalies and procedure, at the target nearest to 0.1. Means over streams,
            and ``_sd`` their deviation between streams, of the power, of V / max(R, 1), and at the end of the stream
            of the same with fading memory, and of V / (R + 1) with it.

        Raises:
            JobError: ``out`` holds a cell of other settings.
        """
        work = [(cell, self.out / f"{cell.name}.json", self._identity(cell)) for cell in self.cells]
        for _, path, identity in work:
            if path.is_file():
                read_result(path, identity)  # a mismatch is refused before anything runs
        parts = []
        for cell, path, identity in work:
            if not path.is_file():
                write_result(path, identity, self.measure(cell).to_dict("list"))
            parts.append(self._beside_published(cell, pd.DataFrame(read_result(path, identity))))
            report(f"{cell.name}: {cell.repeats} streams of {cell.table.length} tests")
        results = pd.concat(parts, ignore_index=True)
        for picture in draw(results, self.out):
            report(f"picture: {picture}")
        return results[results["near"]].drop(columns="near").reset_index(drop=True)

    def seed(self, cell: Cell) -> list[int]:
        """The seed of the streams of a cell; no two cells have the same.

        Args:
            cell: one experiment at one share of anomalies.

        Returns:
            The seed of the file, and a number made of the name of the cell.

        Example:
            >>> simulation = read_simulation("fdr", dataset="stationary")
            >>> simulation.seed(simulation.cells[0])[0]
            1
        """
        return [self.table.seed, zlib.crc32(cell.name.encode())]

    def _identity(self, cell: Cell) -> dict[str, Any]:
        """Everything that the numbers of a cell depend on."""
        settings = {key: value for key, value in asdict(cell.table).items() if not key.startswith("published")}
        settings |= {
            "share": cell.share,
            "repeats": cell.repeats,
            "seed": self.table.seed,
            "scored with": self.table.decay,
        }
        return settings | {"procedures": self.table.procedures}

    def measure(self, cell: Cell) -> pd.DataFrame:
        """Rates of every procedure at every target, and of the fixed thresholds.

        Args:
            cell: one experiment at one share of anomalies.

        Returns:
            One row a procedure and target.
        """
        p, anomalous = simulate(cell.table, cell.share, cell.repeats, self.seed(cell))
        rows = []
        for name, chosen in self.table.procedures.items():
            for target in cell.table.targets.values():
                control = self.procedure(name, chosen, cell.table, target)
                streams = np.repeat(np.arange(len(p)), p.shape[1])
                rejected = control.many(len(p)).test(p.ravel(), series=streams)[1].reshape(p.shape)
                rows.append({"procedure": name, "target": target} | rates(rejected, anomalous, self.table.decay))
        if cell.table.thresholds is not None:
            for target in cell.table.thresholds.values(logarithmic=True):
                found = rates(p <= target, anomalous, self.table.decay)
                rows.append({"procedure": FIXED, "target": target} | found)
        return pd.DataFrame(rows)

    def procedure(self, name: str, chosen: dict[str, Any], table: ExperimentTable, target: float) -> fdr.Procedure:
        """A procedure of the file at one target.

        Args:
            name: its name in the file, for the message.
            chosen: its class and settings.
            table: the experiment.
            target: alpha.

        Returns:
            The procedure.

        Raises:
            JobError: an unknown class or setting.
        """
        place, settings = f"{self.path}: procedures.{name}", dict(chosen)
        kind = procedure_class(str(settings.pop("class", "")), place)
        if table.gamma_size is not None:
            settings = {"gamma_size": table.gamma_size} | settings
        try:
            return kind(alpha=target, **settings)
        except (TypeError, ValueError) as error:
            raise JobError(f"{place}: ", part_of(error), "; correct the settings") from error

    def _beside_published(self, cell: Cell, found: pd.DataFrame) -> pd.DataFrame:
        """Rates of a cell beside those published for it."""
        found.insert(0, "experiment", cell.experiment)
        found.insert(1, "share", " to ".join(f"{value:.4g}" for value in cell.share))
        found.insert(4, "repeats", cell.repeats)
        nearest = found.groupby("procedure")["target"].transform(lambda each: (each - NEAR).abs().min())
        found["near"] = ((found["target"] - NEAR).abs() == nearest) & (found["procedure"] != FIXED)
        for rate in RATES:
            published = {
                name: getattr(table, rate)[cell.table.published_at.index(cell.number)]
                for name, table in _published(cell.table, f"{self.path}: experiments.{cell.experiment}").items()
                if cell.number in cell.table.published_at and getattr(table, rate)
            }
            found[f"published_{rate}"] = found["procedure"].map(published).astype(float)
        return found


def read_simulation(
    name: str | Path, *, dataset: str | None = None, repeats: int | None = None, out: str | Path | None = None
) -> Simulation:
    """Read and check a file of kind "fdr"; nothing is run.

    Args:
        name: of a file that came with the package, such as "fdr", or the path of a file of one's own.
        dataset: this experiment alone; None: all.
        repeats: streams of each; None: as many as the file asks for.
        out: folder of the results; None: ``runs/reproduce/NAME``, NAME of the file.

    Returns:
        The simulation.

    Raises:
        JobError: there is no such file or experiment, or a key is missing, unknown or out of range.

    Example:
        >>> read_simulation("fdr", dataset="stationary", repeats=5).cells[0].repeats
        5
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
    simulation = Simulation(path=path, table=table, cells=tuple(cells), out=folder)
    for cell in cells:
        for key, chosen in table.procedures.items():
            simulation.procedure(key, chosen, cell.table, cell.table.targets.first)  # refused before anything runs
    return simulation


def _cells(key: str, table: ExperimentTable, repeats: int | None, path: Path) -> Iterator[Cell]:
    place = f"{path}: experiments.{key}"
    if (table.shares is None) == (not table.share):
        raise JobError(f"{place} needs either share, a constant or the two ends of a line, or shares; write one")
    lines = {"share": table.share or [0.0], "strength": table.strength, "noise": table.noise}
    for name, line in lines.items():
        if len(line) not in (1, 2):
            raise JobError(f"{place}.{name} must hold one number, or the two ends of a line, not {len(line)}")
    shares = [table.share] if table.shares is None else [[s] for s in table.shares.values(logarithmic=True)]
    for name, published in _published(table, place).items():
        wrong = [rate for rate in RATES if len(getattr(published, rate)) not in (0, len(table.published_at))]
        if wrong or not set(table.published_at) <= set(range(len(shares))):
            raise JobError(f"{place}.published.{name} must hold one number for each entry of published_at")
    for number, share in enumerate(shares):
        yield Cell(experiment=key, table=table, share=share, number=number, repeats=repeats or table.repeats)


def _published(table: ExperimentTable, place: str) -> dict[str, PublishedTable]:
    return {
        name: parse_table(PublishedTable, each, f"{place}.published.{name}") for name, each in table.published.items()
    }
