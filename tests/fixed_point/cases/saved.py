"""Models that the version before saved: loaded now, what do they say?"""

from typing import Any

import tsformers as tsf
from fixed_point.cases.anomaly import decided
from fixed_point.command_line import lines, run
from fixed_point.data import counts, daily, even, hourly, two_kinds, with_covariates
from fixed_point.registry import case
from fixed_point.saving import (
    CLUSTERERS,
    COVARIATES,
    DETECTORS,
    FORECASTERS,
    OTHERS,
    PREPROCESSORS,
    STREAM,
    copied,
)
from fixed_point.store import SAVED


def loaded(name: str) -> Any:
    """The model, and the model that is saved again and loaded again."""
    model = tsf.load(SAVED / name)
    tsf.save(model, "again")
    return model, tsf.load("again")


def forecasts(name: str) -> dict[str, Any]:
    """What a forecaster says of the series it was fitted on, and of others."""
    model, again = loaded(name)
    collected = {"forecast": model.predict(n_samples=8, seed=1), "again": again.predict(n_samples=8, seed=1)}
    if "Clustered" not in name:
        later = counts(1) if "counts" in name else even(2, 46, seed=1)
        collected["others"] = model.predict(later, n_samples=8, seed=2)
    if "LRU" in name:
        collected["next"] = model.stream().next.quantile([0.1, 0.5, 0.9])
    if "REDSDS" in name:
        collected["segments"] = model.segment(daily(2, 30))
    if hasattr(model, "horizon"):
        collected["horizon"] = model.horizon
    return collected


def with_roles(name: str) -> dict[str, Any]:
    """Forecasts that need the future of a covariate."""
    model, again = loaded(name)
    _, future, _ = with_covariates()
    return {"forecast": [one.predict(future=future, n_samples=8, seed=1) for one in (model, again)]}


def clusters(name: str) -> dict[str, Any]:
    """Labels of series of fit, and of others."""
    model, again = loaded(name)
    return {"labels": model.labels_, "others": [one.predict(two_kinds(6, 40, seed=1)) for one in (model, again)]}


def steps(name: str) -> dict[str, Any]:
    """A panel through a preprocessor."""
    model, again = loaded(name)
    return {"inside": [one.transform(tsf.Panel.from_frame(daily(2, 40))).to_frame() for one in (model, again)]}


def decisions(name: str) -> dict[str, Any]:
    """Decisions of a detector."""
    model, again = loaded(name)
    rows = hourly(30, 3, "2024-01-05", seed=1).to_dict("records")
    return {"decisions": [decided(one.update_many(rows)) for one in (model, again)]}


KINDS = {
    forecasts: FORECASTERS,
    with_roles: COVARIATES,
    clusters: CLUSTERERS,
    steps: PREPROCESSORS,
    decisions: DETECTORS,
}
for answers_of, models in KINDS.items():
    for name in models:
        case(f"saved {name}", trained=True)(lambda answers_of=answers_of, name=name: answers_of(name))


@case("saved Coreset")
def coreset():
    model, again = loaded(next(iter(OTHERS)))
    return {"frame": model.to_frame(), "again": again.to_frame()}


@case("saved state of a stream")
def stream():
    with copied(SAVED) as folder:
        hourly(20, 3, "2024-01-06 16:00", seed=2).to_csv("rows.csv", index=False)
        how = ["--state", folder / STREAM, "--fresh-input", "-o", "out.jsonl"]
        run("detect", "--model", folder / "detector", "rows.csv", *how)
        return lines("out.jsonl")
