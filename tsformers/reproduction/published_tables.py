"""Published tables of pipelines/reproduce/, measured again: published numbers beside ours, cell by cell."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.errors import JobError, did_you_mean
from tsformers.evaluation.run_folder import write_whole
from tsformers.evaluation.run_identity import class_name, describe, fingerprint
from tsformers.jobs.build import build
from tsformers.jobs.plugins import load_plugins
from tsformers.messages import Option
from tsformers.reproduction.long_horizon import BATCH, Split, score_windows, split_dataset
from tsformers.storage.former_format import former_settings
from tsformers.toml_tables import job_kind, parse_table, read_toml

FOLDER = "reproduce"  # inside pipelines/, and inside runs/
WIDE = ("context_length", "seeds", "windows", "windows_32", "crps", "coverage_80", "seconds", "mse_sd", "mae_sd",
        "published_mse_sd", "published_mae_sd", "steps", "settings")  # only on a wide terminal  # fmt: skip
MEASURED = ("mse", "mae", f"mse_{BATCH}", f"mae_{BATCH}", "crps", "coverage_80", "steps", "seconds")


@dataclass(frozen=True, kw_only=True)
class Published:
    """One cell of the published table; None = not published.

    Example:
        >>> Published(mse=0.5, mae=0.4).mse_sd is None
        True
    """

    mse: float
    mae: float
    mse_sd: float | None = None  # over the seeds of the publication
    mae_sd: float | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetTable:
    """The table [datasets.NAME]: the cells of one data set."""

    context_length: int
    horizons: list[int]
    settings: dict[str, Any] = field(default_factory=dict)  # of the model, on this data set
    published: dict[str, Any] = field(default_factory=dict)  # by horizon: a table as Published


@dataclass(frozen=True, kw_only=True)
class ReproductionTable:
    """A file of a published table."""

    model: dict[str, Any]  # class and settings
    datasets: dict[str, Any]
    none: list[str] = field(default_factory=list)  # settings of the model that are None, which TOML cannot express
    title: str = ""
    source: str = ""  # of the published numbers
    seeds: int = 1
    n_samples: int = 100
    kind: Literal["long_horizon"] = "long_horizon"


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One data set and one horizon of the table."""

    dataset: str
    horizon: int
    context_length: int
    settings: dict[str, Any]
    published: Published | None


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A published table whose file has been read and checked, ready to run.

    Example:
        >>> table = read_reproduction("repeat", horizon=24)
        >>> [(cell.dataset, cell.published.mse) for cell in table.cells]
        [('national_illness', 6.587)]
    """

    path: Path
    table: ReproductionTable
    cells: tuple[Cell, ...]
    seeds: int
    out: Path
    extra: dict[str, type] = field(default_factory=dict)
    wide: tuple[str, ...] = WIDE

    @property
    def about(self) -> str:
        """What runs, in one line.

        Example:
            >>> read_reproduction("repeat").about
            'model: class = SeasonalNaive, season_length = 1'
        """
        return f"model: {', '.join(f'{key} = {value}' for key, value in self.table.model.items())}"

    def run(self, report: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
        """Measure what is not measured yet; each cell and seed is kept in ``out`` as soon as it is finished.

        Args:
            report: is given a line about each of them.

        Returns:
            One row a cell. ``mse`` and ``mae`` are means over seeds of errors on all test windows, ``mse_32`` and
            ``mae_32`` those on the first whole batches of 32 alone; ``_sd`` is the deviation between seeds.

        Raises:
            JobError: a data set is missing or cannot be used, or ``out`` holds the same cells of other settings.
        """
        splits = cache(split_dataset)
        work = [
            (self.out / f"{cell.dataset}-{cell.horizon}-seed{seed}.json", cell, seed)
            for cell in self.cells
            for seed in range(1, self.seeds + 1)
        ]
        identities = [self._identity(cell, seed, splits(cell.dataset)) for _, cell, seed in work]
        for (path, *_), identity in zip(work, identities, strict=True):
            if path.is_file():
                read_result(path, identity)  # a mismatch is refused before hours of training
        measured: dict[Cell, list[dict[str, Any]]] = {}
        for (path, cell, seed), identity in zip(work, identities, strict=True):
            if not path.is_file():
                write_result(path, identity, self._measure(cell, seed, splits(cell.dataset)))
            found = read_result(path, identity)
            head = f"{cell.dataset}, horizon {cell.horizon}, seed {seed}"
            report(f"{head}: mse {found['mse']:.3f}, mae {found['mae']:.3f}, {found['seconds']:.0f} s")
            measured.setdefault(cell, []).append(found)
        return pd.DataFrame([_row(cell, found) for cell, found in measured.items()])

    def model(self, cell: Cell, seed: int, split: Split) -> Any:
        """The forecaster of a cell, not fitted: settings of the file, and those that the protocol fixes.

        Args:
            cell: data set and horizon.
            seed: of the model, if it has one.
            split: the data.

        Returns:
            A forecaster that validates on the validation part, if it can.

        Raises:
            JobError: an unknown class or setting; a part of the data is shorter than the horizon.
        """
        chosen = self.table.model | dict.fromkeys(self.table.none) | cell.settings
        place = f"{self.path}: model"
        stride = chosen.pop("validation_stride", 1)
        if not isinstance(stride, int) or stride < 1:
            raise JobError(f"{place}: validation_stride must be a whole number of 1 or more, not {stride!r}")
        fixed = {
            "horizon": cell.horizon,
            "context_length": cell.context_length,
            "validation_windows": (split.validation_windows(cell.horizon) - 1) // stride + 1,
            "validation_stride": stride,
            "seed": seed,
            "verbose": False,
        }
        for key in fixed:
            if key in chosen:
                raise JobError(f"{place}: {key} is fixed by the protocol; remove it")
        name = chosen.pop("class", "")
        return build(name, chosen, place=place, defaults=fixed, extra=self.extra)

    def _identity(self, cell: Cell, seed: int, split: Split) -> dict[str, Any]:
        """Everything that the numbers of a cell and seed depend on."""
        lengths = {"context_length": str(cell.context_length), "n_samples": str(self.table.n_samples)}
        return lengths | {"data": fingerprint(split.panel)} | describe(self.model(cell, seed, split))

    def _measure(self, cell: Cell, seed: int, split: Split) -> dict[str, Any]:
        start = time.perf_counter()
        fitted = self.model(cell, seed, split).fit(split.fitted_on)
        scores = score_windows(fitted, split, cell.context_length, n_samples=self.table.n_samples, seed=seed)
        history = vars(fitted).get("history_")  # of models that train step by step
        steps = 0 if history is None else int(history["step"].iloc[-1])
        return asdict(scores) | {"steps": steps, "seconds": round(time.perf_counter() - start, 1)}


def read_reproduction(
    name: str | Path,
    *,
    dataset: str | None = None,
    horizon: int | None = None,
    seeds: int | None = None,
    out: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
) -> Reproduction:
    """Read and check a file of pipelines/reproduce/; nothing is run and no data are read.

    Args:
        name: of a file that came with the package, such as "repeat", or the path of a file of one's own.
        dataset: the cells of this data set alone; None: all.
        horizon: the cells of this horizon alone; None: all.
        seeds: how many; None: as many as the file asks for.
        out: folder of the results; None: ``runs/reproduce/NAME``.
        plugins: Python files whose ``FORECASTERS`` may be named as classes.

    Returns:
        The table.

    Raises:
        JobError: there is no such file, data set or horizon, or a key is missing, unknown or out of range.

    Example:
        >>> read_reproduction("repeat").out.as_posix()
        'runs/reproduce/repeat'
    """
    path = find_reproduction(name)
    table = parse_table(ReproductionTable, read_toml(path), f"{path}:")
    cells = [cell for key, each in table.datasets.items() for cell in _cells(key, each, path)]
    for what, wanted in (("dataset", dataset), ("horizon", horizon)):
        offered = dict.fromkeys(str(getattr(cell, what)) for cell in cells)
        if wanted is not None and str(wanted) not in offered:
            raise JobError(f"{path}: the table has no {what} {str(wanted)!r}; {did_you_mean(str(wanted), offered)}")
        cells = [cell for cell in cells if wanted is None or getattr(cell, what) == wanted]
    extra = load_plugins(plugins)
    if "class" not in table.model:
        raise JobError(f"{path}: model.class is missing; write class = 'Linear', or another of `tsformers models list`")
    count = table.seeds if seeds is None else seeds
    if count < 1:
        raise JobError(f"{path}: seeds must be 1 or more, not {count}")
    folder = Path("runs") / FOLDER / path.stem if out is None else Path(out)
    return Reproduction(path=path, table=table, cells=tuple(cells), seeds=count, out=folder, extra=extra)


def find_reproduction(name: str | Path) -> Path:
    """The path of a published table: a file of the caller's, else one that came with the package.

    Args:
        name: a path, or a bare name such as "repeat"; of a file beside the jobs, such as "fdr_simulation", also the
            kind that it states, "fdr".

    Returns:
        An existing file; it may be a backtest, which its reader refuses.

    Raises:
        JobError: there is no such file.

    Example:
        >>> find_reproduction("repeat").name
        'repeat.toml'
    """
    given, ours = Path(name), shipped_folder("pipelines")
    if given.is_file():
        return given
    tables = {path.stem: path for path in sorted((ours / FOLDER).glob("*.toml"))}
    jobs = {job: ours / f"{job}.toml" for job in shipped_names("pipelines")}
    for job, path in jobs.items():
        kind = job_kind(read_toml(path))
        if kind not in ("backtest", None):
            tables |= {job: path, kind: path}
    found = (jobs | tables).get(given.name.removesuffix(".toml"))
    if found is not None and given.parent in (Path(), Path("pipelines")):
        return found
    raise JobError(f"{name}: there is no such file, nor a table of that name; {did_you_mean(given.stem, tables)}")


def _cells(dataset: str, table: Any, path: Path) -> Iterator[Cell]:
    place = f"{path}: datasets.{dataset}"
    chosen = parse_table(DatasetTable, table, place)
    for key in chosen.published:
        if key not in map(str, chosen.horizons):
            raise JobError(f"{place}.published.{key} is no horizon of the table; there are {chosen.horizons}")
    for horizon in chosen.horizons:
        published = chosen.published.get(str(horizon))
        yield Cell(
            dataset=dataset,
            horizon=horizon,
            context_length=chosen.context_length,
            settings=chosen.settings,
            published=None if published is None else parse_table(Published, published, f"{place}.published.{horizon}"),
        )


def _row(cell: Cell, found: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table: means over seeds beside the published numbers."""
    values = {key: np.array([each[key] for each in found], dtype=np.float64) for key in MEASURED}
    published = asdict(cell.published) if cell.published else dict.fromkeys(Published.__dataclass_fields__)
    row: dict[str, Any] = {"dataset": cell.dataset, "horizon": cell.horizon, "context_length": cell.context_length}
    row |= {"seeds": len(found), "windows": found[0]["windows"], f"windows_{BATCH}": found[0][f"windows_{BATCH}"]}
    row |= {key: value.mean() for key, value in values.items()}
    row |= {f"{key}_sd": values[key].std(ddof=1) if len(found) > 1 else None for key in ("mse", "mae")}
    row |= {f"published_{key}": value for key, value in published.items()}
    return row | {"steps": int(values["steps"].mean()), "settings": json.dumps(cell.settings)}


