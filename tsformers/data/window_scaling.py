"""Windows in units of their own context, and forecasts back in the caller's units."""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from tsformers.data.series_scale import IQR_OF_NORMAL
from tsformers.data.windows import Window
from tsformers.errors import TsformersError
from tsformers.messages import Setting

Scaler = Literal["mean_abs", "standard", "robust"]
SCALERS: tuple[str, ...] = get_args(Scaler)


def scale(window: Window, method: str | None, dtype: torch.dtype = torch.float32) -> Window:
    """The window in units of its own context: ``(value - location) / scale``, channel by channel.

    ``"mean_abs"`` divides by the mean absolute value; ``"standard"`` centres on the mean and divides by the standard
    deviation (ddof 0); ``"robust"`` centres on the median and divides by the interquartile range / 1.349, or the
    standard deviation where that is zero. Only observed values of the context count. Where the context is constant the
    scale is its mean absolute value, or 1 if that is zero too. The targets of
    a channel without an observed value in the context count as missing.

    Args:
        window: in the caller's units.
        method: None leaves location 0 and scale 1.
        dtype: of the answer; the arithmetic is done in that of ``window``.

    Returns:
        The window with ``location`` and ``scale`` set, values cast to ``dtype``.

    Raises:
        ValueError: an unknown method.

    Example:
        >>> import numpy as np
        >>> from tsformers.data.windows import cut, pack_rows
        >>> packed = pack_rows(np.array([[1.0], [3.0], [6.0]]), [0, 3])
        >>> window = scale(cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1), "standard")
        >>> window.past[0, :, 0], window.future[0, :, 0], window.location.item(), window.scale.item()
        (tensor([-1.,  1.]), tensor([4.]), 2.0, 1.0)
    """
    location, spread = _location_and_scale(window.past, window.past_observed, method)
    measured = window.past_observed.any(dim=1, keepdim=True)
    future_observed = window.future_observed & measured if method else window.future_observed
    return window._replace(
        past=((window.past - location) / spread * window.past_observed).to(dtype),
        past_x=window.past_x.to(dtype),
        future=((window.future - location) / spread * future_observed).to(dtype),
        future_observed=future_observed,
        future_x=window.future_x.to(dtype),
        location=location,
        scale=spread,
    )


def unscale(values: Float[Tensor, "B S H C"], window: Window) -> Float[Tensor, "B S H C"]:
    """Draws or quantiles back in the caller's units, in the precision of the window's location and scale.

    Args:
        values: output of a network for the scaled ``window``.
        window: the scaled window.

    Returns:
        ``values * scale + location``.

    Example:
        >>> import numpy as np
        >>> from tsformers.data.windows import cut, pack_rows
        >>> packed = pack_rows(np.array([[1.0], [3.0]]), [0, 2])
        >>> window = scale(cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1), "mean_abs")
        >>> unscale(torch.ones(1, 1, 1, 1), window).item()
        2.0
    """
    if window.location is None or window.scale is None:
        return values
    return values * window.scale[:, None] + window.location[:, None]


def _location_and_scale(y: Tensor, observed: Tensor, method: str | None) -> tuple[Tensor, Tensor]:
    """Location and scale (B, 1, C) of the observed values; see ``scale``."""
    zero, one = y.new_zeros(len(y), 1, y.shape[2]), y.new_ones(len(y), 1, y.shape[2])
    if method is None:
        return zero, one
    if method not in SCALERS:
        raise TsformersError(Setting("scaler", method), f" is unknown; choose one of {', '.join(SCALERS)} or None")
    n = observed.sum(dim=1, keepdim=True).clamp(min=1)
    mean_abs = y.abs().sum(dim=1, keepdim=True) / n  # missing values are zeros
    fallback = torch.where(mean_abs > torch.finfo(torch.float32).tiny, mean_abs, one)
    if method == "mean_abs":
        return zero, fallback
    location = y.sum(dim=1, keepdim=True) / n
    spread = (((y - location) * observed).square().sum(dim=1, keepdim=True) / n).sqrt()
    least = 16 * torch.finfo(y.dtype).eps * mean_abs + torch.finfo(torch.float32).tiny  # below: nothing but rounding
    if method == "robust":
        lower, location, upper = _quartiles(y, observed, n)
        spread = torch.where(upper - lower > least, (upper - lower) / IQR_OF_NORMAL, spread)
    return location, torch.where(spread > least, spread, fallback)


def _quartiles(y: Tensor, observed: Tensor, n: Tensor) -> list[Tensor]:
    """Lower quartile, median and upper quartile (B, 1, C) of the observed values, interpolated linearly."""
    ordered = y.masked_fill(~observed, torch.inf).sort(dim=1).values
    ordered = ordered.masked_fill(ordered.isinf(), 0.0)
    quartiles = []
    for level in (0.25, 0.5, 0.75):
        place = (n - 1) * level
        below = place.floor().long()
        low, high = ordered.gather(1, below), ordered.gather(1, torch.minimum(below + 1, n - 1))
        quartiles.append(low + (place - below).to(y.dtype) * (high - low))
    return quartiles
