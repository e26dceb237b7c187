"""The files of a leaderboard: board.toml names models and protocol, every other file a group of panels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tsformers.bundled import shipped_folder
from tsformers.errors import JobError, did_you_mean
from tsformers.jobs.build import names_class
from tsformers.toml_tables import parse_table, read_toml

BOARD = "board.toml"
ROW_KEYS = ("seeds", "panels", "note")  # of a table [models.NAME], besides class, settings and preprocess
METRICS = ("wql", "scaled_crps", "mase", "coverage_80", "coverage_95", "seconds")


@dataclass(frozen=True, kw_only=True)
class PanelTable:
    """The table [panels.NAME]: a data set, and which of its rows are forecast from which."""

    horizon: int
    season: int
    windows: int = 1  # cutoffs, one horizon apart
    dataset: str | None = None  # None: that of the panel's name
    series: list[str] = field(default_factory=list)  # ids; empty: all


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """Scores of one panel that were published or measured elsewhere; None: not given."""

    wql: float | None = None
    scaled_crps: float | None = None
    mase: float | None = None


@dataclass(frozen=True, kw_only=True)
class GroupTable:
    """A file of panels."""

    kind: Literal["panels"]
    title: str
    panels: dict[str, Any]  # by name: a table as PanelTable
    note: str = ""
    published: dict[str, Any] = field(default_factory=dict)  # by name of the row, then panel: as PublishedTable
    reference: str | None = None  # published row that scores are divided by; None: the reference of the board
    goal: str | None = None  # published row; the page counts panels on which WQL is no worse


@dataclass(frozen=True, kw_only=True)
class AverageTable:
    """The table [averages.NAME]: the mean of the quantiles of rows that are measured anyway."""

    models: list[str]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class BoardTable:
    """The file board.toml."""

    kind: Literal["leaderboard"]
    groups: list[str]  # files of the folder, without ".toml", in the order of the page
    models: dict[str, Any]
    averages: dict[str, Any] = field(default_factory=dict)  # by name: a table as AverageTable
    title: str = "Leaderboard"
    about: str = ""
    page: str = "leaderboard.md"
    reference: str = "SeasonalNaive"  # model that scores are divided by
    levels: list[float] = field(default_factory=lambda: [0.025, *(k / 10 for k in range(1, 10)), 0.975])
    n_samples: int = 200
    seeds: int = 3  # of models that draw on one
    history_rows: int | None = None  # given to models before a cutoff; None: all
    settings: dict[str, Any] = field(default_factory=dict)  # of every model that has them


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A row of the board: class and settings as in a job file, and what belongs to the row."""

    name: str
    table: dict[str, Any]
    seeds: int
    panels: list[str]  # that it is measured on; empty: all
    note: str = ""
    offered: bool = True  # this version has the class


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of panels that was read and checked."""

    name: str
    table: GroupTable
    panels: dict[str, PanelTable]
    published: dict[str, dict[str, PublishedTable]]


def find_board(name: str | Path) -> Path | None:
    """The folder of a leaderboard: one of the caller's, else one that came with the package.

    Args:
        name: a path, or a bare name such as "leaderboard".

    Returns:
        A folder that holds board.toml; None: there is none of that name.

    Example:
        >>> find_board("leaderboard").name, find_board("quickstart")
        ('leaderboard', None)
    """
    given = Path(name)
    if given.is_dir() and (given / BOARD).is_file():
        return given
    if given.parent in (Path(), Path("pipelines")) and given.name:
        shipped = shipped_folder("pipelines") / given.name
        if not given.is_file() and (shipped / BOARD).is_file():
            return shipped
    return None


def read_board(folder: Path) -> BoardTable:
    """The models and the protocol of a leaderboard, checked.

    Args:
        folder: of ``find_board``.

    Returns:
        The table.

    Raises:
        JobError: a key is missing, unknown or of the wrong type.

    Example:
        >>> read_board(find_board("leaderboard")).n_samples
        200
    """
    place = folder / BOARD
    table = parse_table(BoardTable, read_toml(place), f"{place}:")
    if not {0.1, 0.5, 0.9} <= set(table.levels):
        raise JobError(f"{place}: levels must hold 0.1, 0.5 and 0.9, which scores are made of; add them")
    if table.seeds < 1:
        raise JobError(f"{place}: seeds must be 1 or more, not {table.seeds}")
    for name, each in table.averages.items():
        average = parse_table(AverageTable, each, f"{place}: averages.{name}")
        for model in average.models:
            if model not in table.models:
                raise JobError(f"{place}: averages.{name} has no model {model!r}; {did_you_mean(model, table.models)}")
    if table.reference not in table.models:
        raise JobError(
            f"{place}: reference {table.reference!r} is no model; {did_you_mean(table.reference, table.models)}"
        )
    return table


def read_groups(folder: Path, board: BoardTable) -> list[Group]:
    """The groups of panels of a leaderboard, checked.

    Args:
        folder: of ``find_board``.
        board: of ``read_board``.

    Returns:
        Groups in the order of the page.

    Raises:
        JobError: a key is missing, unknown or of the wrong type, or a panel is in two groups.

    Example:
        >>> folder = find_board("leaderboard")
        >>> [len(group.panels) >= 8 for group in read_groups(folder, read_board(folder))]
        [True, True, True]
    """
    groups: list[Group] = []
    for name in board.groups:
        place = folder / f"{name}.toml"
        table = parse_table(GroupTable, read_toml(place), f"{place}:")
        panels = {key: parse_table(PanelTable, each, f"{place}: panels.{key}") for key, each in table.panels.items()}
        published: dict[str, dict[str, PublishedTable]] = {}
        for row, cells in table.published.items():
            for key, cell in cells.items():
                if key not in panels:
                    raise JobError(f"{place}: published.{row} has no panel {key!r}; {did_you_mean(key, panels)}")
                found = parse_table(PublishedTable, cell, f"{place}: published.{row}.{key}")
                published.setdefault(row, {})[key] = found
        for key in ("reference", "goal"):
            row = getattr(table, key)
            if row is not None and row not in published:
                raise JobError(f"{place}: {key} {row!r} is no published row; {did_you_mean(row, published)}")
        for other in groups:
            twice = other.panels.keys() & panels.keys()
            if twice:
                raise JobError(f"{place}: panel {min(twice)!r} is in {other.name}.toml too; give it another name")
        groups.append(Group(name=name, table=table, panels=panels, published=published))
    return groups


def read_rows(folder: Path, board: BoardTable, extra: dict[str, type]) -> dict[str, ModelRow]:
    """The rows of a leaderboard; those whose class this version lacks are marked, not refused.

    Args:
        folder: of ``find_board``.
        board: of ``read_board``.
        extra: classes of plug-ins by name.

    Returns:
        Rows by name, in the order of the file.

    Raises:
        JobError: a table without a class, or a key of the wrong type.

    Example:
        >>> folder = find_board("leaderboard")
        >>> read_rows(folder, read_board(folder), {})["SeasonalNaive"].seeds
        1
    """
    rows = {}
    for name, each in board.models.items():
        place = f"{folder / BOARD}: models.{name}"
        if not isinstance(each, dict) or not isinstance(each.get("class"), str):
            raise JobError(f"{place} must be a table with a class, such as class = 'Theta', but is {each!r}")
        row = {key: each[key] for key in ROW_KEYS if key in each}
        rows[name] = ModelRow(
            name=name,
            table={key: value for key, value in each.items() if key not in ROW_KEYS},
            seeds=int(row.get("seeds", board.seeds)),
            panels=list(row.get("panels", [])),
            note=str(row.get("note", "")),
            offered=all(names_class(kind, extra) for kind in _classes(each)),
        )
    return rows


def _classes(table: Any) -> list[str]:
    """All names of classes in a table and the tables inside it."""
    if isinstance(table, list):
        return [kind for each in table for kind in _classes(each)]
    if not isinstance(table, dict):
        return []
    own = [table["class"]] if isinstance(table.get("class"), str) else []
    return own + [kind for each in table.values() for kind in _classes(each)]
