"""A head around an object with GluonTS's DistributionOutput interface."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Rescaled


class OutputHead(nn.Module):
    """A head around any object with GluonTS's ``DistributionOutput`` interface.

    Args:
        output: the object; its ``distribution`` gives distributions in the caller's units.
        width: D, of the features.
        channels: C; each has features of its own.

    Example:
        >>> import torch
        >>> from torch.nn.functional import softplus
        >>> class Gumbel:
        ...     args_dim = {"loc": 1, "scale": 1}
        ...     def get_args_proj(self, in_features):
        ...         return nn.Linear(in_features, 2)
        ...     def distribution(self, distr_args, loc=None, scale=None):
        ...         centre, spread = distr_args.unbind(-1)
        ...         return torch.distributions.Gumbel(centre * scale + loc, softplus(spread) * scale)
        >>> OutputHead(Gumbel(), 8, 2)(torch.zeros(3, 5, 8), torch.zeros(3, 5, 2)).sample((7,)).shape
        torch.Size([7, 3, 5, 2])

    Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
    """

    levels = None

    def __init__(self, output: DistributionOutput, width: int, channels: int) -> None:
        super().__init__()
        self.output, self.channels = output, channels
        self.spread = nn.Linear(width, channels * width) if channels > 1 else nn.Identity()
        self.project = output.get_args_proj(width)

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The distribution at each step and channel; ``location`` shifts it where the object takes ``loc``.

        Raises:
            ValueError: the object's distributions are multivariate.

        Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
        """
        arguments = self.project(self.spread(features).unflatten(-1, (self.channels, -1)))
        scale = features.new_ones(1, 1, 1) if scale is None else scale.to(features.dtype)
        shift = None if location is None else location * scale
        predicted = self.output.distribution(arguments, loc=shift, scale=scale)
        if predicted.event_shape:
            raise ValueError(
                f"{type(self.output).__name__} gives distributions of vectors of shape {tuple(predicted.event_shape)}; "
                "give one of single values: channels are a dimension of the batch here"
            )
        return Rescaled(predicted, scale)
