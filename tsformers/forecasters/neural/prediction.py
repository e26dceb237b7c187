"""Draws of a fitted network at many cutoffs, in the caller's units."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tsformers.data.window_scaling import scale, unscale
from tsformers.data.windows import Packed, Window, cut
from tsformers.training.randomness import RandomState, find_device
from tsformers.training.threads import limited_threads

MAX_NUMBERS = 2**23  # that the network draws in one call
MAX_WINDOWS = 512  # that the network reads in one call


def draw(
    model: Any,
    packed: Packed,
    ids: pd.Index,
    series: Int64[Tensor, " M"],
    cutoffs: Int64[Tensor, " M"],
    n_samples: int,
    seed: int | None,
) -> Float[np.ndarray, "M S H C"]:
    """What follows each cutoff, a bounded number of draws at a time.

    Args:
        model: a fitted ``TorchForecaster``.
        packed: the series, with the covariates of ``fit`` in their units.
        ids: of the series; those that were in the data of ``fit`` keep their number there, others are -1.
        series: which series each cutoff belongs to.
        cutoffs: rows of ``packed``; the context is before them.
        n_samples: S; a network with quantiles gives those in their place.
        seed: None: the model's.

    Returns:
        Draws or quantiles in the caller's units.

    Example:
        >>> from tsformers import Linear, Panel
        >>> from tsformers.testing import make_frame
        >>> model = Linear(horizon=4, context_length=8, max_steps=2, seed=0, verbose=False).fit(make_frame(2, 40))
        >>> packed = model.covariates_.pack(model.panel_, multivariate=False)
        >>> draw(model, packed, model.panel_.ids, torch.arange(2), packed.ends, 50, seed=None).shape
        (2, 50, 4, 1)
    """
    width = len(model.network_.levels or ()) or n_samples
    values = np.empty((len(cutoffs), width, model.horizon, packed.y.shape[1]))
    for part, drawn in draw_in_parts(model, packed, ids, series, cutoffs, n_samples, seed):
        values[part] = drawn
    return values


def draw_in_parts(
    model: Any,
    packed: Packed,
    ids: pd.Index,
    series: Int64[Tensor, " M"],
    cutoffs: Int64[Tensor, " M"],
    n_samples: int,
    seed: int | None,
) -> Iterator[tuple[slice, Float[np.ndarray, "m S H C"]]]:
    """What ``draw`` gives, a part of the cutoffs after another; between two parts the caller's random state is back.

    Args:
        model: as in ``draw``, like all others.
        packed: the series.
        ids: of the series.
        series: which series each cutoff belongs to.
        cutoffs: rows of ``packed``.
        n_samples: S.
        seed: None: the model's.

    Yields:
        Which cutoffs, and their draws or quantiles.
    """
    device, levels = find_device(model.device), model.network_.levels
    n, channels, width = len(cutoffs), packed.y.shape[1], len(levels) if levels else n_samples
    numbers = model.horizon * channels
    windows = max(1, min(MAX_WINDOWS, MAX_NUMBERS // (numbers * width)))
    draws = width if levels else max(1, min(width, MAX_NUMBERS // numbers))
    numbered = np.zeros(1, dtype=np.int64) if model.multivariate else model.panel_.ids.get_indexer(ids)
    series_of_fit = torch.from_numpy(numbered)[series].to(device)
    packed, series, cutoffs = packed.to(device), series.to(device), cutoffs.to(device)
    model.network_.eval()
    random = RandomState(model.seed if seed is None else seed, device)
    for start in range(0, n, windows):
        part = slice(start, min(start + windows, n))
        values = np.empty((part.stop - start, width, model.horizon, channels))
        with torch.no_grad(), limited_threads(), random.entered():
            window = cut(packed, series[part], cutoffs[part], model.context_length_, model.horizon)
            window = scale(without_future(window, series_of_fit[part]), model.scaler)
            for first in range(0, width, draws):
                drawn = model.network_.sample(window, min(draws, width - first))
                values[:, first : first + draws] = unscale(drawn.double(), window).cpu()
        if model.likelihood == "negative_binomial":
            np.round(values, out=values)  # undoing the scale left 2.9999998
        yield part, values


def without_future(window: Window, series: Int64[Tensor, " B"]) -> Window:
    """A batch whose targets are replaced by zeros and count as missing.

    Args:
        window: as cut, in the caller's units.
        series: what ``window.series`` is to be.

    Returns:
        A new batch.

    Example:
        >>> from tsformers.testing import make_window
        >>> without_future(make_window(2, 8, 4), torch.zeros(2, dtype=torch.int64)).future_observed.any().item()
        False
    """
    return window._replace(
        series=series, future=torch.zeros_like(window.future), future_observed=torch.zeros_like(window.future_observed)
    )
