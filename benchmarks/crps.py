"""How long does the CRPS of an ensemble take? Against properscoring, with numba and without."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from tsformers.scoring import crps_samples

OBSERVATIONS, MEMBERS = 100_000, 100
PLAIN = 2_000  # observations timed on the plain path: it holds all pairs of members, 8 GB for all observations


def run() -> list[tuple[str, float, str, float, str]]:
    """Rows of question, our seconds, peer, the peer's seconds, goal."""
    from properscoring import crps_ensemble
    from properscoring._crps import _crps_ensemble_core, _crps_ensemble_vectorized

    rng = np.random.default_rng(0)
    y, samples = rng.normal(size=OBSERVATIONS), rng.normal(size=(OBSERVATIONS, MEMBERS))

    def plain() -> None:
        _crps_ensemble_vectorized(y[:PLAIN], np.sort(samples[:PLAIN], axis=-1), np.ones((PLAIN, MEMBERS)))

    what = f"crps_samples, {OBSERVATIONS:,} observations x {MEMBERS} members"
    ours, numba = _seconds([lambda: crps_samples(y, samples), lambda: crps_ensemble(y, samples)], 11)
    times = OBSERVATIONS // PLAIN
    rows = [(what, ours, f"properscoring, plain ({times} x {PLAIN:,})", times * _seconds([plain], 3)[0], ">= 10x")]
    if _crps_ensemble_core is not _crps_ensemble_vectorized:
        rows.append((what, ours, "properscoring, numba", numba, ">= 2x"))
    return rows


def _seconds(calls: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median time of each call, taken in turns after one round that warms up."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + 1):
        for call, seconds in zip(calls, times, strict=True):
            begin = perf_counter()
            call()
            if turn:
                seconds.append(perf_counter() - begin)
    return [median(seconds) for seconds in times]
