"""A forecaster against the seasonal naive one, on the last horizon of a history."""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsformers.calendar.seasons import season_length
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning
from tsformers.messages import Either
from tsformers.scoring.quantile import quantile_loss
from tsformers.scoring.reference import seasonal_scale
from tsformers.storage.learned_state import has_settings

MOST_ROWS = 10_000  # from which the seasonal scale of a series is taken
MOST_SERIES = 200  # compared at most, chosen at random
LEAST_ROWS = 3  # before the last horizon, from which anything can be learned
BASELINE = "SeasonalNaive"


@dataclass(frozen=True, kw_only=True)
class NaiveComparison:
    """How a forecaster did on the last horizon of a history, and how the seasonal naive one did.

    Args:
        model: name of the class.
        horizon: H, the steps that were compared.
        n_series: how many series were compared.
        of: how many there are.
        loss: mean pinball loss of the model, each series in units of its mean seasonal difference; NaN: no comparison.
        naive: the same of the seasonal naive forecaster.
        reason: why there is no comparison; "" where there is one.

    Example:
        >>> print(NaiveComparison(model="Theta", horizon=7, n_series=3, of=3, loss=0.5, naive=1.0))
        compared with SeasonalNaive on the last 7 steps: the pinball loss of Theta is 50 % lower
    """

    model: str
    horizon: int
    n_series: int
    of: int
    loss: float = float("nan")
    naive: float = float("nan")
    reason: str = ""

    @property
    def worse(self) -> bool:
        """Whether the loss of the model is the larger one."""
        return self.loss > self.naive

    def __str__(self) -> str:
        if self.reason:
            return f"not compared with {BASELINE}: {self.reason}"
        return (
            f"compared with {BASELINE} on the last {self._where()}: the pinball loss of {self.model} is {self._ratio()}"
        )

    def warning(self) -> DataWarning:
        """The warning of a model that is worse.

        Returns:
            Names the better forecaster, and how to choose it.

        Example:
            >>> found = NaiveComparison(model="Theta", horizon=7, n_series=200, of=1000, loss=2.0, naive=1.0)
            >>> print(found.warning().message.text("shell"))  # doctest: +ELLIPSIS
            SeasonalNaive is better than Theta on the last 7 steps of 200 of 1,000 series (chosen at random), where ...
        """
        return DataWarning(
            f"{BASELINE} is better than {self.model} on the last {self._where()}, where the pinball loss of "
            f"{self.model} is {self._ratio()}; compare them on more windows with ",
            Either("backtest", "`tsformers backtest`"),
            ", or choose ",
            Either(f"{BASELINE}(horizon={self.horizon})", f"--model {BASELINE}"),
        )

    def _where(self) -> str:
        why = "chosen at random" if self.of > MOST_SERIES else "the others are too short, never change or fall back"
        some = "" if self.n_series == self.of else f" of {self.n_series:,} of {self.of:,} series ({why})"
        return f"{self.horizon} steps{some}"

    def _ratio(self) -> str:
        """The loss beside that of the seasonal naive forecaster, in words."""
        if self.naive <= 0:
            return "larger than 0, its own"
        ratio = self.loss / self.naive
        if ratio >= 2:
            return f"{ratio:.3g} times as high"
        return f"{100 * abs(1 - ratio):.2g} % {'lower' if ratio <= 1 else 'higher'}"


def compare_with_naive(
    fitted: Any,
    panel: Panel,
    levels: Sequence[float] = (0.1, 0.5, 0.9),
    *,
    short: str = "error",
    n_samples: int = 1000,
    seed: int = 0,
) -> NaiveComparison:
    """Forecast the last horizon of a history with what a forecaster learns without it, and with the seasonal naive one.

    A copy of the forecaster is fitted again without the last horizon. A network is not: the comparison takes its own
    forecast of that window, where it was a validation window and no training window (those of early stopping, so that
    the network looks a little better than it is). The loss is the mean pinball loss over levels and steps, divided by
    the mean absolute seasonal difference of the series before the window, as in MASE, so that each series counts the
    same; series that never change are left out. Of more than 200 series 200 are compared, chosen at random. A bound
    around the forecaster is put around the seasonal naive one too.

    Args:
        fitted: the forecaster, fitted to ``panel``.
        panel: the data of its ``fit``.
        levels: of the quantiles; those outside (0, 1) are left out.
        short: as in its ``fit``.
        n_samples: draws.
        seed: of the draws and of the choice of series.

    Returns:
        Both losses, or the reason why there are none.

    Example:
        >>> from tsformers import Theta
        >>> from tsformers.testing import make_frame
        >>> panel = Panel.from_frame(make_frame())
        >>> compare_with_naive(Theta(horizon=5, seed=0).fit(panel), panel).n_series
        3
    """
    core, horizon = inmost(fitted), int(fitted.horizon)
    about: dict[str, Any] = {"model": type(core).__name__, "horizon": horizon, "of": panel.n_series}
    chosen, reason = _series_to_compare(fitted, core, panel, seed)
    if not reason:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the fit to all rows has given them
                losses = _both_losses(fitted, core, panel.select(chosen), levels, short, n_samples, seed)
        except Exception as error:
            reason = f"without the last {horizon} rows: {error or type(error).__name__}"
        else:
            both = np.isfinite(losses).all(axis=0)
            if both.any():
                model, naive = losses[:, both].mean(axis=1).tolist()
                return NaiveComparison(**about, n_series=int(both.sum()), loss=model, naive=naive)
            reason = f"no series has a value in its last {horizon} rows and changes before them"
    return NaiveComparison(**about, n_series=0, reason=reason)


