"""Training of the network of Blend on the windows of a panel."""

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from tsformers.forecasters.blend.batches import Pool
from tsformers.forecasters.blend.network import BlendNetwork
from tsformers.progress import progress
from tsformers.training.loop import run, steps_between_checks
from tsformers.training.optimiser_step import Descent
from tsformers.training.schedule import rate_at

AT_ONCE = 1024  # windows in a batch that is not trained on
REMEDY = "leave out or correct extreme values"


class Run(NamedTuple):
    """How a network is trained."""

    max_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int | None
    verbose: bool | None
    title: str
    seed: tuple[int, int] | None  # of the windows, their order and the network
    device: torch.device


def descend(network: BlendNetwork, pool: Pool, plan: Run, rng: np.random.Generator) -> Iterator[float]:
    """One step of AdamW an item, on windows of the pool in random order; yields the loss of its batch."""
    weights = list(network.parameters())
    optimiser = torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True)
    descent = Descent(optimiser, 1.0, REMEDY)
    order, weigh = shuffled(pool.n, plan.batch_size, rng), pool.weights()
    for done, chosen in zip(range(plan.max_steps), order, strict=False):
        network.train()
        loss = (network.loss(pool.batch.rows(chosen), pool.target[chosen]) * weigh[chosen]).mean()
        yield descent.step(loss, rate_at(done, plan.max_steps, "cosine", 1))


def shuffled(n: int, size: int, rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """Batches of positions below n, pass after pass in new random order; a pass of fewer is one batch."""
    size = min(size, n)
    while True:
        order = torch.from_numpy(rng.permutation(n))
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def train(
    network: BlendNetwork, pool: Pool, validation: Pool | None, plan: Run, rng: np.random.Generator
) -> pd.DataFrame:
    """Train the network in place; it keeps the weights that did best in validation, those of the start among them.

    Args:
        network: to be trained.
        pool: windows to train on.
        validation: windows to choose the weights by; None: the last weights stay.
        plan: steps and rates.
        rng: order of the windows.

    Returns:
        A row a check: step, train_loss, validation_loss, seconds.
    """
    history: list[tuple[int, float, float, float]] = []
    began = time.perf_counter()
    with progress(plan.max_steps, plan.verbose, plan.title, unit="step") as bar:

        def check(step: int, losses: list[float]) -> float:
            loss = math.nan if validation is None else mean_loss(network, validation)
            mean = float(np.mean(losses)) if losses else math.nan
            history.append((step, mean, loss, time.perf_counter() - began))
            bar.set_postfix(train=f"{mean:.4g}", validation=f"{loss:.4g}")
            return loss

        every = steps_between_checks(plan.max_steps)
        steps = descend(network, pool, plan, rng)
        run(network, steps, check, bar, total=plan.max_steps, every=every, patience=plan.patience, before=True)
    frame = pd.DataFrame(history, columns=["step", "train_loss", "validation_loss", "seconds"], dtype=np.float64)
    return frame.astype({"step": np.int64})


def mean_loss(network: BlendNetwork, pool: Pool) -> float:
    """Mean loss of windows, without training."""
    network.eval()
    weigh = pool.weights()
    with torch.inference_mode():
        parts = [
            (network.loss(pool.batch.rows(rows), pool.target[rows]) * weigh[rows]).sum() for rows in _blocks(pool.n)
        ]
    return float(torch.stack(parts).sum()) / pool.n


def _blocks(n: int) -> Iterator[torch.Tensor]:
    return iter(torch.split(torch.arange(n), AT_ONCE))
