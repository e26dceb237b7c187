"""The choice of the number of clusters: the bound on validation series, and the one-standard-error rule."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.clustering.mixseq.evidence import Evidence, History
from tsformers.clustering.scaled_series import ScaledSeries
from tsformers.errors import DataError

CANDIDATES = (1, 2, 3, 4, 5, 6, 8)  # numbers of clusters tried where none is given
VALIDATION_SHARE = 0.2  # of the series

Learn = Callable[[ScaledSeries, np.ndarray, int, np.random.Generator], tuple[dict[str, Any], History]]


def compare_numbers(
    scaled: ScaledSeries,
    weight: np.ndarray,
    numbers: Sequence[int] | None,
    learn: Learn,
    evaluate: Callable[[dict[str, Any], ScaledSeries], Evidence],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The bound of each number of clusters on validation series, and which number is chosen.

    The smallest number is chosen whose bound is within one standard error of the best.

    Args:
        scaled: N series.
        weight: how much each counts.
        numbers: of clusters to be tried; None: 1 to 6 and 8, as far as there are two series a cluster.
        learn: from series, weights, a number of clusters and a generator to parameters.
        evaluate: from parameters and series to the evidence.
        rng: draws the validation series.

    Returns:
        A frame of n_clusters, elbo (nats a step), standard_error and chosen.

    Raises:
        DataError: there are too few series to compare.

    Source: one-standard-error rule, Breiman, Friedman, Olshen & Stone (1984).
    """
    counts = sorted({int(k) for k in (CANDIDATES if numbers is None else numbers)})
    order = rng.permutation(len(weight))
    n_validation = round(VALIDATION_SHARE * len(order))
    validation, kept = np.sort(order[:n_validation]), np.sort(order[n_validation:])
    counts = [k for k in counts if k <= len(kept) // 2] if numbers is None else counts
    if not len(validation) or not counts:
        raise DataError(f"{len(order)} series are too few to compare numbers of clusters; set n_clusters to one")
    bounds, steps = [], []
    for each, spawned in zip(counts, rng.spawn(len(counts)), strict=True):
        parameters, _ = learn(scaled.select(kept), weight[kept], each, spawned)
        found = evaluate(parameters, scaled.select(validation))
        bounds.append(found.elbo)
        steps.append(found.steps)
    share = weight[validation] / weight[validation].sum()
    mean = np.array([share @ bound for bound in bounds])
    behind = bounds[int(mean.argmax())] - np.stack(bounds)  # (C, N)
    error = np.sqrt(((behind - behind @ share[:, None]) ** 2 @ share) / len(validation))
    chosen = int(np.argmax(mean.max() - mean <= error))
    return pd.DataFrame(
        {
            "n_clusters": counts,
            "elbo": mean / (share @ steps[0]),
            "standard_error": error / (share @ steps[0]),
            "chosen": np.arange(len(counts)) == chosen,
        }
    )
