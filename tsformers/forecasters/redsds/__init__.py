"""REDSDS: switching dynamical systems with explicit durations."""

from tsformers.forecasters.redsds.annealing import TemperatureAnnealing
from tsformers.forecasters.redsds.architecture import Widths
from tsformers.forecasters.redsds.forecaster import REDSDS

__all__ = ["REDSDS", "TemperatureAnnealing", "Widths"]
