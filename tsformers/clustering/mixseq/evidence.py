"""What a mixture says of series: densities, posteriors, the bound on the evidence, and how all clusters fare."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from scipy.special import logsumexp, xlogy

DEAD = 0.1  # of a fair share


class Line(NamedTuple):
    """One line of ``history_``; nats a step, but for the two that are of whole series."""

    step: int
    loss: float
    elbo: float
    kl: float  # of q to the prior, mean over series, nats
    entropy: float  # of the mean of q, nats: log K where all clusters are used alike, 0 where one has taken everything
    seconds: float


Progress = list[Line]


class Judged(NamedTuple):
    """N series under K clusters."""

    log_densities: Float[np.ndarray, "N K"]  # log p(x | k)
    q: Float[np.ndarray, "N K"]
    prior: Float[np.ndarray, " K"]
    steps: Float[np.ndarray, " N"]  # how many values the densities are of

    @property
    def bayes(self) -> Float[np.ndarray, "N K"]:
        """The exact posterior."""
        return posterior(self.log_densities, self.prior)[0]

    @property
    def elbo(self) -> Float[np.ndarray, " N"]:
        """The bound of each series, with ``q``."""
        return elbo(self.log_densities, self.q, self.prior)

    def dead(self, weight: Float[np.ndarray, " N"]) -> Int64[np.ndarray, " M"]:
        """Clusters that hold next to nothing: their share of q is below a tenth of a fair one, or no series is nearest.

        Args:
            weight: how much each series counts.

        Returns:
            Their numbers.

        Source: ours.
        """
        n_clusters = len(self.prior)
        share = weight @ self.q / weight.sum()
        nearest = np.bincount(self.q.argmax(1), weight > 0, n_clusters)
        return np.flatnonzero((share < DEAD / n_clusters) | (nearest == 0))

    def line(self, step: int, weight: Float[np.ndarray, " N"], seconds: float, loss: float | None = None) -> Line:
        """How all series fare.

        Args:
            step: of the fit.
            weight: how much each series counts.
            seconds: since the fit began.
            loss: what was minimised; None: minus the bound a step.

        Returns:
            A line of the history.
        """
        bound = float(weight @ self.elbo / (weight @ self.steps))
        divergence = float(weight @ kl(self.q, self.prior) / weight.sum())
        mean = weight @ self.q / weight.sum()
        entropy = float(-xlogy(mean, mean).sum())
        return Line(step, -bound if loss is None else loss, bound, divergence, entropy, seconds)


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
        q: what is thought of each series.
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


def posterior(
    log_densities: Float[np.ndarray, "N K"], weights: Float[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, "N K"], Float[np.ndarray, " N"]]:
    """``p(k | x)`` and ``log p(x)`` under a prior.

    Args:
        log_densities: ``log p(x | k)``.
        weights: the prior of the clusters.

    Returns:
        Probabilities whose rows sum to 1, and the evidence.

    Source: Bayes' theorem.
    """
    with np.errstate(divide="ignore"):
        joint = log_densities + np.log(weights)
    evidence = logsumexp(joint, axis=1)
    shares = np.exp(joint - evidence[:, None])
    return shares / shares.sum(1, keepdims=True), evidence


def one_hot(labels: np.ndarray, n_clusters: int) -> Float[np.ndarray, "N K"]:
    """Certainty about the cluster of each series."""
    return np.eye(n_clusters)[labels]


def history(progress: Progress) -> pd.DataFrame:
    """The lines of a fit as a frame."""
    frame = pd.DataFrame(progress, columns=list(Line._fields), dtype=np.float64)
    return frame.astype({"step": np.int64})
