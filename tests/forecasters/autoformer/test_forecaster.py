"""Autoformer: the paper's network against the authors' numbers, and the forecaster built on it."""

import contextlib
import inspect
import re

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from torch import nn

from tsformers.errors import DataWarning
from tsformers.forecasters.autoformer.forecaster import Autoformer
from tsformers.forecasters.autoformer.layers import DecoderLayer, Embedding, EncoderLayer, SeasonalNorm
from tsformers.forecasters.autoformer.network import AutoformerStack
from tsformers.nn.missing import carry_forward
from tsformers.testing import check_network, make_frame, make_window

SMALL = Autoformer.paper(36, d_model=16, n_heads=4, d_ff=32, dropout=0.0).architecture()
RENAMED = [
    (r"([a-z]+)_projection\.", r"\1."),
    (r"conv1\.", "feed_forward.0."),
    (r"conv2\.", "feed_forward.3."),
    (r"enc_embedding\.", "embed_past."),
    (r"dec_embedding\.", "embed_future."),
    (r"value_embedding\.tokenConv\.", "values."),
    (r"temporal_embedding\.embed\.", "covariates."),
    (r"encoder\.attn_layers\.", "encoder."),
    (r"decoder\.layers\.", "decoder."),
    (r"(en|de)coder\.norm\.layernorm\.", r"\1coder_norm."),
    (r"^decoder\.projection\.", "seasonal."),
    (r"(^|\.)projection\.", r"\1trend."),
]


def ours(name):
    """Our name of a parameter that the authors call ``name``."""
    for theirs, replacement in RENAMED:
        name = re.sub(theirs, replacement, name)
    return name


@pytest.fixture(scope="module")
def golden(shared):
    """The authors' code in float64; the set allows rtol 1e-9 and atol 1e-11, transforms differ in the last digits."""
    return lambda name: np.load(shared / "golden" / "autoformer" / f"{name}.npz")


def load(module, vectors, dtype=torch.float64):
    """Their weights in our module; both must name the same set of parameters."""
    weights = {ours(key[6:]): torch.from_numpy(vectors[key]) for key in vectors.files if key.startswith("param.")}
    shapes = {name: p.shape for name, p in module.to(dtype).named_parameters()}
    module.load_state_dict({name: w.reshape(shapes[name]) for name, w in weights.items()})
    return module


def tensor(vectors, name, dtype=torch.float64):
    return torch.from_numpy(vectors[name]).to(dtype)


def assert_parity(actual, expected, dtype=torch.float64):
    """In single precision 3e-6 as the specification says, and the rounding of values, which reach 10, beside it."""
    tolerance = {"rtol": 1e-9, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 1e-6, "atol": 3e-6}
    np.testing.assert_allclose(actual.detach(), expected, **tolerance)


