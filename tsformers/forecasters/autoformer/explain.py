"""What a fitted Autoformer sees: trend and season of context and forecast, and the periods that its encoder found."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted

from tsformers.data.dataframes import Frame, Schema, from_pandas, stamps
from tsformers.data.panel import Panel
from tsformers.data.windows import Window
from tsformers.forecasters.neural.validation import check_bare
from tsformers.plotting.decomposition import Parts, parts_chart


class Seen(NamedTuple):
    """N series, their T steps of context and H steps of horizon, in the caller's units.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4.3.
    """

    ids: pd.Index
    times: np.ndarray  # (N, T + H)
    there: np.ndarray  # (N, T + H), False where the context reaches back before the series
    trend: np.ndarray  # (N, T + H)
    seasonal: np.ndarray  # (N, T + H)
    repeats: np.ndarray  # (N, T), by lag
    horizon: int
    schema: Schema


def decompose(
    model: Any, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
) -> Frame:
    """Trend and seasonal part of the context and of the forecast, in the caller's units.

    In the context the trend is the moving average that the network begins with, and the two parts sum to the series, a
    missing value being the last one seen. In the forecast the trend is the decoder's, and the two sum to the mean of
    the predictive law; what the head adds to the decoder's sum counts as seasonal.

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
    seen = _look(model, data, future, static)
    length, there = seen.times.shape[1], seen.there.ravel()
    part = np.where(np.arange(length) < length - seen.horizon, "context", "forecast")
    table = pd.DataFrame(
        {
            seen.schema.id_col: seen.ids.repeat(length)[there],
            seen.schema.time_col: stamps(seen.times, seen.schema)[there],
            "part": np.tile(part, len(seen.ids))[there],
            "trend": seen.trend.ravel()[there],
            "seasonal": seen.seasonal.ravel()[there],
        }
    )
    return from_pandas(table, seen.schema.backend)


def periods(
    model: Any, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
) -> Frame:
    """The periods that Auto-Correlation sees in the context of each series, the heaviest first.

    Auto-Correlation picks the lags where its correlation is largest. These are multiples of the periods plus a phase
    that the projections are free to choose; hence a period shows as a distance between such lags: as a peak of the
    autocorrelation of the correlation. Peaks are averaged over the encoder's layers. Lag 0 is left out, where
    everything resembles itself, and of the lags tau and T - tau, which are the same on a circle of T steps, the longer.

    Args:
        model: a fitted Autoformer.
        data: as in ``predict``; None: the data of ``fit``.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        Columns ``unique_id`` (under the caller's name), ``lag`` in steps (at most half the context) and ``weight``,
        which sums to 1 in each series. A series in which nothing repeats has no row.

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
    seen = _look(model, data, future, static)
    tables = []
    for name, repeats in zip(seen.ids, seen.repeats, strict=True):
        lags, weights = peaks(repeats)
        tables.append(pd.DataFrame({seen.schema.id_col: [name] * len(lags), "lag": lags, "weight": weights}))
    return from_pandas(pd.concat(tables, ignore_index=True), seen.schema.backend)


def plot_decomposition(
    model: Any,
    data: Frame | Panel | None = None,
    ids: Any = None,
    *,
    future: Frame | None = None,
    static: Frame | None = None,
) -> Any:
    """A picture of each series: value and trend, seasonal part, and the weights of the periods.

    Args:
        model: a fitted Autoformer.
        data: as in ``predict``; None: the data of ``fit``.
        ids: the series to draw; None: the first three.
        future: as in ``predict``.
        static: as in ``predict``.

    Returns:
        A ``matplotlib.figure.Figure``, unknown to pyplot; ``figure.savefig("f.png")`` keeps it.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an id that is not there.
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
    seen = _look(model, data, future, static)
    chosen = seen.ids[:3] if ids is None else pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
    positions = seen.ids.get_indexer(chosen)
    if (positions < 0).any():
        raise ValueError(f"series {chosen[int(np.argmax(positions < 0))]!r} is not there; see the ids of the data")
    pictures = []
    for n in positions:
        there = seen.there[n]
        rows = (seen.times[n][there], seen.trend[n][there], seen.seasonal[n][there])
        pictures.append(Parts(str(seen.ids[int(n)]), *rows, seen.horizon, *peaks(seen.repeats[n])))
    return parts_chart(pictures, seen.schema.tz)


def peaks(repeats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a circular autocorrelation has positive peaks, besides lag 0, and their shares; the highest first.

    Args:
        repeats: (T,), by lag.

    Returns:
        Lags up to T // 2, and weights that sum to 1.

    Example:
        >>> peaks(np.array([1.0, 0.0, 0.3, 0.1, 0.6, 0.1, 0.3, 0.0]))
        (array([4, 2]), array([0.66666667, 0.33333333]))

    Source: ours.
    """
    lags = np.arange(1, len(repeats) // 2 + 1)
    here, before, after = repeats[lags], repeats[lags - 1], repeats[(lags + 1) % len(repeats)]
    lags = lags[(here > before) & (here >= after) & (here > 0)]
    lags = lags[np.argsort(-repeats[lags], kind="stable")]
    return lags, repeats[lags] / repeats[lags].sum() if len(lags) else repeats[lags]


def _look(model: Any, data: Frame | Panel | None, future: Frame | None, static: Frame | None) -> Seen:
    """Listens to the windows that the network is shown while it forecasts: what predict refuses, this refuses too."""
    check_is_fitted(model, "network_")
    check_bare(model, "decomposing a forecast")
    windows: list[Window] = []
    listener = model.network_.register_forward_pre_hook(lambda _, given: windows.append(given[0]))
    try:
        forecast = model.predict(data, future=future, static=static, n_samples=1)
    finally:
        listener.remove()
    panel = model.panel_ if data is None else model.panel_.like(data, static, model.short_)
    panel = panel.select(panel.ids.get_indexer(forecast.ids))
    with torch.no_grad():
        told = [model.network_.explain(window) for window in windows]
    scaled = list(zip(told, windows, strict=True))
    trend = torch.cat([e.trend.double() * w.scale + w.location for e, w in scaled]).cpu().numpy()
    seasonal = torch.cat([e.seasonal.double() * w.scale for e, w in scaled]).cpu().numpy()
    repeats = torch.cat([e.repeats for e in told]).double().cpu().numpy()
    if model.multivariate:  # one window of N channels
        trend, seasonal, repeats = (
            trend[0].T,
            seasonal[0].T,
            np.broadcast_to(repeats, (panel.n_series, model.context_length_)),
        )
    else:
        trend, seasonal = trend[..., 0], seasonal[..., 0]
    rows = panel.ends[:, None] + np.arange(-model.context_length_, 0)  # (N, T)
    there = np.pad(rows >= panel.offsets[:-1, None], ((0, 0), (0, model.horizon)), constant_values=True)
    times = np.concatenate([panel.times[np.maximum(rows, 0)], forecast.times], axis=1)
    return Seen(panel.ids, times, there, trend, seasonal, repeats, model.horizon, panel.schema)
