"""What do a training step of Autoformer, a forecast and their memory cost? Against a plain transcription of the paper.

Both networks are the published one (two encoder layers, one decoder layer, d_ff = 4 d_model, factor 3, dropout 0.05)
with 7 channels and 4 calendar columns, L = 96, in batches of 32. A step is forward, squared error, backward and Adam.
Memory is what autograd keeps between forward and backward: bytes of all tensors saved, each storage counted once,
parameters left out; unlike the resident size of the process it is the same in every run. Seconds are the processor's:
a step is long, and other processes on a busy machine would change the ratios.
"""

import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from time import process_time

import torch
from torch import Tensor, nn

from benchmarks.plain_autoformer import PlainAutoformer
from benchmarks.timing import Row, compare, take_turns, without_peer
from tsformers.forecasters.autoformer import Autoformer
from tsformers.forecasters.autoformer.network import AutoformerStack

CHANNELS, MARKS, LENGTH, LABEL, BATCH, DROPOUT = 7, 4, 96, 48, 32, 0.05
CASES = [
    (64, 96, 11),
    (64, 336, 7),
    (128, 96, 7),
    (128, 336, 5),
    (512, 96, 2),
    (512, 336, 1),
]  # width, horizon, repeats
GOALS = {64: ">= 2x", 128: ">= 2x", 512: ">= 1.3x"}
LENGTHS = (96, 384, 1536, 3072)

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # past, its covariates, those of label steps and horizon, target


class Stack(AutoformerStack):
    """Our network; ``forward`` returns the forecast."""

    def forward(self, past: Tensor, past_marks: Tensor, marks: Tensor, horizon: int) -> Tensor:  # type: ignore[override]
        """(B, H, C)."""
        decoded = super().forward(past, past_marks, marks, horizon)
        return (decoded.seasonal + decoded.trend)[:, -horizon:]


def run() -> Iterator[Row]:
    """Peers at several widths and horizons, then longer contexts."""
    yield from against_peers()
    yield from growth()


def against_peers() -> Iterator[Row]:
    """Steps, forecasts and memory at the widths and horizons of ``CASES``."""
    torch.manual_seed(0)
    for width, horizon, repeats in CASES:
        batch = draw(BATCH, LENGTH, horizon)
        peers: dict[str, nn.Module] = {
            "plain transcription": PlainAutoformer(CHANNELS, MARKS, width, 8, 4 * width, DROPOUT)
        }
        if find_spec("neuralforecast"):
            peers["neuralforecast"] = neuralforecast(width, horizon)
        networks = [ours(width), *peers.values()]
        steps = take_turns(
            *(training_step(network, batch) for network in networks), repeats=repeats, clock=process_time
        )
        forecasts = take_turns(
            *(inference(network, batch) for network in networks), repeats=2 * repeats + 1, clock=process_time
        )
        what = f"Autoformer, d_model {width}, horizon {horizon}"
        for peer, step, forecast in zip(peers, steps[1:], forecasts[1:], strict=True):
            yield compare(f"{what}: training step", steps[0], peer, step, GOALS[width])
            yield compare(f"{what}: inference", forecasts[0], peer, forecast, ">= 3x")
        if "neuralforecast" not in peers:
            yield without_peer(f"{what}: training step", steps[0], "neuralforecast", "neuralforecast", GOALS[width])
            yield without_peer(f"{what}: inference", forecasts[0], "neuralforecast", "neuralforecast", ">= 3x")
        if width != 128:
            kept = [saved(network, batch) for network in networks[:2]]
            yield compare(f"{what}: memory of a step", kept[0], "plain transcription", kept[1], "none", unit="MiB")


def growth() -> Iterator[Row]:
    """Training steps of longer series, against ``L log L`` growth from the shortest."""
    batches = {length: draw(8, length, 96) for length in LENGTHS}
    network = ours(64)
    seconds = take_turns(*(training_step(network, batch) for batch in batches.values()), repeats=3, clock=process_time)

    def cost(length: int) -> float:  # of encoder (L) and decoder (label steps and horizon)
        return length * math.log(length) + (LABEL + 96) * math.log(LABEL + 96)

    for length, taken in zip(LENGTHS, seconds, strict=True):
        what = f"Autoformer, d_model 64, batch 8, L = {length:,}: training step"
        expected = seconds[0] * cost(length) / cost(LENGTHS[0])
        yield compare(what, taken, f"L log L from {LENGTHS[0]}", expected, ">= 1x")


def draw(batch: int, length: int, horizon: int) -> Batch:
    """A batch of random walks."""
    walk = torch.randn(batch, length + horizon, CHANNELS).cumsum(1) / math.sqrt(length)
    marks = torch.rand(batch, length + horizon, MARKS) - 0.5
    return walk[:, :length], marks[:, :length], marks[:, length - LABEL :], walk[:, length:]


def ours(width: int) -> nn.Module:
    """Our network with ``d_model`` = ``width``."""
    sizes = {"d_model": width, "d_ff": 4 * width, "dropout": DROPOUT}
    return Stack(CHANNELS, MARKS, MARKS, Autoformer.paper(horizon=1, **sizes).architecture())


def training_step(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """Forward, backward, and one step of Adam: the package's own (one fused kernel), for peers torch's default."""
    adam = torch.optim.Adam(network.parameters(), lr=1e-4, fused=isinstance(network, Stack) or None)
    *inputs, target = batch

    def step() -> None:
        network.train()
        loss = (network(*inputs, target.shape[1]) - target).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def inference(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """The forecast of a batch."""
    *inputs, target = batch

    @torch.no_grad()
    def forecast() -> None:
        network.eval()
        network(*inputs, target.shape[1])

    return forecast


def saved(network: nn.Module, batch: Batch) -> float:
    """Mebibytes that autograd keeps of a forward pass, parameters aside."""
    *inputs, target = batch
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    sizes: dict[int, int] = {}
    kept: list[Tensor] = []  # referenced until counted, so that no address is used twice

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor)
        return tensor

    network.train()
    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        network(*inputs, target.shape[1])
    return sum(sizes.values()) / 2**20


def neuralforecast(width: int, horizon: int) -> nn.Module:
    """The Autoformer of neuralforecast, behind our arguments; the marks are its future covariates."""
    from neuralforecast.models import Autoformer

    model = Autoformer(
        h=horizon,
        input_size=LENGTH,
        futr_exog_list=[f"m{i}" for i in range(MARKS)],
        hidden_size=width,
        n_head=8,
        conv_hidden_size=4 * width,
        dropout=DROPOUT,
        factor=3,
        activation="gelu",
        decoder_input_size_multiplier=LABEL / LENGTH,
    )

    class Peer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, past: Tensor, past_marks: Tensor, marks: Tensor, horizon: int) -> Tensor:
            """(B, H, 1): it has one channel and ours seven, which favours it."""
            known = torch.cat([past_marks[:, :-LABEL], marks], dim=1)
            return self.model({"insample_y": past[..., :1], "futr_exog": known})

    return Peer()
