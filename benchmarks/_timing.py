"""How benchmarks keep time: calls in turns, so that a busy moment hits all of them alike."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

Row = tuple[str, float, str, float, str]  # what, our seconds, the peer, its seconds, the goal


class Mebibytes(float):
    """A number in a row that is memory, not seconds."""


def medians(
    *calls: Callable[[], object], repeats: int, warm_up: bool = True, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """Median seconds of each call, all taken in turns.

    Args:
        calls: what is timed.
        repeats: how often each is timed.
        warm_up: one round before the count.
        clock: ``process_time`` counts the processor's seconds alone, whatever neighbours on the machine do.
    """
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + warm_up):
        for call, seconds in zip(calls, times, strict=True):
            began = clock()
            call()
            if turn >= warm_up:
                seconds.append(clock() - began)
    return [median(seconds) for seconds in times]
