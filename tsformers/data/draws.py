"""Draws from quantile forecasts."""

from dataclasses import replace

import numpy as np

from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.data.forecast import Forecast


def drawn(forecast: Forecast, n_samples: int, salt: int) -> Forecast:
    """Draws that have the quantiles of a quantile forecast, step by step; a forecast of draws is returned unchanged.

    The draws of a step are the quantiles at ``(k + 1/2) / S``. Their order, which decides what steps share a draw, is
    random with the id of the series as its seed; draws i and ``i + S // 2`` have opposite ranks, as the pairs of
    ``keyed_normals``.

    Args:
        forecast: draws or quantiles.
        n_samples: S, used where the forecast holds quantiles.
        salt: any whole number; different salts give independent orders.

    Returns:
        A forecast with ``samples``.

    Example:
        >>> import pandas as pd
        >>> held = np.array([[[0.0], [1.0], [2.0]]])
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), held, levels=(0.25, 0.5, 0.75))
        >>> sorted(drawn(forecast, 3, 0).values.ravel().round(2).tolist())
        [-0.58, 1.0, 2.58]
    """
    if forecast.levels is None:
        return forecast
    order = keyed_normals(series_keys(forecast.ids, salt), n_samples, forecast.horizon).argsort(axis=1)
    rank = order.argsort(axis=1)
    values = forecast.quantile((np.arange(n_samples) + 0.5) / n_samples)
    return replace(forecast, values=np.take_along_axis(values, rank, axis=1), levels=None, means=None)
