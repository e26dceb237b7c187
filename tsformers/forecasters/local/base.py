"""LocalForecaster: one small model for each series, drawn from the end of any history of that series."""

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple, Self, Unpack, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.arithmetic import ordinals
from tsformers.calendar.grid import Grid
from tsformers.calendar.seasons import cycles
from tsformers.counter_rng import series_keys
from tsformers.data.blocks.appended_rows import appended
from tsformers.data.blocks.forecast_blocks import NUMBERS_AT_ONCE, checked_quantiles, gathered, joined, summarised
from tsformers.data.blocks.panel_blocks import panel_block, row_blocks, series_at
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError, DataWarning
from tsformers.forecasters.fitted_settings import FREE, check_unchanged, remember_settings
from tsformers.forecasters.local.absurd import absurd_rows, warn_of_absurd_rows
from tsformers.forecasters.local.tasks import (
    Params,
    Series,
    Task,
    draw_or_fall_back,
    fit_or_fall_back,
    quantiles_or_fall_back,
)
from tsformers.forecasters.local.wall_clock import on_wall_clock, wall_steps
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Option
from tsformers.parallel import each
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_draws, check_settings

LISTED_SERIES = 5  # series that a warning or an error lists by name


class Spans(NamedTuple):
    """Rows of the packed panel from the first observed value of each series to one past the last."""

    first: np.ndarray  # (N,)
    stop: np.ndarray  # (N,)


class Work(NamedTuple):
    """What is drawn for a forecast."""

    model: "LocalForecaster"
    panel: Panel
    steps: np.ndarray | None  # (N, H) of the drawn steps, those that were asked for; None = all

    def block(self, at: slice) -> "Work":
        """The part of some series."""
        steps = None if self.steps is None else self.steps[at]
        return Work(self.model, panel_block(self.panel, at.start, at.stop), steps)

    def chosen(self, values: np.ndarray) -> np.ndarray:
        """(N, S, H) of drawn values."""
        return values if self.steps is None else np.take_along_axis(values, self.steps[:, None], axis=2)


