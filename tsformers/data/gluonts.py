"""GluonTS forecast objects, one per series, to one Forecast."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast, Ids
from tsformers.data.gluonts_objects import read


def from_gluonts(forecasts: Iterable[Any], ids: Ids | None = None) -> Forecast:
    """GluonTS forecasts, one a series, as one Forecast.

    Stamps are the starts of the periods (for weeks their last day, as pandas anchors them). A multivariate
    ``SampleForecast`` gives one series a dimension, ``item_id_0, item_id_1, ...``; a single one of them is joint.
    A ``mean`` among the keys of a ``QuantileForecast`` is left out: the quantiles have their own. Where it is the only
    key, the forecast is one draw, the mean.

    Args:
        forecasts: GluonTS ``SampleForecast`` or ``QuantileForecast`` objects, all of one kind, horizon and size.
        ids: names of the series; None = their ``item_id``, or 0, 1, ... where there is none.

    Returns:
        One forecast of all series.

    Raises:
        ValueError: no forecast at all, or forecasts of different kinds, levels, frequencies, sizes or horizons.

    Example:
        >>> ours = Forecast(pd.Index(["a"]), np.array([[7, 8]]), np.arange(6.0).reshape(1, 3, 2), freq=1)
        >>> bool((from_gluonts(ours.to_gluonts()).values == ours.values).all())
        True
    """
    parts = [read(forecast) for forecast in forecasts]
    if not parts:
        raise ValueError("there is no forecast to take; from_gluonts needs at least one")
    if len({(part.levels, part.freq, part.values.shape) for part in parts}) > 1:
        raise ValueError("the forecasts differ in kind, levels, frequency, sample count or horizon; convert them apart")
    first, dims = parts[0], len(parts[0].values)
    names = [i if part.name is None else part.name for i, part in enumerate(parts)]
    if dims > 1:
        names = [f"{name}_{d}" for name in names for d in range(dims)]
    return Forecast(
        pd.Index(names if ids is None else ids, tupleize_cols=False),
        np.repeat([part.times for part in parts], dims, axis=0),
        np.concatenate([part.values for part in parts]),
        levels=first.levels,
        freq=first.freq,
        schema=first.about.get("schema", Schema()),
        joint=first.about.get("joint", dims > 1 and len(parts) == 1),
        counts=first.about.get("counts", False),
    )
