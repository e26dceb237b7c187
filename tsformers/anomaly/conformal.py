"""Conformal p-values: the rank of a forecast error among those of the calibration window."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Integer

import tsformers.distributions.kernels as tail_kernels
import tsformers.distributions.rank_kernels as ranks
from tsformers.anomaly.p_values import Arrays, Tail, grown, observed_rows
from tsformers.counter_rng import uniforms
from tsformers.distributions.marginals import Marginals
from tsformers.distributions.tails import log_tails
from tsformers.errors import TsformersError
from tsformers.messages import Either, Setting
from tsformers.validation import AtLeast, Between, check_settings

TAILS: dict[str, int] = {"two-sided": ranks.TWO_SIDED, "upper": ranks.UPPER, "lower": ranks.LOWER}
SCALED_BY = 0.8  # coverage of the central interval whose half-width scales an error
NO_WEIGHTS = np.zeros(0)


@dataclass(frozen=True)
class ConformalP:
    """p-values by rank: the share of the series' own earlier errors that are at least as large.

        p = (1 + #{scores > s} + U #{scores = s}) / (n + 1)

    with U uniform, so that ties are broken at random. With ``decay`` < 1 an error a rows ago counts ``decay^a``, and
    n is the sum of these weights. Valid, whatever the forecaster, where errors are exchangeable: at most u with
    probability at most u. Drift breaks that; the window forgets it, and with ``decay`` the harm of a drift is bounded
    by the weight of what came before it. p-values share their calibration set, so they depend on each other, and none
    is ever below ``1 / (n + 1)``: see ``warn_if_blind``. A series without scores gets 1.

    By default every row enters the calibration set, those with an alarm too: were they left out, the set would lose its
    largest errors, those of normal rows among them, and false alarms would cause more false alarms
    (docs/results/anomaly.md). So a level shift is adapted to within a few rows, and an anomaly that lasts as well. With
    ``calibrate_on="quiet"`` rows with an alarm stay out. After a level shift all would then be alarms for ever, so:
    where at least 80% of the latest ``shift_after`` rows are alarms, the set is discarded, the errors of these alarms
    become the new one, and errors are measured from their median from then on. Until it has grown again the resolution
    is coarse, ``1 / (0.8 shift_after + 1)``, and no alarm may be possible.

    Args:
        tail: which side is anomalous.
        counts: values are whole numbers (matters for ``score="predictive"`` only).
        window: how many errors a series keeps, 8 bytes each.
        decay: of an error's weight, a row.
        score: the nonconformity score. "scaled": the error from the median over half the width of the central 80%
            interval; "residual": the error itself, for forecasts without a width; "predictive": the logarithm of the
            predictive p-value, with the sign of the error, which corrects an overconfident distribution and keeps its
            shape.
        calibrate_on: "all" rows, or the "quiet" ones: those without an alarm.
        shift_after: of "quiet": rows of which 80% must be alarms for a level shift to be recognised; None: never.
        shape: see ``PredictiveP``.
        seed: of the ties.

    Raises:
        ValueError: a setting is out of range; at use, a distribution without a width and a score that needs one.

    Example:
        >>> p_value = ConformalP(score="residual")
        >>> arrays, point = p_value.start(1), Marginals(np.zeros((99, 1)), (0.5,))
        >>> p_value.calibrate(arrays, np.zeros(99, dtype=int), np.linspace(-1, 1, 99), point)
        >>> np.exp(p_value.log_p(arrays, np.array([0]), np.array([5.0]), point.take(np.array([0]))))
        array([0.01])

    Source: Vovk, Gammerman & Shafer (2005), section 2.3; Barber, Candes, Ramdas & Tibshirani (2023), weights.
    """

    tail: Tail = "two-sided"
    _: KW_ONLY
    counts: bool = False
    window: Annotated[int, AtLeast(1)] = 1000
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    score: Literal["scaled", "residual", "predictive"] = "scaled"
    calibrate_on: Literal["all", "quiet"] = "all"
    shift_after: Annotated[int, AtLeast(2)] | None = 20
    shape: Annotated[float, Between(0, 1, open="high")] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.shift_after is not None and self.shift_after > self.window:
            raise TsformersError(
                Setting("shift_after", self.shift_after, flag="detector"),
                " is more than ",
                Setting("window", self.window, flag="detector"),
                "; write less, or leave it out for no shifts",
            )

    def start(self, n_series: int) -> Arrays:
        """State before the first row: no scores."""
        recent = self.shift_after or 0

        def zeros(dtype: type = np.int64) -> np.ndarray:
            return np.zeros(n_series, dtype=dtype)

        return {
            "rows": zeros(),
            "scores": np.full((n_series, self.window), np.nan),
            "kept": zeros(),
            "place": zeros(),
            "offset": zeros(np.float64),
            "latest": np.full((n_series, recent), np.nan),
            "strange": np.zeros((n_series, recent), dtype=bool),
            "shifts": zeros(),
        }

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with further series, which have no scores yet."""
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
            (M,); NaN where ``y`` or its row of ``marginals`` is NaN.

        Raises:
            ValueError: the distribution has no width, and ``score`` needs one.
        """
        turn = arrays["rows"][series]
        z = self._signed(turn, series, y, marginals, rng)
        found = np.empty(len(z))
        places = np.ascontiguousarray(series, dtype=np.int64)
        own = [arrays[name] for name in ("scores", "kept", "place", "offset")]
        ties = uniforms(self.seed + rng, series, turn, stream=1)
        run: Any = ranks.log_ranks  # arrays by position
        run(*own, places, z, self._weights if self.decay < 1 else NO_WEIGHTS, TAILS[self.tail], ties, found)
        return found

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        marginals: Marginals,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Add the scores of rows of distinct series, in place; those with an alarm may be a level shift."""
        used = np.ones(len(series), dtype=bool) if self.calibrate_on == "all" else np.ascontiguousarray(normal)
        self._add_scores(arrays, series, y, marginals, used, arrays["rows"][series])

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], marginals: Marginals
    ) -> None:
        """Add the scores of calibration rows, in place: any number of rows a series, in order of time."""
        observed = observed_rows(y, marginals)
        order = np.argsort(series, kind="stable")
        before = np.cumsum(observed[order]) - observed[order]  # observed rows before, those of other series too
        firsts = np.searchsorted(series[order], series[order])
        turn = np.empty(len(series), dtype=np.int64)
        turn[order] = before - before[firsts] + arrays["rows"][series[order]]
        self._add_scores(arrays, series, y, marginals, np.ones(len(series), dtype=bool), turn)

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """``1 / (n + 1)`` of each series, n the weight of its scores."""
        summed = np.concatenate([[0.0], np.cumsum(self._weights)])
        return 1 / (1 + summed[arrays["kept"]])

    def finest(self, n: int) -> float:
        """``1 / (n + 1)``, at most ``window`` scores and their weights considered."""
        return float(1 / (1 + self._weights[: max(n, 0)].sum()))

    @cached_property
    def _weights(self) -> np.ndarray:
        """Of errors 1, 2, ... rows ago."""
        return self.decay ** np.arange(1, self.window + 1, dtype=np.float64)

    def _signed(
        self, turn: np.ndarray, series: np.ndarray, y: np.ndarray, marginals: Marginals, rng: int
    ) -> np.ndarray:
        """The nonconformity score of each row, with the sign of its error."""
        if self.score == "predictive":
            drawn = uniforms(self.seed + rng, series, turn, stream=0) if self.counts else None
            upper, lower = log_tails(y, marginals, uniform=drawn, shape=self.shape)
            return np.where(upper < lower, -upper - tail_kernels.LOG_2, lower + tail_kernels.LOG_2)
        centre = marginals.quantile(0.5)
        if self.score == "residual":
            return y - centre
        if marginals.values.shape[1] == 1:
            raise TsformersError(
                "a point forecast has no width to scale errors by; ",
                Either("use ConformalP(score='residual')", "take a forecaster whose forecasts have a distribution"),
            )
        low, high = marginals.interval(SCALED_BY)
        return (y - centre) / np.maximum(
            (high - low) / 2, np.maximum(tail_kernels.LEAST_WIDTH * np.abs(centre), 1e-300)
        )

    def _add_scores(
        self,
        arrays: Arrays,
        series: np.ndarray,
        y: np.ndarray,
        marginals: Marginals,
        used: np.ndarray,
        turn: np.ndarray,
    ) -> None:
        z = self._signed(turn, series, y, marginals, 0)
        places = np.ascontiguousarray(series, dtype=np.int64)
        own = [arrays[name] for name in ("scores", "kept", "place", "offset", "latest", "strange", "rows", "shifts")]
        run: Any = ranks.update_scores  # arrays by position
        run(*own, places, z, used, np.empty(self.shift_after or 0))
