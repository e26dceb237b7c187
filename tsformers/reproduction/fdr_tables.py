"""The tables of a file of kind "fdr": procedures, experiments and published rates."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

RATES = ("power", "fdr", "decayed_fdr")


@dataclass(frozen=True, kw_only=True)
class RangeTable:
    """A few numbers from ``first`` to ``last``.

    Example:
        >>> RangeTable(first=0.0, last=1.0, count=3).values()
        [0.0, 0.5, 1.0]
    """

    first: float
    last: float
    count: int

    def values(self, *, logarithmic: bool = False) -> list[float]:
        """The numbers.

        Args:
            logarithmic: evenly spaced in their logarithm.

        Returns:
            ``count`` numbers.

        Example:
            >>> [round(value, 3) for value in RangeTable(first=0.001, last=0.1, count=3).values(logarithmic=True)]
            [0.001, 0.01, 0.1]
        """
        space = np.geomspace if logarithmic else np.linspace
        return [float(value) for value in space(self.first, self.last, self.count)]


@dataclass(frozen=True, kw_only=True)
class ExperimentTable:
    """The table [experiments.NAME]. One number is a constant, two are the ends of a straight line in time."""

    length: int
    repeats: int
    strength: list[float]  # mean of an anomaly
    targets: RangeTable  # of the procedures' alpha, evenly spaced
    share: list[float] = field(default_factory=list)  # of anomalies
    shares: RangeTable | None = None  # in its place: constant ones, evenly spaced in their logarithm
    noise: list[float] = field(default_factory=lambda: [1.0])  # its standard deviation; p-values assume 1
    autoregression: float = 0.0
    thresholds: RangeTable | None = None  # fixed p-values below which to alarm; evenly spaced in the logarithm
    gamma_size: int | None = None  # of every procedure
    published: dict[str, Any] = field(default_factory=dict)  # by procedure: a table as PublishedTable
    published_at: list[int] = field(default_factory=list)  # the shares they belong to, by position


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """Published rates of one procedure, one for each entry of ``published_at``."""

    power: list[float] = field(default_factory=list)
    fdr: list[float] = field(default_factory=list)
    decayed_fdr: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SimulationTable:
    """A file of kind "fdr"."""

    kind: Literal["fdr"]
    procedures: dict[str, Any]  # by name: class and settings, without alpha
    experiments: dict[str, Any]
    title: str = ""
    source: str = ""
    seed: int = 0
    decay: float = 0.99  # of the decayed rates
