"""From contexts to what the network reads, and from what it gives to quantiles in the caller's units."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tsformers.forecasters.blend.bases.contexts import CENTRE, FEATURES, Contexts, Inputs
from tsformers.forecasters.blend.covariates import Rows, past_inputs
from tsformers.forecasters.blend.network import MOST, Batch

LARGEST = 5.0  # weight of a window in the loss, at most


class Units(NamedTuple):
    """What turns the network's numbers into the caller's: ``value * scale + centre``."""

    centre: np.ndarray  # (B, H)
    scale: np.ndarray  # (B,)
    constant: np.ndarray  # (B,) bool: the context holds one value alone


class Pool(NamedTuple):
    """Windows to train or validate on."""

    batch: Batch
    target: Tensor  # (B, H) in units of the scale from the centre, NaN where not observed
    units: Units

    @property
    def n(self) -> int:
        """B, how many."""
        return len(self.target)

    def weights(self) -> Tensor:
        """(B,) of the windows in the loss, 1 on average: the root of their scale, from a fifth to five times the mean.

        Scores of a panel such as the weighted quantile loss count a series by its size, scaled ones all alike.
        """
        scale = torch.from_numpy(self.units.scale / self.units.scale.mean()).to(self.target.device, torch.float32)
        roots = scale.sqrt().clamp(1 / LARGEST, LARGEST)
        return roots / roots.mean()

    def to(self, device: torch.device) -> "Pool":
        """The same windows on another device."""
        return Pool(self.batch.to(device), self.target.to(device), self.units)


def curves(contexts: Contexts, horizon: int) -> np.ndarray:
    """Functions of the step ahead, (B, H, 4): h / H, log h, place in the season, place in the second one."""
    h = np.arange(1, horizon + 1)
    out = np.zeros((len(contexts.first), horizon, 4), dtype=np.float32)
    out[..., 0] = h / horizon
    out[..., 1] = np.log(h) / 3
    for column, periods in ((2, contexts.seasons), (3, contexts.second)):
        length = np.maximum(periods, 1)[:, None]
        out[..., column] = np.where(periods[:, None] > 1, ((h - 1) % length + 1) / length, 0.0)
    return out


def network_batch(found: Inputs, contexts: Contexts, rows: Rows, horizon: int) -> tuple[Batch, Units]:
    """Base forecasts, features and covariates in the units of the network.

    Args:
        found: of the contexts.
        contexts: B of them, in ``rows.values``.
        rows: of the panel; the known covariates of the H rows after each context are read.
        horizon: H.

    Returns:
        What the network reads, in float32, and the units.
    """
    units = Units(found.forecasts[:, CENTRE], found.scale, found.constant)
    away = (found.forecasts - units.centre[:, None]) / units.scale[:, None, None]  # (B, K, H)
    if rows.known.shape[1]:
        known = rows.known[contexts.stop[:, None] + np.arange(horizon)].clip(-8, 8)
    else:
        known = np.zeros((len(found.scale), horizon, 0))
    parts = (
        found.features,
        np.clip(away, -MOST, MOST).swapaxes(1, 2),
        curves(contexts, horizon),
        past_inputs(rows, contexts.first, contexts.stop),
        known,
    )
    series, bases, steps, past, ahead = (torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in parts)
    return Batch(series, bases, torch.from_numpy(found.available), steps, past, ahead), units


def targets(future: np.ndarray, units: Units) -> Tensor:
    """What followed (B, H), in the units of the network; NaN where it is not observed."""
    return torch.from_numpy(((future - units.centre) / units.scale[:, None]).astype(np.float32))


def with_linear(found: Inputs, forecasts: np.ndarray, there: np.ndarray) -> Inputs:
    """The forecasts of the linear map among those of the other bases.

    Args:
        found: of B contexts.
        forecasts: (B, H).
        there: (B,) where there is one.

    Returns:
        The same arrays, written into.
    """
    found.forecasts[there, -1] = forecasts[there]
    found.available[there, -1] = True
    found.features[:, FEATURES.index("linear_available")] = there
    return found


def pool(found: Inputs, contexts: Contexts, rows: Rows, future: np.ndarray) -> Pool:
    """Windows with what followed; those of a constant context, or without a target, are left out.

    Args:
        found: of the contexts.
        contexts: B of them, in ``rows.values``.
        rows: of the panel.
        future: (B, H) what followed, NaN = missing.

    Returns:
        The windows that can be trained on.
    """
    batch, units = network_batch(found, contexts, rows, future.shape[1])
    good = ~found.constant & np.isfinite(future).any(axis=1)
    keep = torch.from_numpy(np.flatnonzero(good))
    return Pool(batch.rows(keep), targets(future, units)[keep], Units(*(part[good] for part in units)))
