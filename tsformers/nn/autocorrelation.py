"""Attention that looks for periods, in place of single points in time."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional


class AutoCorrelation(nn.Module):
    """Mixes the values at the lags where query and key resemble each other most; costs O(L log L).

    With the circular correlation ``m[tau] = mean over heads and channels of sum_t q[t + tau] k[t]``, the
    ``K = int(factor * ln L)`` lags ``tau_1, ..., tau_K`` where it is largest, and ``w = softmax(m[tau_1], ...)``, the
    answer is ``out[t] = sum_i w_i v[t + tau_i]``, all times modulo L, the length of the query. Shorter keys and values
    are continued by zeros, longer ones cut at their end. While training the lags are those of the batch's mean
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
        spectrum = torch.fft.rfft(_wide(_fit(value, length)), dim=1)
        mixed = spectrum * torch.fft.rfft(at_lag, dim=1).conj()[:, :, None, None]
        return torch.fft.irfft(mixed, n=length, dim=1).to(value.dtype)

    def delays(
        self, query: Float[Tensor, "B L H E"], key: Float[Tensor, "B M H E"]
    ) -> tuple[Int64[Tensor, "B K"], Float[Tensor, "B K"]]:
        """The lags and their weights: which periods the layer sees.

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
        length = query.shape[1]
        left = torch.fft.rfft(_wide(query), dim=1)
        right = torch.fft.rfft(_wide(_fit(key, length)), dim=1)
        return torch.fft.irfft((left * right.conj()).mean((2, 3)), n=length, dim=1)

    def extra_repr(self) -> str:
        """What ``print`` shows between the brackets.

        Source: none; torch's own convention.
        """
        return f"factor={self.factor}"


class AutoCorrelationLayer(nn.Module):
    """Auto-correlation between learned projections of its inputs: drop-in for multi-head attention.

    Args:
        width: D, channels of every input and of the answer.
        n_heads: into how many heads the projections are split. The lags are common to all heads.
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
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.mix = AutoCorrelation(factor)

    def forward(self, x: Float[Tensor, "B L D"], other: Float[Tensor, "B M D"]) -> Float[Tensor, "B L D"]:
        """What ``other`` has to say to ``x``; ``other = x`` for self-correlation.

        Args:
            x: source of the queries.
            other: source of keys and values.

        Returns:
            As long as ``x``.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 7.
        """
        heads = (self.n_heads, -1)
        mixed = self.mix(
            self.query(x).unflatten(-1, heads),
            self.key(other).unflatten(-1, heads),
            self.value(other).unflatten(-1, heads),
        )
        return self.out(mixed.flatten(2))


def _fit(x: Tensor, length: int) -> Tensor:
    """The first ``length`` steps, continued by zeros where there are fewer."""
    return x[:, :length] if x.shape[1] >= length else functional.pad(x, (0, 0, 0, 0, 0, length - x.shape[1]))


def _wide(x: Tensor) -> Tensor:
    """Float32 at least: half precision has no transform of arbitrary length."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
