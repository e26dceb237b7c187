"""The network of Autoformer: the stack of the paper, and a distribution head."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.errors import TsformersError
from tsformers.forecasters.autoformer.layers import Architecture, DecoderLayer, Embedding, EncoderLayer, SeasonalNorm
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.forecasters.neural.known_response import KnownResponse, fit_start
from tsformers.messages import Setting
from tsformers.nn import RidgeMap, SeriesDecomposition, carry_forward, make_head
from tsformers.nn.change import SMALLEST_CHANGE, log_mean_change
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles


class Decoded(NamedTuple):
    """Output of the stack for the label steps and the horizon; the point forecast is ``seasonal + trend``.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
    """

    seasonal: Tensor  # (B, L, C) with L = label_length + horizon
    trend: Tensor  # (B, L, C)
    hidden: Tensor  # (B, L, D), the normalised hidden series that the seasonal part is projected from


class AutoformerStack(nn.Module):
    """The network of the paper alone: from a past and its covariates to seasonal part and trend.

    Args:
        channels: C, columns of the series.
        past_covariates: columns of covariates of the past.
        covariates: columns of covariates of label steps and horizon.
        sizes: width, heads, kernel and so on.

    Example:
        >>> from tsformers import Autoformer
        >>> stack = AutoformerStack(1, 0, 0, Autoformer(horizon=6, d_model=16).architecture())
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
            marks: covariates of the label steps and of the horizon (B, L, M), M may be 0; L less the horizon is the
                number of last steps of the past that the decoder reads.
            horizon: H, steps to forecast.

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

    def autocorrelation(self, past: Tensor, past_marks: Tensor) -> Tensor:
        """Similarity of the past and itself some steps later, in the encoder: 1 at lag 0, with peaks at the periods.

        The lags that a layer selects are multiples of periods plus a phase that its projections determine. The
        autocorrelation of the correlation by which they are selected has its peaks at the periods, whatever the phase.

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
    """The parts of a forecast, in the units of its window.

    Source: Wu, Xu, Wang & Long (2021), Autoformer, sections 3.1 and 4.3.
    """

    trend: Tensor  # (B, T + H, C), of the context and of the horizon
    seasonal: Tensor  # (B, T + H, C)
    autocorrelation: Tensor  # (B, T), by lag, of the context in the encoder


class AutoformerNetwork(DistributionNetwork):
    """The stack with a head: the location is ``seasonal + trend``, the head gives the distribution around it.

    The head reads the decoder's normalised hidden series. That has no scale, so an embedding of the log mean absolute
    change of the window is added to it. Missing values are replaced by the last observed value (before the first one by
    that), since a transform needs all of them; the loss leaves missing targets out. No layer responds to constants, so
    the location moves with the level of the window.

    With ``trend_start="linear"`` the stack starts from the last value, and a linear map of the past, fitted in closed
    form before training, is added to its two parts: the map gives the linear part of the forecast, and the stack, whose
    output is zero at first, is trained on the rest. The errors of the map at each step ahead are inputs of the head.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        horizon: H.
        label_length: how many last steps of the past the decoder reads; None: half of them.
        sizes: of the stack.
        likelihood: of the head, see ``make_head``.
        context_length: T, the inputs of the linear map; None: there is no map.
        calendar: how many of the known columns are calendar features; None: all, and no response to others is fitted.

    Example:
        >>> from tsformers.testing import make_window
        >>> from tsformers import Autoformer
        >>> sizes = Autoformer(horizon=4, d_model=8).architecture()
        >>> network = AutoformerNetwork((2, 0, 3), 4, None, sizes, "student_t")
        >>> network(make_window(5, 16, 4, channels=2, known_x=3)).mean.shape
        torch.Size([5, 4, 2])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1; the head and its inputs are ours.
    """

    def __init__(
        self,
        columns: tuple[int, int, int],
        horizon: int,
        label_length: int | None,
        sizes: Architecture,
        likelihood: str | DistributionOutput,
        context_length: int | None = None,
        calendar: int | None = None,
    ) -> None:
        super().__init__()
        channels, past_covariates, known = columns
        of_calendar = known if calendar is None else calendar
        self.horizon, self.label_length, self.past_covariates = horizon, label_length, past_covariates
        self.stack = AutoformerStack(channels, past_covariates + known, known, sizes)
        self.start = RidgeMap(context_length, horizon) if sizes.trend_start == "linear" and context_length else None
        has_start = self.start is not None and known > of_calendar
        self.known = KnownResponse(channels, known, of_calendar) if has_start else None
        self.embed_change = nn.Linear(channels + (self.start is not None), sizes.d_model)
        self.head = make_head(likelihood, sizes.d_model, channels)
        if self.start is not None:
            self._zero_outputs()

    def forward(self, window: Window) -> Distribution | Quantiles:
        """The predictive distribution of each window, in the units of the window.

        Raises:
            ValueError: ``label_length`` exceeds the context.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        decoded = self.decode(window)
        location = (decoded.seasonal + decoded.trend)[:, -self.horizon :]
        past = carry_forward(window.past, window.past_observed)
        sizes = log_mean_change(past)
        if self.start is not None:
            errors = (self.start.errors + SMALLEST_CHANGE).log()[:, None]
            sizes = torch.cat([sizes.expand(-1, self.horizon, -1), errors.expand(len(past), -1, -1)], dim=-1)
        features = decoded.hidden[:, -self.horizon :] + self.embed_change(sizes)
        return self.head(features, location, window.scale)

    def decode(self, window: Window) -> Decoded:
        """Output of the stack for ``window``, with the linear map: label steps, then the horizon.

        Raises:
            ValueError: ``label_length`` exceeds the context.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        length = window.past.shape[1]
        label = length // 2 if self.label_length is None else self.label_length
        if label > length:
            raise TsformersError(
                Setting("label_length", label), f" exceeds the context of {length} steps; choose at most that"
            )
        marks = torch.cat([window.past_x[:, length - label :, self.past_covariates :], window.future_x], dim=1)
        past = carry_forward(window.past, window.past_observed)
        decoded = self.stack(past, window.past_x, marks, self.horizon)
        if self.start is None:
            return decoded
        if self.known is None:
            seasonal, trend = map(self.start, self.stack.decompose(past))
        else:
            rest, response = self.known(window)
            seasonal, trend = map(self.start, self.stack.decompose(rest))
            seasonal = seasonal + (rest - past)[:, -1:] + response  # the trend of the stack starts from the last value
        ahead = (0, 0, label, 0)  # nothing is added to the label steps
        return decoded._replace(
            seasonal=decoded.seasonal + nn.functional.pad(seasonal, ahead),
            trend=decoded.trend + nn.functional.pad(trend, ahead),
        )

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """Fit the linear map and the response to known covariates, once, before the rest is trained.

        Source: as for ``RidgeMap`` and ``CovariateRidge``.
        """
        if self.start is not None and not self.start.fitted:
            fit_start(self.start, self.known, windows, validation)

    def _zero_outputs(self) -> None:
        """The output of the stack is zero at first, so that training starts from the forecast of the linear map."""
        layer: Any
        for layer in (self.stack.seasonal, *(layer.trend for layer in self.stack.decoder)):
            for weight in layer.parameters():
                nn.init.zeros_(weight)

    def explain(self, window: Window) -> Explained:
        """Trend and season of context and horizon, and the autocorrelation of the context in the encoder.

        In the context they are its moving average and the rest, missing values being the last observed one. In the
        horizon they are those of the decoder; what the head adds, which it reads from the hidden series, counts as
        seasonal: trend and seasonal part sum to the mean of the distribution.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, sections 3.1 and 4.3; the share of the head is ours.
        """
        past = carry_forward(window.past, window.past_observed)
        seasonal, trend = self.stack.decompose(past)
        ahead = self.decode(window).trend[:, -self.horizon :]
        return Explained(
            torch.cat([trend, ahead], dim=1),
            torch.cat([seasonal, self(window).mean - ahead], dim=1),
            self.stack.autocorrelation(past, window.past_x),
        )
