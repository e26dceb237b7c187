"""Forecasts in blocks of series: the same bits as without blocks, whatever the size of a block."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

import tsformers as tsf
from tsformers.data.blocks import forecast_blocks as blocks_of
from tsformers.data.blocks.forecast_blocks import forecast_blocks, gathered, in_step, joined, summarised
from tsformers.data.forecast import Forecast
from tsformers.forecasters.local import base as local
from tsformers.forecasters.neural import prediction
from tsformers.testing import make_frame

FRAME = make_frame(7, 60)
LEVELS = (0.05, 0.5, 0.9)
QUIET = {"seed": 0, "verbose": False, "n_jobs": 1}
NETWORK = {"horizon": 3, "context_length": 12, "max_steps": 2, "seed": 0, "verbose": False}


class Walk(tsf.Theta):
    """A subclass of a user's that draws all series in one operation."""

    def draw(self, panel, n_samples, keys):
        return super().draw(panel, n_samples, keys) + 1.0


class Shifted(tsf.SeasonalNaive):
    """A subclass of a user's with a ``predict`` of its own."""

    def predict(self, data=None, **asked):
        forecast = super().predict(data, **asked)
        return replace(forecast, values=forecast.values + 100.0)


class Last:
    """A forecaster that knows nothing of blocks or quantiles."""

    horizon = 3

    def fit(self, data, **roles):
        self.panel = tsf.Panel.from_frame(data, **roles)
        return self

    def predict(self, data=None, *, future=None, n_samples=100, seed=None):
        panel = self.panel if data is None else self.panel.like(data)
        draws = np.random.default_rng(seed).normal(size=(panel.n_series, n_samples, self.horizon))
        return Forecast(panel.ids, panel.future_times(self.horizon), draws, grid=panel.grid)


def naive(**other):
    return tsf.SeasonalNaive(**{"horizon": 3, **QUIET, **other})


MODELS = {
    "SeasonalNaive": naive(),
    "SeasonalNaive of one step": naive(horizon=1),
    "Theta": tsf.Theta(horizon=3, **QUIET),
    "HoltWinters": tsf.HoltWinters(horizon=3, **QUIET),
    "Walk": Walk(horizon=3, **QUIET),
    "Shifted": Shifted(horizon=3, **QUIET),
    "Last": Last(),
    "Linear": tsf.Linear(**NETWORK),
    "Linear of quantiles": tsf.Linear(**NETWORK, likelihood="quantile"),
    "multivariate": tsf.Linear(**NETWORK, multivariate=True),
    "Ensemble": tsf.Ensemble([naive(), tsf.Theta(horizon=3, **QUIET), tsf.Linear(**NETWORK)], seed=3),
    "Ensemble of networks": tsf.Ensemble([tsf.Linear(**NETWORK), tsf.Linear(**NETWORK, decompose=True)], seed=3),
    "Pipeline": tsf.Pipeline([tsf.Scale(), tsf.TrendSeasonalDecomposition(period=7)], naive()),
    "Pipeline of errors": tsf.Pipeline([tsf.AutocorrelatedErrors(per_series=True)], naive()),
    "Pipeline of a network": tsf.Pipeline([tsf.Scale()], tsf.Linear(**NETWORK)),
    "Clustered": tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0), order=1), naive()),
    "Clustered sum": tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0), order=1), naive(), aggregate=True),
}


@pytest.fixture(scope="module")
def fitted():
    frame = FRAME.groupby("unique_id").head(54).reset_index(drop=True)  # one end for all
    return {name: model.fit(frame) for name, model in MODELS.items()}, frame


@pytest.mark.filterwarnings("ignore:one-step errors")
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.sampled_from([1, 40, 61, 150, 400, 10_000]), new=st.booleans(), n_samples=st.sampled_from([1, 7, 20]))
def test_blocks_of_any_size_give_the_same_bits(fitted, monkeypatch, name, numbers, new, n_samples):
    models, frame = fitted
    model = models[name]
    data = frame.groupby("unique_id").head(50).reset_index(drop=True) if new else None
    whole = model.predict(data, n_samples=n_samples, seed=5)
    with monkeypatch.context() as patch:
        patch.setattr(blocks_of, "NUMBERS_AT_ONCE", numbers)
        patch.setattr(local, "NUMBERS_AT_ONCE", numbers)
        patch.setattr(prediction, "MAX_WINDOWS", 512)
        drawn = joined(forecast_blocks(model, data, n_samples=n_samples, seed=5))
        parts = [*forecast_blocks(model, data, quantiles=LEVELS, n_samples=n_samples, seed=5)]
    assert_same(drawn, whole)
    assert_same(joined(parts), summarised(whole, LEVELS))
    pd.testing.assert_frame_equal(
        pd.concat([part.to_frame(LEVELS) for part in parts], ignore_index=True),
        whole.to_frame(LEVELS),
        check_exact=True,
    )


