"""Learning-rate schedules."""

import math

FULL_EPOCHS = 2  # of the schedule "halving", before the first halving
WARM_UP = 0.05  # share of the steps in which the learning rate rises


def rate_at(done: int, total: int, schedule: str, epoch: int) -> float:
    """Share of the learning rate after ``done`` of ``total`` steps, ``epoch`` of which are one pass."""
    if schedule == "constant":
        return 1.0
    if schedule == "halving":
        return 0.5 ** max(0, done // epoch + 1 - FULL_EPOCHS)
    rising = max(1, round(WARM_UP * total))
    if done < rising:
        return (done + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (done - rising) / max(1, total - rising)))
