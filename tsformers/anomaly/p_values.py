"""p-values of what has been seen: by the tails of its predictive law, or by its rank among earlier errors.

Both keep their state in arrays, one row a series, that the caller owns, saves and passes in; all is compiled, and
nothing is drawn at random: what has to be random about a row is a hash of the seed, its series and its number.
"""

import math
import warnings
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Integer

import tsformers.distributions.kernels as kernels
from tsformers.counter_rng import uniforms
from tsformers.distributions.marginals import Law
from tsformers.distributions.tails import log_tails
from tsformers.fdr import LORD, Procedure

Arrays = dict[str, np.ndarray]
Tail = Literal["two-sided", "upper", "lower"]
TAILS: dict[str, int] = {"two-sided": kernels.TWO_SIDED, "upper": kernels.UPPER, "lower": kernels.LOWER}
WIDE = 0.8  # share of the central interval whose half-width scales an error
QUIET = 10_000  # tests of a quiet stream that are looked at
NO_WEIGHTS = np.zeros(0)
BLUNT = LORD(alpha=0.1, decay=0.99)  # of the procedures with the usual settings, the one that fewest scores serve
GOLDEN = (math.sqrt(5) - 1) / 2


class PValue(Protocol):
    """What a detector asks. Law: ``log_p`` changes nothing, and a batch of rows is the same as one by one."""

    def start(self, n_series: int) -> Arrays:
        """State of ``n_series`` series before their first row."""
        ...

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with room for series not seen before, ``n_series`` in all."""
        ...

    def log_p(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], law: Law, rng: int = 0
    ) -> Float[np.ndarray, " M"]:
        """Natural logarithms of the p-values of M rows; NaN where ``y`` or its law is NaN."""
        ...

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Take up, in place, rows of distinct series; ``normal`` are those without an alarm."""
        ...

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], law: Law
    ) -> None:
        """Take up held-out history in place: any number of rows a series, in order of time, all taken for normal."""
        ...

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """The smallest p-value that each series can reach."""
        ...

    def finest(self, n: int) -> float:
        """The smallest p-value that ``n`` calibration scores allow."""
        ...


