"""Weighted expectation and maximisation of the mixture, with several random restarts."""

import warnings
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy.random import Generator
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from tsformers.clustering.coreset.var_mixture import Moments, Pairs, VARMixture, log_terms, moments_of

FLOOR = 1e-4  # of the variance of all values: least error variance of a cluster, in any direction
SWEEPS = 3  # of mean and decay, in each iteration
TOLERANCE = 1e-9  # gain of an iteration for each entity: below, it is the last


def fit_var_mixture(
    pairs: Pairs,
    n_clusters: int,
    *,
    bounds: tuple[float, float] = (0.0, 0.9),
    n_init: int = 5,
    max_iter: int = 500,
    seed: int | None = None,
) -> VARMixture:
    """The clusters that minimise ``cluster_objective``, by weighted expectation and maximisation.

    The error variance of a cluster is at least a ten-thousandth of the total in any direction: without a bound, a
    cluster of one entity with few values would fit these perfectly.

    An entity counts as one observation, however long it is. So where decays may be near 1, one cluster with a slow
    decay fits two levels better than two clusters do: bound the decays where clusters shall differ in level.

    Args:
        pairs: all data or a coreset.
        n_clusters: L.
        bounds: of the decays.
        n_init: random restarts, of which the best is kept: from k-means on means, on means, spreads and decays, and on
            these from one random centre each.
        max_iter: iterations of each.
        seed: of the restarts; None: fresh entropy.

    Returns:
        The mixture.

    Raises:
        ValueError: fewer entities than clusters.

    Example:
        >>> from tsformers.clustering.coreset.var_mixture import all_pairs
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(40, 100, 1)) + np.repeat([1.0, 9.0], 20)[:, None, None]
        >>> fit_var_mixture(all_pairs(x), 2, bounds=(0.0, 0.3), seed=0).means.round().ravel().tolist()
        [1.0, 9.0]

    Source: Huang, Sudhir & Vishnoi (2021), section 4, minimise with a general solver; Dempster, Laird & Rubin (1977).
    """
    if len(pairs.lengths) < n_clusters:
        raise ValueError(f"{len(pairs.lengths)} entities are too few for {n_clusters} clusters; lower n_clusters")
    moments, rng, best = moments_of(pairs), np.random.default_rng(seed), None
    for shares in _initial_shares(moments, n_clusters, n_init, rng):
        found = climb(moments, shares, bounds, max_iter)
        if best is None or found[1] < best[1]:
            best = found
    assert best is not None
    order = np.argsort(best[0].means[:, 0], kind="stable")
    return VARMixture(*(part[order] for part in best[0]))


def climb(
    moments: Moments, shares: Float[np.ndarray, "E L"], bounds: tuple[float, float], max_iter: int
) -> tuple[VARMixture, float, Float[np.ndarray, "E L"]]:
    """Expectation and maximisation from given responsibilities; no iteration makes the objective worse.

    Args:
        moments: of E entities.
        shares: initial responsibilities.
        bounds: of the decays.
        max_iter: iterations, at most.

    Returns:
        The mixture, its objective, and the responsibilities under it.

    Example:
        >>> from tsformers.clustering.coreset.var_mixture import all_pairs
        >>> x = np.random.default_rng(0).normal(size=(4, 50, 1)) + np.array([0.0, 0.0, 9.0, 9.0])[:, None, None]
        >>> shares = np.eye(2)[[0, 0, 1, 1]]
        >>> mixture, value, shares = climb(moments_of(all_pairs(x)), shares, bounds=(0.0, 0.5), max_iter=20)
        >>> mixture.means.round().ravel().tolist(), shares.round().argmax(1).tolist()
        ([0.0, 9.0], [0, 0, 1, 1])

    Source: Dempster, Laird & Rubin (1977); in conditional steps, Meng & Rubin (1993).
    """
    mixture, value = None, np.inf
    for _ in range(max_iter):
        mixture = _m_step(moments, shares, bounds, mixture)
        terms = log_terms(mixture, moments)
        evidence = logsumexp(terms, axis=1)
        shares, before, value = np.exp(terms - evidence[:, None]), value, float(-moments.weight @ evidence)
        if before - value < TOLERANCE * moments.weight.sum():
            break
    assert mixture is not None
    return mixture, value, shares


def _m_step(moments: Moments, shares: np.ndarray, bounds: tuple[float, float], before: VARMixture | None) -> VARMixture:
    """Weights in closed form; mean, decay and precision in turn, each the best for the others."""
    counts = moments.weight[:, None] * shares
    mass = np.maximum(counts.sum(0), 1e-300)
    first, later = (
        (counts.T @ part.reshape(len(part), -1)).reshape(-1, *part.shape[1:]) for part in (moments.first, moments.later)
    )
    width, floor = len(moments.centre), _floor(moments)
    if before is None:
        amount = np.maximum(first[:, 0, 0] + later[:, 0, 0], 1e-300)
        mean = (first[:, 0, 1:] + later[:, 0, 1 : width + 1]) / amount[:, None]
        decay = np.full(mean.shape, np.clip(0.0, *bounds))
        precision = np.linalg.inv(_spread(first, later, mean, decay, mass, floor))
    else:
        mean, decay, precision = before.means - moments.centre, before.decays, before.precisions
    for _ in range(SWEEPS):
        mean = _best_mean(first, later, decay, precision)
        decay = _best_decay(later, mean, decay, precision, bounds)
        precision = np.linalg.inv(_spread(first, later, mean, decay, mass, floor))
    return VARMixture(mass / mass.sum(), mean + moments.centre, precision, decay)


