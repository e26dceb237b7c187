"""How long does the CRPS of an ensemble take? Against properscoring, with numba and without."""

import numpy as np

from benchmarks._timing import Row, medians
from tsformers.scoring import crps_samples

OBSERVATIONS, MEMBERS = 100_000, 100
PLAIN = 2_000  # observations timed on the plain path: it holds all pairs of members, 8 GB for all observations


def run() -> list[Row]:
    """Rows of question, our seconds, peer, the peer's seconds, goal."""
    from properscoring import crps_ensemble
    from properscoring._crps import _crps_ensemble_core, _crps_ensemble_vectorized

    rng = np.random.default_rng(0)
    y, samples = rng.normal(size=OBSERVATIONS), rng.normal(size=(OBSERVATIONS, MEMBERS))

    def plain() -> None:
        _crps_ensemble_vectorized(y[:PLAIN], np.sort(samples[:PLAIN], axis=-1), np.ones((PLAIN, MEMBERS)))

    what = f"crps_samples, {OBSERVATIONS:,} observations x {MEMBERS} members"
    ours, numba = medians(lambda: crps_samples(y, samples), lambda: crps_ensemble(y, samples), repeats=11)
    times = OBSERVATIONS // PLAIN
    rows = [(what, ours, f"properscoring, plain ({times} x {PLAIN:,})", times * medians(plain, repeats=3)[0], ">= 10x")]
    if _crps_ensemble_core is not _crps_ensemble_vectorized:
        rows.append((what, ours, "properscoring, numba", numba, ">= 2x"))
    return rows
