"""Backtests: nothing after a cutoff is seen, nothing finished is lost, numbers do not depend on how they were got."""

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from tsformers.errors import DataError, JobError
from tsformers.forecast import Forecast
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.forecasters.theta import Theta
from tsformers.jobs.rolling import backtest
from tsformers.panel import Panel

FRAMES = ("scores", "forecasts")


class Walk(BaseEstimator):
    """Draws around the last value; ``calls`` keeps what every copy was given."""

    calls: ClassVar = []

    def __init__(self, horizon=4, spread=1.0, seed=None):
        self.horizon, self.spread, self.seed = horizon, spread, seed

    def fit(self, data, **roles):
        type(self).calls.append(("fit", data, roles))
        self.level_ = np.nanmean(data.y[: data.ends[-1]])
        return self

    def predict(self, data=None, *, future=None, static=None, n_samples=100, seed=None):
        type(self).calls.append(("predict", data, seed))
        rng = np.random.default_rng(seed)
        last = data.padded(1)[:, 0]
        noise = rng.normal(0, self.spread, (data.n_series, n_samples, self.horizon))
        values = np.nan_to_num(last)[:, None, None] + 0.01 * self.level_ + noise
        return Forecast(data.ids, data.future_times(self.horizon), values, freq=data.freq, schema=data.schema)


@pytest.fixture(autouse=True)
def forget_calls():
    Walk.calls = []


def frame(lengths=(40, 37, 33), seed=0, **columns):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": np.arange(n), "y": np.cumsum(rng.normal(size=n)) + 10 * i})
        for i, n in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def same(a, b, frames=FRAMES):
    for name in frames:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)


def of(kind):
    return [call for call in Walk.calls if call[0] == kind]


