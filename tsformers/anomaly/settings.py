"""Setup: the settings of a running detector, and how many rows of context its forecaster needs."""

from dataclasses import dataclass
from typing import Any

from tsformers.anomaly.p_values import PValue
from tsformers.calendar.seasons import season_length
from tsformers.data.panel import Panel
from tsformers.errors import TsformersError
from tsformers.fdr import Procedure
from tsformers.messages import Setting

LEAST_CONTEXT = 100
SEASONS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Setup:
    """The settings that do not change while rows come in; see ``AnomalyDetector``.

    Args:
        forecaster: fitted.
        like: the panel of ``fit``, of which ids, statics, frequency and column names are used.
        p_value: how a p-value is made of a value and its predictive distribution.
        control: settings of the testing procedure.
        refresh: rows of a series that one forecast serves.
        per_series: a procedure for each series, in place of one for all.
        replace: values that raise an alarm do not enter the context.
        rows: T, of a context.
        horizon: H, of the forecaster.
        n_samples: S.
        seed: of forecasts and of what is random in p-values.
        coverage: of the interval.
        shift_after: alarms in a row that make a level shift; None: never.
        add_new_series: series that ``fit`` did not have are added.
        max_jump: steps that a row may lie after the last one of its series; None: ``rows``.
    """

    forecaster: Any
    like: Panel
    p_value: PValue
    control: Procedure
    refresh: int
    per_series: bool
    replace: bool
    rows: int
    horizon: int
    n_samples: int
    seed: int
    coverage: float
    shift_after: int | None
    add_new_series: bool
    max_jump: int | None = None

    @property
    def aligned(self) -> bool:
        """The series are the channels of one: all contexts must end together."""
        return bool(getattr(self.forecaster, "multivariate", False))


def needed_rows(forecaster: Any) -> int:
    """How many rows of context a fitted forecaster needs.

    Args:
        forecaster: one of ours or another; of an ensemble the most that a part needs.

    Returns:
        1 where it names none.

    Example:
        >>> needed_rows(object())
        1
    """
    parts = getattr(forecaster, "models_", ())
    return max([int(getattr(forecaster, "context_length_", 1)), *map(needed_rows, parts)])


def longest_season(forecaster: Any) -> int:
    """The longest season among a forecaster's settings.

    Args:
        forecaster: one of ours or another; of an ensemble the longest of its parts.

    Returns:
        1 where it has none.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> longest_season(SeasonalNaive(horizon=1, season_length=24))
        24
    """
    parts = getattr(forecaster, "models", ())
    return max([int(getattr(forecaster, "season_length", None) or 1), *map(longest_season, parts)])


def context_rows(chosen: int | None, forecaster: Any, panel: Panel) -> int:
    """How many rows of each series a context holds.

    Args:
        chosen: the setting ``context_length``; None: as many as the forecaster's network reads, else four seasons or
            two horizons, at least 100.
        forecaster: fitted.
        panel: the data.

    Returns:
        T.

    Raises:
        ValueError: ``chosen`` is less than the forecaster needs.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(9), "y": 1.0}))
        >>> context_rows(None, SeasonalNaive(horizon=60), panel)
        120
    """
    least, horizon = needed_rows(forecaster), int(forecaster.horizon)
    if chosen is None:
        season = max(season_length(panel.grid), longest_season(forecaster))
        return least if least > 1 else max(LEAST_CONTEXT, SEASONS * season, 2 * horizon)
    if chosen < least:
        raise TsformersError(
            Setting("context_length", chosen, flag="detector"),
            f" is less than the {least} rows that the forecaster looks at; leave it out, or write more",
        )
    return chosen
