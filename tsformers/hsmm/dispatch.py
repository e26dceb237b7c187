"""Choice of the implementation: compiled kernels on the processor, torch operations elsewhere."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

import tsformers.hsmm.torch_ops as torch_ops
from tsformers.hsmm.torch_ops import Filtered, Parts, log1mexp, sizes

THREAD_CELLS = 1 << 16  # below so many cells of regime, count and time, starting threads costs more than they save


def likelihood(parts: Parts) -> Tensor:
    """Log-likelihoods (B)."""
    kernels = _kernels_for(parts)
    return torch_ops.filter_steps(parts).total if kernels is None else _passes(kernels, parts, keep_steps=False).total


def filter_forward(parts: Parts) -> Filtered:
    """The forward pass."""
    kernels = _kernels_for(parts)
    return torch_ops.filter_steps(parts) if kernels is None else _passes(kernels, parts)


def posterior(parts: Parts, *, with_slope: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None]:
    """Log-likelihood, regime, regime and count, changes, and the gradient for ``keep``, shared steps summed."""
    kernels = _kernels_for(parts)
    if kernels is None:
        forward = torch_ops.filter_steps(parts)
        regime_count, starting = torch_ops.smooth_steps(forward)
        slope = torch_ops.keep_gradient(parts, forward, regime_count, starting) if with_slope else None
        return forward.total, regime_count.sum(3), regime_count, starting, slope
    batch, length, regimes, counts = sizes(parts)
    regime = parts.emission.new_empty(batch, length, regimes)
    slope = parts.emission.new_empty(batch, parts.keep.shape[1] if with_slope else 0, regimes, counts)
    both = _passes(kernels, parts, regime=regime, slope=slope)
    return both.total, regime, both.ended, both.source, slope if with_slope else None


def best_path(parts: Parts) -> tuple[Tensor, Tensor, Tensor]:
    """The most probable regimes from 0 and counts from 1 (B, T), and the log-probability of path and data (B)."""
    kernels = _kernels_for(parts, "viterbi_kernels")
    if kernels is None:
        return torch_ops.best_path(parts)
    batch, length, _, _ = sizes(parts)
    regime, count = np.empty((2, batch, length), np.int64)
    best = np.empty(batch)
    initial, transition, keep, emission = (part.numpy() for part in _flat(parts))
    stop = log1mexp(parts.keep).flatten(2).numpy()
    arrays = (initial, transition, keep, stop, emission, regime, count, best)
    _run_in_threads(parts, lambda first, last: kernels.best_paths(*arrays, first, last))
    return torch.from_numpy(regime), torch.from_numpy(count), torch.from_numpy(best).to(parts.emission.dtype)


def draw_paths(forward: Filtered, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Regimes and counts (B, S, T); ``uniforms`` are (2, B, S, T)."""
    kernels = compiled_kernels("sampling_kernels") if uniforms.device.type == "cpu" else None
    if kernels is None:
        return torch_ops.draw_paths(forward, uniforms)
    regime, count = np.empty((2, *uniforms.shape[1:]), np.int64)
    arrays = [part.numpy() for part in (forward.final.flatten(1), forward.source, forward.ended, uniforms)]
    kernels.draw_paths(*arrays, regime, count, 0, len(regime))
    return torch.from_numpy(regime), torch.from_numpy(count)


def _passes(
    kernels: ModuleType,
    parts: Parts,
    *,
    keep_steps: bool = True,
    regime: Tensor | None = None,
    slope: Tensor | None = None,
) -> Filtered:
    """The compiled forward pass; with ``regime`` and ``slope`` to fill also the backward pass, in place."""
    batch, length, regimes, counts = sizes(parts)
    kept = length if keep_steps else 0
    new = parts.emission.new_empty
    total, final = torch.empty(batch, dtype=torch.float64), torch.empty(batch, regimes * counts, dtype=torch.float64)
    source, ended = new(batch, kept, regimes, regimes), new(batch, kept, regimes, counts)
    regime = new(batch, 0, regimes) if regime is None else regime
    slope = new(batch, 0, regimes, counts) if slope is None else slope
    odds = slope.flatten(2) if slope.shape[1] != 1 else torch.empty_like(slope).flatten(2)
    initial, transition, keep, emission = (part.numpy() for part in _flat(parts))
    lift = max(float(np.max(transition[:, min(1, transition.shape[1] - 1) :])), 0.0)  # weights above 1 are scaled down
    filled = [part.numpy() for part in (total, final, source, ended, odds, regime, slope)]
    _run_in_threads(
        parts, lambda first, last: kernels.run_passes(initial, transition, lift, keep, emission, *filled, first, last)
    )
    dtype = parts.emission.dtype
    return Filtered(total.to(dtype), final.view(batch, regimes, counts).to(dtype), source, ended)


def _flat(parts: Parts) -> list[Tensor]:
    """Contiguous parts that numpy can share, the last axes of transitions and continuations as one."""
    plain = [part.detach().contiguous() for part in parts]
    return [plain[0], plain[1].flatten(2), plain[2].flatten(2), plain[3]]


def _run_in_threads(parts: Parts, work: Callable[[int, int], Any]) -> None:
    """``work(first, last)`` for parts of the batch, one to each of torch's threads."""
    batch, length, regimes, counts = sizes(parts)
    threads = min(torch.get_num_threads(), batch) if batch * length * regimes * counts >= THREAD_CELLS else 1
    if threads == 1:
        work(0, batch)
        return
    ends = [batch * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, ends[:-1], ends[1:]))


def _kernels_for(parts: Parts, kind: str = "kernels") -> ModuleType | None:
    """The compiled kernels, if the parts are on the processor."""
    return compiled_kernels(kind) if parts.emission.device.type == "cpu" else None


@functools.cache
def compiled_kernels(kind: str) -> ModuleType | None:
    """A module of compiled kernels by its name, or None without numba; loaded late, since numba is slow to load."""
    try:
        return import_module(f"tsformers.hsmm.{kind}")
    except ImportError as error:
        if (error.name or "").startswith("tsformers"):
            raise
        return None