def test_every_window_of_every_model_and_series_is_forecast_and_scored():
    df = frame()
    result = backtest(
        {"walk": Walk(), "naive": SeasonalNaive(horizon=4)}, df, windows=3, step=2, metrics=["crps", "mae"]
    )
    assert list(result.scores.columns) == ["model", "unique_id", "cutoff", "metric", "value"]
    assert len(result.scores) == 2 * 3 * 3 * 2
    quantiles = ["q0.05", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.95"]
    assert list(result.forecasts.columns) == [
        "model", "unique_id", "ds", "cutoff", "y", "mean", *quantiles, "pit", "crps",
    ]  # fmt: skip
    assert len(result.forecasts) == 2 * 3 * 3 * 4
    last = df.groupby("unique_id")["ds"].max()
    for name, cutoffs in result.forecasts.groupby("unique_id")["cutoff"]:
        assert sorted(set(last[name] - cutoffs)) == [4, 6, 8]
    actual = result.forecasts.merge(df, on=["unique_id", "ds"], suffixes=("", "_there"))
    assert len(actual) == len(result.forecasts) and (actual["y"] == actual["y_there"]).all()
    assert (result.forecasts["ds"] > result.forecasts["cutoff"]).all()


def test_the_crps_of_steps_averages_to_the_crps_score_and_mae_belongs_to_the_forecast():
    result = backtest(Walk(), frame(), windows=2, metrics=["crps", "coverage_80"], quantiles=(0.1, 0.5, 0.9))
    keys = ["unique_id", "cutoff"]
    steps, scores = result.forecasts, result.scores.set_index(["metric", *keys])["value"]
    pd.testing.assert_series_equal(steps.groupby(keys)["crps"].mean(), scores["crps"].sort_index(), check_names=False)
    inside = (steps["y"] >= steps["q0.1"]) & (steps["y"] <= steps["q0.9"])
    covered = inside.groupby([steps[key] for key in keys]).mean()
    pd.testing.assert_series_equal(covered, scores["coverage_80"].sort_index(), check_names=False)
    assert steps["pit"].between(0, 1).all()


def test_a_spy_sees_no_row_after_the_cutoffs_but_the_known_covariates_it_was_promised():
    df = frame(price=1.0, weather=2.0)
    df["price"] = np.arange(len(df), dtype=float)
    backtest(Walk(), df, windows=3, refit=True, known=["price"])
    whole = Panel.from_frame(df, known=["price"])
    assert len(of("fit")) == len(of("predict")) == 3
    for window, (fit, predict) in enumerate(zip(of("fit"), of("predict"), strict=True)):
        rows = whole.lengths - 4 * (3 - window)
        for _, panel, _ in (fit, predict):
            assert (panel.lengths == rows).all()
            for i in range(3):
                history = slice(whole.offsets[i], whole.offsets[i] + rows[i])
                mine = slice(panel.offsets[i], panel.ends[i])
                assert (panel.y[mine] == whole.y[history]).all()
                assert (panel.past[mine] == whole.past[history]).all()
        assert len(fit[1].y) == rows.sum()
        ahead = predict[1]
        assert len(ahead.y) == rows.sum() + 3 * 4
        for i in range(3):
            beyond = slice(ahead.ends[i], ahead.offsets[i + 1])
            assert np.isnan(ahead.y[beyond]).all() and np.isnan(ahead.past[beyond]).all()
            there = whole.offsets[i] + rows[i] + np.arange(4)
            assert (ahead.known[beyond] == whole.known[there]).all()


@settings(max_examples=15, deadline=None)
@given(window=st.integers(0, 2), seed=st.integers(0, 1000), refit=st.sampled_from([True, False, 2]))
def test_what_happens_after_a_cutoff_never_changes_a_forecast_from_it(window, seed, refit):
    df = frame()
    ago = df.groupby("unique_id").cumcount(ascending=False)
    changed = df.copy()
    after = ago < 3 * (3 - window)
    changed.loc[after, "y"] = np.random.default_rng(seed).normal(0, 1e3, after.sum())
    models = {"walk": Walk(horizon=3), "naive": SeasonalNaive(horizon=3)}
    columns = ["model", "unique_id", "ds", "cutoff", "mean", "q0.5"]
    a, b = (backtest(models, data, windows=3, refit=refit, quantiles=[0.5]).forecasts for data in (df, changed))
    upto = df.groupby("unique_id")["ds"].max()[a["unique_id"]].to_numpy() - a["cutoff"] >= 3 * (3 - window)
    assert upto.any()
    pd.testing.assert_frame_equal(a.loc[upto, columns], b.loc[upto, columns], check_exact=True)
    if window < 2 or seed:
        assert not a["y"].equals(b["y"])


@pytest.mark.parametrize(("refit", "fits"), [(False, [24]), (True, [24, 28, 32, 36, 40]), (2, [24, 32, 40])])
def test_refit_says_at_which_cutoffs_a_model_is_fitted(refit, fits):
    backtest(Walk(), frame((44,)), windows=5, refit=refit)
    assert [int(panel.lengths[0]) for _, panel, _ in of("fit")] == fits
    assert [int(panel.lengths[0]) for _, panel, _ in of("predict")] == [24, 28, 32, 36, 40]


def test_the_callers_forecaster_stays_unfitted_and_its_frame_unchanged():
    model, df = Walk(), frame()
    before = df.copy(deep=True)
    backtest(model, df, windows=2)
    assert not hasattr(model, "level_")
    pd.testing.assert_frame_equal(df, before)


def test_windows_that_a_series_is_too_short_for_are_left_out_with_one_warning():
    with pytest.warns(UserWarning, match=r"1 of 3 series \('s2'\) .* 2 of their windows .* 14 rows") as caught:
        result = backtest({"walk": Walk(), "other": Walk()}, frame((40, 37, 9)), windows=3)
    assert len(caught) == 1
    assert result.scores.groupby(["model", "unique_id"])["cutoff"].nunique().tolist() == [3, 3, 1, 3, 3, 1]


def test_a_series_that_joins_late_brings_a_new_fit_at_its_first_window():
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 37, 13)), windows=3)
    assert [panel.n_series for _, panel, _ in of("fit")] == [2, 3]
    assert [panel.n_series for _, panel, _ in of("predict")] == [2, 3, 3]


