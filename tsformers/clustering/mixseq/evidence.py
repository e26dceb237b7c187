"""Evidence on the cluster of each series: densities, posteriors (the E-step), and the bound on the likelihood."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from scipy.special import xlogy

from tsformers.clustering.mixseq.e_step import posterior

LEAST_SHARE = 0.1  # of an equal share: a cluster with less has collapsed


class HistoryRow(NamedTuple):
    """One row of ``history_``; nats a step, but ``kl`` and ``entropy``, which are of whole series."""

    step: int
    loss: float
    elbo: float
    kl: float  # of q from the prior, mean over series, nats
    entropy: float  # of the mean of q, nats: log K where clusters are equally large, 0 where one holds all series
    seconds: float


History = list[HistoryRow]


class Evidence(NamedTuple):
    """N series under K clusters.

    Example:
        >>> log_densities, q = np.log([[0.2, 0.6], [0.1, 0.1]]), np.array([[0.25, 0.75], [0.5, 0.5]])
        >>> evidence = Evidence(log_densities, q, prior=np.array([0.5, 0.5]), steps=np.array([3.0, 3.0]))
        >>> evidence.bayes.round(6).tolist(), np.exp(evidence.elbo).round(6).tolist()
        ([[0.25, 0.75], [0.5, 0.5]], [0.4, 0.1])
    """

    log_densities: Float[np.ndarray, "N K"]  # log p(x | k)
    q: Float[np.ndarray, "N K"]
    prior: Float[np.ndarray, " K"]
    steps: Float[np.ndarray, " N"]  # number of values that the densities are of

    @property
    def bayes(self) -> Float[np.ndarray, "N K"]:
        """The exact posterior."""
        return posterior(self.log_densities, self.prior)[0]

    @property
    def elbo(self) -> Float[np.ndarray, " N"]:
        """The bound of each series, with ``q``."""
        return elbo(self.log_densities, self.q, self.prior)

    def collapsed(self, weight: Float[np.ndarray, " N"]) -> Int64[np.ndarray, " M"]:
        """Clusters without mass: their share of q is below a tenth of an equal one, or they are nearest to no series.

        Args:
            weight: how much each series counts.

        Returns:
            Their numbers.
        """
        n_clusters = len(self.prior)
        share = weight @ self.q / weight.sum()
        nearest = np.bincount(self.q.argmax(1), weight > 0, n_clusters)
        return np.flatnonzero((share < LEAST_SHARE / n_clusters) | (nearest == 0))

    def row(self, step: int, weight: Float[np.ndarray, " N"], seconds: float, loss: float | None = None) -> HistoryRow:
        """A row of the history: loss and bound over all series.

        Args:
            step: of the fit.
            weight: how much each series counts.
            seconds: since the fit began.
            loss: of the training; None: minus the bound a step.

        Returns:
            The row.
        """
        bound = float(weight @ self.elbo / (weight @ self.steps))
        divergence = float(weight @ kl(self.q, self.prior) / weight.sum())
        mean = weight @ self.q / weight.sum()
        entropy = float(-xlogy(mean, mean).sum())
        return HistoryRow(step, -bound if loss is None else loss, bound, divergence, entropy, seconds)


def kl(q: Float[np.ndarray, "N K"], prior: Float[np.ndarray, " K"]) -> Float[np.ndarray, " N"]:
    """Divergence of each row from the prior, in nats.

    Args:
        q: probabilities.
        prior: probabilities.

    Returns:
        Numbers of 0 or more.

    Example:
        >>> kl(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0.5, 0.5])).round(3)
        array([0.   , 0.693])

    Source: Kullback & Leibler (1951).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(q > 0, xlogy(q, q) - q * np.log(prior), 0.0).sum(1)


def elbo(
    log_densities: Float[np.ndarray, "N K"], q: Float[np.ndarray, "N K"], prior: Float[np.ndarray, " K"]
) -> Float[np.ndarray, " N"]:
    """``sum_k q(k) log p(x | k) - KL(q || prior)``: at most ``log p(x)``, which it is where q is the posterior.

    Args:
        log_densities: ``log p(x | k)``.
        q: probabilities of the clusters, for each series.
        prior: of the clusters.

    Returns:
        Nats a series.

    Example:
        >>> log_densities, prior = np.log([[0.2, 0.6]]), np.array([0.5, 0.5])
        >>> float(np.exp(elbo(log_densities, np.array([[0.25, 0.75]]), prior))[0].round(6))
        0.4

    Source: Zhu et al. (2021), MixSeq, section 3.
    """
    return np.where(q > 0, q * log_densities, 0.0).sum(1) - kl(q, prior)


def one_hot(labels: np.ndarray, n_clusters: int) -> Float[np.ndarray, "N K"]:
    """One-hot encoding of the cluster of each series.

    Example:
        >>> one_hot(np.array([1, 0]), 2)
        array([[0., 1.],
               [1., 0.]])
    """
    return np.eye(n_clusters)[labels]


def history_frame(rows: History) -> pd.DataFrame:
    """The history of a fit as a frame.

    Example:
        >>> history_frame([HistoryRow(10, 1.5, -1.5, 0.1, 0.7, 0.01)])
           step  loss  elbo   kl  entropy  seconds
        0    10   1.5  -1.5  0.1      0.7     0.01
    """
    frame = pd.DataFrame(rows, columns=list(HistoryRow._fields), dtype=np.float64)
    return frame.astype({"step": np.int64})
