"""Detectors: decisions on frames and rows, states, and the distributions and p-values behind them."""

import tempfile
from typing import Any

import numpy as np

import tsformers as tsf
from fixed_point.data import counts, hourly
from fixed_point.models import QUIET, detector, holt_winters, lru, naive
from fixed_point.registry import case

c, f = tsf.anomaly, tsf.fdr
START = "2024-01-05"
VARIANTS: dict[str, Any] = {
    "predictive": lambda: detector(),
    "seldom renewed, kept": lambda: detector(refresh=4, contamination="keep"),
    "a procedure a series": lambda: detector(refresh=2, scope="series", shift_after=2),
    "never a shift": lambda: detector(shift_after=None, coverage=0.8),
    "conformal": lambda: detector(p_value="conformal", control=f.SAFFRON(0.2, decay=0.9), window=40, calibration=30),
    "conformal, quiet": lambda: detector(
        refresh=2, p_value=c.ConformalP(window=40, shift_after=3, calibrate_on="quiet"), control=f.ADDIS(0.3)
    ),
    "conformal, residual, upper": lambda: detector(
        p_value=c.ConformalP("upper", window=30, score="residual", decay=0.98), control=f.LOND(0.3)
    ),
    "conformal, predictive, lower": lambda: detector(
        p_value=c.ConformalP("lower", window=30, score="predictive", shape=0.5), control=f.AlphaSpending(0.3)
    ),
    "predictive, upper": lambda: detector(p_value=c.PredictiveP("upper", shape=0.1), control=f.OnlineBH(0.2)),
    "lagged": lambda: detector(control=f.LORD(0.2, decay=0.9, lag=3)),
    "memory": lambda: detector(control=f.MemoryLORD(0.2), unseen="skip", max_jump=5),
    "holt winters": lambda: detector(holt_winters(3, season_length=24), refresh=2),
    "theta, conformal": lambda: detector(
        tsf.Theta(horizon=2, **QUIET), p_value="conformal", window=30, control=f.SAFFRON(0.2)
    ),
}
NETWORKS: dict[str, Any] = {
    "LRU": lambda: detector(lru(), refresh=2),
    "LRU, levels": lambda: detector(lru(likelihood="quantile"), refresh=2),
    "LRU, conformal": lambda: detector(lru(), p_value="conformal", refresh=4, window=30, control=f.SAFFRON(0.3)),
    "LRU, levels, heavy tails": lambda: detector(
        lru(likelihood="quantile"), refresh=3, p_value=c.PredictiveP(shape=0.3)
    ),
    "LRU, levels, conformal": lambda: detector(
        lru(likelihood="quantile"), refresh=3, p_value=c.ConformalP(window=30, score="predictive"), control=f.LOND(0.3)
    ),
    "LRU, paths": lambda: detector(lru(decoding="autoregressive"), refresh=4),
}


def decided(decisions: Any) -> dict[str, Any]:
    """Decisions as columns of numbers and words."""
    fields = ("unique_id", "ds", "status")
    collected = {name: [str(getattr(one, name)) for one in decisions] for name in fields}
    numbers = ("y", "expected", "lower", "upper", "p_value", "level")
    collected |= {name: np.array([getattr(one, name) for one in decisions], dtype=float) for name in numbers}
    return collected | {"anomaly": np.array([bool(one.anomaly) for one in decisions])}


def odd(start: Any) -> list[dict[str, Any]]:
    """Rows that are late, twice there, missing, off the grid, far ahead, unseen or no rows at all."""
    rows = hourly(12, 3, start, seed=5).to_dict("records")
    return [
        *rows[:9],
        rows[0],
        rows[8],
        {**rows[9], "y": None},
        {**rows[10], "y": "many"},
        {**rows[11], "ds": "soon"},
        {**rows[12], "ds": rows[12]["ds"] + np.timedelta64(7, "m")},
        {**rows[13], "unique_id": "new"},
        {**rows[14], "ds": rows[14]["ds"] + np.timedelta64(900, "h")},
        {"y": 1.0},
        *rows[15:],
    ]


def watched(make: Any) -> dict[str, Any]:
    """A detector's answers: to a frame, row by row, to odd rows, and after it was saved and loaded."""
    model = make().fit(hourly(96))
    first, later = hourly(40, 3, START, seed=1), hourly(20, 3, "2024-01-06 16:00", seed=2)
    collected: dict[str, Any] = {"errors": model.errors_, "quiet": model.quiet_rate}
    collected["frame"] = model.detect(first, status=True)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/d")
        again = tsf.load(f"{folder}/d")
        collected["rows"] = decided([model.update(row) for row in later.to_dict("records")])
        collected["resumed"] = decided(list(again.stream(later.to_dict("records"))))
    collected["odd"] = decided(model.update_many(odd("2024-01-07 12:00")))
    collected["counts"] = dict(model.counts)
    return collected


for name, make in VARIANTS.items():
    case(f"detector, {name}")(lambda make=make: watched(make))
for name, make in NETWORKS.items():
    case(f"detector, {name}", trained=True)(lambda make=make: watched(make))


@case("detector of counts")
def of_counts():
    answers = {}
    for name, p in {
        "predictive": c.PredictiveP(counts=True),
        "conformal": c.ConformalP(counts=True, window=20),
    }.items():
        model = detector(naive(2), p_value=p).fit(counts().groupby("unique_id").head(55))
        answers[name] = model.detect(counts().groupby("unique_id").tail(15))
    return answers


@case("detector steps of a state")
def steps():
    model = detector().fit(hourly(96))
    state, collected = model.state, []
    for row in hourly(10, 3, START, seed=1).to_dict("records"):
        state, decision = model.step(state, row)
        collected.append(decision)
    model.state = state
    return {
        "steps": decided(collected),
        "after": decided(model.update_many(hourly(5, 3, "2024-01-05 10:00").to_dict("records"))),
    }


@case("laws")
def predictive_marginals():
    rng = np.random.default_rng(0)
    forecast = naive().fit(hourly(72)).predict(n_samples=15, seed=0)
    found = {}
    for name, marginals in {
        "of draws": c.Marginals(rng.normal(size=(4, 12))),
        "of levels": c.Marginals(np.sort(rng.normal(size=(4, 3))), (0.1, 0.5, 0.9)),
        "of a forecast": c.marginals_of(forecast, 2),
    }.items():
        found[name] = {
            "expected": marginals.expected,
            "quantiles": [marginals.quantile(level) for level in (0.05, 0.5, 0.99)],
            "interval": list(marginals.interval(0.9)),
            "some": marginals.take(np.array([2, 0])).expected,
        }
    return found
