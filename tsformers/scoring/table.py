"""score(): named metrics of a forecast against observed values, as a long frame."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.calendar.seasons import season_length
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas
from tsformers.data.forecast import Forecast
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.errors import DataError, DataWarning, TsformersError
from tsformers.messages import Option, Setting
from tsformers.scoring import point
from tsformers.scoring.averages import Axis, mean_observed, ratio, scaled_mean
from tsformers.scoring.crps import Estimator, crps_quantile_function, crps_samples, log_score
from tsformers.scoring.matching import Past, actual_values, past_of
from tsformers.scoring.multivariate import crps_sum, energy_score, variogram_score
from tsformers.scoring.quantile import coverage, interval_score, quantile_loss, weighted_quantile_loss
from tsformers.scoring.reference import naive2, seasonal_scale

WQL_LEVELS = tuple(k / 10 for k in range(1, 10))  # GluonTS's default
MSIS_ALPHA = 0.05  # M4 and GluonTS
AXES: dict[str | None, Axis] = {"unique_id": 1, "horizon": 0, None: None}


@dataclass(frozen=True, eq=False)
class Case:
    """A forecast and the observed values, with what several metrics need: medians, scales, the reference forecast."""

    forecast: Forecast
    y: np.ndarray  # (N, H), NaN = not scored
    past: Past | None
    season: int | None

    @cached_property
    def observed(self) -> np.ndarray:
        """Which entries are scored."""
        return ~np.isnan(self.y)

    @cached_property
    def median(self) -> np.ndarray:
        """(N, H)."""
        return self.forecast.median

    @cached_property
    def mean(self) -> np.ndarray:
        """(N, H)."""
        return self.forecast.mean

    def samples(self, metric: str) -> np.ndarray:
        """The draws (N, S, H), for a metric that needs them."""
        if self.forecast.samples is None:
            raise DataError(
                f"metric {metric!r} needs draws, and this forecast holds quantiles; leave it out or use 'crps'"
            )
        return self.forecast.samples

    def history(self, metric: str) -> Past:
        """The packed past, for a metric that needs it."""
        if self.past is None:
            raise DataError(
                f"metric {metric!r} is relative to the past; pass ", Option("history"), ", the rows before the forecast"
            )
        return self.past

    @cached_property
    def season_length(self) -> int:
        """Steps in a season."""
        if self.season is not None:
            return self.season
        grid = self.forecast.grid if self.forecast.grid is not None or self.past is None else self.past.grid
        if grid is None:
            raise DataError(
                "the forecast has no frequency, so that its season is unknown; pass ", Option("season_length")
            )
        return season_length(grid)

    def scale(self, metric: str, power: int = 1) -> np.ndarray:
        """(N, 1) seasonal naive error of each history."""
        blocks = self.history(metric).blocks()
        return np.concatenate([seasonal_scale(block, self.season_length, power) for block in blocks])[:, None]

    def reference(self, metric: str) -> np.ndarray:
        """(N, H) the Naive2 forecast of each history."""
        blocks = self.history(metric).blocks()
        return np.concatenate([naive2(block, self.y.shape[1], self.season_length) for block in blocks])


Metric = Callable[[Case, Axis], np.ndarray]


def score(
    forecast: Forecast,
    actual: Panel | Frame | np.ndarray,
    history: Panel | Frame | None = None,
    metrics: Sequence[str] | str = ("crps", "mae", "rmse", "coverage_80"),
    by: str | None = None,
    season_length: int | None = None,
) -> Frame:
    """Score a forecast against observed values.

    A step whose value is NaN or has no row in ``actual`` is not scored. Metrics:

    - of the distribution: ``crps`` (of quantile forecasts ``crps_quantile_function``), ``crps_fair``, ``log_score``,
      ``wql`` (levels 0.1 to 0.9), ``quantile_0.9``, ``coverage_80``, ``interval_80`` (interval score), with any level
      or percentage in these names; ``pit`` (mean PIT value, 0.5 where unbiased);
    - of the median: ``mae``, ``mape``, ``smape``, ``nd``, ``mase``, ``owa`` (against Naive2);
    - of the mean: ``mse``, ``rmse``, ``nrmse``, ``rmsse``;
    - relative to the history: ``mase``, ``rmsse``, ``msis`` (95% interval), ``owa``;
    - of joint draws over series, ``by=None`` only: ``energy_score`` and ``variogram_score`` (the series' vector at each
      step, averaged over steps), ``crps_sum``.

    ``by=None`` averages over all scored entries, and takes one ratio of sums for ``nd``, ``nrmse``, ``wql`` and
    ``owa``, as GluonTS does; ``rmsse`` is each series' figure, averaged over series, as in M5. Quantiles of draws are
    ``forecast.quantile``'s interpolated ones, where GluonTS takes the nearest draw.

    Args:
        forecast: of N series and H steps.
        actual: a long frame with the forecast's column names, a Panel, or an array (N, H).
        history: a long frame or Panel; rows from the first step forecast on are ignored, so that the whole data
            may be given. Needed by metrics relative to it only.
        metrics: names, in the order wanted.
        by: "unique_id" (or the id column's own name): a score a series; "horizon": a score a step ahead,
            from 1; None: one score.
        season_length: steps in a season, for metrics relative to the history; None = by frequency.

    Returns:
        A long frame of the caller's type: [unique_id or horizon,] metric, value. NaN where nothing was scored.

    Raises:
        DataError: ``actual`` matches no step of the forecast or cannot be read; history or draws are
            needed and missing.
        ValueError: an unknown metric or ``by``.

    Example:
        >>> draws = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[5, 6]]), draws, freq=1)
        >>> actual = pd.DataFrame({"unique_id": "a", "ds": [5, 6], "y": [3.0, 7.0]})
        >>> score(forecast, actual, metrics=["mae", "coverage_80"])
                metric  value
        0          mae    1.5
        1  coverage_80    0.5

    Source: Hyndman & Athanasopoulos (2021), sections 5.8 and 5.9.
    """
    by = _axis_of(forecast, by)
    table = score_table(forecast, actual_values(forecast, actual), history, metrics, by, season_length)
    return from_pandas(table, forecast.schema.backend)


def score_table(
    forecast: Forecast,
    y: np.ndarray,
    history: Panel | Frame | None = None,
    metrics: Sequence[str] | str = ("crps",),
    by: str | None = "unique_id",
    season_length: int | None = None,
) -> pd.DataFrame:
    """``score`` of an array in the forecast's order, as a pandas frame whatever the caller's type.

    Args:
        forecast: of N series and H steps.
        y: (N, H), NaN = not scored.
        history: as in ``score``.
        metrics: as in ``score``.
        by: as in ``score``.
        season_length: as in ``score``.

    Returns:
        [columns of ids or horizon,] metric, value; all metrics of the first series, then of the next.

    Raises:
        DataError: as in ``score``.
        ValueError: as in ``score``.

    Example:
        >>> forecast = Forecast(pd.Index(["a", "b"]), np.array([[5], [5]]), np.zeros((2, 3, 1)), freq=1)
        >>> score_table(forecast, np.array([[1.0], [2.0]]), metrics="crps")
          unique_id metric  value
        0         a   crps    1.0
        1         b   crps    2.0
    """
    by = _axis_of(forecast, by)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    found = {name: find_metric(name) for name in names}
    joint = [name for name in names if name in JOINT]
    if joint and by is not None:
        raise TsformersError(
            f"metric {joint[0]!r} is one number for all series and steps; leave ", Option("by"), " out, or the metric"
        )
    past = None if history is None else past_of(forecast, history)
    case = Case(forecast, np.asarray(y, dtype=np.float64), past, season_length)
    values = np.array([np.atleast_1d(found[name](case, AXES[by])) for name in names]).reshape(len(names), -1)
    table: dict[str, object] = {
        "metric": np.tile(np.array(names, dtype=object), values.shape[1]),
        "value": values.T.ravel(),
    }
    if by == "unique_id":
        table = {**id_columns(forecast.ids.repeat(len(names)), forecast.schema), **table}
    elif by == "horizon":
        table = {"horizon": np.repeat(np.arange(1, forecast.horizon + 1), len(names)), **table}
    return pd.DataFrame(table)


def _axis_of(forecast: Forecast, by: str | None) -> str | None:
    """The axis of ``by``: "unique_id", "horizon" or None."""
    axis = "unique_id" if by == forecast.schema.id_col else by
    if axis not in AXES:
        raise ValueError(f"by must be 'unique_id', 'horizon' or None; got {by!r}")
    if axis == "unique_id":
        check_answer_columns(forecast.schema, ("metric", "value"), "the scores")
    return axis


def find_metric(name: str) -> Metric:
    """The metric of a name; names may end in a level or a percentage.

    Args:
        name: for example "crps", "coverage_80", "quantile_0.9".

    Returns:
        A function of a case and the axes to average over.

    Raises:
        ValueError: there is no such metric; the message lists all.

    Example:
        >>> find_metric("coverage_80").keywords
        {'share': 0.8}
    """
    if name in METRICS:
        return METRICS[name]
    match = re.fullmatch(r"(coverage|interval|quantile)_(\d+(?:\.\d+)?)", str(name))
    if match:
        number = float(match[2])
        if match[1] == "quantile" and 0 < number < 1:
            return partial(_quantile, level=number)
        if match[1] != "quantile" and 0 < number < 100:
            return partial(_coverage if match[1] == "coverage" else _interval, share=number / 100)
    raise ValueError(
        f"no metric is called {name!r}; there are {', '.join(METRICS)}, "
        "coverage_80, interval_80, quantile_0.9 (any number)"
    )


def _crps(case: Case, axis: Axis, estimator: Estimator = "edf") -> np.ndarray:
    levels = case.forecast.levels
    if levels is not None and estimator == "edf":
        return mean_observed(crps_quantile_function(case.y, case.forecast.values, levels, axis=1), case.observed, axis)
    draws = case.samples("crps_fair" if estimator == "fair" else "crps")
    return mean_observed(crps_samples(case.y, draws, axis=1, estimator=estimator), case.observed, axis)


def _log_score(case: Case, axis: Axis) -> np.ndarray:
    return mean_observed(log_score(case.y, case.samples("log_score"), axis=1), case.observed, axis)


def _pit(case: Case, axis: Axis) -> np.ndarray:
    return mean_observed(case.forecast.cdf(case.y), case.observed, axis)


def _wql(case: Case, axis: Axis) -> np.ndarray:
    return weighted_quantile_loss(case.y, case.forecast.quantile(WQL_LEVELS), WQL_LEVELS, axis, levels_axis=1)


def _quantile(case: Case, axis: Axis, level: float) -> np.ndarray:
    return mean_observed(quantile_loss(case.y, case.forecast.quantile(level)[:, 0], level), case.observed, axis)


def _coverage(case: Case, axis: Axis, share: float) -> np.ndarray:
    ends = case.forecast.interval(share)
    return coverage(case.y, ends[:, 0], ends[:, 1], axis)


def _interval(case: Case, axis: Axis, share: float) -> np.ndarray:
    ends = case.forecast.interval(share)
    return mean_observed(interval_score(case.y, ends[:, 0], ends[:, 1], 1 - share), case.observed, axis)


def _of_median(case: Case, axis: Axis, metric: Callable[..., np.ndarray]) -> np.ndarray:
    return metric(case.y, case.median, axis)


def _of_mean(case: Case, axis: Axis, metric: Callable[..., np.ndarray]) -> np.ndarray:
    return metric(case.y, case.mean, axis)


def _mase(case: Case, axis: Axis) -> np.ndarray:
    return scaled_mean(case.y, np.abs(case.y - case.median), case.scale("mase"), axis)


def _msis(case: Case, axis: Axis) -> np.ndarray:
    ends = case.forecast.interval(1 - MSIS_ALPHA)
    return scaled_mean(case.y, interval_score(case.y, ends[:, 0], ends[:, 1], MSIS_ALPHA), case.scale("msis"), axis)


def _rmsse(case: Case, axis: Axis) -> np.ndarray:
    squares, scale = np.square(case.y - case.mean), case.scale("rmsse", power=2)
    if axis is not None:
        return np.asarray(np.sqrt(scaled_mean(case.y, squares, scale, axis)))
    each = np.asarray(np.sqrt(scaled_mean(case.y, squares, scale, 1)))
    return mean_observed(each, ~np.isnan(each), None)


def _owa(case: Case, axis: Axis) -> np.ndarray:
    reference, scale = case.reference("owa"), case.scale("owa")
    relative = [
        ratio(point.smape(case.y, case.median, axis), point.smape(case.y, reference, axis)),
        ratio(
            scaled_mean(case.y, np.abs(case.y - case.median), scale, axis),
            scaled_mean(case.y, np.abs(case.y - reference), scale, axis),
        ),
    ]
    return np.asarray(np.mean(relative, axis=0))


def _crps_sum(case: Case, axis: Axis) -> np.ndarray:
    return crps_sum(case.y, _joint_draws(case, "crps_sum"))


def _of_vectors(case: Case, axis: Axis, metric: Callable[..., np.ndarray]) -> np.ndarray:
    draws = _joint_draws(case, metric.__name__)
    values = metric(case.y.T, draws.transpose(2, 1, 0))  # (H, N) and (H, S, N)
    return mean_observed(values, ~np.isnan(values), None)


def _joint_draws(case: Case, metric: str) -> np.ndarray:
    """The draws, if their steps are the same moments in every series."""
    draws, times = case.samples(metric), case.forecast.times
    if (times != times[0]).any():
        i = int(np.flatnonzero((times != times[0]).any(axis=1))[0])
        raise DataError(
            f"metric {metric!r} looks at all series at one moment, but {plain(case.forecast.ids[i])!r} and "
            f"{plain(case.forecast.ids[0])!r} are forecast for different stamps; cut their histories to one "
            "common end first"
        )
    if not case.forecast.joint and len(times) > 1:
        warnings.warn(
            DataWarning(
                f"these draws are not joint over series, so {metric!r} scores them as independent; forecast with ",
                Setting("multivariate", True),
                " where they move together",
            ),
            stacklevel=5,
        )
    return draws


JOINT: dict[str, Metric] = {
    "energy_score": partial(_of_vectors, metric=energy_score),
    "variogram_score": partial(_of_vectors, metric=variogram_score),
    "crps_sum": _crps_sum,
}
METRICS: dict[str, Metric] = {
    "crps": _crps,
    "crps_fair": partial(_crps, estimator="fair"),
    "log_score": _log_score,
    "pit": _pit,
    "wql": _wql,
    "mae": partial(_of_median, metric=point.mae),
    "mape": partial(_of_median, metric=point.mape),
    "smape": partial(_of_median, metric=point.smape),
    "nd": partial(_of_median, metric=point.nd),
    "mse": partial(_of_mean, metric=point.mse),
    "rmse": partial(_of_mean, metric=point.rmse),
    "nrmse": partial(_of_mean, metric=point.nrmse),
    "mase": _mase,
    "rmsse": _rmsse,
    "msis": _msis,
    "owa": _owa,
    **JOINT,
}
