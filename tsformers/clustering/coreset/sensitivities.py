"""Sensitivities of series and time steps, and the draw of a coreset in proportion to them."""

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from numpy.random import Generator
from sklearn.exceptions import ConvergenceWarning

from tsformers.clustering.coreset.var_mixture import Moments, Pairs, VARMixture, climb, moments_of, objective


class Draw(NamedTuple):
    """A coreset of pairs, and where its parts come from."""

    pairs: Pairs
    entities: Int64[np.ndarray, " E"]  # positions of the chosen entities
    rows: Int64[np.ndarray, " P"]  # positions of the chosen pairs


def draw_coreset(
    pairs: Pairs, n_entities: int, n_times: int, n_clusters: int, *, normalise: bool = False, rng: Generator
) -> Draw:
    """Two-stage importance sampling: entities, then times of each.

    An entity has the sensitivity ``4 |b_i - c|^2 / (OPT + sum A) + 3 / n``, where b is its mean, c the centre of its
    k-means cluster of n entities, OPT what k-means leaves, and A the variances of entities. A value has
    ``2 |x - mean|^2 / (sum of these) + 6 / T``, and that of its predecessor is added. Weights are numbers of draws by
    expected numbers of draws.

    Args:
        pairs: all data, with unit weights; see ``all_pairs``.
        n_entities: draws of entities.
        n_times: draws of values of each.
        n_clusters: k.
        normalise: as in ``Coreset``.
        rng: of the draws.

    Returns:
        The coreset, duplicates merged.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 30, 2))
        >>> drawn = draw_coreset(all_pairs(x), 10, 5, 3, rng=np.random.default_rng(0))
        >>> len(drawn.entities), drawn.pairs.value.shape
        (9, (42, 2))

    Source: Huang, Sudhir & Vishnoi (2021), algorithm 1; numbers from their code.
    """
    entities, weight = entities_of(pairs, n_entities, n_clusters, normalise, rng)
    place = np.full(len(pairs.lengths), -1)
    place[entities] = np.arange(len(entities))
    rows = np.flatnonzero(place[pairs.entity] >= 0)
    rows = rows[np.argsort(place[pairs.entity[rows]], kind="stable")]  # the values of each entity side by side
    owner = place[pairs.entity[rows]]
    sensitivity = time_sensitivities(pairs, rows, owner)
    sums = np.cumsum(sensitivity)
    last = np.searchsorted(owner, np.arange(len(entities)), side="right") - 1
    base = np.concatenate([[0.0], sums[last[:-1]]])
    total = sums[last] - base
    drawn = base[:, None] + rng.random((len(entities), n_times)) * total[:, None]
    at = np.minimum(np.searchsorted(sums, drawn, side="right"), last[:, None])
    chosen, count = np.unique(at, return_counts=True)
    whose = owner[chosen]
    time_weight = count * total[whose] / (n_times * sensitivity[chosen])
    lengths = pairs.lengths[entities]
    if normalise:
        time_weight *= (lengths / np.bincount(whose, time_weight, len(entities)))[whose]
    rows = rows[chosen]
    found = Pairs(whose, pairs.value[rows], pairs.before[rows], time_weight, weight, lengths)
    return Draw(found, entities, rows)


def entity_sensitivities(
    means: Float[np.ndarray, "N D"], variances: Float[np.ndarray, " N"], n_clusters: int, seed: int
) -> Float[np.ndarray, " N"]:
    """How much each entity may matter; they sum to at most 4 + 3 k.

    Args:
        means: of the values of each entity.
        variances: mean squared distances from them.
        n_clusters: k.
        seed: of k-means.

    Returns:
        Positive numbers.

    Source: Huang, Sudhir & Vishnoi (2021), algorithm 1.
    """
    from sklearn.cluster import KMeans

    k = min(n_clusters, len(np.unique(means, axis=0)))
    found = KMeans(k, n_init=3, random_state=seed).fit(means)
    away = np.square(means - found.cluster_centers_[found.labels_]).sum(1)
    cost = away.sum() + variances.sum()
    share = 4 * away / cost if cost > 0 else np.zeros(len(away))
    return share + 3 / np.bincount(found.labels_)[found.labels_]


def time_sensitivities(
    pairs: Pairs, rows: Int64[np.ndarray, " R"], owner: Int64[np.ndarray, " R"]
) -> Float[np.ndarray, " R"]:
    """How much each value of chosen entities may matter to its entity; they sum to at most 16.

    Args:
        pairs: all data.
        rows: positions of pairs, those of an entity side by side and in order.
        owner: which chosen entity each belongs to, from 0.

    Returns:
        Positive numbers; 1 in an entity without variance.

    Source: Huang, Sudhir & Vishnoi (2021), algorithm 1.
    """
    value, n = pairs.value[rows], int(owner[-1]) + 1
    count = np.bincount(owner, minlength=n)
    mean = np.stack([np.bincount(owner, column, n) for column in value.T], axis=1) / count[:, None]
    away = np.square(value - mean[owner]).sum(1)
    total = np.bincount(owner, away, n)[owner]
    flat = total <= 1e-24 * np.bincount(owner, np.square(value).sum(1), n)[owner]
    own = np.where(flat, 1.0, 2 * away / np.where(flat, 1.0, total) + 6 / count[owner])
    follows = ~np.isnan(pairs.before[rows]).any(1)
    return own + np.where(follows, np.concatenate([[0.0], own[:-1]]), 0.0)


