"""Autocorrelated errors against the golden vectors, and what the adjustment must never do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tsformers as tsf
from tsformers.data.forecast import Forecast
from tsformers.data.windows import Window
from tsformers.preprocessing.adjusted_network import AdjustedNetwork, summed_up
from tsformers.preprocessing.autocorrelated_errors import AutocorrelatedErrors, cochrane_orcutt
from tsformers.testing import check_network, check_preprocessor, make_frame, make_window

CASES = {
    "scalar": {},
    "vector": {},
    "zero": {},
    "output_only": {"inputs": False},
    "input_only": {"outputs": False},
    "scalar_trueprev": {},
}


class Tanh(nn.Module):
    """The network of the golden vectors: one hidden layer over all values of a window."""

    levels = None

    def __init__(self, golden):
        super().__init__()
        for name in ("W1", "b1", "W2", "b2"):
            self.register_parameter(name, nn.Parameter(torch.from_numpy(golden[name])))

    def forward(self, past):
        return torch.tanh(past.flatten(1) @ self.W1.T + self.b1) @ self.W2.T + self.b2

    def loss(self, window):
        self.seen = window.past
        self.said = self(window.past)
        return (self.said - window.future[:, 0]).square().mean(-1)

    def sample(self, window, n_samples):
        return self(window.past)[:, None, None].expand(-1, n_samples, -1, -1)


def adjusted(golden, rho, **switches):
    network = AdjustedNetwork(Tanh(golden), (1, 1) if rho.ndim == 0 else (1, len(rho)), 1e-2, **switches)
    network.raw_rho = nn.Parameter(torch.from_numpy(rho).reshape(network.raw_rho.shape))
    return network


def golden_window(golden):
    x, y = torch.from_numpy(golden["x"]), torch.from_numpy(golden["y"])[:, None]
    ones = [torch.ones_like(part, dtype=torch.bool) for part in (x, y)]
    none = x.new_zeros(len(x), x.shape[1], 0), x.new_zeros(len(x), 1, 0)
    return Window(x, ones[0], none[0], y, ones[1], none[1], torch.zeros(len(x), dtype=torch.int64))


@pytest.fixture(scope="module")
def golden(shared):
    """Made in float64 with the published recipe; predecessors are those of the authors, or the true ones."""
    return np.load(shared / "golden" / "autocorrelated_errors" / "adjusted_loss.npz")


@pytest.mark.parametrize("case", CASES)
def test_loss_prediction_and_gradients_are_those_of_the_published_recipe(golden, case, monkeypatch):
    window = golden_window(golden)
    before = golden["prev"][:, None] if case == "scalar_trueprev" else np.tile(golden["avg"], (4, 1, 1))
    network = adjusted(golden, golden[f"{case}_raw_rho"], **CASES[case])
    adjust = network.adjust
    monkeypatch.setattr(network, "adjust", lambda each: adjust(each, torch.from_numpy(before)))
    loss = network.loss(window).mean()
    loss.backward()
    close = {"rtol": 0, "atol": 1e-12}  # a dozen float64 operations on numbers of order one
    np.testing.assert_allclose(loss.item(), golden[f"{case}_loss"], **close)
    np.testing.assert_allclose(network.network.seen.detach(), golden[f"{case}_input"], **close)
    np.testing.assert_allclose(network.network.said.detach(), golden[f"{case}_net_out"], **close)
    np.testing.assert_allclose(network.sample(window, 1)[:, 0, 0].detach(), golden[f"{case}_pred"], **close)
    np.testing.assert_allclose(network.raw_rho.grad.ravel(), golden[f"{case}_grad_raw_rho"].ravel(), **close)
    for name, weight in network.network.named_parameters():
        np.testing.assert_allclose(weight.grad, golden[f"{case}_grad_{name}"], **close)


def test_five_steps_of_two_optimisers_are_those_of_the_published_recipe(golden):
    window, network = golden_window(golden), adjusted(golden, np.zeros(3))
    before = torch.from_numpy(np.tile(golden["avg"], (4, 1, 1)))
    groups = [{"params": list(network.network.parameters()), "lr": 3e-3}, *network.groups()]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.0)  # the training engine's
    for step in range(5):
        loss = network.network.loss(network.adjust(window, before)).mean()
        np.testing.assert_allclose(loss.item(), golden["adam_loss"][step], rtol=0, atol=1e-10)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        np.testing.assert_allclose(network.raw_rho.detach()[0], golden["adam_raw_rho"][step], rtol=0, atol=1e-10)
    for name, weight in network.network.named_parameters():
        np.testing.assert_allclose(weight.detach(), golden[f"adam_final_{name}"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["pos", "neg", "zero"])
@pytest.mark.parametrize(("kind", "keep_first"), [("co", False), ("pw", True)])
def test_regressions_with_autocorrelated_errors_are_those_of_the_reference(shared, name, kind, keep_first):
    golden = np.load(shared / "golden" / "autocorrelated_errors" / "cochrane_orcutt.npz")
    found = cochrane_orcutt(golden[f"{name}_y"], golden["X"], keep_first=keep_first)
    np.testing.assert_allclose(found.rho, golden[f"{name}_{kind}_rho"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.beta, golden[f"{name}_{kind}_beta"], rtol=0, atol=1e-8)
    if kind == "co":
        shorter = min(len(found.path), len(golden[f"{name}_co_rho_path"]))
        np.testing.assert_allclose(found.path[:shorter], golden[f"{name}_co_rho_path"][:shorter], rtol=0, atol=1e-8)


def test_a_regression_beside_that_of_statsmodels(rng):
    from statsmodels.regression.linear_model import GLSAR

    x = np.column_stack([np.ones(2000), rng.normal(size=2000)])
    y = x @ [1.0, -2.0] + summed_up(rng.normal(size=2000), np.array([0.7]), np.zeros(1))
    theirs = GLSAR(y, x, rho=1)
    fitted = theirs.iterative_fit(50)
    found = cochrane_orcutt(y, x)
    assert found.rho == pytest.approx(theirs.rho[0], abs=2e-3)  # theirs divides by another sum of squares
    np.testing.assert_allclose(found.beta, fitted.params, atol=2e-3)


def test_a_regression_says_what_is_wrong_with_its_data():
    with pytest.raises(ValueError, match="finite"):
        cochrane_orcutt(np.array([1.0, np.nan, 2.0, 3.0]), np.ones((4, 1)))
    with pytest.raises(ValueError, match="2 rows are too few for 1 coefficients"):
        cochrane_orcutt(np.ones(2), np.ones((2, 1)))


@given(st.floats(-0.99, 0.99), st.integers(1, 40), st.integers(1, 3))
def test_what_is_differenced_sums_up_to_itself(rho, horizon, n):
    x = np.random.default_rng(horizon).normal(size=(n, horizon + 1)) * 10
    new = x[:, 1:] - rho * x[:, :-1]
    np.testing.assert_allclose(summed_up(new, np.full((n, 1), rho), x[:, :1]), x[:, 1:], rtol=0, atol=1e-10)
    tensor = summed_up(*(torch.from_numpy(part) for part in (new, np.full((n, 1), rho), x[:, :1].copy())))
    np.testing.assert_allclose(tensor, x[:, 1:], rtol=0, atol=1e-10)


@pytest.mark.parametrize("per_series", [False, True])
def test_the_laws_hold_for_it_alone(per_series):
    check_preprocessor(AutocorrelatedErrors(per_series=per_series))
    check_preprocessor(AutocorrelatedErrors(per_series=per_series), make_frame(5, 30, freq=1), horizon=11)


class Autoregression(nn.Module):
    levels = None

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(16, 4)

    def loss(self, window):
        return (self.map(window.past[..., 0]) - window.future[..., 0]).square().mean(-1)

    def sample(self, window, n_samples):
        return self.map(window.past[..., 0])[:, None, :, None].expand(-1, n_samples, -1, -1)


def test_at_rho_zero_a_network_is_itself_but_its_rho_has_a_gradient():
    torch.manual_seed(0)
    inner = Autoregression()
    network, window = AdjustedNetwork(inner, (1, 1), 1e-2), make_window(4, 16, 4)
    full = window._replace(
        past_observed=torch.ones_like(window.past_observed), future_observed=torch.ones_like(window.future_observed)
    )
    assert torch.equal(network.loss(full), inner.loss(full))
    assert torch.equal(network.sample(full, 2), inner.sample(full, 2))
    network.loss(full).mean().backward()
    assert network.raw_rho.grad.abs() > 1e-6


@pytest.mark.parametrize("ahead", ["faded", "summed"])
@pytest.mark.parametrize("likelihood", ["student_t", "quantile", "squared_error"])
@pytest.mark.parametrize(("shape", "channels"), [((1, 1), 1), ((4, 1), 1), ((1, 3), 3)])
def test_an_adjusted_network_keeps_the_laws_of_networks(likelihood, shape, channels, ahead):
    torch.manual_seed(0)
    model = tsf.Autoformer(horizon=4, context_length=16, d_model=8, n_heads=2, d_ff=16, likelihood=likelihood)
    network = AdjustedNetwork(model.build(channels, 0, 0, 0), shape, 1e-2, ahead=ahead)
    assert (network.levels is None) == (likelihood != "quantile" or ahead == "summed")
    nn.init.constant_(network.raw_rho, 0.5)
    window = make_window(4, 16, 4, channels=channels)
    check_network(network, window if shape[0] > 1 else window._replace(series=torch.zeros(4, dtype=torch.int64)))


def test_missing_values_are_missing_in_both_differences_they_belong_to():
    window = make_window(1, 6, 2)
    seen = torch.ones_like(window.past_observed)
    seen[0, 2] = False
    window = window._replace(past_observed=seen, future_observed=torch.ones_like(window.future_observed))
    shown = AdjustedNetwork(nn.Identity(), (1, 1), 1e-2, ahead="summed").adjust(window)
    assert shown.past_observed[0, :, 0].tolist() == [True, True, False, False, True, True]
    assert shown.future_observed.all()


def test_the_last_value_fades_from_where_it_was_seen():
    window = make_window(1, 6, 3)
    seen = torch.ones_like(window.past_observed)
    seen[0, 5] = False
    past = torch.arange(1.0, 7.0)[None, :, None] * seen
    window = window._replace(
        past=past, past_observed=seen, future_observed=torch.tensor([True, False, True])[None, :, None]
    )
    network = AdjustedNetwork(nn.Identity(), (1, 1), 1e-2)
    network.raw_rho.data = torch.atanh(torch.tensor([[-0.5]]))
    faded = 5.0 * (-0.5) ** torch.tensor([2.0, 3.0, 4.0])  # the fifth of six steps was the last one seen
    shown = network.adjust(window)
    torch.testing.assert_close(shown.future[0, :, 0], (window.future[0, :, 0] - faded) * shown.future_observed[0, :, 0])
    assert shown.future_observed[0, :, 0].tolist() == [True, False, True]


@pytest.mark.parametrize("ahead", ["faded", "summed"])
def test_what_is_taken_out_of_the_future_is_put_back(ahead):
    class Echo(nn.Module):
        """Says the future that it was shown."""

        levels = None

        def sample(self, window, n_samples):
            return shown.future[:, None].expand(-1, n_samples, -1, -1)

    window = make_window(4, 8, 5)._replace(series=torch.zeros(4, dtype=torch.int64))
    window = window._replace(
        past_observed=torch.ones_like(window.past_observed), future_observed=torch.ones_like(window.future_observed)
    )
    network = AdjustedNetwork(Echo(), (1, 1), 1e-2, ahead=ahead)
    nn.init.constant_(network.raw_rho, 0.8)
    shown = network.adjust(window)
    torch.testing.assert_close(network.sample(window, 2), window.future[:, None].expand(-1, 2, -1, -1))


def test_series_that_were_not_in_fit_get_the_mean_of_all_rhos():
    network = AdjustedNetwork(nn.Identity(), (2, 1), 1e-2)
    network.raw_rho.data = torch.atanh(torch.tensor([[0.2], [0.6]]))
    window = make_window(3, 4, 1)._replace(series=torch.tensor([1, -1, 0]))
    torch.testing.assert_close(network._rho_of(window)[:, 0, 0], torch.tensor([0.6, 0.4, 0.2]))


def correlated(rho, rows=700, n_series=2, seed=0):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n_series, rows))
    season = 3 * np.sin(2 * np.pi * np.arange(rows) / 12)
    y = season + summed_up(u, np.full((n_series, 1), rho), np.zeros((n_series, 1)))
    return pd.concat([pd.DataFrame({"unique_id": f"s{i}", "ds": range(rows), "y": y[i]}) for i in range(n_series)])


def test_a_network_that_sees_no_past_learns_the_rho_of_its_errors():
    class Season(nn.Module):
        levels = None

        def __init__(self):
            super().__init__()
            self.level = nn.Parameter(torch.zeros(1))

        def loss(self, window):
            return (window.future - self.level).square().mean((1, 2))

        def sample(self, window, n_samples):
            return self.level.expand(len(window.past), n_samples, *window.future.shape[1:])

    class Flat(tsf.Linear):
        def build(self, channels, past_x, known_x, calendar):
            return Season()

    frame = correlated(0.8).assign(y=lambda df: df["y"] - 3 * np.sin(2 * np.pi * df["ds"] / 12))
    flat = Flat(horizon=1, context_length=8, max_steps=400, scaler=None, seed=0, verbose=False)
    step = AutocorrelatedErrors()
    step.fit_with(tsf.Panel.from_frame(frame), flat)
    assert 0.72 < step.rho_ < 0.86
    report = step.report_
    assert (report["lag1_before"] > 0.5).all() and (report["lag1_after"].abs() < 0.3).all()
    assert (report["ljung_box_before"] < 1e-3).all() and (report["ljung_box_after"] > 1e-3).all()


def test_taking_turns_finds_the_rho_of_a_forecaster_without_gradients():
    class Season:
        """The mean of each place in the season, whatever came last."""

        horizon = 3

        def fit(self, data, **roles):
            panel = tsf.Panel.from_frame(data)
            places = pd.Series(panel.times % 12)
            self.means_ = pd.Series(panel.y).groupby(places).mean().to_numpy()
            self.panel_ = panel
            return self

        def predict(self, data=None, *, n_samples=100, seed=None, **_):
            panel = self.panel_ if data is None else data
            times = panel.future_times(3)
            values = np.repeat(self.means_[times % 12][:, None], n_samples, axis=1)
            return Forecast(panel.ids, times, values, freq=1)

    frame = correlated(0.8)
    model = tsf.Pipeline([AutocorrelatedErrors()], Season()).fit(frame)
    step = model.steps_[0]
    assert 0.65 < step.rho_ < 0.92
    last = frame.groupby("unique_id")["y"].last().to_numpy()
    means = Season().fit(tsf.Panel.from_frame(frame)).means_
    expected = means[700 % 12] + step.rho_ * (last - means[699 % 12])  # the last error, faded by one step
    np.testing.assert_allclose(model.predict().mean[:, 0], expected, atol=0.15)


def test_a_rho_for_each_series_tells_them_apart():
    frame = pd.concat([correlated(0.8).query("unique_id == 's0'"), correlated(-0.5).query("unique_id == 's1'")])
    step = AutocorrelatedErrors(per_series=True).fit(
        frame.assign(y=lambda df: df["y"] - 3 * np.sin(2 * np.pi * df["ds"] / 12))
    )
    assert step.rho_["s0"] == pytest.approx(0.8, abs=0.08)
    assert step.rho_["s1"] == pytest.approx(-0.5, abs=0.08)


def test_errors_that_stay_autocorrelated_are_said():
    rows = np.arange(400)
    y = np.sin(rows / 3) + 0.01 * np.random.default_rng(0).normal(size=400)
    frame = pd.DataFrame({"unique_id": "a", "ds": rows, "y": y})
    with pytest.warns(UserWarning, match="still autocorrelated after the adjustment"):
        tsf.Pipeline([AutocorrelatedErrors()], tsf.SeasonalNaive(horizon=2, season_length=1, seed=0)).fit(frame)


def test_of_a_linear_network_one_call_on_differences_says_what_two_calls_say():
    torch.manual_seed(0)
    inner = Autoregression().double()
    nn.init.zeros_(inner.map.bias)
    x, rho = torch.randn(3, 18, dtype=torch.float64), 0.7
    window = make_window(3, 16, 1)._replace(past=x[:, 1:17, None], past_observed=torch.ones(3, 16, 1, dtype=torch.bool))
    network = AdjustedNetwork(inner, (1, 1), 1e-2).double()
    network.raw_rho.data = torch.atanh(torch.tensor([[rho]], dtype=torch.float64))
    one = inner.map(network.adjust(window, x[:, :1, None]).past[..., 0])[:, 0] + rho * x[:, 16]
    two = inner.map(x[:, 1:17])[:, 0] - rho * inner.map(x[:, :16])[:, 0] + rho * x[:, 16]
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def test_counts_cannot_be_differenced():
    frame = make_frame().assign(y=lambda df: df["y"].round())
    model = tsf.LRU(horizon=2, likelihood="negative_binomial", scaler="mean_abs", max_steps=1)
    with pytest.raises(ValueError, match=r"differences of counts are no counts.*student_t"):
        tsf.Pipeline([AutocorrelatedErrors()], model).fit(frame)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"ahead": "steps"}, "'faded' or 'summed'"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"most_rounds": 0}, "most_rounds"),
        ({"inputs": False}, "torch"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings_, words):
    with pytest.raises(ValueError, match=words):
        tsf.Pipeline([AutocorrelatedErrors(**settings_)], tsf.SeasonalNaive(horizon=2)).fit(make_frame())


def test_quantiles_become_draws_before_they_are_summed_up():
    frame = make_frame()
    step = AutocorrelatedErrors().fit(frame)
    panel = tsf.Panel.from_frame(frame)
    forecast = tsf.SeasonalNaive(horizon=3, seed=0).fit(step.transform(panel)).predict()
    held = replace(forecast, values=forecast.quantile([0.1, 0.5, 0.9]), levels=(0.1, 0.5, 0.9))
    answer = step.inverse(held)
    assert answer.samples.shape == (3, 200, 3)
    ours = answer.interval(0.8)
    np.testing.assert_allclose(ours[:, :, 0], step.inverse(forecast).interval(0.8)[:, :, 0], atol=0.5)


@pytest.mark.filterwarnings("ignore:one-step errors are still autocorrelated")
def test_a_network_trained_inside_it_is_stored_and_goes_on_training(tmp_path):
    frame = make_frame()
    lru = tsf.LRU(horizon=3, context_length=12, d_model=8, d_state=8, max_steps=3, seed=0, verbose=False)
    model = tsf.Pipeline([AutocorrelatedErrors(per_series=True)], lru).fit(frame)
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(seed=1).values, model.predict(seed=1).values)
    pd.testing.assert_series_equal(loaded.steps_[0].rho_, model.steps_[0].rho_)
    fitted = loaded.forecaster_
    fitted.fit(tsf.Panel.from_frame(frame), warm_start=True, wrap=AutocorrelatedErrors(per_series=True))
    assert fitted.history_["step"].iloc[-1] == 6
    with pytest.raises(ValueError, match="wrapped in AutocorrelatedErrors at fit and would be wrapped in nothing now"):
        fitted.fit(tsf.Panel.from_frame(frame), warm_start=True)
    with pytest.raises(ValueError, match="stream needs a network that reads the values"):
        fitted.stream()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 100.0), st.floats(-50.0, 50.0))
def test_units_change_nothing_of_rho(factor, shift):
    frame = correlated(0.6, rows=120)
    mine = AutocorrelatedErrors().fit(frame).rho_
    assert AutocorrelatedErrors().fit(frame.assign(y=factor * frame["y"] + shift)).rho_ == pytest.approx(mine, abs=1e-9)