@pytest.mark.filterwarnings("ignore:one-step errors")
@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("Last", "Shifted")])
def test_predict_gives_the_quantiles_asked_for_and_the_mean_of_the_draws(fitted, name):
    model = fitted[0][name]
    whole, found = model.predict(n_samples=20, seed=5), model.predict(n_samples=20, seed=5, quantiles=[0.9, 0.05, 0.5])
    assert found.levels == LEVELS
    assert np.array_equal(found.values, whole.quantile(LEVELS))
    assert np.array_equal(found.mean, whole.mean)


def test_parts_of_a_network_share_one_stream_of_random_numbers(fitted, monkeypatch):
    model, state = fitted[0]["Linear"], torch.get_rng_state()
    monkeypatch.setattr(prediction, "MAX_WINDOWS", 2)
    apart = []
    for block in model.predict_blocks(n_samples=9, seed=1):
        assert torch.equal(torch.get_rng_state(), state)  # the caller's, between two blocks
        torch.rand(3)
        state = torch.get_rng_state()
        apart.append(block)
    assert [len(block) for block in apart] == [2, 2, 2, 1]
    assert_same(joined(apart), model.predict(n_samples=9, seed=1))


def test_only_one_block_of_draws_exists_at_a_time(fitted, monkeypatch):
    seen = []
    model = fitted[0]["SeasonalNaive"]
    draw = type(model).draw
    monkeypatch.setattr(type(model), "draw", lambda *args: seen.append(args[1].n_series) or draw(*args))
    monkeypatch.setattr(local, "NUMBERS_AT_ONCE", 60)
    model.predict(n_samples=10, quantiles=LEVELS)
    assert seen == [2, 2, 2, 1]


@pytest.mark.parametrize("quantiles", [[], [0.0, 0.5], [1.2], [float("nan")]])
def test_levels_outside_the_unit_interval_are_refused(fitted, quantiles):
    with pytest.raises(ValueError, match=r"quantiles must be levels inside \(0, 1\)"):
        fitted[0]["SeasonalNaive"].predict(quantiles=quantiles)


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=3), st.integers(1, 6))
def test_streams_in_step_hold_the_series_that_all_of_them_have(present, size):
    names = pd.Index(list("abcdef"))
    whole = Forecast(names, np.full((6, 1), 7), np.arange(12.0).reshape(6, 2, 1))
    members = [whole.select(np.array(mask)) for mask in present]

    def stream(member, step):
        for start in range(0, len(member), step):
            yield member.select(np.arange(start, min(start + step, len(member))))

    found = [*in_step([stream(member, size + k) for k, member in enumerate(members)])]
    expected = names[np.logical_and.reduce(present)]
    for k in range(len(members)):
        ids = [name for parts in found for name in parts[k].ids]
        assert ids == expected.tolist()
        for parts in found:
            assert np.array_equal(parts[k].values, whole.values[names.get_indexer(parts[k].ids)])


def test_gathered_blocks_keep_order_and_means():
    one = Forecast(
        pd.Index(["a"]), np.array([[7]]), np.array([[[1.0], [2.0]]]), levels=(0.1, 0.9), means=np.array([[5.0]])
    )
    blocks = [replace(one, ids=pd.Index([name]), means=np.array([[float(k)]])) for k, name in enumerate("abcde")]
    found = [*gathered(blocks, 4)]
    assert [len(block) for block in found] == [2, 2, 1]
    assert joined(found).mean.ravel().tolist() == [0, 1, 2, 3, 4]


def assert_same(found: Forecast, expected: Forecast) -> None:
    assert found.ids.equals(expected.ids)
    assert found.ids.dtype == expected.ids.dtype
    assert found.levels == expected.levels
    assert np.array_equal(found.times, expected.times)
    assert found.values.tobytes() == expected.values.tobytes()
    assert found.mean.tobytes() == expected.mean.tobytes()
    assert (found.joint, found.schema, found.freq) == (expected.joint, expected.schema, expected.freq)
