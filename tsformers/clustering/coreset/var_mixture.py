"""The mixture that coresets are for: clusters with a mean, a precision and a diagonal autoregression of errors."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

LOG_TWO_PI = float(np.log(2 * np.pi))


class Pairs(NamedTuple):
    """P weighted values of E weighted entities, each with the value before it: a coreset, or all data.

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """

    entity: Int64[np.ndarray, " P"]  # from 0 to E - 1
    value: Float[np.ndarray, "P D"]
    before: Float[np.ndarray, "P D"]  # NaN for a first value, which has none
    time_weight: Float[np.ndarray, " P"]
    entity_weight: Float[np.ndarray, " E"]
    lengths: Float[np.ndarray, " E"]  # number of values of each entity, drawn or not


class VARMixture(NamedTuple):
    """L clusters ``x[t] = mean + e[t]``, ``e[t] = decay * e[t-1] + N(0, precision^-1)``.

    Example:
        >>> one = VARMixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None], np.full((1, 2), 0.5))
        >>> one.means.shape, one.precisions.shape
        ((1, 2), (1, 2, 2))

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """

    weights: Float[np.ndarray, " L"]
    means: Float[np.ndarray, "L D"]
    precisions: Float[np.ndarray, "L D D"]
    decays: Float[np.ndarray, "L D"]


class Moments(NamedTuple):
    """Sufficient statistics of weighted pairs: time averages of first and second moments, by entity.

    Source: the objective is quadratic in the values.
    """

    weight: Float[np.ndarray, " E"]
    first: Float[np.ndarray, "E A A"]  # of (1, value), over values without a predecessor
    later: Float[np.ndarray, "E B B"]  # of (1, value, value before), over the others
    centre: Float[np.ndarray, " D"]


def all_pairs(x: Float[np.ndarray, "N T D"]) -> Pairs:
    """All values of complete series, each with weight 1.

    Args:
        x: N entities of T values of D numbers.

    Returns:
        N T pairs.

    Example:
        >>> all_pairs(np.arange(4.0).reshape(2, 2, 1)).before[:, 0]
        array([nan,  0., nan,  2.])
    """
    n, length, _ = x.shape
    before = np.concatenate([np.full_like(x[:, :1], np.nan), x[:, :-1]], axis=1)
    return Pairs(
        np.repeat(np.arange(n), length),
        x.reshape(n * length, -1),
        before.reshape(n * length, -1),
        np.ones(n * length),
        np.ones(n),
        np.full(n, float(length)),
    )


def moments_of(pairs: Pairs) -> Moments:
    """The moments of pairs; the only pass over them.

    Args:
        pairs: of E entities.

    Returns:
        Moments of the values less their mean.

    Example:
        >>> found = moments_of(all_pairs(np.array([[[1.0], [3.0]]])))
        >>> found.centre, found.first[0].tolist()
        (array([2.]), [[0.5, -0.5], [-0.5, 0.5]])

    Source: the objective is quadratic in the values.
    """
    n, centre = len(pairs.lengths), pairs.value.mean(0)
    share = pairs.time_weight / pairs.lengths[pairs.entity]
    first = np.isnan(pairs.before).any(1)
    ones = np.ones((len(first), 1))
    z = np.concatenate([ones, pairs.value - centre, pairs.before - centre], axis=1)

    def summed(rows: np.ndarray, size: int) -> np.ndarray:
        out = np.empty((n, size, size))
        for j in range(size):
            for k in range(j + 1):
                product = share[rows] * z[rows, j] * z[rows, k]
                out[:, j, k] = out[:, k, j] = np.bincount(pairs.entity[rows], product, n)
        return out

    width = pairs.value.shape[1]
    return Moments(pairs.entity_weight, summed(first, 1 + width), summed(~first, 1 + 2 * width), centre)


def log_terms(mixture: VARMixture, moments: Moments) -> Float[np.ndarray, "E L"]:
    """``ln a_l + ln det P_l / 2 - d ln(2 pi) / 2 - (mean of psi over time) / 2`` of each entity in each cluster.

    Args:
        mixture: L clusters.
        moments: of E entities.

    Returns:
        Nats.

    Source: Huang, Sudhir & Vishnoi (2021), section 2; their constant, (2 pi)^(-d/4) in the code, changes no optimum.
    """
    mean, eye = mixture.means - moments.centre, np.eye(mixture.means.shape[1])
    stay = eye - mixture.decays[:, :, None] * eye
    level = np.concatenate([-mean[:, :, None], np.broadcast_to(eye, stay.shape)], axis=2)  # (L, D, A)
    moved = np.concatenate(
        [-(stay @ mean[:, :, None]), np.broadcast_to(eye, stay.shape), -mixture.decays[:, :, None] * eye], axis=2
    )
    psi = np.zeros((len(moments.weight), len(mean)))
    for error, sums in ((level, moments.first), (moved, moments.later)):
        form = np.einsum("lda,lde,leb->abl", error, mixture.precisions, error)
        psi += sums.reshape(len(sums), -1) @ form.reshape(-1, len(mean))
    with np.errstate(divide="ignore"):
        constant = np.log(mixture.weights) + np.linalg.slogdet(mixture.precisions)[1] / 2 - len(eye) * LOG_TWO_PI / 2
    return constant - psi / 2


def objective(mixture: VARMixture, moments: Moments) -> float:
    """``-sum_i w_i ln sum_l exp(log_terms)``; lower is better, and it may be negative.

    Args:
        mixture: L clusters.
        moments: of E entities.

    Returns:
        f of all data, or f_S of a coreset.

    Example:
        >>> one = VARMixture(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)), np.full((1, 1), 0.5))
        >>> x = np.array([[[0.0], [1.0]]])
        >>> round(objective(one, moments_of(all_pairs(x))) - LOG_TWO_PI / 2, 9)
        0.25

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """
    return float(-moments.weight @ logsumexp(log_terms(mixture, moments), axis=1))


def cluster_objective(mixture: VARMixture, pairs: Pairs) -> float:
    """The clustering cost of weighted pairs: f of all data, or f_S of a coreset; it may be negative.

    ``f = -sum_i w_i ln sum_l a_l sqrt(det P_l) (2 pi)^(-d/2) exp(-(1 / 2 T_i) sum_t w_i(t) psi_it(l))``: the exponent
    is the average over time, so each entity counts once, and assignments stay soft.

    Args:
        mixture: L clusters.
        pairs: see ``all_pairs``, ``draw_coreset`` and ``Coreset.pairs``.

    Returns:
        Nats; lower is better. Compare differences: ratios have no meaning near 0.

    Example:
        >>> x = np.array([[[0.0], [1.0]]])
        >>> one = VARMixture(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)), np.full((1, 1), 0.5))
        >>> round(cluster_objective(one, all_pairs(x)) - float(np.log(2 * np.pi)) / 2, 9)
        0.25

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """
    return objective(mixture, moments_of(pairs))
