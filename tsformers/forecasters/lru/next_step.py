"""NextStepDistribution: the predictive distribution of the next value of each series, in the caller's units."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor
from torch.distributions import NegativeBinomial, Normal, StudentT

from tsformers.calendar.feature_cache import stamps_at
from tsformers.calendar.grid import Grid
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.distributions.families import (
    Array,
    Family,
    NegativeBinomialFamily,
    NormalFamily,
    StudentTFamily,
)
from tsformers.distributions.marginals import Marginals
from tsformers.nn.heads.distributions import Quantiles, Rescaled

N_DRAWN = 1000  # draws of a distribution without a closed form
FINE_LEVELS = tuple(round(0.01 * i, 2) for i in range(1, 100))  # of a Forecast made from a closed form


class NextStepDistribution:
    """The predictive distributions of the next value of N series, or of as many as were updated.

    Later updates of the stream do not change it.

    Args:
        ids: of the series, in order.
        family: their distributions.
        ticks: positions and phases (N,) of these values on the time grid.
        grid: of the series.
        schema: names of columns, for frames.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> family = NormalFamily(loc=np.array([3.0]), scale=np.array([2.0]))
        >>> following = NextStepDistribution(pd.Index(["a"]), family, (np.array([7]), np.array([0])), parse(1))
        >>> following.mean, following.quantile(0.5), following.cdf(3.0)
        (array([3.]), array([[3.]]), array([0.5]))
    """

    def __init__(
        self,
        ids: pd.Index,
        family: Family,
        ticks: tuple[Array, Array],
        grid: Grid,
        schema: Schema | None = None,
    ) -> None:
        self.ids, self.family, self._ticks = ids, family, ticks
        self._grid, self._schema = grid, schema or Schema()

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"NextStepDistribution({len(self.ids)} series, {type(self.family).__name__})"

    @property
    def times(self) -> Array:
        """(N,) stamps of these values."""
        return stamps_at(*self._ticks, self._grid)

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
        """
        asked = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        if asked.ndim != 1 or not len(asked) or not ((asked >= 0) & (asked <= 1)).all():
            raise ValueError(f"levels must be numbers in [0, 1], at least one; got {levels!r}")
        return self.family.quantile(asked)

    def interval(self, coverage: float) -> Array:
        """The central intervals (N, 2) that hold the values with probability ``coverage``.

        Raises:
            ValueError: ``coverage`` is outside [0, 1).
        """
        if not 0 <= coverage < 1:
            raise ValueError(f"coverage must be in [0, 1), for example 0.9; got {coverage!r}")
        tail = (1 - coverage) / 2
        return self.quantile([tail, 1 - tail])

    def cdf(self, y: float | Sequence[float] | Array) -> Array:
        """Probability integral transforms (N,) of the values ``y`` (N,); ties count half, NaN gives NaN.

        Raises:
            ValueError: there is not one value a series.
        """
        values = np.atleast_1d(np.asarray(y, dtype=np.float64))
        if values.shape != (len(self.ids),):
            raise ValueError(f"y must have one value a series, ({len(self.ids)},); got shape {values.shape}")
        return self.family.cdf(values)

    def sample(self, n_samples: int = 100, seed: int | None = None) -> Array:
        """Draws (N, S), of each series on its own."""
        return self.family.sample(np.random.default_rng(seed), n_samples)

    def to_forecast(self) -> Forecast:
        """The same as a ``Forecast`` of horizon 1: quantiles at the levels learned, else at 0.01, 0.02, ..., 0.99."""
        levels = (self.family.levels if isinstance(self.family, Marginals) else None) or FINE_LEVELS
        values = self.quantile(levels)[..., None]
        return Forecast(self.ids, self.times[:, None], values, levels=levels, grid=self._grid, schema=self._schema)


def family_of(head: Any, location: Array, scale: Array) -> Family:
    """The output of a distribution head in the caller's units, series by series.

    Args:
        head: a torch distribution, or ``Quantiles``, of shape (N, 1, C), in units of ``location`` and ``scale``.
        location: (N C,) what a value of 0 stands for.
        scale: (N C,) what a distance of 1 stands for.

    Returns:
        A family of N C distributions; 1,000 draws of each where there is no closed form.

    Example:
        >>> import torch
        >>> family_of(Normal(torch.zeros(1, 1, 1), torch.ones(1, 1, 1)), np.array([3.0]), np.array([2.0])).mean()
        array([3.])

    Source: change of units.
    """

    def flat(x: Tensor) -> Array:
        return x.detach().double().cpu().numpy().reshape(len(location))

    if isinstance(head, Quantiles):
        values = head.values.detach().cpu().numpy().reshape(len(location), -1) * scale[:, None]
        values += location[:, None]
        return Marginals.from_ascending(values, head.levels)
    if isinstance(head, Normal):
        return NormalFamily(flat(head.loc) * scale + location, flat(head.scale) * scale)
    if isinstance(head, StudentT):
        return StudentTFamily(flat(head.df), flat(head.loc) * scale + location, flat(head.scale) * scale)
    if isinstance(head, Rescaled) and isinstance(head.base, NegativeBinomial):
        return NegativeBinomialFamily(flat(head.base.total_count), flat(head.base.probs))
    draws = head.sample((N_DRAWN,)).detach().double().cpu().numpy().reshape(N_DRAWN, -1)
    return Marginals((draws * scale + location).T)
