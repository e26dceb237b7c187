"""The linear recurrence of the state-space layers, with an exact gradient."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Complex
from torch import Tensor

CHUNK_STEPS = 32  # of the scan in torch operations
THREAD_STATES = 1 << 18  # below so many states to compute, starting threads costs more than they save


def linear_scan(
    a: Complex[Tensor, " N"], b: Complex[Tensor, "B T N"], initial: Complex[Tensor, "B N"] | None = None
) -> Complex[Tensor, "B T N"]:
    """All states of a diagonal linear recurrence, with gradients for all three arguments.

    ``x[k] = a x[k - 1] + b[k]``, elementwise in the states. On the processor a compiled loop computes them, with
    samples and states divided among torch's threads; elsewhere, and where numba is not installed, chunks of 32 steps in
    torch operations. Either costs time linear in T. The gradient is the same recurrence run backwards: exact, and only
    the states are kept for it.

    Args:
        a: the factors, one a state; beyond modulus 1 states grow without bound.
        b: the input of each step.
        initial: the state before the first step; None is zero.

    Returns:
        The states, each after the input of its own step.

    Raises:
        TypeError: the arguments are not all complex64 or all complex128.
        ValueError: their shapes do not match, or there is no step.

    Example:
        >>> half = torch.tensor([0.5 + 0j])
        >>> linear_scan(half, torch.ones(1, 4, 1, dtype=torch.complex64)).real.flatten().tolist()
        [1.0, 1.5, 1.75, 1.875]

    Source: Orvieto et al. (2023), LRU, section 3; the gradient follows from the adjoint recurrence.
    """
    kinds = {x.dtype for x in (a, b, initial) if x is not None}
    if kinds not in ({torch.complex64}, {torch.complex128}):
        named = ", ".join(sorted(str(kind) for kind in kinds))
        raise TypeError(f"linear_scan was given {named}; a, b and initial must all be complex64 or all complex128")
    return _LinearScan.apply(a, b, initial)  # type: ignore[no-untyped-call]


class _LinearScan(torch.autograd.Function):
    """``linear_scan`` for autograd."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
        x = scan_states(a, b, initial)
        ctx.save_for_backward(a, x, initial)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        a, x, initial = ctx.saved_tensors
        if torch.is_grad_enabled():  # for second derivatives
            into_b = linear_scan(a.conj(), g.flip(1)).flip(1)
            into_a = (into_b * _before(x, initial).conj()).sum((0, 1))
        else:
            into_b, into_a = scan_adjoint(a, g, x, initial)
        return into_a, into_b, None if initial is None else a.conj() * into_b[:, 0]


def scan_states(a: Tensor, b: Tensor, initial: Tensor | None, *, overwrite: bool = False) -> Tensor:
    """``x[k] = a x[k - 1] + b[k]`` without a gradient; with ``overwrite`` the states may overwrite ``b``.

    Example:
        >>> one = torch.ones(1, 3, 1, dtype=torch.complex64)
        >>> scan_states(one[0, 0], one, None).real.flatten().tolist()
        [1.0, 2.0, 3.0]
    """
    wanted = [(b.shape[2],), (b.shape[0], b.shape[2])]
    if not b.shape[1] or wanted != [tuple(a.shape), wanted[1] if initial is None else tuple(initial.shape)]:
        given = "none" if initial is None else tuple(initial.shape)
        raise ValueError(
            f"the scan was given a {tuple(a.shape)}, b {tuple(b.shape)}, state {given}; "
            "it needs (N,), (B, T, N) with T at least 1, and (B, N)"
        )
    kernels = compiled_kernels() if b.device.type == "cpu" else None
    if kernels is None:
        return chunked_scan(a, b if initial is None else _entering(a, b, initial))
    b = for_numpy(b)
    x = b if overwrite else torch.empty_like(b)
    state = b.new_zeros(len(b), b.shape[2]) if initial is None else for_numpy(initial).clone()
    arrays = [tensor.numpy() for tensor in (for_numpy(a), b, x, state)]
    _run_in_threads(b, lambda first, last, low, high: kernels.forwards(*arrays, first, last, low, high))
    return x