def _spread(
    first: np.ndarray, later: np.ndarray, mean: np.ndarray, decay: np.ndarray, mass: np.ndarray, floor: float
) -> np.ndarray:
    """Covariance (L, D, D) of the errors; the sums of their squares are of time averages, so entities are counted."""
    eye = np.eye(mean.shape[1])
    alike = np.broadcast_to(eye, (*mean.shape, mean.shape[1]))
    level = np.concatenate([-mean[:, :, None], alike], axis=2)
    moved = np.concatenate([-((1 - decay) * mean)[:, :, None], alike, -decay[:, :, None] * eye], axis=2)
    square = level @ first @ level.mT + moved @ later @ moved.mT
    size, axes = np.linalg.eigh(square / mass[:, None, None])
    return (axes * np.maximum(size, floor)[:, None, :]) @ axes.mT


def _floor(moments: Moments) -> float:
    """The least variance of errors, in any direction."""
    here = slice(1, len(moments.centre) + 1)
    each = np.concatenate([moments.first[:, None, 0, : here.stop], moments.later[:, None, 0, : here.stop]], axis=1)
    amount, *mean = moments.weight @ each.sum(1)
    square = moments.weight @ np.einsum("edd->e", moments.first[:, here, here] + moments.later[:, here, here])
    spread = square / amount - np.square(np.array(mean) / amount).sum()
    return FLOOR * float(max(spread, 0.0)) / len(mean) + 1e-300


def _best_mean(first: np.ndarray, later: np.ndarray, decay: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The mean (L, D) for given decay and precision."""
    width = decay.shape[1]
    stay = 1 - decay
    still = later[:, 0, 1 : width + 1] - decay * later[:, 0, width + 1 :]
    left = first[:, :1, :1] * precision + later[:, :1, :1] * stay[:, :, None] * precision * stay[:, None, :]
    right = (precision @ first[:, 0, 1:, None])[..., 0] + stay * (precision @ still[..., None])[..., 0]
    scale = np.einsum("ldd->ld", left).mean(1)[:, None, None] + 1e-300
    return np.linalg.solve(left + 1e-12 * scale * np.eye(width), right[..., None])[..., 0]


def _best_decay(
    later: np.ndarray, mean: np.ndarray, decay: np.ndarray, precision: np.ndarray, bounds: tuple[float, float]
) -> np.ndarray:
    """The decay (L, D) within bounds, coordinate by coordinate."""
    width = decay.shape[1]
    amount = later[:, 0, 0, None, None]
    here, past = later[:, 0, 1 : width + 1], later[:, 0, width + 1 :]
    cross = later[:, width + 1 :, 1 : width + 1] - past[:, :, None] * mean[:, None, :]
    cross = cross - mean[:, :, None] * here[:, None, :] + amount * mean[:, :, None] * mean[:, None, :]  # e[t-1] e[t]'
    square = later[:, width + 1 :, width + 1 :] - past[:, :, None] * mean[:, None, :]
    square = square - mean[:, :, None] * past[:, None, :] + amount * mean[:, :, None] * mean[:, None, :]
    slope, pull = precision * square, (precision * cross).sum(2)
    decay = decay.copy()
    for _ in range(SWEEPS if width > 1 else 1):
        for j in range(width):
            rest = pull[:, j] - (slope[:, j] * decay).sum(1) + slope[:, j, j] * decay[:, j]
            known = slope[:, j, j] > 0
            decay[:, j] = np.where(known, np.clip(rest / np.where(known, slope[:, j, j], 1.0), *bounds), decay[:, j])
    return decay


def _initial_shares(moments: Moments, n_clusters: int, n_init: int, rng: Generator) -> Iterator[np.ndarray]:
    """Initial responsibilities, see ``n_init`` of ``fit_var_mixture``."""
    from sklearn.cluster import KMeans

    width = len(moments.centre)
    here = slice(1, width + 1)
    amount = moments.first[:, 0, 0] + moments.later[:, 0, 0]
    mean = (moments.first[:, 0, here] + moments.later[:, 0, here]) / amount[:, None]
    square = np.einsum("edd->ed", moments.first[:, here, here] + moments.later[:, here, here])
    spread = np.maximum(square / amount[:, None] - mean**2, 1e-12)
    later = np.maximum(moments.later[:, 0, 0], 1e-12)[:, None]
    cross = np.einsum("edd->ed", moments.later[:, here, width + 1 :]) / later - mean**2
    features = np.concatenate([mean, np.log(spread), np.clip(cross / spread, -1, 1)], axis=1)
    scale = features.std(0)
    features = features / np.where(scale > 0, scale, 1.0)
    for restart in range(n_init):
        table = mean if restart == 0 else features
        k = min(n_clusters, len(np.unique(table, axis=0)))
        known = {"n_init": 3} if restart < 2 else {"n_init": 1, "init": "random", "max_iter": 1}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one iteration is not meant to converge
            labels = KMeans(k, random_state=int(rng.integers(2**31)), **known).fit(table).labels_
        yield 0.9 * np.eye(n_clusters)[labels] + 0.1 / n_clusters
