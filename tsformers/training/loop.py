"""train(network, packed, plan, rng) -> history: the only training loop."""

import math
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from tsformers.contracts import ClosedFormFit
from tsformers.data.window_scaling import scale
from tsformers.data.windows import Packed
from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress
from tsformers.training.batches import Windows
from tsformers.training.config import Plan
from tsformers.training.early_stopping import BestWeights
from tsformers.training.randomness import seeded
from tsformers.training.schedule import rate_at

CHECKS = 20  # of the held-back windows in a run
MOST_SOLVED = 50_000  # windows from which a network may solve a part of itself
LATE = 0.25  # share of the checks, the last ones, whose training loss judges a start where no windows are held back

Groups = list[dict[str, Any]]  # of an optimiser: "params", and "lr" where it differs


def train(
    network: nn.Module,
    packed: Packed,
    plan: Plan,
    rng: np.random.Generator,
    groups: Groups | None = None,
) -> pd.DataFrame:
    """Trains ``network`` in place and leaves it with the weights that did best on the held-back windows.

    Without held-back windows (no series is long enough, or ``validation_windows=0``) the last weights stay. Ctrl-C
    ends the run with a warning and keeps the best weights so far. Randomness inside the network is torch's: see
    ``seeded``.

    Args:
        network: has ``loss(window) -> (B,)``.
        packed: the series, on the device of the network.
        plan: sizes, steps, rates.
        rng: order of the windows.
        groups: parameter groups of the optimiser, each with a learning rate of its own if it names one; None: one
            group of all parameters.

    Returns:
        A frame with one row a check: step, train_loss (mean since the last check), validation_loss, seconds.

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
        ...     history = train(Drift(4, 2), packed, plan, np.random.default_rng(0))
        >>> bool(history["validation_loss"].min() < 0.01)
        True
    """
    return _trained(network, packed, plan, rng, groups)[0]


def _trained(
    network: nn.Module,
    packed: Packed,
    plan: Plan,
    rng: np.random.Generator,
    groups: Groups | None,
    title: str | None = None,
) -> tuple[pd.DataFrame, bool]:
    """What ``train`` does and gives, and whether Ctrl-C has ended it; ``title`` stands before the progress bar."""
    windows = Windows(packed, plan, rng)
    if isinstance(network, ClosedFormFit):
        network.fit_closed_form(
            *((scale(each, plan.scaler) for each in some) for some in (windows.some(MOST_SOLVED), windows.validation()))
        )
    total = plan.max_steps
    if plan.max_epochs is not None:
        total = min(total, plan.max_epochs * windows.steps_per_epoch)
    every = windows.steps_per_epoch if plan.schedule == "halving" else max(1, total // CHECKS)
    best = BestWeights(network, plan.early_stopping_patience)
    history: list[tuple[int, float, float, float]] = []
    began = time.perf_counter()
    step, train_loss, interrupted = 0, 0.0, False
    with progress(total, plan.verbose, title) as bar:

        def checked() -> bool:
            """Notes how the weights do by now; True when patience is at its end."""
            validation_loss = _validate(network, windows, packed.y.device)
            mean = train_loss / (step - (history[-1][0] if history else 0))
            history.append((step, mean, validation_loss, time.perf_counter() - began))
            bar.set_postfix(train=f"{mean:.4g}", validation=f"{validation_loss:.4g}")
            return best.no_better(validation_loss)

        try:
            for step, batch_loss in enumerate(_steps(network, windows, total, groups), start=1):
                train_loss += batch_loss
                bar.update()
                if step % every and step < total:
                    continue
                if checked():
                    break
                train_loss = 0.0
        except KeyboardInterrupt:
            interrupted = True
            if step > (history[-1][0] if history else 0):
                with suppress(KeyboardInterrupt):  # pressed once more: then without this check
                    checked()
            warnings.warn(
                f"training was interrupted after step {step}; {best.kept(step)}", TrainingInterrupted, stacklevel=4
            )
    best.restore()
    frame = pd.DataFrame(history, columns=["step", "train_loss", "validation_loss", "seconds"], dtype=np.float64)
    return frame.astype({"step": np.int64}), interrupted


def best_restart(
    starts: Iterable[tuple[nn.Module, Groups]], n: int, packed: Packed, plan: Plan, seed: int | None
) -> tuple[nn.Module, pd.DataFrame, bool]:
    """The one of ``n`` networks that training brings to the lowest loss.

    Each is trained by itself, as ``plan`` says, on the same batches. The loss is the lowest of the held-back windows,
    or where there are none, the training loss of the run's last quarter. Ctrl-C ends the comparison: the best network
    so far, trained that far, is the answer.

    Args:
        starts: networks to be trained in place, and their parameter groups; those after the ``n``-th are not asked for.
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
        >>> starts = ((network, [{"params": list(network.parameters())}]) for network in networks)
        >>> from tsformers.testing import make_plan
        >>> plan = make_plan(context_length=2, horizon=1, scaler=None, max_steps=20, batch_size=64, learning_rate=1e-3)
        >>> packed = pack_rows(np.full((30, 1), 5.0), [0, 30])
        >>> best, history, interrupted = best_restart(starts, 3, packed, plan, seed=0)
        >>> best is networks[1], len(history), interrupted
        (True, 20, False)
    """
    lowest, best = math.inf, None
    for i, (network, groups) in zip(range(1, n + 1), starts, strict=False):
        rng = np.random.default_rng(seed)
        history, interrupted = _trained(network, packed, plan, rng, groups, f"start {i} of {n}")
        held_back = history["validation_loss"].min()
        late = history["train_loss"].tail(max(1, round(LATE * len(history)))).mean()
        loss = late if math.isnan(held_back) else held_back
        if best is None or loss < lowest:
            lowest, best = loss, (network, history)
        if interrupted:
            break
    assert best is not None
    return *best, interrupted


def _steps(network: nn.Module, windows: Windows, total: int, groups: Groups | None) -> Iterator[float]:
    """One optimiser step an item; yields the loss of its batch."""
    plan = windows.plan
    groups = groups or [{"params": list(network.parameters())}]
    weights = [weight for group in groups for weight in group["params"]]
    fused = all(weight.is_floating_point() for weight in weights)  # torch has no such kernel for complex numbers
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=fused)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: rate_at(done, total, plan.schedule, windows.steps_per_epoch)
    )
    for step, batch in zip(range(1, total + 1), windows.batches(), strict=False):
        network.train()
        loss = network.loss(scale(batch, plan.scaler)).mean()  # type: ignore[operator]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(weights, plan.gradient_clip)
        value = loss.item()
        if not math.isfinite(value) or not math.isfinite(norm.item()):
            raise FloatingPointError(
                f"at step {step} the loss is {value} and the norm of its gradient {norm.item()}; lower learning_rate "
                f"(now {plan.learning_rate:g}), or give extreme values a scaler ('standard', 'robust')"
            )
        optimiser.step()
        schedule.step()
        yield value


def _validate(network: nn.Module, windows: Windows, device: torch.device) -> float:
    """Mean loss of the held-back windows that have a seen target; NaN without any. The same draws at every check."""
    network.eval()
    total, n = 0.0, 0
    with torch.no_grad(), seeded(0, device):
        for batch in windows.validation():
            window = scale(batch, windows.plan.scaler)
            scored = window.future_observed.flatten(1).any(dim=1)
            total += float(network.loss(window)[scored].sum())  # type: ignore[operator]
            n += int(scored.sum())
    return total / n if n else math.nan
