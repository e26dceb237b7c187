"""The command backtest: its ranking, its report, and runs that it refuses."""

import io

import pandas as pd

from .conftest import mistake

JOB = '[data]\ndataset = "nile"\n[backtest]\nhorizon = 3\nwindows = 2\nmetrics = ["mae"]\n[models.naive]\n'


def test_a_backtest_prints_its_ranking_and_says_where_the_report_is(run, here):
    (here / "mine.toml").write_text(JOB + 'class = "SeasonalNaive"\n')
    code, out, err = run("backtest", "mine.toml")
    frame = pd.read_csv(io.StringIO(out))
    assert code == 0 and frame["model"].tolist() == ["naive"] and frame["mae"][0] > 0
    assert err[-1] == "report: runs/mine/report.html" and (here / "runs/mine/report.html").is_file()
    code, out, _ = run("backtest", "mine.toml", "--out", "r", "--output", "s.parquet")
    assert (code, out) == (0, "") and len(pd.read_parquet(here / "s.parquet")) == 1
    assert (here / "r" / "report.html").is_file()


def test_a_run_of_other_settings_is_not_mixed_with_what_is_there(run, here):
    (here / "mine.toml").write_text(JOB + 'class = "SeasonalNaive"\n')
    assert run("backtest", "mine.toml")[0] == 0
    (here / "mine.toml").write_text(JOB.replace("windows = 2", "windows = 3") + 'class = "SeasonalNaive"\n')
    assert mistake(run("backtest", "mine.toml"), "runs/mine")


def test_a_job_whose_models_all_fail_is_a_mistake_with_the_reason(run, here):
    (here / "bad.py").write_text(
        "class Bad:\n    '''Fails.'''\n    def __init__(self, horizon): self.horizon = horizon\n"
        "    def fit(self, data, **roles): raise ValueError('no such luck')\n"
        "    def predict(self, data=None, **more): ...\nFORECASTERS = {'bad': Bad}\n"
    )
    (here / "mine.toml").write_text(JOB + 'class = "bad"\n')
    code, _, err = run("backtest", "mine.toml", "--plugin", "bad.py")
    assert code == 1 and "no model finished a window" in err[-1] and "no such luck" in err[-1]


BOARD = """
kind = "leaderboard"
groups = ["g"]
n_samples = 20
reference = "n"
[models.n]
class = "SeasonalNaive"
seeds = 1
"""
GROUP = """
kind = "panels"
title = "G"
[panels.nile]
horizon = 3
season = 1
[panels.sunspots]
horizon = 3
season = 1
"""


def test_a_leaderboard_is_measured_part_by_part_and_its_page_says_what_is_missing(run, here):
    (here / "mine").mkdir()
    (here / "mine" / "board.toml").write_text(BOARD)
    (here / "mine" / "g.toml").write_text(GROUP)
    code, out, err = run("backtest", "mine", "--only", "nile/n")
    assert code == 0 and err[0].startswith("nile/n/0: wql ") and err[-1] == "page: runs/mine/leaderboard.md"
    assert pd.read_csv(io.StringIO(out))[["row", "panels"]].to_numpy().tolist() == [["n", 1.0]]
    page = (here / "runs/mine/leaderboard.md").read_text()
    assert "- n: sunspots: not measured" in page and "| n | 1 of 2 |" in page
    code, _, err = run("backtest", "mine", "--page-only", "--page", "p.md")
    assert code == 0 and err == ["page: p.md"] and (here / "p.md").read_text() == page
    code, _, err = run("backtest", "mine")
    assert code == 0 and [line.split(":")[0] for line in err] == ["sunspots/n/0", "page"]


def test_parts_of_a_leaderboard_belong_to_leaderboards_and_engines_to_other_jobs(run, here):
    (here / "mine.toml").write_text(JOB + 'class = "SeasonalNaive"\n')
    assert mistake(run("backtest", "mine.toml", "--only", "nile"), "is no leaderboard")
    assert mistake(run("backtest", "leaderboard", "--n-jobs", "2"), "one process measures it")
    assert mistake(run("backtest", "leaderboard", "--only", "nile"), "nothing is called 'nile'")


def test_clipped_ratios_are_counted(run, here):
    rows = pd.DataFrame({"ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
    rows.to_csv(here / "flat.csv", index=False)
    job = JOB.replace('dataset = "nile"', 'file = "flat.csv"').replace("horizon = 3", "horizon = 4")
    two = 'class = "SeasonalNaive"\nseason_length = 1\n[models.exact]\nclass = "SeasonalNaive"\nseason_length = 4\n'
    (here / "mine.toml").write_text(job + two)
    code, _, err = run("backtest", "mine.toml")
    assert code == 0 and "skill: 1 of 2 ratios were clipped to [0.01, 100]" in err
