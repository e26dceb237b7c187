"""Forecasters with a torch network: the base of ours, and of your own."""

from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork

__all__ = ["DistributionNetwork", "TorchForecaster"]
