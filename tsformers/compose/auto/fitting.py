"""Fits of candidates without their warnings, and which series a fitted model can forecast."""

import copy
import inspect
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone

from tsformers.data.blocks.forecast_blocks import forecast_blocks, joined
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel
from tsformers.errors import TrainingInterrupted
from tsformers.nn.heads.quantile import LEVELS
from tsformers.storage.learned_state import has_settings


def fitted_copy(model: Any, panel: Panel) -> tuple[Any, list[Warning]]:
    """A copy of a forecaster, fitted; series that are too short for it are left out.

    Args:
        model: not fitted.
        panel: N series.

    Returns:
        The fitted copy, and the warnings of its fit.

    Raises:
        KeyboardInterrupt: Ctrl-C, also where the model itself would keep what it has learned so far.

    Example:
        >>> from tsformers import Theta
        >>> from tsformers.testing import make_frame
        >>> fitted_copy(Theta(horizon=2, verbose=False), Panel.from_frame(make_frame()))[0].season_
        7
    """
    fresh = clone(model, safe=False) if has_settings(model) else copy.deepcopy(model)
    words: dict[str, Any] = {"short": "drop"} if _takes(fresh.fit, "short") else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fresh.fit(panel, **words)
    if any(issubclass(each.category, TrainingInterrupted) for each in caught):
        raise KeyboardInterrupt
    return fresh, [each.message for each in caught if isinstance(each.message, Warning)]


def quantiles_of(model: Any, panel: Panel, horizon: int, n_samples: int, seed: int | None = None) -> np.ndarray:
    """The 23 quantiles of a fitted model; NaN for series that it cannot forecast.

    Args:
        model: fitted.
        panel: N series, with the known covariates of the horizon.
        horizon: H.
        n_samples: draws of a model that draws.
        seed: None: the model's own.

    Returns:
        (N, 23, H).

    Example:
        >>> from tsformers import Theta
        >>> from tsformers.testing import make_frame
        >>> panel = Panel.from_frame(make_frame())
        >>> quantiles_of(Theta(horizon=2, seed=0).fit(panel), panel, 2, 100).shape
        (3, 23, 2)
    """
    values = np.full((panel.n_series, len(LEVELS), horizon), np.nan)
    able = np.flatnonzero(can_forecast(model, panel))
    if not len(able):
        return values
    part = panel if len(able) == panel.n_series else panel.select(able)
    with warnings.catch_warnings(), silence_accepted():
        warnings.simplefilter("ignore")
        blocks = forecast_blocks(model, part, quantiles=LEVELS, n_samples=n_samples, seed=seed)
        found = joined(blocks)
    values[panel.ids.get_indexer(found.ids)] = found.values
    return values


def can_forecast(model: Any, panel: Panel) -> np.ndarray:
    """Which series a fitted model can forecast: those of its fit, and those that fill its context.

    Args:
        model: fitted.
        panel: N series.

    Returns:
        (N,) bool.

    Example:
        >>> from tsformers import Theta
        >>> from tsformers.testing import make_frame
        >>> panel = Panel.from_frame(make_frame())
        >>> can_forecast(Theta(horizon=2).fit(panel.select([0, 2])), panel)
        array([ True, False,  True])
    """
    if is_per_series(model) and not getattr(model, "forecasts_new_series", False):
        return np.asarray(panel.ids.isin(model.panel_.ids))
    context = getattr(model, "context_length_", None)
    if context is None:
        return np.ones(panel.n_series, dtype=bool)
    return (panel.lengths >= context) & np.isfinite(panel.padded(context)).any(axis=1)


def is_per_series(model: Any) -> bool:
    """Whether a forecaster fits each series alone, so that some of them can be fitted without the others.

    Args:
        model: a forecaster; its class says ``per_series = True``.

    Returns:
        True or False.

    Example:
        >>> from tsformers import LRU, Theta
        >>> is_per_series(Theta(horizon=1)), is_per_series(LRU(horizon=1))
        (True, False)
    """
    return bool(getattr(model, "per_series", False))


def _takes(function: Any, word: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return word in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())
