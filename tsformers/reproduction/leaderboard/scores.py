"""Scores of a panel's forecasts, all windows at once: weighted quantile loss, scaled CRPS, MASE and coverage."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from tsformers.data.panel import Panel
from tsformers.distributions.quantile_columns import quantile_columns
from tsformers.scoring.quantile import coverage, quantile_loss, weighted_quantile_loss
from tsformers.scoring.reference import seasonal_scale

DECILES = tuple(k / 10 for k in range(1, 10))


class Answers(NamedTuple):
    """Quantile forecasts of M series and windows, beside what happened."""

    series: Int[np.ndarray, " M"]  # position in the panel
    window: Int[np.ndarray, " M"]
    y: Float[np.ndarray, "M H"]  # NaN = not scored
    quantiles: Float[np.ndarray, "M Q H"]


def answers_of(forecasts: pd.DataFrame, target: str, levels: Sequence[float], horizon: int) -> Answers:
    """The forecasts of one model in a backtest as arrays, in the order of windows and series.

    Args:
        forecasts: table of a backtest: series, window, the target and a column a level, step by step.
        target: name of the column of values.
        levels: Q levels.
        horizon: H.

    Returns:
        The arrays.

    Example:
        >>> frame = pd.DataFrame({"series": [0, 0], "window": [0, 0], "y": [1.0, 2.0], "q0.5": [1.5, 1.5]})
        >>> answers_of(frame, "y", [0.5], 2).quantiles.tolist()
        [[[1.5, 1.5]]]
    """
    table = forecasts.sort_values(["window", "series"], kind="stable")
    heads = table[["series", "window"]].to_numpy()[::horizon]
    values = table[quantile_columns(levels)].to_numpy(dtype=np.float64).reshape(-1, horizon, len(levels))
    y = table[target].to_numpy(dtype=np.float64).reshape(-1, horizon)
    return Answers(heads[:, 0], heads[:, 1], y, values.transpose(0, 2, 1))


def averaged(members: Sequence[Answers]) -> Answers:
    """The mean of the quantiles of several models, each the same weight, where all of them have a forecast.

    Args:
        members: one or more, of one panel.

    Returns:
        Their mean, level by level.

    Example:
        >>> one, zero = np.array([1]), np.array([0])
        >>> two = [Answers(one, zero, np.ones((1, 1)), np.full((1, 1, 1), q)) for q in (2.0, 4.0)]
        >>> averaged(two).quantiles.item()
        3.0
    """
    keys = [pd.MultiIndex.from_arrays([each.window, each.series]) for each in members]
    common = keys[0]
    for key in keys[1:]:
        common = common.intersection(key, sort=False)
    common = common.sort_values()
    at = [key.get_indexer(common) for key in keys]
    mean = np.mean([each.quantiles[rows] for each, rows in zip(members, at, strict=True)], axis=0)
    first = members[0]
    return Answers(first.series[at[0]], first.window[at[0]], first.y[at[0]], mean)


def completed(answers: Answers, others: Answers) -> Answers:
    """Forecasts of one model, and those of another for the series and windows that the first left out.

    Args:
        answers: of the first.
        others: of the other.

    Returns:
        All of them, in the order of windows and series.

    Example:
        >>> zero = np.array([0])
        >>> one = Answers(zero, zero, np.ones((1, 1)), np.ones((1, 1, 1)))
        >>> completed(one, one._replace(series=np.array([3]))).series
        array([0, 3])
    """
    keys, further = (pd.MultiIndex.from_arrays([each.window, each.series]) for each in (answers, others))
    left = np.flatnonzero(~further.isin(keys))
    joined = [np.concatenate([own, other[left]]) for own, other in zip(answers, others, strict=True)]
    order = np.lexsort((joined[0], joined[1]))
    return Answers(*(part[order] for part in joined))


def seasonal_scales(panel: Panel, horizon: int, windows: int, season: int) -> Float[np.ndarray, "N W"]:
    """What errors of a series are divided by: the mean seasonal difference of all rows before each cutoff.

    Missing values between observed ones are interpolated first, as in the histories that the published peers were
    given; cutoffs lie a horizon apart and count back from each end.

    Args:
        panel: N series.
        horizon: H.
        windows: W cutoffs, the earliest first.
        season: steps in a season.

    Returns:
        Scales; NaN where no two values are known.

    Example:
        >>> panel = Panel.from_frame(pd.Series([1.0, 2.0, np.nan, 5.0, 9.0], name="a"))
        >>> seasonal_scales(panel, horizon=1, windows=1, season=1)
        array([[1.33333333]])
    """
    found = np.full((panel.n_series, windows), np.nan)
    for i, (start, end) in enumerate(zip(panel.offsets[:-1], panel.ends, strict=True)):
        whole = panel.y[start:end]
        for k in range(windows):
            y = whole[: max(0, len(whole) - (windows - k) * horizon)]
            known = np.flatnonzero(~np.isnan(y))
            if len(known) > 1:
                inner = np.arange(known[0], known[-1] + 1)
                found[i, k] = seasonal_scale(np.interp(inner, known, y[known]), season).item()
    return found


def panel_scores(answers: Answers, levels: Sequence[float], scales: Float[np.ndarray, "N W"]) -> dict[str, float]:
    """The scores of one model on a panel.

    Args:
        answers: its forecasts, M series and windows.
        levels: Q levels, the nine deciles among them.
        scales: of ``seasonal_scales``.

    Returns:
        ``wql``: mean over the nine deciles of twice the pinball losses over the sum of absolute values, of the whole
        panel; ``scaled_crps``: mean over the deciles of twice the pinball loss, over steps, divided by the scale, mean
        over series and windows; ``mase``: likewise the absolute error of the median; ``coverage_80`` and
        ``coverage_95`` where their levels are there. Series without a scale count in neither ``scaled_crps`` nor
        ``mase``. ``answers``: M.

    Example:
        >>> zero = np.array([0])
        >>> exact = Answers(zero, zero, np.array([[2.0]]), np.full((1, 9, 1), 2.0))
        >>> panel_scores(exact, DECILES, np.array([[1.0]]))["wql"]
        0.0
    """
    order = list(levels)
    y, scale = answers.y, scales[answers.series, answers.window]
    deciles = answers.quantiles[:, [order.index(level) for level in DECILES]]
    losses = quantile_loss(y, deciles, DECILES, axis=1).mean(axis=1)
    found = {
        "wql": float(weighted_quantile_loss(y, deciles, DECILES, levels_axis=1)),
        "scaled_crps": _scaled(losses, scale),
        "mase": _scaled(np.abs(y - answers.quantiles[:, order.index(0.5)]), scale),
        "answers": float(len(y)),
    }
    for share in (80, 95):
        ends = [level for level in order if round(abs(1 - 2 * level), 6) == share / 100]
        if len(ends) == 2:
            low, high = (answers.quantiles[:, order.index(level)] for level in ends)
            found[f"coverage_{share}"] = float(coverage(y, low, high))
    return found


def _scaled(errors: Float[np.ndarray, "M H"], scale: Float[np.ndarray, " M"]) -> float:
    """Mean over series and windows of the mean error of their observed steps, over the scale."""
    chosen = (scale > 0) & ~np.isnan(errors).all(axis=1)
    return float((np.nanmean(errors[chosen], axis=1) / scale[chosen]).mean()) if chosen.any() else float("nan")
