"""Training of a network on the windows of packed series, and the best of several random restarts."""

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from tsformers.contracts import ClosedFormFit
from tsformers.data.window_scaling import scale
from tsformers.data.windows import Packed
from tsformers.progress import progress
from tsformers.training.batches import Windows
from tsformers.training.config import Plan
from tsformers.training.loop import run, steps_between_checks
from tsformers.training.optimiser_step import Descent
from tsformers.training.randomness import seeded
from tsformers.training.schedule import rate_at

MOST_FITTED = 50_000  # windows from which a network may fit a part of itself in closed form
LATE = 0.25  # share of the checks, the last ones, whose training loss ranks restarts without validation windows

Groups = list[dict[str, Any]]  # of an optimiser: "params", and "lr" where it differs


class Trained(NamedTuple):
    """What a run leaves besides the weights."""

    history: pd.DataFrame  # a row a check: step, train_loss (mean since the last check), validation_loss, seconds
    interrupted: bool  # by Ctrl-C


def train(
    network: nn.Module,
    packed: Packed,
    plan: Plan,
    rng: np.random.Generator,
    groups: Groups | None = None,
    title: str | None = None,
) -> Trained:
    """Trains ``network`` in place and leaves it with the weights that did best on the validation windows.

    Without validation windows (no series is long enough, or ``validation_windows=0``) the last weights stay. Ctrl-C
    ends the run with a warning and keeps the best weights so far. Randomness inside the network is torch's: see
    ``seeded``.

    Args:
        network: has ``loss(window) -> (B,)``.
        packed: the series, on the device of the network.
        plan: sizes, steps, rates.
        rng: order of the windows.
        groups: parameter groups of the optimiser, each with a learning rate of its own if it names one; None: one
            group of all parameters.
        title: stands before the progress bar.

    Returns:
        The history, and whether Ctrl-C has ended the run.

    Raises:
        ValueError: there is no window to train on.
        FloatingPointError: the loss or its gradient is no longer finite.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> class Drift(nn.Linear):
        ...     def loss(self, window):
        ...         return (self(window.past[..., 0]) - window.future[..., 0]).square().mean(-1)
        >>> packed = pack_rows(np.arange(60.0)[:, None], [0, 60])
        >>> from tsformers.testing import make_plan
        >>> plan = make_plan(context_length=4, horizon=2, max_steps=200, batch_size=64, learning_rate=0.05)
        >>> with seeded(0, torch.device("cpu")):
        ...     history, interrupted = train(Drift(4, 2), packed, plan, np.random.default_rng(0))
        >>> bool(history["validation_loss"].min() < 0.01), interrupted
        (True, False)
    """
    windows = Windows(packed, plan, rng)
    _refuse_former_fit(network)
    if isinstance(network, ClosedFormFit):
        batches = windows.some(MOST_FITTED), windows.validation()
        network.fit_closed_form(*((scale(each, plan.scaler) for each in some) for some in batches))
    total = plan.max_steps
    if plan.max_epochs is not None:
        total = min(total, plan.max_epochs * windows.steps_per_epoch)
    every = windows.steps_per_epoch if plan.schedule == "halving" else steps_between_checks(total)
    history: list[tuple[int, float, float, float]] = []
    began = time.perf_counter()
    with progress(total, plan.verbose, title, unit="step") as bar:

        def check(step: int, losses: list[float]) -> float:
            loss = validation_loss(network, windows, packed.y.device)
            mean = float(np.cumsum(losses)[-1]) / len(losses)  # one after the other: np.sum adds in pairs
            history.append((step, mean, loss, time.perf_counter() - began))
            bar.set_postfix(train=f"{mean:.4g}", validation=f"{loss:.4g}")
            return loss

        steps = _steps(network, windows, total, groups)
        patience = plan.early_stopping_patience
        interrupted = run(network, steps, check, bar, total=total, every=every, patience=patience, stacklevel=4)
    frame = pd.DataFrame(history, columns=["step", "train_loss", "validation_loss", "seconds"], dtype=np.float64)
    return Trained(frame.astype({"step": np.int64}), interrupted)


