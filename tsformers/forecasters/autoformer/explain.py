"""Explanations of a fitted Autoformer: trend and season of context and forecast, and the periods of its encoder."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted

from tsformers.data.dataframes import Frame, Schema, from_pandas, stamps
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.data.windows import Window
from tsformers.forecasters.neural.validation import check_bare
from tsformers.plotting.chosen import chosen_positions
from tsformers.plotting.decomposition import Parts, parts_chart
from tsformers.training.threads import limited_threads

SHOWN = 3  # series in a figure where the caller names none


class Explanation(NamedTuple):
    """Parts of N series over T steps of context and H steps of horizon, in the caller's units.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4.3.
    """

    ids: pd.Index
    times: np.ndarray  # (N, T + H)
    in_series: np.ndarray  # (N, T + H), False where the context reaches back before the series
    trend: np.ndarray  # (N, T + H)
    seasonal: np.ndarray  # (N, T + H)
    autocorrelation: np.ndarray  # (N, T), by lag
    horizon: int
    schema: Schema


def decompose(
    model: Any, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
) -> Frame:
    """Trend and seasonal part of the context and of the forecast, in the caller's units.

    In the context the trend is the moving average that the network starts from, and the two parts sum to the series, a
    missing value being the last observed one. In the forecast the trend is the decoder's, and the two sum to the mean
    of the predictive distribution; what the head adds to the decoder's sum counts as seasonal.

    Args:
        model: a fitted Autoformer.
        data: as in ``predict``; None: the data of ``fit``.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        Columns ``unique_id, ds, part ("context" or "forecast"), trend, seasonal`` (the first two under the caller's
        names), in the caller's frame type.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        DataError: as in ``predict``.

    Example:
        >>> from tsformers import Autoformer
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = Autoformer(horizon=4, context_length=16, d_model=8, d_ff=16, max_steps=2, seed=0, verbose=False)
        >>> parts = model.fit(frame).decompose()
        >>> parts["part"].value_counts().to_dict()
        {'context': 16, 'forecast': 4}
        >>> context = parts[parts["part"] == "context"]
        >>> bool(np.allclose(context["trend"] + context["seasonal"], frame["y"].tail(16), atol=1e-5))
        True

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4.3.
    """
    found = _explanation(model, data, future, static)
    length, rows = found.times.shape[1], found.in_series.ravel()
    part = np.where(np.arange(length) < length - found.horizon, "context", "forecast")
    table = pd.DataFrame(
        {
            **id_columns(found.ids.repeat(length)[rows], found.schema),
            found.schema.time_col: stamps(found.times, found.schema)[rows],
            "part": np.tile(part, len(found.ids))[rows],
            "trend": found.trend.ravel()[rows],
            "seasonal": found.seasonal.ravel()[rows],
        }
    )
    return from_pandas(table, found.schema.backend)


def periods(
    model: Any, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
) -> Frame:
    """The periods of each series in the auto-correlation of the encoder, the largest weight first.

    Auto-correlation selects the lags where its correlation is largest. These are multiples of the periods plus a phase
    that the projections determine; hence a period is a distance between such lags: a peak of the autocorrelation of the
    correlation. It is averaged over the layers of the encoder. Left out are lag 0 and, of the lags tau and T - tau,
    which are the same on a circle of T steps, the longer one.

    Args:
        model: a fitted Autoformer.
        data: as in ``predict``; None: the data of ``fit``.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        Columns ``unique_id`` (under the caller's name), ``lag`` in steps (at most half the context) and ``weight``,
        which sums to 1 in each series. A series without a period has no row.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        DataError: as in ``predict``.

    Example:
        >>> from tsformers import Autoformer
        >>> season = np.array([0.0, 3.0, 1.0, 5.0, 2.0, 2.0, 9.0, 4.0])
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(80), "y": np.tile(season, 10)})
        >>> model = Autoformer(horizon=4, context_length=32, d_model=8, d_ff=16, max_steps=2, seed=0, verbose=False)
        >>> int(model.fit(frame).periods().loc[0, "lag"]) % 8
        0

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eqs. 5 and 8, section 4.3; the distance between lags is ours.
    """
    found = _explanation(model, data, future, static)
    lags, weights = zip(*map(peaks, found.autocorrelation), strict=True)
    names = found.ids.repeat([len(each) for each in lags])
    columns = {"lag": np.concatenate(lags), "weight": np.concatenate(weights)}
    return from_pandas(pd.DataFrame({**id_columns(names, found.schema), **columns}), found.schema.backend)


def plot_decomposition(
    model: Any,
    data: Frame | Panel | None = None,
    ids: Any = None,
    *,
    future: Frame | None = None,
    static: Frame | None = None,
) -> Any:
    """A figure of each series: value and trend, seasonal part, and the weights of the periods.

    Args:
        model: a fitted Autoformer.
        data: as in ``predict``; None: the data of ``fit``.
        ids: the series to draw; None: the first three.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one; ``figure.savefig("f.png")`` keeps it.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an id that the data do not have.
        DataError: as in ``predict``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import Autoformer
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = Autoformer(horizon=4, context_length=16, d_model=8, d_ff=16, max_steps=2, seed=0, verbose=False)
        >>> [axes.get_title(loc="left") for axes in model.fit(frame).plot_decomposition().axes]
        ['a', 'seasonal part', 'periods, in steps']

    Source: Wu, Xu, Wang & Long (2021), Autoformer, figures 5 and 6.
    """
    found = _explanation(model, data, future, static)
    parts = []
    for n in chosen_positions(ids, found.ids, SHOWN):
        rows = found.in_series[n]
        values = (found.times[n][rows], found.trend[n][rows], found.seasonal[n][rows])
        parts.append(Parts(str(found.ids[int(n)]), *values, found.horizon, *peaks(found.autocorrelation[n])))
    return parts_chart(parts, found.schema.tz)


def peaks(autocorrelation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a circular autocorrelation has positive peaks, besides lag 0, and their shares; the highest first.

    Args:
        autocorrelation: (T,), by lag.

    Returns:
        Lags up to T // 2, and weights that sum to 1.

    Example:
        >>> peaks(np.array([1.0, 0.0, 0.3, 0.1, 0.6, 0.1, 0.3, 0.0]))
        (array([4, 2]), array([0.66666667, 0.33333333]))

    """
    lags = np.arange(1, len(autocorrelation) // 2 + 1)
    here, before, after = (autocorrelation[(lags + step) % len(autocorrelation)] for step in (0, -1, 1))
    lags = lags[(here > before) & (here >= after) & (here > 0)]
    lags = lags[np.argsort(-autocorrelation[lags], kind="stable")]
    heights = autocorrelation[lags]
    return lags, heights / heights.sum() if len(lags) else heights


def _explanation(model: Any, data: Frame | Panel | None, future: Frame | None, static: Frame | None) -> Explanation:
    """Of the windows that ``predict`` gives to the network, so that what predict refuses is refused here too."""
    check_is_fitted(model, "network_")
    check_bare(model, "decomposing a forecast")
    windows: list[Window] = []
    hook = model.network_.register_forward_pre_hook(lambda _, inputs: windows.append(inputs[0]))
    try:
        forecast = model.predict(data, future=future, static=static, n_samples=1)
    finally:
        hook.remove()
    panel = model.panel_ if data is None else model.panel_.like(data, static, model.short_)
    panel = panel.select(panel.ids.get_indexer(forecast.ids))
    with torch.no_grad(), limited_threads():
        explained = [model.network_.explain(window) for window in windows]
    scaled = list(zip(explained, windows, strict=True))
    trend = torch.cat([e.trend.double() * w.scale + w.location for e, w in scaled]).cpu().numpy()
    seasonal = torch.cat([e.seasonal.double() * w.scale for e, w in scaled]).cpu().numpy()
    autocorrelation = torch.cat([e.autocorrelation for e in explained]).double().cpu().numpy()
    if model.multivariate:  # one window of N channels
        trend, seasonal = trend[0].T, seasonal[0].T
        autocorrelation = np.broadcast_to(autocorrelation, (panel.n_series, model.context_length_))
    else:
        trend, seasonal = trend[..., 0], seasonal[..., 0]
    rows = panel.ends[:, None] + np.arange(-model.context_length_, 0)  # (N, T)
    in_series = np.pad(rows >= panel.offsets[:-1, None], ((0, 0), (0, model.horizon)), constant_values=True)
    times = np.concatenate([panel.times[np.maximum(rows, 0)], forecast.times], axis=1)
    return Explanation(panel.ids, times, in_series, trend, seasonal, autocorrelation, model.horizon, panel.schema)
