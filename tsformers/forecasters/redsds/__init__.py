"""REDSDS: switching dynamical systems with explicit durations."""

from tsformers.forecasters.redsds.forecaster import REDSDS

__all__ = ["REDSDS"]
