"""Forecasters of one series at a time."""

from typing import Any

import tsformers as tsf
from fixed_point.data import counts, daily, gaps, hourly
from fixed_point.models import QUIET
from fixed_point.registry import case

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SeasonalNaive": (tsf.SeasonalNaive, {}),
    "SeasonalNaive, no season": (tsf.SeasonalNaive, {"season_length": 1}),
    "HoltWinters": (tsf.HoltWinters, {}),
    "HoltWinters, multiplicative": (tsf.HoltWinters, {"seasonal": "mul", "damped": False}),
    "HoltWinters, no trend, no season": (tsf.HoltWinters, {"trend": None, "seasonal": None}),
    "AutoETS": (tsf.AutoETS, {}),
    "AutoETS, bic": (tsf.AutoETS, {"criterion": "bic", "season_length": 1}),
    "AutoARIMA": (tsf.AutoARIMA, {"max_p": 2, "max_seasonal": 1, "max_order": 2}),
    "AutoARIMA, no season": (tsf.AutoARIMA, {"season_length": 1, "max_p": 2}),
    "Theta": (tsf.Theta, {}),
    "Theta 3, no season": (tsf.Theta, {"theta": 3.0, "season_length": 1}),
}


def answers_of(kind: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Forecasts of series that were fitted, of longer ones, of gaps, and of other kinds of time."""
    frame = daily(3, 60)
    model = kind(horizon=5, **QUIET, **settings).fit(frame)
    later = daily(2, 66, seed=1)
    answers = {
        "fitted": model.predict(n_samples=20, seed=1),
        "frame": model.predict(n_samples=20, seed=2).to_frame(),
        "others": model.predict(later, n_samples=8, seed=3),
        "gaps": kind(horizon=3, **QUIET, **settings).fit(gaps()).predict(n_samples=8, seed=4),
    }
    if "ARIMA" not in kind.__name__:
        whole = kind(horizon=3, **QUIET, **settings).fit(daily(2, 50, freq=1))
        answers["whole numbers"] = whole.predict(n_samples=8, seed=5)
        answers["months"] = kind(horizon=3, **QUIET, **settings).fit(daily(2, 50, freq="MS")).predict(n_samples=8)
        answers["counts"] = kind(horizon=3, **QUIET, **settings).fit(counts()).predict(n_samples=8)
    return answers


def register(name: str, kind: Any, settings: dict[str, Any]) -> None:
    """One case a kind."""
    case(f"local {name}")(lambda: answers_of(kind, settings))


for name, (kind, settings) in KINDS.items():
    register(name, kind, settings)


@case("local hourly with holes")
def holes():
    frame = hourly(120)
    models = {"naive": tsf.SeasonalNaive, "theta": tsf.Theta, "holt_winters": tsf.HoltWinters}
    return {name: kind(horizon=6, **QUIET).fit(frame).predict(n_samples=8, seed=0) for name, kind in models.items()}
