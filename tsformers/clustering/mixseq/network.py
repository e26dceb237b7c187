"""The networks of MixSeq: K autoregressive Transformers side by side, and an inference network for the cluster."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from tsformers.nn import carry_forward
from tsformers.nn.attention.conv_attention import ConvTransformer, GroupedLinear

OUTLIER = 10.0  # in units of the series: inputs of networks are squashed to it, densities take all values
LEAST_SPREAD = 1e-3  # in units of the series
HARMONICS = 3  # sines and cosines that encode the position in a window
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the networks; see ``MixSeq``."""

    n_clusters: int
    context_length: int
    d_model: int
    n_layers: int
    n_heads: int
    kernel: int
    dropout: float
    shared_embedding: bool


class Crop(NamedTuple):
    """B stretches of series; G is 1, or K where each component reads its own."""

    values: Float[Tensor, "G B T"]  # anything finite where missing
    observed: Bool[Tensor, "G B T"]
    scored: Bool[Tensor, "G B T"]  # steps whose densities count: observed, with an observed value before them


class MixtureNetwork(nn.Module):
    """``p(x | k)`` for all k in one pass, and ``q(k | x)``.

    Component k gives each value the distribution ``N(m, s^2)``, computed from the values before it. The inference
    network, with its own weights, reads all values; its features are averaged over the scored steps, and a linear map
    gives the logits.

    Args:
        sizes: of both networks.

    Example:
        >>> network = MixtureNetwork(Sizes(3, 16, 8, 1, 2, 3, 0.0, False))
        >>> crop = make_crop(torch.zeros(5, 16), torch.ones(5, 16, dtype=bool))
        >>> network.log_densities(crop).shape, network.logits(crop).shape
        (torch.Size([3, 5]), torch.Size([5, 3]))

    Source: Zhu et al. (2021), MixSeq, section 3.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        inputs = 2 + 2 * HARMONICS
        layers = sizes.d_model, sizes.n_layers, sizes.n_heads, sizes.kernel
        self.components = ConvTransformer(
            inputs, *layers, sizes.n_clusters, dropout=sizes.dropout, shared_embedding=sizes.shared_embedding
        )
        self.to_distribution = GroupedLinear(sizes.d_model, 2, sizes.n_clusters)
        self.reader = ConvTransformer(inputs, *layers, dropout=sizes.dropout)
        self.to_logits = nn.Linear(sizes.d_model, sizes.n_clusters)

    def log_densities(self, crop: Crop) -> Float[Tensor, "K B"]:
        """``sum log p(x[t] | x[<t], k)`` over the scored steps.

        Args:
            crop: one group, which all components read, or K.

        Returns:
            Nats.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        now = self._inputs(crop)
        before = functional.pad(now[:, :, :-1, :2], (0, 0, 1, 0))
        inputs = torch.cat([before, now[..., 2:]], dim=-1)
        mean, spread = self.to_distribution(self.components(inputs)).unbind(-1)  # (K, B, T)
        spread = functional.softplus(spread) + LEAST_SPREAD
        density = -0.5 * ((crop.values - mean) / spread).square() - spread.log() - HALF_LOG_TWO_PI
        return torch.where(crop.scored, density, 0.0).sum(-1)

    def features(self, crop: Crop) -> tuple[Float[Tensor, "B D"], Float[Tensor, " B"]]:
        """Features of the inference network, summed over the scored steps, and the number of these.

        Args:
            crop: of one group.

        Returns:
            Sums; those of several stretches of one series may be added up.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        stream = functional.layer_norm(self.reader(self._inputs(crop))[0], (self.sizes.d_model,))
        scored = crop.scored[0, :, :, None]
        return torch.where(scored, stream, 0.0).sum(1), scored.sum((1, 2))

    def logits_of(self, features: Float[Tensor, "B D"], steps: Float[Tensor, " B"]) -> Float[Tensor, "B K"]:
        """Logits of q from the features of whole series.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        return self.to_logits(features / steps.clamp(min=1)[:, None])

    def logits(self, crop: Crop) -> Float[Tensor, "B K"]:
        """Logits of q for series that are one stretch each.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        return self.logits_of(*self.features(crop))

    def reorder(self, clusters: Tensor) -> None:
        """Puts the clusters in another order; only their numbers change.

        Args:
            clusters: (K,), the old number of each.
        """
        with torch.no_grad():
            for weight in [*self.components.parameters(), *self.to_distribution.parameters()]:
                if len(weight) == len(clusters):
                    weight.copy_(weight[clusters])
            for weight in self.to_logits.parameters():
                weight.copy_(weight[clusters])

    def copy_component(self, source: int, target: int, noise: float) -> None:
        """Makes one component a noisy copy of another.

        Args:
            source: the one that is copied.
            target: the one that is replaced.
            noise: standard deviation of the noise, in units of the spread of each weight.
        """
        with torch.no_grad():
            for weight in [*self.components.parameters(), *self.to_distribution.parameters()]:
                if len(weight) > 1:
                    own = weight[source]
                    weight[target] = own + noise * own.std(correction=0) * torch.randn_like(own)

    def _inputs(self, crop: Crop) -> Float[Tensor, "G B T I"]:
        """Inputs of each step: its value, whether it was observed, and its position in the window."""
        shape = crop.values.shape
        flat = carry_forward(crop.values.flatten(0, 1)[..., None], crop.observed.flatten(0, 1)[..., None])
        values = flat.view(shape)
        squashed = values / torch.sqrt(1 + (values / OUTLIER) ** 2)
        turn = torch.arange(shape[-1], device=values.device) * (math.pi / self.sizes.context_length)
        turns = turn[:, None] * torch.arange(1, HARMONICS + 1, device=values.device)
        place = torch.cat([turns.sin(), turns.cos()], dim=-1).to(values.dtype).expand(*shape, -1)
        return torch.cat([torch.stack([squashed, crop.observed.to(values.dtype)], dim=-1), place], dim=-1)


def make_crop(values: Tensor, observed: Tensor, first: Tensor | None = None) -> Crop:
    """A crop of one group, or several, with its scored steps.

    Args:
        values: (B, T) or (G, B, T), anything finite where missing.
        observed: of the same shape.
        first: (B,), steps before these are context only; None: none are.

    Returns:
        The crop; a step is scored where it and some step before it are observed.

    Example:
        >>> observed = torch.tensor([[False, True, True, False, True]])
        >>> make_crop(torch.zeros(1, 5), observed).scored[0, 0].tolist()
        [False, False, True, False, True]
    """
    if values.ndim == 2:
        values, observed = values[None], observed[None]
    scored = observed & (observed.cumsum(-1) > 1)
    if first is not None:
        scored = scored & (torch.arange(values.shape[-1], device=values.device) >= first[..., None])
    return Crop(values, observed, scored)
