"""Learning-rate schedules."""

import math

FULL_EPOCHS = 2  # of the schedule "halving", before the first halving
WARM_UP = 0.05  # share of the steps in which the learning rate rises


def rate_at(done: int, total: int, schedule: str, epoch: int) -> float:
    """The learning rate after some steps, as a share of the largest.

    Args:
        done: steps taken.
        total: steps of the run.
        schedule: "cosine", "constant" or "halving", see ``Plan``.
        epoch: steps of one pass over all windows; "halving" alone reads it.

    Returns:
        A factor from 0 to 1.

    Example:
        >>> [round(rate_at(done, 100, "cosine", 10), 2) for done in (0, 4, 52, 99)]
        [0.2, 1.0, 0.51, 0.0]
        >>> [rate_at(done, 40, "halving", 10) for done in (0, 19, 20, 30)]
        [1.0, 1.0, 0.5, 0.25]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "halving":
        return 0.5 ** max(0, done // epoch + 1 - FULL_EPOCHS)
    rising = max(1, round(WARM_UP * total))
    if done < rising:
        return (done + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (done - rising) / max(1, total - rising)))
