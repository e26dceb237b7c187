"""Charts of decompositions: trend, seasonal part and periods."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tsformers.plotting.axes import label_time, new_figure, positions, tidy
from tsformers.plotting.fan import ACTUAL, HISTORY, MEDIAN


class Parts(NamedTuple):
    """One series of a chart of trend, season and periods; stamps are UTC datetime64 or integers.

    Args:
        title: of the panels.
        times: (T + H,) stamps of context and forecast.
        trend: (T + H,).
        seasonal: (T + H,).
        horizon: H, how many of the steps are forecast.
        lags: (K,) periods in steps.
        weights: (K,) of the periods.

    Example:
        >>> Parts("a", np.arange(3), np.ones(3), np.zeros(3), 1, np.array([2]), np.ones(1)).horizon
        1
    """

    title: str
    times: np.ndarray
    trend: np.ndarray
    seasonal: np.ndarray
    horizon: int
    lags: np.ndarray
    weights: np.ndarray


def parts_chart(series: Sequence[Parts], tz: str | None = None) -> Any:
    """One row a series: value and trend, seasonal part, weights of the periods.

    Args:
        series: what to draw.
        tz: time zone in which the axes are labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> parts = Parts("a", np.arange(3), np.ones(3), np.zeros(3), 1, np.array([2]), np.ones(1))
        >>> len(parts_chart([parts]).axes)
        3
    """
    figure = new_figure(13, 0.6 + 2.6 * len(series))
    grid = figure.add_gridspec(len(series), 3, width_ratios=(5, 5, 3))
    shown: dict[str, Any] = {}
    for row, parts in enumerate(series):
        level, season, periods = (figure.add_subplot(grid[row, column]) for column in range(3))
        x, start = positions(parts.times), len(parts.times) - parts.horizon
        past, ahead = slice(start), slice(max(start - 1, 0), None)  # the forecast line starts at the last value
        value = parts.trend + parts.seasonal
        (shown["context"],) = level.plot(x[past], value[past], color=HISTORY, linewidth=1.1)
        (shown["mean forecast"],) = level.plot(x[ahead], value[ahead], color=MEDIAN, linewidth=1.4)
        (shown["trend"],) = level.plot(x, parts.trend, color=ACTUAL, linewidth=1.6)
        season.plot(x[past], parts.seasonal[past], color=HISTORY, linewidth=1.1)
        season.plot(x[ahead], parts.seasonal[ahead], color=MEDIAN, linewidth=1.4)
        periods.vlines(parts.lags, 0, parts.weights, color=MEDIAN, linewidth=3)
        periods.set_ylim(bottom=0)
        if start:
            for axes in (level, season):
                axes.axvline((x[start - 1] + x[start]) / 2, color="#999999", linewidth=0.8, linestyle=":")
        for axes, title in ((level, parts.title), (season, "seasonal part"), (periods, "periods, in steps")):
            tidy(axes, title)
            label_time(axes, parts.times if axes is not periods else np.arange(1), tz, most=7)
        periods.set_xlim(0, max(start // 2, 1) + 1)
    figure.legend(list(shown.values()), list(shown), loc="outside upper center", ncols=3, frameon=False)
    return figure


class Layers(NamedTuple):
    """One series of a chart of its parts, one below the other; stamps are UTC datetime64 or integers.

    Args:
        title: of the first panel.
        times: (T,) stamps.
        lines: name of each part and its (T,) values, the first on top.

    Example:
        >>> list(Layers("a", np.arange(2), {"value": np.ones(2)}).lines)
        ['value']
    """

    title: str
    times: np.ndarray
    lines: Mapping[str, np.ndarray]


def layers_chart(series: Sequence[Layers], tz: str | None = None) -> Any:
    """One column a series, one row a part; the parts of a series share their axis of time.

    Args:
        series: what to draw, all with the same parts.
        tz: time zone in which the axes are labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> layers = Layers("a", np.arange(3), {"value": np.ones(3), "trend": np.ones(3)})
        >>> [axes.get_ylabel() for axes in layers_chart([layers]).axes]
        ['value', 'trend']
    """
    figure = new_figure(2 + 5.5 * len(series), 0.6 + 1.7 * len(series[0].lines))
    axes = figure.subplots(len(series[0].lines), len(series), squeeze=False, sharex="col")
    for column, layers in enumerate(series):
        x = positions(layers.times)
        for row, (name, line) in enumerate(layers.lines.items()):
            here = axes[row, column]
            here.plot(x, line, color=HISTORY if row == 0 else MEDIAN, linewidth=1.1)
            tidy(here, layers.title if row == 0 else "")
            if column == 0:
                here.set_ylabel(name)
        label_time(axes[-1, column], layers.times, tz, most=8)
    figure.align_ylabels(axes[:, 0])
    return figure