def scan_adjoint(
    a: Tensor, g: Tensor, x: Tensor, initial: Tensor | None, *, overwrite: bool = False
) -> tuple[Tensor, Tensor]:
    """The gradients with respect to ``b`` and ``a``, given the gradient ``g`` with respect to the states.

    ``h[k] = g[k] + conj(a) h[k + 1]``, and ``sum of h[k] conj(x[k - 1])``, the latter summed in double precision by
    the compiled kernel.

    Example:
        >>> one = torch.ones(1, 3, 1, dtype=torch.complex64)
        >>> scan_adjoint(one[0, 0], one, one.cumsum(1), None)[0].real.flatten().tolist()
        [3.0, 2.0, 1.0]
    """
    rate, g = for_numpy(a.conj()), for_numpy(g)
    kernels = compiled_kernels() if g.device.type == "cpu" else None
    if kernels is None:
        h = chunked_scan(rate, g.flip(1)).flip(1)
        return h, (h * _before(x, initial).conj()).sum((0, 1))
    h = g if overwrite else torch.empty_like(g)
    before = x.new_zeros(len(x), x.shape[2]) if initial is None else for_numpy(initial)
    arrays = [tensor.numpy() for tensor in (rate, g, h, for_numpy(x), before)]
    sums: list[np.ndarray[Any, Any]] = []  # one a thread: list.append is atomic

    def work(first: int, last: int, low: int, high: int) -> None:
        total = np.zeros(x.shape[2], np.complex128)
        kernels.backwards(*arrays, total, first, last, low, high)
        sums.append(total)

    _run_in_threads(g, work)
    return h, torch.from_numpy(np.sum(sums, axis=0)).to(a.dtype)


def chunked_scan(a: Tensor, b: Tensor, chunk: int = CHUNK_STEPS) -> Tensor:
    """The scan in torch operations: matrix products inside chunks, recursively for the ends of the chunks.

    Powers are ``|a|^j exp(i j arg a)`` in double precision where the device has it; repeated products would lose
    digits, and dividing by powers, the usual short cut, overflows.

    Example:
        >>> one = torch.ones(1, 3, 1, dtype=torch.complex64)
        >>> chunked_scan(one[0, 0], one, chunk=2).real.flatten().tolist()
        [1.0, 2.0, 3.0]
    """
    batch, length, width = b.shape
    steps = min(chunk, length)
    wide = a if a.device.type == "mps" else a.to(torch.complex128)
    exponents = torch.arange(steps + 1, device=a.device, dtype=wide.real.dtype)[:, None]
    powers = torch.polar(wide.abs() ** exponents, wide.angle() * exponents)  # (c + 1, N)
    near = powers.to(b.dtype)
    lag = torch.arange(steps, device=b.device)[:, None] - torch.arange(steps, device=b.device)
    products = torch.where((lag >= 0)[..., None], near[lag.clamp(min=0)], 0)  # (c, c, N)
    padded = torch.cat([b, b.new_zeros(batch, -length % steps, width)], dim=1)
    inside = torch.einsum("tsn,bksn->bktn", products, padded.view(batch, -1, steps, width))
    if inside.shape[1] > 1:
        ends = chunked_scan(powers[steps], inside[:, :-1, -1], chunk)  # (B, chunks - 1, N)
        inside[:, 1:] += near[1:] * ends[:, :, None]
    return inside.flatten(1, 2)[:, :length]


def _entering(a: Tensor, b: Tensor, initial: Tensor) -> Tensor:
    """``b`` with the carried state in its first step."""
    return torch.cat([b[:, :1] + (a * initial)[:, None], b[:, 1:]], dim=1)


def _before(x: Tensor, initial: Tensor | None) -> Tensor:
    """The state before each step."""
    first = torch.zeros_like(x[:, :1]) if initial is None else initial[:, None]
    return torch.cat([first, x[:, :-1]], dim=1)


def for_numpy(tensor: Tensor) -> Tensor:
    """Contiguous and without pending conjugation or negation, so that numpy can share its memory.

    Example:
        >>> for_numpy(torch.ones(2, 3).mT).is_contiguous()
        True
    """
    return tensor.detach().resolve_conj().resolve_neg().contiguous()


def _run_in_threads(b: Tensor, work: Callable[[int, int, int, int], None]) -> None:
    """``work(first, last, low, high)`` for parts of samples and states, one to each of torch's threads."""
    batch, _, width = b.shape
    threads = torch.get_num_threads() if b.numel() >= THREAD_STATES else 1
    if threads == 1:
        work(0, batch, 0, width)
        return
    rows = min(threads, batch)
    columns = min(-(-threads // rows), max(width // 16, 1))  # 16 states fill a vector register twice
    samples = [batch * i // rows for i in range(rows + 1)]
    states = [width * i // columns for i in range(columns + 1)]
    parts = [(*samples[i : i + 2], *states[j : j + 2]) for i in range(rows) for j in range(columns)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: work(*part), parts))


@functools.cache
def compiled_kernels() -> ModuleType | None:
    """The compiled kernels, or None without numba; loaded at the first scan, since numba is slow to load."""
    try:
        import tsformers.nn.recurrent.scan_kernels as kernels
    except ImportError as error:
        if (error.name or "").startswith("tsformers"):
            raise
        return None
    return kernels
