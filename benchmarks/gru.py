"""Is the compiled GRU of REDSDS worth its lines? Forward and backward, against torch.nn.GRU of the same widths.

REDSDS embeds its windows by a bidirectional GRU of 4 to 16 features. torch.nn.GRU makes several calls for each step and
direction, which at these widths cost more than the arithmetic; the compiled loop makes one call for the whole batch.
Both compute the same numbers (``tests/forecasters/redsds/test_recurrences.py``).
"""

from collections.abc import Iterator
from time import process_time

import torch
from torch import nn

from benchmarks.timing import Row, compare, take_turns
from tsformers.forecasters.redsds.recurrences import BidirectionalGRU

CASES = ((4, 32, 100), (8, 32, 180), (16, 50, 125))  # width of a direction, windows in a batch, steps


def run() -> Iterator[Row]:
    """One row for each width."""
    torch.manual_seed(0)
    for width, batch, steps in CASES:
        ours, theirs = BidirectionalGRU(2, width), nn.GRU(2, width, batch_first=True, bidirectional=True)
        values = torch.randn(batch, steps, 2)

        def compiled(module: nn.Module = ours, values: torch.Tensor = values) -> None:
            module(values).sum().backward()

        def peer(module: nn.Module = theirs, values: torch.Tensor = values) -> None:
            module(values)[0].sum().backward()

        seconds, others = take_turns(compiled, peer, repeats=9, clock=process_time)
        what = f"GRU of REDSDS, 2 x {width} wide, {batch} windows of {steps} steps: forward and backward"
        yield compare(what, seconds, "torch.nn.GRU", others, ">= 1x")
