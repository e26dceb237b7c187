"""Auto-correlation: attention over lags, which finds periods."""

import math
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class AutoCorrelation(nn.Module):
    """Averages the values at the lags where query and key are most correlated; costs O(L log L).

    With the circular correlation ``m[tau] = mean over heads and channels of sum_t q[t + tau] k[t]``, the
    ``K = int(factor * ln L)`` lags ``tau_1, ..., tau_K`` where it is largest, and ``w = softmax(m[tau_1], ...)``, the
    answer is ``out[t] = sum_i w_i v[t + tau_i]``, all times modulo L, the length of the query. Shorter keys and values
    are padded with zeros, longer ones cut at their end. While training the lags are those of the batch's mean
    correlation; in inference mode each sample has its own, so that its answer does not depend on its batch.

    Args:
        factor: how many lags are kept, in units of ln L; at least one and at most L lags are.

    Raises:
        ValueError: ``factor`` is not positive.

    Example:
        >>> wave = torch.sin(torch.arange(24.0) * 2 * torch.pi / 8).reshape(1, 24, 1, 1)
        >>> lags, weights = AutoCorrelation(factor=1.0).eval().delays(wave, wave)
        >>> sorted(lags[0].tolist())
        [0, 8, 16]

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eqs. 4-7 and algorithm 3.
    """

    def __init__(self, factor: float | int = 1.0) -> None:
        super().__init__()
        if not factor > 0:
            raise ValueError(f"factor is {factor}; it must be positive")
        self.factor = factor

    def forward(
        self, query: Float[Tensor, "B L H E"], key: Float[Tensor, "B M H E"], value: Float[Tensor, "B M H E"]
    ) -> Float[Tensor, "B L H E"]:
        """The weighted sum of shifted values.

        Args:
            query: L steps of H heads of E channels; it sets the length of the answer.
            key: what the query is compared with.
            value: what is shifted and summed.

        Returns:
            As long as the query.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 6.
        """
        length = query.shape[1]
        delays, weights = self.delays(query, key)
        # A sum of shifts is a circular correlation too, with the weights set at their lags: no copy of value per lag.
        at_lag = weights.new_zeros(len(weights), length).scatter(1, delays, weights)  # (B, L)
        mixed: Tensor = _Mixed.apply(at_lag, _wide(_fit(value, length)).flatten(2))  # type: ignore[no-untyped-call]
        return mixed.view(-1, length, *value.shape[2:]).to(value.dtype)

    def delays(
        self, query: Float[Tensor, "B L H E"], key: Float[Tensor, "B M H E"]
    ) -> tuple[Int64[Tensor, "B K"], Float[Tensor, "B K"]]:
        """The lags and their weights: the periods that the layer finds.

        Args:
            query: L steps of H heads of E channels.
            key: what the query is compared with.

        Returns:
            Lags in steps, the most correlated first, and weights that sum to 1. In training mode every row of
            lags is the same.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 6.
        """
        length = query.shape[1]
        kept = min(max(int(self.factor * math.log(length)), 1), length)
        likeness = self.correlation(query, key)
        ranked = likeness.mean(0, keepdim=True).expand_as(likeness) if self.training else likeness
        lags = ranked.detach().topk(kept, dim=1).indices
        return lags, likeness.gather(1, lags).softmax(1)

    def correlation(self, query: Float[Tensor, "B L H E"], key: Float[Tensor, "B M H E"]) -> Float[Tensor, "B L"]:
        """Circular correlation of query and key at every lag, averaged over heads and channels.

        The mean is taken before the inverse transform, which is linear: one inverse a sample, in place of H E.

        Args:
            query: L steps of H heads of E channels.
            key: what the query is compared with.

        Returns:
            One number a lag, neither divided by the length nor scaled; float32 or wider.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 8.
        """
        left, right = _wide(query).flatten(2), _wide(_fit(key, query.shape[1])).flatten(2)
        correlated: Tensor = _Correlated.apply(left, right)  # type: ignore[no-untyped-call]
        return correlated / left.shape[2]

    def extra_repr(self) -> str:
        """The settings that ``print`` shows."""
        return f"factor={self.factor}"