def gradient(parameter):
    """Zero where a parameter takes no part at all: the biases of the queries."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def assert_gradients(module, vectors, extra=()):
    """Relative to the largest gradient of the file: those that are zero by construction hold rounding noise."""
    theirs = {ours(key[11:]): vectors[key] for key in vectors.files if key.startswith("grad_train.")}
    pairs = [(gradient(p), theirs.pop(name)) for name, p in module.named_parameters()] + list(extra)
    assert not theirs
    largest = max(np.abs(theirs).max() for _, theirs in pairs)
    for mine, expected in pairs:
        np.testing.assert_allclose(mine.reshape(expected.shape), expected, rtol=1e-9, atol=1e-11 * largest)


dtypes = pytest.mark.parametrize("dtype", [torch.float64, torch.float32])


@dtypes
def test_the_seasonal_norm_is_the_authors(golden, dtype):
    vectors = golden("seasonal_layernorm")
    norm = SeasonalNorm(16, eps=float(vectors["eps"])).to(dtype)
    norm.load_state_dict({name: tensor(vectors, name) for name in ("weight", "bias")})
    assert_parity(norm(tensor(vectors, "x", dtype)), vectors["y"], dtype)


@dtypes
def test_the_value_embedding_is_the_authors(golden, dtype):
    vectors = golden("embedding")
    embed = Embedding(3, 0, 8, dropout=0.0).to(dtype)
    embed.load_state_dict({"values.weight": tensor(vectors, "token_weight")})
    x = tensor(vectors, "token_x", dtype)
    assert_parity(embed(x, x[..., :0]), vectors["token_y"], dtype)


@pytest.mark.parametrize("mode", ["eval", "train"])
@dtypes
def test_the_encoder_layer_is_the_authors(golden, mode, dtype):
    vectors = golden("encoder_layer")
    layer = load(EncoderLayer(SMALL), vectors, dtype).train(mode == "train")
    assert_parity(layer(tensor(vectors, "x", dtype)), vectors[f"y_{mode}"], dtype)


@pytest.mark.parametrize("mode", ["eval", "train"])
@dtypes
def test_the_decoder_layer_is_the_authors(golden, mode, dtype):
    vectors = golden("decoder_layer")
    layer = load(DecoderLayer(SMALL, 7), vectors, dtype).train(mode == "train")
    seasonal, trend = layer(tensor(vectors, "x", dtype), tensor(vectors, "cross", dtype))
    assert_parity(seasonal, vectors[f"seasonal_{mode}"], dtype)
    assert_parity(trend, vectors[f"trend_{mode}"], dtype)


def test_gradients_through_the_encoder_layer_are_the_authors(golden):
    vectors = golden("encoder_layer")
    layer, x = load(EncoderLayer(SMALL), vectors), tensor(vectors, "x").requires_grad_()
    loss = (layer(x) * tensor(vectors, "loss_weight")).sum()
    loss.backward()
    assert_parity(loss, vectors["loss_train"])
    assert_gradients(layer, vectors, [(x.grad, vectors["grad_train_x"])])


def test_gradients_through_the_decoder_layer_are_the_authors(golden):
    vectors = golden("decoder_layer")
    layer = load(DecoderLayer(SMALL, 7), vectors)
    x, cross = (tensor(vectors, name).requires_grad_() for name in ("x", "cross"))
    seasonal, trend = layer(x, cross)
    weighted = [seasonal * tensor(vectors, "loss_weight_seasonal"), trend * tensor(vectors, "loss_weight_trend")]
    loss = weighted[0].sum() + weighted[1].sum()
    loss.backward()
    assert_parity(loss, vectors["loss_train"])
    assert_gradients(layer, vectors, [(x.grad, vectors["grad_train_x"]), (cross.grad, vectors["grad_train_cross"])])


def small_stack(vectors, dtype=torch.float64):
    return load(AutoformerStack(5, 4, 4, SMALL), vectors, dtype)


def decode(stack, vectors, dtype=torch.float64):
    return stack(*(tensor(vectors, name, dtype) for name in ("x_enc", "x_mark_enc", "x_mark_dec")), 36)


def forecast(decoded):
    return (decoded.seasonal + decoded.trend)[:, 24:]


def test_the_whole_model_and_all_between_are_the_authors(golden):
    vectors = golden("model_small")
    stack, outputs = small_stack(vectors).eval(), {}
    for name in ("decompose", "embed_past", "embed_future", "encoder.0", "encoder.1", "encoder_norm", "decoder.0"):
        stack.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: outputs.update({name: out}))
    decoded = decode(stack, vectors)
    between = {
        "decomp_seasonal": outputs["decompose"][0],
        "decomp_trend": outputs["decompose"][1],
        "enc_embedding": outputs["embed_past"],
        "dec_embedding": outputs["embed_future"],
        "enc_layer0": outputs["encoder.0"],
        "enc_layer1": outputs["encoder.1"],
        "enc_out": outputs["encoder_norm"],
        "dec_layer0_seasonal": outputs["decoder.0"][0],
        "dec_layer0_trend": outputs["decoder.0"][1],
        "seasonal_part": decoded.seasonal,
        "trend_part": decoded.trend,
    }
    assert {f"mid_{name}" for name in between} == {name for name in vectors.files if name.startswith("mid_")}
    for name, actual in between.items():
        assert_parity(actual, vectors[f"mid_{name}"])
    assert_parity(forecast(decoded), vectors["y_eval"])
    error = forecast(decoded) - tensor(vectors, "target")
    assert_parity(error.square().mean(), vectors["mse_eval"])
    assert_parity(error.abs().mean(), vectors["mae_eval"])


def test_the_whole_model_in_single_precision_stays_within_rounding_of_double(golden):
    vectors = golden("model_small")
    answer = forecast(decode(small_stack(vectors, torch.float32).eval(), vectors, torch.float32))
    assert_parity(answer, vectors["y_eval_float32"], torch.float32)
    assert_parity(answer, vectors["y_eval"], torch.float32)


def test_a_training_pass_and_its_gradients_are_the_authors(golden):
    vectors = golden("model_small")
    stack = small_stack(vectors).train()
    answer = forecast(decode(stack, vectors))
    assert_parity(answer, vectors["y_train"])
    loss = nn.functional.mse_loss(answer, tensor(vectors, "target"))
    loss.backward()
    assert_parity(loss, vectors["mse_train"])
    assert_gradients(stack, vectors)
    largest = max(float(gradient(p).abs().max()) for p in stack.parameters())
    for name, p in stack.named_parameters():
        dead = (
            name.endswith("attention.query.bias")
            or name.endswith("self_attention.key.bias")
            or name.startswith("encoder_norm.bias")
            or name == "decoder_norm.bias"
            or re.fullmatch(r"encoder\.\d\.attention\.(key|value|out)\.bias", name)
        )
        assert (float(gradient(p).abs().max()) < 1e-10 * largest) == bool(dead), name


@pytest.mark.parametrize(
    ("channels", "expected"), [(7, 10_535_943), (8, 10_541_064), (21, 10_607_637), (321, 12_143_937), (862, 14_914_398)]
)
def test_the_published_sizes_have_the_published_number_of_parameters(channels, expected):
    with torch.device("meta"):
        stack = AutoformerStack(channels, 4, 4, Autoformer.paper(96).architecture())
    assert sum(p.numel() for p in stack.parameters()) == expected


def test_the_default_sizes_are_the_cpu_sizes_of_the_published_comparison():
    sizes = Autoformer(horizon=96).architecture()
    assert sum(p.numel() for p in AutoformerStack(7, 4, 4, sizes).parameters()) == 170_119
    assert sum(p.numel() for p in AutoformerStack(8, 4, 4, sizes).parameters()) == 170_760


TINY = {"context_length": 14, "d_model": 8, "n_heads": 2, "d_ff": 16, "batch_size": 8, "max_steps": 4, "verbose": False}


def tiny(**changes):
    return Autoformer(**({"horizon": 4, "seed": 0} | TINY | changes))


def build(known_x=0, past_x=0, channels=1, **changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return tiny(**changes).build(channels, past_x, known_x, 0).double().eval()


def window_of(**changes):
    return type(w := make_window(**({"context_length": 14} | changes)))(
        *(part.double() if part is not None and part.is_floating_point() else part for part in w)
    )


def test_the_distribution_has_the_papers_forecast_as_its_mean(golden):
    """With the head's own share at zero, the mean of the normal distribution is the authors' forecast."""
    vectors = golden("model_small")
    sizes = {"d_model": 16, "n_heads": 4, "d_ff": 32, "dropout": 0.0, "trend_start": "mean"}
    model = Autoformer(horizon=36, label_length=24, likelihood="normal", **sizes)
    network = model.build(5, 0, 4, 4).double().eval()
    load(network.stack, vectors)
    for p in network.head.parameters():
        nn.init.zeros_(p)
    x_enc, marks = tensor(vectors, "x_enc"), tensor(vectors, "x_mark_dec")
    window = make_window(3, 48, 36, channels=5, known_x=4)._replace(
        past=x_enc, past_observed=torch.ones(3, 48, 5, dtype=torch.bool), past_x=tensor(vectors, "x_mark_enc")
    )
    window = window._replace(future_x=marks[:, 24:])
    assert_parity(network(window).mean, vectors["y_eval"])


@pytest.mark.parametrize("trend_start", ["last", "mean", "linear"])
@pytest.mark.parametrize("likelihood", ["normal", "student_t", "quantile"])
def test_the_laws_of_a_network_hold(trend_start, likelihood):
    network = tiny(trend_start=trend_start, likelihood=likelihood).build(2, 1, 3, 1)
    check_network(network, make_window(4, 14, 4, channels=2, past_x=1, known_x=3))


@settings(deadline=None, max_examples=20)
@given(
    st.integers(2, 5),
    st.integers(0, 14),
    st.integers(1, 6),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from(["last", "mean", "linear"]),
)
def test_a_forecast_does_not_depend_on_its_batch(batch, label, horizon, past_x, known_x, start):
    network = build(known_x, past_x, label_length=label, horizon=horizon, trend_start=start)
    window = window_of(batch=batch, horizon=horizon, past_x=past_x, known_x=known_x)
    alone = type(window)(*(None if part is None else part[-1:] for part in window))
    with torch.no_grad():
        torch.testing.assert_close(network(window).mean[-1:], network(alone).mean, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("trend_start", ["last", "mean", "linear"])
def test_the_location_moves_with_the_level_of_a_window_and_the_spread_does_not(trend_start):
    network, window = build(trend_start=trend_start, likelihood="normal"), window_of()
    moved = window._replace(past=(window.past + 50) * window.past_observed)
    with torch.no_grad():
        before, after = network(window), network(moved)
    torch.testing.assert_close(after.mean, before.mean + 50, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(after.stddev, before.stddev, rtol=1e-9, atol=1e-9)


def test_the_linear_map_is_added_to_season_and_trend_of_the_horizon_alone():
    network, window = build(trend_start="linear"), window_of()
    with torch.no_grad():
        before = network.decode(window)
        network.start.weight.fill_(1.0).mul_(torch.arange(14) == 13)  # the last value, less the mean
        after = network.decode(window)
    label = after.trend.shape[1] - 4
    torch.testing.assert_close(after.trend[:, :label], before.trend[:, :label])
    torch.testing.assert_close(after.seasonal[:, :label], before.seasonal[:, :label])
    complete = carry_forward(window.past, window.past_observed)
    added = after.trend + after.seasonal - before.trend - before.seasonal
    expected = (complete[:, -1:] - complete.mean(1, keepdim=True)).expand(-1, 4, -1)  # the two parts sum to the past
    torch.testing.assert_close(added[:, label:], expected)


@pytest.mark.parametrize("likelihood", ["normal", "student_t", "quantile", "quantile_function", "squared_error"])
def test_before_training_the_forecast_is_the_fitted_map_and_training_leaves_it_as_it_is(likelihood):
    network = tiny(trend_start="linear", likelihood=likelihood).build(1, 0, 0, 0)
    windows = [make_window(64, 14, 4, seed=seed) for seed in (1, 2)]
    network.fit_closed_form(windows[:1], windows[1:])
    found = network.start.weight.clone()
    assert found.abs().max() > 0
    distribution = network(windows[1])
    past = carry_forward(windows[1].past, windows[1].past_observed)
    quantiles = hasattr(distribution, "values")
    location = distribution.values[..., len(distribution.levels) // 2] if quantiles else distribution.mean
    torch.testing.assert_close(location, past[:, -1:] + network.start(past))
    network.fit_closed_form(windows[1:], windows[:1])
    assert torch.equal(found, network.start.weight)
    assert not any(weight is network.start.weight for weight in network.parameters())


def test_explicit_arguments_override_the_published_settings_and_survive_cloning():
    model = Autoformer.paper(4, likelihood="normal", batch_size=16)
    assert (model.horizon, model.d_model, model.likelihood, model.batch_size) == (4, 512, "normal", 16)
    assert Autoformer.paper(horizon=4, d_model=64).d_model == 64  # though it is the default
    assert clone(model).get_params() == model.get_params()
    assert clone(model).set_params(d_model=8).d_model == 8
    assert inspect.signature(Autoformer).parameters["d_model"].default == 64


def test_the_former_preset_is_refused_with_what_replaces_it():
    with pytest.raises(
        TypeError, match=r"Autoformer has no setting 'preset' any more; .* Autoformer\.paper\(horizon, "
    ):
        Autoformer(horizon=4, preset="paper")
    assert "preset" not in Autoformer(horizon=4).get_params()


def test_the_numbers_under_missing_values_change_nothing():
    network, window = build(), window_of()
    assert not window.past_observed.all()
    other = window._replace(past=torch.where(window.past_observed, window.past, 123.0))
    with torch.no_grad():
        torch.testing.assert_close(network(other).mean, network(window).mean, rtol=0, atol=0)


def test_missing_values_are_the_last_observed_one_and_before_the_first_one_that():
    network, window = build(), window_of(batch=1)
    past = torch.tensor([0, 0, 5, 0, 7, 0, 0, 1, 2, 3, 4, 5, 6, 0], dtype=torch.float64)
    filled = torch.tensor([5, 5, 5, 5, 7, 7, 7, 1, 2, 3, 4, 5, 6, 6], dtype=torch.float64)
    gappy = window._replace(past=past.reshape(1, 14, 1), past_observed=(past != 0).reshape(1, 14, 1))
    complete = window._replace(past=filled.reshape(1, 14, 1), past_observed=torch.ones(1, 14, 1, dtype=torch.bool))
    with torch.no_grad():
        torch.testing.assert_close(network(gappy).mean, network(complete).mean, rtol=0, atol=0)


def test_known_covariates_of_the_future_and_past_covariates_reach_the_forecast():
    network, window = build(known_x=2, past_x=1), window_of(past_x=1, known_x=2)
    with torch.no_grad():
        mean = network(window).mean
        assert not torch.allclose(network(window._replace(future_x=window.future_x + 1)).mean, mean)
        past_x = window.past_x.clone()
        past_x[:, 3, 0] += 1
        assert not torch.allclose(network(window._replace(past_x=past_x)).mean, mean)


def test_each_channel_has_its_own_distribution_and_depends_on_the_others():
    network, window = build(channels=3), window_of(channels=3)
    past = window.past.clone()
    past[:, :, 0] += torch.linspace(0, 3, 14, dtype=torch.float64) * window.past_observed[:, :, 0]
    with torch.no_grad():
        before, after = network(window).mean, network(window._replace(past=past)).mean
    assert before.shape == (4, 4, 3)
    assert not torch.allclose(before[..., 1:], after[..., 1:])


@pytest.mark.parametrize("multivariate", [False, True])
def test_it_fits_and_forecasts_with_every_kind_of_covariate_and_with_gaps(multivariate):
    frame = make_frame(n_series=2, rows=50)
    frame = frame[frame["ds"] <= frame.groupby("unique_id")["ds"].max().min()]
    frame = frame.assign(price=np.cos(np.arange(len(frame))), rain=np.arange(len(frame)) % 5.0)
    frame.loc[[5, 6, 44, 48], "y"] = np.nan
    static = pd.DataFrame({"unique_id": ["s0", "s1"], "size": [1.0, 3.0]})
    days = pd.date_range(frame["ds"].max(), periods=5, freq="D")[1:]
    future = pd.concat([pd.DataFrame({"unique_id": name, "ds": days, "price": 0.5}) for name in ("s0", "s1")])
    model = tiny(multivariate=multivariate)
    unused = pytest.warns(DataWarning, match="takes no statics") if multivariate else contextlib.nullcontext()
    with unused:
        model.fit(frame, known=["price"], static=static)
    forecast = model.predict(future=future, n_samples=20)
    assert forecast.samples.shape == (2, 20, 4)
    assert np.isfinite(forecast.samples).all()
    assert forecast.joint == multivariate
    cheaper = model.predict(future=future.assign(price=-3.0), n_samples=20)
    assert not np.allclose(forecast.samples, cheaper.samples)


def test_it_learns_a_season_on_a_trend_better_than_repeating_the_last_season():
    t = np.arange(160.0)
    y = 0.1 * t + np.sin(2 * np.pi * t / 8)
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(152), "y": y[:152]})
    model = tiny(horizon=8, context_length=24, max_steps=80, batch_size=16, learning_rate=1e-2, moving_average=9)
    error = model.fit(frame).predict(n_samples=200).median[0] - y[152:]
    assert np.abs(error).mean() < 0.5 * np.abs(y[144:152] - y[152:]).mean()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_length": 15}, "label_length=15 must lie between 0 and context_length=14"),
        ({"label_length": -1}, "label_length must be a whole number of 0 or more or None, not -1"),
        ({"label_length": 40, "context_length": None}, "label_length=40 exceeds the context"),
        ({"d_model": 9}, "d_model=9 cannot be split into n_heads=2"),
        ({"encoder_layers": 0}, "encoder_layers must be a whole number of 1 or more, not 0"),
        ({"activation": "tanh"}, "activation='tanh' is unknown; choose one of 'gelu', 'relu'"),
        ({"trend_start": "first"}, "trend_start='first' is unknown"),
        ({"factor": 0.0}, "factor must be a number above 0, not 0.0"),
        ({"dropout": 1.0}, "dropout must be a number in [0, 1), not 1.0"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tiny(**changes).fit(make_frame(n_series=1, rows=60))
