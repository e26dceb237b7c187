"""TrendSeasonalDecomposition: the forecaster reads the remainder; trend and seasons are extrapolated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.arithmetic import ordinals
from tsformers.calendar.regularity import plain
from tsformers.calendar.seasons import clock_cycles, season_length
from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas, stamps
from tsformers.data.draws import drawn
from tsformers.data.forecast import Forecast
from tsformers.data.intake.ids import id_columns
from tsformers.data.packed.classical_decomposition import PackedSeries, Parts, moving_average
from tsformers.data.packed.seasonal_p_values import packed_p_values
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import TsformersError
from tsformers.keywords import refuse_unknown
from tsformers.messages import Option
from tsformers.plotting.chosen import chosen_positions
from tsformers.plotting.decomposition import Layers, layers_chart
from tsformers.preprocessing.extrapolation import Extrapolation, measure_extrapolation, trend_ahead, trend_spread
from tsformers.preprocessing.loess import LOESS_CYCLES, loess
from tsformers.validation import AtLeast, Between, check_settings

SALT = 2_021_120_601  # of the draws of the parts, apart from all seeds of forecasters
DRAWS = 200  # of a forecast that holds quantiles
SHOWN = 3  # series in a chart where the caller names none


class Decomposed(NamedTuple):
    """N series, their parts, and the extrapolation of these."""

    ids: pd.Index
    rows: PackedSeries
    parts: Parts
    extrapolation: Extrapolation


@dataclass(repr=False, eq=False)
class TrendSeasonalDecomposition(BaseEstimator):
    """Removes trend and season from every series; the remainder is forecast, and the parts are added to each draw.

    ``y = trend + seasonal + remainder``. In a Pipeline the forecaster reads the series without the seasonal parts, or
    with ``remove="both"`` without the trend too. A season is extrapolated with its last cycle, a trend with its last
    rise, damped as its own past was (``preprocessing/extrapolation.py``). A season is tested first, series by series
    (``significance``): where there is none, none is removed. Both parts have an uncertainty, added to each draw:
    the errors that these rules would have made in the past, and the standard error of seasonal values. A forecast of
    one draw gets none: it stands for the mean.

    The parts are fixed at ``fit``: later rows have the parts extrapolated from its end, so nothing looks ahead. Series
    that were not in ``fit`` are decomposed from the history that they come with. Inside the training rows a centred
    trend uses the rows on either side of each row; a network learns from information that it lacks at the end, and
    forecasts a half worse. Hence the trend stays in by default; local models may do well without it.

    Args:
        method: "moving_average" (all series at once, 100,000 in seconds), "stl", or "mstl" for several seasons; the
            latter two by statsmodels, series by series.
        period: rows of a season, for "mstl" a list; None takes it from the frequency (of hours, "mstl" takes day and
            week). 1: no season.
        remove: the "seasonal" parts, or "both" them and the trend.
        significance: level of the test for a season, the share of series without one from which one is removed, at
            most; 1 removes seasons untested. ``decompose`` and ``plot`` show them untested.
        n_jobs: processes for "stl" and "mstl", in joblib's counting; they are started only where that pays.
        verbose: progress bar; None: on a terminal.

    Returns:
        After ``fit``: ``periods_``, and in ``state_`` the parts.

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [2.0, 0.0, 4.0, 2.0, 6.0, 4.0, 8.0, 6.0]})
        >>> parts = TrendSeasonalDecomposition(period=2).decompose(frame)
        >>> parts.round(9).head(3)
          unique_id  ds  trend  seasonal  remainder
        0         a   0    0.5       1.5        0.0
        1         a   1    1.5      -1.5        0.0
        2         a   2    2.5       1.5        0.0

    Source: Macaulay (1931); Cleveland et al. (1990), STL; Bandara, Hyndman & Bergmeir (2021), MSTL; as the first step
        of a forecast: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
    """

    method: Literal["moving_average", "stl", "mstl"] = "moving_average"
    period: Annotated[int, AtLeast(1)] | Sequence[Annotated[int, AtLeast(1)]] | None = None
    remove: Literal["both", "seasonal"] = "seasonal"
    significance: Annotated[float, Between(0, 1, open="low")] = 0.05
    n_jobs: int | None = -1
    verbose: bool | None = None

    uses_covariates: ClassVar[bool] = False

    save = storage.save

    def fit(self, panel: Panel | Frame, y: Any = None) -> Self:
        """Decompose the histories and measure the extrapolation of their parts.

        Args:
            panel: a Panel, or a long frame.
            y: not used; scikit-learn's tools pass it.

        Returns:
            The preprocessor itself.
        """
        check_settings(self)
        panel = Panel.from_frame(panel)
        self.periods_: list[int] = self._periods(panel)
        self.grid_ = panel.grid
        found = self._decompose(panel)
        self.state_: dict[str, Any] = {
            "ids": found.ids,
            "rows": found.rows._asdict(),
            "parts": found.parts._asdict(),
            "extrapolation": found.extrapolation._asdict(),
        }
        return self

    def transform(self, panel: Panel | Frame) -> Panel:
        """The panel without the parts that are removed.

        Args:
            panel: a Panel or a long frame of the series of ``fit``, or of others; rows after those of ``fit`` have
                extrapolated parts.

        Returns:
            A panel of the same series and times.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        panel = Panel.from_frame(panel)
        trend, seasonal = self._parts_of(panel)
        return replace(panel, y=panel.y - trend - seasonal.sum(1))

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The forecast with trend and seasons added to each draw.

        Args:
            forecast: of the remainder; quantiles become 200 draws, since only draws can be added.
            past: what ``transform`` was given; None: the panel of ``fit``.

        Returns:
            Draws in the caller's units.
        """
        self._learned()
        forecast = drawn(forecast, DRAWS, SALT)
        values, keys = forecast.values.copy(), series_keys(forecast.ids, SALT + 1)
        places = ordinals(forecast.times, self.grid_)
        since = np.broadcast_to(np.arange(1, forecast.horizon + 1), places.shape)
        for state, mine in self._states(forecast.ids, past):
            at = state.ids.get_indexer(forecast.ids[mine])
            trend, seasonal = self._parts_at(state, at, places[mine])
            values[mine] += (trend + seasonal.sum(-1))[:, None]
            if forecast.n_samples > 1:
                rule = Extrapolation(*(part[at] for part in state.extrapolation))
                values[mine] += self._deviations(rule, keys[mine], forecast.n_samples, since[mine])
        return replace(forecast, values=values, means=None)

    def decompose(self, df: Frame | Panel, **roles: Unpack[Roles]) -> Frame:
        """Trend, seasonal parts and remainder of every row.

        Args:
            df: a long frame or a Panel.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            A frame of the caller's type: id, time, trend, seasonal (with several seasons ``seasonal_24``,
            ``seasonal_168``, ...), remainder; their sum is the value. Missing values have a remainder of NaN.

        Raises:
            DataError: as in ``Panel.from_frame``.
        """
        warn_unused_covariates(self, roles)
        refuse_unknown(roles, "decompose", Roles.__annotations__)
        panel = Panel.from_frame(df, **roles)
        check_settings(self)
        check_answer_columns(panel.schema, ["trend", *_seasonal_names(self._periods(panel)), "remainder"], "the parts")
        fresh = type(self)(**{**self.get_params(deep=False), "significance": 1.0}).fit(panel)
        found = fresh._learned()
        rows = found.rows
        names = _seasonal_names(fresh.periods_)
        columns: dict[str, Any] = {
            **id_columns(panel.ids.repeat(rows.lengths), panel.schema),
            panel.schema.time_col: stamps(panel.times[panel.in_history], panel.schema),
            "trend": found.parts.trend,
            **{name: found.parts.seasonal[:, m] for m, name in enumerate(names)},
            "remainder": rows.y - found.parts.trend - found.parts.seasonal.sum(1),
        }
        return from_pandas(pd.DataFrame(columns), panel.schema.backend)

    def plot(self, df: Frame | Panel, ids: Sequence[Any] | None = None, **roles: Unpack[Roles]) -> Any:
        """Value, trend, seasonal parts and remainder, one below the other, a column a series.

        Args:
            df: a long frame or a Panel.
            ids: the series to draw; None: the first three.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            A ``matplotlib.figure.Figure``; ``figure.savefig("parts.png")`` keeps it.

        Raises:
            ValueError: an id that is not there.
            ImportError: matplotlib is missing.
        """
        refuse_unknown(roles, "plot", Roles.__annotations__)
        panel = Panel.from_frame(df, **roles)
        some = panel.select(chosen_positions(ids, panel.ids, SHOWN))
        parts = self.decompose(replace(some, schema=replace(some.schema, backend="pandas")))
        bounds = np.concatenate([[0], np.cumsum(some.lengths)])
        drawings = []
        for i, name in enumerate(some.ids):
            part = parts.iloc[bounds[i] : bounds[i + 1], 2:]
            lines = {"value": part.sum(axis=1, skipna=False).to_numpy()} | {k: part[k].to_numpy() for k in part}
            drawings.append(Layers(str(name), some.times[some.offsets[i] : some.ends[i]], lines))
        return layers_chart(drawings, some.schema.tz)

    def _periods(self, panel: Panel) -> list[int]:
        """The periods of the settings, or those of the frequency."""
        if self.period is None:
            return [*clock_cycles(panel.grid)] if self.method == "mstl" else [season_length(panel.grid)]
        given = [self.period] if isinstance(self.period, int | np.integer) else [*self.period]
        if not given:
            raise ValueError(f"period must be a whole number of 1 or more, or a list of such, not {self.period!r}")
        if len(given) > 1 and self.method != "mstl":
            raise TsformersError(
                Option("method", self.method),
                f" takes one period, not {given}; write ",
                Option("method", "mstl"),
                " for several",
            )
        return sorted({int(p) for p in given if p > 1}) or [1]

    def _decompose(self, panel: Panel) -> Decomposed:
        """Decompose all histories of ``panel``."""
        first = ordinals(panel.times[panel.offsets[:-1]], self.grid_)
        rows = PackedSeries(panel.y[panel.in_history], np.concatenate([[0], np.cumsum(panel.lengths)]), first)
        periods = self.periods_
        shown = np.ones((panel.n_series, len(periods)), dtype=bool)
        if self.significance < 1 and max(periods) > 1:
            shown = packed_p_values(rows, periods) < self.significance
        if self.method == "moving_average" or max(periods) == 1:
            parts, averaged = moving_average(rows, periods[0]), None
            parts.seasonal[~shown[rows.owner]] = 0.0
        else:
            parts, averaged = loess(rows, periods, shown, self.n_jobs, self.verbose), LOESS_CYCLES
        return Decomposed(panel.ids, rows, parts, measure_extrapolation(rows, parts, periods, averaged))

    def _learned(self) -> Decomposed:
        check_is_fitted(self, "state_")
        state = self.state_
        rule = Extrapolation(**state["extrapolation"])
        return Decomposed(state["ids"], PackedSeries(**state["rows"]), Parts(**state["parts"]), rule)

    def _states(self, ids: pd.Index, panel: Panel | None) -> list[tuple[Decomposed, np.ndarray]]:
        """Decompositions of the series ``ids``, from ``fit`` and from ``panel``, and which series are in each."""
        learned = self._learned()
        known = ids.isin(learned.ids)
        if known.all():
            return [(learned, known)]
        if panel is None:
            raise TsformersError(
                f"series {plain(ids[int(np.argmin(known))])!r} was not in fit; pass the panel it comes from as ",
                Option("past"),
            )
        return [(learned, known), (self._decompose(panel.select(~panel.ids.isin(learned.ids))), ~known)]

    def _parts_of(self, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        """Trend (R,) and seasons (R, M) at every row of ``panel``."""
        place = ordinals(panel.times, self.grid_)
        owner = panel.owner
        trend, seasonal = np.zeros(len(place)), np.zeros((len(place), len(self.periods_)))
        for state, mine in self._states(panel.ids, panel):
            rows = np.flatnonzero(mine[owner])
            at = state.ids.get_indexer(panel.ids)[owner[rows]]
            found = self._parts_at(state, at, place[rows, None])
            trend[rows], seasonal[rows] = found[0][:, 0], found[1][:, 0]
        return trend, seasonal

    def _parts_at(self, state: Decomposed, at: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Trend (n, H) and seasons (n, H, M) of series ``at`` (n,) at steps of the grid (n, H), in history or after."""
        since = places - state.rows.anchor[at, None]
        last = state.rows.lengths[at, None] - 1
        row = state.rows.offsets[at, None] + np.clip(since, 0, last)
        later = since > last
        trend = np.zeros(places.shape)
        if self.remove == "both":
            rule = Extrapolation(*(part[at] for part in state.extrapolation))
            ahead = trend_ahead(rule, self.periods_, np.maximum(since - last, 1))
            trend = np.where(later, ahead, state.parts.trend[row])
        outside = (later | (since < 0))[..., None]
        return trend, np.where(outside, self._last_cycle(state, at, since - last), state.parts.seasonal[row])

    def _last_cycle(self, state: Decomposed, at: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """(n, H, M) the seasons of series ``at`` (n,), ``steps`` (n, H) after their last row: as in the last cycle."""
        found = np.zeros((*steps.shape, len(self.periods_)))
        last, length = state.rows.offsets[at + 1] - 1, state.rows.lengths[at]
        for m, period in enumerate(self.periods_):
            back = (-steps) % period  # rows before the last one
            there = back < length[:, None]
            found[..., m] = np.where(there, state.parts.seasonal[last[:, None] - np.where(there, back, 0), m], 0.0)
        return found

    def _deviations(self, rule: Extrapolation, keys: np.ndarray, n_samples: int, since: np.ndarray) -> np.ndarray:
        """(n, S, H) deviations of draws from the means: one number for the trend, one a seasonal place."""
        horizon = since.shape[1]
        widths = [1] + [min(period, horizon) for period in self.periods_]
        noise = np.split(keyed_normals(keys, n_samples, sum(widths)), np.cumsum(widths)[:-1], axis=2)
        total = np.zeros((len(keys), n_samples, horizon))
        if self.remove == "both":
            total += noise[0] * trend_spread(rule, since)[:, None]
        for m, period in enumerate(self.periods_):
            cycle = (since - 1) // period + 1
            size = np.sqrt(cycle * rule.seasonal_change[:, m, None] ** 2 + rule.seasonal_error[:, m, None] ** 2)
            total += noise[m + 1][..., (np.arange(horizon) % period)] * size[:, None]
        return total


def _seasonal_names(periods: Sequence[int]) -> list[str]:
    """Columns of the seasonal parts in the answer of ``decompose``."""
    return ["seasonal"] if len(periods) == 1 else [f"seasonal_{period}" for period in periods]
