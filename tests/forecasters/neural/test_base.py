"""TorchForecaster around a small network: settings, covariates, channels, seeds, warm starts, memory, storage."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import nn

from tsformers import storage
from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.nn import make_head
from tsformers.testing import check_forecaster, check_network, make_frame, make_window


class LinearNetwork(DistributionNetwork):
    """One linear map of all inputs; ``read`` keeps the last window for the tests."""

    def __init__(self, context_length, horizon, sizes, likelihood, width=8):
        super().__init__()
        channels, past_x, known_x, _ = sizes
        self.horizon, self.sizes = horizon, sizes
        inputs = context_length * (channels + past_x + known_x) + horizon * known_x
        self.linear = nn.Linear(inputs, horizon * width)
        self.head = make_head(likelihood, width, channels)
        self.read = None

    def forward(self, window):
        self.read = window
        inputs = [part.flatten(1) for part in (window.past, window.past_x, window.future_x)]
        features = torch.tanh(self.linear(torch.cat(inputs, dim=-1))).unflatten(-1, (self.horizon, -1))
        return self.head(features, None, window.scale)


@dataclass(kw_only=True, repr=False, eq=False)
class Linear(TorchForecaster):
    context_length: int | None = 8
    max_steps: int = 30
    learning_rate: float = 0.02
    seed: int | None = 0

    def build(self, channels, past_x, known_x, calendar):
        return LinearNetwork(self.context_length_, self.horizon, (channels, past_x, known_x, calendar), self.likelihood)


@pytest.fixture(scope="module")
def frame():
    return make_frame()


@pytest.fixture(scope="module")
def aligned():
    """Three integer-time series that end together; the last one begins later."""
    frame = make_frame(freq=1)
    return pd.concat(
        [part.assign(ds=part["ds"] + 60 - len(part)) for _, part in frame.groupby("unique_id")], ignore_index=True
    )


@pytest.fixture(scope="module")
def fitted(frame):
    return Linear(horizon=4).fit(frame)


@pytest.mark.parametrize("likelihood", ["normal", "student_t", "quantile"])
@pytest.mark.parametrize("scaler", ["mean_abs", "robust"])
def test_the_laws_of_forecasters_hold(likelihood, scaler):
    check_forecaster(Linear(horizon=4, max_steps=5, likelihood=likelihood, scaler=scaler))


@pytest.mark.parametrize("likelihood", ["normal", "student_t", "quantile"])
def test_the_laws_of_networks_hold(likelihood):
    network = LinearNetwork(16, 4, (3, 1, 2, 0), likelihood)
    check_network(network, make_window(5, 16, 4, channels=3, past_x=1, known_x=2))


def test_a_trained_network_beats_the_last_value():
    t = np.arange(400)
    frame = pd.DataFrame({"unique_id": "a", "ds": t, "y": np.sin(2 * np.pi * t / 12)})
    model = Linear(horizon=6, context_length=24, max_steps=300, likelihood="normal").fit(frame[:390])
    error = np.abs(model.predict().mean[0] - frame["y"][390:396]).mean()
    assert error < 0.25 * np.abs(frame["y"][389] - frame["y"][390:396]).mean()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "horizon must be a whole number of 1 or more, not 0"),
        ({"horizon": 2.5}, r"not 2\.5"),
        ({"context_length": -1}, "context_length must be a whole number of 1 or more or None"),
        ({"max_steps": None}, "max_steps must be"),
        ({"batch_size": True}, "batch_size must be"),
        ({"validation_stride": 0}, "validation_stride must be a whole number of 1 or more or None"),
        ({"validation_windows": -1}, "validation_windows must be a whole number of 0 or more"),
        ({"seed": -1}, "seed must be a whole number of 0 or more or None"),
        ({"device": "abacus"}, "device='abacus' cannot be used .* choose 'auto' or 'cpu'"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"weight_decay": -1.0}, "weight_decay must be a number of 0 or more"),
        ({"scaler": "minmax"}, "'mean_abs', 'standard', 'robust', None"),
        ({"schedule": "linear"}, "'cosine', 'constant'"),
        ({"likelihood": "poisson"}, "'normal', 'squared_error', 'student_t', 'negative_binomial', 'quantile'"),
        ({"likelihood": "negative_binomial", "scaler": "standard"}, "choose scaler='mean_abs' or None"),
    ],
)
def test_settings_out_of_range_are_refused_in_fit(frame, settings, message):
    with pytest.raises(ValueError, match=message):
        Linear(**{"horizon": 4} | settings).fit(frame)


def test_predict_before_fit_is_refused():
    with pytest.raises(NotFittedError):
        Linear(horizon=4).predict()


def test_seeds_repeat_fit_and_predict_bit_for_bit(frame, fitted):
    again, other = clone(fitted).fit(frame), clone(fitted).set_params(seed=1).fit(frame)
    assert np.array_equal(fitted.predict().values, again.predict().values)
    assert np.array_equal(fitted.predict(seed=7).values, again.predict(seed=7).values)
    assert not np.array_equal(fitted.predict().values, fitted.predict(seed=7).values)
    assert not np.array_equal(fitted.predict().mean, other.predict(seed=0).mean)


def test_without_a_seed_draws_are_fresh_and_the_callers_random_state_is_untouched(frame):
    before = torch.get_rng_state()
    model = Linear(horizon=4, seed=None).fit(frame)
    assert not np.array_equal(model.predict().values, model.predict().values)
    assert torch.equal(before, torch.get_rng_state())


def test_a_forecast_depends_on_the_last_context_alone_and_new_series_are_allowed(frame, fitted):
    tail = frame.groupby("unique_id").tail(8)
    assert np.array_equal(fitted.predict().values, fitted.predict(tail).values)
    renamed = tail.assign(unique_id="new_" + tail["unique_id"])
    assert np.array_equal(fitted.predict().values, fitted.predict(renamed).values)


def test_memory_is_bounded_without_changing_what_is_forecast(fitted, monkeypatch):
    whole = fitted.predict(n_samples=500)
    monkeypatch.setattr("tsformers.forecasters.neural.prediction.MAX_NUMBERS", 1000)
    sizes = []
    sample = fitted.network_.sample
    monkeypatch.setattr(fitted.network_, "sample", lambda w, n: sizes.append((len(w.past), n)) or sample(w, n))
    pieces = fitted.predict(n_samples=500)
    assert sizes == [(1, 250)] * 6
    assert np.allclose(whole.mean, pieces.mean, rtol=0.1)


def test_warm_start_resumes_from_the_weights_and_the_history(frame):
    model = Linear(horizon=4, early_stopping_patience=None).fit(frame)
    steps, weights = model.history_["step"].iloc[-1], model.network_.linear.weight.detach().clone()
    model.set_params(learning_rate=1e-9).fit(frame, warm_start=True)
    assert torch.allclose(weights, model.network_.linear.weight, atol=1e-5)
    assert model.history_["step"].is_monotonic_increasing
    assert model.history_["step"].iloc[-1] == 2 * steps
    model.fit(frame)
    assert model.history_["step"].iloc[-1] == steps
    assert clone(model).fit(frame, warm_start=True).history_["step"].iloc[-1] == steps


def test_warm_start_with_other_covariates_is_refused(frame, fitted):
    with pytest.raises(DataError, match=r"past covariates are \['x'\], but the model was fitted with \[\]"):
        clone(fitted).fit(frame).fit(frame.assign(x=1.0), warm_start=True)


CHANGES = [
    {"horizon": 5},
    {"scaler": "robust"},
    {"multivariate": True},
    {"likelihood": "normal"},
    {"context_length": 6},
    {"sizes": [8, 3]},
    {"scale_too": 1},
]


@dataclass(kw_only=True, repr=False, eq=False)
class Listed(Linear):
    sizes: list[int] | None = None
    scale_too: bool | int = True


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_changed_after_fit_is_refused_by_predict_save_and_warm_start(frame, tmp_path, change):
    model = Listed(horizon=4, max_steps=2, sizes=[8, 2]).fit(frame)
    (name,) = change
    was = getattr(model, name)
    model.set_params(**change)
    for refused in (model.predict, lambda: model.save(tmp_path / "m"), lambda: model.fit(frame, warm_start=True)):
        with pytest.raises(ValueError, match=f"{name} was .* at fit and is .* now.* set it back, or fit again"):
            refused()
    assert not (tmp_path / "m").exists()
    assert np.isfinite(model.set_params(**{name: was}).predict().values).all()


def test_a_list_among_the_settings_may_not_be_changed_in_place_either(frame):
    model = Listed(horizon=4, max_steps=2, sizes=[8, 2]).fit(frame)
    model.sizes.append(1)
    with pytest.raises(ValueError, match=r"sizes was \[8, 2\] at fit and is \[8, 2, 1\] now"):
        model.predict()


def test_settings_of_training_may_be_changed_after_fit_and_are_saved(frame, tmp_path):
    model = Linear(horizon=4, max_steps=2).fit(frame)
    expected = model.predict(seed=1).values
    changes = {"max_steps": 3, "batch_size": 7, "learning_rate": 0.5, "schedule": "constant", "validation_windows": 2}
    model.set_params(**changes, seed=9, verbose=False, device="cpu").save(tmp_path / "m")
    loaded = storage.load(tmp_path / "m", {"Linear": Linear})
    assert {name: loaded.get_params()[name] for name in changes} == changes
    assert np.array_equal(loaded.predict(seed=1).values, expected)
    assert np.array_equal(loaded.predict().values, model.predict().values)
    loaded.fit(frame, warm_start=True)
    with pytest.raises(ValueError, match="horizon was 4 at fit"):
        loaded.set_params(horizon=3).predict()


def test_an_interrupted_fit_leaves_a_model_that_predicts(frame, monkeypatch):
    taken = []
    loss = LinearNetwork.loss

    def press(self, window):
        taken.append(1)
        if len(taken) > 20:
            raise KeyboardInterrupt
        return loss(self, window)

    monkeypatch.setattr(LinearNetwork, "loss", press)
    with pytest.warns(UserWarning, match="interrupted"):
        model = Linear(horizon=4).fit(frame)
    assert np.isfinite(model.predict().values).all()


def stale(frame, name="s2", rows=15):
    """``frame`` with the last values of a series missing."""
    ago = frame.groupby("unique_id").cumcount(ascending=False)
    return frame.assign(y=frame["y"].where((frame["unique_id"] != name) | (ago >= rows)))


def test_series_left_out_need_no_rows_in_the_future_frame(frame):
    data = stale(covariates(frame)[["unique_id", "ds", "y", "promo"]])
    model = Linear(horizon=4, max_steps=2).fit(data, known=["promo"], short="drop")
    ahead = future(data)
    with pytest.warns(UserWarning, match="not forecast"):
        assert model.predict(future=ahead[ahead["unique_id"] != "s2"]).ids.tolist() == ["s0", "s1"]
    with pytest.raises(DataError, match="'s2' has no value"):
        clone(model).fit(data, known=["promo"]).predict(future=ahead)


def covariates(frame):
    rng = np.random.default_rng(0)
    return frame.assign(promo=rng.normal(100, 20, len(frame)), rain=rng.normal(-3, 1, len(frame)))


def statics(ids=("s0", "s1", "s2")):
    return pd.DataFrame({"unique_id": ids, "size": np.arange(len(ids)) * 10.0})


def future(frame, horizon=4):
    rows = [
        pd.DataFrame({"unique_id": name, "ds": part["ds"].max() + pd.Timedelta(days=1) * np.arange(1, horizon + 1)})
        for name, part in frame.groupby("unique_id")
    ]
    return pd.concat(rows, ignore_index=True).assign(promo=120.0)


def test_covariates_reach_the_network_in_the_documented_columns(frame):
    data = covariates(frame)
    model = Linear(horizon=4).fit(data, known=["promo"], static=statics())
    assert model.sizes_ == (1, 1, 3 + 1 + 1, 3)
    model.predict(future=future(data))
    window = model.network_.read
    assert window.past_x.shape == (3, 8, 1 + 5)
    assert window.future_x.shape == (3, 4, 5)
    assert torch.equal(window.past_x[:, -1, 0] * data["rain"].std(ddof=0) > 0, torch.tensor(
        (data.groupby("unique_id")["rain"].last() > data["rain"].mean()).to_numpy()))  # fmt: skip
    promo = (120 - data["promo"].mean()) / data["promo"].std(ddof=0)
    assert torch.allclose(window.future_x[..., 3], torch.tensor(promo, dtype=torch.float32))
    size = (np.array([0, 10, 20]) - 10) / np.std([0, 10, 20])
    assert torch.allclose(window.future_x[:, 0, 4], torch.tensor(size, dtype=torch.float32))
    day = (data.groupby("unique_id")["ds"].max() + pd.Timedelta(days=1)).dt.day_of_week / 6 - 0.5
    assert np.allclose(window.future_x[:, 0, 0], day)


def test_covariates_that_differ_are_refused(frame):
    data = covariates(frame)
    model = Linear(horizon=4, max_steps=2).fit(data, known=["promo"], static=statics())
    with pytest.raises(DataError, match="promo"):
        model.predict(data)
    with pytest.raises(DataError):
        model.predict(frame, future=future(data))
    with pytest.raises(ValueError, match="static= describes"):
        model.predict(static=statics())
    assert np.isfinite(model.predict(data, future=future(data), static=statics()).values).all()


def test_missing_past_covariates_count_as_their_mean(frame):
    data = covariates(frame)[["unique_id", "ds", "y", "rain"]]
    data.loc[data.index % 5 == 0, "rain"] = np.nan
    model = Linear(horizon=4, max_steps=2).fit(data)
    model.predict()
    observed = data.groupby("unique_id")["rain"].apply(lambda part: part.tail(8).notna().to_numpy())
    assert np.array_equal(model.network_.read.past_x[..., 0] != 0, np.stack(observed.tolist()))


def test_the_future_of_known_covariates_matters(frame):
    data = covariates(frame)
    data["y"] = data["promo"] / 10
    model = Linear(horizon=4, max_steps=200, likelihood="normal").fit(data, known=["promo"])
    low = model.predict(future=future(data).assign(promo=80.0)).mean
    high = model.predict(future=future(data).assign(promo=130.0)).mean
    assert (high - low).mean() > 2


def test_known_covariates_may_come_in_the_panel_or_in_a_frame_of_the_future(frame):
    data = covariates(frame)[["unique_id", "ds", "y", "promo"]]
    whole = Panel.from_frame(data, known=["promo"])
    past = whole.until(whole.ends - 4, horizon=4)
    model = Linear(horizon=4, max_steps=5).fit(past)
    later = data[["unique_id", "ds", "promo"]]
    assert np.array_equal(model.predict().values, model.predict(past.to_frame(), future=later).values)
    assert np.array_equal(model.predict().values, model.predict(past).values)
    other = model.predict(past, future=later.assign(promo=0.0))
    assert not np.array_equal(model.predict().values, other.values)


def test_a_fit_that_fails_leaves_no_half_fitted_model(frame, fitted, monkeypatch):
    model = clone(fitted).fit(frame)
    monkeypatch.setattr(LinearNetwork, "loss", lambda self, window: self.linear.weight.sum() * float("nan"))
    with pytest.raises(FloatingPointError, match="at step 1"):
        model.set_params(context_length=6).fit(frame)
    with pytest.raises(NotFittedError):
        model.predict()


def test_a_fit_interrupted_at_once_can_be_resumed(frame, monkeypatch):
    def press(self, window):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.warns(UserWarning, match="after step 0"):
        patch.setattr(LinearNetwork, "loss", press)
        model = Linear(horizon=4).fit(frame)
    assert len(model.history_) == 0
    fresh = Linear(horizon=4).fit(frame).history_
    pd.testing.assert_frame_equal(model.fit(frame, warm_start=True).history_.iloc[:, :3], fresh.iloc[:, :3])


def test_multivariate_series_are_the_channels_of_one(aligned):
    model = Linear(horizon=4, multivariate=True).fit(aligned)
    assert model.sizes_ == (3, 0, 0, 0)
    forecast = model.predict(n_samples=50)
    assert forecast.values.shape == (3, 50, 4)
    assert forecast.joint
    window = model.network_.read
    assert window.past.shape == (1, 8, 3)
    for i, (_, part) in enumerate(aligned.groupby("unique_id")):
        past = window.past[0, :, i] * window.scale[0, 0, i] + window.location[0, 0, i]
        assert np.allclose(past, part["y"].tail(8))


def test_multivariate_covariates_stand_side_by_side_and_short_channels_begin_missing(aligned):
    data = aligned.assign(price=np.arange(len(aligned), dtype=float), rain=1.0)
    late = data[(data["unique_id"] != "s1") | (data["ds"] > 54)]
    model = Linear(horizon=4, multivariate=True, max_steps=2).fit(late, known=["price"])
    assert model.sizes_ == (3, 3, 3, 0)
    ahead = pd.DataFrame({"unique_id": np.repeat(["s0", "s1", "s2"], 4), "ds": np.tile(np.arange(60, 64), 3)})
    model.predict(future=ahead.assign(price=np.repeat([1.0, 2.0, 3.0], 4)))
    window = model.network_.read
    assert window.past_observed[0, :, 1].tolist() == [False] * 3 + [True] * 5
    assert window.past_observed[0, :, [0, 2]].all()
    steps = (window.future_x[0, 0, 1:] - window.future_x[0, 0, :-1]) * late["price"].std(ddof=0)
    assert torch.allclose(steps, torch.ones(2), atol=1e-4)


def test_multivariate_series_must_end_together_and_be_those_of_fit(frame, aligned):
    with pytest.raises(DataError, match=r"series 's1' ends at 2024-02-28 00:00:00, others at 2024-02-29 00:00:00"):
        Linear(horizon=4, multivariate=True).fit(frame)
    model = Linear(horizon=4, multivariate=True, max_steps=2).fit(aligned)
    with pytest.raises(DataError, match="'s1' is missing"):
        model.predict(aligned[aligned["unique_id"] != "s1"])


def test_counts_are_forecast_as_counts_and_others_refused_by_name(frame):
    counts = frame.assign(y=np.random.default_rng(0).poisson(20, len(frame)).astype(float))
    model = Linear(horizon=4, likelihood="negative_binomial", scaler="mean_abs", max_steps=100).fit(counts)
    values = model.predict(n_samples=200).values
    assert np.array_equal(values, np.round(values))
    assert values.min() >= 0
    assert values.mean() == pytest.approx(20, rel=0.3)
    counts.loc[70, "y"] = 1.5
    with pytest.raises(DataError, match=r"series 's1' has y = 1\.5 at ds = 2024-01-11"):
        clone(model).fit(counts)


class PoissonOutput:
    """The smallest object with GluonTS's ``DistributionOutput`` interface."""

    args_dim = {"rate": 1}  # noqa: RUF012

    def get_args_proj(self, in_features):
        return nn.Linear(in_features, 1)

    def distribution(self, distr_args, loc=None, scale=None):
        return torch.distributions.Poisson(nn.functional.softplus(distr_args[..., 0]) * scale, validate_args=True)


