"""Simulated systems whose regimes, clusters or states are known."""

from tsformers.simulate.ball import BALL_STARTS, bouncing_ball
from tsformers.simulate.durations import semi_markov
from tsformers.simulate.mixtures import ARMA, arma_mixture
from tsformers.simulate.prior_series import priors
from tsformers.simulate.switching import SwitchingSystem, switching_autoregression, three_mode, three_mode_system

__all__ = [
    "ARMA",
    "BALL_STARTS",
    "SwitchingSystem",
    "arma_mixture",
    "bouncing_ball",
    "priors",
    "semi_markov",
    "switching_autoregression",
    "three_mode",
    "three_mode_system",
]
