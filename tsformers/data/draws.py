"""Quantile forecasts as draws."""

from dataclasses import replace

import numpy as np

from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.data.forecast import Forecast


def drawn(forecast: Forecast, n_samples: int, salt: int) -> Forecast:
    """Held quantiles as draws, each step alone; a forecast that holds draws already comes back as it is.

    The draws of a step are the quantiles at ``(k + 1/2) / S``, so that they say what the quantiles said; which of them
    meet in one draw is settled by the id of the series.

    Args:
        forecast: draws or quantiles.
        n_samples: S, if it holds quantiles.
        salt: any number; two uses with different salts are independent of each other.

    Returns:
        A forecast with ``samples``.

    Example:
        >>> held = np.array([[[0.0], [1.0], [2.0]]])
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[7]]), held, levels=(0.25, 0.5, 0.75))
        >>> sorted(drawn(forecast, 3, 0).values.ravel().round(2).tolist())
        [-0.58, 1.0, 2.58]
    """
    if forecast.levels is None:
        return forecast
    order = keyed_normals(series_keys(forecast.ids, salt), n_samples, forecast.horizon).argsort(axis=1)
    values = forecast.quantile((np.arange(n_samples) + 0.5) / n_samples)
    return replace(forecast, values=np.take_along_axis(values, order, axis=1), levels=None)
