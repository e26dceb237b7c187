"""Inference networks of REDSDS: embedding of the observations, posterior of the latent states."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tsformers.forecasters.redsds.generative import Design, Factors, Told, mlp
from tsformers.forecasters.redsds.recurrences import GatedUnits, PosteriorWeights, posterior_scan

DROPOUT = 0.1  # of the transformer that may read the values


class Encoded(NamedTuple):
    """What inference makes of a batch of sequences.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """

    x: Tensor  # (B, L, M), drawn or mean states
    scale: Tensor  # (B, L, M), of the law they were drawn from
    factors: Factors


class TransformerEmbedder(nn.Module):
    """Reads all values with one layer of attention; positions are told beside the values.

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
    """The posterior of the states: all values are read, then each state is drawn given those before it.

    Args:
        inputs: numbers of a step that are read.
        controls: U, features of known covariates.
        design: parts and sizes.

    Source: Ansari et al. (2021), RED-SDS, section 3.2.
    """

    def __init__(self, inputs: int, controls: int, design: Design) -> None:
        super().__init__()
        width, r, m = design.d_embedding, design.d_recurrent, design.d_state
        self.embed: nn.Module = (
            GatedUnits(inputs, width)
            if design.embedder == "gru"
            else TransformerEmbedder(inputs, width, design.d_feedforward)
        )
        self.cell = nn.RNNCell(2 * width + controls + m, r)
        self.law = mlp(r, design.d_posterior, 2 * m)
        self.d_state = m

    def read(self, values: Tensor, told: Told) -> Tensor:
        """What the data say to the recurrent part, (B, L, R).

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        seen = torch.cat([self.embed(values, told.lengths), told.controls], dim=-1)
        weight = self.cell.weight_ih[:, : seen.shape[-1]]
        return nn.functional.linear(seen, weight, self.cell.bias_ih + self.cell.bias_hh)

    def draw(self, inputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, L, M) and their standard deviations, from what ``read`` said.

        Source: Ansari et al. (2021), RED-SDS, section 3.2.
        """
        from_x = self.cell.weight_ih[:, -self.d_state :].t()
        law: Any = self.law
        first, second = law[0], law[2]
        weights = PosteriorWeights(
            from_x, self.cell.weight_hh.t(), first.weight.t(), first.bias, second.weight.t(), second.bias
        )
        return posterior_scan(inputs, noise, weights)