@dataclass(frozen=True)
class PredictiveP:
    """p-values by the tails of the predictive law: how much of it lies at least as far out as what was seen.

    Upper: ``P(X >= y)``; lower: ``P(X <= y)``; two-sided: twice the smaller, at most 1. Each tail is computed as such
    and as a logarithm, never as one minus the other, so that extremes still rank.

    *Draws* x_1 <= ... <= x_S stand at levels j / (S + 1), straight in between: exact where y is as good as one more
    draw. Beyond the last one the p-value falls on from 1 / (S + 1) as a generalised Pareto law ``(1 + xi e /
    sigma)^(-1 / xi)``, where e is the excess over the k-th draw from the end, k = min(S / 5, 3 sqrt(S)) rounded up. It
    is fitted to these k draws by probability-weighted moments; the shape xi is drawn towards 0.1 with the weight of ten
    draws, held within [0, 0.5], and enlarged by 1 / k, as an exponential tail of unknown scale demands. What it says is
    an extrapolation: ``docs/results/p_values.md`` measures how far it can be trusted (to about a factor of two down to
    1 / (10 S)). *Quantiles* are the distribution of ``Forecast``: straight between levels, exponential beyond the
    outermost. Where all values of a law are equal it is taken at its word, up to rounding (1e-9 of the value).

    Honest as far as the law is: nothing is corrected. Where forecasts are too sure of themselves use ``ConformalP``.

    Args:
        tail: which side is strange.
        counts: values are whole numbers: ``P(X > y) + U P(X = y)`` with U uniform, which is exactly uniform where the
            law is right. Equal draws are spread over (x - 1/2, x + 1/2). U is a hash of ``seed``, the series and the
            number of its row.
        shape: xi of both tails, in [0, 1); None: fitted to draws, 0 (exponential) for quantiles.
        seed: of the randomised p-values.

    Raises:
        ValueError: a setting is out of range; at use, fewer than 10 draws or 2 quantiles.

    Example:
        >>> law = Law(np.array([[-1.64, -0.67, 0.0, 0.67, 1.64]]), (0.05, 0.25, 0.5, 0.75, 0.95))
        >>> p_value = PredictiveP()
        >>> arrays, series = p_value.start(1), np.array([0])
        >>> np.exp(p_value.log_p(arrays, series, np.array([1.64]), law)).round(3)
        array([0.1])
        >>> [p_value.log_p(arrays, series, np.array([y]), law).item().__round__() for y in (10.0, 1e6)]
        [-16, -1659214]

    Source: Hosking & Wallis (1987), probability-weighted moments; Pickands (1975), the law of exceedances; Dunn & Smyth
    (1996), randomised p-values of counts.
    """

    tail: Tail = "two-sided"
    _: KW_ONLY
    counts: bool = False
    shape: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self.tail, self.shape)

    def start(self, n_series: int) -> Arrays:
        """State before the first row: how many rows each series has had."""
        return {"rows": np.zeros(n_series, dtype=np.int64)}

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with further series."""
        return _grown(arrays, self.start(n_series - len(arrays["rows"])))

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
            (M,); NaN where ``y`` or its law is NaN, -inf for a p-value of zero.

        Raises:
            ValueError: the law has fewer than 10 draws or 2 quantiles.
        """
        drawn = uniforms(self.seed + rng, series, arrays["rows"][series], stream=0) if self.counts else None
        upper, lower = log_tails(y, law, uniform=drawn, shape=self.shape)
        if self.tail == "two-sided":
            return np.minimum(np.minimum(upper, lower) + kernels.LOG_2, 0.0)
        return upper if self.tail == "upper" else lower

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        law: Law,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Count the rows, in place."""
        self.calibrate(arrays, series, y, law)

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], law: Law
    ) -> None:
        """Count the rows, in place: there is nothing to calibrate."""
        np.add.at(arrays["rows"], series[_seen(y, law)], 1)

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """Zero: a law has no end."""
        return np.zeros(len(arrays["rows"]))

    def finest(self, n: int) -> float:
        """Zero: a law has no end."""
        return 0.0


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
        _check(self.tail, self.shape)
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
        return _grown(arrays, self.start(n_series - len(arrays["rows"])))

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
        seen = _seen(y, law)
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


def warn_if_blind(p_values: PValue, procedure: Procedure, n: int) -> None:
    """Warn where ``n`` calibration scores cannot give a p-value as small as the levels it will be tested at.

    Two warnings: no first alarm is possible, at any time, because ``1 / (n + 1)`` is above the procedure's
    ``first_level``; or one is possible in the first tests alone, and in quiet times no longer.

    Args:
        p_values: how p-values are made.
        procedure: that will test them, before its first test or later.
        n: how many calibration scores each series has.

    Warns:
        UserWarning: with the number of scores that would do, or what to change where no number would.

    Example:
        >>> import warnings
        >>> from tsformers.fdr import LORD
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_if_blind(ConformalP(), LORD(alpha=0.1, decay=0.99), 100)
        >>> print(caught[0].message)  # doctest: +ELLIPSIS
        100 calibration scores give no p-value below 0.0099, and LORD tests at 0.00535 at most before its first alarm...
    """
    finest = p_values.finest(n)
    first = procedure.first_level
    head, name = f"{n} calibration scores give no p-value below {finest:.3g}, and", type(procedure).__name__
    if finest > first:
        text = f"{head} {name} tests at {first:.3g} at most before its first alarm, so it can never alarm"
        warnings.warn(f"{text}: {_remedy(p_values, procedure)}", UserWarning, stacklevel=2)
        return
    quiet = 0.25 + 0.75 * ((np.arange(1, QUIET + 1) * GOLDEN) % 1)  # p-values of which none is an alarm
    blind = procedure.fresh().test_many(quiet)[0] < finest
    if not blind.any():
        return
    text = f"{head} {name} tests below that from test {1 + int(blind.argmax())} on while nothing is found"
    warnings.warn(f"{text}, and then cannot alarm any more: {_remedy(p_values, procedure)}", UserWarning, stacklevel=2)


def _remedy(p_values: PValue, procedure: Procedure) -> str:
    """What would let it alarm at any time, in Python and in the shell; no remedy leads to another warning."""
    least = procedure.least_level
    ways = [_enough(p_values, least) if least > 0 else "without decay no number of scores will do for ever"]
    if procedure.fresh() != BLUNT:
        needed = math.ceil(1 / BLUNT.least_level * (1 - 1e-12)) - 1
        ways.append(
            f"take LORD(alpha=0.1, decay=0.99) (--control LORD --alpha 0.1 --decay 0.99), for which {needed} do"
        )
    decay = " and a decay below 1 (--decay 0.99)" if least == 0 else ""
    ways.append(f"take p_value='predictive' (--detector p_value=predictive){decay}")
    return "; or ".join(ways)


def _enough(p_values: PValue, level: float) -> str:
    """How many scores reach a level, or what stands in the way."""
    needed = math.ceil(1 / level * (1 - 1e-12)) - 1  # 1 / (n + 1) <= level, up to rounding
    if p_values.finest(needed) <= level * (1 + 1e-9):
        return f"{needed} scores would do (by default a third of the rows of a series are held back)"
    return (
        f"{needed} scores of equal weight would do: window={needed} or more (--detector window={needed}), "
        "three times as many rows of history, and, of ConformalP, decay=1 or one near enough to it"
    )


def _seen(y: np.ndarray, law: Law) -> np.ndarray:
    """Rows that have a p-value."""
    return ~(np.isnan(y) | np.isnan(law.values[:, 0]) | np.isnan(law.values[:, -1]))


def _grown(arrays: Arrays, more: Arrays) -> Arrays:
    return {name: np.concatenate([arrays[name], part]) for name, part in more.items()}


def _check(tail: str, shape: float | None) -> None:
    if tail not in TAILS:
        raise ValueError(f"tail must be 'two-sided', 'upper' or 'lower'; got {tail!r}")
    if shape is not None and not 0 <= shape < 1:
        raise ValueError(f"shape must lie in [0, 1), or be None to be fitted; got {shape}")
