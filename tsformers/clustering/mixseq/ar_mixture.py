"""A mixture of autoregressions, and the second moments of lags that it is fitted on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

from tsformers.clustering.scaled_series import ScaledSeries

FLAT = 1e-9  # of the moments, added to their diagonal


class LagMoments(NamedTuple):
    """Second moments of the lags of N series: all that a mixture of AR(p) reads.

    Source: normal equations of least squares.
    """

    sums: Float[
        np.ndarray, "N Q Q"
    ]  # of z z', z = (1, x[t], x[t-1], ..., x[t-p]), over steps whose lags are all observed
    centre: float  # subtracted from x

    @property
    def steps(self) -> Float[np.ndarray, " N"]:
        """Number of steps in the sums."""
        return self.sums[:, 0, 0]

    def select(self, series: np.ndarray) -> "LagMoments":
        """Of the series at these positions."""
        return LagMoments(self.sums[series], self.centre)

    def lower(self, order: int) -> "LagMoments":
        """The same steps with fewer lags."""
        return LagMoments(np.ascontiguousarray(self.sums[:, : order + 2, : order + 2]), self.centre)


class ARMixture(NamedTuple):
    """K autoregressions: ``x[t] = constant + sum_l coefficient[l] x[t-l] + N(0, s)``, x less ``centre``.

    The variance s is one number a cluster, or each series has its own with the uninformative prior ``p(s)`` in
    proportion to ``1 / s``. Clusters then differ in dynamics alone, whatever the units of series, and densities are
    known up to one factor, the same for all mixtures.

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


def lag_moments(scaled: ScaledSeries, order: int, centre: float | None = None) -> LagMoments:
    """Second moments of a series and its lags; the only pass over the data.

    Args:
        scaled: N series.
        order: p.
        centre: subtracted from values; None: their mean.

    Returns:
        Sums over the steps whose value and p lags are all observed.

    Example:
        >>> scaled = ScaledSeries(np.array([1.0, 2.0, 4.0]), np.array([0]), np.array([3]), np.array([False]))
        >>> lag_moments(scaled, 1, centre=0.0).sums[0]
        array([[ 2.,  6.,  3.],
               [ 6., 20., 10.],
               [ 3., 10.,  5.]])

    Source: normal equations of least squares.
    """
    import tsformers.clustering.mixseq.kernels as kernels

    if centre is None:
        values = scaled.y[~np.isnan(scaled.y)]
        centre = float(values.mean()) if len(values) else 0.0
    sums = np.zeros((len(scaled.starts), order + 2, order + 2))
    kernels.lag_moments(scaled.y, scaled.starts, scaled.stops, centre, np.empty(order + 2), sums)
    return LagMoments(sums, centre)


def regress(sums: Float[np.ndarray, "M Q Q"], centre: float, floor: float = 0.0) -> ARMixture:
    """One autoregression for each entry of ``sums``, by least squares; weights are shares of the steps.

    Args:
        sums: moments of M groups.
        centre: what was subtracted from values.
        floor: the least variance.

    Returns:
        The M autoregressions.

    Example:
        >>> x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
        >>> scaled = ScaledSeries(x, np.array([0]), np.array([5]), np.array([False]))
        >>> regress(lag_moments(scaled, 1, centre=0.0).sums, 0.0).coefficients.round(4)
        array([[2.]])

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
    """An autoregression for each series, shrunk to that of all series as if by Q more steps.

    Args:
        moments: of N series.

    Returns:
        N autoregressions, for features and initial values; those of short series stay within bounds.

    Example:
        >>> y = np.array([8.0, 4.0, 2.0, 1.0, 1.0, -1.0])
        >>> scaled = ScaledSeries(y, np.array([0, 4]), np.array([4, 6]), np.zeros(2, dtype=bool))
        >>> shrunk(lag_moments(scaled, 1, centre=0.0)).coefficients.round(2).tolist()
        [[0.59], [0.7]]
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
        rng: seeds k-means.

    Returns:
        (N,) numbers from 0 to K - 1.

    Source: ours; on published mixtures of ARMA series it finds the truth.
    """
    from sklearn.cluster import KMeans

    features, seed = shrunk(moments).coefficients, int(rng.integers(2**31))
    if len(np.unique(features, axis=0)) < n_clusters:
        return rng.integers(n_clusters, size=len(features))
    return KMeans(n_clusters, n_init=4, random_state=seed).fit(features, sample_weight=weight).labels_
