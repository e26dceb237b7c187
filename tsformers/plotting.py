"""Fan charts: history, median, nested intervals and, where they are known, the actuals. matplotlib loads late."""

from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

HISTORY, ACTUAL, MEDIAN = "#333333", "#D55E00", "#00507D"  # vermilion and blue of Okabe and Ito: told apart by all eyes
BAND = np.array([0x00, 0x72, 0xB2]) / 255


class Fan(NamedTuple):
    """One series of a fan chart; stamps are UTC datetime64 or integers.

    Args:
        title: written above the picture.
        times: (H,) stamps of the forecast.
        median: (H,) the line in the middle.
        bands: (L, 2, H) lower and upper ends of L intervals, widest first.
        past_times: (T,) stamps of the history shown.
        past: (T,) history; NaN breaks the line.
        actual: (H,) what happened at ``times``; NaN where nobody knows yet.

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
    """One picture a series, under one legend.

    Args:
        fans: the series; four and more stand in two columns.
        coverages: (L,) of the bands, widest first, for the legend.
        tz: time zone in which the axis is labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure`` that pyplot knows nothing of.

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


class Parts(NamedTuple):
    """One series of a chart of trend, season and periods; stamps are UTC datetime64 or integers.

    Args:
        title: written above the picture.
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
        A ``matplotlib.figure.Figure`` that pyplot knows nothing of.

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
        past, ahead = slice(start), slice(max(start - 1, 0), None)  # the line of the forecast begins at the last value
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
    """One series of a chart of parts that stand one below the other; stamps are UTC datetime64 or integers.

    Args:
        title: written above the first picture.
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
        A ``matplotlib.figure.Figure`` that pyplot knows nothing of.

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


def new_figure(width: float, height: float) -> Any:
    """An empty figure that pyplot knows nothing of and that notebooks show all the same."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib; install it with: pip install 'tsformers[plot]'") from error
    figure: Any = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches: the last tick label reaches beyond its axis
    figure._repr_png_ = partial(_png, figure)  # notebooks show only figures that pyplot made, unless these ask for it
    return figure


def tidy(axes: Any, title: str) -> None:
    """A title, and no ink that says nothing."""
    axes.set_title(title, fontsize="medium", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)


def _png(figure: Any) -> bytes:
    """The figure as the bytes of a PNG file."""
    page = BytesIO()
    figure.savefig(page, format="png")
    return page.getvalue()


def _draw(axes: Any, fan: Fan, coverages: Sequence[float]) -> dict[str, Any]:
    """The marks of one series, and what stands for each of them in the legend."""
    x, past_x = positions(fan.times), positions(fan.past_times)
    shown: dict[str, Any] = {}
    for rank, (coverage, (lower, upper)) in enumerate(zip(coverages, fan.bands, strict=True)):
        colour = tuple(1 - (1 - BAND) * (0.2 + 0.5 * rank / max(len(coverages), 1)))  # solid, so legend = picture
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


def positions(times: np.ndarray) -> np.ndarray:
    """Stamps as matplotlib counts them: days since 1970, or the integers themselves."""
    from matplotlib.dates import date2num

    if times.dtype.kind != "M":
        return times.astype(np.float64)
    return date2num(times)  # type: ignore[no-untyped-call]


def label_time(axes: Any, times: np.ndarray, tz: str | None, most: int) -> None:
    """Few, short tick labels that cannot run into each other."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    if times.dtype.kind == "M":
        # under seven ticks at most, three days in hours would be neither three ticks nor few enough
        locator = AutoDateLocator(minticks=3, maxticks=most, tz=tz)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz=tz)  # type: ignore[no-untyped-call]
        formatter.formats[2] = "%d %b"  # a day without its month is read as another number
        formatter.offset_formats[2] = "%Y"
        axes.xaxis.set_major_formatter(formatter)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10], integer=True))
