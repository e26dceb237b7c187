"""Explicit-duration recursions in torch operations, for devices without compiled kernels.

All samples are processed step by step together, in log space with a true -inf. The forward pass keeps two conditional
distributions a step, ``source`` and ``ended``; from these the backward pass computes posteriors of a step from those of
the next by products and sums of probabilities alone: there is no division, and no underflow that matters.
"""

from typing import NamedTuple

import torch
from torch import Tensor

INF = float("inf")
CERTAIN = 1e-38  # a smaller probability to end has no gradient: its inverse would overflow in float32


class Parts(NamedTuple):
    """The log factors of a batch; a first axis of size 1 is shared by all samples, a second one by all steps."""

    initial: Tensor  # (B, K)
    transition: Tensor  # (B, T, K, K)
    keep: Tensor  # (B, T, K, D), log_continue
    emission: Tensor  # (B, T, K)


class Filtered(NamedTuple):
    """The result of the forward pass: from it paths can be drawn backwards."""

    total: Tensor  # (B,), log-likelihood
    final: Tensor  # (B, K, D), posterior of regime and count at the last step
    source: Tensor  # (B, T, K, K), [t, i, j]: P(regime i before | a segment of j begins at t)
    ended: Tensor  # (B, T, K, D), [t, i, c]: P(its run length was c | a segment of i ended before t)


def log1mexp(x: Tensor) -> Tensor:
    """``log(1 - exp(x))`` for x <= 0, exact to rounding at both ends; 0 gives -inf and no gradient.

    Example:
        >>> log1mexp(torch.tensor([0.5, 1.0]).log())
        tensor([-0.6931,    -inf])
    """
    inside = torch.where(x < 0, x, -1.0)
    near = torch.log(-torch.expm1(torch.where(inside > -0.6931, inside, -0.5)))
    far = torch.log1p(-torch.exp(torch.where(inside > -0.6931, -1.0, inside)))
    return torch.where(x < 0, torch.where(inside > -0.6931, near, far), -INF)


def filter_steps(parts: Parts) -> Filtered:
    """The forward pass: ``alpha`` is log P(regime, count, data so far), less its largest entry at each step."""
    batch, length, regimes, counts = sizes(parts)
    stop = log1mexp(parts.keep)
    alpha = parts.emission.new_full((batch, regimes, counts), -INF)
    alpha[..., 0] = parts.initial + parts.emission[:, 0]
    total = torch.zeros(batch, device=alpha.device, dtype=alpha.dtype if alpha.device.type == "mps" else torch.float64)
    source = alpha.new_zeros(batch, length, regimes, regimes)
    ended = alpha.new_zeros(batch, length, regimes, counts)
    for t in range(1, length):
        top = _finite(alpha.amax((1, 2), keepdim=True))
        alpha, total = alpha - top, total + top[:, 0, 0]
        ended[:, t], left = shares(alpha + step(stop, t), 2)
        source[:, t], entered = shares(left + step(parts.transition, t), 1)
        alpha = torch.cat([entered.mT, (alpha + step(parts.keep, t))[..., :-1]], 2) + parts.emission[:, t, :, None]
    final, rest = shares(alpha.flatten(1), 1)
    return Filtered((total + rest[:, 0]).to(alpha.dtype), final.view_as(alpha), source, ended)


def smooth_steps(filtered: Filtered) -> tuple[Tensor, Tensor]:
    """The backward pass: posteriors of regime and count (B, T, K, D), of segments that start (B, T, K from, K to)."""
    source, ended = filtered.source, filtered.ended
    posterior, starting = torch.zeros_like(ended), torch.zeros_like(source)
    gamma = filtered.final
    for t in range(ended.shape[1] - 1, 0, -1):
        posterior[:, t] = gamma
        starting[:, t] = source[:, t] * gamma[:, None, :, 0]
        older = torch.cat([gamma[..., 1:], torch.zeros_like(gamma[..., :1])], 2)
        gamma = older + starting[:, t].sum(2, keepdim=True) * ended[:, t]
        mass = gamma.sum((1, 2), keepdim=True)
        gamma = gamma / torch.where(mass > 0, mass, 1)  # 1 up to rounding
    posterior[:, 0] = gamma
    return posterior, starting


def keep_gradient(parts: Parts, filtered: Filtered, posterior: Tensor, starting: Tensor) -> Tensor:
    """Gradient of the log-likelihood by ``log_continue``, (B, T, K, D): P(continued) - P(ended) ``v / (1 - v)``."""
    continued = torch.zeros_like(posterior)
    continued[:, 1:, :, :-1] = posterior[:, 1:, :, 1:]
    stop = -torch.expm1(parts.keep)
    ends = stop > CERTAIN
    odds = torch.where(ends, torch.exp(parts.keep) / torch.where(ends, stop, 1), 0)
    return continued - starting.sum(3, keepdim=True) * filtered.ended * odds


