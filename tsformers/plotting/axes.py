"""Figures and time axes of all charts; matplotlib is imported when first used."""

import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from io import BytesIO
from typing import Any
from weakref import ReferenceType, ref

import numpy as np

MOST_OPEN = 15  # figures of ours that pyplot keeps for show(); it warns above 20
SILENT_BACKENDS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")  # of pyplot, that put nothing on a screen

_off_screen: ContextVar[bool] = ContextVar("off_screen", default=False)
_opened: deque[ReferenceType[Any]] = deque(maxlen=MOST_OPEN)


def new_figure(width: float, height: float) -> Any:
    """An empty figure that is pyplot's current one, as if ``plt.figure`` had made it.

    So ``plt.savefig`` and ``plt.show`` mean the chart, and a notebook displays it once: at the end of its cell, as all
    figures of pyplot, or where it is the value of a later cell. Of our figures, pyplot keeps the latest 15 open; older
    ones can still be saved. In threads other than the main one, within ``off_screen()``, and where pyplot's backend
    does not start, the figure is unknown to pyplot.

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
    size: dict[str, Any] = {"figsize": (width, height), "layout": "constrained"}
    figure: Any = _pyplot_figure(size)
    if figure is None:
        figure = Figure(**size)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches: the last tick label reaches beyond its axis
    figure._repr_png_ = partial(_png, figure)  # for notebooks of others than IPython
    figure._ipython_display_ = partial(_display, figure)
    return figure


@contextmanager
def off_screen() -> Iterator[None]:
    """Figures made in this block are unknown to pyplot: nothing is kept open, and no display is needed.

    Example:
        >>> with off_screen():
        ...     figure = new_figure(4, 3)
        >>> is_open(figure)
        False
    """
    token = _off_screen.set(True)
    try:
        yield
    finally:
        _off_screen.reset(token)


def is_open(figure: Any) -> bool:
    """Pyplot holds the figure: ``show()`` shows it.

    Example:
        >>> is_open(new_figure(4, 3))
        True
    """
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return helpers is not None and any(held.canvas.figure is figure for held in helpers.Gcf.get_all_fig_managers())


def _pyplot_figure(size: dict[str, Any]) -> Any:
    """A figure of pyplot; None where that is not wanted or cannot be had."""
    if _off_screen.get() or threading.current_thread() is not threading.main_thread():
        return None
    try:
        import matplotlib.pyplot as plt

        ours = [figure for known in _opened if (figure := known()) is not None and is_open(figure)]
        for figure in ours[: max(0, len(ours) + 1 - MOST_OPEN)]:
            plt.close(figure)
        figure = plt.figure(**size)
    except Exception:  # a backend of MPLBACKEND that is not installed, or needs a display that is not there
        return None
    _opened.append(ref(figure))
    return figure


def _display(figure: Any) -> None:
    """What IPython does with a figure that is the value of a cell: nothing where pyplot displays it anyway."""
    import matplotlib as mpl

    if is_open(figure) and mpl.get_backend().lower().rpartition(".")[2].removeprefix("backend_") not in SILENT_BACKENDS:
        return
    import_module("IPython.display").display({"image/png": _png(figure)}, raw=True)


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
