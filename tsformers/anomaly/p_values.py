"""p-values of what has been seen: by the tails of its predictive law, or by its rank among earlier errors."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int64, Integer

from tsformers.anomaly.law import Law
from tsformers.fdr import Procedure

Arrays = dict[str, np.ndarray]
Tail = Literal["two-sided", "upper", "lower"]


@dataclass(frozen=True)
class PredictiveP:
    """p-values from the tails of the predictive law itself."""

    tail: Tail = "two-sided"
    _: KW_ONLY
    counts: bool = False
    shape: float | None = None

    def start(self, n_series: int) -> Arrays:
        """State of ``n_series`` series before their first row."""
        raise NotImplementedError

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with room for series not seen before, ``n_series`` in all."""
        raise NotImplementedError

    def log_p(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
        rng: int = 0,
    ) -> Float[np.ndarray, " M"]:
        """Natural logarithms of the p-values; NaN where ``y`` or the law is. Changes nothing.

        ``rng``: a seed. What is random about a row is a hash of it, the series and the rows learned so far.
        """
        raise NotImplementedError

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Take up, in place, rows of distinct series that ``log_p`` was asked about."""
        raise NotImplementedError

    def calibrate(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
    ) -> None:
        """Take up held-out history in place: many rows of a series, in order of time, all of them normal."""
        raise NotImplementedError

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """The smallest p-value each series can reach."""
        raise NotImplementedError


@dataclass(frozen=True)
class ConformalP(PredictiveP):
    """p-values from the rank of an error among earlier errors."""

    window: int = 1000
    decay: float = 1.0
    score: Literal["scaled", "residual", "predictive"] = "scaled"
    shift_after: int | None = 20


def warn_if_blind(p_values: PredictiveP, procedure: Procedure, n: int) -> None:
    """Warn when no p-value from ``n`` calibration points can ever be rejected by ``procedure``."""
    raise NotImplementedError


Counts = Int64[np.ndarray, " N"]
