"""The network of LRU: recurrent blocks over the past, decoders of the next value and of the whole horizon."""

from collections.abc import Iterable, Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from tsformers.data.windows import Window
from tsformers.forecasters.lru.decoders import HorizonDecoder, NextStepDecoder, Output
from tsformers.forecasters.lru.inputs import (
    CHANNEL_FEATURES,
    PastInputs,
    channel_features,
    observed_so_far,
    read_past,
)
from tsformers.forecasters.lru.layers import RecurrentTrunk, Sizes
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.nn import carry_forward
from tsformers.nn.heads.base import DistributionOutput

BURN_IN = 0.25  # of the context: distributions of the next value there follow too few values to be trained on
KEPT_CHANNELS, KEPT_STEPS = 64, 16  # of each batch of windows, from which the map to the next value is fitted
MAX_PATHS = 1 << 13  # drawn at once


class LRUNetwork(DistributionNetwork):
    """Recurrent blocks over the context, with a decoder of the next value at every step and one of the horizon.

    The inputs of a step are every channel's value, its change, the log size of the change and whether it is observed,
    the past covariates of the step, and the known covariates of the next. With ``decoding="direct"`` the horizon is
    decoded from the last step, and the decoder of the next value is trained jointly. With "autoregressive" there is the
    latter alone: it is trained at all steps of context and horizon in one pass, each given the true values before it,
    and forecasts by drawing step after step. Steps before the first value count as padding.

    Args:
        columns: C channels, P past covariates and K known columns of a window.
        context_length: T.
        horizon: H.
        sizes: of the blocks.
        likelihood: of the heads, see ``make_head``.
        decoding: see above.
        calendar: how many of the known columns are calendar features; None: all, and no response to others is fitted.

    Example:
        >>> from tsformers.testing import make_window
        >>> from tsformers import LRU
        >>> sizes = LRU(horizon=4, d_model=8, d_state=8).sizes()
        >>> network = LRUNetwork((2, 0, 3), 16, 4, sizes, "student_t", "direct")
        >>> network(make_window(5, 16, 4, channels=2, known_x=3)).mean.shape
        torch.Size([5, 4, 2])

    Source: Orvieto et al. (2023), LRU; one-step-ahead distributions as in Salinas et al. (2020), DeepAR.
    """

    def __init__(
        self,
        columns: tuple[int, int, int],
        context_length: int,
        horizon: int,
        sizes: Sizes,
        likelihood: str | DistributionOutput,
        decoding: Literal["direct", "autoregressive"],
        calendar: int | None = None,
    ) -> None:
        super().__init__()
        channels, self.past_covariates, known = columns
        covariates = self.past_covariates + (self.past_covariates > 0) + known
        self.trunk = RecurrentTrunk(CHANNEL_FEATURES * channels + covariates, context_length, sizes)
        self.next = NextStepDecoder(channels, context_length, sizes, likelihood)
        of_calendar = known if calendar is None else calendar
        self.horizon = (
            HorizonDecoder((channels, known, of_calendar), context_length, horizon, sizes, likelihood)
            if decoding == "direct"
            else None
        )

    def forward(self, window: Window) -> Output:
        """Distributions of the future (B, H, C), in window units; autoregressive, of each step given those before.

        Source: Orvieto et al. (2023), LRU; Salinas et al. (2020), DeepAR, section 3.
        """
        if self.horizon is None:
            return self.next_distributions(window, window.past.shape[1] - 1)[0]
        past = read_past(window.past, window.past_observed)
        features, _ = self._features(past, window)
        return self.horizon(features[:, -1], past.filled, window)

    def loss(self, window: Window) -> Tensor:
        """The loss of ``DistributionNetwork``; in training, plus that of the next values within the context.

        Source: Salinas et al. (2020), DeepAR, section 3; trained jointly.
        """
        if not self.training:
            return super().loss(window)
        first = int(BURN_IN * window.past.shape[1])
        if self.horizon is None:
            return mean_loss(*self.next_distributions(window, first))
        past = read_past(window.past, window.past_observed)
        features, _ = self._features(past, window)
        whole = self.horizon(features[:, -1], past.filled, window)
        values, observed = _joined(window, 1)
        following = self.next(features[:, first:], self.next.ahead(past)[:, first:], window.scale)
        counts = observed[:, first + 1 :] & observed_so_far(window.past_observed)[:, first:]
        return mean_loss(whole, window.future, window.future_observed) + mean_loss(
            following, values[:, first + 1 :], counts
        )

    def sample(self, window: Window, n_samples: int) -> Tensor:
        """Draws (B, S, H, C), or the quantiles at ``levels``.

        Source: Salinas et al. (2020), DeepAR, section 3: paths are drawn one step after the other.
        """
        if self.horizon is not None:
            return super().sample(window, n_samples)
        size = max(1, MAX_PATHS // n_samples)
        pieces = [_rows(window, slice(i, i + size)) for i in range(0, len(window.past), size)]
        return torch.cat([self._paths(piece, n_samples) for piece in pieces])

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """Find the linear maps, once, before the rest is trained.

        Source: as for ``RidgeMap``.
        """
        if self.next.ridge is None or bool(self.next.ridge.fitted):
            return
        kept: tuple[list[Tensor], list[Tensor]] = ([], [])
        training, held_out = _keeping(windows, kept[0]), _keeping(validation, kept[1])
        if self.horizon is not None:
            self.horizon.fit_closed_form(training, held_out)
        for some in (training, held_out):  # windows that the other map has not read
            for _ in some:
                pass
        self.next.ridge.fit_closed_form(*(map(self._one_step_pairs, some) for some in kept))

    def _features(self, past: PastInputs, window: Window) -> tuple[Tensor, list[Tensor]]:
        """Features of all steps of ``past``, which may extend into the future of the window, and the last states."""
        length = past.features.shape[1]
        known = torch.cat([window.past_x[..., self.past_covariates :], window.future_x], dim=1)[:, 1 : length + 1]
        parts = [past.features, known.to(past.features.dtype)]
        if self.past_covariates:
            covariates = nn.functional.pad(window.past_x[..., : self.past_covariates], (0, 1), value=1.0)
            parts.append(nn.functional.pad(covariates, (0, 0, 0, length - covariates.shape[1])).to(past.features.dtype))
        return self.trunk.scan(torch.cat(parts, dim=-1), start=past.start)

    def next_distributions(self, window: Window, first: int) -> tuple[Output, Tensor, Tensor]:
        """One-step-ahead distributions after steps ``first``, ..., given the true values before; targets; which count.

        Source: Salinas et al. (2020), DeepAR, section 3.
        """
        values, observed = _joined(window, window.future.shape[1])
        past = read_past(values[:, :-1], observed[:, :-1])
        features, _ = self._features(past, window)
        ahead = self.next(features[:, first:], self.next.ahead(past)[:, first:], window.scale)
        counts = observed[:, first + 1 :] & observed_so_far(observed[:, :-1])[:, first:]
        return ahead, values[:, first + 1 :], counts

    def _paths(self, window: Window, n_samples: int) -> Tensor:
        past = read_past(window.past, window.past_observed)
        features, states = self._features(past, window)
        ahead = self.next.ahead(past)[:, -1]
        last, kernel, lags = past.last[:, -1], self.next.kernel(), self.next.lags
        tail = past.filled[:, -lags:]
        tail = torch.cat([tail[:, :1].expand(-1, lags - tail.shape[1], -1), tail], dim=1)

        def many(x: Tensor) -> Tensor:
            return x.repeat_interleave(n_samples, dim=0)

        scale = None if window.scale is None else many(window.scale)
        known = window.future_x.to(features.dtype)
        feature, ahead, last, states = many(features[:, -1]), many(ahead), many(last), [many(x) for x in states]
        horizon = window.future.shape[1]
        path = torch.cat([many(tail), last.new_empty(len(last), horizon, last.shape[-1])], dim=1)
        for h in range(horizon):
            following = self.next(feature[:, None], ahead[:, None], scale)
            drawn = following.sample()[:, 0].to(path.dtype)
            path[:, lags + h] = drawn
            if h + 1 == horizon:
                break
            parts = [channel_features(drawn, drawn - last, torch.ones_like(drawn)), many(known[:, h + 1])]
            if self.past_covariates:
                parts.append(drawn.new_zeros(len(drawn), self.past_covariates + 1))
            feature, states = self.trunk.step(torch.cat(parts, dim=-1), states)
            last = ahead = drawn
            if kernel is not None:
                ahead = last + torch.einsum("bpc,p->bc", path[:, h + 1 : h + 1 + lags], kernel.to(path.dtype))
        return path[:, lags:].reshape(-1, n_samples, horizon, path.shape[-1])

    def _one_step_pairs(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Lags and next change at some steps of windows without gaps (M, L), as pairs for ``RidgeMap``."""
        lags = self.next.lags
        steps = torch.linspace(lags, values.shape[1] - 1, min(KEPT_STEPS, values.shape[1] - lags), device=values.device)
        at = steps.long()[:, None] + torch.arange(-lags, 0, device=values.device)  # (n, p)
        past, target = values[:, at].flatten(0, 1)[..., None], values[:, steps.long()].flatten()
        return past, (target - past[:, -1, 0])[:, None, None], torch.ones_like(target, dtype=torch.bool)[:, None]


def mean_loss(predicted: Output, targets: Tensor, observed: Tensor) -> Tensor:
    """Minus log_prob, averaged over the observed targets of each window; 0 where there are none.

    Example:
        >>> one = torch.ones(2, 3, 1)
        >>> predicted = torch.distributions.Normal(one, one)
        >>> mean_loss(predicted, one, one.bool())
        tensor([0.9189, 0.9189])

    Source: as for ``DistributionNetwork``.
    """
    if not bool(observed.all()):  # a draw lies in the support of any distribution; it is masked below
        targets = torch.where(observed, targets, predicted.sample().to(targets.dtype))
    loss = torch.where(observed, -predicted.log_prob(targets), 0.0)
    return loss.sum(dim=(1, 2)) / observed.sum(dim=(1, 2)).clamp(min=1)


def _joined(window: Window, ahead: int) -> tuple[Tensor, Tensor]:
    """Values (B, T + h, C) of the past and the next h steps, and which of them are observed."""
    values = torch.cat([window.past, window.future[:, :ahead]], dim=1)
    return values, torch.cat([window.past_observed, window.future_observed[:, :ahead]], dim=1)


def _rows(window: Window, some: slice) -> Window:
    return Window(*(None if part is None else part[some] for part in window))  # type: ignore[arg-type]


def _keeping(windows: Iterable[Window], kept: list[Tensor]) -> Iterator[Window]:
    """The windows; some of their channels, without gaps and up to the first step ahead, are kept as (M, T + 1)."""
    for window in windows:
        lanes = carry_forward(*_joined(window, 1)).mT[window.past_observed.any(1) & window.future_observed[:, 0]]
        kept.append(lanes[:: max(1, len(lanes) // KEPT_CHANNELS)])
        yield window
