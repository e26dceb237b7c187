"""The page of a leaderboard in Markdown: what is measured, beside published numbers, and what is missing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tsformers.evaluation.formatting import NOTHING, format_count
from tsformers.evaluation.run_folder import write_whole
from tsformers.reproduction.leaderboard.board import Leaderboard
from tsformers.reproduction.leaderboard.standing import COVERED, PUBLISHED, Standing, standing

TITLES = {
    "wql": "WQL",
    "scaled_crps": "Scaled CRPS",
    "mase": "MASE",
    "coverage_80": "Coverage of the 80 % interval",
    "coverage_95": "Coverage of the 95 % interval",
    "seconds": "CPU seconds",
}
DECIMALS = {"wql": 4, "scaled_crps": 3, "mase": 3, "coverage_80": 2, "coverage_95": 2, "seconds": 1}
LISTED = 12  # missing results that are listed one by one, for each row


def write_page(board: Leaderboard, path: str | Path | None = None) -> Path:
    """Write the page.

    Args:
        board: the leaderboard.
        path: of the file; None: that of board.toml where its folder is there, as in a checkout, else beside the
            results.

    Returns:
        The path.
    """
    place = Path(board.table.page) if path is None else Path(path)
    if path is None and (place.parent == Path() or not place.parent.is_dir()):
        place = board.out / place.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, render_page(board))
    return place


def summary(board: Leaderboard) -> pd.DataFrame:
    """The geometric means of the page as a frame.

    Args:
        board: the leaderboard.

    Returns:
        One row a group and row of it: how many panels, WQL, scaled CRPS and MASE relative to the reference, calibrated
        panels, CPU seconds.
    """
    parts = []
    for group in board.groups:
        table = standing(board, group)
        part = table.relative.loc[table.names()].rename_axis("row").reset_index()
        part.insert(0, "group", group.name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def render_page(board: Leaderboard) -> str:
    """The page.

    Args:
        board: the leaderboard; its results are read.

    Returns:
        Markdown.

    Example:
        >>> from tsformers.reproduction.leaderboard.board import read_leaderboard
        >>> page = render_page(read_leaderboard("leaderboard", out="/nonexistent"))
        >>> page.splitlines()[0], "not measured" in page
        ('# Leaderboard', True)
    """
    table = board.table
    parts = [f"# {table.title}", table.about.strip(), _rows(board)]
    for group in board.groups:
        parts += _group(board, standing(board, group))
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(board: Leaderboard) -> str:
    """What the rows are."""
    lines = ["| row | class and settings | seeds | |", "| --- | --- | --- | --- |"]
    for row in board.rows.values():
        settings = ", ".join(f"{key} = {_value(value)}" for key, value in row.table.items() if key != "class")
        chosen = f"`{row.table['class']}`" + (f", {settings}" if settings else "")
        lines.append(f"| {row.name} | {chosen} | {row.seeds} | {row.note} |")
    for name, average in board.table.averages.items():
        lines.append(
            f"| {name} | mean of the quantiles of {', '.join(average['models'])} | | {average.get('note', '')} |"
        )
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("class", value))
    return "[" + ", ".join(map(_value, value)) + "]" if isinstance(value, list) else str(value)


def _group(board: Leaderboard, found: Standing) -> list[str]:
    """One group of panels: its panels, the summary, a table a metric, what is missing."""
    group = found.group
    panels = ", ".join(f"{name} {panel.horizon}/{panel.season}/{panel.windows}" for name, panel in group.panels.items())
    parts = [f"## {group.table.title}", group.table.note.strip(), f"Horizon/season/windows: {panels}."]
    names = found.names()
    if names:
        parts.append(_summary(found, names))
        parts += [f"### {title}\n\n{_matrix(found, names, metric)}" for metric, title in TITLES.items()]
    parts += [_incomplete(board, found), _missing(board, found)]
    return parts


def _summary(found: Standing, names: Sequence[str]) -> str:
    """Geometric means relative to the reference."""
    n, goal = len(found.group.panels), found.group.table.goal
    bar = f" WQL no worse than {goal} |" if goal else ""
    low, high = ("{:g} to {:g} %".format(*(100 * end for end in ends)) for ends in COVERED.values())
    lines = [
        f"| row | panels | WQL | scaled CRPS | MASE |{bar} 80 % in {low} | 95 % in {high} | CPU seconds | spread |",
        "| --- " * (9 + bool(bar)) + "|",
    ]
    for name, row in zip(names, found.relative.loc[list(names)].to_dict("records"), strict=True):
        cells = [_number(row[metric], 3) for metric in ("wql", "scaled_crps", "mase")]
        counted = int(found.scores.loc[name]["coverage_80"].notna().sum())
        calibrated = [f"{int(row[metric])} of {counted}" if np.isfinite(row[metric]) else NOTHING for metric in COVERED]
        spread = found.spread.get(name)
        last = [_number(row["seconds"], 0), NOTHING if spread is None else f"{100 * spread:.1f} %"]
        if goal:
            cells.append(_reached(found, name, goal + PUBLISHED))
        measured = f"{row['panels']:.0f} of {n}"
        lines.append(f"| {' | '.join([name, measured, *cells, *calibrated, *last])} |")
    return "\n".join(lines)


def _reached(found: Standing, name: str, goal: str) -> str:
    """On how many panels a row's WQL is no worse than a published row's, to the digits that were published."""
    if name == goal:
        return NOTHING
    wql = found.scores["wql"].round(DECIMALS["wql"])
    own, other = wql.loc[name], wql.loc[goal]
    margin = (own - other).dropna()
    return f"{(margin <= 0).sum()} of {len(margin)}"


def _matrix(found: Standing, names: Sequence[str], metric: str) -> str:
    """One metric: a row a model, a column a panel; the best of a panel in bold."""
    wide = found.scores[metric].unstack("panel").reindex(index=list(names), columns=list(found.group.panels))
    wide = wide.dropna(how="all")
    target = {"coverage_80": 0.8, "coverage_95": 0.95}.get(metric, 0.0)
    best = _best((wide - target).abs(), DECIMALS[metric]) if metric != "seconds" else wide.isna() & False
    lines = ["| | " + " | ".join(wide.columns) + " |", "| --- " * (len(wide.columns) + 1) + "|"]
    for name in wide.index:
        cells = []
        for panel in wide.columns:
            text = _number(wide.loc[name, panel], DECIMALS[metric])
            text = f"**{text}**" if best.loc[name, panel] else text
            cells.append(text + ("*" if (name, panel) in found.incomplete else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _best(distance: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Where a row is the best of its panel, to the digits that are shown; published rows take no part."""
    own = [name for name in distance.index if not name.endswith(PUBLISHED)]
    shown = distance.round(decimals)
    best = shown.eq(shown.loc[own].min(), axis=1)
    best.loc[[name for name in distance.index if name not in own]] = False
    return best


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}" if np.isfinite(value) else NOTHING


def _incomplete(board: Leaderboard, found: Standing) -> str:
    """Rows that left series out."""
    if not found.incomplete:
        return ""
    texts = [f"{name} on {panel}: {n}" for (name, panel), n in found.incomplete.items()]
    return (
        f"\\* Series and windows that the model left out, too short for it, answered by {board.table.reference}: "
        f"{'; '.join(texts)}."
    )


def _missing(board: Leaderboard, found: Standing) -> str:
    """What is not there, row by row, with the reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for (name, panel), reason in found.missing.items():
        have = found.seeds.get((name, panel), 0)
        wanted = board.rows[name].seeds if name in board.rows else 0
        where = f"{panel} ({have} of {format_count(wanted, 'seed')})" if have else panel
        reasons.setdefault((name, reason), []).append(where)
    lines = []
    for (name, reason), panels in reasons.items():
        every = len(panels) == len(found.group.panels)
        more = f" and {len(panels) - LISTED} more" if len(panels) > LISTED else ""
        where = "all panels" if every else ", ".join(panels[:LISTED]) + more
        lines.append(f"- {name}: {where}: {reason}")
    return "Missing:\n\n" + "\n".join(lines) if lines else ""