class AutoCorrelationLayer(nn.Module):
    """Auto-correlation between learned projections of its inputs: drop-in for multi-head attention.

    Since all heads share their lags, the four projections of the paper are two, both of ``y``:
    ``(W_q x) . (W_k y) = x . (W_q' W_k y)``, and ``W_o (sum of shifted W_v y) = sum of shifted (W_o W_v y)``. The
    answer is the same; the bias of the query, which adds the same number at every lag, takes no part in it.

    Args:
        width: D, channels of every input and of the answer.
        n_heads: into how many heads the paper splits the projections, which changes nothing.
        factor: as in ``AutoCorrelation``.

    Raises:
        ValueError: ``width`` is not a multiple of ``n_heads``.

    Example:
        >>> layer = AutoCorrelationLayer(width=8, n_heads=2)
        >>> layer(torch.zeros(3, 10, 8), torch.zeros(3, 7, 8)).shape
        torch.Size([3, 10, 8])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 7.
    """

    def __init__(self, width: int, n_heads: int, factor: float | int = 1.0) -> None:
        super().__init__()
        if n_heads < 1 or width % n_heads:
            raise ValueError(f"a width of {width} cannot be split into {n_heads} heads; choose a multiple")
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.mix = AutoCorrelation(factor)

    def forward(self, x: Float[Tensor, "B L D"], other: Float[Tensor, "B M D"]) -> Float[Tensor, "B L D"]:
        """Auto-correlation of ``x`` with ``other``; ``other = x`` for self-correlation.

        Args:
            x: source of the queries.
            other: source of keys and values.

        Returns:
            As long as ``x``.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 7.
        """
        key, value = (functional.linear(other, *merged).unsqueeze(2) for merged in self._merged())  # (B, M, 1, D)
        return self.mix(x.unsqueeze(2), key, value).squeeze(2) + self.out.bias

    def correlation(self, x: Float[Tensor, "B L D"], other: Float[Tensor, "B M D"]) -> Float[Tensor, "B L"]:
        """The correlation by which ``forward`` chooses lags, up to a constant: that of the projections.

        Args:
            x: source of the queries.
            other: source of keys.

        Returns:
            One number a lag.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 8.
        """
        key = functional.linear(other, *self._merged()[0])
        return self.mix.correlation(x.unsqueeze(2), key.unsqueeze(2))

    def _merged(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Weight and bias of query and key as one map, and of value and out as one, the bias of out aside."""
        query, out = self.query.weight.T, self.out.weight
        return (query @ self.key.weight, query @ self.key.bias), (out @ self.value.weight, out @ self.value.bias)


class _Correlated(torch.autograd.Function):
    """``m[tau] = sum over t and channels of left[t + tau] right[t]``, modulo L, with real transforms both ways."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        """(B, L, D) twice into (B, L)."""
        ctx.length, spectra = left.shape[1], (torch.fft.rfft(left, dim=1), torch.fft.rfft(right, dim=1))
        ctx.save_for_backward(*spectra)
        return torch.fft.irfft((spectra[0] * spectra[1].conj()).sum(2), n=ctx.length, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """``d left[t] = sum_tau grad[tau] right[t - tau]`` and ``d right[t] = sum_tau grad[tau] left[t + tau]``."""
        left, right = ctx.saved_tensors
        at_lag = torch.fft.rfft(grad, dim=1)[:, :, None]
        back = (at_lag * right, at_lag.conj() * left)
        return torch.fft.irfft(back[0], n=ctx.length, dim=1), torch.fft.irfft(back[1], n=ctx.length, dim=1)


class _Mixed(torch.autograd.Function):
    """``out[t] = sum_tau weight[tau] value[t + tau]``, modulo L."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, value: Tensor) -> Tensor:
        """(B, L) and (B, L, D) into (B, L, D)."""
        ctx.length, spectra = value.shape[1], (torch.fft.rfft(weight, dim=1)[:, :, None], torch.fft.rfft(value, dim=1))
        ctx.save_for_backward(*spectra)
        return torch.fft.irfft(spectra[0].conj() * spectra[1], n=ctx.length, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """``d weight[tau] = sum over t and channels of value[t + tau] grad[t]``; ``d value`` as in ``_Correlated``."""
        weight, value = ctx.saved_tensors
        spectrum = torch.fft.rfft(grad, dim=1)
        d_weight = torch.fft.irfft((value * spectrum.conj()).sum(2), n=ctx.length, dim=1)
        return d_weight, torch.fft.irfft(weight * spectrum, n=ctx.length, dim=1)


def _fit(x: Tensor, length: int) -> Tensor:
    """The first ``length`` steps, continued by zeros where there are fewer."""
    return x[:, :length] if x.shape[1] >= length else functional.pad(x, (0, 0, 0, 0, 0, length - x.shape[1]))


def _wide(x: Tensor) -> Tensor:
    """Float32 at least: half precision has no transform of arbitrary length."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
