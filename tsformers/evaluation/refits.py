"""At which windows of a backtest a model is fitted."""

from typing import Any, Literal

from tsformers.evaluation.origins import Origins

Refit = bool | int | Literal["local"]


def fit_windows(origins: Origins, model: Any, refit: Refit) -> list[int]:
    """The windows at whose cutoffs a model is fitted.

    Args:
        origins: data and cutoffs.
        model: a forecaster.
        refit: False = at the first cutoff; True = at every one; n = at every n-th; "local" = at every one where
            ``is_local``, else at the first. A window that brings new series is one more.

    Returns:
        Windows, earliest first.

    Example:
        >>> import pandas as pd
        >>> from tsformers import Panel, Theta
        >>> from tsformers.evaluation.origins import rolling_origins
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(9), "y": 1.0}))
        >>> origins = rolling_origins(panel, horizon=2, windows=3, step=2)
        >>> [fit_windows(origins, Theta(horizon=2), refit) for refit in (False, 2, "local")]
        [[0], [0, 2], [0, 1, 2]]
    """
    every: bool | int = is_local(model) if refit == "local" else bool(refit) if isinstance(refit, bool) else int(refit)
    return origins.fit_windows(every)


def is_local(model: Any) -> bool:
    """Whether a forecaster is one small model a series, cheap to fit at every cutoff, or is made of such models alone.

    Args:
        model: a forecaster, also inside preprocessors or an ensemble.

    Returns:
        True for SeasonalNaive, Theta and their kin; False for networks and for classes of others.

    Example:
        >>> from tsformers import Ensemble, Linear, Theta
        >>> is_local(Ensemble([Theta(horizon=1)])), is_local(Ensemble([Theta(horizon=1), Linear(horizon=1)]))
        (True, False)
    """
    from tsformers.forecasters.local.base import LocalForecaster  # brings scikit-learn

    if isinstance(model, LocalForecaster):
        return True
    members = getattr(model, "models", None) or [getattr(model, "forecaster", None)]
    members = list(members.values()) if isinstance(members, dict) else list(members)
    return all(member is not None and not isinstance(member, str) and is_local(member) for member in members)
