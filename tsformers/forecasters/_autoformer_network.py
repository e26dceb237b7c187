"""The network of Autoformer: the stack of the paper, and a head on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.forecasters._neural import DistributionNetwork
from tsformers.nn import AutoCorrelationLayer, RidgeMap, SeriesDecomposition, carry_forward, make_head
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles

LEAST = 1e-3  # change of a window that stands still, in its units


@dataclass(frozen=True)
class Architecture:
    """The sizes of an ``AutoformerStack``; the defaults suit a CPU, the paper's own are d_model 512 and d_ff 2048.

    Args:
        d_model: D, width of the hidden series.
        n_heads: heads of each auto-correlation.
        d_ff: width inside the feed-forward parts.
        encoder_layers: layers that read the past.
        decoder_layers: layers that refine the future.
        moving_average: k of every decomposition, in steps.
        factor: how many lags each auto-correlation keeps, in units of the logarithm of the length.
        dropout: share of hidden numbers set to zero while training.
        activation: between the two feed-forward maps.
        trend_start: from what the trend of the horizon starts: the "mean" of the past as in the paper, its "last"
            value, or that and a "linear" map, see ``AutoformerNetwork``.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4, implementation details.
    """

    d_model: int = 64
    n_heads: int = 8
    d_ff: int = 256
    encoder_layers: int = 2
    decoder_layers: int = 1
    moving_average: int = 25
    factor: float = 3.0
    dropout: float = 0.05
    activation: Literal["gelu", "relu"] = "gelu"
    trend_start: Literal["last", "mean", "linear"] = "mean"


class Dropout(nn.Dropout):
    """As torch's, in half the time on a CPU: one random number of 64 bits decides on four entries.

    Numbers are dropped with probability ``p``, to the nearest of 65,536 steps; what stays is divided by one minus that.

    Example:
        >>> dropped = Dropout(0.25)(torch.ones(40_000))
        >>> dropped.unique().tolist(), bool(abs(dropped.mean() - 1) < 0.02)
        ([0.0, 1.3333333730697632], True)

    Source: Srivastava et al. (2014), Dropout.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape, as it is outside training.

        Source: Srivastava et al. (2014), Dropout.
        """
        steps = min(round(self.p * 2**16), 2**16 - 1)
        if not self.training or not steps:
            return x
        noise = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = noise.view(torch.int16)[: x.numel()].view(x.shape) >= steps - 2**15
        return x * kept.to(x.dtype).mul_(2**16 / (2**16 - steps))


class CircularConvolution(nn.Conv1d):
    """``y[t] = W_0 x[t - 1] + W_1 x[t] + W_2 x[t + 1]``, modulo L: a map of each step, and shifts of the narrower side.

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
            around = torch.cat([x.roll(1, 1), x, x.roll(-1, 1)], dim=-1)  # (B, L, 3 C)
            return nn.functional.linear(around, self.weight.transpose(1, 2).flatten(1))
        before, here, after = nn.functional.linear(x, self.weight.movedim(2, 0).flatten(0, 1)).chunk(3, dim=-1)
        return before.roll(1, 1) + here + after.roll(-1, 1)


class SeasonalNorm(nn.LayerNorm):
    """Layer norm over the width, then the mean over time is taken off: what is seasonal has no level.

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
    """Three neighbouring values, circularly, and the covariates of a step become D numbers; positions are not coded.

    Args:
        channels: C, columns of the series.
        covariates: columns known beside it; 0 for none.
        width: D.
        dropout: share of numbers set to zero while training.

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
    """Auto-correlation and feed-forward, each followed by a decomposition of which the seasonal part goes on.

    Args:
        sizes: width, heads, kernel and so on.

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
    """Self-correlation, correlation with the past and feed-forward; the three trends split off are projected and kept.

    Args:
        sizes: width, heads, kernel and so on.
        channels: C, columns of the trend.

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
        """The pair (hidden series, trend found) from ``x`` (B, L, D) and the encoded past (B, T, D).

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 4.
        """
        x, first = self.decompose(x + self.dropout(self.self_attention(x, x)))
        x, second = self.decompose(x + self.dropout(self.cross_attention(x, encoded)))
        x, third = self.decompose(x + self.feed_forward(x))
        return x, self.trend(first + second + third)


class Decoded(NamedTuple):
    """What the stack says about the label steps and the horizon; the point forecast is ``seasonal + trend``.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
    """

    seasonal: Tensor  # (B, L, C) with L = label_length + horizon
    trend: Tensor  # (B, L, C)
    stream: Tensor  # (B, L, D), the normalised hidden series that the seasonal part is read from


