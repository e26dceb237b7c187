"""The training loop: steps, checks, early stopping, Ctrl-C and limits of time."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

from torch import nn

from tsformers.errors import TrainingInterrupted
from tsformers.training.early_stopping import BestWeights
from tsformers.training.time_limit import current_watch

CHECKS = 20  # of a run, unless they come once an epoch

Check = Callable[[int, list[float]], float]


def steps_between_checks(total: int) -> int:
    """After how many steps a run of ``total`` steps is checked, so that there are 20 checks.

    Example:
        >>> steps_between_checks(1000), steps_between_checks(7)
        (50, 1)
    """
    return max(1, total // CHECKS)


def run(
    network: nn.Module,
    steps: Iterator[float],
    check: Check,
    bar: Any,
    *,
    total: int,
    every: int,
    patience: int | None = None,
    stacklevel: int = 3,
    before: bool = False,
) -> bool:
    """Trains ``network`` step by step and leaves it with the weights of the best check.

    The only training loop: whatever is trained differs in its steps and in its check. Ctrl-C ends the run with a
    warning: the network is checked once more, then the best weights so far are restored.

    Args:
        network: whose weights are kept and restored.
        steps: each item is one step of an optimiser, already taken, and gives the loss of its batch.
        check: from the number of steps taken and the losses since the last check to the validation loss; NaN: there is
            none, and the last weights stay.
        bar: a progress bar, see ``progress``; it is updated after each step.
        total: how many steps there are; the last is followed by a check.
        every: steps from one check to the next.
        patience: checks without improvement before the run ends; None: it goes to its last step.
        stacklevel: of the warning: 2 points to the caller of this function, 3 to his caller.
        before: the network is checked before the first step too, so that a run leaves no worse weights than it found.

    Returns:
        Whether Ctrl-C has ended the run.

    Raises:
        OutOfTime: in a block of ``limited`` whose time is over.

    Example:
        >>> import torch
        >>> from tsformers.progress import progress
        >>> from tsformers.training.optimiser_step import Descent
        >>> network = nn.Linear(1, 1, bias=False)
        >>> descent = Descent(torch.optim.SGD(network.parameters(), lr=0.1), gradient_clip=10.0, remedy="")
        >>> steps = (descent.step((network.weight - 3).square().sum()) for _ in range(60))
        >>> with progress(60, verbose=False) as bar:
        ...     interrupted = run(network, steps, lambda step, losses: losses[-1], bar, total=60, every=5)
        >>> interrupted, round(network.weight.item(), 3)
        (False, 3.0)
    """
    best = BestWeights(network, patience)
    step, checked, interrupted = 0, 0, False
    losses: list[float] = []  # since the last check
    watch = current_watch()

    def out_of_patience() -> bool:
        nonlocal checked
        with watch.checking() if watch is not None else nullcontext():
            validation_loss = check(step, losses)
        checked = step
        losses.clear()
        return best.out_of_patience(validation_loss)

    try:
        if before:
            with watch.checking() if watch is not None else nullcontext():
                untrained = check(0, [])
            best.out_of_patience(untrained)
        for step, loss in enumerate(steps, start=1):
            losses.append(loss)
            bar.update()
            if watch is not None:
                watch.stepped(total)
            if (step % every == 0 or step == total) and out_of_patience():
                break
    except KeyboardInterrupt:
        interrupted = True
        if step > checked:
            with suppress(KeyboardInterrupt):  # pressed once more: then without this check
                out_of_patience()
        warnings.warn(
            f"training was interrupted after step {step}; {best.kept(step)}",
            TrainingInterrupted,
            stacklevel=stacklevel,
        )
    best.restore()
    return interrupted
