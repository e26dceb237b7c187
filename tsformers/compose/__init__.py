"""Forecasters composed of preprocessors, clusterers and other forecasters."""

from tsformers.compose.clustered import Clustered
from tsformers.compose.conformal import Conformal
from tsformers.compose.ensemble import Ensemble
from tsformers.compose.pipeline import Pipeline

__all__ = ["Clustered", "Conformal", "Ensemble", "Pipeline"]
