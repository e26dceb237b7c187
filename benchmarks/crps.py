"""How long does the CRPS of an ensemble take? Against properscoring, with and without numba."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from benchmarks.timing import Row, compare, take_turns, without_peer
from tsformers.scoring import crps_samples

OBSERVATIONS, MEMBERS = 100_000, 100
PLAIN = 2_000  # observations timed without numba: that path keeps all pairs of members, 8 GB for all observations


def run() -> Iterator[Row]:
    """All observations in one call."""
    rng = np.random.default_rng(0)
    y, samples = rng.normal(size=OBSERVATIONS), rng.normal(size=(OBSERVATIONS, MEMBERS))
    what = f"crps_samples, {OBSERVATIONS:,} observations x {MEMBERS} members"
    if not find_spec("properscoring"):
        ours = take_turns(lambda: crps_samples(y, samples), repeats=11)[0]
        yield without_peer(what, ours, "properscoring", "properscoring", ">= 10x")
        return
    from properscoring import crps_ensemble
    from properscoring._crps import _crps_ensemble_core, _crps_ensemble_vectorized

    def plain() -> None:
        _crps_ensemble_vectorized(y[:PLAIN], np.sort(samples[:PLAIN], axis=-1), np.ones((PLAIN, MEMBERS)))

    ours, numba = take_turns(lambda: crps_samples(y, samples), lambda: crps_ensemble(y, samples), repeats=11)
    times = OBSERVATIONS // PLAIN
    slow = times * take_turns(plain, repeats=3)[0]
    yield compare(what, ours, f"properscoring without numba ({times} x {PLAIN:,})", slow, ">= 10x")
    if _crps_ensemble_core is not _crps_ensemble_vectorized:
        yield compare(what, ours, "properscoring with numba", numba, ">= 2x")
