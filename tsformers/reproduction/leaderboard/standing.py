"""What stands on a leaderboard: means over seeds of every row and panel, and geometric means over panels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tsformers.reproduction.leaderboard.averages import average_scores
from tsformers.reproduction.leaderboard.board import Leaderboard, Task
from tsformers.reproduction.leaderboard.tables import METRICS, Group, PublishedTable

RELATIVE = ("wql", "scaled_crps", "mase")  # metrics that are divided by the reference's
COVERED = {"coverage_80": (0.77, 0.83), "coverage_95": (0.93, 0.97)}  # what counts as calibrated
PUBLISHED = " (published)"  # after the name of a row that was measured elsewhere


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The scores of one group of panels, as far as they are there.

    Args:
        group: the panels.
        scores: one row a (row, panel), a column a metric: means over seeds. Rows of the table are those that count.
        seeds: number of seeds behind each of them, by (row, panel).
        spread: by row, the deviation over seeds of its geometric mean of relative WQL; NaN for one seed.
        incomplete: (row, panel) that left series out, with how many.
        missing: what is not measured, with the reason where it failed, by (row, panel).
        relative: one row a row of the board: geometric means over panels relative to the reference, by metric.
    """

    group: Group
    scores: pd.DataFrame
    seeds: dict[tuple[str, str], int]
    spread: dict[str, float]
    incomplete: dict[tuple[str, str], int] = field(default_factory=dict)
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    relative: pd.DataFrame = field(default_factory=pd.DataFrame)

    def names(self) -> list[str]:
        """Rows that have a score, best first: those on all panels by geometric mean of WQL, then the others.

        Example:
            >>> from tsformers.reproduction.leaderboard.board import read_leaderboard
            >>> board = read_leaderboard("leaderboard", out="/nonexistent")
            >>> [name for name in standing(board, board.groups[0]).names() if not name.endswith(PUBLISHED)]
            []
        """
        order = self.relative.sort_values(["panels", "wql"], ascending=[False, True], kind="stable")
        return list(order.index)


def standing(board: Leaderboard, group: Group) -> Standing:
    """The scores of a group of panels, averaged over seeds.

    Args:
        board: the leaderboard.
        group: of its panels.

    Returns:
        What is there, and what is missing.
    """
    cells: dict[tuple[str, str], list[dict[str, Any]]] = {}
    missing: dict[tuple[str, str], str] = {}
    for name, panel, found, reason in _results(board, group):
        if found:
            cells[name, panel] = found
        if reason:
            missing[name, panel] = reason
    means = {
        key: {metric: float(np.mean([each.get(metric, np.nan) for each in found])) for metric in METRICS}
        for key, found in cells.items()
    }
    for name, row in group.published.items():
        means |= {(name + PUBLISHED, panel): _published(cell) for panel, cell in row.items()}
    index = pd.MultiIndex.from_tuples(list(means), names=["row", "panel"]) if means else _EMPTY
    scores = pd.DataFrame(list(means.values()), index=index, columns=list(METRICS))
    return Standing(
        group=group,
        scores=scores,
        seeds={key: len(found) for key, found in cells.items()},
        spread=_spread(board, group, cells),
        incomplete={key: n for key, found in cells.items() if (n := max(each["left_out"] for each in found))},
        missing=missing,
        relative=_relative(scores, reference_scores(board, group, scores)),
    )


_EMPTY = pd.MultiIndex.from_arrays([[], []], names=["row", "panel"])


def _results(board: Leaderboard, group: Group) -> Iterator[tuple[str, str, list[dict[str, Any]], str]]:
    """Every row of every panel: its results by seed, and why some are missing."""
    for panel in group.panels:
        for row in board.rows.values():
            if row.panels and panel not in row.panels:
                continue
            if not row.offered:
                yield row.name, panel, [], "this version has no such class"
                continue
            found, reasons = [], []
            for seed in range(row.seeds):
                task = Task(group.name, panel, row.name, seed)
                result = board.result(task)
                if result is None:
                    stale = "measured with other settings" if board.stored(task) is not None else "not measured"
                    reasons.append(board.failure(task) or stale)
                else:
                    found.append(result)
            yield row.name, panel, found, reasons[0] if reasons else ""
        for name, average in board.table.averages.items():
            results = average_scores(board, name, average["models"], group.name, panel)
            yield name, panel, results, "" if results else "a member is missing"


def _published(cell: PublishedTable) -> dict[str, float]:
    given = {"wql": cell.wql, "scaled_crps": cell.scaled_crps, "mase": cell.mase}
    return {metric: np.nan if given.get(metric) is None else float(given[metric] or 0) for metric in METRICS}


def reference_scores(board: Leaderboard, group: Group, scores: pd.DataFrame) -> pd.DataFrame:
    """What scores are divided by: the published reference of the group where it has the metric, else the board's row.

    Args:
        board: the leaderboard.
        group: of panels.
        scores: as in ``Standing``.

    Returns:
        One row a panel, a column a relative metric; NaN where there is none.
    """
    rows = scores.index.get_level_values("row")
    own = scores.xs(board.table.reference, level="row") if board.table.reference in rows else None
    columns = [*RELATIVE]
    found = pd.DataFrame(np.nan, index=list(group.panels), columns=columns)
    if group.table.reference is not None:
        published = scores.xs(group.table.reference + PUBLISHED, level="row")
        found.update(published[columns])
    return found if own is None else found.fillna(own[columns])


def _relative(scores: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Geometric means over the panels of a row, how many these are, calibrated panels, and seconds."""
    rows = {}
    for name, part in scores.groupby(level="row", sort=False):
        each = part.droplevel("row")
        ratios = each[[*RELATIVE]] / reference.loc[each.index]
        row = {metric: _geometric(ratios[metric]) for metric in RELATIVE}
        row["panels"] = float(ratios["wql"].notna().sum())
        for metric, (low, high) in COVERED.items():
            share = each[metric].round(3)
            row[metric] = float(((share >= low) & (share <= high)).sum()) if share.notna().any() else np.nan
        row["seconds"] = float(each["seconds"].sum()) if each["seconds"].notna().any() else np.nan
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*RELATIVE, "panels", *COVERED, "seconds"])


def _geometric(ratios: pd.Series) -> float:
    known = ratios.dropna()
    return float(np.exp(np.log(known).mean())) if len(known) else float("nan")


def _spread(board: Leaderboard, group: Group, cells: dict[tuple[str, str], list[dict[str, Any]]]) -> dict[str, float]:
    """The deviation over seeds of the geometric mean of WQL over panels, of rows with several seeds everywhere."""
    found = {}
    for name in dict.fromkeys(name for name, _ in cells):
        runs = [cells.get((name, panel), []) for panel in group.panels]
        n = min(map(len, runs))
        if n > 1:
            means = [np.exp(np.mean([np.log(run[seed]["wql"]) for run in runs])) for seed in range(n)]
            found[name] = float(np.std(means, ddof=1) / np.mean(means))
    return found
