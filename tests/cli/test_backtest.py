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
