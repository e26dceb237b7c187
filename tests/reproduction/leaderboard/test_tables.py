"""The files of a leaderboard: the shipped ones follow the protocol, wrong ones are refused by name."""

import pytest

from tsformers.bundled import shipped_folder
from tsformers.datasets.load import recipe
from tsformers.errors import JobError
from tsformers.reproduction.leaderboard.board import read_leaderboard
from tsformers.reproduction.leaderboard.tables import find_board, read_board

NINE = {
    "m4_hourly": (48, 24, 1), "m4_weekly": (13, 1, 1), "tourism_monthly": (24, 12, 1), "tourism_quarterly": (8, 4, 1),
    "hospital": (12, 12, 1), "nn5_daily": (56, 7, 1), "exchange_rate": (30, 5, 5), "national_illness": (24, 52, 5),
    "ETTh1": (48, 24, 5),
}  # fmt: skip


def test_the_nine_panels_are_those_of_the_protocol():
    board = read_leaderboard("leaderboard")
    nine = next(group for group in board.groups if group.name == "nine")
    assert {name: (p.horizon, p.season, p.windows) for name, p in nine.panels.items()} == NINE
    assert (board.table.history_rows, board.table.n_samples, board.table.seeds) == (2000, 200, 3)
    assert board.table.levels == [0.025, *(k / 10 for k in range(1, 10)), 0.975]
    assert nine.published["Seasonal naive"].keys() == nine.published["Best peer"].keys() == NINE.keys()


def test_the_other_groups_share_no_data_with_the_nine_and_there_are_eight_further_ones():
    board = read_leaderboard("leaderboard")
    groups = {group.name: group for group in board.groups}
    assert len(groups["further"].panels) >= 8
    data = {name: {p.dataset or key for key, p in group.panels.items()} for name, group in groups.items()}
    assert not data["nine"] & data["further"] and not data["nine"] & data["development"]
    assert not data["development"] & data["further"]
    assert "nn3_monthly" not in set().union(*data.values())  # drawn from m3
    for name in set().union(*data.values()):
        assert recipe(name).name == name


def test_every_forecaster_of_the_house_has_a_row():
    from tsformers.catalog import FORECASTERS

    board = read_leaderboard("leaderboard")
    assert {*FORECASTERS} <= {row.table["class"] for row in board.rows.values()}


def test_every_shipped_row_can_be_built():
    board = read_leaderboard("leaderboard")
    for task in board.tasks(["hospital", "carparts"]):
        assert board.forecaster(task).horizon == 12


def test_rows_that_this_version_lacks_are_marked(folder):
    board = read_leaderboard(folder, plugins=[folder / "mine.py"])
    assert [row.name for row in board.rows.values() if not row.offered] == ["Later"]
    assert [row.name for row in read_leaderboard(folder).rows.values() if not row.offered] == ["Later", "drift"]


def test_a_leaderboard_is_found_by_name_or_folder(folder, monkeypatch, tmp_path):
    assert find_board("leaderboard") == shipped_folder("pipelines") / "leaderboard"
    assert find_board(folder) == folder and find_board("quickstart") is None and find_board(tmp_path) is None
    monkeypatch.chdir(folder.parent)
    assert find_board("tiny").name == "tiny"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("board.toml", "n_samples", "samples", "no key 'samples'; did you mean 'n_samples'"),
        ("board.toml", "seeds = 2", "seeds = 0", "seeds must be 1 or more"),
        ("board.toml", "seeds = 2", "levels = [0.5]", "levels must hold 0.1, 0.5 and 0.9"),
        ("board.toml", '["SeasonalNaive", "drift"]', '["SeasonalNaiv"]', "did you mean 'SeasonalNaive'"),
        ("board.toml", "seeds = 2", 'reference = "Thet"', "is no model; did you mean 'Theta'"),
        ("board.toml", 'class = "mine"', "x = 1", "models.drift must be a table with a class"),
        ("small.toml", "horizon = 4", "horizont = 4", "panels.macrodata has no key 'horizont'"),
        ("small.toml", "wql = 0.1 ", "wpl = 0.1 ", "published.peer.rivers has no key 'wpl'"),
        (
            "small.toml",
            "[published.peer]\nrivers",
            "[published.peer]\nriver",
            "no panel 'river'; did you mean 'rivers'",
        ),
        ("small.toml", 'goal = "peer"', 'goal = "pear"', "goal 'pear' is no published row; did you mean 'peer'"),
        ("other.toml", "panels.sunspots", "panels.rivers", "panel 'rivers' is in small.toml too"),
    ],
)
def test_a_wrong_key_is_refused_with_its_place(folder, file, old, new, message):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(JobError, match=message.replace("[", r"\[")):
        read_leaderboard(folder, plugins=[folder / "mine.py"])


def test_a_folder_without_a_board_is_refused(tmp_path):
    with pytest.raises(JobError, match=r"no folder with a board.toml"):
        read_leaderboard(tmp_path)


def test_defaults_of_the_board_are_those_of_the_protocol(folder):
    assert read_board(folder).levels[0] == 0.025 and read_board(folder).title == "Leaderboard"