def test_an_object_with_the_interface_of_gluonts_is_trained_and_forecasts_in_its_own_units(frame):
    counts = frame.assign(y=np.random.default_rng(0).poisson(30, len(frame)).astype(float))
    counts.loc[::7, "y"] = np.nan
    model = Linear(horizon=4, likelihood=PoissonOutput(), scaler="mean_abs", max_steps=100).fit(counts)
    values = clone(model).fit(counts).predict(n_samples=300).values
    assert np.array_equal(values, model.predict(n_samples=300).values)
    assert np.allclose(values, np.round(values), atol=1e-4)
    assert values.var(axis=1).mean() == pytest.approx(values.mean(), rel=0.2)


def test_a_quantile_model_answers_with_quantiles(frame):
    forecast = Linear(horizon=4, likelihood="quantile").fit(frame).predict(n_samples=3)
    assert forecast.levels is not None
    assert forecast.values.shape == (3, len(forecast.levels), 4)
    assert (np.diff(forecast.values, axis=1) >= 0).all()


@pytest.mark.parametrize("settings", [{}, {"likelihood": "quantile"}, {"multivariate": True}])
def test_saved_and_loaded_models_forecast_alike_and_train_on(aligned, tmp_path, settings):
    data = aligned.assign(rain=np.sin(np.arange(len(aligned))))
    static = None if settings.get("multivariate") else statics()
    model = Linear(horizon=4, **settings).fit(data, static=static)
    model.save(tmp_path / "model")
    loaded = storage.load(tmp_path / "model", {"Linear": Linear})
    assert np.array_equal(model.predict().values, loaded.predict().values)
    assert np.array_equal(model.predict(data).values, loaded.predict(data).values)
    pd.testing.assert_frame_equal(model.history_, loaded.history_)
    model.fit(data, static=static, warm_start=True)
    loaded.fit(data, static=static, warm_start=True)
    assert np.array_equal(model.predict().values, loaded.predict().values)


