"""What a message offers is taken from its text, passed on, and the call succeeds."""

import ast
import re
import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import TsformersError
from tsformers.messages import message_of
from tsformers.scoring import crps_samples
from tsformers.testing import make_frame

FRAME = make_frame(3, 60)
SHORT = pd.concat([FRAME[FRAME["unique_id"] != "s0"], FRAME[FRAME["unique_id"] == "s0"].head(3)])
SMALL = {"max_steps": 2, "batch_size": 4, "seed": 0, "verbose": False}


def offers(message, name):
    """Values that a message offers for a keyword, last first: the remedy stands at the end."""
    found = re.findall(rf"(?<!\w){name}=('[^']*'|\[[^\]]*\]|[\w.\-]+)", message)
    return [ast.literal_eval(value) for value in found][::-1]


def network(**settings):
    return tsf.LRU(**({"horizon": 3, "context_length": 12} | SMALL | settings))


def backtest(**settings):
    return tsf.backtest({"naive": tsf.SeasonalNaive(horizon=2, season_length=7)}, FRAME, windows=1, **settings)


def decomposed(**settings):
    step = tsf.TrendSeasonalDecomposition(**({"method": "stl", "period": [3, 7]} | settings))
    return step.fit(FRAME)


def counted(**settings):
    return network(**({"likelihood": "negative_binomial", "scaler": "mean_abs"} | settings)).fit(FRAME)


# (call, keyword that the message offers)
CALLS = {
    "series too short for a network": (lambda **s: network().fit(SHORT, **s), "short"),
    "no metric": (lambda **s: backtest(**({"metrics": []} | s)), "metrics"),
    "counts": (counted, "likelihood"),
    "scaler of counts": (
        lambda **s: network(**({"likelihood": "negative_binomial", "scaler": "standard"} | s)).fit(
            FRAME.assign(y=FRAME["y"].round().abs())
        ),
        "scaler",
    ),
    "quantiles have no paths": (
        lambda **s: network(**({"likelihood": "quantile", "decoding": "autoregressive"} | s)).fit(FRAME),
        "decoding",
    ),
    "several periods": (decomposed, "method"),
    "multiplicative season": (
        lambda **s: tsf.HoltWinters(horizon=2, season_length=7, **({"seasonal": "mul"} | s)).fit_one(
            np.array([-1.0, 2.0] * 20), 2
        ),
        "seasonal",
    ),
    "one fair member": (
        lambda **s: crps_samples(np.zeros(2), np.ones((2, 1)), **({"estimator": "fair"} | s)),
        "estimator",
    ),
}


def refusal(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError) as error:
            call()
    return error.value


@pytest.mark.parametrize(("call", "name"), CALLS.values(), ids=CALLS.keys())
def test_what_a_message_offers_is_passed_on_and_the_call_succeeds(call, name):
    error = refusal(call)
    values = offers(str(error), name)
    assert values, str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(**{name: values[0]})
    shell = message_of(error, "shell")
    flags = shell.split("--")
    assert isinstance(error, TsformersError)
    flag = name.removesuffix("s").replace("_", "-")
    offered = values[0][0] if isinstance(values[0], list) else str(values[0])
    assert any(offered in part and flag in part.replace("_", "-") for part in flags[1:]), shell
