"""How benchmarks keep time and compare: calls in turns, so that a busy moment affects all of them alike."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np

Unit = Literal["s", "MiB"]


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Args:
        what: what was measured.
        ours: median of this package, in ``unit``.
        peer: what it is compared with.
        theirs: median of the peer, in ``unit``; None: the peer is not installed.
        ratio: the peer's divided by ours, above 1 where ours is less; None without a peer.
        goal: the ratio or the time that was aimed at.
        unit: seconds or mebibytes.
    """

    what: str
    ours: float
    peer: str
    theirs: float | None
    ratio: float | None
    goal: str
    unit: Unit = "s"


def take_turns(
    *calls: Callable[[], object], repeats: int, warm_up: bool = True, clock: Callable[[], float] = perf_counter
) -> list[np.ndarray]:
    """Seconds of each call, all timed in turns: ours, peer, ours, peer, ...

    Args:
        calls: what is timed.
        repeats: how often each is timed.
        warm_up: one round before the count.
        clock: ``process_time`` counts the processor's seconds of all threads, whatever other processes do.

    Returns:
        For each call one array with ``repeats`` entries; entry i of all arrays belongs to turn i.
    """
    seconds = np.empty((len(calls), repeats))
    for turn in range(-1 if warm_up else 0, repeats):
        for i, call in enumerate(calls):
            began = clock()
            call()
            if turn >= 0:
                seconds[i, turn] = clock() - began
    return list(seconds)


def compare(
    what: str, ours: np.ndarray | float, peer: str, theirs: np.ndarray | float, goal: str, unit: Unit = "s"
) -> Row:
    """A row of medians. The ratio is the median of the turns' ratios where both have as many turns.

    Args:
        what: what was measured.
        ours: turns of this package.
        peer: name of the peer, or "allowed" where ``theirs`` is a limit.
        theirs: turns of the peer; where there are more or fewer, the ratio is that of the medians.
        goal: the ratio or the time that was aimed at.
        unit: of both.
    """
    ours, theirs = np.atleast_1d(ours), np.atleast_1d(theirs)
    mine, median = float(np.median(ours)), float(np.median(theirs))
    ratio = float(np.median(theirs / ours)) if len(ours) == len(theirs) else median / mine
    return Row(what, mine, peer, median, ratio, goal, unit)


def without_peer(what: str, ours: np.ndarray | float, peer: str, package: str, goal: str) -> Row:
    """A row whose peer is not installed; ``package`` is what pip calls it."""
    return Row(what, float(np.median(ours)), f"{peer}: peer not installed: pip install {package}", None, None, goal)
