"""What a detector does not change while rows come in."""

from dataclasses import dataclass
from typing import Any

from tsformers.anomaly.p_values import PValue
from tsformers.data.panel import Panel
from tsformers.fdr import Procedure


@dataclass(frozen=True, eq=False, kw_only=True)
class Setup:
    """What does not change while rows come in; see ``AnomalyDetector`` for the settings.

    Args:
        forecaster: fitted.
        like: the panel of ``fit``, of which ids, statics, frequency and column names are used.
        p_value: what turns a value and its law into a p-value.
        control: settings of the testing procedure.
        refresh: rows of a series that one forecast serves.
        per_series: a procedure for each series, in place of one for all.
        replace: what raised an alarm is kept out of the context.
        rows: T, of a context.
        horizon: H, of the forecaster.
        n_samples: S.
        seed: of forecasts and of what is random in p-values.
        coverage: of the interval.
        shift_after: alarms in a row that make a new level; None: never.
        learn_unseen: series that ``fit`` has not seen are taken in.
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
    learn_unseen: bool
    max_jump: int | None = None

    @property
    def aligned(self) -> bool:
        """The series are the channels of one: all contexts must end together."""
        return bool(getattr(self.forecaster, "multivariate", False))


def needed_rows(forecaster: Any) -> int:
    """How many rows of context a fitted forecaster cannot do without.

    Args:
        forecaster: one of ours or another; of an ensemble the most that a part needs.

    Returns:
        1 where it does not say.
    """
    parts = getattr(forecaster, "models_", ())
    return max([int(getattr(forecaster, "context_length_", 1)), *map(needed_rows, parts)])


def longest_season(forecaster: Any) -> int:
    """The longest season that a forecaster was told to look for.

    Args:
        forecaster: one of ours or another; of an ensemble the longest of its parts.

    Returns:
        1 where it was told nothing.
    """
    parts = getattr(forecaster, "models", ())
    return max([int(getattr(forecaster, "season_length", None) or 1), *map(longest_season, parts)])
