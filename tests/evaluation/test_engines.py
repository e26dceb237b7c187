"""Engines: a missing package is named, and a cluster gives the same numbers."""

import importlib.util

import pytest

from tsformers.evaluation.engines import run
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.forecasters.theta import Theta

from .conftest import Walk, frame, same


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_task_is_run_once(n_jobs):
    assert sorted(run(pow, [(2, 1), (2, 2), (2, 3)], "local", n_jobs)) == [2, 4, 8]


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
