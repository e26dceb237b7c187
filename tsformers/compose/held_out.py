"""Held-out windows: forecasts of the end of each series by a model that was fitted on the rows before them."""

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from tsformers.compose.ensemble import LEVELS
from tsformers.data.blocks.forecast_blocks import forecast_blocks
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel
from tsformers.errors import DataError, TrainingInterrupted
from tsformers.storage.learned_state import has_settings

DRAWS = 200  # of each forecast
LEAST_OBSERVED = 2  # values of a series before the first cutoff
MOST_VALUES = 500_000  # that are forecast, 23 quantiles each: 92 MB


class HeldOut(NamedTuple):
    """Forecasts of W windows from the data before their cutoffs, and what happened; the first window is the earliest.

    Series that are too short for all windows are left out; those that the model cannot forecast hold NaN.
    """

    values: np.ndarray  # (W, N, Q, H) quantiles at the 23 levels of ``Ensemble``
    truth: np.ndarray  # (W, N, H) NaN = missing, or no forecast
    ids: pd.Index  # N, some or all of those of the panel


def rows_held_out(horizon: int, windows: int, stride: int) -> int:
    """How many rows at the end of each series some windows cover.

    Args:
        horizon: H, steps after each cutoff.
        windows: W.
        stride: rows from one cutoff to the next.

    Returns:
        Rows after the first cutoff.

    Example:
        >>> rows_held_out(12, 20, 1)
        31
    """
    return horizon + (windows - 1) * stride


def held_out(
    model: Any,
    panel: Panel,
    windows: int,
    *,
    stride: int | None = None,
    n_samples: int = DRAWS,
    seed: int | None = None,
) -> HeldOut:
    """Fit a copy of a forecaster before the first of some cutoffs at the end of each series, and forecast from all.

    Window k of W (0 = the earliest) ends ``(W - 1 - k) * stride`` rows before the last row of each series. The
    parameters are those before the first cutoff, the history grows from window to window. Known covariates of the rows
    after a cutoff are passed, their targets are not. All series are learned from; where there are more than half a
    million values in the windows, every second, third, ... series is forecast.

    Args:
        model: any forecaster; it is not changed. It may leave out series that are too short for it.
        panel: all data.
        windows: W cutoffs.
        stride: rows between cutoffs; None: the horizon, so that windows do not overlap.
        n_samples: draws of each forecast, from which the quantiles are taken; models that know their quantiles give
            those.
        seed: of the forecasts; None: the model's own.

    Returns:
        Quantiles at 23 levels beside the truths.

    Raises:
        DataError: no series has a value before the first cutoff; the model forecasts none of them, or other series
            than those of the panel (a total, for example).
        ValueError: ``windows`` or ``stride`` is below 1.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> held = held_out(SeasonalNaive(horizon=2, season_length=4), Panel.from_frame(frame), windows=3, seed=0)
        >>> held.values.shape, held.truth[:, 0].tolist()
        ((3, 1, 23, 2), [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]])
    """
    stride = model.horizon if stride is None else stride
    if windows < 1 or stride < 1:
        raise ValueError(f"windows and stride must be 1 or more; got {windows} and {stride}")
    panel = replace(panel, schema=replace(panel.schema, backend="pandas"))
    back = model.horizon + (windows - 1 - np.arange(windows)) * stride  # (W,)
    starts = panel.offsets[:-1]
    counts = np.concatenate([[0], np.cumsum(np.isfinite(panel.y))])
    first = np.maximum(panel.ends - back[0], starts)
    chosen = np.flatnonzero(counts[first] - counts[starts] >= LEAST_OBSERVED)
    if not len(chosen):
        raise DataError(
            f"{windows} held-out windows of {model.horizon} rows, {stride} rows apart, cover {back[0]} rows, and no "
            f"series has {LEAST_OBSERVED} values before them; the longest has {int(panel.lengths.max())} rows"
        )
    part = panel if len(chosen) == panel.n_series else panel.select(chosen)
    fitted = _fitted(model, part.until(part.ends - back[0]))
    every = _every(model, len(chosen), windows)
    if every > 1:
        chosen = chosen[::every]
        part = panel.select(chosen)
    values = np.full((windows, part.n_series, len(LEVELS), model.horizon), np.nan)
    for k in range(windows):
        _forecast(fitted, part.until(part.ends - back[k], model.horizon), values[k], part.ids, n_samples, seed)
    rows = (part.ends - back[:, None])[..., None] + np.arange(model.horizon)
    there = np.isfinite(values[:, :, 0])
    truth = np.where(there, part.y[rows], np.nan)
    if not there.any():
        raise DataError(f"{type(model).__name__} forecasts none of the series in the held-out windows")
    return HeldOut(values, truth, part.ids)


def _every(model: Any, n_series: int, windows: int) -> int:
    """Of how many series one is forecast; a multivariate model needs all together."""
    settings = model.get_params(deep=True) if has_settings(model) else {}
    together = any(value is True for name, value in settings.items() if name.rpartition("__")[2] == "multivariate")
    return 1 if together else 1 + (n_series * windows * model.horizon - 1) // MOST_VALUES


def _fitted(model: Any, history: Panel) -> Any:
    """A fitted copy that leaves out series too short for it, without progress bars and without words about them."""
    copied = clone(model, safe=False)
    if has_settings(copied):
        shown = [name for name in copied.get_params(deep=True) if name.rpartition("__")[2] == "verbose"]
        copied.set_params(**dict.fromkeys(shown, False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the fit on all data says what is to be said
        warnings.simplefilter("error", TrainingInterrupted)
        try:
            return copied.fit(history, short="drop")
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt from stopped


def _forecast(model: Any, history: Panel, into: np.ndarray, ids: pd.Index, n_samples: int, seed: int | None) -> None:
    """Write the quantiles of one window into (N, Q, H)."""
    asked = {"n_samples": n_samples, "seed": seed}
    with silence_accepted(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for block in forecast_blocks(model, history, quantiles=LEVELS, **asked):
            at = ids.get_indexer(block.ids)
            if (at < 0).any():
                raise DataError(
                    f"{type(model).__name__} forecasts {block.ids[at < 0][0]!r}, which is none of the series, so that "
                    "its forecasts cannot be compared with values; wrap the forecaster inside it instead"
                )
            into[at] = block.values
