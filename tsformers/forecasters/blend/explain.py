"""Explanations of Blend: the weight and the forecast of every base, step by step."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Frame, from_pandas, stamps
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.forecasters.blend.bases.contexts import BASES
from tsformers.plotting.base_weights import Weighed, base_weights_chart
from tsformers.plotting.chosen import chosen_positions

SHOWN = 3  # series in a figure where the caller names none


def explain(
    model: Any, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
) -> Frame:
    """The weights of the base forecasts at each step: what the median is made of, but for a learned correction.

    Args:
        model: a fitted Blend; of several members the mean weights.
        data: as in ``predict``; None: the data of ``fit``.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        Columns ``unique_id, ds, base, weight, forecast`` (the first two under the caller's names), in the caller's
        frame type: one row a series, step and available base; weights sum to 1 at each step.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        DataError: as in ``predict``.

    Example:
        >>> from tsformers import Blend
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 5})
        >>> weights = Blend(horizon=2, season_length=5, max_steps=0).fit(frame).explain()
        >>> weights.groupby("ds")["weight"].sum().round(6).tolist()
        [1.0, 1.0]

    Source: Montero-Manso, Athanasopoulos, Hyndman & Talagala (2020), FFORMA, section 4.
    """
    panel, found = model.weighed(data, future=future, static=static)
    rows = np.broadcast_to(found.available[:, None], found.weights.shape)  # (N, H, K)
    n, horizon, _ = rows.shape
    series = np.broadcast_to(np.arange(n)[:, None, None], rows.shape)[rows]
    times = panel.future_times(horizon)
    base = np.broadcast_to(np.array(BASES, dtype=object), rows.shape)[rows]
    table = pd.DataFrame(
        {
            **id_columns(panel.ids[series], panel.schema),
            panel.schema.time_col: stamps(times, panel.schema)[
                np.broadcast_to(np.arange(n * horizon).reshape(n, horizon, 1), rows.shape)[rows]
            ],
            "base": base,
            "weight": found.weights[rows],
            "forecast": found.forecasts.swapaxes(1, 2)[rows],
        }
    )
    return from_pandas(table, panel.schema.backend)


def plot_weights(
    model: Any,
    data: Frame | Panel | None = None,
    ids: Any = None,
    *,
    future: Frame | None = None,
    static: Frame | None = None,
) -> Any:
    """A figure of the weights of the base forecasts over the steps ahead.

    Args:
        model: a fitted Blend.
        data: as in ``predict``; None: the data of ``fit``.
        ids: the series to draw; None: the first three.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an id that the data do not have.
        DataError: as in ``predict``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import Blend
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 5})
        >>> figure = Blend(horizon=4, season_length=5, max_steps=0).fit(frame).plot_weights()
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['a']
    """
    panel, found = model.weighed(data, future=future, static=static)
    some = chosen_positions(ids, panel.ids, SHOWN)
    return base_weights_chart([Weighed(str(panel.ids[int(n)]), found.weights[n]) for n in some], BASES)
