"""REDSDS: forecasts, segments, restarts, temperatures."""

from typing import Any

import tsformers as tsf
from fixed_point.data import daily, even, gaps, with_covariates
from fixed_point.models import annealed, rated, redsds_size
from fixed_point.registry import case

SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "geometric": {"durations": "geometric"},
    "residual": {"residual": True},
    "floored": {"start_floor": -13.0},
    "linear": {"transition": "linear", "emission": "linear", "recurrent": False},
    "sees values": {"switch_input": "y", "begin": "argmax"},
    "sees both": {"switch_input": "xy", "min_duration": 2},
    "transformer": {"embedder": "transformer"},
    "scales": {"state_scale": 0.1, "emission_scale": 1.0, "n_regimes": 3},
    "one series of channels": {"multivariate": True},
    "two beginnings": {"n_init": 2},
    "two short beginnings": {"n_init": 2, "init_steps": 2},
}


def answers_of(model: Any, frame: Any) -> dict[str, Any]:
    """Forecast, regimes and segments of a fitted model."""
    model.fit(frame)
    return {
        "forecast": model.predict(n_samples=10, seed=1),
        "history": model.history_.drop(columns="seconds"),
        "regimes": model.regimes_.drop(columns="durations"),
        "durations": [list(durations) for durations in model.regimes_["durations"]],
        "usage": model.usage_,
        "segments": model.segment(frame),
        "best path": model.segment(frame, method="viterbi"),
    }


for name, settings in SETTINGS.items():
    case(f"REDSDS, {name}", trained=True)(
        lambda settings=settings: answers_of(
            tsf.REDSDS(**redsds_size(**settings)), even(3, 50) if settings.get("multivariate") else daily(3, 50)
        )
    )
case("REDSDS, annealed, widths", trained=True)(lambda: answers_of(annealed(), daily(3, 50)))
case("REDSDS, annealed, transformer", trained=True)(lambda: answers_of(annealed(embedder="transformer"), gaps()))
case("REDSDS, annealed by the steps", trained=True)(lambda: answers_of(rated(), daily(3, 50)))


@case("REDSDS, covariates", trained=True)
def covariates():
    frame, future, static = with_covariates()
    model = annealed().fit(frame, known=["price"], static=static)
    return {"forecast": model.predict(future=future, n_samples=10, seed=1), "segments": model.segment(frame)}