def best_restart(
    restarts: Iterable[tuple[nn.Module, Groups]], n: int, packed: Packed, plan: Plan, seed: int | None
) -> tuple[nn.Module, pd.DataFrame, bool]:
    """The one of ``n`` networks that training brings to the lowest loss.

    Each is trained by itself, with the same plan and batches. The loss is the lowest of the validation windows, or
    where there are none, the training loss of the run's last quarter. Ctrl-C ends the comparison: the best network
    so far, trained that far, is the answer.

    Args:
        restarts: networks to be trained in place, each initialised at random, and their parameter groups; those after
            the ``n``-th are not drawn.
        n: how many to try.
        packed: the series, on the device of the networks.
        plan: sizes, steps, rates.
        seed: of the order of the windows.

    Returns:
        The network, with the weights of its run; the history of that; whether Ctrl-C has ended all.

    Raises:
        ValueError: there is no window to train on.
        FloatingPointError: a loss or its gradient is no longer finite.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> class Level(nn.Module):
        ...     def __init__(self, level):
        ...         super().__init__()
        ...         self.level = nn.Parameter(torch.tensor(level))
        ...     def loss(self, window):
        ...         return (self.level - window.future[:, 0, 0]).square()
        >>> networks = [Level(0.0), Level(4.0), Level(9.0)]
        >>> restarts = ((network, [{"params": list(network.parameters())}]) for network in networks)
        >>> from tsformers.testing import make_plan
        >>> plan = make_plan(context_length=2, horizon=1, scaler=None, max_steps=20, batch_size=64, learning_rate=1e-3)
        >>> packed = pack_rows(np.full((30, 1), 5.0), [0, 30])
        >>> best, history, interrupted = best_restart(restarts, 3, packed, plan, seed=0)
        >>> best is networks[1], len(history), interrupted
        (True, 20, False)
    """
    lowest, best = math.inf, None
    for i, (network, groups) in zip(range(1, n + 1), restarts, strict=False):
        rng = np.random.default_rng(seed)
        history, interrupted = train(network, packed, plan, rng, groups, f"random restart {i} of {n}")
        validated = history["validation_loss"].min()
        late = history["train_loss"].tail(max(1, round(LATE * len(history)))).mean()
        loss = late if math.isnan(validated) else validated
        if best is None or loss < lowest:
            lowest, best = loss, (network, history)
        if interrupted:
            break
    assert best is not None
    return *best, interrupted


def validation_loss(network: nn.Module, windows: Windows, device: torch.device) -> float:
    """Mean loss of the validation windows that have an observed target; the same random numbers at every check.

    Args:
        network: put in evaluation mode.
        windows: whose validation windows.
        device: of the network.

    Returns:
        A number; NaN without any such window.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> class Level(nn.Module):
        ...     def loss(self, window):
        ...         return window.future[:, 0, 0] ** 2
        >>> from tsformers.testing import make_plan
        >>> plan = make_plan(context_length=2, horizon=1, scaler=None)
        >>> windows = Windows(pack_rows(np.full((9, 1), 3.0), [0, 9]), plan, np.random.default_rng(0))
        >>> validation_loss(Level(), windows, torch.device("cpu"))
        9.0
    """
    network.eval()
    total, n = 0.0, 0
    with torch.no_grad(), seeded(0, device):
        for batch in windows.validation():
            window = scale(batch, windows.plan.scaler)
            scored = window.future_observed.flatten(1).any(dim=1)
            total += float(network.loss(window)[scored].sum())  # type: ignore[operator]
            n += int(scored.sum())
    return total / n if n else math.nan


def _steps(network: nn.Module, windows: Windows, total: int, groups: Groups | None) -> Iterator[float]:
    """One optimiser step an item; yields the loss of its batch."""
    plan = windows.plan
    groups = groups or [{"params": list(network.parameters())}]
    weights = [weight for group in groups for weight in group["params"]]
    fused = all(weight.is_floating_point() for weight in weights)  # torch has no such kernel for complex numbers
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=fused)
    descent = Descent(optimiser, plan.gradient_clip, "give extreme values a scaler ('standard', 'robust')")
    for done, batch in zip(range(total), windows.batches(), strict=False):
        network.train()
        loss = network.loss(scale(batch, plan.scaler)).mean()  # type: ignore[operator]
        yield descent.step(loss, rate_at(done, total, plan.schedule, windows.steps_per_epoch))


def _refuse_former_fit(network: nn.Module) -> None:
    """A closed-form fit under its former name would be left out without a word."""
    if callable(getattr(network, "solve", None)) and not isinstance(network, ClosedFormFit):
        raise TypeError(
            f"{type(network).__name__}.solve is not called any more; rename it to fit_closed_form(windows, validation)"
        )