def inmost(model: Any) -> Any:
    """The forecaster inside preprocessors.

    Args:
        model: fitted.

    Returns:
        The model itself where it is none of ``Pipeline``.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> inmost(SeasonalNaive(horizon=1)).horizon
        1
    """
    inner = getattr(model, "forecaster_", None) if hasattr(model, "steps_") else None
    return model if inner is None else inmost(inner)


def _series_to_compare(fitted: Any, core: Any, panel: Panel, seed: int) -> tuple[np.ndarray, str]:
    """Positions of the series to compare, or why there are none."""
    from tsformers.forecasters.seasonal_naive import SeasonalNaive

    horizon, none = int(fitted.horizon), np.arange(0)
    if type(core) is SeasonalNaive:
        return none, "it is the model itself"
    enough = panel.lengths - horizon >= max(horizon, LEAST_ROWS)
    if not enough.any():
        return none, f"no series has {max(horizon, LEAST_ROWS)} rows before its last {horizon}"
    if _is_network(core):
        if not all(getattr(step, "is_fixed", False) for step in getattr(fitted, "steps_", ())):
            return none, f"the steps before the network have learned from the last {horizon} rows"
        enough &= core.last_window_validated(panel)
        if not enough.any():
            return none, f"the network was trained on the last {horizon} rows of every series"
    chosen = np.flatnonzero(enough)
    if getattr(core, "multivariate", False):
        return np.arange(panel.n_series), ""
    if len(chosen) > MOST_SERIES:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_SERIES, replace=False))
    return chosen, ""


def _both_losses(
    fitted: Any, core: Any, panel: Panel, levels: Sequence[float], short: str, n_samples: int, seed: int
) -> np.ndarray:
    """(2, N) scaled losses of the model and of the seasonal naive forecaster; NaN where a series has none."""
    from tsformers.forecasters.seasonal_naive import SeasonalNaive

    horizon, season = int(fitted.horizon), getattr(core, "season_length", None)
    naive = _around(fitted, SeasonalNaive(horizon=horizon, season_length=season, seed=seed))
    before = panel.until(panel.ends - horizon)
    given = panel.until(panel.ends - horizon, horizon)  # with the known covariates of the window
    kept: dict[str, Any] = {} if short == "error" else {"short": short}
    model = fitted if _is_network(core) else _unfitted(fitted).fit(before, **kept)
    past = before.padded(min(int(before.lengths.max()), MOST_ROWS))
    scale = seasonal_scale(past, season or season_length(panel.grid))
    inside = [level for level in levels if 0 < level < 1] or [0.5]
    losses = np.full((2, panel.n_series), np.nan)
    for loss, each in zip(losses, (model, naive.fit(before)), strict=True):
        answer: Forecast = each.predict(given, n_samples=n_samples, seed=seed)
        at = panel.ids.get_indexer(answer.ids)
        truth = panel.y[panel.ends[at, None] - horizon + np.arange(horizon)]
        pinball = quantile_loss(truth, answer.quantile(inside), inside, axis=1) / 2
        loss[at] = np.nanmean(pinball, axis=(1, 2)) / scale[at]
    fallen: dict[Any, str] = {} if _is_network(core) else getattr(inmost(model), "fallbacks_", {})
    losses[:, panel.ids.isin(list(fallen))] = np.nan  # which would be compared with itself
    if fallen and not np.isfinite(losses).all(axis=0).any():
        raise ValueError(f"it falls back to the seasonal naive model ({next(iter(fallen.values()))})")
    return losses


def _is_network(core: Any) -> bool:
    return hasattr(core, "last_window_validated")


def _around(model: Any, naive: Any) -> Any:
    """The seasonal naive forecaster within the bounds of the model."""
    from tsformers.compose.pipeline import Pipeline

    bounds = [step for step in getattr(model, "steps_", ()) if getattr(step, "is_fixed", False)]
    return Pipeline(bounds, naive) if bounds else naive


def _unfitted(model: Any) -> Any:
    """A copy that can be fitted again, without progress bars."""
    if not has_settings(model):
        return copy.deepcopy(model)
    from sklearn.base import clone

    fresh = clone(model)
    quiet = {name: False for name in fresh.get_params() if name.rpartition("__")[2] == "verbose"}
    return fresh.set_params(**quiet)
