"""Marginals: the predictive distribution of one value for each of many rows, held as draws or as quantiles."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self, overload

import numpy as np
from jaxtyping import Bool, Float, Integer

from tsformers.distributions.quantile_function import at_own_levels, between_levels, level_of, mean_weights, of_draws


@dataclass(frozen=True, eq=False)
class Marginals:
    """The predictive distributions of M values, one a row: S draws each, or quantiles at fixed levels.

    Draws are the empirical distribution. Quantiles are the distribution whose quantile function is linear between
    neighbouring levels and has exponential tails beyond the outermost, as in ``Forecast``. Rows are kept in ascending
    order. A row with a NaN in it is missing: whatever is computed from it is NaN.

    Args:
        values: (M, S) draws or (M, Q) quantiles, in the units of the data.
        levels: of the Q quantiles, increasing, inside (0, 1); None: ``values`` are draws. A single level is a point
            forecast, which has an expectation but no width.

    Raises:
        ValueError: the shape has no two axes or no column, or the levels do not fit the columns.

    Example:
        >>> marginals = Marginals(np.array([[3.0, 1.0, 2.0], [8.0, 8.0, 8.0]]))
        >>> marginals.expected
        array([2., 8.])
        >>> marginals.interval(0.5)
        (array([1.5, 8. ]), array([2.5, 8. ]))
        >>> len(marginals.take(np.array([1])))
        1

    Source: Koenker & Bassett (1978), quantiles; tails: ``tsformers.distributions.quantile_function``.
    """

    values: Float[np.ndarray, "M S"]
    levels: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] == 0:
            raise ValueError(f"marginals hold one row of draws or quantiles a value, (M, S); got shape {values.shape}")
        if self.levels is not None:
            levels = np.asarray(self.levels, dtype=np.float64)
            inside = levels.shape == values.shape[1:] and levels[0] > 0 and levels[-1] < 1
            if not inside or (np.diff(levels) <= 0).any():
                raise ValueError(
                    f"{values.shape[1]} columns need as many increasing levels inside (0, 1); got {self.levels}"
                )
        if (values[:, 1:] < values[:, :-1]).any():
            values = np.sort(values, axis=1)
        missing = np.isnan(values).any(axis=1, keepdims=True)
        if np.any(missing):
            values = np.where(missing, np.nan, values)
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_ascending(cls, values: Float[np.ndarray, "M S"], levels: tuple[float, ...] | None = None) -> Self:
        """The same as the constructor for rows that ascend already and levels that fit; nothing is checked.

        Args:
            values: as for the class.
            levels: as for the class.

        Returns:
            Marginals that share ``values``.

        Example:
            >>> Marginals.from_ascending(np.array([[1.0, 2.0]]), (0.25, 0.75)).quantile(0.5)
            array([1.5])
        """
        new = object.__new__(cls)
        object.__setattr__(new, "values", values)
        object.__setattr__(new, "levels", levels)
        return new

    @property
    def expected(self) -> Float[np.ndarray, " M"]:
        """What a detector reports as the expected value: the mean of the draws; of quantiles, the median."""
        return self.values.mean(axis=1) if self.levels is None else self.quantile(0.5)

    def mean(self) -> Float[np.ndarray, " M"]:
        """Means; of quantiles the integral of the quantile function, tails included.

        Example:
            >>> Marginals(np.array([[0.0, 3.0]]), (0.25, 0.75)).mean()
            array([1.5])
        """
        return self.values.mean(axis=1) if self.levels is None else self.values @ mean_weights(self._levels)

    @overload
    def quantile(self, levels: float) -> Float[np.ndarray, " M"]: ...

    @overload
    def quantile(self, levels: Float[np.ndarray, " A"]) -> Float[np.ndarray, "M A"]: ...

    def quantile(self, levels: float | Float[np.ndarray, " A"]) -> np.ndarray:
        """Quantiles of each row.

        Args:
            levels: one level in [0, 1], or A of them.

        Returns:
            (M,) for one level, (M, A) for an array.

        Example:
            >>> marginals = Marginals(np.array([[0.0, 1.0, 2.0]]))
            >>> marginals.quantile(0.25), marginals.quantile(np.array([0.0, 1.0]))
            (array([0.5]), array([[0., 2.]]))
        """
        if isinstance(levels, np.ndarray):
            if self.levels is None:
                return of_draws(self.values[..., None], levels)[..., 0]
            return between_levels(self.values[..., None], self._levels, levels)[..., 0]
        if self.levels is not None:
            return between_levels(self.values[:, :, None], self._levels, np.array([levels]))[:, 0, 0]
        place = levels * (self.values.shape[1] - 1)
        lower = self.values[:, int(place)]
        return lower + (self.values[:, math.ceil(place)] - lower) * (place - int(place))

    def interval(self, coverage: float) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Lower and upper ends of the central interval that holds the value with probability ``coverage``.

        Args:
            coverage: in [0, 1), for example 0.9 for the quantiles at 0.05 and 0.95.

        Returns:
            (M,) lower ends, (M,) upper ends.

        Raises:
            ValueError: ``coverage`` is outside [0, 1).

        Example:
            >>> Marginals(np.array([[0.0, 1.0, 2.0]])).interval(0.5)
            (array([0.5]), array([1.5]))
        """
        if not 0 <= coverage < 1:
            raise ValueError(f"coverage must be in [0, 1), for example 0.9; got {coverage!r}")
        tail = (1 - coverage) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def cdf(self, y: Float[np.ndarray, " M"]) -> Float[np.ndarray, " M"]:
        """``P(X < y) + P(X = y) / 2`` of each row.

        Example:
            >>> Marginals(np.array([[0.0, 1.0, 2.0, 3.0]])).cdf(np.array([1.0]))
            array([0.375])
        """
        if self.levels is None:
            below, upto = (f(self.values, y[:, None]).mean(1) for f in (np.less, np.less_equal))
            return np.where(np.isnan(y), np.nan, (below + upto) / 2)
        below, upto = ((f(self.values, y[:, None])).sum(1)[:, None] for f in (np.less, np.less_equal))
        return level_of(y[:, None], self.values[..., None], self._levels, below, upto)[:, 0]

    def sample(self, rng: np.random.Generator, n: int) -> Float[np.ndarray, "M n"]:
        """``n`` values of each row, rows independent: draws again, or inversion of the quantile function.

        Example:
            >>> Marginals(np.array([[4.0, 4.0]])).sample(np.random.default_rng(0), 3)
            array([[4., 4., 4.]])
        """
        if self.levels is None:
            return np.take_along_axis(self.values, rng.integers(self.values.shape[1], size=(len(self), n)), axis=1)
        return at_own_levels(self.values, self._levels, rng.random(len(self) * n).reshape(len(self), n))

    def take(self, index: Integer[np.ndarray, " K"] | Bool[np.ndarray, " M"]) -> "Marginals":
        """Some rows, by position, in the order given; repeats allowed.

        Example:
            >>> Marginals(np.array([[1.0, 1.0], [5.0, 5.0]])).take(np.array([1, 1])).expected
            array([5., 5.])
        """
        return Marginals.from_ascending(self.values[index], self.levels)

    @cached_property
    def _levels(self) -> np.ndarray:
        return np.asarray(self.levels, dtype=np.float64)
