"""One window of one model: the forecast is checked, set beside the actuals and scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.data.blocks.panel_blocks import series_at
from tsformers.data.dataframes import stamps
from tsformers.data.forecast import Forecast
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
    parts = list(window_blocks(origins, settings, model, window, forecast, may_omit))
    steps, scores = parts[0] if len(parts) == 1 else map(_in_order, zip(*parts, strict=True))
    return steps, scores


def window_blocks(
    origins: Origins,
    settings: Settings,
    model: str,
    window: int,
    forecast: Forecast | Iterable[Forecast],
    may_omit: bool = False,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The tables of ``window_tables`` block by block.

    Args:
        origins: data and cutoffs.
        settings: of the backtest.
        model: name.
        window: which of the windows.
        forecast: or blocks of it; series are in the panel's order within a block.
        may_omit: the forecast may lack series, but not all.

    Yields:
        Forecasts and scores of the series of a block.

    Raises:
        ValueError: the forecast lacks a series, has another horizon or other times.

    Example:
        >>> from tsformers import Panel, SeasonalNaive
        >>> from tsformers.evaluation.origins import rolling_origins
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(9), "y": 1.0}))
        >>> origins = rolling_origins(panel, horizon=2, windows=1, step=2)
        >>> settings = Settings(2, 1, 2, False, ("mae",), 100, (0.5,), 0)
        >>> forecast = SeasonalNaive(horizon=2).fit(origins.history(0)).predict()
        >>> [len(steps) for steps, _ in window_blocks(origins, settings, "naive", 0, [forecast])]
        [2]
    """
    series = origins.series(window)
    _, times, last = origins.actuals(window)
    shown = stamps(times, origins.panel.schema), stamps(last, origins.panel.schema)
    ids, covered = origins.panel.ids[series], np.zeros(len(series), dtype=bool)
    for block in [forecast] if isinstance(forecast, Forecast) else forecast:
        at = ids.get_indexer(block.ids)
        present = np.sort(at[at >= 0]) if (at >= 0).any() else np.arange(len(covered))
        yield _block_tables(origins, settings, model, window, block, present, shown)
        covered[present] = True
    if not covered.all() and not (may_omit and covered.any()):
        raise ValueError(f"the forecast lacks series {plain(ids[int(np.argmin(covered))])!r}")


def _in_order(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables of blocks as one, series in the panel's order."""
    whole = pd.concat(tables, ignore_index=True)
    if not whole["series"].is_monotonic_increasing:
        whole = whole.sort_values("series", kind="stable", ignore_index=True)
    return whole


def _block_tables(
    origins: Origins,
    settings: Settings,
    model: str,
    window: int,
    forecast: Forecast,
    present: np.ndarray,
    shown: tuple[pd.Index, pd.Index],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts and scores of some series of a window; ``shown`` are the times and cutoffs of all."""
    series, (steps, last) = origins.series(window)[present], shown
    own = replace(origins, panel=series_at(origins.panel, series), n_history=origins.n_history[series])
    panel, (y, times, _) = own.whole_history(window), own.actuals(window)
    forecast = _aligned(forecast, panel.ids, times)
    forecast = replace(forecast, schema=panel.schema, grid=panel.grid)
    front = {
        "model": model,
        "window": window,
        "series": series,
        panel.schema.id_col: np.asarray(forecast.ids.map(str), dtype=object),
        "cutoff": last[present],
    }
    season = settings.season_length
    values = score_table(forecast, y, panel, settings.metrics, by="unique_id", season_length=season)["value"]
    scores = pd.DataFrame(
        {
            **_repeated(front, len(settings.metrics)),
            "metric": list(settings.metrics) * len(series),
            "value": values.to_numpy(),  # series by series
        }
    )
    rows = (present[:, None] * times.shape[1] + np.arange(times.shape[1])).ravel()
    return _step_table(front, forecast, y, steps[rows], settings), scores


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
