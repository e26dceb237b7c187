"""Hidden semi-Markov models: regimes with explicit durations, exactly marginalised, in log space."""

from tsformers.hsmm.inference import (
    Draws,
    Path,
    Posterior,
    durations,
    forward_backward,
    hazards,
    log_likelihood,
    sample,
    viterbi,
)

__all__ = [
    "Draws",
    "Path",
    "Posterior",
    "durations",
    "forward_backward",
    "hazards",
    "log_likelihood",
    "sample",
    "viterbi",
]
