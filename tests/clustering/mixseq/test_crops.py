"""Stretches drawn at random lie inside their series."""

import numpy as np

from tsformers.clustering.mixseq.crops import at_random
from tsformers.clustering.scaled_series import ScaledSeries


def series_of(*series):
    lengths = np.array([len(each) for each in series])
    stops = np.cumsum(lengths)
    return ScaledSeries(np.concatenate(series).astype(float), stops - lengths, stops, np.zeros(len(series), dtype=bool))


def noise(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return series_of(*(rng.normal(size=length) for length in lengths))


def test_stretches_lie_inside_their_series():
    scaled = noise(50, 10, 17)
    series = np.repeat(np.arange(3), 200)
    found = at_random(scaled, series, 16, np.random.default_rng(0))
    lengths = scaled.stops - scaled.starts
    assert (found.starts >= scaled.starts[series]).all()
    assert (np.minimum(found.starts + 16, scaled.stops[series]) - found.starts == np.minimum(16, lengths[series])).all()
    assert {0, 34} <= set(found.starts[:200].tolist()) and set(found.starts[400:].tolist()) == {60, 61}
