"""One window of one model: the forecast is checked, set beside the actuals and scored."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.data.blocks.panel_blocks import series_at
from tsformers.data.dataframes import stamps
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.evaluation.origins import Origins
from tsformers.evaluation.results import Settings
from tsformers.scoring.crps import crps_quantile_function, crps_samples
from tsformers.scoring.table import score_table


def window_tables(
    origins: Origins,
    settings: Settings,
    model: str,
    window: int,
    forecast: Forecast | Iterable[Forecast],
    may_omit: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The forecasts of a window, step by step beside the actuals, and its scores.

    Args:
        origins: data and cutoffs.
        settings: of the backtest.
        model: name.
        window: which of the windows.
        forecast: of the series of this window, in any order; or blocks of it, of which only one is held at a time.
        may_omit: the forecast may lack series, but not all.

    Returns:
        Forecasts, one row a series and step, and scores, one row a series and metric.

    Raises:
        ValueError: the forecast lacks a series, has another horizon or other times.

    Example:
        >>> from tsformers import Panel, SeasonalNaive
        >>> from tsformers.evaluation.origins import rolling_origins
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(9), "y": 1.0}))
        >>> origins = rolling_origins(panel, horizon=2, windows=1, step=2)
        >>> settings = Settings(2, 1, 2, False, ("mae",), 100, (0.5,), 0)
        >>> forecast = SeasonalNaive(horizon=2).fit(origins.history(0)).predict()
        >>> window_tables(origins, settings, "naive", 0, forecast)[0][["ds", "cutoff", "y", "q0.5"]]
           ds  cutoff    y  q0.5
        0   7       6  1.0   1.0
        1   8       6  1.0   1.0
    """
    history, parts = _history_of(origins, window), []
    covered = np.zeros(len(history.series), dtype=bool)
    for block in [forecast] if isinstance(forecast, Forecast) else forecast:
        at = history.panel.ids.get_indexer(block.ids)
        present = np.sort(at[at >= 0]) if (at >= 0).any() else np.arange(len(covered))
        parts.append(_block_tables(history, settings, model, window, block, present))
        covered[present] = True
    if not may_omit and not covered.all():
        raise ValueError(f"the forecast lacks series {plain(history.panel.ids[int(np.argmin(covered))])!r}")
    steps, scores = parts[0] if len(parts) == 1 else map(_in_order, zip(*parts, strict=True))
    return steps, scores


class _History(NamedTuple):
    """The series of one window, and what came after their cutoffs."""

    panel: Panel
    series: np.ndarray  # (n,) positions in the panel of all
    y: np.ndarray  # (n, H)
    times: np.ndarray  # (n, H), as stored
    shown: pd.Index  # n times H, in the caller's form
    cutoffs: pd.Index  # n


def _history_of(origins: Origins, window: int) -> _History:
    panel = origins.history(window)
    y, times, cutoffs = origins.actuals(window)
    shown, last = stamps(times, panel.schema), stamps(cutoffs, panel.schema)
    return _History(panel, origins.series(window), y, times, shown, last)


def _in_order(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables of blocks as one, series in the panel's order."""
    whole = pd.concat(tables, ignore_index=True)
    if not whole["series"].is_monotonic_increasing:
        whole = whole.sort_values("series", kind="stable", ignore_index=True)
    return whole


def _block_tables(
    history: _History, settings: Settings, model: str, window: int, forecast: Forecast, present: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts and scores of the series at these positions of the history."""
    panel = series_at(history.panel, present)
    y, times = history.y[present], history.times[present]
    forecast = _aligned(forecast, panel.ids, times)
    forecast = replace(forecast, schema=panel.schema, grid=panel.grid)
    front = {
        "model": model,
        "window": window,
        "series": history.series[present],
        panel.schema.id_col: np.asarray(forecast.ids.map(str), dtype=object),
        "cutoff": history.cutoffs[present],
    }
    season = settings.season_length
    values = score_table(forecast, y, panel, settings.metrics, by="unique_id", season_length=season)["value"]
    scores = pd.DataFrame(
        {
            **_repeated(front, len(settings.metrics)),
            "metric": list(settings.metrics) * len(present),
            "value": values.to_numpy(),  # series by series
        }
    )
    rows = (present[:, None] * times.shape[1] + np.arange(times.shape[1])).ravel()
    return _step_table(front, forecast, y, history.shown[rows], settings), scores


def _step_table(
    front: dict[str, Any], forecast: Forecast, y: np.ndarray, shown: pd.Index, settings: Settings
) -> pd.DataFrame:
    """One row a series and step: time, actual, mean, quantiles, PIT and CRPS."""
    schema, levels = forecast.schema, settings.quantiles
    if forecast.levels is None:
        crps = crps_samples(y, forecast.values, axis=1)
    else:
        crps = crps_quantile_function(y, forecast.values, forecast.levels, axis=1)
    quantiles = forecast.quantile(levels) if levels else np.empty((len(y), 0, 0))
    first = _repeated(front, y.shape[1])
    cutoff = first.pop("cutoff")
    return pd.DataFrame(
        {
            **first,
            schema.time_col: shown,
            "cutoff": cutoff,
            schema.target_col: y.ravel(),
            "mean": forecast.mean.ravel(),
            **{name: quantiles[:, i].ravel() for i, name in enumerate(settings.quantile_columns)},
            "pit": forecast.cdf(y).ravel(),
            "crps": crps.ravel(),
        }
    )


def _repeated(front: dict[str, Any], n: int) -> dict[str, Any]:
    """Columns with one entry a series, each entry ``n`` times."""
    return {name: value if isinstance(value, str | int) else value.repeat(n) for name, value in front.items()}


def _aligned(forecast: Forecast, ids: pd.Index, times: np.ndarray) -> Forecast:
    """The forecast in the panel's order of series, if it is one of these series at these times."""
    if forecast.horizon != times.shape[1]:
        raise ValueError(f"the forecast has {forecast.horizon} steps where the model's horizon is {times.shape[1]}")
    if not forecast.ids.equals(ids):
        order = forecast.ids.get_indexer(ids)
        if (order < 0).any():
            raise ValueError(f"the forecast lacks series {plain(ids[int(np.argmin(order))])!r}")
        forecast = forecast.select(order)
    wrong = (forecast.times != times).any(axis=1)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"the forecast of series {plain(ids[i])!r} begins at {forecast.times[i, 0]}; after the data that the model "
            f"was given comes {times[i, 0]}"
        )
    return forecast
