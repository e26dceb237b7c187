"""Expectation and maximisation of a mixture of autoregressions, with restarts of collapsed clusters."""

import time
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from tsformers.clustering.mixseq.ar_mixture import ARMixture, LagMoments, feature_labels, regress, shrunk
from tsformers.clustering.mixseq.e_step import posterior
from tsformers.clustering.mixseq.evidence import Evidence, History, one_hot

FLOOR = 1e-6  # of the variance of one autoregression for all: no cluster's variance falls below it
TOLERANCE = 1e-7  # nats a step: an iteration that gains less is the last
LEAST_MASS = 0.5  # series: a cluster with less has collapsed
WORST = 0.25  # of an equal share: so many of the worst-fitted series a collapsed cluster is restarted on
REVIVALS = 3  # of collapsed clusters, in each restart
EMPTY = 1e-6  # series: with less there is nothing to estimate from


def fit_ar_mixture(
    moments: LagMoments,
    weight: Float[np.ndarray, " N"],
    restarts: Iterator[np.ndarray],
    max_iter: int,
    own_variance: bool = True,
) -> Iterator[tuple[ARMixture, float, History]]:
    """Expectation and maximisation from several random restarts; yields the best mixture after every iteration.

    ``r[i, k]`` is in proportion to ``weight[k] p(x_i | k)``; each autoregression is the least-squares one of all series
    weighted by ``r``. A collapsed cluster is restarted on the worst-fitted series, three times at most.

    Args:
        moments: of N series.
        weight: how much each series counts, 1 on average.
        restarts: initial responsibilities (N, K), one array a restart.
        max_iter: iterations of each, at most.
        own_variance: whether each series has its own, or all of a cluster one.

    Yields:
        The best mixture, its log-likelihood a step, and the history of the restart that led to it.

    Example:
        >>> sums = np.array([[[50, 0, 0], [0, 50, k], [0, k, 50]] for k in (40.0, 41.0, -40.0)])
        >>> shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
        >>> *_, (mixture, _, history) = fit_ar_mixture(LagMoments(sums, 0.0), np.ones(3), iter([shares]), 50)
        >>> mixture.weights.round(2).tolist(), mixture.coefficients.round(2).ravel().tolist()
        ([0.67, 0.33], [0.81, -0.8])

    Source: Dempster, Laird & Rubin (1977); of autoregressions, Wong & Li (2000).
    """
    pooled = regress((weight @ moments.sums.reshape(len(weight), -1)).reshape(1, *moments.sums.shape[1:]), 0.0)
    floor, best = FLOOR * float(pooled.variances[0]), None
    began = time.perf_counter()
    for shares in restarts:
        history: History = []
        mixture, revivals = None, REVIVALS
        for step in range(1, max_iter + 1):
            mixture = _m_step(moments, weight[:, None] * shares, floor, mixture, own_variance)
            log_densities = mixture.log_densities(moments)
            shares, evidence = posterior(log_densities, mixture.weights)
            found = Evidence(log_densities, shares, mixture.weights, moments.steps)
            history.append(found.row(step, weight, time.perf_counter() - began))
            elbo = history[-1].elbo
            gained = elbo - history[-2].elbo if len(history) > 1 else np.inf
            if best is None or elbo > best[1]:
                best = mixture, elbo, list(history)
            yield best
            collapsed = weight @ shares < LEAST_MASS
            if collapsed.any() and revivals:
                shares, revivals = _revived(shares, collapsed, evidence / moments.steps), revivals - 1
            elif gained < TOLERANCE:
                break


def initial_shares(
    moments: LagMoments, weight: np.ndarray, n_clusters: int, n_init: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Initial responsibilities: of k-means on coefficients, then of autoregressions of K series drawn at random.

    Args:
        moments: of N series.
        weight: how much each counts.
        n_clusters: K.
        n_init: how many.
        rng: of all draws.

    Yields:
        (N, K), rows summing to 1.
    """
    yield one_hot(feature_labels(moments, weight, n_clusters, rng), n_clusters)
    each = shrunk(moments) if n_init > 1 else None
    for _ in range(n_init - 1):
        assert each is not None
        chosen = each.select(rng.choice(len(weight), n_clusters, replace=False, p=weight / weight.sum()))
        equal = np.full(n_clusters, 1 / n_clusters)
        one_variance = chosen._replace(variances=np.full(n_clusters, each.variances.mean()))
        yield posterior(one_variance.log_densities(moments), equal)[0]


def _m_step(
    moments: LagMoments, counts: np.ndarray, floor: float, before: ARMixture | None, own_variance: bool
) -> ARMixture:
    """The best autoregressions for given responsibilities; a cluster without series stays as it was."""
    size, mass = moments.sums.shape[1], counts.sum(0)
    precise = counts
    if before is not None and own_variance:
        spread = before.squares(moments) + moments.steps[:, None] * floor
        precise = counts * moments.steps[:, None] / spread  # the expected 1 / s of each series in each cluster
    sums = (precise.T @ moments.sums.reshape(len(counts), -1)).reshape(-1, size, size)
    found = regress(sums, moments.centre, floor)._replace(own_variance=own_variance)
    if precise is not counts:
        harmonic = mass / np.maximum(precise.sum(0), 1e-300)
        found = found._replace(variances=np.maximum(harmonic, floor))
    if before is not None:
        for cluster in np.flatnonzero(mass < EMPTY):
            for old, new in zip(before[:4], found[:4], strict=True):
                new[cluster] = old[cluster]
    return found._replace(weights=mass / mass.sum())


def _revived(shares: np.ndarray, collapsed: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Responsibilities in which each collapsed cluster holds some of the worst-fitted series."""
    shares = shares.copy()
    size = max(1, int(WORST * len(shares) / shares.shape[1]))
    worst = np.argsort(fit)
    for place, cluster in enumerate(np.flatnonzero(collapsed)):
        series = worst[place * size : (place + 1) * size]
        shares[series] = 0.0
        shares[series, cluster] = 1.0
    return shares
