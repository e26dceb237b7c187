"""Autoformer as the paper describes it, line by line and without a shortcut: the peer in ``benchmarks/autoformer.py``.

Separate maps for query, key and value; a correlation for every head and channel, averaged after the inverse transform;
one rolled copy of the values a lag in training, one gathered copy a lag in inference; averages by ``AvgPool1d`` and
maps by 1x1 convolutions, with the transposes that these need. A test holds it to the vectors of the authors' code.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainDecomposition(nn.Module):
    """Seasonal part and trend by a moving average with repeated ends."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.average = nn.AvgPool1d(kernel, stride=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, C) into two of the same shape."""
        front = x[:, :1].repeat(1, (self.kernel - 1) // 2, 1)
        back = x[:, -1:].repeat(1, (self.kernel - 1) // 2, 1)
        trend = self.average(torch.cat([front, x, back], dim=1).permute(0, 2, 1)).permute(0, 2, 1)
        return x - trend, trend


class PlainAutoCorrelation(nn.Module):
    """Four maps, a correlation a channel, and copies of the values shifted by the best lags."""

    def __init__(self, width: int, heads: int, factor: float) -> None:
        super().__init__()
        self.heads, self.factor = heads, factor
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """(B, L, D) and (B, S, D) into (B, L, D)."""
        batch, length, width = x.shape
        query = self.query(x).view(batch, length, self.heads, -1)
        key = self._fit(self.key(other).view(batch, other.shape[1], self.heads, -1), length)
        value = self._fit(self.value(other).view(batch, other.shape[1], self.heads, -1), length)
        at_query = torch.fft.rfft(query.permute(0, 2, 3, 1).contiguous(), dim=-1)
        at_key = torch.fft.rfft(key.permute(0, 2, 3, 1).contiguous(), dim=-1)
        correlation = torch.fft.irfft(at_query * torch.conj(at_key), n=length, dim=-1)  # (B, H, E, L)
        value = value.permute(0, 2, 3, 1).contiguous()
        mixed = self._roll(value, correlation) if self.training else self._gather(value, correlation)
        return self.out(mixed.permute(0, 3, 1, 2).contiguous().view(batch, length, width))

    def _fit(self, x: Tensor, length: int) -> Tensor:
        if x.shape[1] >= length:
            return x[:, :length]
        return torch.cat([x, torch.zeros_like(x[:, :1]).repeat(1, length - x.shape[1], 1, 1)], dim=1)

    def _roll(self, value: Tensor, correlation: Tensor) -> Tensor:
        mean = correlation.mean(dim=1).mean(dim=1)  # (B, L)
        lags = mean.mean(dim=0).topk(int(self.factor * math.log(value.shape[-1]))).indices
        weights = torch.stack([mean[:, lag] for lag in lags], dim=-1).softmax(dim=-1)
        total = torch.zeros_like(value)
        for i, lag in enumerate(lags.tolist()):
            total = total + torch.roll(value, -lag, dims=-1) * weights[:, i, None, None, None]
        return total

    def _gather(self, value: Tensor, correlation: Tensor) -> Tensor:
        length = value.shape[-1]
        mean = correlation.mean(dim=1).mean(dim=1)
        best, lags = mean.topk(int(self.factor * math.log(length)), dim=-1)
        weights = best.softmax(dim=-1)
        steps = torch.arange(length).expand(value.shape)
        twice = value.repeat(1, 1, 1, 2)
        total = torch.zeros_like(value)
        for i in range(lags.shape[1]):
            places = steps + lags[:, i, None, None, None]
            total = total + torch.gather(twice, -1, places) * weights[:, i, None, None, None]
        return total


class PlainFeedForward(nn.Module):
    """Two 1x1 convolutions."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(width, inner, 1, bias=False), nn.Conv1d(inner, width, 1, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) into the same shape."""
        hidden = self.dropout(functional.gelu(self.first(x.transpose(-1, 1))))
        return self.dropout(self.second(hidden).transpose(-1, 1))


class PlainEmbedding(nn.Module):
    """A circular convolution of the values, and a map of the covariates."""

    def __init__(self, channels: int, covariates: int, width: int, dropout: float) -> None:
        super().__init__()
        self.values = nn.Conv1d(channels, width, 3, padding=1, padding_mode="circular", bias=False)
        self.covariates = nn.Linear(covariates, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, marks: Tensor) -> Tensor:
        """(B, L, C) and (B, L, M) into (B, L, D)."""
        return self.dropout(self.values(x.permute(0, 2, 1)).transpose(1, 2) + self.covariates(marks))


class PlainNorm(nn.Module):
    """Layer norm without the mean over time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) into the same shape."""
        normal = self.norm(x)
        return normal - normal.mean(dim=1).unsqueeze(1).repeat(1, x.shape[1], 1)


class PlainEncoderLayer(nn.Module):
    """Correlation and feed-forward, each followed by a decomposition."""

    def __init__(self, width: int, heads: int, inner: int, kernel: int, factor: float, dropout: float) -> None:
        super().__init__()
        self.attention = PlainAutoCorrelation(width, heads, factor)
        self.feed_forward = PlainFeedForward(width, inner, dropout)
        self.decompose = PlainDecomposition(kernel)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) into the same shape."""
        x, _ = self.decompose(x + self.dropout(self.attention(x, x)))
        x, _ = self.decompose(x + self.feed_forward(x))
        return x


class PlainDecoderLayer(nn.Module):
    """Two correlations and feed-forward; the trends found are projected and kept."""

    def __init__(
        self, width: int, heads: int, inner: int, kernel: int, factor: float, dropout: float, channels: int
    ) -> None:
        super().__init__()
        self.self_attention = PlainAutoCorrelation(width, heads, factor)
        self.cross_attention = PlainAutoCorrelation(width, heads, factor)
        self.feed_forward = PlainFeedForward(width, inner, dropout)
        self.decompose = PlainDecomposition(kernel)
        self.dropout = nn.Dropout(dropout)
        self.trend = nn.Conv1d(width, channels, 3, padding=1, padding_mode="circular", bias=False)

    def forward(self, x: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, D) and (B, S, D) into (B, L, D) and (B, L, C)."""
        x, first = self.decompose(x + self.dropout(self.self_attention(x, x)))
        x, second = self.decompose(x + self.dropout(self.cross_attention(x, encoded)))
        x, third = self.decompose(x + self.feed_forward(x))
        return x, self.trend((first + second + third).permute(0, 2, 1)).transpose(1, 2)


class PlainAutoformer(nn.Module):
    """The published network with two encoder layers and one decoder layer.

    Args:
        channels: C.
        covariates: M, columns beside the past and beside the future.
        width: D.
        heads: of each correlation.
        inner: width of the feed-forward parts.
        dropout: share of numbers set to zero while training.
    """

    def __init__(self, channels: int, covariates: int, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        sizes = (width, heads, inner, 25, 3.0, dropout)
        self.decompose = PlainDecomposition(25)
        self.embed_past = PlainEmbedding(channels, covariates, width, dropout)
        self.embed_future = PlainEmbedding(channels, covariates, width, dropout)
        self.encoder = nn.ModuleList(PlainEncoderLayer(*sizes) for _ in range(2))
        self.encoder_norm = PlainNorm(width)
        self.decoder = nn.ModuleList([PlainDecoderLayer(*sizes, channels)])
        self.decoder_norm = PlainNorm(width)
        self.seasonal = nn.Linear(width, channels)

    def forward(self, past: Tensor, past_marks: Tensor, marks: Tensor, horizon: int) -> Tensor:
        """(B, T, C), (B, T, M) and (B, label + H, M) into the forecast (B, H, C)."""
        label = marks.shape[1] - horizon
        seasonal, trend = self.decompose(past)
        mean = past.mean(dim=1).unsqueeze(1).repeat(1, horizon, 1)
        trend = torch.cat([trend[:, -label:], mean], dim=1)
        start = torch.cat([seasonal[:, -label:], torch.zeros_like(mean)], dim=1)
        encoded = self.embed_past(past, past_marks)
        for layer in self.encoder:
            encoded = layer(encoded)
        encoded = self.encoder_norm(encoded)
        x = self.embed_future(start, marks)
        for layer in self.decoder:
            x, found = layer(x, encoded)
            trend = trend + found
        return (self.seasonal(self.decoder_norm(x)) + trend)[:, -horizon:]
