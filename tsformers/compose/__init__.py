"""Forecasters made of forecasters, which know them by their promises alone."""

from tsformers.compose.clustered import Clustered
from tsformers.compose.ensemble import Ensemble
from tsformers.compose.pipeline import Pipeline

__all__ = ["Clustered", "Ensemble", "Pipeline"]
