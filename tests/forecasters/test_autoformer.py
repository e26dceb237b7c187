"""Autoformer: the paper's network against the authors' numbers, and the forecaster built on it."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from tsformers.forecasters.autoformer import (
    Architecture,
    AutoformerStack,
    DecoderLayer,
    Embedding,
    EncoderLayer,
    SeasonalNorm,
)

SMALL = Architecture(d_model=16, n_heads=4, d_ff=32, dropout=0.0)
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


def assert_gradients(module, vectors, extra=()):
    """Relative to the largest gradient of the file: those that are zero by construction hold rounding noise."""
    theirs = {ours(key[11:]): vectors[key] for key in vectors.files if key.startswith("grad_train.")}
    pairs = [(p.grad, theirs.pop(name)) for name, p in module.named_parameters()] + list(extra)
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
    return load(AutoformerStack(5, 4, 4, label_length=24, sizes=SMALL), vectors, dtype)


def decode(stack, vectors, dtype=torch.float64):
    return stack(*(tensor(vectors, name, dtype) for name in ("x_enc", "x_mark_enc", "x_mark_dec")))


def forecast(decoded):
    return (decoded.seasonal + decoded.trend)[:, 24:]


def test_the_whole_model_and_all_between_are_the_authors(golden):
    vectors = golden("model_small")
    stack, seen = small_stack(vectors).eval(), {}
    for name in ("decompose", "embed_past", "embed_future", "encoder.0", "encoder.1", "encoder_norm", "decoder.0"):
        stack.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    decoded = decode(stack, vectors)
    between = {
        "decomp_seasonal": seen["decompose"][0],
        "decomp_trend": seen["decompose"][1],
        "enc_embedding": seen["embed_past"],
        "dec_embedding": seen["embed_future"],
        "enc_layer0": seen["encoder.0"],
        "enc_layer1": seen["encoder.1"],
        "enc_out": seen["encoder_norm"],
        "dec_layer0_seasonal": seen["decoder.0"][0],
        "dec_layer0_trend": seen["decoder.0"][1],
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
    largest = max(float(p.grad.abs().max()) for p in stack.parameters())
    for name, p in stack.named_parameters():
        dead = (
            name.endswith("attention.query.bias")
            or name.endswith("self_attention.key.bias")
            or name.startswith("encoder_norm.bias")
            or name == "decoder_norm.bias"
            or re.fullmatch(r"encoder\.\d\.attention\.(key|value|out)\.bias", name)
        )
        assert (float(p.grad.abs().max()) < 1e-10 * largest) == bool(dead), name


@pytest.mark.parametrize(
    ("channels", "expected"), [(7, 10_535_943), (8, 10_541_064), (21, 10_607_637), (321, 12_143_937), (862, 14_914_398)]
)
def test_the_published_sizes_have_the_published_number_of_parameters(channels, expected):
    with torch.device("meta"):
        stack = AutoformerStack(channels, 4, 4, label_length=48, sizes=Architecture(d_model=512, d_ff=2048))
    assert sum(p.numel() for p in stack.parameters()) == expected


def test_the_default_sizes_are_the_cpu_sizes_of_the_published_comparison():
    assert sum(p.numel() for p in AutoformerStack(7, 4, 4, 18, Architecture()).parameters()) == 170_119
    assert sum(p.numel() for p in AutoformerStack(8, 4, 4, 48, Architecture()).parameters()) == 170_760
