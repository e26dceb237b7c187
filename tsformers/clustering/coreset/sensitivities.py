"""Sensitivities of series and time steps, and the draw of a coreset in proportion to them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from numpy.random import Generator

from tsformers.clustering.coreset.var_mixture import Pairs


class Draw(NamedTuple):
    """A coreset of pairs, and where its parts come from."""

    pairs: Pairs
    entities: Int64[np.ndarray, " E"]  # positions of the entities drawn
    rows: Int64[np.ndarray, " P"]  # positions of the chosen pairs


def draw_coreset(
    pairs: Pairs, n_entities: int, n_times: int, n_clusters: int, *, normalise: bool = False, rng: Generator
) -> Draw:
    """Two-stage importance sampling: entities, then times of each.

    An entity has the sensitivity ``4 |b_i - c|^2 / (OPT + sum A) + 3 / n``, where b is its mean, c the centre of its
    k-means cluster of n entities, OPT the k-means cost, and A the variances of entities. A value has
    ``2 |x - mean|^2 / (sum of these) + 6 / T``, and that of its predecessor is added. Weights are numbers of draws
    divided by expected numbers of draws.

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
        >>> from tsformers.clustering.coreset.var_mixture import all_pairs
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
    rows = rows[np.argsort(place[pairs.entity[rows]], kind="stable")]  # the values of each entity are adjacent
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
    """Upper bounds on the share of each entity in the clustering cost; they sum to at most 4 + 3 k.

    Args:
        means: of the values of each entity.
        variances: mean squared distances from them.
        n_clusters: k.
        seed: of k-means.

    Returns:
        Positive numbers.

    Example:
        >>> means, variances = np.array([[0.0], [2.0], [20.0]]), np.ones(3)
        >>> entity_sensitivities(means, variances, n_clusters=2, seed=0)
        array([2.3, 2.3, 3. ])

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
    """Upper bounds on the share of each value in the cost of its entity; they sum to at most 16 an entity.

    Args:
        pairs: all data.
        rows: positions of pairs, those of an entity adjacent and in order.
        owner: the entity of each, counted from 0 among those drawn.

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


def entities_of(
    pairs: Pairs, n_draws: int, n_clusters: int, normalise: bool, rng: Generator
) -> tuple[Int64[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """The first stage: draws entities by their sensitivities; one without a value is never drawn.

    Args:
        pairs: all data, with unit weights.
        n_draws: how many, with replacement.
        n_clusters: k.
        normalise: as in ``Coreset``.
        rng: of the draws.

    Returns:
        Positions of the entities drawn, and their weights.

    Example:
        >>> from tsformers.clustering.coreset.var_mixture import all_pairs
        >>> pairs = all_pairs(np.random.default_rng(0).normal(size=(50, 30, 2)))
        >>> entities, weight = entities_of(pairs, 10, 3, True, np.random.default_rng(0))
        >>> len(entities), weight.sum().round(9).item()
        (9, 50.0)
    """
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
