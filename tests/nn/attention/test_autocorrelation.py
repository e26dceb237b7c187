"""Auto-correlation against the authors' numbers, and its properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.nn import AutoCorrelation, AutoCorrelationLayer

CASES = ["self", "longer", "shorter", "odd"]


@pytest.fixture(scope="module")
def golden(shared):
    """The authors' code in float64, without projections; transforms of 36 points leave 1e-14, the set allows 1e-11."""
    return np.load(shared / "golden" / "autoformer" / "autocorrelation.npz")


def inputs(golden, case, dtype):
    return [torch.from_numpy(golden[f"{case}_{name}"]).to(dtype) for name in "qkv"]


def tolerance(dtype):
    return {"rtol": 1e-9, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 2e-4, "atol": 2e-5}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_lags_weights_and_answer_are_the_authors(golden, case, mode, dtype):
    query, key, value = inputs(golden, case, dtype)
    mix = AutoCorrelation(float(golden[f"{case}_factor"])).train(mode == "train")
    lags, weights = mix.delays(query, key)
    assert lags.shape == (len(query), int(golden[f"{case}_topk"]))
    np.testing.assert_array_equal(lags, np.broadcast_to(golden[f"{case}_{mode}_delays"], lags.shape))
    np.testing.assert_allclose(weights, golden[f"{case}_{mode}_weights"], **tolerance(dtype))
    np.testing.assert_allclose(mix(query, key, value), golden[f"{case}_{mode}_out"], **tolerance(dtype))


@pytest.mark.parametrize("case", CASES)
def test_the_correlation_is_the_authors_on_average_and_for_each_channel(golden, case):
    query, key, _ = inputs(golden, case, torch.float64)
    mix = AutoCorrelation()
    np.testing.assert_allclose(mix.correlation(query, key), golden[f"{case}_mean_corr"], rtol=1e-9, atol=1e-11)
    each = mix.correlation(*(channel_by_channel(x) for x in (query, key)))
    expected = channel_by_channel(torch.from_numpy(golden[f"{case}_corr"])).flatten(1)
    np.testing.assert_allclose(each, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_one_channel_at_a_time_it_is_the_full_variant(golden, case):
    mix = AutoCorrelation(float(golden[f"{case}_factor"])).eval()
    out = mix(*(channel_by_channel(x) for x in inputs(golden, case, torch.float64)))
    expected = channel_by_channel(torch.from_numpy(golden[f"{case}_full_out"]))
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-11)


