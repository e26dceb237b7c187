"""Fan charts: history, median, nested intervals and actual values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tsformers.plotting.axes import label_time, new_figure, positions, tidy

HISTORY, ACTUAL, MEDIAN = (
    "#333333",
    "#D55E00",
    "#00507D",
)  # vermilion and blue of Okabe and Ito, for all kinds of colour vision
BAND = np.array([0x00, 0x72, 0xB2]) / 255


class Fan(NamedTuple):
    """One series of a fan chart; stamps are UTC datetime64 or integers.

    Args:
        title: of the panel.
        times: (H,) stamps of the forecast.
        median: (H,) the line in the middle.
        bands: (L, 2, H) lower and upper ends of L intervals, widest first.
        past_times: (T,) stamps of the history shown.
        past: (T,) history; NaN breaks the line.
        actual: (H,) actual values at ``times``; NaN where unknown.

    Example:
        >>> none = np.zeros(0)
        >>> Fan("a", np.arange(2), np.zeros(2), np.zeros((0, 2, 2)), none, none, np.full(2, np.nan)).title
        'a'
    """

    title: str
    times: np.ndarray
    median: np.ndarray
    bands: np.ndarray
    past_times: np.ndarray
    past: np.ndarray
    actual: np.ndarray


def fan_chart(fans: Sequence[Fan], coverages: Sequence[float], tz: str | None = None) -> Any:
    """One panel a series, under one legend.

    Args:
        fans: the series; four and more stand in two columns.
        coverages: (L,) of the bands, widest first, for the legend.
        tz: time zone in which the axis is labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> fan = Fan("a", np.arange(2), np.zeros(2), np.zeros((0, 2, 2)), np.arange(0), np.zeros(0), np.full(2, 1.0))
        >>> len(fan_chart([fan, fan], ()).axes)
        2
    """
    columns = 1 if len(fans) < 4 else 2
    rows = -(-len(fans) // columns)
    figure = new_figure(10, 4 if rows == 1 else 0.5 + 2.5 * rows)
    shown: dict[str, Any] = {}
    for position, fan in enumerate(fans, start=1):
        axes = figure.add_subplot(rows, columns, position)
        shown |= _draw(axes, fan, coverages)
        label_time(axes, fan.times, tz, most=8 if columns == 1 else 7)
    if shown:
        order = [name for name in ("history", "actual", "median", *(f"{c:.4g}" for c in coverages)) if name in shown]
        labels = [name if name.isalpha() else f"{100 * float(name):.4g} %" for name in order]
        figure.legend([shown[name] for name in order], labels, loc="outside upper center", ncols=8, frameon=False)
    return figure


def _draw(axes: Any, fan: Fan, coverages: Sequence[float]) -> dict[str, Any]:
    """Draws one series; returns its legend handles by label."""
    x, past_x = positions(fan.times), positions(fan.past_times)
    shown: dict[str, Any] = {}
    for rank, (coverage, (lower, upper)) in enumerate(zip(coverages, fan.bands, strict=True)):
        colour = tuple(
            1 - (1 - BAND) * (0.2 + 0.5 * rank / max(len(coverages), 1))
        )  # opaque, so that the legend has the same colours
        if len(x) > 1:
            shown[f"{coverage:.4g}"] = axes.fill_between(x, lower, upper, color=colour, linewidth=0)
        else:
            shown[f"{coverage:.4g}"] = axes.vlines(x, lower, upper, color=colour, linewidth=10)
    dot = "_" if len(x) == 1 else None
    (shown["median"],) = axes.plot(x, fan.median, color=MEDIAN, linewidth=1.6, marker=dot, markersize=14)
    if len(past_x):
        (shown["history"],) = axes.plot(past_x, fan.past, color=HISTORY, linewidth=1.1)
        axes.axvline((past_x[-1] + x[0]) / 2, color="#999999", linewidth=0.8, linestyle=":")
    if not np.isnan(fan.actual).all():
        (shown["actual"],) = axes.plot(
            x, fan.actual, color=ACTUAL, linewidth=1.1, marker="o", markersize=2.5 if len(x) > 1 else 5
        )
    tidy(axes, fan.title)
    return shown
