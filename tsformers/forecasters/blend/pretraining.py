"""Training of the shipped weights of Blend on synthetic series."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from tsformers.forecasters.blend.bases.contexts import BASES, Contexts, inputs
from tsformers.forecasters.blend.batches import Pool, pool
from tsformers.forecasters.blend.covariates import without_covariates
from tsformers.forecasters.blend.network import BlendNetwork
from tsformers.forecasters.blend.pretrained import fresh_network
from tsformers.progress import progress
from tsformers.simulate.prior_series import draw
from tsformers.training.optimiser_step import Descent
from tsformers.training.schedule import rate_at
from tsformers.training.threads import limited_threads

DRAWN = 1024  # series of one horizon, drawn at a time
LEFT_OUT = 0.1  # probability that a base is left out of a batch, so that the weights serve any choice of bases
ALWAYS = ("last", "ses")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the shipped weights are made: the same recipe gives the same bits on one thread of one kind of processor.

    Args:
        steps: of the optimiser.
        seed: of the weights, the series and their order.
        batch_size: windows in a step.
        learning_rate: the largest, of a cosine.

    Example:
        >>> Recipe(steps=10).seed
        0
    """

    steps: int = 3000
    seed: int = 0
    batch_size: int = 256
    learning_rate: float = 2e-3


def pools(rng: np.random.Generator) -> Iterator[Pool]:
    """Windows of synthetic series, without end."""
    while True:
        found = draw(DRAWN, rng)
        contexts = Contexts(found.y, found.first, found.stop, found.seasons, found.second)
        windows = pool(inputs(contexts, found.horizon), contexts, without_covariates(found.y), found.future)
        if windows.n:
            yield windows


def batches(rng: np.random.Generator, size: int) -> Iterator[tuple[Pool, torch.Tensor]]:
    """Positions of ``size`` windows of a pool, without end."""
    for windows in pools(rng):
        order = torch.from_numpy(rng.permutation(windows.n))
        for start in range(0, max(windows.n - size, 0) + 1, size):
            yield windows, order[start : start + size]


def pretrained(recipe: Recipe, verbose: bool | None = None) -> tuple[BlendNetwork, list[float]]:
    """Train a network on synthetic series.

    Args:
        recipe: steps, seed, rates.
        verbose: progress bar; None: where stderr is a terminal.

    Returns:
        The network, and the loss of every step.

    Source: synthetic series as training data: Dooley et al. (2023), ForecastPFN, section 3.
    """
    network, rng = fresh_network(recipe.seed), np.random.default_rng(recipe.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0.01, fused=True)
    descent = Descent(optimiser, 1.0, "draw other series")
    may_go = torch.tensor([name not in ALWAYS for name in BASES])
    losses = []
    with limited_threads(), progress(recipe.steps, verbose, "Blend on synthetic series", unit="step") as bar:
        network.train()
        for done, (windows, rows) in zip(range(recipe.steps), batches(rng, recipe.batch_size), strict=False):
            batch = windows.batch.rows(rows)
            gone = torch.from_numpy(rng.random(len(BASES)) < LEFT_OUT) & may_go
            loss = network.loss(batch._replace(available=batch.available & ~gone), windows.target[rows]).mean()
            losses.append(descent.step(loss, rate_at(done, recipe.steps, "cosine", 1)))
            bar.update()
    with torch.no_grad():
        network.stepwise.weight[:, BASES.index("linear")] = 0.0  # never there: its random weights would only disturb
        network.weigh.weight[BASES.index("linear")] = 0.0
    return network.eval(), losses
