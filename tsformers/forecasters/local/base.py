"""LocalForecaster: one small model for each series, drawn from the end of any history of that series."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.arithmetic import ordinals
from tsformers.calendar.grid import Grid
from tsformers.calendar.seasons import season_length
from tsformers.counter_rng import series_keys
from tsformers.data.blocks.forecast_blocks import NUMBERS_AT_ONCE, checked_quantiles, gathered, joined, summarised
from tsformers.data.blocks.panel_blocks import panel_block, row_blocks, series_at
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError
from tsformers.forecasters.fitted_settings import FREE, check_unchanged, remember_settings
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_samples
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Option
from tsformers.parallel import each
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_draws, check_settings

Params = dict[str, Any]  # what fit_one learned of one series: numbers, texts and arrays, which can be serialised
Task = tuple[Params, np.ndarray, int, int, int]  # of one series: parameters, history, gap, start and key
LISTED_SERIES = 5  # series that a warning or an error lists by name


class Spans(NamedTuple):
    """Rows of the packed panel from the first observed value of each series to one past the last."""

    first: np.ndarray  # (N,)
    stop: np.ndarray  # (N,)


@dataclass(kw_only=True, repr=False, eq=False)
class LocalForecaster(BaseEstimator):
    """Fits one model to each series; a subclass fits one series in ``fit_one`` and draws it in ``simulate``.

    ``fit_one(y, season) -> params`` and ``simulate(params, y, start, horizon, n_samples, rng) -> (S, H)`` are pure
    functions of one series. ``y`` begins and ends with an observed value; NaN in between is a missing value. ``start``
    is the number of grid steps from the first value of the training history to ``y[0]`` (0 = the same first row); it
    aligns a learned seasonal pattern with another history. Where the history ends with missing values, the model is
    drawn across them. Covariates are not used, which a warning says where they are asked for.

    A series that cannot be fitted (too short, constant, an error inside, parameters or draws that are not finite) is
    forecast by the seasonal naive model; one warning names such series, and ``fallbacks_`` says why.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency (1 = no season).
        n_jobs: processes, as in joblib (-1: one for each processor). They are started only where the remaining work
            takes longer than starting them; the numbers do not depend on it.
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

    save = storage.save

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """What the model learns of one series ``y`` (T,); raises any exception where it cannot."""
        raise NotImplementedError

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) of what follows ``y`` (T,) under ``params``."""
        raise NotImplementedError

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Fit a model to each series; ``roles`` are the keywords of ``Panel.from_frame``."""
        warn_unused_covariates(self, roles)
        self.check()
        panel = training_panel(data, y, roles)
        season = self.season_length or season_length(panel.grid)
        params, reasons = self.learn(panel, season)
        self.panel_, self.season_, self.params_ = panel, season, params
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
        return self._forecast(panel, self.draw(panel, n_samples, self._keys(panel, seed)))

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
        parts = ((panel_block(panel, i, i + size), keys[i : i + size]) for i in range(0, panel.n_series, size))
        if levels is None:
            for part, part_keys in parts:
                yield self._forecast(part, self.draw(part, n_samples, part_keys))
        elif one_by_one:
            for part, part_keys in parts:
                yield self._summarised_one_by_one(part, part_keys, levels, n_samples)
        else:
            drawn = (self._forecast(part, self.draw(part, n_samples, part_keys)) for part, part_keys in parts)
            yield from gathered(summarised(block, levels) for block in drawn)

    def _summarised_one_by_one(
        self, panel: Panel, keys: np.ndarray, levels: tuple[float, ...], n_samples: int
    ) -> Forecast:
        """Means and quantiles of a block; the draws of one series are held at a time."""
        values = np.stack(self._each_drawn(panel, keys, partial(quantiles_or_fall_back, levels, n_samples)))
        return replace(self._forecast(panel, values[:, 1:]), levels=levels, means=values[:, 0])

    def panel_to_forecast(
        self, data: Frame | Panel | None, future: Frame | None, static: Frame | None, n_samples: int, seed: int | None
    ) -> Panel:
        """The series that ``predict`` is asked for; refuses what it cannot use."""
        check_is_fitted(self, "params_")
        check_unchanged(self)
        self.check()  # a new horizon may be out of range
        check_draws(n_samples, seed)
        panel = self.panel_ if data is None else self.panel_.like(data, static)
        if future is not None:
            panel.with_future(future, self.horizon)  # not used, but a frame that lacks rows is refused
        warn_of_silent_series(panel, self.horizon, stacklevel=4)
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
        histories = [panel.y[first:stop] for first, stop in zip(*spans, strict=True)]
        found = self.each(partial(fit_or_fall_back, clone(self), season), histories)
        return [params for params, _ in found], [reason for _, reason in found]

    def draw(self, panel: Panel, n_samples: int, keys: np.ndarray) -> np.ndarray:
        """Draws (N, S, H) of what follows each history of ``panel``; ``keys`` (N,) seed them."""
        return np.stack(self._each_drawn(panel, keys, partial(draw_or_fall_back, n_samples)))

    def _each_drawn(
        self, panel: Panel, keys: np.ndarray, work: "Callable[[LocalForecaster, int, Task], tuple[np.ndarray, str]]"
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
        rows = zip(where, *spans, panel.ends - spans.stop, starts, keys, strict=True)
        tasks = [(self.params_[i], panel.y[first:stop], int(gap), int(start), int(key))
                 for i, first, stop, gap, start, key in rows]  # fmt: skip
        found = self.each(partial(work, clone(self), self.season_), tasks)
        self.warn_of_fallbacks(
            "could not be continued and fall back to the seasonal naive model", panel.ids, [r for _, r in found]
        )
        return [values for values, _ in found]

    def _keys(self, panel: Panel, seed: int | None) -> np.ndarray:
        return series_keys(panel.ids, self.seed if seed is None else seed)

    def _forecast(self, panel: Panel, values: np.ndarray) -> Forecast:
        times = panel.future_times(self.horizon)
        return Forecast(ids=panel.ids, times=times, values=values, grid=panel.grid, schema=panel.schema)

    def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """``work(item)`` for each item, in order; in several processes where that is faster."""
        return each(work, items, self.n_jobs, type(self).__name__, None if self.verbose else False)

    def warn_of_fallbacks(self, what: str, ids: Iterable[Any], reasons: Sequence[str]) -> None:
        """One warning that names the series with a reason, the first few of them."""
        failed = [f"{id_!r} ({reason})" for id_, reason in zip(ids, reasons, strict=True) if reason]
        if failed:
            more = f" and {len(failed) - LISTED_SERIES} more" if len(failed) > LISTED_SERIES else ""
            names = ", ".join(failed[:LISTED_SERIES]) + more
            text = f"{type(self).__name__}: {len(failed)} of {len(reasons)} series {what}: {names}"
            warnings.warn(text, UserWarning, stacklevel=5 if what.startswith("could") else 3)

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised."""
        check_is_fitted(self, "params_")
        check_unchanged(self)
        names = ("panel_", "season_", "params_", "fallbacks_", "settings_")
        return {name: getattr(self, name) for name in names}

    def relearn(self, learned: dict[str, object]) -> None:
        """Take over what ``learned`` gave."""
        for name, value in learned.items():
            setattr(self, name, value)


def fit_or_fall_back(model: LocalForecaster, season: int, y: np.ndarray) -> tuple[Params, str]:
    """What ``fit_one`` learns of ``y`` (T,), or the errors of the seasonal naive model and the reason for it."""
    reason = ""
    if len(y) < 2 or np.nanmax(y) == np.nanmin(y):
        reason = "one value only" if len(y) < 2 else "constant"
    else:
        try:
            with np.errstate(all="ignore"):
                params = model.fit_one(y, season)
            if all(np.isfinite(v).all() for v in params.values() if isinstance(v, float | np.ndarray)):
                return params, ""
            reason = "the fitted parameters are not finite"
        except Exception as error:
            reason = f"{error}" or type(error).__name__
    return {"naive": naive_errors(single_series(y), season)[0]}, reason


def draw_or_fall_back(n_samples: int, model: LocalForecaster, season: int, task: Task) -> tuple[np.ndarray, str]:
    """Draws across the ``gap`` of missing last values, or those of the seasonal naive model and the reason for them."""
    params, y, gap, start, key = task
    shape, reason = (n_samples, gap + model.horizon), ""
    if "naive" not in params:
        try:
            with np.errstate(all="ignore"):
                rng = np.random.default_rng(key)
                values = np.asarray(model.simulate(params, y, start, shape[1], n_samples, rng))
            if values.shape == shape and np.isfinite(values).all():
                return values[:, gap:], ""
            reason = "the draws are not finite"
        except Exception as error:
            reason = f"{error}" or type(error).__name__
    errors = params["naive"][None] if "naive" in params else naive_errors(single_series(y), season)
    values = naive_samples(single_series(y), season, errors, np.array([key], np.uint64), n_samples, shape[1])
    return values[0, :, gap:], reason


def quantiles_or_fall_back(
    levels: tuple[float, ...], n_samples: int, model: LocalForecaster, season: int, task: Task
) -> tuple[np.ndarray, str]:
    """The mean (1, H) of the draws of one series above their quantiles (Q, H), and why they fall back."""
    values, reason = draw_or_fall_back(n_samples, model, season, task)
    summary = summarised(Forecast([0], np.arange(model.horizon)[None], values[None]), levels)
    return np.concatenate([summary.mean, summary.values[0]]), reason


def single_series(y: np.ndarray) -> History:
    """A packed history of one series ``y`` (T,).

    Example:
        >>> single_series(np.array([1.0, 2.0])).ends
        array([2])
    """
    return History(y, np.array([0, len(y)]), np.array([len(y)]))


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
