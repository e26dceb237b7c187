"""Preprocessors: what they make of a panel, of a forecast, and of forecasters behind them."""

from typing import Any

import tsformers as tsf
from fixed_point.data import daily, even, gaps, hourly
from fixed_point.models import autoformer, holt_winters, linear, lru, naive, theta
from fixed_point.registry import case

DECOMPOSITIONS: dict[str, dict[str, Any]] = {
    "moving average": {},
    "moving average, both": {"remove": "both", "period": 7},
    "stl": {"method": "stl"},
    "stl, both": {"method": "stl", "remove": "both"},
    "mstl": {"method": "mstl", "period": (4, 7)},
    "mstl, both": {"method": "mstl", "period": (4, 7), "remove": "both"},
}


def through(step: Any, frame: Any) -> dict[str, Any]:
    """A panel through a step, and a forecast of it back again."""
    panel = tsf.Panel.from_frame(frame)
    step.fit(panel)
    inside = step.transform(panel)
    forecast = theta(season_length=1).fit(inside).predict(n_samples=10, seed=0)
    longer = tsf.Panel.from_frame(daily(3, 80, seed=1))
    moved = step.transform(longer)
    later = theta(season_length=1).fit(inside).predict(moved, n_samples=6, seed=0)
    return {
        "inside": inside.to_frame(),
        "back": step.inverse(forecast),
        "later": step.inverse(later, past=longer),
    }


for method in ("standard", "mean_abs", "robust"):
    case(f"Scale, {method}")(lambda method=method: through(tsf.Scale(method), gaps()))
for name, settings in DECOMPOSITIONS.items():
    case(f"decomposition, {name}")(
        lambda settings=settings: {
            **through(tsf.TrendSeasonalDecomposition(n_jobs=1, verbose=False, **settings), daily(3, 70)),
            "parts": tsf.TrendSeasonalDecomposition(n_jobs=1, verbose=False, **settings).decompose(daily(2, 50)),
        }
    )


@case("decomposition of hours with holes")
def holes():
    methods = {"moving_average": {}, "stl": {}, "mstl": {"period": (6, 24)}}
    return {
        method: tsf.TrendSeasonalDecomposition(method, n_jobs=1, verbose=False, **more).decompose(hourly(96, 2))
        for method, more in methods.items()
    }


@case("autocorrelated errors alone")
def alone():
    step = tsf.AutocorrelatedErrors()
    return through(step, daily(3, 60)) | {"rho": step.rho_}


def behind(steps: Any, forecaster: Any, frame: Any) -> dict[str, Any]:
    """A pipeline's forecasts."""
    model = tsf.Pipeline(steps, forecaster).fit(frame)
    answers = {
        "forecast": model.predict(n_samples=10, seed=1),
        "others": model.predict(even(3, 64, seed=1), n_samples=5, seed=2),
    }
    for number, step in enumerate(model.steps_ if hasattr(model, "steps_") else []):
        step = step[1] if isinstance(step, tuple) else step
        for name in ("rho_", "report_"):
            if hasattr(step, name):
                answers[f"{number} {name}"] = getattr(step, name)
    return answers


ADJUSTED: dict[str, tuple[dict[str, Any], Any]] = {
    "theta": ({}, theta),
    "holt winters": ({"per_series": True}, holt_winters),
    "naive": ({}, naive),
    "linear": ({}, linear),
    "linear, per series": ({"per_series": True, "ahead": "summed"}, linear),
    "linear, no inputs": ({"inputs": False, "learning_rate": 0.1}, linear),
    "autoformer": ({}, autoformer),
    "lru": ({}, lru),
    "lru, channels": ({"per_series": True}, lambda: lru(multivariate=True)),
}
for name, (settings, make) in ADJUSTED.items():
    case(f"autocorrelated errors, {name}", trained=True)(
        lambda settings=settings, make=make: behind([tsf.AutocorrelatedErrors(**settings)], make(), even())
    )


@case("pipelines", trained=True)
def pipelines():
    split = tsf.TrendSeasonalDecomposition(n_jobs=1, verbose=False)
    whole = tsf.TrendSeasonalDecomposition("stl", remove="both", n_jobs=1, verbose=False)
    return {
        "split, scaled, theta": behind([split, tsf.Scale("robust")], theta(season_length=1), daily(3, 60)),
        "whole, naive": behind([whole], naive(season_length=1), gaps()),
        "scaled, split, adjusted, linear": behind(
            [tsf.Scale(), split, tsf.AutocorrelatedErrors()], linear(), daily(3, 60)
        ),
    }
