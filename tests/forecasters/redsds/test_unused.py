"""Regimes that occur at no step are named, with the steps of the others."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tsformers.errors import DataWarning
from tsformers.forecasters.redsds import regimes
from tsformers.forecasters.redsds.unused import warn_of_unused


def test_the_warning_counts_and_names_the_number_that_is_enough():
    with pytest.warns(DataWarning, match=r"2 of 4 regimes occur at no step of the data \(1, 3\); .* 0: 1,200, 2: 7"):
        warn_of_unused(np.array([1200, 0, 7, 0]), "the data")
    with pytest.warns(DataWarning) as caught:
        warn_of_unused(np.array([1200, 0, 7, 0]), "the data")
    assert str(caught[0].message).endswith("set n_regimes=2")
    assert caught[0].message.message.text("shell").endswith("--set n_regimes=2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_unused(np.array([3, 4]), "the data")


def test_after_training_the_segmentation_of_the_training_data_is_looked_at():
    usage = pd.DataFrame({"step": [200], "0": [0.6], "1": [0.4]})
    with pytest.warns(DataWarning, match=r"1 of 2 regimes occur at no step of the training data \(1\)"):
        regimes.warn_if_collapsed(usage, np.array([30, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regimes.warn_if_collapsed(usage, np.array([30, 1]))
        regimes.warn_if_collapsed(usage.assign(step=20), np.array([30, 0]))


def test_a_segmentation_says_which_regimes_it_has_not(model, frame):
    fitted = model(max_steps=2).fit(frame)
    fitted.found_["share"] = np.array([1.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        used = fitted.segment(frame)["regime"].nunique()  # too few steps of training to complain
    fitted.usage_ = pd.DataFrame({"step": [200], "0": [0.6], "1": [0.4]})
    if used == 2:
        pytest.skip("this start uses both regimes")
    with pytest.warns(DataWarning, match="1 of 2 regimes occur at no step of the data"):
        fitted.segment(frame)
