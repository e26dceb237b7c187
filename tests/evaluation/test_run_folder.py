"""Backtests in a run folder: interrupted or killed and resumed, and what may differ between calls."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tsformers.errors import JobError
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.forecasters.theta import Theta

from .conftest import Walk, frame, of, same


class Interrupted(Walk):
    """Ctrl-C while the second window is forecast, as long as ``stop`` is set."""

    stop = False

    def predict(self, data=None, **options):
        if type(self).stop and len([c for c in type(self).calls if c[0] == "predict"]) == 2:
            raise KeyboardInterrupt
        return super().predict(data, **options)


@pytest.mark.parametrize("refit", [True, False, 2])
def test_an_interrupted_backtest_is_resumed_and_gives_the_same(monkeypatch, tmp_path, refit):
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
from tsformers.data.forecast import Forecast

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
from tsformers.evaluation.rolling import backtest
backtest(mine.Mine(), pd.read_parquet(sys.argv[1] + "/data.parquet"), windows=3, out=sys.argv[1] + "/run")
"""


def test_a_killed_process_loses_only_the_window_in_progress(monkeypatch, tmp_path):
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


def test_ctrl_c_while_a_model_trains_stops_the_backtest_and_stores_no_partial_model(monkeypatch, tmp_path):
    calls = []

    def interrupt(network, window):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return loss(network, window)

    from tsformers.forecasters.autoformer.forecaster import Autoformer
    from tsformers.forecasters.neural.distribution_network import DistributionNetwork

    loss = DistributionNetwork.loss
    model = Autoformer(horizon=2, context_length=8, max_steps=6, d_model=8, n_heads=2, d_ff=8, seed=0)
    whole = backtest({"deep": model}, frame(), windows=2, refit=True)
    monkeypatch.setattr(DistributionNetwork, "loss", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backtest({"deep": model}, frame(), windows=2, refit=True, out=tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.parquet"))
    again = backtest({"deep": model}, frame(), windows=2, refit=True, out=tmp_path / "run")
    pd.testing.assert_frame_equal(again.forecasts, whole.forecasts)


def test_a_resumed_backtest_loads_the_fitted_model(monkeypatch, tmp_path):
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


def test_what_changes_no_number_may_change_between_calls(tmp_path):
    first = backtest(SeasonalNaive(horizon=4, verbose=False), frame(), windows=2, out=tmp_path / "run")
    again = backtest(SeasonalNaive(horizon=4, verbose=True), frame(), windows=2, n_jobs=2, out=tmp_path / "run")
    same(first, again)


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


def test_ids_of_any_kind_survive_the_disk(tmp_path):
    df = frame()
    df["unique_id"] = df["unique_id"].map({"s0": ("a", 1), "s1": ("a", 2), "s2": ("b", 1)})
    result = backtest(SeasonalNaive(horizon=4), df, windows=2, out=tmp_path / "run")
    assert set(result.scores["unique_id"]) == {("a", 1), ("a", 2), ("b", 1)}
    category = frame().astype({"unique_id": "category"})
    same(backtest(Walk(), category, windows=2), backtest(Walk(), category, windows=2, out=tmp_path / "other"))
