"""The model that coresets are made for: clusters of a mean, a precision and a diagonal autoregression of the rest."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

LOG_TWO_PI = float(np.log(2 * np.pi))
FLOOR = 1e-4  # of the variance of all values: the errors of no cluster vary less, in any direction
SWEEPS = 3  # of mean and decay, in each iteration
TOLERANCE = 1e-9  # of what an iteration gains for each entity: below, it is the last


class Pairs(NamedTuple):
    """P weighted values of E weighted entities, each with the value before it: a coreset, or all there is.

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """

    entity: Int64[np.ndarray, " P"]  # from 0 to E - 1
    value: Float[np.ndarray, "P D"]
    before: Float[np.ndarray, "P D"]  # NaN for a first value, which has none
    time_weight: Float[np.ndarray, " P"]
    entity_weight: Float[np.ndarray, " E"]
    lengths: Float[np.ndarray, " E"]  # how many values each entity has, chosen or not


class VARMixture(NamedTuple):
    """L clusters ``x[t] = mean + e[t]``, ``e[t] = decay * e[t-1] + N(0, precision^-1)``.

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """

    weights: Float[np.ndarray, " L"]
    means: Float[np.ndarray, "L D"]
    precisions: Float[np.ndarray, "L D D"]
    decays: Float[np.ndarray, "L D"]


class Moments(NamedTuple):
    """All that the objective needs of weighted pairs: time averages of first and second moments, by entity.

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
        Moments of what is left when the mean of the values is taken off.

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
    plain = np.concatenate([-mean[:, :, None], np.broadcast_to(eye, stay.shape)], axis=2)  # (L, D, A)
    moved = np.concatenate(
        [-(stay @ mean[:, :, None]), np.broadcast_to(eye, stay.shape), -mixture.decays[:, :, None] * eye], axis=2
    )
    psi = np.zeros((len(moments.weight), len(mean)))
    for error, sums in ((plain, moments.first), (moved, moments.later)):
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

    Source: Huang, Sudhir & Vishnoi (2021), section 2.
    """
    return float(-moments.weight @ logsumexp(log_terms(mixture, moments), axis=1))


def climb(
    moments: Moments, shares: Float[np.ndarray, "E L"], bounds: tuple[float, float], max_iter: int
) -> tuple[VARMixture, float, Float[np.ndarray, "E L"]]:
    """Expectation and maximisation from given responsibilities; no iteration makes the objective worse.

    Args:
        moments: of E entities.
        shares: responsibilities to begin with.
        bounds: of the decays.
        max_iter: iterations, at most.

    Returns:
        The mixture, its objective, and the responsibilities under it.

    Source: Dempster, Laird & Rubin (1977); in parts, Meng & Rubin (1993).
    """
    mixture, value = None, np.inf
    for _ in range(max_iter):
        mixture = _maximise(moments, shares, bounds, mixture)
        terms = log_terms(mixture, moments)
        evidence = logsumexp(terms, axis=1)
        shares, before, value = np.exp(terms - evidence[:, None]), value, float(-moments.weight @ evidence)
        if before - value < TOLERANCE * moments.weight.sum():
            break
    assert mixture is not None
    return mixture, value, shares


def _maximise(
    moments: Moments, shares: np.ndarray, bounds: tuple[float, float], before: VARMixture | None
) -> VARMixture:
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
    plain = np.concatenate([-mean[:, :, None], alike], axis=2)
    moved = np.concatenate([-((1 - decay) * mean)[:, :, None], alike, -decay[:, :, None] * eye], axis=2)
    square = plain @ first @ plain.mT + moved @ later @ moved.mT
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
