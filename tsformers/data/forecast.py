"""Forecast: samples or quantiles of the future of many series; as frames, figures and GluonTS objects."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from tsformers.calendar.grid import Grid, in_zone, parse
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Schema, check_answer_columns, from_pandas, stamps
from tsformers.data.forecast_checks import (
    are_counts,
    checked_bounds,
    checked_levels,
    checked_means,
    checked_times,
    checked_values,
    level_array,
    out_of_range,
)
from tsformers.data.gluonts_objects import write
from tsformers.data.groups import Groups, group_codes
from tsformers.data.history import around, read_history
from tsformers.data.intake.ids import id_columns
from tsformers.distributions.quantile_columns import quantile_columns
from tsformers.distributions.quantile_function import (
    between_levels,
    level_of,
    level_within,
    mean_weights,
    mean_within,
    of_draws,
)
from tsformers.errors import DataWarning, TsformersError
from tsformers.messages import Either, Setting
from tsformers.plotting.chosen import chosen_positions
from tsformers.plotting.fan import Fan, fan_chart

Ids = Sequence[Any] | pd.Index | np.ndarray
Levels = float | int | Sequence[float | int] | np.ndarray
COVERAGES = (0.5, 0.8, 0.95)  # of the intervals in a picture
UNBOUNDED, COUNTS = (-math.inf, math.inf), (0.0, math.inf)
SHOWN = 4  # series in a picture where the caller names none


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Forecast:
    """The predictive distribution of every series and step: draws, or quantiles at fixed levels.

    With ``levels=None`` the values are draws from the predictive distribution, and quantiles are numpy's linear ones
    (order statistics, straight lines in between). With ``levels`` the values are quantiles at those levels, and the
    predictive distribution is the one whose quantile function is straight between neighbouring levels and exponential
    beyond the outermost ones, ``q(p) = q_1 + b log(p / p_1)`` with ``b`` such that the curve passes through the two
    lowest given quantiles (likewise on the right, with ``1 - p``); tails may reach below zero even where the data are
    positive, unless ``clip`` has cut them off.
    One single level is a point forecast. Quantiles, mean, median, intervals and PIT values are all computed from that
    one distribution, so they are consistent.

    Args:
        ids: names of the N series, no two alike.
        times: (N, H) stamps, increasing along H: datetime64 (UTC where ``schema.tz`` is set) or integers.
        values: (N, S, H) in the caller's units: S draws, or one quantile for each of ``levels``. Kept as a read-only
            view, not as a copy; quantiles that cross are sorted.
        levels: strictly increasing, inside (0, 1); None = ``values`` are draws.
        grid: the parsed frequency, from a panel; None = unknown. Its time zone becomes that of ``schema``.
        schema: column names, time zone and frame type of the caller; None = the defaults.
        joint: draw k of every series belongs to one joint draw of all series.
        freq: name of the frequency in place of ``grid``: a pandas offset alias, or the step of integer time.
        means: (N, H) the means where they are known apart from ``values``, such as those of the draws behind quantiles;
            None = the mean of ``values``. Where ``values`` are replaced, replace them too.
        counts: what is forecast is counted, so that every quantile is a whole number of 0 or more: of draws the least
            one whose share reaches the level, of quantiles the nearest one. Taken back where a value is no count.

    Returns:
        Besides the arguments, ``support``: least and greatest value that quantiles can take, set by ``clip``; a copy
        with other values (``dataclasses.replace``) has no bounds again, counts those from 0.

    Raises:
        ValueError: shapes that do not fit together, a level out of place, doubled ids, stamps that do not increase, or
            a NaN or infinite value (naming the series and the step).

    Example:
        >>> steps = np.array([[5, 6]])
        >>> forecast = Forecast(pd.Index(["a"]), steps, np.array([[[1.0, 2.0], [3.0, 6.0]]]), freq=1)
        >>> forecast.mean
        array([[2., 4.]])
        >>> forecast.interval(0.5)
        array([[[1.5, 3. ],
                [2.5, 5. ]]])
        >>> forecast.to_frame(quantiles=(0.5,))
          unique_id  ds  mean  q0.5
        0         a   5   2.0   2.0
        1         a   6   4.0   4.0
    """

    ids: pd.Index
    times: Shaped[np.ndarray, "N H"]
    values: Float[np.ndarray, "N S H"]
    levels: tuple[float, ...] | None
    grid: Grid | None
    schema: Schema
    joint: bool
    means: Float[np.ndarray, "N H"] | None
    counts: bool
    support: tuple[float, float] = field(default=UNBOUNDED, init=False)

    def __init__(
        self,
        ids: Ids,
        times: np.ndarray,
        values: np.ndarray,
        levels: Sequence[float] | None = None,
        grid: Grid | str | int | None = None,
        schema: Schema | None = None,
        joint: bool = False,
        *,
        freq: str | int | None = None,
        means: np.ndarray | None = None,
        counts: bool = False,
    ) -> None:
        ids = ids if isinstance(ids, pd.Index) else pd.Index(ids, tupleize_cols=False)
        schema = schema or Schema()
        times, values = checked_times(ids, times), checked_values(ids, values)
        if times.shape != (len(values), values.shape[2]):
            raise ValueError(f"times has shape {times.shape}, values {values.shape}; they must be (N, H) and (N, S, H)")
        if levels is not None:
            levels = checked_levels(levels, values.shape[1])
            if (values[:, 1:] < values[:, :-1]).any():
                values = np.sort(values, axis=1)
        if isinstance(grid, str | int):  # the name of a frequency, in the place it once had
            grid, freq = None, grid
        if freq is not None:
            grid = parse(freq, schema.tz)
        elif grid is not None:
            grid = in_zone(grid, schema.tz)
        if means is not None:
            means = checked_means(means, times.shape).view()
            means.setflags(write=False)
        times, values = times.view(), values.view()
        times.setflags(write=False)
        values.setflags(write=False)
        counts = counts and are_counts(values)
        parts: dict[str, Any] = {"ids": ids, "times": times, "values": values, "levels": levels, "grid": grid}
        parts |= {"schema": schema, "joint": joint, "means": means, "counts": counts}
        parts["support"] = COUNTS if counts else UNBOUNDED
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        held = f"{self.n_samples} draws" if self.levels is None else f"quantiles at {self.levels}"
        return f"Forecast({self.n_series} series, {self.horizon} steps of {self.freq!r}, {held})"

    @property
    def freq(self) -> str | int | None:
        """Name of the frequency: a pandas alias, or the step of integer time; None = unknown."""
        return None if self.grid is None else self.grid.freq

    @property
    def n_series(self) -> int:
        """N, the number of series."""
        return len(self.values)

    @property
    def n_samples(self) -> int:
        """S, the number of draws; 0 where the forecast holds quantiles."""
        return self.values.shape[1] if self.levels is None else 0

    @property
    def horizon(self) -> int:
        """H, the number of steps ahead."""
        return self.values.shape[2]

    @property
    def samples(self) -> Float[np.ndarray, "N S H"] | None:
        """The draws, read-only; None where the forecast holds quantiles."""
        return self.values if self.levels is None else None

    @property
    def mean(self) -> Float[np.ndarray, "N H"]:
        """``means`` where they are known; else the mean of the draws, or the integral of the quantile function."""
        if self.means is not None:
            return self.means
        if self.levels is None:
            return self.values.mean(axis=1)
        if self.support != UNBOUNDED:
            return mean_within(self.values, np.asarray(self.levels), *self.support)
        return np.einsum("nqh,q->nh", self.values, mean_weights(np.asarray(self.levels)))

    @property
    def median(self) -> Float[np.ndarray, "N H"]:
        """The quantile at level 0.5."""
        return self.quantile(0.5)[:, 0]

    def quantile(self, levels: Levels) -> Float[np.ndarray, "N Q H"]:
        """Quantiles at any levels, in the order asked; they never cross.

        Args:
            levels: one level or several in [0, 1], in any order, repeats allowed.

        Returns:
            (N, Q, H), axis 1 as ``levels``. Of draws, levels 0 and 1 are the least and greatest draw; of
            quantiles they are infinite, since the tails are unbounded (unless the two outermost values are equal).

        Raises:
            ValueError: a level outside [0, 1], NaN, or no level at all.

        Example:
            >>> held = np.array([[[0.0], [1.0], [3.0]]])
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), held, levels=(0.1, 0.5, 0.9))
            >>> forecast.quantile([0.7, 0.5, 0.95]).ravel().round(3)
            array([2.   , 1.   , 3.861])
        """
        asked = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        if asked.ndim != 1 or not len(asked) or not ((asked >= 0) & (asked <= 1)).all():
            raise ValueError(f"levels must be numbers in [0, 1], at least one; got {levels!r}")
        rising, back = np.unique(asked, return_inverse=True)
        if self.levels is None:
            found = of_draws(self.values, rising, whole=self.counts)
        elif set(rising) <= set(self.levels):
            found = self.values[:, np.searchsorted(self.levels, rising)]
        else:
            found = between_levels(self.values, np.asarray(self.levels), rising).clip(*self.support)
            if self.counts:
                found = np.rint(found).clip(math.ceil(self.support[0]), np.floor(self.support[1]))
        np.maximum.accumulate(found, axis=1, out=found)  # rounding may cross neighbours by one unit in the last place
        return found[:, back]

    def interval(self, coverage: float) -> Float[np.ndarray, "N 2 H"]:
        """The central interval that holds the truth with probability ``coverage``.

        Args:
            coverage: in [0, 1), for example 0.9 for the quantiles at 0.05 and 0.95.

        Returns:
            (N, 2, H): lower and upper ends along axis 1.

        Raises:
            ValueError: ``coverage`` is outside [0, 1).

        Example:
            >>> Forecast(pd.Index(["a"]), np.array([[7]]), np.arange(11.0).reshape(1, 11, 1)).interval(0.8).ravel()
            array([1., 9.])
        """
        if not 0 <= coverage < 1:
            raise ValueError(f"coverage must be in [0, 1), for example 0.9; got {coverage!r}")
        tail = (1 - coverage) / 2
        return self.quantile([tail, 1 - tail])

    def cdf(self, y: Float[np.ndarray, "N H"] | Int[np.ndarray, "N H"]) -> Float[np.ndarray, "N H"]:
        """Probability integral transform: the value of each predictive distribution function at ``y``, 0 to 1.

        Ties count half: ``P(X < y) + P(X = y) / 2``. Of draws these are shares of the S draws.

        Args:
            y: observed values; NaN gives NaN.

        Returns:
            (N, H) PIT values; uniform on [0, 1] where the forecast is calibrated.

        Raises:
            ValueError: ``y`` does not have the shape (N, H).

        Example:
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), np.array([[[1.0], [2.0], [2.0], [4.0]]]))
            >>> forecast.cdf(np.array([[2.0]]))
            array([[0.5]])
        """
        actual = np.asarray(y, dtype=np.float64)
        if actual.shape != self.times.shape:
            raise ValueError(f"y must have one value a series and step, {self.times.shape}; got shape {actual.shape}")
        below = np.count_nonzero(self.values < actual[:, None], axis=1)
        upto = np.count_nonzero(self.values <= actual[:, None], axis=1)
        if self.levels is None:
            pit = (below + upto) / (2 * self.n_samples)
        elif self.support == UNBOUNDED:
            pit = level_of(actual, self.values, np.asarray(self.levels), below, upto)
        else:
            pit = level_within(actual, self.values, np.asarray(self.levels), below, upto, *self.support)
        return np.where(np.isnan(actual), np.nan, pit)

    def sum(self, groups: Groups = None) -> "Forecast":
        """Sum over series, draw by draw: the total, or one sum for each group.

        Args:
            groups: which group each series belongs to: by its id in a dict or Series (further ids are
                ignored), or N names in the order of ``ids``; None = the total of all series, whose id is "total".

        Returns:
            A forecast whose ids are the groups, in order of their first series.

        Raises:
            ValueError: the forecast holds quantiles (which cannot be added), a series has no group, or two series of a
                group have different stamps.

        Warns:
            UserWarning: series are added although ``joint`` is False, which treats them as independent.

        Example:
            >>> draws = np.array([[[1.0], [2.0]], [[10.0], [20.0]]])
            >>> forecast = Forecast(pd.Index(["a", "b"]), np.array([[7], [7]]), draws, joint=True)
            >>> forecast.sum().values.ravel()
            array([11., 22.])
        """
        if self.levels is not None:
            raise ValueError("quantiles of different series cannot be added; forecast with samples to sum over series")
        codes, names = group_codes(groups, self.ids)
        order = np.argsort(codes, kind="stable")
        first = np.flatnonzero(np.diff(codes[order], prepend=-1))  # where each group begins in `order`
        leader = order[first][codes]
        if (self.times != self.times[leader]).any():
            i = int(np.flatnonzero((self.times != self.times[leader]).any(axis=1))[0])
            raise ValueError(
                f"series {plain(self.ids[i])!r} and {plain(self.ids[leader[i]])!r} are forecast for different stamps "
                "and cannot be added; cut their histories to one common end first"
            )
        if not self.joint and len(names) < self.n_series:
            warnings.warn(
                DataWarning(
                    "these draws are not joint over series, so their sum treats the series as independent; forecast "
                    "with ",
                    Setting("multivariate", True),
                    " where they move together",
                ),
                stacklevel=2,
            )
        values = self.values if (np.diff(order) == 1).all() else self.values[order]
        values = np.add.reduceat(values, first, axis=0)
        means = None if self.means is None else np.add.reduceat(self.means[order], first, axis=0)
        return replace(self, ids=names, times=self.times[order[first]], values=values, means=means)

    def select(self, series: Sequence[int] | np.ndarray) -> "Forecast":
        """The forecast of some series, by position, in the order given.

        Args:
            series: integer positions (or a boolean mask) into ``ids``.

        Returns:
            A forecast of those series.

        Raises:
            IndexError: a position beyond the last series.

        Example:
            >>> forecast = Forecast(pd.Index(["a", "b"]), np.array([[7], [7]]), np.ones((2, 3, 1)))
            >>> list(forecast.select([1]).ids)
            ['b']
        """
        chosen = np.asarray(series)
        chosen = chosen if len(chosen) else chosen.astype(np.int64)
        means = None if self.means is None else self.means[chosen]
        part = replace(self, ids=self.ids[chosen], times=self.times[chosen], values=self.values[chosen], means=means)
        return part if self.support == UNBOUNDED else part.bounded(*self.support)

    def clip(self, lower: float | int | None = None, upper: float | int | None = None) -> "Forecast":
        """The forecast with every value beyond a bound moved to the bound, as values of that kind can be.

        Draws are clipped one by one, and the mean is that of the clipped draws. Quantiles are clipped, and the tails
        beyond the outermost ones are cut off at the bounds; the mean is the integral of that quantile function.
        ``Bounded`` does the same inside a model, and can keep draws strictly between bounds.

        Args:
            lower: the least value; None: no bound.
            upper: the greatest value; None: no bound.

        Returns:
            A forecast of the same series and times.

        Raises:
            ValueError: no bound, one that is not finite, or a lower one that is not below the upper one.

        Example:
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), np.array([[[-1.0], [1.0], [3.0]]]))
            >>> forecast.clip(lower=0).samples.ravel(), forecast.clip(lower=0, upper=2).mean
            (array([0., 1., 3.]), array([[1.]]))
        """
        low, high = checked_bounds(lower, upper)
        clipped = replace(self, values=self.values.clip(low, high), means=None)
        return clipped.bounded(max(low, min(self.support[0], high)), min(high, max(self.support[1], low)))

    def bounded(self, lower: float | int, upper: float | int) -> "Forecast":
        """The same values, with the tails of quantiles cut off at bounds; for preprocessors whose values keep to them.

        Args:
            lower: the least value; -inf: none.
            upper: the greatest value; inf: none.

        Returns:
            A forecast with that ``support``.

        Raises:
            ValueError: a value lies beyond a bound.

        Example:
            >>> held = np.array([[[1.0], [2.0]]])
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), held, levels=(0.4, 0.6)).bounded(0, np.inf)
            >>> forecast.quantile([0.0, 0.4]).ravel()
            array([0., 1.])
        """
        if ((self.values < lower) | (self.values > upper)).any():
            raise ValueError(f"values go from {self.values.min():g} to {self.values.max():g}; use clip to bound them")
        copy = replace(self)
        object.__setattr__(copy, "support", (float(lower), float(upper)))
        return copy

    def to_frame(self, quantiles: Levels = (0.1, 0.5, 0.9)) -> Any:
        """One row a series and step, in the caller's own frame type, column names and time zone.

        Args:
            quantiles: levels of the quantile columns, each with as many digits as it needs; may be empty.

        Returns:
            Columns ``unique_id, ds, mean, q0.1, q0.5, q0.9`` (the first two under the caller's names).

        Raises:
            ValueError: a level outside [0, 1].
            DataError: the caller's id or time column is called like one of the answer, such as "mean".

        Example:
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), np.array([[[1.0], [2.0]]]))
            >>> forecast.to_frame(quantiles=())
              unique_id  ds  mean
            0         a   7   1.5
        """
        levels = level_array(quantiles)
        if not ((levels >= 0) & (levels <= 1)).all():
            raise out_of_range(quantiles, levels, ends=True)
        names = answer_columns([*levels])
        check_answer_columns(self.schema, names, "the forecast")
        answer: dict[str, Any] = {"mean": self.mean.ravel()}
        if len(levels):
            found = self.quantile(levels)
            answer |= {name: found[:, q].ravel() for q, name in enumerate(names[1:])}
        columns = {
            **id_columns(self.ids.repeat(self.horizon), self.schema),
            self.schema.time_col: stamps(self.times, self.schema),
            **answer,
        }
        return from_pandas(pd.DataFrame(columns), self.schema.backend)

    def plot(
        self,
        history: Any = None,
        ids: Ids | None = None,
        *,
        levels: Sequence[float] = COVERAGES,
        context: int | None = None,
    ) -> Any:
        """Fan chart: the median, central intervals around it, the history before (and observed values after, if given).

        Args:
            history: frame, Series or Panel in the caller's columns; rows beyond the forecast's start are drawn as
                actuals. None = the forecast alone.
            ids: the series to draw, one picture each; None = the first four.
            levels: coverages of the intervals, each in (0, 1).
            context: rows of history to show; None = four horizons, at least 24.

        Returns:
            A ``matplotlib.figure.Figure``, which is pyplot's current one; ``figure.savefig("f.png")`` keeps it.

        Raises:
            ValueError: an id that is not forecast, or a coverage outside (0, 1).
            ImportError: matplotlib is missing.

        Example:
            >>> forecast = Forecast(pd.Index(["a"]), np.array([[7, 8]]), np.arange(10.0).reshape(1, 5, 2))
            >>> [axes.get_title(loc="left") for axes in forecast.plot().axes]
            ['a']
        """
        positions = chosen_positions(ids, self.ids, SHOWN, "this forecast")
        coverages = sorted(levels, reverse=True)
        part = self.select(positions)
        bands = np.stack([part.interval(coverage) for coverage in coverages], axis=1) if coverages else None
        middle = part.median
        rows = max(4 * self.horizon, 24) if context is None else context
        fans = []
        panel = None if history is None else read_history(history, part.ids, part.times, self.grid, self.schema)
        for n, name in enumerate(part.ids):
            past_times, past, actual = around(panel, name, part.times[n], rows)
            band = np.zeros((0, 2, self.horizon)) if bands is None else bands[n]
            fans.append(Fan(str(name), part.times[n], middle[n], band, past_times, past, actual))
        return fan_chart(fans, coverages, self.schema.tz)

    def to_gluonts(self) -> list[Any]:
        """The same forecasts as GluonTS objects, one a series: ``SampleForecast``, or ``QuantileForecast`` with a mean.

        ``start_date`` is the period that holds the first stamp (local time where there is a zone). Integer time has no
        periods: its steps are counted as days after 1970-01-01. What a period cannot say (the exact stamps, ids
        that are not text, the frequency) travels in ``info``, so that ``from_gluonts`` gives back what was there.

        Returns:
            N GluonTS forecasts with ``item_id`` as text.

        Raises:
            ValueError: the frequency is unknown, or pandas has no period for it.

        Example:
            >>> times = np.array([["2024-01-31", "2024-02-29"]], dtype="datetime64[ns]")
            >>> monthly = Forecast(pd.Index(["a"]), times, np.ones((1, 3, 2)), freq="ME")
            >>> monthly.to_gluonts()[0].start_date
            Period('2024-01', 'M')
        """
        if self.freq is None:
            raise TsformersError(
                "this forecast does not know its frequency; ",
                Either("set it with dataclasses.replace(forecast, freq='D')", "make it of data whose step is known"),
            )
        about = {"freq": self.freq, "schema": self.schema, "joint": self.joint, "counts": self.counts}
        means = [None] * len(self) if self.levels is None else self.mean
        series = zip(self.ids, self.times, self.values, means, strict=True)
        return [write(name, times, values, self.levels, about, mean) for name, times, values, mean in series]


def answer_columns(quantiles: Sequence[float | int]) -> list[str]:
    """The columns of ``Forecast.to_frame`` beside ids and times.

    Args:
        quantiles: levels.

    Returns:
        "mean", and one name a level.

    Example:
        >>> answer_columns((0.1, 0.5))
        ['mean', 'q0.1', 'q0.5']
    """
    return ["mean", *quantile_columns(quantiles)]
