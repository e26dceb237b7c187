"""Which clusterers find the clusters of the published mixture of ARMA series? Rand index, adjusted Rand index and NMI.

    python examples/mixseq_arma.py       # 30 series a process, quick: too few steps for the Transformers
    python examples/mixseq_arma.py full  # the table in docs/results/preprocessors.md, some minutes

Each series follows one of three autoregressive processes of order 2. "the true processes, known" assigns by likelihood
with the true coefficients, the upper bound of any clusterer. ``full``: 300 and 1,000 series a process, 100 steps, three
seeds; the Transformers on 300.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, rand_score
from sklearn.mixture import GaussianMixture

import tsformers as tsf
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.simulate.mixtures import ARMA, arma_mixture

Clusterer = Callable[[pd.DataFrame, int], np.ndarray]


def wide(frame: pd.DataFrame) -> np.ndarray:
    """(N, T) values, one row a series."""
    return frame["y"].to_numpy().reshape(frame["unique_id"].nunique(), -1)


def known_processes(frame: pd.DataFrame, seed: int) -> np.ndarray:
    """The process with the smallest squared one-step errors, of the true three."""
    y = wide(frame)
    return np.stack([np.square(y[:, 2:] - a * y[:, 1:-1] - b * y[:, :-2]).sum(1) for a, b in ARMA]).argmin(0)


def coefficients(frame: pd.DataFrame) -> np.ndarray:
    """(N, 2) coefficients of an AR(2) model of each series, by least squares."""
    y = wide(frame)
    lags = np.stack([y[:, 1:-1], y[:, :-2]], axis=-1)
    return np.linalg.solve(lags.mT @ lags, lags.mT @ y[:, 2:, None])[..., 0]


def by_mixseq(**settings: object) -> Clusterer:
    """MixSeq with three clusters."""

    def labels(frame: pd.DataFrame, seed: int) -> np.ndarray:
        series = frame[["unique_id", "ds", "y"]]
        return MixSeq(3, seed=seed, verbose=False, **settings).fit_predict(series)["cluster"].to_numpy()

    return labels


def by_features(frame: pd.DataFrame, seed: int) -> np.ndarray:
    """k-means on features of each series."""
    clusterer = tsf.ByFeatures(KMeans(3, n_init=10, random_state=seed), order=2)
    return clusterer.fit(frame[["unique_id", "ds", "y"]]).labels_["cluster"].to_numpy()


def clusterers(full: bool) -> dict[str, tuple[Clusterer, int]]:
    """Clusterers by name, each with the largest number of series a process that it runs on."""
    short = {} if full else {"max_steps": 5, "pretrain_steps": 10}
    return {
        "the true processes, known": (known_processes, 1000),
        "MixSeq": (by_mixseq(**short), 300),
        "MixSeq, caller's units": (by_mixseq(scaler=None, **short), 300),
        "MixSeq, random initialisation": (by_mixseq(init="random", **short), 300),
        "MixSeq('ar')": (by_mixseq(backbone="ar"), 1000),
        "MixSeq('ar'), one variance": (by_mixseq(backbone="ar", own_variance=False), 1000),
        "GMM on AR(2)": (lambda f, s: GaussianMixture(3, n_init=5, random_state=s).fit_predict(coefficients(f)), 1000),
        "k-means on AR(2)": (lambda f, s: KMeans(3, n_init=10, random_state=s).fit_predict(coefficients(f)), 1000),
        "k-means, ByFeatures": (by_features, 1000),
        "k-means on values": (lambda f, s: KMeans(3, n_init=10, random_state=s).fit_predict(wide(f)), 1000),
    }


def main(full: bool) -> None:
    """Print one line a clusterer and size: means over seeds, the least adjusted Rand index, and seconds."""
    sizes, length, seeds = ((300, 1000), 100, range(3)) if full else ((30,), 100, range(1))
    rows = []
    for name, (labels, most) in clusterers(full).items():
        for size in (each for each in sizes if each <= most):
            for seed in seeds:
                frame = arma_mixture(size, length, seed=seed)
                truth = frame["regime"].to_numpy().reshape(-1, length)[:, 0]
                began = time.perf_counter()
                found = labels(frame, seed)
                scores = [
                    score(truth, found) for score in (rand_score, adjusted_rand_score, normalized_mutual_info_score)
                ]
                rows.append([name, size, *scores, time.perf_counter() - began])
            table = pd.DataFrame(rows, columns=["clusterer", "series a process", "RI", "ARI", "NMI", "seconds"])
            last = table.tail(len(seeds))
            means = ", ".join(f"{score} {last[score].mean():.4f}" for score in ("RI", "ARI", "NMI"))
            print(
                f"{name}, {size}: {means}, least ARI {last['ARI'].min():.4f}, {last['seconds'].mean():.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main("full" in sys.argv[1:])
