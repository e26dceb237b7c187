"""Layers of Autoformer: embedding, seasonal layer norm, encoder layer, decoder layer."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from tsformers.nn import AutoCorrelationLayer, SeriesDecomposition


@dataclass(frozen=True)
class Architecture:
    """The sizes of an ``AutoformerStack``; the defaults are those of ``Autoformer``.

    Args:
        d_model: D, width of the hidden series.
        n_heads: heads of each auto-correlation.
        d_ff: width inside the feed-forward parts.
        encoder_layers: layers over the past.
        decoder_layers: layers over label steps and horizon.
        moving_average: k of every decomposition, in steps.
        factor: how many lags each auto-correlation keeps, in units of the logarithm of the length.
        dropout: share of hidden values set to zero in training.
        activation: between the two feed-forward maps.
        trend_start: the initial trend of the horizon: the "mean" of the past as in the paper, its "last" value, or the
            last value plus a "linear" map, see ``AutoformerNetwork``.

    Example:
        >>> from tsformers import Autoformer
        >>> Autoformer.paper(24).architecture().d_ff
        2048

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4, implementation details.
    """

    d_model: int
    n_heads: int
    d_ff: int
    encoder_layers: int
    decoder_layers: int
    moving_average: int
    factor: float
    dropout: float
    activation: Literal["gelu", "relu"]
    trend_start: Literal["last", "mean", "linear"]


class Dropout(nn.Dropout):
    """Dropout in half the time of torch's on a CPU: one random number of 64 bits decides on four entries.

    Entries are dropped with probability ``p``, to the nearest of 65,536 steps; the others are divided by 1 - p.

    Example:
        >>> dropped = Dropout(0.25)(torch.ones(40_000))
        >>> dropped.unique().tolist(), bool(abs(dropped.mean() - 1) < 0.02)
        ([0.0, 1.3333333730697632], True)

    Source: Srivastava et al. (2014), Dropout.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries of ``x``, of any shape, in training.

        Source: Srivastava et al. (2014), Dropout.
        """
        steps = min(round(self.p * 2**16), 2**16 - 1)
        if not self.training or not steps:
            return x
        noise = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = noise.view(torch.int16)[: x.numel()].view(x.shape) >= steps - 2**15
        return x * kept.to(x.dtype).mul_(2**16 / (2**16 - steps))


class CircularConvolution(nn.Conv1d):
    """``y[t] = W_0 x[t - 1] + W_1 x[t] + W_2 x[t + 1]``, modulo L: a map of each step, and shifts on the narrower side.

    Args:
        channels: columns of x.
        width: columns of y.

    Example:
        >>> CircularConvolution(2, 5)(torch.ones(3, 7, 2)).shape
        torch.Size([3, 7, 5])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, 3, padding=1, padding_mode="circular", bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` (B, L, C) into (B, L, D).

        Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
        """
        if self.in_channels < self.out_channels:
            neighbours = torch.cat([x.roll(1, 1), x, x.roll(-1, 1)], dim=-1)  # (B, L, 3 C)
            return nn.functional.linear(neighbours, self.weight.transpose(1, 2).flatten(1))
        previous, current, following = nn.functional.linear(x, self.weight.movedim(2, 0).flatten(0, 1)).chunk(3, dim=-1)
        return previous.roll(1, 1) + current + following.roll(-1, 1)


class SeasonalNorm(nn.LayerNorm):
    """Layer norm over the width, then minus the mean over time: a seasonal part has no level.

    Args:
        normalized_shape: D.

    Example:
        >>> bool(SeasonalNorm(4)(torch.randn(2, 10, 4)).mean(1).abs().max() < 1e-6)
        True

    Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` (B, L, D).

        Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
        """
        normal = super().forward(x)
        return normal - normal.mean(1, keepdim=True)


class Embedding(nn.Module):
    """Embeds three neighbouring values, circularly, and the covariates of a step; positions are not encoded.

    Args:
        channels: C, columns of the series.
        covariates: M columns of covariates; 0 for none.
        width: D.
        dropout: share of values set to zero in training.

    Example:
        >>> Embedding(1, 2, 8, 0.0)(torch.randn(3, 7, 1), torch.randn(3, 7, 2)).shape
        torch.Size([3, 7, 8])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
    """

    def __init__(self, channels: int, covariates: int, width: int, dropout: float) -> None:
        super().__init__()
        self.values = CircularConvolution(channels, width)
        nn.init.kaiming_normal_(self.values.weight, nonlinearity="leaky_relu")
        self.covariates = nn.Linear(covariates, width, bias=False) if covariates else None
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, marks: Tensor) -> Tensor:
        """Embed the series ``x`` (B, L, C) with its covariates ``marks`` (B, L, M) as (B, L, D).

        Source: Wu, Xu, Wang & Long (2021), Autoformer, the authors' released code.
        """
        embedded = self.values(x)
        return self.dropout(embedded if self.covariates is None else embedded + self.covariates(marks))


class EncoderLayer(nn.Module):
    """Auto-correlation and feed-forward, each followed by a decomposition whose seasonal part is passed on.

    Args:
        sizes: width, heads, kernel and so on.

    Example:
        >>> from tsformers import Autoformer
        >>> EncoderLayer(Autoformer(horizon=4, d_model=16).architecture())(torch.randn(3, 7, 16)).shape
        torch.Size([3, 7, 16])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 3.
    """

    def __init__(self, sizes: Architecture) -> None:
        super().__init__()
        self.attention = AutoCorrelationLayer(sizes.d_model, sizes.n_heads, sizes.factor)
        self.feed_forward = _feed_forward(sizes)
        self.decompose = SeriesDecomposition(sizes.moving_average)
        self.dropout = Dropout(sizes.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The hidden series ``x`` (B, L, D), one layer deeper.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 3.
        """
        x, _ = self.decompose(x + self.dropout(self.attention(x, x)))
        x, _ = self.decompose(x + self.feed_forward(x))
        return x


