"""Parametric families of one-value distributions: normal, Student's t, negative binomial; and joining any of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, cast

import numpy as np
import scipy.special as sp

from tsformers.distributions.marginals import Marginals

Array = np.ndarray


class Family(Protocol):
    """Distributions of N values, all of one kind; ``Marginals`` holds those known by draws or quantiles."""

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
    """Normal distributions.

    Args:
        loc: (N,) means.
        scale: (N,) standard deviations.

    Example:
        >>> NormalFamily(np.array([3.0]), np.array([2.0])).cdf(np.array([3.0]))
        array([0.5])
    """

    loc: Array
    scale: Array

    def mean(self) -> Array:
        """(N,) means."""
        return self.loc

    def quantile(self, levels: Array) -> Array:
        """(N, Q) quantiles."""
        return self.loc[:, None] + self.scale[:, None] * sp.ndtri(levels)

    def cdf(self, y: Array) -> Array:
        """(N,) ``P(X < y) + P(X = y) / 2``."""
        return sp.ndtr((y - self.loc) / self.scale)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """(N, n) independent values."""
        return self.loc[:, None] + self.scale[:, None] * rng.standard_normal((len(self.loc), n))


@dataclass(frozen=True, eq=False)
class StudentTFamily:
    """Student's t distributions, shifted and scaled.

    Args:
        df: (N,) degrees of freedom, above 2.
        loc: (N,) means.
        scale: (N,) scales; the variance is ``scale^2 df / (df - 2)``.

    Example:
        >>> StudentTFamily(np.array([4.0]), np.array([3.0]), np.array([2.0])).quantile(np.array([0.5]))
        array([[3.]])
    """

    df: Array
    loc: Array
    scale: Array

    def mean(self) -> Array:
        """(N,) means."""
        return self.loc

    def quantile(self, levels: Array) -> Array:
        """(N, Q) quantiles."""
        found = np.where(levels > 0, sp.stdtrit(self.df[:, None], levels), -np.inf)  # scipy gives +inf at level 0
        return self.loc[:, None] + self.scale[:, None] * found

    def cdf(self, y: Array) -> Array:
        """(N,) ``P(X < y) + P(X = y) / 2``."""
        return sp.stdtr(self.df, (y - self.loc) / self.scale)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """(N, n) independent values."""
        noise = rng.standard_t(self.df[:, None], (len(self.loc), n))
        return self.loc[:, None] + self.scale[:, None] * noise


@dataclass(frozen=True, eq=False)
class NegativeBinomialFamily:
    """Negative binomial distributions of counts; the distribution function is a regularised incomplete beta function.

    Args:
        total: (N,) failures at which counting stops.
        p: (N,) probability that a trial counts.

    Example:
        >>> NegativeBinomialFamily(np.array([3.0]), np.array([0.5])).mean()
        array([3.])
    """

    total: Array
    p: Array

    def mean(self) -> Array:
        """(N,) means."""
        return self.total * self.p / (1 - self.p)

    def quantile(self, levels: Array) -> Array:
        """(N, Q): the smallest counts whose distribution function reaches the levels."""
        from scipy.stats import nbinom

        found = nbinom.ppf(levels, self.total[:, None], 1 - self.p[:, None])
        return np.maximum(found, 0.0)  # scipy's answer at level 0 is -1

    def cdf(self, y: Array) -> Array:
        """(N,) ``P(X < y) + P(X = y) / 2``."""
        return (self._at_most(np.ceil(y) - 1) + self._at_most(np.floor(y))) / 2

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """(N, n) independent values."""
        drawn = rng.negative_binomial(self.total[:, None], 1 - self.p[:, None], (len(self.total), n))
        return drawn.astype(np.float64)

    def _at_most(self, count: Array) -> Array:
        return np.where(count < 0, 0.0, sp.betainc(self.total, np.maximum(count, 0) + 1, 1 - self.p))


def join_families(parts: Sequence[Family]) -> Family:
    """One object for the values of several of the same kind, one after the other.

    Args:
        parts: of one class; ``Marginals`` at the same levels.

    Returns:
        The joined distributions, ``parts[0]`` itself where it is the only one.

    Example:
        >>> one, other = NormalFamily(np.zeros(1), np.ones(1)), NormalFamily(np.ones(2), np.ones(2))
        >>> join_families([one, other]).mean()
        array([0., 1., 1.])
    """
    first: Any = parts[0]
    if len(parts) == 1:
        return first
    if isinstance(first, Marginals):
        values = [cast(Marginals, part).values for part in parts]
        return Marginals.from_ascending(np.concatenate(values), first.levels)
    joined = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(first)}
    return type(first)(**joined)
