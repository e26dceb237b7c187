"""Backtests: scores, forecasts and rank, fitted once, anew and half-way, and after a stop."""

import shutil
from pathlib import Path
from typing import Any

import tsformers as tsf
from fixed_point.data import daily, gaps, with_covariates
from fixed_point.models import linear, naive, theta
from fixed_point.registry import case


def answers_of(result: Any) -> dict[str, Any]:
    """The frames of a result; the rank without seconds."""
    rank = result.summary()
    times = [column for column in rank.columns if "second" in column or "time" in column]
    return {"scores": result.scores, "forecasts": result.forecasts, "rank": rank.drop(columns=times)}


@case("backtest")
def once():
    models = {"naive": naive(), "theta": theta(), "flat": naive(season_length=1)}
    metrics = ["crps", "mase", "coverage_80", "mae", "wql", "msis", "smape"]
    return answers_of(
        tsf.backtest(models, daily(3, 60), windows=3, step=2, metrics=metrics, n_samples=20, verbose=False)
    )


@case("backtest, refitted", trained=True)
def refitted():
    models = {"naive": naive(), "linear": linear(max_steps=3)}
    how = {"windows": 4, "step": 4, "n_samples": 10, "verbose": False, "seed": 3}
    return {
        "each": answers_of(tsf.backtest(models, gaps(), refit=True, **how)),
        "every other": answers_of(tsf.backtest(models, daily(3, 60), refit=2, **how)),
    }


@case("backtest, covariates", trained=True)
def covariates():
    frame, _, static = with_covariates()
    how = {"windows": 2, "n_samples": 10, "verbose": False, "known": ["price"], "static": static}
    return answers_of(tsf.backtest({"naive": naive(), "linear": linear(max_steps=3)}, frame, **how))


@case("backtest, gone on with")
def resumed():
    models, frame = {"naive": naive(), "theta": theta()}, daily(3, 60)
    how = {"windows": 3, "n_samples": 10, "verbose": False, "out": "run"}
    whole = tsf.backtest(models, frame, **how)
    kept = sorted(path for path in Path("run").rglob("*.parquet"))
    for path in kept[::2]:
        path.unlink()
    again = tsf.backtest(models, frame, **how)
    shutil.rmtree("run")
    return {"whole": answers_of(whole), "again": answers_of(again)}


@case("backtest, one model")
def one():
    return answers_of(
        tsf.backtest(naive(), daily(2, 40, freq="MS"), windows=2, n_samples=10, verbose=False, quantiles=(0.1, 0.9))
    )