def best_path(parts: Parts) -> tuple[Tensor, Tensor, Tensor]:
    """The most probable regimes and counts (B, T), and the log-probability of path and data (B)."""
    batch, length, regimes, counts = sizes(parts)
    stop = log1mexp(parts.keep)
    alpha = parts.emission.new_full((batch, regimes, counts), -INF)
    alpha[..., 0] = parts.initial + parts.emission[:, 0]
    total = torch.zeros(batch, device=alpha.device, dtype=alpha.dtype if alpha.device.type == "mps" else torch.float64)
    before = torch.zeros(batch, length, regimes, dtype=torch.int64, device=alpha.device)
    held = torch.zeros_like(before)
    for t in range(1, length):
        top = _finite(alpha.amax((1, 2), keepdim=True))
        alpha, total = alpha - top, total + top[:, 0, 0]
        left, held[:, t] = (alpha + step(stop, t)).max(2)
        entered, before[:, t] = (left[..., None] + step(parts.transition, t)).max(1)
        grown = (alpha + step(parts.keep, t))[..., :-1]
        alpha = torch.cat([entered[..., None], grown], 2) + parts.emission[:, t, :, None]
    best, cell = alpha.flatten(1).max(1)
    regime, count = torch.zeros_like(before[..., 0]), torch.zeros_like(before[..., 0])
    z, c = cell // counts, cell % counts
    for t in range(length - 1, -1, -1):
        regime[:, t], count[:, t] = z, c + 1
        if t:
            i = before[:, t].gather(1, z[:, None])
            fresh = c == 0
            c = torch.where(fresh, held[:, t].gather(1, i)[:, 0], c - 1)
            z = torch.where(fresh, i[:, 0], z)
    return regime, count, (total + best).to(alpha.dtype)


def draw_paths(filtered: Filtered, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Regimes and counts (B, S, T) drawn from the posterior, last step first; ``uniforms`` are (2, B, S, T)."""
    length, counts = filtered.ended.shape[1], filtered.ended.shape[3]
    rows = torch.arange(len(filtered.ended), device=uniforms.device)[:, None]
    cell = _drawn(filtered.final.flatten(1)[:, None], uniforms[0, :, :, -1])
    z, c = cell // counts, cell % counts
    regime = torch.zeros(uniforms.shape[1:], dtype=torch.int64, device=uniforms.device)
    count = torch.zeros_like(regime)
    for t in range(length - 1, -1, -1):
        regime[..., t], count[..., t] = z, c + 1
        if t:
            fresh = c == 0
            i = torch.where(fresh, _drawn(filtered.source[rows, t, :, z], uniforms[0, ..., t - 1]), z)
            c = torch.where(fresh, _drawn(filtered.ended[rows, t, i], uniforms[1, ..., t - 1]), c - 1)
            z = i
    return regime, count


def sizes(parts: Parts) -> tuple[int, int, int, int]:
    """B, T, K, D.

    Example:
        >>> sizes(Parts(torch.zeros(2, 3), torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 3, 4), torch.zeros(1, 5, 3)))
        (2, 5, 3, 4)
    """
    batch = max(len(part) for part in parts)
    return batch, parts.emission.shape[1], parts.keep.shape[2], parts.keep.shape[3]


def step(part: Tensor, t: int) -> Tensor:
    """``part`` of the step from t - 1 to t.

    Example:
        >>> step(torch.tensor([[[7.0]]]), 3)
        tensor([[7.]])
    """
    return part[:, t if part.shape[1] > 1 else 0]


def shares(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Softmax and log-sum-exp, the latter with its axis kept; where all is impossible, zeros and -inf.

    Example:
        >>> shares(torch.tensor([0.0, -INF]), 0)
        (tensor([1., 0.]), tensor([0.]))
    """
    top = _finite(x.amax(dim, keepdim=True))
    weight = torch.exp(x - top)
    mass = weight.sum(dim, keepdim=True)
    return weight / torch.where(mass > 0, mass, 1), top + mass.log()


def _finite(top: Tensor) -> Tensor:
    """The largest entry, or 0 where that is -inf, to be subtracted."""
    return torch.where(top > -INF, top, 0)


def _drawn(probability: Tensor, uniform: Tensor) -> Tensor:
    """An index for each uniform draw, with the given probabilities on the last axis; never one of probability 0."""
    reached = probability.cumsum(-1)
    index = (reached <= uniform[..., None] * reached[..., -1:]).sum(-1)
    last = (probability > 0).to(torch.int8).flip(-1).argmax(-1)
    return torch.minimum(index, probability.shape[-1] - 1 - last)
