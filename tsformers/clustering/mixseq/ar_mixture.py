"""A mixture of autoregressions, fitted by expectation and maximisation on second moments of lags."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

from tsformers.clustering.mixseq.evidence import Judged, Progress, one_hot, posterior
from tsformers.clustering.scaled_series import Micro, refuse_few
from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress

HIGHEST_ORDER = 8  # that is tried
MOST_COMPARED = 5000  # series on which orders are compared
COMPARED = 20  # iterations of each while orders are compared
FLOOR = 1e-6  # of the variance of one autoregression for all: no cluster's variance falls below it
FLAT = 1e-9  # of the moments, added to their diagonal
TOLERANCE = 1e-7  # nats a step: an iteration that gains less is the last
DEAD = 0.5  # series: a cluster with less is dead
WORST = 0.25  # of a cluster's fair share: so many of the worst-fitted series a dead cluster starts again from
RESTARTS = 3  # of dead clusters, in each climb
EMPTY = 1e-6  # series: with less there is nothing to estimate from


@dataclass(frozen=True)
class Plan:
    """How a mixture of autoregressions is to be fitted; see ``MixSeq``."""

    order: int | None
    own_variance: bool
    n_init: int
    max_iter: int
    verbose: bool | None


class LagMoments(NamedTuple):
    """What a mixture of AR(p) needs to know of N series.

    Source: normal equations of least squares.
    """

    sums: Float[np.ndarray, "N Q Q"]  # of z z', z = (1, x[t], x[t-1], ..., x[t-p]), over steps without a gap
    centre: float  # what x is measured from

    @property
    def steps(self) -> Float[np.ndarray, " N"]:
        """How many steps the sums are of."""
        return self.sums[:, 0, 0]

    def select(self, series: np.ndarray) -> "LagMoments":
        """Of the series at these positions."""
        return LagMoments(self.sums[series], self.centre)

    def lower(self, order: int) -> "LagMoments":
        """The same steps with fewer lags."""
        return LagMoments(np.ascontiguousarray(self.sums[:, : order + 2, : order + 2]), self.centre)


class ARMixture(NamedTuple):
    """K autoregressions: ``x[t] = constant + sum_l coefficient[l] x[t-l] + N(0, s)``, x measured from ``centre``.

    The variance s is one number a cluster, or each series has its own, of which nothing is known before: ``p(s)`` is in
    proportion to ``1 / s``. What tells clusters apart is then how their series move, whatever their units, and
    densities are known up to one factor, the same for all mixtures.

    Source: Wong & Li (2000), On a mixture autoregressive model, for one series; of whole series here.
    """

    weights: Float[np.ndarray, " K"]
    constants: Float[np.ndarray, " K"]
    coefficients: Float[np.ndarray, "K P"]
    variances: Float[np.ndarray, " K"]
    own_variance: bool
    floor: float  # the least variance
    centre: float

    def squares(self, moments: LagMoments) -> Float[np.ndarray, "N K"]:
        """Sum of squared one-step errors of each series.

        Source: ``e = v' (sum of z z') v`` with ``v = (-constant, 1, -coefficients)``.
        """
        ones = np.ones((len(self.weights), 1))
        error = np.concatenate([-self.constants[:, None], ones, -self.coefficients], axis=1)  # (K, Q)
        products = np.einsum("kq,kr->qrk", error, error).reshape(-1, len(error))
        found = moments.sums.reshape(len(moments.sums), -1) @ products
        return np.maximum(found, 0.0)  # rounding may leave one just below zero

    def log_densities(self, moments: LagMoments) -> Float[np.ndarray, "N K"]:
        """``log p(x | k)`` of each series, given its first p values; 0 for one without a step.

        Source: the normal density of the errors; with variances of their own, its integral over ``ds / s``.
        """
        square, half = self.squares(moments), moments.steps[:, None] / 2
        if not self.own_variance:
            return -half * np.log(2 * np.pi * self.variances) - square / (2 * self.variances)
        square = square + 2 * half * self.floor
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(half > 0, gammaln(half) - half * np.log(np.pi * square), 0.0)

    def select(self, clusters: np.ndarray) -> "ARMixture":
        """The clusters in this order."""
        parts = (self.weights, self.constants, self.coefficients, self.variances)
        weights, constants, coefficients, variances = (part[clusters] for part in parts)
        return ARMixture(weights, constants, coefficients, variances, self.own_variance, self.floor, self.centre)


def lag_moments(micro: Micro, order: int, centre: float | None = None) -> LagMoments:
    """Second moments of a series and its lags; the only pass over the data.

    Args:
        micro: N series.
        order: p.
        centre: what values are measured from; None: their mean.

    Returns:
        Sums over the steps whose value and p lags are all seen.

    Example:
        >>> micro = Micro(np.array([1.0, 2.0, 4.0]), np.array([0]), np.array([3]), np.array([False]))
        >>> lag_moments(micro, 1, centre=0.0).sums[0]
        array([[ 2.,  6.,  3.],
               [ 6., 20., 10.],
               [ 3., 10.,  5.]])

    Source: normal equations of least squares.
    """
    import tsformers.clustering.mixseq.kernels as kernels

    if centre is None:
        values = micro.y[~np.isnan(micro.y)]
        centre = float(values.mean()) if len(values) else 0.0
    sums = np.zeros((len(micro.starts), order + 2, order + 2))
    kernels.lag_moments(micro.y, micro.starts, micro.stops, centre, sums)
    return LagMoments(sums, centre)


def regress(sums: Float[np.ndarray, "M Q Q"], centre: float, floor: float = 0.0) -> ARMixture:
    """One autoregression for each entry of ``sums``, by least squares; weights are shares of the steps.

    Args:
        sums: moments of M groups.
        centre: what they are measured from.
        floor: the least variance.

    Returns:
        The M autoregressions.

    Source: normal equations of least squares.
    """
    known = np.r_[0, 2 : sums.shape[1]]
    square, cross = sums[:, known[:, None], known], sums[:, known, 1]
    diagonal = np.einsum("mqq->mq", square)
    square = square + np.eye(len(known)) * (FLAT * diagonal.mean(1) + 1e-300)[:, None, None]
    found = np.linalg.solve(square, cross[..., None])[..., 0]
    error = np.insert(-found, 1, 1.0, axis=1)
    steps = sums[:, 0, 0]
    variance = np.einsum("mq,mqr,mr->m", error, sums, error) / np.maximum(steps, 1e-300)
    variance = np.maximum(variance, max(floor, 1e-300))
    weights = steps / max(steps.sum(), 1e-300)
    return ARMixture(weights, found[:, 0], found[:, 1:], variance, False, floor, centre)


def shrunk(moments: LagMoments) -> ARMixture:
    """An autoregression for each series, drawn to that of all series as if it were Q steps more.

    Args:
        moments: of N series.

    Returns:
        N autoregressions, for features and starts; those of short series stay within bounds.

    Source: ours.
    """
    total = moments.sums.sum(0)
    prior = total / max(total[0, 0], 1.0) * total.shape[0]
    return regress(moments.sums + prior, moments.centre)


def feature_labels(moments: LagMoments, weight: np.ndarray, n_clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters of the coefficients of each series' own autoregression, by k-means.

    Args:
        moments: of N series.
        weight: (N,), how much each counts.
        n_clusters: K.
        rng: of the starts.

    Returns:
        (N,) numbers from 0 to K - 1.

    Source: ours; on published mixtures of ARMA series it finds the truth.
    """
    from sklearn.cluster import KMeans

    features, seed = shrunk(moments).coefficients, int(rng.integers(2**31))
    if len(np.unique(features, axis=0)) < n_clusters:
        return rng.integers(n_clusters, size=len(features))
    return KMeans(n_clusters, n_init=4, random_state=seed).fit(features, sample_weight=weight).labels_


