"""The choice of the number of clusters on validation series."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers import simulate
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.clustering.mixseq.evidence import Evidence
from tsformers.clustering.mixseq.selection import compare_numbers
from tsformers.clustering.scaled_series import ScaledSeries


@pytest.fixture(scope="module")
def small():
    frame = simulate.arma_mixture(60, 80, seed=0)
    return frame[["ds", "y"]].assign(unique_id=pd.factorize(frame["unique_id"])[0])


def test_the_number_of_clusters_is_found_on_validation_series(small):
    model = MixSeq(backbone="ar", seed=0).fit(small)
    assert model.n_clusters_ == 3
    table = model.selection_
    assert table["n_clusters"].tolist() == [1, 2, 3, 4, 5, 6, 8] and table["chosen"].sum() == 1
    assert MixSeq([1, 2], backbone="ar", seed=0).fit(small).n_clusters_ == 2


def test_too_few_series_are_refused(small):
    with pytest.raises(tsf.DataError, match="2 series are too few to compare numbers of clusters"):
        MixSeq(backbone="ar").fit(small[small["unique_id"] < 2])


def test_the_smallest_number_within_one_standard_error_is_chosen():
    scaled = ScaledSeries(np.zeros(100), np.arange(50) * 2, np.arange(50) * 2 + 2, np.zeros(50, dtype=bool))
    gain = {1: 0.0, 2: 5.0, 3: 5.001}

    def evaluate(parameters, some):
        noise = np.random.default_rng(parameters["k"]).normal(size=(len(some.starts), 1))
        return Evidence(gain[parameters["k"]] + noise, np.ones((len(noise), 1)), np.ones(1), np.full(len(noise), 2.0))

    def learn(some, weight, k, rng):
        return {"k": k}, []

    table = compare_numbers(scaled, np.ones(50), [3, 2, 1], learn, evaluate, np.random.default_rng(0))
    assert table["n_clusters"].tolist() == [1, 2, 3]
    assert table["chosen"].tolist() == [False, True, False]
