"""Error of clusters fitted to a coreset in place of all data, beside the same number of values drawn uniformly.

    python examples/coreset_error.py       # 100 series of 100 steps, quick
    python examples/coreset_error.py full  # the table in docs/results/preprocessors.md

Series of three clusters with two values a step. A mixture is fitted to all data and to subsets; gamma, the likelihood
ratio, is twice the difference of their objectives on all data. ``full``: 500 series of 500 steps, three ranges of
decays, three sets of clusters each, five draws.
"""

import sys
import time

import numpy as np
import pandas as pd

from tsformers.clustering.coreset.expectation_maximisation import fit_var_mixture
from tsformers.clustering.coreset.sensitivities import draw_coreset
from tsformers.clustering.coreset.var_mixture import Pairs, VARMixture, all_pairs, cluster_objective

K, D = 3, 2
RANGES = ((0.0, 0.3), (0.3, 0.6), (0.6, 0.9))  # of the decays


def series(n: int, length: int, bounds: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Values (n, length, D) of K clusters drawn as in the paper, after 50 steps of burn-in."""
    weights = np.abs(rng.normal(size=K))
    label = rng.choice(K, n, p=weights / weights.sum())
    means, root = rng.normal(size=(K, D)), rng.uniform(size=(K, D, D))
    decays = rng.uniform(*bounds, size=(K, D))
    scatter = np.linalg.cholesky(np.linalg.inv(root @ root.mT)).mT[label]
    x = rng.normal(size=(n, length + 50, D)) @ scatter
    for t in range(1, length + 50):
        x[:, t] += decays[label] * x[:, t - 1]
    return means[label][:, None] + x[:, 50:]


def uniform(pairs: Pairs, size: int, rng: np.random.Generator) -> Pairs:
    """``size`` values drawn uniformly without replacement, with the weights of the paper's code."""
    rows = np.sort(rng.choice(len(pairs.entity), size, replace=False))
    entities, owner, count = np.unique(pairs.entity[rows], return_inverse=True, return_counts=True)
    lengths, n = pairs.lengths[entities], len(entities)
    weight = np.full(n, len(pairs.lengths) / n)
    return Pairs(owner, pairs.value[rows], pairs.before[rows], (lengths / count)[owner], weight, lengths)


def measure(
    n: int, length: int, repeats: int, grid: tuple[float, ...], bounds: tuple[float, float], seed: int
) -> list[dict[str, object]]:
    """One row for each size, repeat and way of drawing."""
    rng, rows = np.random.default_rng(seed), []
    pairs = all_pairs(series(n, length, bounds, rng))
    began = time.perf_counter()
    best: VARMixture = fit_var_mixture(pairs, K, bounds=bounds, seed=0)
    seconds, least = time.perf_counter() - began, cluster_objective(best, pairs)
    for eps in grid:
        n_entities, n_times = int(K * (D - 1) / eps + 1e-9), int(3 * (D - 1) / eps + 1e-9)
        for repeat in range(repeats):
            parts = {
                name: draw_coreset(pairs, n_entities, n_times, K, normalise=name == "normalised", rng=rng).pairs
                for name in ("coreset", "normalised")
            }
            parts["uniform"] = uniform(pairs, len(parts["coreset"].entity), rng)
            for name, part in parts.items():
                began = time.perf_counter()
                found = fit_var_mixture(part, K, bounds=bounds, seed=repeat)
                rows.append(
                    {
                        "eps": eps,
                        "drawn": name,
                        "values": len(part.entity),
                        "gamma": 2 * (cluster_objective(found, pairs) - least),
                        "fixed": abs(cluster_objective(best, part) - least),
                        "faster": seconds / (time.perf_counter() - began),
                    }
                )
    return rows


def main(full: bool) -> None:
    """Print the table."""
    sizes: tuple[int, int, int, tuple[float, ...]] = (100, 100, 2, (0.5, 0.2))
    sets = [(RANGES[1], 0)]
    if full:
        sizes = 500, 500, 5, (0.5, 0.4, 0.3, 0.2, 0.1)
        sets = [(bounds, 3 * i + seed) for i, bounds in enumerate(RANGES) for seed in range(3)]
    rows = [row for bounds, seed in sets for row in measure(*sizes, bounds, seed)]
    table = pd.DataFrame(rows).groupby(["eps", "drawn"], sort=False)
    shown = table.agg(
        values=("values", "mean"),
        median=("gamma", "median"),
        mean=("gamma", "mean"),
        sd=("gamma", "std"),
        lost=("gamma", lambda gamma: (gamma > 2 * sizes[0]).mean()),
        objective_off_by=("fixed", "mean"),
        times_faster=("faster", "median"),
    )
    print(f"{sizes[0]} series of {sizes[1]} steps; gamma = 2 (f(fit to a part) - f(fit to all)), lower is better")
    print("lost: share of fits that are worse by more than a nat a series")
    print(shown.round(2).reset_index().to_string(index=False))


if __name__ == "__main__":
    main("full" in sys.argv[1:])
