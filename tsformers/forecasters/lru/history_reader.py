"""Histories read in parallel over time, and the state of a stream after them."""

from types import ModuleType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tsformers.data.window_scaling import scale
from tsformers.data.windows import Window
from tsformers.forecasters.lru.frozen_network import FrozenNetwork
from tsformers.forecasters.lru.inputs import CHANNEL_FEATURES
from tsformers.forecasters.lru.stream_state import StreamState

MIN_SCALE_SHARE = 1e-3  # of the first scale: lower limit of a running scale
SCALE_RULES = {None: 0, "standard": 1, "mean_abs": 2, "robust": 3}  # codes of the kernel that updates scales


class HistoryReader:
    """Reads histories in parallel over time and gives the state of a stream after them.

    Args:
        network: frozen.
        kernels: compiled.
        context_length: T: the units are those of the first T rows.
        scaler: of the model.
        rule: how location and scale are updated afterwards, see ``SCALE_RULES``.
        piece: steps of one pass.

    Source: Orvieto et al. (2023), LRU, section 2.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        kernels: ModuleType,
        context_length: int,
        scaler: str | None,
        rule: int,
        piece: int,
    ) -> None:
        self.network, self.kernels, self.context = network, kernels, context_length
        self.scaler, self.rule, self.piece = scaler, rule, piece

    def read(self, window: Window, n_statics: int, position: np.ndarray, phase: np.ndarray) -> StreamState:
        """The state after ``window`` (B, L, C), whose only future step holds the known covariates that follow.

        Each row begins with its first value, which lies in the first piece.

        Source: Orvieto et al. (2023), LRU, section 2.
        """
        batch, length, channels = window.past.shape
        start = window.past_observed.any(-1).int().argmax(1)
        y = torch.where(window.past_observed, window.past, torch.nan).permute(1, 0, 2).reshape(length, -1).numpy()
        lanes = np.arange(batch * channels)
        units = first_units(window, start, self.context, self.scaler)
        frozen = np.repeat(start.numpy() + self.context, channels)
        count, place = np.zeros(len(lanes), np.int64), np.zeros(len(lanes), np.int64)
        last, ring = np.zeros(len(lanes)), np.zeros((len(lanes), len(self.network.kernel)))
        own = window.past_x[..., : self.network.past_covariates]
        known = torch.cat([window.past_x[..., self.network.past_covariates :], window.future_x], dim=1)[:, 1:]
        states: list[Tensor] | None = None
        for first in range(0, length, self.piece):
            some = slice(first, first + self.piece)
            features_of_lanes = np.empty((len(lanes), len(y[some]), CHANNEL_FEATURES))
            self.kernels.observe(
                y[some],
                lanes,
                frozen - first,
                self.rule,
                float(self.context),
                units,
                count,
                last,
                place,
                ring,
                features_of_lanes,
            )
            by_step = (
                features_of_lanes.reshape(batch, channels, -1, CHANNEL_FEATURES)
                .swapaxes(1, 2)
                .reshape(batch, -1, channels * CHANNEL_FEATURES)
            )
            parts = [
                torch.from_numpy(by_step).to(self.network.device, self.network.dtype),
                *self.covariates(known[:, some], own[:, some]),
            ]
            begin = start.to(self.network.device) if states is None and bool(start.any()) else None
            features, states = self.network.trunk.scan(torch.cat(parts, dim=-1), states, begin)
        assert states is not None
        statics = window.future_x[:, 0, window.future_x.shape[2] - n_statics :].to(self.network.device)
        return StreamState(
            [state.clone() for state in states], features[:, -1].clone(), statics, units, count, last, place, ring,
            position, phase,
        )  # fmt: skip

    def covariates(self, known: Tensor, past: Tensor) -> list[Tensor]:
        """Known covariates (..., K) of the next step and past ones (..., P) of this one, as inputs of the network.

        Source: as for ``LRUNetwork``.
        """
        if past.shape[-1]:
            past = functional.pad(past, (0, 1), value=1.0)
        return [part.to(self.network.device, self.network.dtype) for part in (known, past)]


def first_units(window: Window, start: Tensor, context: int, scaler: str | None) -> np.ndarray:
    """Location and scale (B C, 4) of the first rows of each history, see ``StreamState``.

    Source: as for ``window_scaling.scale``.
    """
    length = window.past.shape[1]
    at = start[:, None] + torch.arange(min(context, length))
    inside = (at < length)[..., None]
    rows, at = torch.arange(len(at))[:, None], at.clamp(max=length - 1)
    observed = window.past_observed[rows, at] & inside
    head = window._replace(past=window.past[rows, at] * observed, past_observed=observed)
    scaled = scale(head, scaler, dtype=torch.float64)
    assert scaled.location is not None and scaled.scale is not None
    location, spread = (part.reshape(-1).numpy() for part in (scaled.location, scaled.scale))
    statistic = spread if scaler == "mean_abs" else spread**2
    return np.stack([location, spread, statistic, MIN_SCALE_SHARE * spread], axis=1)


def load_kernels() -> ModuleType:
    """The compiled kernels; imported when a stream is opened, since numba is slow to load."""
    import tsformers.forecasters.lru.kernels as kernels

    return kernels
