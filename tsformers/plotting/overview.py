"""A chart of series as they were read: values, and the steps that have none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tsformers.plotting.axes import label_time, new_figure, positions, tidy
from tsformers.plotting.fan import HISTORY

GAP = "#E69F00"  # behind steps without a value


class Series(NamedTuple):
    """One series of the chart; stamps are UTC datetime64 or integers, NaN is a missing value.

    Args:
        title: of its panel.
        times: (T,) stamps.
        values: (T,).

    Example:
        >>> Series("a", np.arange(3), np.ones(3)).title
        'a'
    """

    title: str
    times: np.ndarray
    values: np.ndarray


def overview_chart(series: Sequence[Series], tz: str | None = None) -> Any:
    """One row a series: its values, with the steps shaded that have none.

    Args:
        series: what to draw.
        tz: time zone in which the axes are labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure``, not registered with pyplot.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> len(overview_chart([Series("a", np.arange(4), np.array([1.0, np.nan, 3.0, 2.0]))]).axes)
        1
    """
    figure = new_figure(11, 0.4 + 2.0 * len(series))
    for row, (title, times, values) in enumerate(series):
        axes, x = figure.add_subplot(len(series), 1, row + 1), positions(times)
        marker = "." if len(x) < 200 else None
        axes.plot(x, values, color=HISTORY, linewidth=1.0, marker=marker, markersize=3)
        missing = np.isnan(values)
        edges = np.flatnonzero(np.diff(np.r_[False, missing, False].astype(int))).reshape(-1, 2)
        half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
        spans = [(x[start] - half, x[stop - 1] - x[start] + 2 * half) for start, stop in edges]
        if spans:
            axes.broken_barh(spans, (0, 1), transform=axes.get_xaxis_transform(), color=GAP, alpha=0.3, linewidth=0)
        tidy(axes, title)
        label_time(axes, times, tz, most=9)
    return figure
