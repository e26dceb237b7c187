"""The network of Blend: weights of the base forecasts at each step, and the quantiles around their mean."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import silu

from tsformers.nn.heads.quantile import LEVELS, QuantileHead

WIDTH = 128
SPREAD = 0.5  # units of the distances between quantiles
CLAMP = 50.0  # largest loss of a level and step
MOST = 1e4  # largest base forecast, in units of the scale from the centre
CURVES = 4  # functions of the step ahead and of the place in the seasons


class Blended(NamedTuple):
    """What the network gives, in units of the scale of each series, from its centre."""

    quantiles: Float[Tensor, "B H Q"]  # rising along Q
    weights: Float[Tensor, "B H K"]  # of the base forecasts, summing to 1


class Batch(NamedTuple):
    """What the network reads of B windows, all scale-free."""

    series: Float[Tensor, "B F"]  # features of the context
    bases: Float[Tensor, "B H K"]  # base forecasts, in units of the scale from the centre
    available: Bool[Tensor, "B K"]
    curves: Float[Tensor, "B H 4"]
    past: Float[Tensor, "B P"]  # of the past covariates
    known: Float[Tensor, "B H C"]  # known covariates of the steps, standardised

    def rows(self, chosen: Tensor) -> "Batch":
        """Some of the windows."""
        return Batch(*(part[chosen] for part in self))

    def to(self, device: torch.device) -> "Batch":
        """The same windows on another device."""
        return Batch(*(part.to(device) for part in self))


class BlendNetwork(nn.Module):
    """Weights of the bases and quantiles around their mean, step by step.

    ``e = encoder(X)``, ``o_h = head([e, Z_h])``, ``w_h = softmax(o_h[:K])`` over the available bases,
    ``mid_h = w_h . F_h + 0.5 o_h[K]``; the quantiles are steps of 0.5 softplus away from it and cannot cross. Before
    training all weights are equal. Covariates enter with zero weights: without training they change nothing.

    Args:
        features: F, of a context.
        bases: K.
        past: P, numbers made of past covariates.
        known: C, known covariates.

    Example:
        >>> network = BlendNetwork(3, 2)
        >>> shapes = (5, 3), (5, 4, 2), (5, 2), (5, 4, 4), (5, 0), (5, 4, 0)
        >>> batch = Batch(*(torch.zeros(shape) for shape in shapes))._replace(available=torch.ones(5, 2, dtype=bool))
        >>> network(batch).weights[0, 0], network(batch).quantiles.shape
        (tensor([0.5000, 0.5000], grad_fn=<SelectBackward0>), torch.Size([5, 4, 23]))

    Source: stacking by features: Montero-Manso, Athanasopoulos, Hyndman & Talagala (2020), FFORMA, section 2; quantiles
        by increments: Gasthaus et al. (2019), section 3.
    """

    def __init__(self, features: int, bases: int, past: int = 0, known: int = 0) -> None:
        super().__init__()
        self.first = nn.Linear(features, WIDTH)
        self.past = nn.Linear(past, WIDTH, bias=False) if past else None
        self.second = nn.Linear(WIDTH, WIDTH)
        self.encoded = nn.Linear(WIDTH, WIDTH)
        self.stepwise = nn.Linear(bases + CURVES, WIDTH, bias=False)
        self.known = nn.Linear(known, WIDTH, bias=False) if known else None
        self.third = nn.Linear(WIDTH, WIDTH)
        self.weigh = nn.Linear(WIDTH, bases)
        self.head = QuantileHead(WIDTH, 1, LEVELS)
        for part in (self.weigh, self.past, self.known):
            if part is not None:
                nn.init.zeros_(part.weight)
        nn.init.zeros_(self.weigh.bias)

    def forward(self, batch: Batch) -> Blended:
        """Weights and quantiles, in units of the scale of each window, from its centre."""
        inside = self.first(batch.series)
        if self.past is not None:
            inside = inside + self.past(batch.past)
        encoded = silu(self.second(silu(inside)))  # (B, D)
        there = batch.available[:, None]  # (B, 1, K)
        steps = torch.cat([torch.asinh(batch.bases) * there, batch.curves], dim=-1)
        hidden = self.encoded(encoded)[:, None] + self.stepwise(steps)
        if self.known is not None:
            hidden = hidden + self.known(batch.known)
        hidden = silu(self.third(silu(hidden)))  # (B, H, D)
        weights = self.weigh(hidden).masked_fill(~there, -torch.inf).softmax(-1)
        middle = (weights * batch.bases).sum(-1, keepdim=True)
        # the head adds its own middle, in units of SPREAD; the location comes divided by them
        quantiles = self.head(hidden, middle / SPREAD).values[..., 0, :] * SPREAD
        return Blended(quantiles, weights)

    def loss(self, batch: Batch, target: Float[Tensor, "B H"]) -> Float[Tensor, " B"]:
        """Mean pinball loss over levels and observed steps, twice, in units of the scale.

        Args:
            batch: windows.
            target: what followed, in units of the scale from the centre; NaN where it is not observed.

        Returns:
            One number a window.
        """
        levels = torch.tensor(LEVELS, dtype=batch.bases.dtype, device=batch.bases.device)
        seen = ~torch.isnan(target)
        error = torch.where(seen, target, 0.0)[..., None] - self(batch).quantiles
        pinball = (2 * torch.maximum(levels * error, (levels - 1) * error)).clamp(max=CLAMP).mean(-1)
        return (pinball * seen).sum(-1) / seen.sum(-1).clamp(min=1)
