"""The E-step of a mixture: the posterior probability of each cluster for each series."""

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp


def posterior(
    log_densities: Float[np.ndarray, "N K"], weights: Float[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, "N K"], Float[np.ndarray, " N"]]:
    """The E-step: ``p(k | x)`` and ``log p(x)`` under a prior.

    Args:
        log_densities: ``log p(x | k)``.
        weights: the prior of the clusters.

    Returns:
        Probabilities whose rows sum to 1, and the evidence.

    Example:
        >>> shares, evidence = posterior(np.log([[0.2, 0.6]]), np.array([0.5, 0.5]))
        >>> shares, np.exp(evidence).round(6)
        (array([[0.25, 0.75]]), array([0.4]))

    Source: Bayes' theorem.
    """
    with np.errstate(divide="ignore"):
        joint = log_densities + np.log(weights)
    evidence = logsumexp(joint, axis=1)
    shares = np.exp(joint - evidence[:, None])
    return shares / shares.sum(1, keepdims=True), evidence
