"""How many windows to hold out of a panel, how many independent ones they are worth, and how many would do."""

import math
from typing import NamedTuple

import numpy as np

from tsformers.compose.held_out import rows_held_out
from tsformers.data.panel import Panel

SHARE = 1 / 3  # of the rows of the median series that are held out at most
LEFT = 1 / 2  # of the rows of each series that must be left for the fit
COVERAGE, POINTS = 0.8, 0.02  # of the intervals whose coverage is to be known, and how well
ENOUGH = COVERAGE * (1 - COVERAGE) / POINTS**2  # independent windows for that: 400
USUAL_CORRELATION = 0.01  # of the series of one window, before any is seen


class WindowPlan(NamedTuple):
    """Which windows are held out."""

    windows: int  # W
    stride: int  # rows from one cutoff to the next
    series: np.ndarray  # positions of the series that are long enough
    room: int  # windows at this stride that leave two thirds of the median series


def plan_windows(panel: Panel, horizon: int, windows: int, stride: int | None) -> WindowPlan:
    """Choose the stride, the number and the series of held-out windows.

    The forecaster is fitted once, before the first cutoff. So that it is like the one fitted on all rows, and the
    windows like what follows, the stride is the least one at which the windows are worth 400 independent ones (were the
    series correlated as usual), and small enough to hold out a third of the rows of the median series at most; where
    even a stride of 1 needs more, fewer windows are taken. Series that would keep less than half of their rows are left
    out (unless this leaves none).

    Args:
        panel: all data.
        horizon: H.
        windows: asked for.
        stride: asked for, which leaves ``windows`` as they are; None: as above, the horizon at most.

    Returns:
        The plan.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(90), "y": 1.0}))
        >>> plan_windows(panel, 6, 10, None)[:2], plan_windows(panel, 12, 60, None)[:2]
        ((10, 2), (19, 1))
    """
    rows = int(np.median(panel.lengths))
    step = stride or _least_stride(panel.n_series, horizon, windows, int(rows * SHARE))
    room = max(1, 1 + (int(rows * SHARE) - horizon) // step)
    count = windows if stride is not None else min(windows, room)
    series = np.flatnonzero(panel.lengths * (1 - LEFT) >= rows_held_out(horizon, count, step))
    return WindowPlan(count, step, series if len(series) else np.arange(panel.n_series), room)


def _least_stride(n_series: int, horizon: int, windows: int, rows: int) -> int:
    most = min(max((rows - horizon) // (windows - 1), 1), horizon) if windows > 1 else horizon
    of_one = n_series / (1 + (n_series - 1) * USUAL_CORRELATION)
    for step in range(1, most):
        if of_one * _apart(windows, step, horizon).mean() >= ENOUGH:
            return step
    return most


def _apart(windows: int, stride: int, horizon: int) -> np.ndarray:
    """(H,) how many independent windows those of one series are worth at each step."""
    return 1 + (windows - 1) * np.minimum(1.0, stride / np.arange(1, horizon + 1))


def independent_windows(pit: np.ndarray, stride: int) -> np.ndarray:
    """How many independent windows the held-out windows of a panel are worth, at each step.

    Forecasts h steps ahead from cutoffs fewer than h rows apart share errors: W windows count as ``1 + (W - 1) min(1,
    stride / h)``. N series that err together count as ``N / (1 + (N - 1) r)``, with r the intraclass correlation, over
    the series of one window, of what lies below, above and inside the 80 % interval: their mean, with one more window
    that says 0.01 (real panels: 0.001 to 0.02).

    Args:
        pit: (W, N, H) PIT values, NaN = not observed.
        stride: rows from one cutoff to the next.

    Returns:
        (H,) numbers of windows.

    Example:
        >>> alike = np.repeat(np.linspace(0.02, 0.98, 8)[:, None, None], 5, axis=1)
        >>> independent_windows(alike, 1).round(1)
        array([8.9])

    Source: the design effect of cluster samples, Kish (1965), Survey sampling, section 5.4.
    """
    windows, _, horizon = pit.shape
    observed = np.isfinite(pit)
    apart = _apart(windows, stride, horizon)
    rows = observed.sum(axis=(0, 1))  # (H,)
    present = np.maximum(observed.any(axis=1).sum(axis=0), 1)
    series = np.maximum(rows / present, 1.0)  # of a window, in the mean
    tail = (1 - COVERAGE) / 2
    inside = pit <= tail, pit <= 1 - tail, np.abs(pit - 0.5) <= COVERAGE / 2
    found = float(np.mean([_intraclass(indicator.astype(np.float64), observed) for indicator in inside]))
    shared = (found * (windows - 1) + USUAL_CORRELATION) / windows
    return np.minimum(apart, present) * (rows > 0) * series / (1 + (series - 1) * shared)


def _intraclass(scores: np.ndarray, observed: np.ndarray) -> float:
    """Intraclass correlation of the series of one window and step, pooled over steps; 0 where there is no estimate."""
    counts = observed.sum(axis=1)  # (W, H)
    used = counts > 1
    groups = used.sum(axis=0)  # (H,)
    pooled = groups > 1
    if not pooled.any():
        return 0.0
    values = np.where(observed & used[:, None], scores, 0.0)
    counts = np.where(used, counts, 0)
    means = values.sum(axis=1) / np.maximum(counts, 1)
    total = counts.sum(axis=0)
    grand = (means * counts).sum(axis=0) / np.maximum(total, 1)
    between = (counts * (means - grand) ** 2 * used).sum(axis=0)
    within = (np.where(observed & used[:, None], scores - means[:, None], 0.0) ** 2).sum(axis=(0, 1))
    freedom = (groups - 1)[pooled].sum(), (total - groups)[pooled].sum()
    mean_between, mean_within = between[pooled].sum() / freedom[0], within[pooled].sum() / freedom[1]
    size = total[pooled].sum() / groups[pooled].sum()
    spread = mean_between + (size - 1) * mean_within
    return float(np.clip((mean_between - mean_within) / spread, 0.0, 1.0)) if spread > 0 else 0.0


def expected_error(n: float | np.ndarray, miss: float, prior_weight: float) -> np.ndarray:
    """Root mean square error of the coverage of 80 % intervals after recalibration.

    Args:
        n: independent windows.
        miss: raw coverage less 0.8.
        prior_weight: windows that the identity weighs as much as.

    Returns:
        In shares, of each ``n``: what shrinkage leaves of ``miss``, and the binomial error of n windows.

    Example:
        >>> float(expected_error(1600, 0.0, 200.0))
        0.01
    """
    count = np.maximum(np.asarray(n, dtype=np.float64), 1e-9)
    return np.hypot(miss * prior_weight / (prior_weight + count), np.sqrt(COVERAGE * (1 - COVERAGE) / count))


def windows_needed(plan: WindowPlan, n: float, miss: float, prior_weight: float) -> int:
    """How many windows of this panel, at this stride, bring the coverage of 80 % intervals to within two points.

    Args:
        plan: the windows held out.
        n: independent windows that they are worth.
        miss: raw coverage less 0.8.
        prior_weight: windows that the identity weighs as much as.

    Returns:
        A number of windows, whole.

    Example:
        >>> windows_needed(WindowPlan(20, 1, np.arange(1), 20), 20.0, 0.0, 200.0)
        400
    """
    low, high = 1.0, 1e7
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if expected_error(middle, miss, prior_weight) <= POINTS else (middle, high)
    return max(plan.windows, math.ceil(plan.windows * math.floor(high) / max(n, 1e-9)))
