"""Figures, axes of time and colours that all charts share. matplotlib is imported when first used."""

from functools import partial
from io import BytesIO
from typing import Any

import numpy as np


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
