"""The networks of MixSeq: K autoregressive Transformers side by side, and one that names the maker of a series."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from tsformers.nn import carry_forward
from tsformers.nn.attention.conv_attention import ConvTransformer, GroupedLinear

OUTLIER = 10.0  # in units of the series: networks see no value beyond it, densities see all
LEAST_SPREAD = 1e-3  # in units of the series
HARMONICS = 3  # sines and cosines that tell the place in a window
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Sizes:
    """Of the networks; see ``MixSeq``."""

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

    values: Float[Tensor, "G B T"]  # gaps and what lies behind the end hold anything finite
    seen: Bool[Tensor, "G B T"]
    counted: Bool[Tensor, "G B T"]  # steps that are to be judged: seen, with a seen value before them


class MixtureNetwork(nn.Module):
    """``p(x | k)`` for all k in one pass, and ``q(k | x)``.

    Component k says of each value, from those before it, ``N(m, s^2)``. The inference network, with weights of its own,
    reads all values; its features are averaged over the steps that count, and a linear map gives the logits.

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
        self.law = GroupedLinear(sizes.d_model, 2, sizes.n_clusters)
        self.reader = ConvTransformer(inputs, *layers, dropout=sizes.dropout)
        self.name = nn.Linear(sizes.d_model, sizes.n_clusters)

    def log_densities(self, crop: Crop) -> Float[Tensor, "K B"]:
        """``sum log p(x[t] | x[<t], k)`` over the steps that count.

        Args:
            crop: one group, which all components judge, or K.

        Returns:
            Nats.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        inputs = self._inputs(crop)
        before = functional.pad(inputs[:, :, :-1, :2], (0, 0, 1, 0))
        told = torch.cat([before, inputs[..., 2:]], dim=-1)
        mean, spread = self.law(self.components(told)).unbind(-1)  # (K, B, T)
        spread = functional.softplus(spread) + LEAST_SPREAD
        density = -0.5 * ((crop.values - mean) / spread).square() - spread.log() - HALF_LOG_TWO_PI
        return torch.where(crop.counted, density, 0.0).sum(-1)

    def features(self, crop: Crop) -> tuple[Float[Tensor, "B D"], Float[Tensor, " B"]]:
        """What the inference network makes of the steps that count: the sum of their features, and how many they are.

        Args:
            crop: of one group.

        Returns:
            Sums, which those of other stretches of the same series may be added to.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        stream = functional.layer_norm(self.reader(self._inputs(crop))[0], (self.sizes.d_model,))
        counted = crop.counted[0, :, :, None]
        return torch.where(counted, stream, 0.0).sum(1), counted.sum((1, 2))

    def named(self, features: Float[Tensor, "B D"], steps: Float[Tensor, " B"]) -> Float[Tensor, "B K"]:
        """Logits of q from the features of whole series.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        return self.name(features / steps.clamp(min=1)[:, None])

    def logits(self, crop: Crop) -> Float[Tensor, "B K"]:
        """Logits of q for series that are one stretch each.

        Source: Zhu et al. (2021), MixSeq, section 3.
        """
        return self.named(*self.features(crop))

    def reorder(self, clusters: Tensor) -> None:
        """Puts the clusters in another order, which changes nothing but their numbers.

        Args:
            clusters: (K,), the old number of each.
        """
        with torch.no_grad():
            for weight in [*self.components.parameters(), *self.law.parameters()]:
                if len(weight) == len(clusters):
                    weight.copy_(weight[clusters])
            for weight in self.name.parameters():
                weight.copy_(weight[clusters])

    def copy_component(self, source: int, target: int, noise: float) -> None:
        """Makes one component nearly alike to another.

        Args:
            source: the one that is copied.
            target: the one that is replaced.
            noise: standard deviation of what is added, in units of each weight's own spread.
        """
        with torch.no_grad():
            for weight in [*self.components.parameters(), *self.law.parameters()]:
                if len(weight) > 1:
                    own = weight[source]
                    weight[target] = own + noise * own.std(correction=0) * torch.randn_like(own)

    def _inputs(self, crop: Crop) -> Float[Tensor, "G B T I"]:
        """What a step tells: its value, whether it was seen, and its place in the window."""
        shape = crop.values.shape
        flat = carry_forward(crop.values.flatten(0, 1)[..., None], crop.seen.flatten(0, 1)[..., None])
        values = flat.view(shape)
        told = values / torch.sqrt(1 + (values / OUTLIER) ** 2)
        turn = torch.arange(shape[-1], device=values.device) * (math.pi / self.sizes.context_length)
        turns = turn[:, None] * torch.arange(1, HARMONICS + 1, device=values.device)
        place = torch.cat([turns.sin(), turns.cos()], dim=-1).to(values.dtype).expand(*shape, -1)
        return torch.cat([torch.stack([told, crop.seen.to(values.dtype)], dim=-1), place], dim=-1)


def make_crop(values: Tensor, seen: Tensor, first: Tensor | None = None) -> Crop:
    """A crop of one group, or several, with the steps that count.

    Args:
        values: (B, T) or (G, B, T), anything finite where not seen.
        seen: likewise.
        first: (B,), steps before these are context only; None: none are.

    Returns:
        The crop; a step counts where it is seen and some step before it is.

    Example:
        >>> seen = torch.tensor([[False, True, True, False, True]])
        >>> make_crop(torch.zeros(1, 5), seen).counted[0, 0].tolist()
        [False, False, True, False, True]
    """
    if values.ndim == 2:
        values, seen = values[None], seen[None]
    counted = seen & (seen.cumsum(-1) > 1)
    if first is not None:
        counted = counted & (torch.arange(values.shape[-1], device=values.device) >= first[..., None])
    return Crop(values, seen, counted)
