"""One trained network of Blend beside the one that it was trained from, and its recalibrated quantiles."""

from typing import NamedTuple

import numpy as np
import torch

from tsformers.distributions.recalibration import LevelMap, level_map, pit_values, remapped
from tsformers.forecasters.blend.batches import Pool
from tsformers.forecasters.blend.linear_map import LinearMap
from tsformers.forecasters.blend.network import Batch, BlendNetwork
from tsformers.nn.heads.quantile import LEVELS

AT_ONCE = 1024  # windows in a batch
PRIOR_BLOCKS = 100.0  # stretches of training rows that the shipped weights count as much as
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
HELD = np.asarray(LEVELS)


class Answer(NamedTuple):
    """What a member says of B windows."""

    quantiles: np.ndarray  # (B, Q, H) in units of the scale from the centre
    weights: np.ndarray  # (B, H, K) of the bases, summing to 1


class Member(NamedTuple):
    """The mean of the quantiles of a trained network and of the shipped one, read at recalibrated levels.

    Few rows say little about a panel, so the shipped network keeps a share, see ``share_of``.
    """

    network: BlendNetwork
    shipped: BlendNetwork
    share: float  # of the trained network
    linear: LinearMap | None  # one of the bases, which the shipped network does not know
    levels: LevelMap | None

    def to(self, device: torch.device) -> "Member":
        """The member with its networks on another device, where they stay."""
        self.network.to(device)
        self.shipped.to(device)
        return self


def untrained(shipped: BlendNetwork) -> Member:
    """The shipped network alone."""
    return Member(shipped, shipped, 0.0, None, None)


def share_of(member: Member, validation: Pool | None, blocks: float) -> Member:
    """The member with the share that does best on windows of validation, shrunk where little was trained on.

    Args:
        member: its share is replaced.
        validation: windows that it was not trained on; None: the whole share, before it is shrunk.
        blocks: n, stretches of training rows as long as the horizon or a season.

    Returns:
        The member with the best of five shares times ``n / (n + 100)``.
    """
    best = 1.0
    if validation is not None:
        both = [answered(member._replace(share=share), validation.batch).quantiles for share in (0.0, 1.0)]
        truth = validation.target.double().cpu().numpy()
        losses = [_loss(truth, (1 - share) * both[0] + share * both[1]) for share in SHARES]
        best = SHARES[int(np.argmin(losses))]
    return member._replace(share=best * blocks / (blocks + PRIOR_BLOCKS))


def _loss(truth: np.ndarray, quantiles: np.ndarray) -> float:
    """Mean pinball loss over windows, steps and levels."""
    error = truth[:, None] - quantiles
    return float(np.nanmean(np.maximum(HELD[:, None] * error, (HELD[:, None] - 1) * error)))


def answered(member: Member, batch: Batch) -> Answer:
    """Quantiles and weights of all windows of a batch, on the device of the networks."""
    device = member.shipped.weigh.weight.device
    parts = [
        _answered(member, batch.rows(rows).to(device)) for rows in torch.split(torch.arange(len(batch.series)), AT_ONCE)
    ]
    quantiles, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Answer(quantiles if member.levels is None else remapped(quantiles, HELD, member.levels), weights)


def calibrated(member: Member, validation: Pool, n: float) -> Member:
    """The member with the level map of windows that it was not trained on.

    Args:
        member: without a map.
        validation: windows.
        n: how many of them share no row of the future.

    Returns:
        The member with a map of all series together.
    """
    raw = answered(member, validation.batch).quantiles
    pit = pit_values(validation.target.double().cpu().numpy(), raw, HELD)
    return member._replace(levels=level_map(pit, HELD, n=n, prior_weight=None))


def _answered(member: Member, batch: Batch) -> Answer:
    quantiles, weights = np.zeros(()), np.zeros(())
    known = batch.available.clone()
    known[:, -1] = False
    for network, share, seen in (
        (member.network, member.share, batch),
        (member.shipped, 1 - member.share, batch._replace(available=known)),
    ):
        if share:
            with torch.inference_mode():
                found = network(seen)
            quantiles = quantiles + share * found.quantiles.double().cpu().numpy()
            weights = weights + share * found.weights.double().cpu().numpy()
    return Answer(np.ascontiguousarray(np.swapaxes(quantiles, 1, 2)), weights)
