"""What a user of recalibrated intervals should know: too few windows, and forecasts that no level widens."""

import warnings

import numpy as np
import pandas as pd

from tsformers.compose.held_out import HeldOut
from tsformers.compose.level_maps import LEVEL, Calibration, without_width
from tsformers.compose.window_plan import COVERAGE, POINTS, WindowPlan, expected_error, windows_needed
from tsformers.distributions.recalibration import BOUND, estimated_prior_weight, identity_map
from tsformers.errors import DataWarning, first_names
from tsformers.messages import Part, Setting

NOTICED = 0.02  # share of truths that no level reaches


def warn_of_calibration(
    name: str, held: HeldOut, maps: Calibration, plan: WindowPlan, table: pd.DataFrame, asked: int, stacklevel: int
) -> None:
    """Warn where the coverage of 80 % intervals is not expected to be within two points, or cannot be.

    Args:
        name: of the forecaster.
        held: the windows.
        maps: what they gave.
        plan: which they are.
        table: coverage on them.
        asked: windows that were asked for.
        stacklevel: as in ``warnings.warn``.

    Warns:
        DataWarning: too few windows, with the number that would do; forecasts without width, or too narrow at all
            levels.
    """
    n = float(maps.n.mean())
    raw = float(table.loc[np.isclose(table["nominal"], COVERAGE), "raw"].iloc[0])
    miss = 0.0 if np.isnan(raw) else raw - COVERAGE
    weight = estimated_prior_weight(
        maps.pit.reshape(-1, maps.pit.shape[-1]), identity_map(LEVEL, maps.pit.shape[-1]), n
    )
    error = float(expected_error(n, miss, weight))
    if error > POINTS:
        few: list[Part] = _too_few(name, len(plan.series), plan, n, error, windows_needed(plan, n, miss, weight), asked)
        warnings.warn(DataWarning(*few), stacklevel=stacklevel)
    _warn_of_narrow(name, held, maps, stacklevel + 1)


def _too_few(name: str, n_series: int, plan: WindowPlan, n: float, error: float, needed: int, asked: int) -> list[Part]:
    short = f" ({asked} were asked for, the series are too short)" if plan.windows < asked else ""
    apart = "" if plan.stride == 1 else "s"
    said = (
        f"Conformal({name}): {plan.windows} held-out windows of {n_series} series, {plan.stride} row{apart} apart"
        f"{short}, are worth {n:.0f} independent ones, so that the coverage of 80 % intervals is known to about "
        f"{100 * error:.1f} points; "
    )
    if needed <= plan.room:
        return [said, "two points need ", Setting("windows", needed)]
    return [
        said,
        f"two points need {needed} windows{f' of {n_series} series' if n_series > 1 else ''}, and the series are long "
        f"enough for {plan.room}: pool more series, or take the intervals as they are",
    ]


def _warn_of_narrow(name: str, held: HeldOut, maps: Calibration, stacklevel: int) -> None:
    """Warn of truths that no level of the forecast reaches."""
    dead = without_width(held)
    if dead.mean() > NOTICED:
        worst = held.ids[dead > NOTICED]
        warnings.warn(
            DataWarning(
                f"Conformal({name}): forecasts of {len(worst)} of {len(dead)} series ({first_names(worst)}) have no "
                "width where values differ from them, and no level of such a forecast is wider; their intervals stay "
                "as they are: wrap another forecaster, such as Theta or AutoETS, or leave these series out"
            ),
            stacklevel=stacklevel,
        )
    observed = np.isfinite(maps.pit)
    beyond = observed & ((maps.pit <= BOUND) | (maps.pit >= 1 - BOUND))
    share = beyond.sum() / max(observed.sum(), 1)
    if share > (1 - COVERAGE) / 2:
        warnings.warn(
            DataWarning(
                f"Conformal({name}): {100 * share:.0f} % of the held-out values lie beyond all quantiles of the "
                "forecast and their tails, so that no level widens its intervals enough; wrap a forecaster with wider "
                "ones, such as Theta or AutoETS"
            ),
            stacklevel=stacklevel,
        )
