"""Autoformer: decomposition inside the network and attention to periods."""

from tsformers.forecasters.autoformer.forecaster import Autoformer

__all__ = ["Autoformer"]