def fit_ar_mixture(
    moments: LagMoments,
    weight: Float[np.ndarray, " N"],
    n_clusters: int,
    climbs: Iterator[np.ndarray],
    max_iter: int,
    own_variance: bool = True,
) -> Iterator[tuple[ARMixture, float, Progress]]:
    """Climb from several starts; yields after every iteration the best mixture so far.

    ``r[i, k]`` is in proportion to ``weight[k] p(x_i | k)``; each autoregression is the least-squares one of all series
    weighted by ``r``. A dead cluster starts again from the worst-fitted series, three times at most.

    Args:
        moments: of N series.
        weight: how much each series counts, 1 on average.
        n_clusters: K.
        climbs: responsibilities (N, K) to begin with.
        max_iter: iterations of a climb, at most.
        own_variance: whether each series has its own, or all of a cluster one.

    Yields:
        The best mixture, its log-likelihood a step, and how the climb that led to it went.

    Source: Dempster, Laird & Rubin (1977); of autoregressions, Wong & Li (2000).
    """
    pooled = regress((weight @ moments.sums.reshape(len(weight), -1)).reshape(1, *moments.sums.shape[1:]), 0.0)
    floor, best = FLOOR * float(pooled.variances[0]), None
    began = time.perf_counter()
    for shares in climbs:
        progress: Progress = []
        mixture, restarts = None, RESTARTS
        for step in range(1, max_iter + 1):
            mixture = _maximise(moments, weight[:, None] * shares, floor, mixture, own_variance)
            log_densities = mixture.log_densities(moments)
            shares, evidence = posterior(log_densities, mixture.weights)
            judged = Judged(log_densities, shares, mixture.weights, moments.steps)
            progress.append(judged.line(step, weight, time.perf_counter() - began))
            elbo = progress[-1].elbo
            gained = elbo - progress[-2].elbo if len(progress) > 1 else np.inf
            if best is None or elbo > best[1]:
                best = mixture, elbo, list(progress)
            yield best
            dead = weight @ shares < DEAD
            if dead.any() and restarts:
                shares, restarts = _revived(shares, dead, evidence / moments.steps), restarts - 1
            elif gained < TOLERANCE:
                break