class DecoderLayer(nn.Module):
    """Self-correlation, correlation with the past and feed-forward; the three trends are summed and projected.

    Args:
        sizes: width, heads, kernel and so on.
        channels: C, columns of the trend.

    Example:
        >>> from tsformers import Autoformer
        >>> layer = DecoderLayer(Autoformer(horizon=4, d_model=16).architecture(), channels=2)
        >>> x, trend = layer(torch.randn(3, 7, 16), torch.randn(3, 9, 16))
        >>> trend.shape
        torch.Size([3, 7, 2])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 4; one projection of the summed trends as in the released code.
    """

    def __init__(self, sizes: Architecture, channels: int) -> None:
        super().__init__()
        self.self_attention = AutoCorrelationLayer(sizes.d_model, sizes.n_heads, sizes.factor)
        self.cross_attention = AutoCorrelationLayer(sizes.d_model, sizes.n_heads, sizes.factor)
        self.feed_forward = _feed_forward(sizes)
        self.decompose = SeriesDecomposition(sizes.moving_average)
        self.dropout = Dropout(sizes.dropout)
        self.trend = CircularConvolution(sizes.d_model, channels)

    def forward(self, x: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """The pair (hidden series, trend) from ``x`` (B, L, D) and the encoded past (B, T, D).

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 4.
        """
        x, first = self.decompose(x + self.dropout(self.self_attention(x, x)))
        x, second = self.decompose(x + self.dropout(self.cross_attention(x, encoded)))
        x, third = self.decompose(x + self.feed_forward(x))
        return x, self.trend(first + second + third)


def _feed_forward(sizes: Architecture) -> nn.Sequential:
    """Two maps without bias, applied to each step by itself."""
    return nn.Sequential(
        nn.Linear(sizes.d_model, sizes.d_ff, bias=False),
        {"gelu": nn.GELU, "relu": nn.ReLU}[sizes.activation](),
        Dropout(sizes.dropout),
        nn.Linear(sizes.d_ff, sizes.d_model, bias=False),
        Dropout(sizes.dropout),
    )