def test_static_covariates_go_with_their_series():
    static = pd.DataFrame({"unique_id": ["s0", "s1", "s2"], "size": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="too short"):
        backtest(Walk(), frame((40, 9, 37)), windows=2, static=static)
    assert [panel.static["size"].tolist() for _, panel, _ in of("predict")] == [[1.0, 3.0], [1.0, 2.0, 3.0]]


def test_when_no_series_is_long_enough_the_message_says_how_long_they_must_be():
    with pytest.raises(DataError, match=r"needs 6 rows.*10 rows for 2 windows.*longest series has 5"):
        backtest(Walk(), frame((5, 4)), windows=2)


def test_missing_values_before_a_cutoff_do_not_count_as_history():
    df = frame((12,))
    df.loc[:7, "y"] = np.nan
    with pytest.raises(DataError, match="no series is long enough"):
        backtest(Walk(), df, windows=1, freq=1)


def test_models_of_different_horizons_are_refused_by_name():
    with pytest.raises(ValueError, match="'a' 4, 'b' 5"):
        backtest({"a": Walk(horizon=4), "b": Walk(horizon=5)}, frame())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"windows": 0}, ValueError, "windows must be a whole number of at least 1; got 0"),
        ({"step": 0}, ValueError, "step must be"),
        ({"refit": 0}, ValueError, "refit must be"),
        ({"n_samples": 1.5}, ValueError, "n_samples must be"),
        ({"metrics": []}, ValueError, "metrics is empty"),
        ({"metrics": ["crsp"]}, ValueError, "crsp"),
        ({"metrics": ["crps", "energy_score"]}, ValueError, "energy_score.*leave it out"),
        ({"quantiles": [0.5, 1]}, ValueError, r"inside \(0, 1\); got 1"),
        ({"engine": "lokal"}, ValueError, "local, ray, dask, spark"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be"),
    ],
)
def test_a_setting_out_of_range_is_refused_at_once(change, error, words):
    with pytest.raises(error, match=words):
        backtest(Walk(), frame(), **change)
    assert Walk.calls == []


@pytest.mark.parametrize("models", [{}, {"a": "naive"}, {"a": Walk}, {1: Walk()}])
def test_what_cannot_forecast_is_refused(models):
    with pytest.raises((TypeError, ValueError), match="models"):
        backtest(models, frame())


def test_a_column_that_the_answer_needs_itself_is_refused():
    with pytest.raises(DataError, match="column 'model'"):
        backtest(Walk(), frame().rename(columns={"unique_id": "model"}), id_col="model")


class Moody(Walk):
    """Fails while ``bad`` lists the number of rows it is given."""

    bad = ()

    def predict(self, data=None, **options):
        if int(data.lengths[0]) in type(self).bad:
            raise RuntimeError("not today")
        return super().predict(data, **options)


def test_a_model_that_fails_is_recorded_and_does_not_sink_the_others(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(Moody, "bad", (32,))
    models = {"moody": Moody(), "naive": SeasonalNaive(horizon=4)}
    result = backtest(models, frame(), windows=3, out=tmp_path / "run")
    assert list(result.failures.columns) == ["model", "cutoff", "error"]
    assert result.failures.to_numpy().tolist() == [["moody", 31, "RuntimeError: not today"]]
    assert "model 'moody' failed in 1 of" in caplog.text
    assert result.forecasts.groupby("model")["cutoff"].nunique().to_dict() == {"moody": 6, "naive": 7}
    summary = result.summary().set_index("model")
    assert summary["failures"].to_dict() == {"moody": 1, "naive": 0}
    assert summary["windows"].to_dict() == {"moody": 2, "naive": 3}
    kept = json.loads((tmp_path / "run/failures/moody/1.json").read_text())
    assert "in predict" in kept["traceback"]
    monkeypatch.setattr(Moody, "bad", ())
    again = backtest(models, frame(), windows=3, out=tmp_path / "run")
    assert again.failures.empty and not (tmp_path / "run/failures/moody/1.json").exists()
    same(again, backtest(models, frame(), windows=3))


def test_a_model_that_cannot_be_fitted_fails_in_all_windows_and_ranks_last():
    class Broken(Walk):
        def fit(self, data, **roles):
            raise ValueError("no")

    result = backtest({"broken": Broken(), "walk": Walk()}, frame(), windows=2)
    assert result.failures["error"].tolist() == ["ValueError: no"] * 2
    assert result.summary()["model"].tolist() == ["walk", "broken"]
    alone = backtest(Broken(), frame(), windows=2)
    assert alone.forecasts.empty and alone.scores.empty
    assert np.isnan(alone.summary()["crps"]).all()
    assert list(alone.scores.columns) == list(result.scores.columns)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.select([0, 1]), "lacks series 's2'"),
        (lambda f: Forecast(f.ids, f.times[:, :3], f.values[:, :, :3]), "3 steps"),
        (lambda f: Forecast(f.ids, f.times + 1, f.values), "begins at 37; .* comes 36"),
    ],
)
def test_a_forecast_of_something_else_is_a_failure(spoil, words):
    class Odd(Walk):
        def predict(self, data=None, **options):
            return spoil(super().predict(data, **options))

    result = backtest(Odd(), frame(), windows=1)
    assert len(result.failures) == 1
    assert result.failures["error"].str.contains(words).all(), result.failures["error"][0]


