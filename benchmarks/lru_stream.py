"""What does one update of an LRU stream cost: for many series, for one series, and after a million updates?

A model of default size: 64 features, 64 complex states, 2 layers, a context of 96. An update takes one observation of
each series and returns the quantiles of the next value. The peers: for many series two of torch's GRU cells, 64 wide,
without head, units or calendar; for one series the goal of 200 microseconds; for the last of a million updates the
first. Memory is the peak of the process, early and late in the million.
"""

import gc
import resource
from collections.abc import Iterator
from time import process_time

import numpy as np
import pandas as pd
import torch
from torch import nn

import tsformers as tsf
from benchmarks.timing import Row, compare, take_turns

SERIES, MILLION, BLOCK = 10_000, 1_000_000, 2_000
GOAL_SECONDS = 1 / 200_000  # a series and update


def run() -> Iterator[Row]:
    """The million updates first: the peak of the memory never falls."""
    model = fitted()
    yield from million_updates(model)
    yield from one_series(model)
    yield from many_series(model)


def fitted() -> tsf.LRU:
    """A model after two training steps: training does not change the time of an update."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(400), "y": rng.normal(size=400).cumsum()})
    return tsf.LRU(horizon=24, context_length=96, max_steps=2, seed=0, verbose=False).fit(frame)


def many_series(model: tsf.LRU) -> Iterator[Row]:
    """All series in one call."""
    rng = np.random.default_rng(1)
    rows = 96
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(SERIES), rows), "ds": np.tile(np.arange(rows), SERIES)})
    frame["y"] = rng.normal(size=len(frame))
    stream, values = model.stream(frame), rng.normal(size=SERIES)
    cells, states = [nn.GRUCell(64, 64) for _ in range(2)], [torch.zeros(SERIES, 64) for _ in range(2)]

    def gru() -> None:
        with torch.inference_mode():
            x = torch.ones(SERIES, 64)
            for i, cell in enumerate(cells):
                x = states[i] = cell(x, states[i])

    ours, theirs = take_turns(lambda: stream.update(values), gru, repeats=15, clock=process_time)
    what = f"stream, {SERIES:,} series, one update"
    yield compare(what, ours, "200,000 updates a second", GOAL_SECONDS * SERIES, ">= 1x")
    yield compare(what, ours, "two GRU cells only", theirs, "none")


def one_series(model: tsf.LRU) -> Iterator[Row]:
    """One series, value by value."""
    stream = model.stream()

    def updates() -> None:
        for _ in range(200):
            stream.update(1.0)

    ours = take_turns(updates, repeats=15, clock=process_time)[0] / 200
    yield compare("stream, 1 series, one update", ours, "200 microseconds", 200e-6, ">= 1x")


def million_updates(model: tsf.LRU) -> Iterator[Row]:
    """Time and memory of the first and the last of a million updates of one series."""
    stream, values = model.stream(), np.random.default_rng(2).normal(size=BLOCK)

    def block() -> float:
        began = process_time()
        for value in values:
            stream.update(value)
        return (process_time() - began) / BLOCK

    first = np.array([block() for _ in range(10)])
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for _ in range(MILLION // BLOCK - 20):
        block()
    last = np.array([block() for _ in range(10)])
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"stream, 1 series, {MILLION:,} updates"
    yield compare(f"{what}: the last", last, "the first", first, "about 1x")
    yield compare(f"{what}: peak memory", after, "after the first", before, "1x", unit="MiB")