def test_nothing_is_printed_and_no_file_written(frame, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Linear(horizon=4, max_steps=3).fit(frame).predict()
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_large_levels_keep_their_small_steps():
    frame = make_frame(1, 80)
    model = Linear(horizon=4, max_steps=100).fit(frame)
    lifted = Linear(horizon=4, max_steps=100).fit(frame.assign(y=frame["y"] + 1e9))
    assert np.allclose(lifted.predict().mean - 1e9, model.predict().mean, atol=1e-3)


@pytest.mark.parametrize("multivariate", [False, True])
def test_many_cutoffs_at_once_are_forecast_as_predict_does_at_each(aligned, multivariate):
    rng = np.random.default_rng(0)
    frame = aligned.assign(price=rng.normal(size=len(aligned)), load=rng.normal(size=len(aligned)))
    settings = {"likelihood": "quantile", "multivariate": multivariate}  # no draws: exact
    model = Linear(horizon=4, max_steps=5, **settings).fit(frame, known=["price"])
    rows_after_cutoff = np.array([9, 4, 6])
    found = model.predict_at(frame, rows_after_cutoff)
    for values, rows in zip(found, rows_after_cutoff, strict=True):
        last = 60 - rows
        future = frame[(frame["ds"] >= last) & (frame["ds"] < last + 4)].drop(columns=["y", "load"])
        alone = model.predict(frame[frame["ds"] < last], future=future)
        np.testing.assert_allclose(values, alone.values, rtol=1e-5, atol=1e-5)


def test_no_target_after_a_cutoff_is_read(aligned):
    model = Linear(horizon=4, max_steps=5).fit(aligned)
    other = aligned.assign(y=aligned["y"].where(aligned["ds"] < 50, -1234.0))
    before, after = (model.predict_at(data, np.array([10]), n_samples=7, seed=1) for data in (aligned, other))
    assert before.shape == (1, 3, 7, 4)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("rows", [3, 51])
def test_a_cutoff_without_room_on_both_sides_is_refused(aligned, rows):
    model = Linear(horizon=4, max_steps=1).fit(aligned)
    with pytest.raises(ValueError, match="must leave 4 rows after and 8 rows before"):
        model.predict_at(aligned, np.array([10, rows]))