class AutoformerStack(nn.Module):
    """The network of the paper, and nothing else: a past and its covariates in, seasonal part and trend out.

    Args:
        channels: C, columns of the series.
        past_covariates: columns beside the past.
        covariates: columns beside label steps and horizon.
        sizes: width, heads, kernel and so on.

    Example:
        >>> stack = AutoformerStack(1, 0, 0, Architecture(d_model=16))
        >>> decoded = stack(torch.randn(5, 24, 1), torch.empty(5, 24, 0), torch.empty(5, 12 + 6, 0), 6)
        >>> (decoded.seasonal + decoded.trend)[:, 12:].shape
        torch.Size([5, 6, 1])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1 and figure 1.
    """

    def __init__(self, channels: int, past_covariates: int, covariates: int, sizes: Architecture) -> None:
        super().__init__()
        self.trend_start = sizes.trend_start
        self.decompose = SeriesDecomposition(sizes.moving_average)
        self.embed_past = Embedding(channels, past_covariates, sizes.d_model, sizes.dropout)
        self.embed_future = Embedding(channels, covariates, sizes.d_model, sizes.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(sizes) for _ in range(sizes.encoder_layers))
        self.encoder_norm = SeasonalNorm(sizes.d_model)
        self.decoder = nn.ModuleList(DecoderLayer(sizes, channels) for _ in range(sizes.decoder_layers))
        self.decoder_norm = SeasonalNorm(sizes.d_model)
        self.seasonal = nn.Linear(sizes.d_model, channels)

    def forward(self, past: Tensor, past_marks: Tensor, marks: Tensor, horizon: int) -> Decoded:
        """Decode the last steps of ``past`` (B, T, C) and the ``horizon``.

        Args:
            past: the series, complete.
            past_marks: its covariates (B, T, M).
            marks: covariates of the label steps and of the horizon (B, L, M), M may be 0; their number, less the
                horizon, says with how many last steps of the past the decoder starts.
            horizon: H, steps to come.

        Returns:
            Seasonal part, trend and hidden series over the label steps and the horizon.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        start = past.shape[1] - (marks.shape[1] - horizon)
        seasonal, trend = self.decompose(past)
        x = nn.functional.pad(seasonal[:, start:], (0, 0, 0, horizon))
        ahead = past.mean(1, keepdim=True) if self.trend_start == "mean" else past[:, -1:]
        trend = torch.cat([trend[:, start:], ahead.expand(-1, horizon, -1)], dim=1)
        encoded = self.embed_past(past, past_marks)
        for layer in self.encoder:
            encoded = layer(encoded)
        encoded = self.encoder_norm(encoded)
        x = self.embed_future(x, marks)
        for layer in self.decoder:
            x, found = layer(x, encoded)
            trend = trend + found
        x = self.decoder_norm(x)
        return Decoded(self.seasonal(x), trend, x)

    def repeats(self, past: Tensor, past_marks: Tensor) -> Tensor:
        """How alike the encoder finds the past and itself some steps later: 1 at lag 0, and high again at its periods.

        The lags that a layer picks are a phase, which its projections are free to choose, plus multiples of periods.
        The autocorrelation of the correlation that they are picked by has its peaks at the periods, whatever the phase.

        Args:
            past: the series, complete (B, T, C).
            past_marks: its covariates (B, T, M).

        Returns:
            (B, T), the mean over the layers of autocorrelations; lags tau and T - tau are the same.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 8; its autocorrelation: Wiener & Khinchin.
        """
        x, found = self.embed_past(past, past_marks), []
        layer: Any
        for layer in self.encoder:
            correlation = layer.attention.correlation(x, x)
            power = torch.fft.rfft(correlation - correlation.mean(1, keepdim=True), dim=1).abs().square()
            found.append(torch.fft.irfft(power, n=past.shape[1], dim=1))
            x = layer(x)
        return torch.stack([each / each[:, :1].clamp(min=torch.finfo(each.dtype).tiny) for each in found]).mean(0)


class Explained(NamedTuple):
    """What is inside a forecast, in the units of its window.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, sections 3.1 and 4.3.
    """

    trend: Tensor  # (B, T + H, C), of the context and of the horizon
    seasonal: Tensor  # (B, T + H, C)
    repeats: Tensor  # (B, T), how alike the encoder finds the context and itself some steps later


class AutoformerNetwork(DistributionNetwork):
    """The stack with a head: location is ``seasonal + trend``, the head adds what surrounds it.

    The head reads the decoder's normalised stream. That stream has no level and hence cannot tell restless windows from
    calm ones; what the log mean absolute change of the window says is added to it. Missing values are replaced by the
    last one seen (at the beginning by the first), since a transform needs all of them; the loss leaves missing targets
    out. Every layer is blind to constants, so the location moves with the window's level.

    With ``trend_start="linear"`` the stack starts from the last value, and a linear map of the past, solved before
    training, is added to its two parts: what a linear model can say is said by it, and the stack, which begins at zero,
    is trained on the rest. The head is then told the map's errors at each step ahead.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        horizon: H.
        label_length: how many last steps of the past the decoder starts from; None: half of them.
        sizes: of the stack.
        likelihood: of the head, see ``make_head``.
        context_length: T, which the linear map needs to know; without it there is none.

    Example:
        >>> from tsformers.testing import make_window
        >>> network = AutoformerNetwork((2, 0, 3), 4, None, Architecture(d_model=8), "student_t")
        >>> network(make_window(5, 16, 4, channels=2, known_x=3)).mean.shape
        torch.Size([5, 4, 2])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1; the head and what it reads besides are ours.
    """

    def __init__(
        self,
        columns: tuple[int, int, int],
        horizon: int,
        label_length: int | None,
        sizes: Architecture,
        likelihood: str | DistributionOutput,
        context_length: int | None = None,
    ) -> None:
        super().__init__()
        channels, past_covariates, known = columns
        self.horizon, self.label_length, self.past_covariates = horizon, label_length, past_covariates
        self.stack = AutoformerStack(channels, past_covariates + known, known, sizes)
        self.start = RidgeMap(context_length, horizon) if sizes.trend_start == "linear" and context_length else None
        self.restless = nn.Linear(channels + (self.start is not None), sizes.d_model)
        self.head = make_head(likelihood, sizes.d_model, channels)
        if self.start is not None:
            self._begin_with_nothing()

    def forward(self, window: Window) -> Distribution | Quantiles:
        """The law of the future of each window, in the units of the window.

        Raises:
            ValueError: ``label_length`` exceeds the context.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        decoded = self.decode(window)
        location = (decoded.seasonal + decoded.trend)[:, -self.horizon :]
        past = carry_forward(window.past, window.past_seen)
        change = past.diff(dim=1).abs().sum(1, keepdim=True) / past.shape[1]
        told = (change + LEAST).log()
        if self.start is not None:
            errors = (self.start.errors + LEAST).log()[:, None]
            told = torch.cat([told.expand(-1, self.horizon, -1), errors.expand(len(past), -1, -1)], dim=-1)
        features = decoded.stream[:, -self.horizon :] + self.restless(told)
        return self.head(features, location, window.scale)

    def decode(self, window: Window) -> Decoded:
        """What the stack says about ``window``: label steps, then the horizon.

        Raises:
            ValueError: ``label_length`` exceeds the context.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        length = window.past.shape[1]
        label = length // 2 if self.label_length is None else self.label_length
        if label > length:
            raise ValueError(f"label_length={label} exceeds the context of {length} steps; choose at most that")
        marks = torch.cat([window.past_x[:, length - label :, self.past_covariates :], window.future_x], dim=1)
        past = carry_forward(window.past, window.past_seen)
        decoded = self.stack(past, window.past_x, marks, self.horizon)
        if self.start is None:
            return decoded
        seasonal, trend = map(self.start, self.stack.decompose(past))
        ahead = (0, 0, label, 0)  # nothing is added to the label steps
        return decoded._replace(
            seasonal=decoded.seasonal + nn.functional.pad(seasonal, ahead),
            trend=decoded.trend + nn.functional.pad(trend, ahead),
        )

    def solve(self, windows: Iterable[Window], held_back: Iterable[Window]) -> None:
        """Find the linear map, once, before the rest is trained.

        Source: as for ``RidgeMap``.
        """
        if self.start is not None and not self.start.solved:
            self.start.solve(map(_ahead_of_last, windows), map(_ahead_of_last, held_back))

    def _begin_with_nothing(self) -> None:
        """The stack and the mean of the head begin at zero, so that the forecast begins as the linear map's."""
        layer: Any
        for layer in (self.stack.seasonal, *(layer.trend for layer in self.stack.decoder)):
            for weight in layer.parameters():
                nn.init.zeros_(weight)

    def explain(self, window: Window) -> Explained:
        """Trend and season of context and horizon, and where the encoder sees the context repeat itself.

        Of the context they are its moving average and the rest, missing values being the last one seen. Of the horizon
        they are what the decoder says, and what the head adds to it, which it reads from the seasonal stream, counts as
        seasonal: trend and seasonal part sum to the mean of the law.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, sections 3.1 and 4.3; the share of the head is ours.
        """
        past = carry_forward(window.past, window.past_seen)
        seasonal, trend = self.stack.decompose(past)
        ahead = self.decode(window).trend[:, -self.horizon :]
        return Explained(
            torch.cat([trend, ahead], dim=1),
            torch.cat([seasonal, self(window).mean - ahead], dim=1),
            self.stack.repeats(past, window.past_x),
        )


def _ahead_of_last(window: Window) -> tuple[Tensor, Tensor, Tensor]:
    """Past, and by how much the future differs from its last value, with the channels whose targets are all seen."""
    past = carry_forward(window.past, window.past_seen)
    return past, window.future - past[:, -1:], window.future_seen.all(dim=1)


def _feed_forward(sizes: Architecture) -> nn.Sequential:
    """Two maps without bias, applied to each step alone."""
    return nn.Sequential(
        nn.Linear(sizes.d_model, sizes.d_ff, bias=False),
        {"gelu": nn.GELU, "relu": nn.ReLU}[sizes.activation](),
        Dropout(sizes.dropout),
        nn.Linear(sizes.d_ff, sizes.d_model, bias=False),
        Dropout(sizes.dropout),
    )