def test_forecasts_in_another_order_of_series_are_put_in_order():
    class Backwards(Walk):
        def predict(self, data=None, **options):
            return super().predict(data, **options).select([2, 1, 0])

    same(backtest({"m": Walk()}, frame(), windows=1), backtest({"m": Backwards()}, frame(), windows=1))


class Interrupted(Walk):
    """Ctrl-C while the second window is forecast, as long as ``stop`` is set."""

    stop = False

    def predict(self, data=None, **options):
        if type(self).stop and len([c for c in type(self).calls if c[0] == "predict"]) == 2:
            raise KeyboardInterrupt
        return super().predict(data, **options)


@pytest.mark.parametrize("refit", [True, False, 2])
def test_an_interrupted_backtest_goes_on_and_gives_the_same(monkeypatch, tmp_path, refit):
    models = {"walk": Interrupted(), "naive": SeasonalNaive(horizon=4)}
    whole = backtest(models, frame(), windows=4, refit=refit)
    Interrupted.calls = []
    monkeypatch.setattr(Interrupted, "stop", True)
    with pytest.raises(KeyboardInterrupt):
        backtest(models, frame(), windows=4, refit=refit, out=tmp_path / "run")
    assert sorted(path.name for path in tmp_path.glob("run/scores/walk/*")) == ["0.parquet", "1.parquet"]
    monkeypatch.setattr(Interrupted, "stop", False)
    Interrupted.calls = []
    same(whole, backtest(models, frame(), windows=4, refit=refit, out=tmp_path / "run"))
    assert len([c for c in Interrupted.calls if c[0] == "predict"]) == 2
    Interrupted.calls = []
    same(whole, backtest(models, frame(), windows=4, refit=refit, out=tmp_path / "run"))
    assert Interrupted.calls == []


