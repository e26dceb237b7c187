"""The loop itself: when it checks, when it ends, and which weights it leaves."""

import math

import pytest
import torch
from torch import nn

from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress
from tsformers.training.loop import run, steps_between_checks


def counted(network, losses, pressed=None):
    """Steps that set the weight to their own number; Ctrl-C in place of step ``pressed``."""
    for step, loss in enumerate(losses, start=1):
        if step == pressed:
            raise KeyboardInterrupt
        with torch.no_grad():
            network.weight.fill_(float(step))
        yield loss


def ran(validation, *, total=10, every=2, patience=None, pressed=None):
    """Weight at the end, what the checks were given, and whether Ctrl-C ended it."""
    network, checks, losses = nn.Linear(1, 1, bias=False), [], [float(k) for k in range(1, total + 1)]

    def check(step, since):
        checks.append((step, list(since)))
        return validation(step)

    with progress(total, verbose=False) as bar:
        steps = counted(network, losses, pressed)
        interrupted = run(network, steps, check, bar, total=total, every=every, patience=patience)
    assert not network.training
    return network.weight.item(), checks, interrupted


def test_checks_come_every_so_many_steps_and_after_the_last_with_the_losses_since_the_one_before():
    weight, checks, interrupted = ran(lambda step: -step, total=5)
    assert checks == [(2, [1.0, 2.0]), (4, [3.0, 4.0]), (5, [5.0])]
    assert (weight, interrupted) == (5.0, False)


def test_the_weights_of_the_best_check_are_put_back_and_patience_ends_the_run():
    weight, checks, _ = ran(lambda step: abs(step - 4), total=100, patience=3)
    assert weight == 4.0 and [step for step, _ in checks] == [2, 4, 6, 8, 10]


def test_without_a_validation_loss_the_last_weights_stay():
    assert ran(lambda _: math.nan, patience=1)[0] == 10.0


@pytest.mark.parametrize(("pressed", "kept"), [(8, "best weights so far"), (1, "learned nothing yet")])
def test_ctrl_c_is_followed_by_one_more_check_if_there_were_steps_since_the_last(pressed, kept):
    with pytest.warns(TrainingInterrupted, match=f"after step {pressed - 1}; .*{kept}"):
        _, checks, interrupted = ran(lambda step: -step, pressed=pressed)
    assert interrupted and [step for step, _ in checks] == ([2, 4, 6, 7] if pressed > 1 else [])


def test_a_long_run_has_twenty_checks():
    assert [steps_between_checks(total) for total in (1, 19, 20, 1000)] == [1, 1, 1, 50]
