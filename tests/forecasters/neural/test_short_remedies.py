"""What a network says of series too short for a window is right when it is followed."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.messages import message_of


def frame(*rows):
    return pd.concat(
        [pd.DataFrame({"unique_id": f"s{i}", "ds": range(n), "y": np.sin(np.arange(n))}) for i, n in enumerate(rows)]
    )


def network(**settings):
    return tsf.Linear(**{"max_steps": 1, "seed": 0, "verbose": False, **settings})


@pytest.mark.parametrize(
    ("rows", "settings", "shell"),
    [
        ((20, 40), {"horizon": 4, "context_length": 30}, ["--set context_length=16", "--short drop"]),
        ((20, 20), {"horizon": 4, "context_length": 30}, ["--set context_length=16"]),
        ((5, 40), {"horizon": 8}, ["--set horizon=2", "--short drop"]),
        ((5, 5), {"horizon": 8}, ["--set horizon=2"]),
        ((6, 6), {"horizon": 8, "context_length": 12}, ["--set horizon=3 and --set context_length=3"]),
    ],
)
def test_each_remedy_of_short_series_is_right_when_followed(rows, settings, shell):
    data = frame(*rows)
    with pytest.raises(tsf.DataError) as caught:
        network(**settings).fit(data)
    said = message_of(caught.value, "shell")
    assert all(words in said for words in shell) and ("--short drop" in said) is ("--short drop" in shell)
    for words in shell:
        chosen = {key: int(value) for key, value in re.findall(r"--set (\w+)=(\d+)", words)}
        roles = {"short": "drop"} if "--short drop" in words else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert network(**{**settings, **chosen}).fit(data, **roles).predict(n_samples=2).horizon