def highest_order(micro: Micro) -> int:
    """The longest lag worth trying: 8 at most, a quarter of the median series, and nine series in ten are long enough.

    Args:
        micro: N series.

    Returns:
        1 or more.

    Source: ours.
    """
    some = micro.select(np.arange(0, len(micro.starts), 1 + len(micro.starts) // MOST_COMPARED))
    order = int(np.clip(np.median(some.stops - some.starts) // 4, 1, HIGHEST_ORDER))
    while order > 1 and np.mean(lag_moments(some, order).steps > order) < 0.9:
        order -= 1
    return order


def choose_order(
    micro: Micro, weight: np.ndarray, n_clusters: int, rng: np.random.Generator, own_variance: bool
) -> int:
    """The order with the least BIC, of mixtures fitted to the same steps of up to 5000 series.

    Args:
        micro: N series.
        weight: how much each counts.
        n_clusters: K.
        rng: chooses the series and the starts.
        own_variance: as in ``fit_ar_mixture``.

    Returns:
        p.

    Source: Schwarz (1978).
    """
    some = np.sort(rng.permutation(len(weight))[:MOST_COMPARED])
    micro, weight = micro.select(some), weight[some]
    full = lag_moments(micro, highest_order(micro))
    counted = full.steps > 0
    full, weight = full.select(counted), weight[counted]
    if n_clusters > len(weight):
        return 1
    total, found = float(weight @ full.steps), []
    for order in range(1, full.sums.shape[1] - 1):
        moments = full.lower(order)
        start = one_hot(feature_labels(moments, weight, n_clusters, rng), n_clusters)
        *_, (_, evidence, _) = fit_ar_mixture(moments, weight, n_clusters, iter([start]), COMPARED, own_variance)
        found.append(-2 * evidence + n_clusters * (order + 3) * np.log(total) / total)
    return 1 + int(np.argmin(found))


def starts(
    moments: LagMoments, weight: np.ndarray, n_clusters: int, n_init: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Responsibilities to begin with: first those of k-means on coefficients, then those of K series drawn at random.

    Args:
        moments: of N series.
        weight: how much each counts.
        n_clusters: K.
        n_init: how many.
        rng: of all draws.

    Yields:
        (N, K), rows summing to 1.

    Source: ours.
    """
    yield one_hot(feature_labels(moments, weight, n_clusters, rng), n_clusters)
    each = shrunk(moments) if n_init > 1 else None
    for _ in range(n_init - 1):
        assert each is not None
        chosen = each.select(rng.choice(len(weight), n_clusters, replace=False, p=weight / weight.sum()))
        alike = np.full(n_clusters, 1 / n_clusters)
        one_variance = chosen._replace(variances=np.full(n_clusters, each.variances.mean()))
        yield posterior(one_variance.log_densities(moments), alike)[0]


def learn(
    micro: Micro, weight: np.ndarray, n_clusters: int, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Any], Progress]:
    """Fit the mixture.

    Args:
        micro: N series.
        weight: how much each counts, 1 on average.
        n_clusters: K.
        plan: how.
        rng: of all draws.

    Returns:
        The parameters by name, and how the climb that led to them went.

    Raises:
        DataError: fewer series than clusters.

    Source: as for ``fit_ar_mixture``.
    """
    order = plan.order or choose_order(micro, weight, n_clusters, rng, plan.own_variance)
    moments = lag_moments(micro, order)
    counted = moments.steps > 0
    refuse_few(counted, n_clusters, f"{order + 1} values in a row")
    moments, weight = moments.select(counted), weight[counted]
    found = None
    with progress(plan.n_init, plan.verbose) as bar:
        climbs = _told(starts(moments, weight, n_clusters, plan.n_init, rng), bar)
        try:
            for found in fit_ar_mixture(moments, weight, n_clusters, climbs, plan.max_iter, plan.own_variance):
                bar.set_postfix(elbo=f"{found[1]:.4g}")
        except KeyboardInterrupt:
            if found is None:
                raise
            warnings.warn("the fit was interrupted; the best mixture so far is kept", TrainingInterrupted, stacklevel=4)
    assert found is not None
    return found[0]._asdict(), found[2]


def judge(parameters: dict[str, Any], micro: Micro, order: int | None = None) -> Judged:
    """What a mixture says of series.

    Args:
        parameters: of an ``ARMixture``.
        micro: N series.
        order: values that pass before the first is judged; None: those the mixture needs.

    Returns:
        Densities of what follows, and exact posteriors.

    Source: as for ``fit_ar_mixture``.
    """
    mixture = ARMixture(**parameters)
    needed = mixture.coefficients.shape[1]
    moments = lag_moments(micro, max(order or 0, needed), mixture.centre).lower(needed)
    log_densities = mixture.log_densities(moments)
    return Judged(log_densities, posterior(log_densities, mixture.weights)[0], mixture.weights, moments.steps)


def permuted(parameters: dict[str, Any], clusters: np.ndarray) -> dict[str, Any]:
    """The same mixture with its clusters in another order."""
    return ARMixture(**parameters).select(clusters)._asdict()


def _told(climbs: Iterator[np.ndarray], bar: Any) -> Iterator[np.ndarray]:
    """The starts, each noted on a progress bar when it is done with."""
    for start in climbs:
        yield start
        bar.update()


def _maximise(
    moments: LagMoments, counts: np.ndarray, floor: float, before: ARMixture | None, own_variance: bool
) -> ARMixture:
    """The best autoregressions for given responsibilities; a cluster without series keeps what it was."""
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


def _revived(shares: np.ndarray, dead: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Responsibilities in which each dead cluster holds some of the worst-fitted series."""
    shares = shares.copy()
    size = max(1, int(WORST * len(shares) / shares.shape[1]))
    worst = np.argsort(fit)
    for place, cluster in enumerate(np.flatnonzero(dead)):
        series = worst[place * size : (place + 1) * size]
        shares[series] = 0.0
        shares[series, cluster] = 1.0
    return shares
