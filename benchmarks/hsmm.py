"""What does exact marginalisation of regimes and durations cost, forward and backward? Against loops in torch.

T = 500 steps, K = 5 regimes, D = 20 counts, batches of 32, all four parts varying with sample and step and all with a
gradient; seconds of the processor. The plain loop is the recursion as it is written, ``log_continue[:, t]``
at each step, under autograd: the gradient of each step's part is an array as large as the whole. The loop over
``unbind(1)`` avoids that. Both work in log space with ``torch.logsumexp``, and give no posteriors beyond their
gradients. Below them, what longer durations cost, against the multiple that linear growth in D would make it.
"""

from collections.abc import Callable, Iterator
from time import process_time

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.timing import Row, compare, take_turns
from tsformers import hsmm

BATCH, LENGTH, REGIMES, COUNTS = 32, 500, 5, 20
IMPOSSIBLE = -1e30  # in the loops, which would give NaN gradients for -inf
Parts = tuple[Tensor, Tensor, Tensor, Tensor]


def run() -> Iterator[Row]:
    """Single and double precision, then longer durations."""
    yield from against_loops(torch.float32)
    yield from against_loops(torch.float64)
    yield from growth()


def against_loops(dtype: torch.dtype) -> Iterator[Row]:
    """Log-likelihood, posteriors and all gradients; the loops give the first and the last of these."""
    parts = draw(dtype)
    for peer in (plain_loop, unbound_loop):
        torch.testing.assert_close(peer(*parts), ours(*parts), rtol=1e-5, atol=0)
    calls = [training(function, parts) for function in (ours, unbound_loop)]
    fast, unbound = take_turns(*calls, repeats=9, clock=process_time)
    plain = take_turns(training(plain_loop, parts), repeats=3, warm_up=False, clock=process_time)[0]
    name = str(dtype).removeprefix("torch.")
    what = f"hsmm, T = {LENGTH}, K = {REGIMES}, D = {COUNTS}, batch {BATCH}, {name}: forward and backward"
    yield compare(what, fast, "plain loop", plain, ">= 20x")
    yield compare(what, fast, "unbound loop", unbound, "none")


def growth() -> Iterator[Row]:
    """Longer durations."""
    sizes = (20, 50, 100, 200)
    calls = [training(ours, draw(torch.float64, batch=8, regimes=3, counts=counts)) for counts in sizes]
    seconds = dict(zip(sizes, take_turns(*calls, repeats=9, clock=process_time), strict=True))
    for counts in (100, 200):
        linear = seconds[50] * counts / 50
        yield compare(f"hsmm, K = 3, D = {counts}: growth", seconds[counts], "linear from 50", linear, ">= 0.75x")


def draw(dtype: torch.dtype, batch: int = BATCH, regimes: int = REGIMES, counts: int = COUNTS) -> Parts:
    """Four parts of random numbers."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator, dtype=torch.float64)

    initial, emission = normal(regimes).log_softmax(-1), -3 * normal(LENGTH, regimes).abs()
    transition = normal(LENGTH, regimes, regimes).log_softmax(-1)
    lasting = functional.logsigmoid(normal(LENGTH, regimes, counts) + 2)
    lasting[..., -1] = IMPOSSIBLE
    drawn = (part.to(dtype).requires_grad_() for part in (initial, transition, lasting, emission))
    return next(drawn), next(drawn), next(drawn), next(drawn)


def training(function: Callable[..., Tensor], parts: Parts) -> Callable[[], None]:
    """Log-likelihoods, and their gradients."""

    def step() -> None:
        for part in parts:
            part.grad = None
        function(*parts).sum().backward()

    return step


def ours(initial: Tensor, transition: Tensor, lasting: Tensor, emission: Tensor) -> Tensor:
    """The package's, posteriors and all."""
    return hsmm.forward_backward(
        log_initial=initial, log_transition=transition, log_continue=lasting, log_emission=emission
    ).log_likelihood


def plain_loop(initial: Tensor, transition: Tensor, lasting: Tensor, emission: Tensor) -> Tensor:
    """The recursion as it is written."""
    ending = log1mexp(lasting)
    alpha = first(initial + emission[:, 0], lasting.shape[3])
    for t in range(1, emission.shape[1]):
        ended = torch.logsumexp(alpha + ending[:, t], 2)
        entered = torch.logsumexp(ended[..., None] + transition[:, t], 1)
        alpha = torch.cat([entered[..., None], (alpha + lasting[:, t])[..., :-1]], 2) + emission[:, t, :, None]
    return torch.logsumexp(alpha, (1, 2))


def unbound_loop(initial: Tensor, transition: Tensor, lasting: Tensor, emission: Tensor) -> Tensor:
    """The same with the parts taken apart once, so that their gradients are put together once."""
    ending = log1mexp(lasting)
    alpha = first(initial + emission[:, 0], lasting.shape[3])
    steps = zip(*(part.unbind(1)[1:] for part in (transition, lasting, ending, emission)), strict=True)
    for jump, last, end, density in steps:
        entered = torch.logsumexp(torch.logsumexp(alpha + end, 2)[..., None] + jump, 1)
        alpha = torch.cat([entered[..., None], (alpha + last)[..., :-1]], 2) + density[..., None]
    return torch.logsumexp(alpha, (1, 2))


def first(entered: Tensor, counts: int) -> Tensor:
    """Count 1 for all."""
    return functional.pad(entered[..., None], (0, counts - 1), value=IMPOSSIBLE)


def log1mexp(x: Tensor) -> Tensor:
    """``log(1 - exp(x))``."""
    return torch.where(x > -0.7, torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x)))
