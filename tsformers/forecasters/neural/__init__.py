"""What forecasters with a torch network share."""

from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork

__all__ = ["DistributionNetwork", "TorchForecaster"]