def cluster_objective(mixture: VARMixture, pairs: Pairs) -> float:
    """Tells, as f of all data or f_S of a coreset, how badly clusters explain weighted pairs; it may be negative.

    ``f = -sum_i w_i ln sum_l a_l sqrt(det P_l) (2 pi)^(-d/2) exp(-(1 / 2 T_i) sum_t w_i(t) psi_it(l))``: the exponent
    is the average over time, so each entity counts once, and assignments stay soft.

    Args:
        mixture: L clusters.
        pairs: see ``all_pairs``, ``draw_coreset`` and ``Coreset.pairs``.

    Returns:
        Nats. Compare differences: ratios mean nothing near 0.

    Example:
        >>> x = np.array([[[0.0], [1.0]]])
        >>> one = VARMixture(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)), np.full((1, 1), 0.5))
        >>> round(cluster_objective(one, all_pairs(x)) - float(np.log(2 * np.pi)) / 2, 9)
        0.25

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """
    return objective(mixture, moments_of(pairs))


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

    The errors of a cluster vary by at least a ten-thousandth of all variance in any direction: without a bound, a
    cluster of one entity with few values would explain these perfectly.

    An entity counts as one observation, however long it is. So where decays may come near 1, one cluster with a slow
    decay explains two levels better than two clusters do: bound them where clusters are to be of levels.

    Args:
        pairs: all data or a coreset.
        n_clusters: L.
        bounds: of the decays.
        n_init: starts, of which the best result is kept: k-means on means, on means, spreads and decays, and on these
            from one random centre each.
        max_iter: iterations of each.
        seed: of the starts; None: fresh entropy.

    Returns:
        The mixture.

    Raises:
        ValueError: fewer entities than clusters.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(40, 100, 1)) + np.repeat([1.0, 9.0], 20)[:, None, None]
        >>> fit_var_mixture(all_pairs(x), 2, bounds=(0.0, 0.3), seed=0).means.round().ravel().tolist()
        [1.0, 9.0]

    Source: Huang, Sudhir & Vishnoi (2021), section 4, minimise with a general solver; Dempster, Laird & Rubin (1977).
    """
    if len(pairs.lengths) < n_clusters:
        raise ValueError(f"{len(pairs.lengths)} entities are too few for {n_clusters} clusters; lower n_clusters")
    moments, rng, best = moments_of(pairs), np.random.default_rng(seed), None
    for shares in _starts(moments, n_clusters, n_init, rng):
        found = climb(moments, shares, bounds, max_iter)
        if best is None or found[1] < best[1]:
            best = found
    assert best is not None
    order = np.argsort(best[0].means[:, 0], kind="stable")
    return VARMixture(*(part[order] for part in best[0]))


def entities_of(
    pairs: Pairs, n_draws: int, n_clusters: int, normalise: bool, rng: Generator
) -> tuple[Int64[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Positions of the entities drawn, and their weights; one without a value is never drawn."""
    n, usable = len(pairs.lengths), np.flatnonzero(pairs.lengths > 0)
    count = pairs.lengths[usable]
    mean = np.stack([np.bincount(pairs.entity, x, n)[usable] for x in pairs.value.T], axis=1) / count[:, None]
    square = np.bincount(pairs.entity, np.square(pairs.value).sum(1), n)[usable] / count
    variance = np.maximum(square - np.square(mean).sum(1), 0.0)
    sensitivity = entity_sensitivities(mean, variance, n_clusters, int(rng.integers(2**31)))
    share = sensitivity / sensitivity.sum()
    drawn = rng.multinomial(n_draws, share)
    chosen = np.flatnonzero(drawn)
    weight = drawn[chosen] / (n_draws * share[chosen])
    if normalise:
        weight *= len(usable) / weight.sum()
    return usable[chosen], weight


def _starts(moments: Moments, n_clusters: int, n_init: int, rng: Generator) -> Iterator[np.ndarray]:
    """Responsibilities to begin with, as ``fit_var_mixture`` says."""
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
    for start in range(n_init):
        table = mean if start == 0 else features
        k = min(n_clusters, len(np.unique(table, axis=0)))
        known = {"n_init": 3} if start < 2 else {"n_init": 1, "init": "random", "max_iter": 1}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one iteration is not meant to converge
            labels = KMeans(k, random_state=int(rng.integers(2**31)), **known).fit(table).labels_
        yield 0.9 * np.eye(n_clusters)[labels] + 0.1 / n_clusters