@dataclass(kw_only=True, repr=False, eq=False)
class LocalForecaster(BaseEstimator):
    """Fits one model to each series; a subclass fits one series in ``fit_one`` and draws it in ``simulate``.

    ``fit_one(y, season) -> params`` and ``simulate(params, y, start, horizon, n_samples, rng) -> (S, H)`` are pure
    functions of one series. ``y`` begins and ends with an observed value; NaN in between is a missing value. ``start``
    is the number of grid steps from the first value of the training history to ``y[0]`` (0 = the same first row); it
    aligns a learned seasonal pattern with another history. Where the history ends with missing values, the model is
    drawn across them. Known covariates are handed to both as ``x=`` (``simulate``: of the history and the steps after
    it) where the class says ``uses_covariates = True``; else a warning says that they are not used.

    Other attributes of the class: ``compiled``, the work releases the interpreter's lock, so that ``n_jobs`` counts
    threads; ``stratified``, ``simulate`` is asked for ``fewest_paths`` or more antithetic paths
    (``local.draws.normals``), which are reduced to the draws asked for, with their quantiles. Where
    ``removes_long_seasons()`` is true, seasons above 24 rows, and the second season of a frequency, are tested, removed
    before ``fit_one`` and put back after ``simulate``.

    An isolated value many times further from its neighbours than all others (``local.absurd.absurd_cells``) counts as
    missing, which a warning says. A series that cannot be fitted (too short, constant, an error inside, parameters or
    draws that are not finite), or whose forecast leaves the size of its data (median or 95 % ends beyond ten times the
    larger of range and mean size), is forecast by the seasonal naive model; one warning names such series, and
    ``fallbacks_`` says why.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency (1 = no season).
        n_jobs: processes (threads, of compiled models), as in joblib (-1: one for each processor). They are started
            only where the remaining work takes longer than starting them; the numbers do not depend on it.
        seed: of ``predict``; draws of a series depend on the seed and its id alone. None = fresh draws.
        verbose: show a progress bar on a terminal.

    Returns:
        After ``fit``: ``params_`` (one dictionary per series), ``season_``, ``fallbacks_`` (id -> reason), ``panel_``.

    Raises:
        ValueError: a setting is out of its range; or, after ``fit``, was changed without fitting again (``horizon``,
            ``n_jobs``, ``seed`` and ``verbose`` may be).
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> class Last(LocalForecaster):
        ...     def fit_one(self, y, season):
        ...         return {}
        ...     def simulate(self, params, y, start, horizon, n_samples, rng):
        ...         return np.full((n_samples, horizon), y[-1])
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 2.0, 5.0, 3.0]})
        >>> Last(horizon=2).fit(frame).predict().mean
        array([[3., 3.]])

    Source: Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., chapters 8 and 9.
    """

    horizon: Annotated[int, AtLeast(1)]
    season_length: Annotated[int, AtLeast(1)] | None = None
    n_jobs: int | None = -1
    seed: Annotated[int, AtLeast(0)] | None = None
    verbose: bool | None = True

    uses_covariates: ClassVar[bool] = False
    covariate_roles: ClassVar[tuple[str, ...]] = ("known",)  # of those that use them
    compiled: ClassVar[bool] = False
    stratified: ClassVar[bool] = False
    fewest_paths: ClassVar[int] = 512
    counts: ClassVar[bool] = False  # forecasts whole numbers of 0 or more, and takes no others
    leaves_out_absurd_cells: ClassVar[bool] = True
    per_series: ClassVar[bool] = True  # each series is fitted alone, so that others change nothing
    forecasts_new_series: ClassVar[bool] = False

    save = storage.save

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """What the model learns of one series ``y`` (T,); raises any exception where it cannot."""
        raise NotImplementedError

    def simulate(
        self,
        params: Params,
        y: np.ndarray,
        start: int,
        horizon: int,
        n_samples: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draws (S, H) of what follows ``y`` (T,) under ``params``."""
        raise NotImplementedError

    def removes_long_seasons(self) -> bool:
        """Whether seasons above 24 rows, and second ones, are removed before ``fit_one``."""
        return False

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Fit a model to each series; ``roles`` are the keywords of ``Panel.from_frame``."""
        warn_unused_covariates(self, roles)
        self.check()
        panel = training_panel(data, y, roles)
        periods = (self.season_length,) if self.season_length else cycles(panel.grid)
        self.panel_, self.season_, self.periods_ = panel, periods[0], periods
        wall = on_wall_clock(panel)
        self.params_, reasons = self.learn(panel if wall is None else wall, periods[0])
        self.settings_: dict[str, object] = remember_settings(self, FREE | {"horizon"})
        self.fallbacks_ = {id_: reason for id_, reason in zip(panel.ids, reasons, strict=True) if reason}
        self.warn_of_fallbacks("cannot be fitted and fall back to the seasonal naive model", panel.ids, reasons)
        return self

    def predict(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
        **unknown: Unpack[NoKeywords],
    ) -> Forecast:
        """Draw what follows the end of each series of ``data`` (None: of the data of ``fit``); nothing is refitted.

        With ``quantiles=(0.1, 0.5, 0.9)`` the answer is the means of these draws and their quantiles at these levels,
        computed in blocks of series: bit for bit the same, without memory for all draws.
        """
        refuse_unknown(unknown, "predict", PREDICT)
        if quantiles is not None:
            return joined(
                self.predict_blocks(
                    data, future=future, static=static, n_samples=n_samples, seed=seed, quantiles=quantiles
                )
            )
        panel = self.panel_to_forecast(data, future, static, n_samples, seed)
        work = self._work(panel)
        return self._forecast(panel, work, work.model.draw(work.panel, n_samples, self._keys(panel, seed)))

    def predict_blocks(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> Iterator[Forecast]:
        """What ``predict`` gives, in blocks of series; see ``forecast_blocks``."""
        levels = None if quantiles is None else checked_quantiles(quantiles)
        panel = self.panel_to_forecast(data, future, static, n_samples, seed)
        keys = self._keys(panel, seed)
        one_by_one = levels is not None and type(self).draw is LocalForecaster.draw
        if one_by_one:
            size = max(1, NUMBERS_AT_ONCE // ((len(levels or ()) + 1) * self.horizon))
        else:
            size = max(1, NUMBERS_AT_ONCE // (n_samples * self.horizon))
        work = self._work(panel)
        blocks = ((slice(i, i + size), panel_block(panel, i, i + size)) for i in range(0, panel.n_series, size))
        if one_by_one:
            for at, part in blocks:
                yield self._summarised_one_by_one(part, work.block(at), keys[at], levels or (), n_samples)
            return
        parts = ((part, work.block(at), keys[at]) for at, part in blocks)
        drawn = (self._forecast(part, mine, mine.model.draw(mine.panel, n_samples, key)) for part, mine, key in parts)
        yield from drawn if levels is None else gathered(summarised(block, levels) for block in drawn)

    def _summarised_one_by_one(
        self, panel: Panel, work: "Work", keys: np.ndarray, levels: tuple[float, ...], n_samples: int
    ) -> Forecast:
        """Means and quantiles of a block; the draws of one series are held at a time."""
        found = work.model._each_drawn(work.panel, keys, partial(quantiles_or_fall_back, levels, n_samples))
        values = np.stack(found)
        means = work.chosen(values[:, :1])[:, 0]
        return replace(self._forecast(panel, work, values[:, 1:]), levels=levels, means=means)

    def _work(self, panel: Panel) -> "Work":
        """What to draw, and by which model: on the wall clock where the data have a time zone."""
        wall, trained = on_wall_clock(panel), on_wall_clock(self.panel_)
        if wall is None or trained is None:
            return Work(self, panel, None)
        steps = wall_steps(panel, wall, self.horizon)
        model = copy.copy(self)
        model.horizon, model.panel_ = int(steps.max()) + 1, trained
        return Work(model, wall, steps)

    def predict_at(
        self, data: Frame | Panel, rows_after_cutoff: np.ndarray, *, n_samples: int = 100, seed: int | None = None
    ) -> np.ndarray:
        """Forecast the same series from many cutoffs, as ``predict`` does from one; nothing is refitted.

        The parameters stay those of ``fit``; the history before each cutoff is filtered by them.

        Args:
            data: series of ``fit``, whose last rows count as the future; the values after a cutoff are not read.
            rows_after_cutoff: (W,) how many rows at the end of each series come after each cutoff; ``horizon`` or more
                for a model with known covariates.
            n_samples: S draws of each series.
            seed: None: the constructor's.

        Returns:
            Draws (W, N, S, H), in the caller's units.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: a cutoff before the first row of a series, or one that leaves too few known rows after it.
            DataError: a series without an observed value before a cutoff.
        """
        panel = self.panel_to_forecast(data, None, None, n_samples, seed, ahead=False)
        rows = np.asarray(rows_after_cutoff, dtype=np.int64)
        least = self.horizon if self._regressors(panel) is not None else 0
        if rows.ndim != 1 or not rows.size or rows.min() < least or rows.max() >= panel.lengths.min():
            raise ValueError(
                f"rows_after_cutoff must be whole numbers from {least} to {panel.lengths.min() - 1}, so that each "
                f"series has a row before its cutoff; got {rows_after_cutoff!r}"
            )
        keys, found = self._keys(panel, seed), []
        for back in rows:
            cut = panel.until(panel.ends - back, self.horizon)
            work = self._work(cut)
            found.append(work.chosen(work.model.draw(work.panel, n_samples, keys)))
        return np.stack(found)

    def update(self, rows: Frame | Panel) -> Self:
        """Take in rows after the end of each series, without a refit: ``predict()`` follows the new end.

        Parameters stay; the longer history is filtered by them. Steps in between that are not given are missing values.

        Args:
            rows: a frame with the columns of that of ``fit``, or a Panel; of some or all of its series.

        Returns:
            The forecaster itself.

        Raises:
            DataError: a row that is not after the end of its series, or a series that was not in the data of ``fit``.
        """
        check_is_fitted(self, "params_")
        check_unchanged(self)
        self.panel_ = appended(self.panel_, self.panel_.like(rows))
        return self

    def panel_to_forecast(
        self,
        data: Frame | Panel | None,
        future: Frame | None,
        static: Frame | None,
        n_samples: int,
        seed: int | None,
        ahead: bool = True,
    ) -> Panel:
        """The series that ``predict`` is asked for (``ahead``: from their end); refuses what it cannot use."""
        check_is_fitted(self, "params_")
        check_unchanged(self)
        self.check()  # a new horizon may be out of range
        check_draws(n_samples, seed)
        panel = self.panel_ if data is None else self.panel_.like(data, static)
        if ahead and (future is not None or (self.uses_covariates and panel.schema.known)):
            panel = panel.with_future(future, self.horizon)  # refuses a frame that lacks rows, also where none is used
        if ahead:
            warn_of_silent_series(panel, self.horizon, stacklevel=4)
            if data is not None:
                self.absurd_rows(panel)
        return panel

    def check(self) -> None:
        """The settings are in range; a subclass adds rules between its settings.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        check_settings(self)
        if self.n_jobs == 0:
            raise ValueError("n_jobs must not be 0; write 1 for one process or -1 for one for each processor")

    def learn(self, panel: Panel, season: int) -> tuple[list[Params], list[str]]:
        """Parameters of each series of ``panel``, and the reason where it falls back ("" where it does not)."""
        spans = observed_spans(panel)
        x = self._regressors(panel)
        histories = [
            Series(panel.y[first:stop], None if x is None else x[first:stop])
            for first, stop in zip(*spans, strict=True)
        ]
        self.absurd_rows(panel)
        found = self.each(partial(fit_or_fall_back, clone(self), self.periods_), histories)
        return [params for params, _ in found], [reason for _, reason in found]

    def _regressors(self, panel: Panel) -> np.ndarray | None:
        return panel.known if self.uses_covariates and panel.schema.known else None

    def draw(self, panel: Panel, n_samples: int, keys: np.ndarray) -> np.ndarray:
        """Draws (N, S, H) of what follows each history of ``panel``; ``keys`` (N,) seed them."""
        return np.stack(self._each_drawn(panel, keys, partial(draw_or_fall_back, n_samples)))

    def _each_drawn(
        self,
        panel: Panel,
        keys: np.ndarray,
        work: "Callable[[LocalForecaster, tuple[int, ...], Task], tuple[np.ndarray, str]]",
    ) -> list[np.ndarray]:
        """What ``work`` makes of the fitted model and the history of each series of ``panel``."""
        where = self.panel_.ids.get_indexer(panel.ids)
        if (where < 0).any():
            raise DataError(
                f"series {listed(panel.ids[where < 0])} of '{panel.schema.id_col}' were not in the data of fit; fit "
                "again with them, or use SeasonalNaive, which needs no fit for each series"
            )
        trained = series_at(self.panel_, where)
        spans, first_times = observed_spans(panel), trained.times[observed_spans(trained).first]
        starts = steps_since(first_times, panel.times[spans.first], panel.grid)
        x = self._regressors(panel)
        rows = zip(where, *spans, panel.ends, starts, keys, strict=True)
        tasks = [
            Task(
                self.params_[i],
                panel.y[first:stop],
                None if x is None else x[first : end + self.horizon],
                int(end - stop),
                int(start),
                int(key),
            )
            for i, first, stop, end, start, key in rows
        ]
        found = self.each(partial(work, clone(self), self.periods_), tasks)
        self.warn_of_fallbacks(
            "could not be continued and fall back to the seasonal naive model", panel.ids, [r for _, r in found]
        )
        return [values for values, _ in found]

    def _keys(self, panel: Panel, seed: int | None) -> np.ndarray:
        return series_keys(panel.ids, self.seed if seed is None else seed)

    def _forecast(self, panel: Panel, work: "Work", values: np.ndarray) -> Forecast:
        times, means = panel.future_times(self.horizon), work.model.exact_means(work.panel)
        means = None if means is None else work.chosen(means[:, None])[:, 0]
        values = work.chosen(values)
        forecast = Forecast(ids=panel.ids, times=times, values=values, grid=panel.grid, schema=panel.schema)
        return replace(forecast, means=means, counts=self.counts)

    def exact_means(self, panel: Panel) -> np.ndarray | None:
        """Means (N, H) of what follows each history, where they are known apart from draws; None = those of draws."""
        return None

    def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """``work(item)`` for each item, in order; in several processes where that is faster."""
        verbose = None if self.verbose else False
        return each(work, items, self.n_jobs, type(self).__name__, verbose, threads=self.compiled)

    def warn_of_fallbacks(self, what: str, ids: Iterable[Any], reasons: Sequence[str]) -> None:
        """One warning that names the series with a reason, the first few of them."""
        failed = [f"{id_!r} ({reason})" for id_, reason in zip(ids, reasons, strict=True) if reason]
        if failed:
            more = f" and {len(failed) - LISTED_SERIES} more" if len(failed) > LISTED_SERIES else ""
            names = ", ".join(failed[:LISTED_SERIES]) + more
            text = f"{type(self).__name__}: {len(failed)} of {len(reasons)} series {what}: {names}"
            warnings.warn(text, UserWarning, stacklevel=5 if what.startswith("could") else 3)

    def absurd_rows(self, panel: Panel) -> np.ndarray:
        """Rows that count as missing because they lie far from all others, with one warning that names them."""
        if not self.leaves_out_absurd_cells:
            return np.empty(0, dtype=int)
        rows = absurd_rows(panel, self.periods_)
        warn_of_absurd_rows(type(self).__name__, panel, rows, stacklevel=4)
        return rows

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised."""
        check_is_fitted(self, "params_")
        check_unchanged(self)
        names = ("panel_", "season_", "periods_", "params_", "fallbacks_", "settings_")
        return {name: getattr(self, name) for name in names}

    def relearn(self, learned: dict[str, object]) -> None:
        """Take over what ``learned`` gave; fit again where an earlier version gave it, whose parameters were others."""
        if "periods_" not in learned:
            warnings.warn(
                DataWarning(
                    f"this {type(self).__name__} was saved by an earlier version and was fitted again to its data; "
                    "save it anew to keep that"
                ),
                stacklevel=4,
            )
            self.fit(cast(Panel, learned["panel_"]))
            return
        for name, value in learned.items():
            setattr(self, name, value)


def listed(ids: pd.Index) -> str:
    """The first few ids, for a message.

    Example:
        >>> listed(pd.Index(["a", "b", "c", "d", "e", "f", "g"]))
        "'a', 'b', 'c', 'd', 'e' and 2 more"
    """
    return ", ".join(repr(id_) for id_ in ids[:LISTED_SERIES]) + (
        f" and {len(ids) - LISTED_SERIES} more" if len(ids) > LISTED_SERIES else ""
    )


def observed_spans(panel: Panel) -> Spans:
    """From which row to which row each history has observed values.

    Args:
        panel: N series; rows after ``panel.ends`` are not looked at.

    Returns:
        First row, and one past the last.

    Raises:
        DataError: a history without an observed value.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [np.nan, 1.0, np.nan, 2.0]})
        >>> observed_spans(Panel.from_frame(frame))
        Spans(first=array([1]), stop=array([4]))
    """
    n = panel.n_series
    first, stop = np.full(n, len(panel.y)), np.full(n, -1)
    for start, part in row_blocks(panel):
        rows = np.flatnonzero(np.isfinite(part.y) & part.in_history)
        owner, rows = part.owner[rows] + start, rows + panel.offsets[start]
        np.minimum.at(first, owner, rows)
        np.maximum.at(stop, owner, rows + 1)
    if (stop < 0).any():
        raise DataError(
            f"column '{panel.schema.target_col}' of series {listed(panel.ids[stop < 0])} holds no observed value; "
            "leave these series out with ",
            Option("short", "drop"),
        )
    return Spans(first, stop)


def steps_since(first: np.ndarray, times: np.ndarray, grid: Grid) -> np.ndarray:
    """Grid steps from one time of each series to another.

    Args:
        first: (N,) times on the grid.
        times: (N,) later ones.
        grid: of both.

    Returns:
        (N,) whole numbers.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> steps_since(np.array(["2024-01-01"], "M8[ns]"), np.array(["2024-03-01"], "M8[ns]"), parse("MS"))
        array([2])
    """
    return ordinals(times, grid) - ordinals(first, grid)
