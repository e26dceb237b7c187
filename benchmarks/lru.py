"""What does a linear recurrence cost, forward and backward? Against the loop, the log-depth scan and a GRU.

Batches of 8, 64 complex states in complex64, 64 features; seconds of the processor. The plain loop takes
``b[:, k]`` at each step, whose gradient is an array as large as ``b``, so that its cost grows with the square of T and
at 16,384 steps would take minutes: it is left out there. The loop over ``b.unbind(1)`` avoids that. The scan
by doubling has log2 T rounds. All three are torch under autograd. The GRU is torch's own, 64 wide, against the whole
layer with its projections. Bandwidth: forward reads inputs and writes states, backward reads gradients and states and
writes gradients; the peer is a plain copy of as many bytes. Both use preallocated memory, 64 MB an array, beyond the
caches; in the other rows of that length a good part of our time is the allocation of new pages.
"""

from collections.abc import Callable, Iterator
from time import process_time

import torch
from torch import Tensor, nn

from benchmarks.timing import Row, compare, take_turns
from tsformers.nn import LRULayer, linear_scan
from tsformers.nn.recurrent.scan import scan_adjoint, scan_states

BATCH, STATES, WIDTH = 8, 64, 64
LENGTHS = {256: 9, 1024: 7, 4096: 5, 16384: 3}  # and how often each is timed
PLAIN_REPEATS = {256: 3, 1024: 3, 4096: 1}
UNBOUND_REPEATS = {256: 3, 1024: 3, 4096: 3, 16384: 1}
GOALS = {4096: (">= 50x", ">= 3x", ">= 3x")}
NO_GOALS = ("none", "none", "none")


def run() -> Iterator[Row]:
    """Growth, bandwidth, then the peers."""
    torch.manual_seed(0)
    yield from growth()
    yield from bandwidth()
    yield from against_scans()
    yield from against_gru()


def against_scans() -> Iterator[Row]:
    """The operator alone: states and all gradients."""
    a, b = draw(256)
    for peer in (plain_loop, unbound_loop, doubling):
        torch.testing.assert_close(peer(a, b), linear_scan(a, b), rtol=0, atol=1e-3)
    for length, repeats in LENGTHS.items():
        a, b = draw(length)
        scan, log_depth = (training(function, a, b) for function in (linear_scan, doubling))
        ours, theirs = take_turns(scan, log_depth, repeats=repeats, clock=process_time)
        what, goals = f"linear_scan, T = {length:,}: forward and backward", GOALS.get(length, NO_GOALS)
        for name, peer, counts in (("plain", plain_loop, PLAIN_REPEATS), ("unbound", unbound_loop, UNBOUND_REPEATS)):
            if length in counts:
                step, times = training(peer, a, b), counts[length]
                looped = take_turns(step, repeats=times, warm_up=False, clock=process_time)[0]
                yield compare(what, ours, f"{name} loop", looped, goals[0] if name == "plain" else "none")
        yield compare(what, ours, "doubling", theirs, goals[1])


def bandwidth() -> Iterator[Row]:
    """Shares of the speed of a copy: two arrays moved forwards, three backwards."""
    length = max(LENGTHS)
    source, target = draw(length)[1].detach(), draw(length)[1].detach()
    forward, backward = in_place(length)
    copy, ours, back = take_turns(lambda: target.copy_(source), forward, backward, repeats=11, clock=process_time)
    what, peer = f"scan, T = {length:,}, preallocated memory", "copy of as many bytes"
    yield compare(f"{what}: forward", ours, peer, copy, "none")
    yield compare(f"{what}: backward", back, peer, 1.5 * copy, "none")


def in_place(length: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """The scan and its adjoint without new arrays; small factors, so that repeats do not overflow."""
    a, x = (tensor.detach() for tensor in draw(length))
    a, g = 0.5 * a, x.clone()
    return lambda: scan_states(a, x, None, overwrite=True), lambda: scan_adjoint(a, g, x, None, overwrite=True)


def against_gru() -> Iterator[Row]:
    """The whole layer: projections, scan and readout, with the gradients of all parameters."""
    lru, gru = LRULayer(WIDTH, STATES), nn.GRU(WIDTH, WIDTH, batch_first=True)
    for length, repeats in LENGTHS.items():
        u = torch.randn(BATCH, length, WIDTH, requires_grad=True)
        calls = training(lru, u), training(lambda u: gru(u)[0], u)
        ours, theirs = take_turns(*calls, repeats=repeats, clock=process_time)
        goal = GOALS.get(length, NO_GOALS)[2]
        yield compare(f"LRULayer, T = {length:,}: forward and backward", ours, "torch.nn.GRU", theirs, goal)


def growth() -> Iterator[Row]:
    """Longer sequences, against linear growth from 1,024 steps."""
    layer = LRULayer(WIDTH, STATES)
    pairs = {length: in_place(length) for length in LENGTHS}
    calls: dict[str, list[Callable[[], object]]] = {
        "scan, preallocated memory": [lambda pair=pair: (pair[0](), pair[1]()) for pair in pairs.values()],
        "LRULayer": [training(layer, torch.randn(BATCH, n, WIDTH, requires_grad=True)) for n in LENGTHS],
    }
    for what, steps in calls.items():
        seconds = dict(zip(LENGTHS, take_turns(*steps, repeats=9, clock=process_time), strict=True))
        for length in (4096, 16384):
            linear = seconds[1024] * length / 1024
            yield compare(f"{what}, T = {length:,}: growth", seconds[length], "linear from 1,024", linear, "about 1x")


def draw(length: int) -> tuple[Tensor, Tensor]:
    """Factors inside the unit circle, and inputs."""
    a = torch.polar(0.9 + 0.099 * torch.rand(STATES), 6 * torch.rand(STATES))
    return a.requires_grad_(), torch.randn(BATCH, length, STATES, dtype=torch.complex64).requires_grad_()


def training(function: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], None]:
    """Forward, and backward from a fixed gradient."""
    with torch.no_grad():
        gradient = torch.randn_like(function(*inputs))

    def step() -> None:
        for tensor in inputs:
            tensor.grad = None
        function(*inputs).backward(gradient)

    return step


def plain_loop(a: Tensor, b: Tensor) -> Tensor:
    """The recurrence as it is written."""
    x, states = torch.zeros_like(b[:, 0]), []
    for k in range(b.shape[1]):
        x = a * x + b[:, k]
        states.append(x)
    return torch.stack(states, dim=1)


def unbound_loop(a: Tensor, b: Tensor) -> Tensor:
    """The same with inputs taken apart once, so that their gradients are put together once."""
    x, states = torch.zeros_like(b[:, 0]), []
    for inputs in b.unbind(1):
        x = a * x + inputs
        states.append(x)
    return torch.stack(states, dim=1)


def doubling(a: Tensor, b: Tensor) -> Tensor:
    """After k rounds each state contains the inputs of its last 2 ** k steps."""
    shift = 1
    while shift < b.shape[1]:
        b = torch.cat([b[:, :shift], b[:, shift:] + a * b[:, :-shift]], dim=1)
        a, shift = a * a, 2 * shift
    return b
