"""Figures and time axes of all charts; matplotlib is imported when first used."""

from functools import partial
from io import BytesIO
from typing import Any

import numpy as np


def new_figure(width: float, height: float) -> Any:
    """An empty figure that is not registered with pyplot, and that notebooks display nevertheless.

    Args:
        width: in inches.
        height: in inches.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> new_figure(4, 3).axes
        []
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib; install it with: pip install 'tsformers[plot]'") from error
    figure: Any = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches: the last tick label reaches beyond its axis
    figure._repr_png_ = partial(_png, figure)  # notebooks display figures of pyplot, and those with this method
    return figure


def tidy(axes: Any, title: str) -> None:
    """A title, light horizontal grid lines, and no frame on top and right.

    Example:
        >>> axes = new_figure(4, 3).add_subplot()
        >>> tidy(axes, "sales")
        >>> axes.get_title(loc="left")
        'sales'
    """
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


def positions(times: np.ndarray) -> np.ndarray:
    """Stamps as numbers on matplotlib's axes: days since 1970, or the integers themselves.

    Example:
        >>> positions(np.array(["1970-01-03"], dtype="M8[D]")), positions(np.array([7]))
        (array([2.]), array([7.]))
    """
    from matplotlib.dates import date2num

    if times.dtype.kind != "M":
        return times.astype(np.float64)
    return date2num(times)  # type: ignore[no-untyped-call]


def label_time(axes: Any, times: np.ndarray, tz: str | None, most: int) -> None:
    """Few, short tick labels that do not overlap.

    Args:
        axes: whose horizontal axis is labelled.
        times: stamps, UTC datetime64 or integers.
        tz: time zone of the labels; None = as stored.
        most: ticks at most.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    if times.dtype.kind == "M":
        # for three days of hours, no locator gives at least three and under seven ticks
        locator = AutoDateLocator(minticks=3, maxticks=most, tz=tz)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz=tz)  # type: ignore[no-untyped-call]
        formatter.formats[2] = "%d %b"  # a day without its month looks like an hour
        formatter.offset_formats[2] = "%Y"
        axes.xaxis.set_major_formatter(formatter)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10], integer=True))
