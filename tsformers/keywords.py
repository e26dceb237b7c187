"""Keywords that a call does not have: refused with the nearest one that it has."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from tsformers.errors import did_you_mean

ELSEWHERE = {  # what other libraries call the same thing
    "windows": ("folds", "cv", "n_splits", "cutoffs", "num_windows", "test_windows"),
    "step": ("stride", "step_size", "hop"),
    "horizon": ("h", "fh", "steps", "prediction_length", "n_periods"),
    "n_samples": ("samples", "num_samples", "draws", "n_draws", "num_draws", "n_paths"),
    "quantiles": ("level", "levels", "alpha", "coverage", "interval"),
    "seed": ("random_state", "rng"),
    "season_length": ("m", "sp", "period", "seasonality", "seasonal_periods"),
    "future": ("X", "X_df", "futr_df", "exog", "xreg", "covariates", "future_df"),
    "known": ("X", "exog", "xreg", "covariates", "regressors", "futr_exog_list"),
    "past": ("hist_exog_list",),
    "static": ("static_df", "stat_exog_list"),
    "out": ("output", "path", "folder"),
    "n_jobs": ("jobs", "cores", "num_cores", "workers", "parallel"),
}
PREDICT = ("data", "future", "static", "n_samples", "seed", "quantiles")  # what ``predict`` of a forecaster takes
CLASS_SETTINGS = "horizon", "season_length", "n_jobs", "seed"  # of forecasters: their constructor takes them


class NoKeywords(TypedDict):
    """The type of ``**unknown`` in a call that has no keywords but those in its signature.

    Example:
        >>> NoKeywords()
        {}
    """


def refuse_unknown(given: Mapping[str, object], call: str, offered: Iterable[str]) -> None:
    """Refuse keywords that a call does not have, by the names of those that it has.

    Args:
        given: keywords that were passed.
        call: name of the function.
        offered: its keywords.

    Raises:
        TypeError: names the first unknown keyword and the nearest one that the call has.

    Example:
        >>> refuse_unknown({"n_windows": 3}, "backtest", ["windows", "step"])
        Traceback (most recent call last):
        TypeError: backtest() has no keyword 'n_windows'; did you mean 'windows'?
    """
    names = [*offered]
    for name in given:
        if name not in names:
            raise TypeError(f"{call}() has no keyword {name!r}; {_nearest(name, names)}")


def _nearest(name: str, offered: list[str]) -> str:
    same = [ours for ours, theirs in ELSEWHERE.items() if name in theirs]
    here = [ours for ours in same if ours in offered]
    if here:
        return f"did you mean {' or '.join(map(repr, here))}?"
    setting = next((ours for ours in (name, *same) if ours in CLASS_SETTINGS), None)
    if setting is not None:
        return f"{setting!r} is a setting of the forecaster: give it to its class, such as Theta({setting}=12)"
    return did_you_mean(name, offered, f"it has {', '.join(offered)}")
