"""The walks of the explicit-duration model: compiled on the processor, in torch operations elsewhere."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

import tsformers.hsmm.torch_ops as loops
from tsformers.hsmm.torch_ops import Laws, Parts, log1mexp, sizes

THREAD_CELLS = 1 << 16  # below so many cells of regime, count and time, starting threads costs more than they save


def likelihood(parts: Parts) -> Tensor:
    """Log-likelihoods (B), nothing else kept."""
    kernels = _kernels_for(parts)
    return loops.filter_steps(parts).total if kernels is None else _walked(kernels, parts, laws=False).total


def laws(parts: Parts) -> Laws:
    """The walk forward."""
    kernels = _kernels_for(parts)
    return loops.filter_steps(parts) if kernels is None else _walked(kernels, parts)


def posterior(parts: Parts, *, with_slope: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None]:
    """Log-likelihood, regime, regime and count, changes, and the gradient for ``keep``, shared steps summed."""
    kernels = _kernels_for(parts)
    if kernels is None:
        forward = loops.filter_steps(parts)
        regime_count, begun = loops.smooth_steps(forward)
        slope = loops.keep_gradient(parts, forward, regime_count, begun) if with_slope else None
        return forward.total, regime_count.sum(3), regime_count, begun, slope
    batch, length, regimes, counts = sizes(parts)
    regime = parts.emission.new_empty(batch, length, regimes)
    slope = parts.emission.new_empty(batch, parts.keep.shape[1] if with_slope else 0, regimes, counts)
    walked = _walked(kernels, parts, regime=regime, slope=slope)
    return walked.total, regime, walked.ended, walked.source, slope if with_slope else None


def best_path(parts: Parts) -> tuple[Tensor, Tensor, Tensor]:
    """The most probable regimes from 0 and counts from 1 (B, T), and the log-probability of path and data (B)."""
    kernels = _kernels_for(parts, "path_kernels")
    if kernels is None:
        return loops.best_path(parts)
    batch, length, _, _ = sizes(parts)
    regime, count = np.empty((2, batch, length), np.int64)
    best = np.empty(batch)
    initial, transition, keep, emission = (part.numpy() for part in _flat(parts))
    stop = log1mexp(parts.keep).flatten(2).numpy()
    arrays = (initial, transition, keep, stop, emission, regime, count, best)
    _shared_out(parts, lambda first, last: kernels.follow(*arrays, first, last))
    return torch.from_numpy(regime), torch.from_numpy(count), torch.from_numpy(best).to(parts.emission.dtype)


def draw_paths(forward: Laws, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Regimes and counts (B, S, T); ``uniforms`` are (2, B, S, T)."""
    kernels = compiled_kernels("path_kernels") if uniforms.device.type == "cpu" else None
    if kernels is None:
        return loops.draw_paths(forward, uniforms)
    regime, count = np.empty((2, *uniforms.shape[1:]), np.int64)
    arrays = [part.numpy() for part in (forward.final.flatten(1), forward.source, forward.ended, uniforms)]
    kernels.draw(*arrays, regime, count, 0, len(regime))
    return torch.from_numpy(regime), torch.from_numpy(count)


def _walked(
    kernels: ModuleType, parts: Parts, *, laws: bool = True, regime: Tensor | None = None, slope: Tensor | None = None
) -> Laws:
    """The compiled walk forward; with ``regime`` and ``slope`` to fill also back, so that laws are posteriors."""
    batch, length, regimes, counts = sizes(parts)
    kept = length if laws else 0
    new = parts.emission.new_empty
    total, final = torch.empty(batch, dtype=torch.float64), torch.empty(batch, regimes * counts, dtype=torch.float64)
    source, ended = new(batch, kept, regimes, regimes), new(batch, kept, regimes, counts)
    regime = new(batch, 0, regimes) if regime is None else regime
    slope = new(batch, 0, regimes, counts) if slope is None else slope
    odds = slope.flatten(2) if slope.shape[1] != 1 else torch.empty_like(slope).flatten(2)
    initial, transition, keep, emission = (part.numpy() for part in _flat(parts))
    lift = max(float(np.max(transition[:, min(1, transition.shape[1] - 1) :])), 0.0)  # weights above 1 are scaled down
    filled = [part.numpy() for part in (total, final, source, ended, odds, regime, slope)]
    _shared_out(
        parts, lambda first, last: kernels.walk(initial, transition, lift, keep, emission, *filled, first, last)
    )
    dtype = parts.emission.dtype
    return Laws(total.to(dtype), final.view(batch, regimes, counts).to(dtype), source, ended)


def _flat(parts: Parts) -> list[Tensor]:
    """What numpy can look at, the last axes of transitions and continuations as one."""
    plain = [part.detach().contiguous() for part in parts]
    return [plain[0], plain[1].flatten(2), plain[2].flatten(2), plain[3]]


def _shared_out(parts: Parts, work: Callable[[int, int], Any]) -> None:
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
    """The compiled kernels where they can be used."""
    return compiled_kernels(kind) if parts.emission.device.type == "cpu" else None


@functools.cache
def compiled_kernels(kind: str) -> ModuleType | None:
    """Compiled "kernels" or "path_kernels", or None without numba; loaded late, since numba is slow to load."""
    try:
        return import_module(f"tsformers.hsmm.{kind}")
    except ImportError as error:
        if (error.name or "").startswith("tsformers"):
            raise
        return None
