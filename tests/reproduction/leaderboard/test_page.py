"""The page: means over seeds, geometric means, published rows, averages, and what is missing."""

import json

import numpy as np
import pandas as pd
import pytest

from tsformers.evaluation.formatting import NOTHING
from tsformers.reproduction.leaderboard.averages import average_scores
from tsformers.reproduction.leaderboard.board import RUN, SCORES, Task, load_panel, read_leaderboard
from tsformers.reproduction.leaderboard.page import render_page, summary, write_page
from tsformers.reproduction.leaderboard.scores import answers_of, averaged, panel_scores
from tsformers.reproduction.leaderboard.standing import standing


@pytest.fixture
def board(folder, tmp_path):
    return read_leaderboard(folder, tmp_path / "out", [folder / "mine.py"])


def page_of(board):
    """The page, missing numbers as hyphens."""
    return render_page(board).replace(NOTHING, "-")


def row_of(page, beginning):
    return next(line for line in page.splitlines() if line.startswith(f"| {beginning}"))


def store(board, panel, model, seed, **scores):
    """A result as if it were measured."""
    task = next(t for t in board.tasks() if str(t) == f"{panel}/{model}/{seed}")
    board.run([str(task)])
    place = board.place(task) / SCORES
    stored = json.loads(place.read_text())
    stored["scores"] |= scores
    place.write_text(json.dumps(stored))


def test_an_empty_board_says_that_everything_is_missing(board):
    page = page_of(board)
    assert page.startswith("# Leaderboard\n") and "- Theta: rivers: not measured" in page
    assert "- Later: all panels: this version has no such class" in page
    assert "- SeasonalNaive: all panels: not measured" in page and "- Equal: all panels: a member is missing" in page
    assert "| peer (published) | 0.1000 | - |" in page


def test_rows_are_means_over_seeds_relative_to_the_published_reference(board):
    store(board, "rivers", "drift", 0, wql=0.1, scaled_crps=1.0, coverage_80=0.8, coverage_95=0.5, seconds=2.0)
    store(board, "rivers", "drift", 1, wql=0.3, scaled_crps=3.0, coverage_80=0.82, coverage_95=0.5, seconds=4.0)
    store(board, "macrodata", "SeasonalNaive", 0, wql=0.4, scaled_crps=2.0)
    store(board, "macrodata", "drift", 0, wql=0.1, scaled_crps=1.0, coverage_80=0.5, coverage_95=0.95, seconds=1.0)
    found = standing(board, board.groups[0])
    assert found.scores.loc[("drift", "rivers"), "wql"] == pytest.approx(0.2)
    assert found.seeds == {("drift", "rivers"): 2, ("SeasonalNaive", "macrodata"): 1, ("drift", "macrodata"): 1}
    row = found.relative.loc["drift"]
    assert row["wql"] == pytest.approx(np.sqrt((0.2 / 0.2) * (0.1 / 0.4)))
    assert row["scaled_crps"] == pytest.approx(np.sqrt((2.0 / 1.0) * (1.0 / 2.0)))
    assert (row["panels"], row["coverage_80"], row["coverage_95"], row["seconds"]) == (2, 1, 1, 4.0)
    assert ("drift", "macrodata") in found.missing
    page = page_of(board)
    assert "- drift: macrodata (1 of 2 seeds): not measured" in page
    assert "| drift | 2 of 2 | 0.500 | 1.000 |" in page


def test_the_goal_counts_panels_on_which_a_row_is_no_worse(board):
    store(board, "rivers", "Theta", 0, wql=0.10004)
    page = page_of(board)
    head, row = row_of(page, "row | panels"), row_of(page, "Theta | 1 of")
    assert "WQL no worse than peer" in head and "| 1 of 1 |" in row
    store(board, "rivers", "Theta", 0, wql=0.1002)
    row = row_of(page_of(board), "Theta | 1 of")
    assert "| 0 of 1 |" in row


def test_the_best_of_a_panel_is_bold_and_published_rows_take_no_part(board):
    store(board, "rivers", "Theta", 0, wql=0.15, coverage_80=0.9)
    store(board, "rivers", "SeasonalNaive", 0, wql=0.2, coverage_80=0.75)
    page = page_of(board)
    assert "| Theta | **0.1500** | - |" in page and "| SeasonalNaive | 0.2000 | - |" in page
    assert "| peer (published) | 0.1000 | - |" in page
    assert "| SeasonalNaive | **0.75** | - |" in page


def test_the_spread_is_over_seeds_on_all_panels(board):
    for panel, values in {"rivers": (0.1, 0.2), "macrodata": (0.4, 0.2)}.items():
        for seed, wql in enumerate(values):
            store(board, panel, "drift", seed, wql=wql)
    found = standing(board, board.groups[0])
    assert found.spread["drift"] == pytest.approx(np.std([0.2, 0.2], ddof=1), abs=1e-12)
    assert "SeasonalNaive" not in found.spread


def test_series_left_out_are_said(board):
    store(board, "macrodata", "drift", 0, left_out=3)
    page = page_of(board)
    assert "answered by SeasonalNaive: drift on macrodata: 3." in page
    assert "*" in row_of(page, "drift | - |")


def test_an_average_is_that_of_the_stored_quantiles_and_is_made_anew_with_its_members(board):
    board.run(["rivers/SeasonalNaive", "rivers/drift"])
    found = average_scores(board, "Equal", ["SeasonalNaive", "drift"], "small", "rivers")
    assert len(found) == 2 and found[0]["wql"] != found[1]["wql"]
    members = [Task("small", "rivers", name, 0) for name in ("SeasonalNaive", "drift")]
    stored = [sorted((board.place(member) / RUN / "forecasts").rglob("*.parquet")) for member in members]
    tables = [pd.concat(map(pd.read_parquet, places)) for places in stored]
    panel, scales = load_panel("rivers", board.panel_table(members[0]))
    levels = board.table.levels
    answers = [answers_of(table, panel.schema.target_col, levels, 3) for table in tables]
    plain = panel_scores(averaged(answers), levels, scales)
    assert found[0]["wql"] == plain["wql"]
    assert found[0]["seconds"] == pytest.approx(sum(board.result(m)["seconds"] for m in members))
    assert average_scores(board, "Equal", ["SeasonalNaive", "drift"], "small", "rivers") == found
    store(board, "rivers", "drift", 0, seconds=100.0)
    assert average_scores(board, "Equal", ["SeasonalNaive", "drift"], "small", "rivers")[0]["seconds"] > 100
    assert "| Equal | 1 of 2 |" in render_page(board)


def test_the_page_is_written_beside_the_results_unless_its_folder_is_there(board, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (folder / "board.toml").read_text()
    (folder / "board.toml").write_text('page = "docs/results/board.md"\n' + text)
    board = read_leaderboard(folder, "out")
    assert write_page(board).as_posix() == "out/board.md"
    (tmp_path / "docs" / "results").mkdir(parents=True)
    assert write_page(board).as_posix() == "docs/results/board.md"
    assert write_page(board, tmp_path / "x" / "p.md").read_text() == render_page(board)


def test_the_summary_has_all_groups(board):
    board.run(["sunspots/SeasonalNaive"])
    table = summary(board)
    assert set(table["group"]) == {"small", "other"}
    assert table.set_index(["group", "row"]).loc[("other", "SeasonalNaive"), "wql"] == 1.0
