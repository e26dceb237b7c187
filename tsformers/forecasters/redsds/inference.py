"""Inference network of REDSDS: embedding of the observations, posterior of the latent states."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tsformers.forecasters.redsds.architecture import Design
from tsformers.forecasters.redsds.generative import Factors, Sequences, mlp
from tsformers.forecasters.redsds.recurrences import BidirectionalGRU, PosteriorWeights, posterior_scan

DROPOUT = 0.1  # of the transformer embedding


class Encoded(NamedTuple):
    """A batch of sequences with states and the factors given them.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """

    x: Tensor  # (B, L, M), drawn or mean states
    scale: Tensor  # (B, L, M), standard deviations they were drawn with
    factors: Factors


class TransformerEmbedder(nn.Module):
    """Embeds values by one layer of attention, with positions concatenated to the values.

    Example:
        >>> TransformerEmbedder(inputs=3, width=4, feedforward=16)(torch.zeros(2, 5, 3)).shape
        torch.Size([2, 5, 8])

    Source: Ansari et al. (2021), RED-SDS, section 3.2; Vaswani et al. (2017) for positions.
    """

    def __init__(self, inputs: int, width: int, feedforward: int) -> None:
        super().__init__()
        self.width = width
        self.read = nn.Linear(inputs, width)
        self.layer = nn.TransformerEncoderLayer(2 * width, 1, feedforward, DROPOUT, batch_first=True)

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, 2E); ``lengths`` (B,): what follows so many steps is padding.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        steps = torch.arange(values.shape[1], device=values.device)
        rates = 10_000.0 ** (-torch.arange(0, self.width, 2, device=values.device) / self.width)
        angles = (steps[:, None] * rates).to(values.dtype)
        place = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, : self.width]
        tokens = torch.cat([self.read(values), place.expand(len(values), -1, -1)], dim=-1)
        return self.layer(tokens, src_key_padding_mask=None if lengths is None else steps >= lengths[:, None])


class Inference(nn.Module):
    """The variational posterior of the states: all values are embedded, then each state is drawn given those before it.

    Args:
        inputs: input features of a step.
        controls: U, features of known covariates.
        design: parts and sizes.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """

    def __init__(self, inputs: int, controls: int, design: Design) -> None:
        super().__init__()
        widths, m = design.widths, design.d_state
        self.embed: nn.Module = (
            BidirectionalGRU(inputs, widths.embedding)
            if design.embedder == "gru"
            else TransformerEmbedder(inputs, widths.embedding, widths.feedforward)
        )
        self.cell = nn.RNNCell(2 * widths.embedding + controls + m, widths.recurrent)
        self.posterior = mlp(widths.recurrent, widths.posterior, 2 * m)
        self.d_state = m

    def read(self, values: Tensor, sequences: Sequences) -> Tensor:
        """Inputs of the recurrent part that come from the data, (B, L, R).

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        embedded = torch.cat([self.embed(values, sequences.lengths), sequences.controls], dim=-1)
        weight = self.cell.weight_ih[:, : embedded.shape[-1]]
        return nn.functional.linear(embedded, weight, self.cell.bias_ih + self.cell.bias_hh)

    def draw(self, inputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, L, M) and their standard deviations, from the answer of ``read``.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        from_x = self.cell.weight_ih[:, -self.d_state :].t()
        posterior: Any = self.posterior
        first, second = posterior[0], posterior[2]
        weights = PosteriorWeights(
            from_x, self.cell.weight_hh.t(), first.weight.t(), first.bias, second.weight.t(), second.bias
        )
        return posterior_scan(inputs, noise, weights)
