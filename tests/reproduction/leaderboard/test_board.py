"""A leaderboard is measured part by part, stored at once, resumed, and never mixes settings."""

import json

import pytest

from tsformers.errors import JobError
from tsformers.evaluation.run_identity import fingerprint
from tsformers.reproduction.leaderboard.board import SCORES, Task, load_panel, read_leaderboard
from tsformers.reproduction.leaderboard.tables import PanelTable


@pytest.fixture
def board(folder, tmp_path):
    return read_leaderboard(folder, tmp_path / "out", [folder / "mine.py"])


def test_tasks_are_panels_models_and_seeds_that_there_are(board):
    tasks = list(map(str, board.tasks()))
    assert tasks[:4] == ["rivers/SeasonalNaive/0", "rivers/Theta/0", "rivers/drift/0", "rivers/drift/1"]
    assert len(tasks) == 4 + 3 + 3 and not any("Later" in task for task in tasks)


@pytest.mark.parametrize(
    ("only", "n"),
    [("rivers", 4), ("small", 7), ("*/drift", 6), ("*/drift/1", 3), ("other/Seasonal*", 1), ("riv*/T*/0", 1)],
)
def test_a_pattern_chooses_panels_or_groups_models_and_seeds(board, only, n):
    assert len(board.tasks([only])) == n


def test_a_pattern_that_nothing_fits_is_refused_with_the_nearest_name(board):
    with pytest.raises(JobError, match="'river'; did you mean 'rivers'"):
        board.tasks(["river"])
    with pytest.raises(JobError, match="did you mean 'Theta'"):
        board.tasks(["rivers/Teta"])


def test_each_result_is_stored_when_it_is_finished_and_not_measured_again(board):
    lines = []
    board.run(["rivers/SeasonalNaive", "macrodata/drift"], lines.append)
    assert [line.partition(":")[0] for line in lines] == [
        "rivers/SeasonalNaive/0", "macrodata/drift/0", "macrodata/drift/1",
    ]  # fmt: skip
    task = Task("small", "rivers", "SeasonalNaive", 0)
    scores = board.result(task)
    assert 0 < scores["wql"] < 1 and scores["answers"] == 2 and scores["left_out"] == 0 and scores["seconds"] > 0
    before = (board.place(task) / SCORES).stat().st_mtime_ns
    again = []
    board.run(["rivers/SeasonalNaive", "macrodata/drift/0"], again.append)
    assert again == [] and (board.place(task) / SCORES).stat().st_mtime_ns == before


def test_seeds_differ_and_repeat(board, folder, tmp_path):
    board.run(["rivers/drift"])
    other = read_leaderboard(folder, tmp_path / "again", [folder / "mine.py"])
    other.run(["rivers/drift"])
    tasks = [Task("small", "rivers", "drift", seed) for seed in (0, 1)]
    one, two = ([each.result(task)["wql"] for task in tasks] for each in (board, other))
    assert one == two and one[0] != one[1]


def test_networks_are_fitted_once_and_given_so_many_rows(board, monkeypatch):
    kind = board.extra["mine"]
    given = []
    monkeypatch.setattr(kind, "fits", 0)
    plain = kind.predict
    monkeypatch.setattr(
        kind, "predict", lambda self, data=None, **o: given.append(int(data.lengths[0])) or plain(self, data, **o)
    )
    board.run(["rivers/drift/0"])
    assert kind.fits == 1 and given == [40, 40]


def test_results_of_other_settings_are_not_shown_and_not_overwritten(board, folder, tmp_path):
    board.run(["rivers/Theta"])
    text = (folder / "board.toml").read_text()
    (folder / "board.toml").write_text(text.replace('class = "Theta"', 'class = "Theta"\ntheta = 3'))
    changed = read_leaderboard(folder, tmp_path / "out", [folder / "mine.py"])
    task = Task("small", "rivers", "Theta", 0)
    assert board.result(task) is not None and changed.result(task) is None
    lines = []
    changed.run(["rivers/Theta"], lines.append)
    assert len(lines) == 1 and "was measured with other settings; delete" in lines[0]
    assert board.result(task) is not None


def test_a_model_that_fails_is_noted_and_the_others_go_on(board, monkeypatch):
    def fit(self, data, **roles):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(board.extra["mine"], "fit", fit)
    lines = []
    board.run(["macrodata/drift/0", "sunspots/SeasonalNaive"], lines.append)
    assert lines[0] == "macrodata/drift/0: failed: RuntimeError: no such luck" and "wql" in lines[1]
    task = Task("small", "macrodata", "drift", 0)
    assert board.result(task) is None and board.failure(task) == "RuntimeError: no such luck"
    monkeypatch.undo()
    board.run(["macrodata/drift/0"])
    assert board.result(task) is not None


def test_a_setting_that_a_class_lacks_is_noted(folder, tmp_path):
    text = (folder / "board.toml").read_text()
    (folder / "board.toml").write_text(text.replace('class = "Theta"', 'class = "Theta"\nthetta = 3'))
    lines = []
    read_leaderboard(folder, tmp_path / "out").run(["rivers/Theta"], lines.append)
    assert "not measured" in lines[0] and "did you mean 'theta'" in lines[0]


def test_a_damaged_result_is_refused(board):
    board.run(["rivers/SeasonalNaive"])
    task = Task("small", "rivers", "SeasonalNaive", 0)
    (board.place(task) / SCORES).write_text("{")
    with pytest.raises(JobError, match="delete it and its folder"):
        board.result(task)


def test_what_is_stored_names_version_and_settings(board):
    board.run(["rivers/Theta"])
    stored = json.loads((board.place(Task("small", "rivers", "Theta", 0)) / SCORES).read_text())
    assert stored["asked"]["model"] == {"class": "Theta"} and stored["asked"]["panel"] == ["nile", 3, 1, 2, []]
    assert stored["tsformers"] and stored["scores"]["local"] is True


def test_covariates_of_a_data_set_are_left_out():
    panel, _ = load_panel("nile", PanelTable(horizon=3, season=1))
    assert panel.known.shape[1] == panel.past.shape[1] == 0
    assert fingerprint(panel) == fingerprint(load_panel("nile", PanelTable(horizon=3, season=1))[0])


def test_series_that_a_model_leaves_out_are_answered_by_the_reference(board, monkeypatch):
    kind = board.extra["mine"]
    plain = kind.predict
    monkeypatch.setattr(kind, "predict", lambda self, *data, **options: plain(self, *data, **options).select([3, 1]))
    board.run(["macrodata/drift/0"])
    task = Task("small", "macrodata", "drift", 0)
    reference = task._replace(model="SeasonalNaive")
    scores = board.result(task)
    assert scores["answers"] == 12 and scores["left_out"] == 10 and board.result(reference) is not None
    panel, _ = load_panel("macrodata", board.panel_table(task))
    own, other = board.answers(task, panel), board.answers(reference, panel)
    same = [i for i in range(12) if (own.quantiles[i] == other.quantiles[i]).all()]
    assert same == [0, 2, *range(4, 12)]
