"""What a stream says about the next value of each series: one law a series, in the caller's units."""

from collections.abc import Sequence
from typing import Any, cast

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
    CountFamily,
    DrawnFamily,
    Family,
    NormalFamily,
    QuantileFamily,
    StudentFamily,
)
from tsformers.nn.heads.distributions import Quantiles, Rescaled

N_DRAWN = 1000  # of a law that nothing but draws are known of
FINE = tuple(round(0.01 * i, 2) for i in range(1, 100))  # levels of a Forecast made of a law in a formula


class NextLaw:
    """The predictive law of the next value of N series, or of as many as were updated.

    It belongs to the moment at which the stream gave it: later updates leave it alone.

    Args:
        ids: of the series, in order.
        family: their laws.
        ticks: positions and phases (N,) of these values on the grid of time.
        grid: of the series.
        schema: names of columns, for frames.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> family = NormalFamily(centre=np.array([3.0]), spread=np.array([2.0]))
        >>> law = NextLaw(pd.Index(["a"]), family, (np.array([7]), np.array([0])), parse(1))
        >>> law.mean, law.quantile(0.5), law.cdf(3.0)
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
        return f"NextLaw({len(self.ids)} series, {type(self.family).__name__})"

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
        """Where in their laws the values ``y`` (N,) fall, 0 to 1; ties count half, NaN gives NaN.

        Raises:
            ValueError: there is not one value a series.
        """
        values = np.atleast_1d(np.asarray(y, dtype=np.float64))
        if values.shape != (len(self.ids),):
            raise ValueError(f"y must have one value a series, ({len(self.ids)},); got shape {values.shape}")
        return self.family.cdf(values)

    def sample(self, n_samples: int = 100, seed: int | None = None) -> Array:
        """Draws (N, S), of each series alone."""
        return self.family.sample(np.random.default_rng(seed), n_samples)

    def to_forecast(self) -> Forecast:
        """The same as a ``Forecast`` of horizon 1: quantiles at the levels learned, else at 0.01, 0.02, ..., 0.99."""
        own = isinstance(self.family, QuantileFamily)
        levels = tuple(cast(QuantileFamily, self.family).levels.tolist()) if own else FINE
        values = self.quantile(levels)[..., None]
        return Forecast(self.ids, self.times[:, None], values, levels=levels, grid=self._grid, schema=self._schema)


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
