"""Families of one-dimensional distributions, vectorised over series: normal, Student t, counts, quantiles, draws."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import scipy.special as sp

from tsformers.distributions.quantile_function import between_levels, level_of, mean_weights, of_draws

Array = np.ndarray


class Family(Protocol):
    """Laws of one kind, one of each of N values."""

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

    Source: Koenker & Bassett (1978); tails: ``tsformers.distributions.quantile_function``.
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
    """Laws that nothing but draws are known of."""

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


def join_families(parts: Sequence[Family]) -> Family:
    """One family of all the values of several of one kind."""
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
