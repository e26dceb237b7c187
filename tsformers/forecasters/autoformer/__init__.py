"""Autoformer: a transformer with decomposition in its layers and auto-correlation as attention."""

from tsformers.forecasters.autoformer.forecaster import Autoformer

__all__ = ["Autoformer"]
