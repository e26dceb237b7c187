"""Charts of regimes: series coloured by regime, and duration distributions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tsformers.plotting.axes import label_time, new_figure, positions, tidy

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")  # Okabe and Ito


class Coloured(NamedTuple):
    """One series and its regimes; stamps are UTC datetime64 or integers.

    Example:
        >>> Coloured("a", np.arange(2), np.arange(2.0), np.array([0, 1])).title
        'a'
    """

    title: str
    times: np.ndarray  # (T,)
    y: np.ndarray  # (T,), NaN breaks the line
    regime: np.ndarray  # (T,)


def segments_chart(series: Sequence[Coloured], n_regimes: int, tz: str | None = None) -> Any:
    """One panel a series, each step in the colour of its regime, the background in a light shade of it.

    Args:
        series: what to draw.
        n_regimes: K, for the legend.
        tz: time zone in which the axis is labelled; None = as stored.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> one = Coloured("a", np.arange(4), np.arange(4.0), np.array([0, 0, 1, 1]))
        >>> len(segments_chart([one], 2).axes)
        1

    Source: Ansari et al. (2021), RED-SDS, figure 2.
    """
    figure = new_figure(10, 0.6 + 2.6 * len(series))
    shown: dict[str, Any] = {}
    for position, each in enumerate(series, start=1):
        axes = figure.add_subplot(len(series), 1, position)
        x = positions(each.times)
        half = np.diff(x) / 2
        left = x - np.concatenate([half[:1], half]) if len(x) > 1 else x - 0.5
        right = x + np.concatenate([half, half[-1:]]) if len(x) > 1 else x + 0.5
        for k in range(n_regimes):
            here, colour = each.regime == k, COLOURS[k % len(COLOURS)]
            reached = here | np.concatenate([[False], here[:-1]])  # the line extends to the first step of the next
            line = np.where(reached, each.y, np.nan)
            (shown[f"regime {k}"],) = axes.plot(x, line, color=colour, linewidth=1.2)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], here, [0]])))
            for first, last in edges.reshape(-1, 2):
                axes.axvspan(left[first], right[last - 1], color=colour, alpha=0.12, linewidth=0)
        tidy(axes, each.title)
        label_time(axes, each.times, tz, most=8)
    figure.legend(list(shown.values()), list(shown), loc="outside upper center", ncols=8, frameon=False)
    return figure


def durations_chart(durations: np.ndarray, share: np.ndarray) -> Any:
    """One panel a regime: the probability of each duration.

    Args:
        durations: (K, D), probabilities of 1 .. D steps.
        share: (K,), of the steps.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> len(durations_chart(np.full((3, 5), 0.2), np.full(3, 1 / 3)).axes)
        3

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    figure = new_figure(10, 0.4 + 1.8 * len(durations))
    steps = np.arange(1, durations.shape[1] + 1)
    for k, probabilities in enumerate(durations):
        axes = figure.add_subplot(len(durations), 1, k + 1)
        axes.bar(steps, probabilities, color=COLOURS[k % len(COLOURS)], width=0.8)
        tidy(axes, f"regime {k}: {100 * share[k]:.3g} % of the steps, {probabilities @ steps:.3g} steps on average")
        label_time(axes, steps, None, most=10)
    axes.set_xlabel("duration in steps")
    return figure
