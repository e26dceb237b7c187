"""A chart of what intervals say against what they hold."""

from typing import Any

import numpy as np

from tsformers.plotting.axes import new_figure, tidy
from tsformers.plotting.fan import HISTORY

RECALIBRATED = "#0072B2"


def reliability_chart(nominal: np.ndarray, raw: np.ndarray, recalibrated: np.ndarray) -> Any:
    """Coverage of intervals by their nominal coverage; on the diagonal they hold what they say.

    Args:
        nominal: (L,) coverages.
        raw: (L,) shares of held-out values inside, as forecast.
        recalibrated: (L,) the same after recalibration.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> levels = np.array([0.5, 0.8])
        >>> len(reliability_chart(levels, levels - 0.1, levels).axes)
        1
    """
    figure = new_figure(5, 4.5)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(nominal, raw, color=HISTORY, marker="o", label="raw")
    axes.plot(nominal, recalibrated, color=RECALIBRATED, marker="o", label="recalibrated")
    low = float(np.nanmin(np.concatenate([nominal, raw, recalibrated]))) - 0.05
    axes.set(xlim=(low, 1), ylim=(low, 1), xlabel="nominal coverage", ylabel="coverage on held-out windows")
    axes.legend(frameon=False)
    tidy(axes, "Coverage of intervals")
    return figure