def read_result(path: Path, identity: dict[str, Any]) -> Any:
    """The result that ``write_result`` kept.

    Args:
        path: its file.
        identity: everything that the result depends on.

    Returns:
        The result.

    Raises:
        JobError: the result depends on other settings or data, or the file cannot be read.

    Example:
        >>> from tempfile import mkdtemp
        >>> write_result(path := Path(mkdtemp()) / "a.json", {"seed": 1}, {"mse": 0.5})
        >>> read_result(path, {"seed": 1})
        {'mse': 0.5}
    """
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        before, found = page["asked"], page["found"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JobError(f"{path} cannot be read ({error}); delete it to measure it again") from error
    if "class" in before and class_name(before["class"]) == class_name(identity.get("class")):
        before = former_settings(before, identity) | {"class": identity["class"]}
    for key in sorted(identity.keys() | before.keys()):
        if identity.get(key) != before.get(key):
            raise JobError(
                f"{path} was measured with {key} = {before.get(key)}, now it is {identity.get(key)}; give this run a "
                "folder of its own (",
                Option("out"),
                "), or delete that file",
            )
    return found


def write_result(path: Path, identity: dict[str, Any], result: Any) -> None:
    """Keep a result; the file appears complete or not at all.

    Args:
        path: its file.
        identity: everything that the result depends on.
        result: what JSON can hold.

    Example:
        >>> from tempfile import mkdtemp
        >>> write_result(path := Path(mkdtemp()) / "a.json", {"seed": 1}, {"mse": 0.5})
        >>> sorted(json.loads(path.read_text()))
        ['asked', 'found']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"asked": identity, "found": result}, indent=1) + "\n")