MINE = """
import os, signal
import numpy as np
from tsformers.forecast import Forecast

class Mine:
    def __init__(self): self.horizon = 4
    def fit(self, data, **roles): return self
    def predict(self, data=None, *, n_samples=100, seed=None, **rest):
        if os.environ.get("DIE_AT") == str(data.lengths[0]):
            os.kill(os.getpid(), signal.SIGKILL)
        values = np.random.default_rng(seed).normal(size=(data.n_series, n_samples, 4))
        return Forecast(data.ids, data.future_times(4), values)
"""
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import pandas as pd, mine
from tsformers.jobs.rolling import backtest
backtest(mine.Mine(), pd.read_parquet(sys.argv[1] + "/data.parquet"), windows=3, out=sys.argv[1] + "/run")
"""


def test_a_killed_process_loses_only_the_window_at_work(monkeypatch, tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    df = frame()
    df.to_parquet(tmp_path / "data.parquet")
    command = [sys.executable, "-P", "-W", "ignore", "-c", RUN, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, env={"DIE_AT": "36", "PYTHONPATH": str(root)}, cwd=root, check=False)
    assert done.returncode == -9
    assert sorted(path.name for path in tmp_path.glob("run/scores/Mine/*")) == ["0.parquet", "1.parquet"]
    spec = importlib.util.spec_from_file_location("mine", tmp_path / "mine.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mine", module)
    spec.loader.exec_module(module)
    stamp = (tmp_path / "run/scores/Mine/0.parquet").stat().st_mtime_ns
    same(backtest(module.Mine(), df, windows=3, out=tmp_path / "run"), backtest(module.Mine(), df, windows=3))
    assert (tmp_path / "run/scores/Mine/0.parquet").stat().st_mtime_ns == stamp


def test_a_resumed_backtest_takes_the_fitted_model_from_disk(monkeypatch, tmp_path):
    models, df = {"theta": Theta(horizon=4)}, frame()
    whole = backtest(models, df, windows=3, out=tmp_path / "run")
    assert (tmp_path / "run/models/theta/0").is_dir()
    for kind in ("scores", "forecasts"):
        (tmp_path / f"run/{kind}/theta/2.parquet").unlink()
    monkeypatch.setattr(Theta, "fit", lambda *_, **__: pytest.fail("fitted again"))
    same(whole, backtest(models, df, windows=3, out=tmp_path / "run"))


@pytest.mark.parametrize("kind", ["forecasts", "scores"])
@pytest.mark.parametrize("how", ["cut", "middle"])
def test_a_window_whose_file_is_damaged_is_done_again_with_a_warning(tmp_path, kind, how):
    whole = backtest(Walk(), frame(), windows=2, out=tmp_path / "run")
    place = tmp_path / f"run/{kind}/Walk/1.parquet"
    raw = bytearray(place.read_bytes())
    if how == "middle":
        raw[60:90] = bytes(byte ^ 0x55 for byte in raw[60:90])
    place.write_bytes(raw if how == "middle" else raw[: len(raw) // 2])
    (tmp_path / "run/scores/Walk/.9.parquet.1.tmp").write_bytes(b"left over")
    Walk.calls = []
    with pytest.warns(UserWarning, match="window 1 of model 'Walk' .* is damaged and is done again"):
        same(whole, backtest(Walk(), frame(), windows=2, out=tmp_path / "run"))
    assert len(of("predict")) == 1
    same(whole, backtest(Walk(), frame(), windows=2, out=tmp_path / "run"))
    assert not list((tmp_path / "run").rglob("*.tmp"))


@pytest.mark.parametrize("place", ["fit", "predict"])
def test_a_model_that_calls_for_the_exit_is_a_failure_like_others(place):
    class Leaver(Walk):
        pass

    def leave(*_, **__):
        raise SystemExit(3)

    setattr(Leaver, place, leave)
    result = backtest({"leaver": Leaver(), "walk": Walk()}, frame(), windows=2)
    assert result.failures["error"].tolist() == ["SystemExit: 3"] * 2
    assert result.summary()["model"].tolist() == ["walk", "leaver"]


class Picky(Walk):
    """Leaves out the series that have less than ``least`` rows, and says nothing of it."""

    def __init__(self, horizon=4, spread=1.0, seed=None, least=30):
        super().__init__(horizon, spread, seed)
        self.least = least

    def predict(self, data=None, **options):
        forecast = super().predict(data, **options)
        return forecast.select(np.flatnonzero(data.lengths >= self.least))


def test_with_short_drop_a_model_may_leave_out_series_and_the_rest_is_scored(tmp_path):
    models = {"picky": Picky(), "naive": SeasonalNaive(horizon=4)}
    with pytest.warns(UserWarning, match="'picky' left out series .'s1', 's2'.* 3 times in all"):
        result = backtest(models, frame(), windows=2, short="drop", out=tmp_path / "run")
    assert result.failures.empty
    assert list(result.left_out.columns) == ["model", "unique_id", "cutoff"]
    assert result.left_out.to_numpy().tolist() == [["picky", "s1", 28], ["picky", "s2", 24], ["picky", "s2", 28]]
    kept = result.scores[(result.scores["model"] == "picky") & (result.scores["metric"] == "crps")]
    assert kept[["unique_id", "cutoff"]].to_numpy().tolist() == [["s0", 31], ["s0", 35], ["s1", 32]]
    crps = result.scores[result.scores["metric"] == "crps"].set_index(["unique_id", "cutoff"])
    both = crps[crps["model"] == "picky"][["value"]].join(crps[crps["model"] == "naive"]["value"].rename("base"))
    means = both.groupby(level="unique_id").mean()
    summary = result.summary().set_index("model")
    assert summary.loc["picky", "skill"] == pytest.approx(1 - np.exp(np.log(means["value"] / means["base"]).mean()))
    assert summary["windows"].to_dict() == {"picky": 2, "naive": 2}
    assert "<h2>Left out</h2>" in result.to_html(tmp_path / "report.html").read_text()
    with pytest.warns(UserWarning, match="'picky' left out"):
        again = backtest(models, frame(), windows=2, short="drop", out=tmp_path / "run")
    same(result, again, (*FRAMES, "left_out"))
    with pytest.raises(JobError, match="short was drop, now None"):
        backtest(models, frame(), windows=2, out=tmp_path / "run")


def test_a_model_that_leaves_out_everything_or_was_not_allowed_to_fails():
    result = backtest({"picky": Picky()}, frame(), windows=1)
    assert result.failures["error"].tolist() == ["ValueError: the forecast lacks series 's2'"]
    assert result.left_out.empty
    result = backtest({"picky": Picky(least=99)}, frame(), windows=1, short="drop")
    assert "lacks series 's0'" in result.failures["error"][0]


def test_one_short_series_does_not_sink_a_deep_model():
    from tsformers.forecasters.linear import Linear

    young = frame((12,)).assign(unique_id="young")
    df = pd.concat([frame((60, 60)), young])
    models = {"deep": Linear(horizon=4, context_length=8, max_steps=2), "naive": SeasonalNaive(horizon=4)}
    with pytest.warns(UserWarning):
        result = backtest(models, df, windows=2, short="drop")
    assert result.failures.empty
    assert result.left_out["unique_id"].tolist() == ["young"]
    assert result.summary().set_index("model").loc["deep", "windows"] == 2
    with pytest.warns(UserWarning, match="too short for all windows"):
        result = backtest(models, df, windows=3)
    assert set(result.failures["model"]) == {"deep"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"windows": 3}, "windows was 2, now 3"),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"metrics": ["mae"]}, r"metrics was \['crps', 'mase', 'coverage_80'\], now \['mae'\]"),
        ({"models": {"walk": Walk(spread=2.0)}}, "spread of model 'walk' was 1.0, now 2.0"),
        ({"models": {"walk": SeasonalNaive(horizon=4)}}, "model 'walk' was .*Walk, now .*SeasonalNaive;"),
        ({"df": frame(seed=1)}, "the data differ"),
    ],
)
def test_another_backtest_in_the_same_folder_is_refused_with_what_differs(tmp_path, change, words):
    usual = {"models": {"walk": Walk()}, "df": frame(), "windows": 2, "out": tmp_path / "run"}
    backtest(**usual)
    with pytest.raises(JobError, match=f"{words}.*out=.*delete") as caught:
        backtest(**usual | change)
    assert caught.value.args[0].count(" was ") <= 1


def test_models_may_be_added_to_a_folder_and_a_foreign_folder_is_refused(tmp_path):
    backtest({"a": Walk()}, frame(), windows=2, out=tmp_path / "run")
    Walk.calls = []
    both = backtest({"a": Walk(), "b": Walk()}, frame(), windows=2, out=tmp_path / "run")
    assert len(of("predict")) == 2 and set(both.scores["model"]) == {"a", "b"}
    backtest({"a": Walk()}, frame(), windows=2, out=tmp_path / "run")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mum.txt").write_text("dear")
    with pytest.raises(JobError, match="holds no backtest"):
        backtest({"a": Walk()}, frame(), windows=2, out=tmp_path / "letters")
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(JobError, match="cannot be read"):
        backtest({"a": Walk()}, frame(), windows=2, out=tmp_path / "run")


@pytest.mark.parametrize("name", ["../up", "a/b", "ets 1.0", "Zürich", "."])
def test_any_model_name_stays_inside_the_folder(tmp_path, name):
    result = backtest({name: Walk()}, frame(), windows=1, out=tmp_path / "run")
    assert set(result.scores["model"]) == {name}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert len(list(tmp_path.glob("run/scores/*/0.parquet"))) == 1


def test_numbers_do_not_depend_on_processes(tmp_path):
    models = {"theta": Theta(horizon=4, season_length=1), "naive": SeasonalNaive(horizon=4)}
    alone = backtest(models, frame(), windows=3, refit=2)
    same(alone, backtest(models, frame(), windows=3, refit=2, n_jobs=2))
    same(alone, backtest(models, frame(), windows=3, refit=2, n_jobs=2, out=tmp_path / "run"))


def test_numbers_do_not_depend_on_the_company_or_order_of_models():
    alone = backtest({"b": Walk()}, frame(), windows=2)
    both = backtest({"a": Walk(), "b": Walk()}, frame(), windows=2)
    mine = both.forecasts[both.forecasts["model"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.forecasts, check_exact=True)
    other = both.forecasts[both.forecasts["model"] == "a"].reset_index(drop=True)
    assert not np.allclose(other["mean"], mine["mean"])


def test_open_seeds_are_filled_and_chosen_seeds_kept(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        Walk, "fit", lambda self, data, **_: seeds.append(self.seed) or setattr(self, "level_", 0) or self
    )
    for seed in (0, 0, 1, None):
        backtest({"open": Walk(), "chosen": Walk(seed=7)}, frame(), windows=1, seed=seed)
    assert seeds[0] == seeds[2] != seeds[4] and seeds[1::2] == [7] * 4
    assert seeds[6] is None and isinstance(seeds[0], int)


def test_skill_is_one_minus_the_geometric_mean_of_ratios_and_zeros_decide_nothing():
    result = backtest({"naive": Walk(), "m": Walk()}, frame((20, 20)), windows=1, metrics=["mae"])
    table = result.tables["scores"]
    table["value"] = [1.0, 4.0, 0.5, 1.0]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(0.5 * 0.25))
    assert result.skill("mae")["naive"] == 0
    table["value"] = [0.0, 1.0, 0.0, 0.5]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(1 * 0.5))
    table["value"] = [0.0, 1.0, 3.0, 0.0]
    assert result.skill("mae")["m"] == pytest.approx(1 - np.sqrt(100 * 0.01))
    table["value"] = [1.0, 1.0, np.nan, 0.5]
    assert result.skill("mae")["m"] == pytest.approx(0.5)
    table["value"] = [-1.0, 1.0, 1.0, 0.5]
    assert np.isnan(result.skill("mae")["m"])


def test_skill_counts_only_windows_that_both_models_finished(monkeypatch):
    monkeypatch.setattr(Moody, "bad", (16,))
    result = backtest({"naive": Walk(), "m": Moody()}, frame((20, 20)), windows=2, metrics=["mae"])
    table = result.tables["scores"].set_index(["model", "window", "series"]).sort_index()
    ratio = table.loc[("m", 0), "value"] / table.loc[("naive", 0), "value"]
    assert len(table.loc["m"]) == 2
    assert result.skill("mae")["m"] == pytest.approx(1 - np.exp(np.log(ratio).mean()))


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        (["a", "seasonal"], "seasonal"),
        (["a", "NaiveWalk"], "NaiveWalk"),
        (["naive_walk", "seasonal"], "seasonal"),
        (["b", "a"], "b"),
    ],
)
def test_skill_is_measured_against_the_first_seasonal_naive_or_what_is_called_so(names, reference):
    models = {name: SeasonalNaive(horizon=4) if name == "seasonal" else Walk() for name in names}
    assert backtest(models, frame(), windows=1).reference == reference


def test_the_summary_ranks_by_the_first_metric_and_coverage_by_its_distance():
    result = backtest({"a": Walk(), "b": Walk(), "c": Walk()}, frame((20,)), windows=1, metrics=["coverage_80", "mae"])
    table = result.tables["scores"]
    table["value"] = [1.0, 5.0, 0.75, 6.0, 0.2, 7.0]
    summary = result.summary()
    assert summary["model"].tolist() == ["b", "a", "c"]
    assert summary.columns.tolist() == [
        "model", "coverage_80", "mae", "skill", "windows", "failures", "fit_seconds", "predict_seconds",
    ]  # fmt: skip
    assert summary["mae"].tolist() == [6.0, 5.0, 7.0]


def test_answers_come_in_the_callers_frame_type_and_names(tmp_path):
    days = pd.date_range("2024-03-20", periods=24, freq="D", tz="Europe/Berlin")
    df = pd.DataFrame({"shop": 7, "day": days, "sold": np.arange(24.0)})
    names = {"id_col": "shop", "time_col": "day", "target_col": "sold"}
    result = backtest(SeasonalNaive(horizon=7), df, windows=2, out=tmp_path / "run", **names)
    assert list(result.forecasts.columns[:5]) == ["model", "shop", "day", "cutoff", "sold"]
    assert result.scores["shop"].dtype == df["shop"].dtype
    assert result.forecasts["day"].tolist() == days[-14:].tolist() and result.forecasts["day"].dtype == df["day"].dtype
    assert result.scores["cutoff"].drop_duplicates().tolist() == [days[9], days[16]]
    lazy = backtest(SeasonalNaive(horizon=7), pl.from_pandas(df), windows=2, **names)
    for name in ("scores", "forecasts", "failures"):
        assert isinstance(getattr(lazy, name), pl.DataFrame)
    assert isinstance(lazy.summary(), pl.DataFrame)
    assert lazy.forecasts["mean"].to_list() == result.forecasts["mean"].tolist()


def test_ids_of_any_kind_survive_the_disk(tmp_path):
    df = frame()
    df["unique_id"] = df["unique_id"].map({"s0": ("a", 1), "s1": ("a", 2), "s2": ("b", 1)})
    result = backtest(SeasonalNaive(horizon=4), df, windows=2, out=tmp_path / "run")
    assert set(result.scores["unique_id"]) == {("a", 1), ("a", 2), ("b", 1)}
    category = frame().astype({"unique_id": "category"})
    same(backtest(Walk(), category, windows=2), backtest(Walk(), category, windows=2, out=tmp_path / "other"))


def test_models_that_speak_in_quantiles_are_scored_too():
    class Levels(Walk):
        def predict(self, data=None, *, n_samples=100, seed=None, **rest):
            held = super().predict(data, n_samples=n_samples, seed=seed)
            return Forecast(held.ids, held.times, held.quantile((0.1, 0.5, 0.9)), levels=(0.1, 0.5, 0.9))

    result = backtest(Levels(), frame(), windows=2, metrics=["crps"])
    assert np.isfinite(result.scores["value"]).all() and result.forecasts["pit"].between(0, 1).all()
    mean = result.forecasts.groupby(["unique_id", "cutoff"])["crps"].mean().to_numpy()
    assert mean == pytest.approx(result.scores.sort_values(["unique_id", "cutoff"])["value"].to_numpy())


def test_missing_actuals_are_not_scored_and_spoil_nothing():
    df = frame((40,))
    df.loc[38, "y"] = np.nan
    result = backtest(Walk(), df, windows=1)
    assert np.isnan(result.forecasts["crps"]).sum() == 1
    assert np.isfinite(result.scores["value"]).all()


def test_dropping_short_series_is_left_to_the_model_that_can():
    backtest(Walk(), frame(), windows=1, short="drop")
    assert of("fit")[0][2] == {"short": "drop"}


@pytest.mark.parametrize("engine", ["ray", "spark"])
def test_an_engine_that_is_not_installed_is_named_with_its_extra(engine):
    if importlib.util.find_spec({"ray": "ray", "spark": "joblibspark"}[engine]):
        pytest.skip(f"{engine} is installed")
    with pytest.raises(ImportError, match=rf"tsformers\[{engine}\]"):
        backtest(Walk(), frame(), engine=engine)
    assert Walk.calls == []


def test_a_cluster_gives_the_same_numbers():
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    models = {"theta": Theta(horizon=4, season_length=1), "naive": SeasonalNaive(horizon=4)}
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        same(backtest(models, frame(), windows=2, engine="dask"), backtest(models, frame(), windows=2))


def test_what_changes_no_number_may_change_between_calls(tmp_path):
    first = backtest(SeasonalNaive(horizon=4, verbose=False), frame(), windows=2, out=tmp_path / "run")
    again = backtest(SeasonalNaive(horizon=4, verbose=True), frame(), windows=2, n_jobs=2, out=tmp_path / "run")
    same(first, again)


def test_the_progress_bar_is_shown_when_asked_and_counts_windows(capsys):
    backtest({"a": Walk(), "b": Walk()}, frame(), windows=2, verbose=True)
    assert "4/4" in capsys.readouterr().err
    backtest(Walk(), frame(), windows=2)
    assert capsys.readouterr().err == ""


def test_the_naive_forecast_earns_the_published_scores_of_the_m4_competition(shared):
    df = pd.read_parquet(shared / "data/forecasting/m4_hourly.parquet", columns=["unique_id", "ds", "y"])
    result = backtest(SeasonalNaive(horizon=48), df, windows=1, metrics=["smape", "mase", "coverage_80"])
    assert len(result.scores) == 3 * 414 and result.failures.empty
    summary = result.summary().iloc[0]
    assert summary["smape"] == pytest.approx(0.13912, abs=5e-6)
    assert summary["mase"] == pytest.approx(1.193, abs=5e-4)


def test_nothing_is_warned_of_when_all_is_well():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backtest({"a": SeasonalNaive(horizon=4)}, frame(), windows=2)


def test_ctrl_c_while_a_model_trains_stops_the_backtest_and_keeps_nothing_half_trained(monkeypatch, tmp_path):
    calls = []

    def interrupt(network, window):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return loss(network, window)

    from tsformers.forecasters._neural import DistributionNetwork
    from tsformers.forecasters.autoformer import Autoformer

    loss = DistributionNetwork.loss
    model = Autoformer(horizon=2, context_length=8, max_steps=6, d_model=8, n_heads=2, d_ff=8, seed=0)
    whole = backtest({"deep": model}, frame(), windows=2, refit=True)
    monkeypatch.setattr(DistributionNetwork, "loss", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backtest({"deep": model}, frame(), windows=2, refit=True, out=tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.parquet"))
    again = backtest({"deep": model}, frame(), windows=2, refit=True, out=tmp_path / "run")
    pd.testing.assert_frame_equal(again.forecasts, whole.forecasts)
