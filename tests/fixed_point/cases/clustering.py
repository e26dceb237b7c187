"""Clusterers and coresets."""

from typing import Any

from sklearn.cluster import AgglomerativeClustering
from sklearn.mixture import GaussianMixture

import tsformers as tsf
from fixed_point.data import daily, gaps, hourly, two_kinds
from fixed_point.models import by_features, mixture, transformer_mixture
from fixed_point.registry import case

TRANSFORMERS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "random": {"init": "random", "anneal": True, "restarts": 1},
    "ar first": {"init": "ar", "shared_embedding": True, "dropout": 0.1, "temperature": 2.0},
    "epochs": {"max_epochs": 2, "max_steps": 50, "scaler": "standard", "kernel": 2, "n_heads": 1, "balance": 0.0},
}
MIXTURES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "one variance": {"own_variance": False, "order": 2, "scaler": None},
    "robust": {"scaler": "robust", "max_iter": 5},
    "coreset": {"coreset": tsf.Coreset(200, 2, n_entities=8, seed=0)},
}


def judged(model: Any, frame: Any, fresh: Any) -> dict[str, Any]:
    """What a clusterer says of the series it knows and of others."""
    model.fit(frame)
    return {
        "labels": model.labels_,
        "chances": model.predict_proba(),
        "bayes": model.predict_proba(method="bayes"),
        "others": model.predict(fresh),
        "chances of others": model.predict_proba(fresh),
        "score": model.score(fresh),
        "scores": model.score_series(fresh),
        "shares": model.shares_,
        "history": model.history_.drop(columns="seconds", errors="ignore"),
    }


for name, settings in TRANSFORMERS.items():
    case(f"MixSeq, {name}", trained=True)(
        lambda settings=settings: judged(transformer_mixture(**settings), two_kinds(), two_kinds(6, 40, seed=1))
    )
for name, settings in MIXTURES.items():
    case(f"MixSeq ar, {name}")(
        lambda settings=settings: judged(mixture(**settings), two_kinds(), two_kinds(6, 40, seed=1))
    )


@case("MixSeq ar, number chosen")
def chosen():
    model = mixture().set_params(n_clusters=(1, 2, 3)).fit(two_kinds(30, 50))
    return {"labels": model.labels_, "n": model.n_clusters_, "selection": model.selection_}


@case("MixSeq, series with gaps", trained=True)
def with_gaps():
    return {"ar": mixture().fit(gaps()).predict_proba(), "deep": transformer_mixture().fit(gaps()).predict_proba()}


@case("ByFeatures")
def features():
    model = by_features().fit(two_kinds())
    return {
        "labels": model.labels_,
        "features": model.features_,
        "others": model.predict(two_kinds(6, 40, seed=1)),
        "of hours": by_features(order=2, period=24).fit(hourly(96, 4)).features_,
        "of days": by_features(order=1).fit(daily(5, 60)).features_,
        "with gaps": by_features().fit(gaps()).features_,
        "gaussian": tsf.ByFeatures(GaussianMixture(2, random_state=0)).fit(two_kinds()).labels_,
        "tree": tsf.ByFeatures(AgglomerativeClustering(2)).fit(two_kinds()).labels_,
    }


@case("Coreset")
def coreset():
    found = {}
    for name, settings in {
        "plain": {},
        "normalised": {"normalise": True},
        "counts": {"n_entities": 5, "n_times": 6},
    }.items():
        one = tsf.Coreset(60, 2, seed=0, **settings).fit(two_kinds())
        other = tsf.Coreset(60, 2, seed=1, **settings).fit(
            two_kinds(8, 40, seed=1).assign(unique_id=lambda x: x["unique_id"] + 50)
        )
        both = one.merged(other)
        found[name] = {
            "entities": one.entities_,
            "times": one.times_,
            "frame": one.to_frame(),
            "counts": list(one.counts()),
            "pairs": list(one.pairs()),
            "merged": both.to_frame(),
        }
    return found
