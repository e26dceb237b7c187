"""Conformal p-values: the rank of a forecast error among those of the calibration window."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Integer

import tsformers.distributions.kernels as kernels
from tsformers.anomaly.p_values import NO_WEIGHTS, TAILS, WIDE, Arrays, Tail, check_choice, grown, observed_rows
from tsformers.counter_rng import uniforms
from tsformers.distributions.marginals import Law
from tsformers.distributions.tails import log_tails


@dataclass(frozen=True)
class ConformalP:
    """p-values by rank: how many of the series' own earlier errors were at least as strange.

        p = (1 + #{scores > s} + U #{scores = s}) / (n + 1)

    with U uniform, so that ties are broken at random. With ``decay`` < 1 an error a rows ago counts ``decay^a``, and
    n is the sum of these weights. Valid, whatever the forecaster's law is worth, where errors are exchangeable: at most
    u with probability at most u. Drift breaks that; the window forgets it, and with ``decay`` the harm of a drift is
    bounded by the weight of what came before it. p-values share their calibration set, so they depend on each other,
    and none is ever below ``1 / (n + 1)``: see ``warn_if_blind``. A series without scores gets 1.

    Every row calibrates, those with an alarm too: were they left out, the set would lose its largest errors, clean ones
    among them, and false alarms would breed false alarms (docs/results/anomaly.md). So a level shift is taken in within
    a few rows, and an anomaly that lasts as well. With ``calibrate_on="quiet"`` rows with an alarm stay out. After a
    level shift all would then be alarms for ever, so: where at least 80% of the latest ``shift_after`` rows are alarms,
    the set is thrown away, these alarms become the new one, and errors are measured from their median from then on.
    Until it has grown again the resolution is coarse, ``1 / (0.8 shift_after + 1)``, and no alarm may be possible.

    Args:
        tail: which side is strange.
        counts: values are whole numbers (matters for ``score="predictive"`` alone).
        window: how many errors a series keeps, 8 bytes each.
        decay: of an error's weight, a row.
        score: "scaled": the error from the median over half the width of the central 80% interval; "residual": the
            error itself, for forecasts without a width; "predictive": the logarithm of the predictive p-value, with
            the sign of the error, which corrects the law where it is too sure of itself and keeps its shape.
        calibrate_on: "all" rows, or the "quiet" ones, without an alarm.
        shift_after: of "quiet": rows of which 80% must be alarms for a new level to be believed; None: never.
        shape: see ``PredictiveP``.
        seed: of the ties.

    Raises:
        ValueError: a setting is out of range; at use, a law that has no width and a score that needs one.

    Example:
        >>> p_value = ConformalP(score="residual")
        >>> arrays, law = p_value.start(1), Law(np.zeros((99, 1)), (0.5,))
        >>> p_value.calibrate(arrays, np.zeros(99, dtype=int), np.linspace(-1, 1, 99), law)
        >>> np.exp(p_value.log_p(arrays, np.array([0]), np.array([5.0]), law.take(np.array([0]))))
        array([0.01])

    Source: Vovk, Gammerman & Shafer (2005), section 2.3; Barber, Candes, Ramdas & Tibshirani (2023), weights.
    """

    tail: Tail = "two-sided"
    _: KW_ONLY
    counts: bool = False
    window: int = 1000
    decay: float = 1.0
    score: Literal["scaled", "residual", "predictive"] = "scaled"
    calibrate_on: Literal["all", "quiet"] = "all"
    shift_after: int | None = 20
    shape: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self.tail, self.shape)
        if self.window < 1 or self.window != int(self.window):
            raise ValueError(f"window must be a number of errors, 1 or more; got {self.window}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], 1 to weigh all errors alike; got {self.decay}")
        if self.score not in ("scaled", "residual", "predictive"):
            raise ValueError(f"score must be 'scaled', 'residual' or 'predictive'; got {self.score!r}")
        if self.calibrate_on not in ("all", "quiet"):
            raise ValueError(f"calibrate_on must be 'all' or 'quiet'; got {self.calibrate_on!r}")
        if self.shift_after is not None and not 2 <= self.shift_after <= self.window:
            raise ValueError(
                f"shift_after must be None, or lie between 2 and window={self.window}; got {self.shift_after}"
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
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], law: Law, rng: int = 0
    ) -> Float[np.ndarray, " M"]:
        """Natural logarithms of the p-values; nothing is changed.

        Args:
            arrays: of ``start``.
            series: which series each row belongs to.
            y: what was seen.
            law: of each row.
            rng: added to ``seed``.

        Returns:
            (M,); NaN where ``y`` or its law is NaN.

        Raises:
            ValueError: the law has no width, and ``score`` needs one.
        """
        turn = arrays["rows"][series]
        z = self._signed(turn, series, y, law, rng)
        found = np.empty(len(z))
        places = np.ascontiguousarray(series, dtype=np.int64)
        own = [arrays[name] for name in ("scores", "kept", "place", "offset")]
        ties = uniforms(self.seed + rng, series, turn, stream=1)
        run: Any = kernels.log_ranks  # arrays by position
        run(*own, places, z, self._weights if self.decay < 1 else NO_WEIGHTS, TAILS[self.tail], ties, found)
        return found

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Take up the scores of rows of distinct series, in place; those set apart may be a new level."""
        taken = np.ones(len(series), dtype=bool) if self.calibrate_on == "all" else np.ascontiguousarray(normal)
        self._take_up(arrays, series, y, law, taken, arrays["rows"][series])

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], law: Law
    ) -> None:
        """Take up the scores of held-out history, in place: any number of rows a series, in order of time."""
        seen = observed_rows(y, law)
        order = np.argsort(series, kind="stable")
        before = np.cumsum(seen[order]) - seen[order]  # rows seen earlier, those of other series too
        begins = np.searchsorted(series[order], series[order])
        turn = np.empty(len(series), dtype=np.int64)
        turn[order] = before - before[begins] + arrays["rows"][series[order]]
        self._take_up(arrays, series, y, law, np.ones(len(series), dtype=bool), turn)

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

    def _signed(self, turn: np.ndarray, series: np.ndarray, y: np.ndarray, law: Law, rng: int) -> np.ndarray:
        """How strange each row is, with the sign of its error."""
        if self.score == "predictive":
            drawn = uniforms(self.seed + rng, series, turn, stream=0) if self.counts else None
            upper, lower = log_tails(y, law, uniform=drawn, shape=self.shape)
            return np.where(upper < lower, -upper - kernels.LOG_2, lower + kernels.LOG_2)
        centre = law.quantile(0.5)
        if self.score == "residual":
            return y - centre
        if law.values.shape[1] == 1:
            raise ValueError("a point forecast has no width to scale errors by; use ConformalP(score='residual')")
        low, high = law.interval(WIDE)
        return (y - centre) / np.maximum((high - low) / 2, np.maximum(kernels.WIDTH * np.abs(centre), 1e-300))

    def _take_up(
        self, arrays: Arrays, series: np.ndarray, y: np.ndarray, law: Law, normal: np.ndarray, turn: np.ndarray
    ) -> None:
        z = self._signed(turn, series, y, law, 0)
        places = np.ascontiguousarray(series, dtype=np.int64)
        own = [arrays[name] for name in ("scores", "kept", "place", "offset", "latest", "strange", "rows", "shifts")]
        run: Any = kernels.push  # arrays by position
        run(*own, places, z, normal, np.empty(self.shift_after or 0))
