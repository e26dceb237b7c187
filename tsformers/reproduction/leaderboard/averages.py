"""Rows of a leaderboard that are the equal-weight average of other rows, from their stored forecasts."""

import json
from collections.abc import Sequence
from typing import Any

from tsformers.errors import JobError
from tsformers.evaluation.run_folder import write_whole
from tsformers.reproduction.leaderboard.board import SCORES, Leaderboard, Task, load_panel
from tsformers.reproduction.leaderboard.scores import averaged, panel_scores


def average_scores(
    board: Leaderboard, name: str, models: Sequence[str], group: str, panel: str
) -> list[dict[str, Any]]:
    """The scores of the mean of several models' quantiles on a panel, seed by seed.

    A model without seeds stands in every average; the seconds are those of all members. Results are kept, until a
    member is measured again.

    Args:
        board: the leaderboard.
        name: of the row.
        models: its members.
        group: of the panel.
        panel: its name.

    Returns:
        One dictionary a seed; none where a member is missing or the data are not here.
    """
    seeds = max(board.rows[model].seeds for model in models)
    found = []
    for seed in range(seeds):
        members = [Task(group, panel, model, min(seed, board.rows[model].seeds - 1)) for model in models]
        scores = _of_members(board, Task(group, panel, name, seed), members)
        if scores is None:
            return []
        found.append(scores)
    return found


def _of_members(board: Leaderboard, own: Task, members: Sequence[Task]) -> dict[str, Any] | None:
    """The scores of one average; None where a member is missing."""
    results = [board.result(member) for member in members]
    if any(result is None for result in results):
        return None
    key = [[str(member), (board.place(member) / SCORES).stat().st_mtime_ns] for member in members]
    kept = board.place(own) / SCORES
    if kept.is_file():
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored.get("asked") == key:
            return stored["scores"]
    try:
        panel, scales = load_panel(own.panel, board.panel_table(own))
    except JobError:
        return None
    answers = [board.answers(member, panel) for member in members]
    scores: dict[str, Any] = panel_scores(averaged(answers), board.table.levels, scales)
    scores["seconds"] = sum(result["seconds"] for result in results if result is not None)
    scores["left_out"] = max(result["left_out"] for result in results if result is not None)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, json.dumps({"asked": key, "scores": scores}, indent=1) + "\n")
    return scores
