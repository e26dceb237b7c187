"""Law: what a forecast says about one value of each of many rows, as draws or as quantiles."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Integer

from tsformers.data.forecast import Forecast
from tsformers.distributions.quantile_function import between_levels


@dataclass(frozen=True, eq=False)
class Law:
    """The predictive laws of M values, one a row: S draws each, or quantiles at fixed levels.

    Law: as in ``Forecast``, of one step. Draws stand for the empirical distribution, quantiles for the distribution
    whose quantile function is straight between neighbouring levels and exponential beyond the outermost. Rows are kept
    in ascending order. A row with a NaN in it says nothing: all that is asked of it is NaN.

    Args:
        values: (M, S) draws or (M, Q) quantiles, in the units of the data.
        levels: of the Q quantiles, increasing, inside (0, 1); None: ``values`` are draws. A single level is a point
            forecast, which has an expectation but no width.

    Raises:
        ValueError: the shape has no two axes or no column, or the levels do not fit the columns.

    Example:
        >>> law = Law(np.array([[3.0, 1.0, 2.0], [8.0, 8.0, 8.0]]))
        >>> law.expected
        array([2., 8.])
        >>> law.interval(0.5)
        (array([1.5, 8. ]), array([2.5, 8. ]))
        >>> len(law.take(np.array([1])))
        1
    """

    values: Float[np.ndarray, "M S"]
    levels: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] == 0:
            raise ValueError(f"a law holds one row of draws or quantiles a value, (M, S); got shape {values.shape}")
        if self.levels is not None:
            levels = np.asarray(self.levels, dtype=np.float64)
            inside = levels.shape == values.shape[1:] and levels[0] > 0 and levels[-1] < 1
            if not inside or (np.diff(levels) <= 0).any():
                raise ValueError(
                    f"{values.shape[1]} columns need as many increasing levels inside (0, 1); got {self.levels}"
                )
        if (values[:, 1:] < values[:, :-1]).any():
            values = np.sort(values, axis=1)
        hole = np.isnan(values).any(axis=1, keepdims=True)
        if np.any(hole):
            values = np.where(hole, np.nan, values)
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, forecast: Forecast, step: int = 0) -> Self:
        """The law of one step of a forecast, a row for each of its series.

        Args:
            forecast: of M series.
            step: from 0, the first step ahead.

        Returns:
            Its law, rows in the order of ``forecast.ids``.

        Raises:
            IndexError: the forecast does not reach that far.

        Example:
            >>> import pandas as pd
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7, 8]]), np.array([[[1.0, 4.0], [3.0, 6.0]]]))
            >>> Law.of(forecast, step=1).values
            array([[4., 6.]])
        """
        return cls(forecast.values[:, :, step], forecast.levels)

    @property
    def expected(self) -> Float[np.ndarray, " M"]:
        """The mean of the draws; of quantiles, the median."""
        return self.values.mean(axis=1) if self.levels is None else self.quantile(0.5)

    def quantile(self, level: float) -> Float[np.ndarray, " M"]:
        """The quantile of each row at one level in [0, 1]."""
        if self.levels is not None:
            return between_levels(self.values[:, :, None], np.asarray(self.levels), np.array([level]))[:, 0, 0]
        place = level * (self.values.shape[1] - 1)
        lower = self.values[:, int(place)]
        return lower + (self.values[:, math.ceil(place)] - lower) * (place - int(place))

    def interval(self, share: float) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Lower and upper ends of the central interval that holds the value with probability ``share``.

        Args:
            share: in [0, 1), for example 0.9 for the quantiles at 0.05 and 0.95.

        Returns:
            (M,) lower ends, (M,) upper ends.

        Raises:
            ValueError: ``share`` is outside [0, 1).
        """
        if not 0 <= share < 1:
            raise ValueError(f"share must be in [0, 1), for example 0.9; got {share!r}")
        tail = (1 - share) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def take(self, index: Integer[np.ndarray, " K"]) -> "Law":
        """The laws of some rows, by position, in the order given; repeats allowed."""
        return Law(self.values[index], self.levels)
