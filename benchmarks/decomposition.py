"""How long does moving-average decomposition of many series take? Against statsmodels series by series."""

from collections.abc import Iterator
from time import process_time

import numpy as np
from statsmodels.tsa.seasonal import seasonal_decompose

from benchmarks.timing import Row, compare, take_turns
from tsformers.data.packed.classical_decomposition import PackedSeries, moving_average

N_SERIES, ROWS, PERIOD, PEER_SERIES, REPEATS = 100_000, 100, 12, 500, 3


def run() -> Iterator[Row]:
    """All series in one call; the peer on some, its time multiplied."""
    y = np.random.default_rng(0).normal(size=(N_SERIES, ROWS)) + np.sin(2 * np.pi * np.arange(ROWS) / PERIOD)
    rows = PackedSeries(y.ravel(), np.arange(N_SERIES + 1) * ROWS, np.zeros(N_SERIES, dtype=np.int64))
    ours, theirs = take_turns(
        lambda: moving_average(rows, PERIOD),
        lambda: [seasonal_decompose(each, period=PERIOD, extrapolate_trend=PERIOD - 1) for each in y[:PEER_SERIES]],
        repeats=REPEATS,
        clock=process_time,
    )
    what = f"moving-average decomposition, {N_SERIES:,} series x {ROWS} rows"
    peer = f"statsmodels series by series ({N_SERIES // PEER_SERIES} x {PEER_SERIES})"
    yield compare(what, ours, peer, theirs * (N_SERIES / PEER_SERIES), ">= 5x")
