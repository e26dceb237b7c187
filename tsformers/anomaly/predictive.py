"""Predictive p-values: the tail probability of a value under its forecast distribution."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Integer

import tsformers.distributions.kernels as kernels
from tsformers.anomaly.p_values import Arrays, Tail, grown, observed_rows
from tsformers.counter_rng import uniforms
from tsformers.distributions.marginals import Marginals
from tsformers.distributions.tails import log_tails
from tsformers.validation import Between, check_settings


@dataclass(frozen=True)
class PredictiveP:
    """p-values by the tails of the predictive distribution: the probability of a value at least as far out.

    Upper: ``P(X >= y)``; lower: ``P(X <= y)``; two-sided: twice the smaller, at most 1. Each tail is computed as such
    and as a logarithm, never as one minus the other, so that extremes still rank.

    *Draws* x_1 <= ... <= x_S stand at levels j / (S + 1), linear in between: exact where y is exchangeable with the
    draws. Beyond the last one the p-value continues from 1 / (S + 1) as a generalised Pareto tail ``(1 + xi e /
    sigma)^(-1 / xi)``, where e is the excess over the k-th draw from the end, k = min(S / 5, 3 sqrt(S)) rounded up. It
    is fitted to these k draws by probability-weighted moments; the shape xi is shrunk towards 0.1 with the weight of
    ten draws, clipped to [0, 0.5], and enlarged by 1 / k, as an exponential tail of unknown scale demands. This is an
    extrapolation: ``docs/results/p_values.md`` measures its error (about a factor of two down to 1 / (10 S)).
    *Quantiles* are the distribution of ``Forecast``: linear between levels, exponential tails beyond the outermost.
    Where all values of a row are equal its distribution has no width, up to rounding (1e-9 of the value).

    Valid (super-uniform under the null) as far as the predictive distribution is right: nothing is corrected. Where
    forecasts are overconfident use ``ConformalP``.

    Args:
        tail: which side is anomalous.
        counts: values are whole numbers: ``P(X > y) + U P(X = y)`` with U uniform, which is exactly uniform where
            the distribution is right. Equal draws are spread over (x - 1/2, x + 1/2). U is a hash of ``seed``, the
            series and the number of its row.
        shape: xi of both tails, in [0, 1); None: fitted to draws, 0 (exponential) for quantiles.
        seed: of the randomised p-values.

    Raises:
        ValueError: a setting is out of range; at use, fewer than 10 draws or 2 quantiles.

    Example:
        >>> marginals = Marginals(np.array([[-1.64, -0.67, 0.0, 0.67, 1.64]]), (0.05, 0.25, 0.5, 0.75, 0.95))
        >>> p_value = PredictiveP()
        >>> arrays, series = p_value.start(1), np.array([0])
        >>> np.exp(p_value.log_p(arrays, series, np.array([1.64]), marginals)).round(3)
        array([0.1])
        >>> [p_value.log_p(arrays, series, np.array([y]), marginals).item().__round__() for y in (10.0, 1e6)]
        [-16, -1659214]

    Source: Hosking & Wallis (1987), probability-weighted moments; Pickands (1975), the distribution of exceedances;
    Dunn & Smyth (1996), randomised p-values of counts.
    """

    tail: Tail = "two-sided"
    _: KW_ONLY
    counts: bool = False
    shape: Annotated[float, Between(0, 1, open="high")] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def start(self, n_series: int) -> Arrays:
        """State before the first row: how many rows each series has had."""
        return {"rows": np.zeros(n_series, dtype=np.int64)}

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with further series."""
        return grown(arrays, self.start(n_series - len(arrays["rows"])))

    def log_p(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        marginals: Marginals,
        rng: int = 0,
    ) -> Float[np.ndarray, " M"]:
        """Natural logarithms of the p-values; nothing is changed.

        Args:
            arrays: of ``start``.
            series: which series each row belongs to.
            y: the observed values.
            marginals: the predictive distribution of each row.
            rng: added to ``seed``.

        Returns:
            (M,); NaN where ``y`` or its row of ``marginals`` is NaN, -inf for a p-value of zero.

        Raises:
            ValueError: there are fewer than 10 draws or 2 quantiles.
        """
        drawn = uniforms(self.seed + rng, series, arrays["rows"][series], stream=0) if self.counts else None
        upper, lower = log_tails(y, marginals, uniform=drawn, shape=self.shape)
        if self.tail == "two-sided":
            return np.minimum(np.minimum(upper, lower) + kernels.LOG_2, 0.0)
        return upper if self.tail == "upper" else lower

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        marginals: Marginals,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Count the rows, in place."""
        self.calibrate(arrays, series, y, marginals)

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], marginals: Marginals
    ) -> None:
        """Count the rows, in place: there is nothing to calibrate."""
        np.add.at(arrays["rows"], series[observed_rows(y, marginals)], 1)

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """Zero: a tail has no end."""
        return np.zeros(len(arrays["rows"]))

    def finest(self, n: int) -> float:
        """Zero: a tail has no end."""
        return 0.0
