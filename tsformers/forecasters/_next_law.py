"""What a stream says about the next value of each series: one law a series, in the caller's units."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
import scipy.special as sp
from torch import Tensor
from torch.distributions import NegativeBinomial, Normal, StudentT

from tsformers.calendar.feature_cache import stamps_at
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.nn.heads import Quantiles, Rescaled
from tsformers.quantiles import between_levels, level_of, mean_weights, of_draws

N_DRAWN = 1000  # of a law that nothing but draws are known of
FINE = tuple(round(0.01 * i, 2) for i in range(1, 100))  # levels of a Forecast made of a law in a formula

Array = np.ndarray


class Family(Protocol):
    """Laws of one kind, one of each of N values.

    Source: none.
    """

    def mean(self) -> Array:
        """(N,)."""
        ...

    def quantile(self, levels: Array) -> Array:
        """(N, Q)."""
        ...

    def cdf(self, y: Array) -> Array:
        """``P(X < y) + P(X = y) / 2`` of (N,)."""
        ...

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """(N, n)."""
        ...


@dataclass(frozen=True, eq=False)
class NormalFamily:
    """Normal laws.

    Source: textbook.
    """

    centre: Array
    spread: Array

    def mean(self) -> Array:
        """As the protocol says."""
        return self.centre

    def quantile(self, levels: Array) -> Array:
        """As the protocol says."""
        return self.centre[:, None] + self.spread[:, None] * sp.ndtri(levels)

    def cdf(self, y: Array) -> Array:
        """As the protocol says."""
        return sp.ndtr((y - self.centre) / self.spread)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """As the protocol says."""
        return self.centre[:, None] + self.spread[:, None] * rng.standard_normal((len(self.centre), n))


@dataclass(frozen=True, eq=False)
class StudentFamily:
    """Student's t, shifted and scaled.

    Source: textbook.
    """

    df: Array
    centre: Array
    spread: Array

    def mean(self) -> Array:
        """As the protocol says; degrees of freedom are above 2."""
        return self.centre

    def quantile(self, levels: Array) -> Array:
        """As the protocol says."""
        found = np.where(levels > 0, sp.stdtrit(self.df[:, None], levels), -np.inf)  # scipy says +inf at level 0
        return self.centre[:, None] + self.spread[:, None] * found

    def cdf(self, y: Array) -> Array:
        """As the protocol says."""
        return sp.stdtr(self.df, (y - self.centre) / self.spread)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """As the protocol says."""
        noise = rng.standard_t(self.df[:, None], (len(self.centre), n))
        return self.centre[:, None] + self.spread[:, None] * noise


@dataclass(frozen=True, eq=False)
class CountFamily:
    """Negative binomial laws of counts: ``total`` failures, each count with probability ``p``.

    Source: textbook; the distribution function is a regularised incomplete beta function.
    """

    total: Array
    p: Array

    def mean(self) -> Array:
        """As the protocol says."""
        return self.total * self.p / (1 - self.p)

    def quantile(self, levels: Array) -> Array:
        """As the protocol says: the smallest count whose probability reaches the level."""
        from scipy.stats import nbinom

        found = nbinom.ppf(levels, self.total[:, None], 1 - self.p[:, None])
        return np.maximum(found, 0.0)  # scipy's answer at level 0 is -1

    def cdf(self, y: Array) -> Array:
        """As the protocol says."""
        return (self._upto(np.ceil(y) - 1) + self._upto(np.floor(y))) / 2

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """As the protocol says."""
        drawn = rng.negative_binomial(self.total[:, None], 1 - self.p[:, None], (len(self.total), n))
        return drawn.astype(np.float64)

    def _upto(self, count: Array) -> Array:
        return np.where(count < 0, 0.0, sp.betainc(self.total, np.maximum(count, 0) + 1, 1 - self.p))


@dataclass(frozen=True, eq=False)
class QuantileFamily:
    """Laws known at some levels, as a ``Forecast`` reads them: straight lines between, exponential tails beyond.

    Source: Koenker & Bassett (1978); tails: ``tsformers.quantiles``.
    """

    levels: Array
    values: Array  # (N, Q)

    def mean(self) -> Array:
        """As the protocol says."""
        return self.values @ mean_weights(self.levels)

    def quantile(self, levels: Array) -> Array:
        """As the protocol says."""
        return between_levels(self.values[..., None], self.levels, levels)[..., 0]

    def cdf(self, y: Array) -> Array:
        """As the protocol says."""
        below, upto = ((f(self.values, y[:, None])).sum(1)[:, None] for f in (np.less, np.less_equal))
        return level_of(y[:, None], self.values[..., None], self.levels, below, upto)[:, 0]

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """As the protocol says, by inversion."""
        values, levels = np.repeat(self.values, n, axis=0)[..., None], rng.random(len(self.values) * n)
        held = self.levels
        place = np.clip(np.searchsorted(held, levels), 1, len(held) - 1)
        rows = np.arange(len(levels))
        low, high = values[rows, place - 1, 0], values[rows, place, 0]
        inside = low + (levels - held[place - 1]) / (held[place] - held[place - 1]) * (high - low)
        with np.errstate(divide="ignore"):
            left = values[:, 0, 0] + _slope(values[:, :2, 0], held[:2]) * np.log(levels / held[0])
            right = values[:, -1, 0] - _slope(-values[:, :-3:-1, 0], 1 - held[:-3:-1]) * np.log(
                (1 - levels) / (1 - held[-1])
            )
        drawn = np.where(levels < held[0], left, np.where(levels > held[-1], right, inside))
        return drawn.reshape(len(self.values), n)


@dataclass(frozen=True, eq=False)
class DrawnFamily:
    """Laws that nothing but draws are known of.

    Source: none.
    """

    draws: Array  # (N, S)

    def mean(self) -> Array:
        """As the protocol says."""
        return self.draws.mean(1)

    def quantile(self, levels: Array) -> Array:
        """As the protocol says."""
        return of_draws(self.draws[..., None], levels)[..., 0]

    def cdf(self, y: Array) -> Array:
        """As the protocol says."""
        below, upto = (f(self.draws, y[:, None]).mean(1) for f in (np.less, np.less_equal))
        return np.where(np.isnan(y), np.nan, (below + upto) / 2)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """As the protocol says: some of the draws again."""
        return rng.choice(self.draws, n, axis=1)


class NextLaw:
    """The predictive law of the next value of N series, or of as many as were updated.

    It belongs to the moment at which the stream gave it: later updates leave it alone.

    Args:
        ids: of the series, in order.
        family: their laws.
        ticks: positions and phases (N,) of these values on the grid of time.
        freq: of the series.
        schema: names of columns, for frames.

    Example:
        >>> family = NormalFamily(centre=np.array([3.0]), spread=np.array([2.0]))
        >>> law = NextLaw(pd.Index(["a"]), family, (np.array([7]), np.array([0])), 1)
        >>> law.mean, law.quantile(0.5), law.cdf(3.0)
        (array([3.]), array([[3.]]), array([0.5]))

    Source: none.
    """

    def __init__(
        self,
        ids: pd.Index,
        family: Family,
        ticks: tuple[Array, Array],
        freq: str | int,
        schema: Schema | None = None,
    ) -> None:
        self.ids, self.family, self._ticks = ids, family, ticks
        self._freq, self._schema = freq, schema or Schema()

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"NextLaw({len(self.ids)} series, {type(self.family).__name__})"

    @property
    def times(self) -> Array:
        """(N,) stamps of these values."""
        return stamps_at(*self._ticks, self._freq, self._schema.tz)

    @property
    def mean(self) -> Array:
        """(N,) means."""
        return self.family.mean()

    @property
    def median(self) -> Array:
        """(N,) quantiles at level 0.5."""
        return self.quantile(0.5)[:, 0]

    def quantile(self, levels: float | Sequence[float] | Array) -> Array:
        """Quantiles (N, Q) at one level or several, in [0, 1].

        Raises:
            ValueError: a level outside [0, 1].

        Source: none.
        """
        asked = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        if asked.ndim != 1 or not len(asked) or not ((asked >= 0) & (asked <= 1)).all():
            raise ValueError(f"levels must be numbers in [0, 1], at least one; got {levels!r}")
        return self.family.quantile(asked)

    def interval(self, coverage: float) -> Array:
        """The central intervals (N, 2) that hold the values with probability ``coverage``.

        Raises:
            ValueError: ``coverage`` is outside [0, 1).

        Source: none.
        """
        if not 0 <= coverage < 1:
            raise ValueError(f"coverage must be in [0, 1), for example 0.9; got {coverage!r}")
        tail = (1 - coverage) / 2
        return self.quantile([tail, 1 - tail])

    def cdf(self, y: float | Sequence[float] | Array) -> Array:
        """Where in their laws the values ``y`` (N,) fall, 0 to 1; ties count half, NaN gives NaN.

        Raises:
            ValueError: there is not one value a series.

        Source: none.
        """
        values = np.atleast_1d(np.asarray(y, dtype=np.float64))
        if values.shape != (len(self.ids),):
            raise ValueError(f"y must have one value a series, ({len(self.ids)},); got shape {values.shape}")
        return self.family.cdf(values)

    def sample(self, n_samples: int = 100, seed: int | None = None) -> Array:
        """Draws (N, S), of each series alone.

        Source: none.
        """
        return self.family.sample(np.random.default_rng(seed), n_samples)

    def to_forecast(self) -> Forecast:
        """The same as a ``Forecast`` of horizon 1: of quantiles at the levels learned, else at 0.01, 0.02, ..., 0.99.

        Source: none.
        """
        own = isinstance(self.family, QuantileFamily)
        levels = tuple(cast(QuantileFamily, self.family).levels.tolist()) if own else FINE
        values = self.quantile(levels)[..., None]
        return Forecast(self.ids, self.times[:, None], values, levels=levels, freq=self._freq, schema=self._schema)


def read_law(law: Any, location: Array, scale: Array) -> Family:
    """What a head said (N, 1, C) about values in units of ``location`` and ``scale`` (N C,), series by series.

    Source: change of units.
    """

    def flat(x: Tensor) -> Array:
        return x.detach().double().cpu().numpy().reshape(len(location))

    if isinstance(law, Quantiles):
        values = law.values.detach().cpu().numpy().reshape(len(location), -1) * scale[:, None]
        values += location[:, None]
        return QuantileFamily(np.array(law.levels), values)
    if isinstance(law, Normal):
        return NormalFamily(flat(law.loc) * scale + location, flat(law.scale) * scale)
    if isinstance(law, StudentT):
        return StudentFamily(flat(law.df), flat(law.loc) * scale + location, flat(law.scale) * scale)
    if isinstance(law, Rescaled) and isinstance(law.base, NegativeBinomial):
        return CountFamily(flat(law.base.total_count), flat(law.base.probs))
    draws = law.sample((N_DRAWN,)).detach().double().cpu().numpy().reshape(N_DRAWN, -1)
    return DrawnFamily((draws * scale + location).T)


def join_families(parts: Sequence[Family]) -> Family:
    """One family of all the values of several of one kind.

    Source: none.
    """
    if len(parts) == 1:
        return parts[0]
    first: Any = parts[0]
    shared = {"levels": first.levels} if isinstance(first, QuantileFamily) else {}
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(first)
        if field.name not in shared
    }
    return type(first)(**shared, **joined)


def _slope(values: Array, levels: Array) -> Array:
    return (values[:, 1] - values[:, 0]) / np.log(levels[1] / levels[0])
