"""Forecasters made of forecasters."""

import tsformers as tsf
from fixed_point.data import daily, gaps, two_kinds
from fixed_point.models import by_features, holt_winters, linear, mixture, naive, theta, transformer_mixture
from fixed_point.registry import case


@case("Ensemble", trained=True)
def ensemble():
    equal = tsf.Ensemble([naive(), theta(), holt_winters()], seed=0).fit(daily(3, 60))
    weighted = tsf.Ensemble([naive(), linear(likelihood="quantile")], weights=[1.0, 3.0], seed=0).fit(gaps())
    return {
        "equal": equal.predict(n_samples=12, seed=1),
        "others": equal.predict(daily(2, 64, seed=1), n_samples=12, seed=2),
        "weighted": weighted.predict(n_samples=12, seed=1),
    }


@case("Clustered", trained=True)
def clustered():
    frame, found = two_kinds(), {}
    for name, clusterer in {"ar": mixture, "deep": transformer_mixture, "features": by_features}.items():
        model = tsf.Clustered(clusterer(), naive()).fit(frame)
        found[name] = {"forecast": model.predict(n_samples=8, seed=1), "labels": model.labels_}
    for coupling in ("past", "independent"):
        model = tsf.Clustered(mixture(), theta(season_length=1), aggregate=True, coupling=coupling).fit(frame)
        found[coupling] = model.predict(n_samples=8, seed=1)
    found["networks"] = tsf.Clustered(mixture(), linear()).fit(frame).predict(n_samples=8, seed=1)
    return found


@case("pipeline of clusters, ensemble of pipelines")
def nested():
    behind = tsf.Pipeline([tsf.Scale()], tsf.Clustered(mixture(), naive())).fit(two_kinds())
    several = tsf.Ensemble([tsf.Pipeline([tsf.Scale("robust")], theta()), naive()], seed=3).fit(daily(3, 50))
    return {"behind": behind.predict(n_samples=8, seed=1), "several": several.predict(n_samples=8, seed=1)}
