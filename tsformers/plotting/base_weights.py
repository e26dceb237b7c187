"""Chart of the weights of base forecasts, step by step."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tsformers.plotting.axes import new_figure, tidy
from tsformers.plotting.regimes import COLOURS

MOST = 7  # bases with a colour of their own; the others are summed up


class Weighed(NamedTuple):
    """The weights of the bases of one series.

    Example:
        >>> Weighed("a", np.ones((4, 2)) / 2).title
        'a'
    """

    title: str
    weights: np.ndarray  # (H, K), summing to 1 along K


def base_weights_chart(series: Sequence[Weighed], names: Sequence[str]) -> Any:
    """One panel a series: the weights as stacked areas over the steps ahead, the largest bases of all at the bottom.

    Args:
        series: what to draw.
        names: (K,) of the bases.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> len(base_weights_chart([Weighed("a", np.ones((4, 2)) / 2)], ["last", "theta"]).axes)
        1
    """
    mean = np.mean([one.weights.mean(axis=0) for one in series], axis=0)
    order = np.argsort(-mean, kind="stable")
    shown = [int(k) for k in order[:MOST] if mean[k] > 0]
    labels = [names[k] for k in shown]
    others = order[len(shown) :]
    figure = new_figure(10, 0.6 + 2.2 * len(series))
    drawn: Any = None
    for place, one in enumerate(series, start=1):
        axes = figure.add_subplot(len(series), 1, place)
        h = np.arange(1, len(one.weights) + 1)
        edges = np.concatenate([h - 0.5, h[-1:] + 0.5])
        parts = [*(one.weights[:, k] for k in shown), one.weights[:, others].sum(axis=1)]
        bottom, drawn = np.zeros(len(h)), []
        for part, colour in zip(parts, [*COLOURS[:7][: len(shown)], "#BBBBBB"], strict=True):
            drawn.append(axes.stairs(bottom + part, edges, baseline=bottom, fill=True, color=colour))
            bottom = bottom + part
        axes.set(ylim=(0, 1), xlim=(0.5, len(h) + 0.5), ylabel="weight")
        axes.xaxis.get_major_locator().set_params(integer=True)
        tidy(axes, one.title)
    axes.set_xlabel("step ahead")
    figure.legend(drawn, [*labels, "others"], loc="outside upper center", ncols=4, frameon=False)
    return figure