def channel_by_channel(x):
    """(B, L, H, E) as B * H * E samples of one channel."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1], 1, 1)


cases = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 3),
        "length": st.integers(1, 30),
        "keys": st.integers(1, 30),
        "factor": st.floats(0.2, 5.0),
        "training": st.booleans(),
        "seed": st.integers(0, 2**31),
    }
)


def build(case):
    generator = torch.Generator().manual_seed(case["seed"])

    def draw(length):
        return torch.randn(case["batch"], length, 2, 3, generator=generator, dtype=torch.float64)

    mix = AutoCorrelation(case["factor"]).train(case["training"])
    return mix, draw(case["length"]), draw(case["keys"]), draw(case["keys"])


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(cases)
def test_the_answer_is_the_weighted_sum_of_values_rolled_to_the_left(case):
    mix, query, key, value = build(case)
    length = case["length"]
    lags, weights = mix.delays(query, key)
    assert lags.shape[1] == min(max(int(case["factor"] * math.log(length)), 1), length)
    close(weights.sum(1), torch.ones(case["batch"], dtype=torch.float64))
    padded = torch.cat([value, value.new_zeros(case["batch"], length, 2, 3)], dim=1)[:, :length]
    expected = [
        sum(w * sample.roll(-int(lag), 0) for lag, w in zip(row, mass, strict=True))
        for sample, row, mass in zip(padded, lags, weights, strict=True)
    ]
    close(mix(query, key, value), torch.stack(expected))


@settings(deadline=None, max_examples=50)
@given(cases, st.integers(0, 40))
def test_shifting_all_inputs_shifts_the_answer(case, shift):
    mix, query, key, value = build(case | {"keys": case["length"]})
    shifted = mix(*(x.roll(shift, 1) for x in (query, key, value)))
    close(shifted, mix(query, key, value).roll(shift, 1))


@settings(deadline=None, max_examples=50)
@given(cases, st.floats(-10, 10))
def test_a_constant_added_to_the_query_changes_nothing_and_one_in_a_long_key_neither(case, constant):
    mix, query, key, value = build(case)
    close(mix(query + constant, key, value), mix(query, key, value))
    if case["keys"] >= case["length"]:
        close(mix(query, key + constant, value), mix(query, key, value))


@settings(deadline=None, max_examples=30)
@given(cases, st.floats(-10, 10))
def test_constant_values_come_through_unchanged(case, constant):
    mix, query, key, value = build(case | {"keys": case["length"] + case["keys"]})
    close(mix(query, key, torch.full_like(value, constant)), torch.full_like(query, constant))


@settings(deadline=None, max_examples=30)
@given(cases)
def test_in_inference_mode_a_sample_does_not_depend_on_its_batch(case):
    mix, query, key, value = build(case | {"training": False})
    alone = [mix(query[i : i + 1], key[i : i + 1], value[i : i + 1]) for i in range(case["batch"])]
    close(mix(query, key, value), torch.cat(alone))


@settings(deadline=None, max_examples=30)
@given(cases)
def test_both_modes_agree_on_a_single_sample(case):
    mix, query, key, value = build(case | {"batch": 1})
    close(mix.train()(query, key, value), mix.eval()(query, key, value))


def test_while_training_the_lags_belong_to_the_batch():
    waves = [torch.sin(torch.arange(24.0) * 2 * torch.pi / period) for period in (6, 8)]
    batch = torch.stack(waves).reshape(2, 24, 1, 1)
    mix = AutoCorrelation(1.0)
    lags, _ = mix.train().delays(batch, batch)
    assert torch.equal(lags[0], lags[1])
    lags, _ = mix.eval().delays(batch, batch)
    assert [set(row.tolist()) <= set(range(0, 24, period)) for row, period in zip(lags, (6, 8), strict=True)] == [
        True
    ] * 2


def test_gradients_reach_query_key_and_value():
    mix, *tensors = build({"batch": 2, "length": 9, "keys": 9, "factor": 1.0, "training": True, "seed": 5})
    tensors = [x.requires_grad_() for x in tensors]
    # The lags are locally constant, so the function is smooth where no two correlations tie.
    assert torch.autograd.gradcheck(mix, tensors)


def test_half_precision_and_autocast_transform_in_single_precision():
    layer = AutoCorrelationLayer(width=8, n_heads=2, factor=1.0).eval()
    x = torch.randn(2, 15, 8, generator=torch.Generator().manual_seed(0))
    expected = layer(x, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(layer(x, x).float(), expected, rtol=0.1, atol=0.05)
    query = x.reshape(2, 15, 2, 4)
    assert AutoCorrelation().correlation(query.bfloat16(), query.bfloat16()).dtype == torch.float32
    assert AutoCorrelation()(query.half(), query.half(), query.half()).dtype == torch.float16


def test_heads_share_their_lags_so_their_number_does_not_matter():
    one, four = AutoCorrelationLayer(8, 1, 2.0).eval(), AutoCorrelationLayer(8, 4, 2.0).eval()
    four.load_state_dict(one.state_dict())
    x, other = torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(one(x, other), four(x, other), rtol=1e-5, atol=1e-6)


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="factor is 0"):
        AutoCorrelation(0)
    with pytest.raises(ValueError, match="width of 10 cannot be split into 4 heads"):
        AutoCorrelationLayer(10, 4)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_the_merged_projections_of_a_layer_are_the_four_of_the_paper(length, keys, seed):
    layer = AutoCorrelationLayer(6, 2, 1.5).double().eval()
    generator = torch.Generator().manual_seed(seed)
    x, other = (torch.randn(3, n, 6, generator=generator, dtype=torch.float64) for n in (length, keys))
    heads = [part.unflatten(-1, (2, 3)) for part in (layer.query(x), layer.key(other), layer.value(other))]
    close(layer(x, other), layer.out(layer.mix(*heads).flatten(2)))
    correlation = layer.mix.correlation(*heads[:2])
    mine = layer.correlation(x, other)
    close(mine - mine.mean(1, keepdim=True), correlation - correlation.mean(1, keepdim=True))
