"""Convolutional attention: against torch's own layers, and its properties."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tsformers.nn.attention.conv_attention import CausalConvolution, ConvAttention, ConvTransformer, GroupedLinear


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seeded(build, seed=0):
    torch.manual_seed(seed)
    return build().double().eval().requires_grad_(False)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


def test_a_convolution_is_torchs_with_zeros_before_the_first_step():
    ours = seeded(lambda: CausalConvolution(3, 5, kernel=4))
    x = noise(1, 2, 9, 3)
    weight = ours.map.weight[0].unflatten(0, (4, 3)).flip(0).permute(2, 1, 0)  # (O, I, kernel), the oldest first
    expected = functional.conv1d(functional.pad(x[0].mT, (3, 0)), weight, ours.map.bias[0, 0]).mT
    close(ours(x)[0], expected)


@pytest.mark.parametrize("causal", [True, False])
def test_with_a_kernel_of_one_it_is_torchs_multi_head_attention(causal):
    ours = seeded(lambda: ConvAttention(8, 2, kernel=1, causal=causal))
    peer = seeded(lambda: nn.MultiheadAttention(8, 2, batch_first=True))
    peer.in_proj_weight.copy_(torch.cat([ours.query_key.map.weight[0].mT, ours.value.weight[0].mT]))
    peer.in_proj_bias.copy_(torch.cat([ours.query_key.map.bias[0, 0], ours.value.bias[0, 0]]))
    peer.out_proj.weight.copy_(ours.out.weight[0].mT)
    peer.out_proj.bias.copy_(ours.out.bias[0, 0])
    x = noise(1, 3, 11, 8)
    mask = torch.ones(11, 11, dtype=torch.bool).triu(1) if causal else None
    close(ours(x)[0], peer(x[0], x[0], x[0], attn_mask=mask, need_weights=False)[0])


def test_attention_is_the_formula_with_queries_and_keys_of_three_steps():
    ours, x = seeded(lambda: ConvAttention(4, 2, kernel=3)), noise(1, 1, 6, 4)
    query, key = ours.query_key(x)[0, 0].chunk(2, dim=-1)
    value, heads = ours.value(x)[0, 0], []
    for at in (slice(0, 2), slice(2, 4)):
        score = (query[:, at] @ key[:, at].mT / 2**0.5).masked_fill(torch.ones(6, 6).triu(1).bool(), -torch.inf)
        heads.append(score.softmax(-1) @ value[:, at])
    close(ours(x)[0, 0], torch.cat(heads, dim=-1) @ ours.out.weight[0] + ours.out.bias[0])
    moved = x.clone()
    moved[0, 0, 3] += 1.0  # the query two steps later reads it too
    assert (ours.query_key(moved) - ours.query_key(x))[0, 0].abs().amax(-1).gt(0).tolist() == [
        *[False] * 3,
        *[True] * 3,
    ]


cases = st.fixed_dictionaries(
    {
        "kernel": st.integers(1, 5),
        "groups": st.integers(1, 3),
        "layers": st.integers(0, 3),
        "length": st.integers(2, 12),
        "shared_embedding": st.booleans(),
        "seed": st.integers(0, 2**31),
    }
)


def transformer(case, causal=True):
    sizes = {"n_layers": case["layers"], "n_heads": 2, "kernel": case["kernel"], "groups": case["groups"]}
    build = lambda: ConvTransformer(2, 4, **sizes, causal=causal, shared_embedding=case["shared_embedding"])  # noqa: E731
    return seeded(build, case["seed"]), noise(1, 3, case["length"], 2, seed=case["seed"])


@settings(deadline=None, max_examples=30)
@given(cases, st.data())
def test_no_step_knows_what_comes_after_it(case, data):
    network, x = transformer(case)
    step = data.draw(st.integers(1, case["length"] - 1))
    later = x.clone()
    later[:, :, step:] += noise(1, 3, case["length"] - step, 2, seed=1)
    first, second = network(x), network(later)
    close(first[:, :, :step], second[:, :, :step])
    assert (first[:, :, step] - second[:, :, step]).abs().max() > 1e-9


@settings(deadline=None, max_examples=20)
@given(cases)
def test_groups_are_networks_of_their_own(case):
    network, x = transformer(case)
    together = network(x)
    assert together.shape == (case["groups"], 3, case["length"], 4)
    for group in range(case["groups"]):
        alone, _ = transformer(case | {"groups": 1})
        kept = {name: weight[[group]] if len(weight) > 1 else weight for name, weight in network.state_dict().items()}
        alone.load_state_dict(kept)
        close(alone(x)[0], together[group])
    apart = x.expand(case["groups"], -1, -1, -1)
    close(network(apart), together)


@settings(deadline=None, max_examples=20)
@given(cases)
def test_a_series_does_not_depend_on_its_batch_or_on_what_is_padded_behind_it(case):
    network, x = transformer(case)
    close(network(x)[:, 1:2], network(x[:, 1:2]))
    longer = torch.cat([x, 7 * torch.ones_like(x)], dim=2)
    close(network(longer)[:, :, : case["length"]], network(x))


def test_without_a_mask_the_first_step_knows_the_last():
    case = {"kernel": 3, "groups": 1, "layers": 1, "length": 8, "shared_embedding": False, "seed": 0}
    network, x = transformer(case, causal=False)
    later = x.clone()
    later[:, :, -1] += 1
    assert (network(x) - network(later))[:, :, 0].abs().max() > 1e-6


def test_what_is_linear_in_the_last_steps_passes_through_unchanged():
    case = {"kernel": 3, "groups": 1, "layers": 2, "length": 8, "shared_embedding": False, "seed": 0}
    network, x = transformer(case)
    for attend, think in zip(network.attend, network.think, strict=True):
        for last in (attend.out, think[2]):
            last.weight.zero_()
            last.bias.zero_()
    close(network(3 * x)[0] - network.embed.map.bias, 3 * (network(x)[0] - network.embed.map.bias))


def test_gradients_are_right():
    torch.manual_seed(0)
    network = ConvTransformer(2, 4, n_layers=1, n_heads=2, kernel=2, groups=2).double()
    assert torch.autograd.gradcheck(network, noise(1, 2, 5, 2).requires_grad_())


def test_dropout_is_for_training_alone():
    torch.manual_seed(0)
    network, x = ConvTransformer(2, 8, dropout=0.5), torch.ones(1, 2, 6, 2)
    assert not torch.equal(network(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a width of 6 cannot be split into 4 heads"):
        ConvAttention(6, 4)
    with pytest.raises(ValueError, match="kernel is 0; it must be 1 or more steps"):
        CausalConvolution(1, 1, kernel=0)
    assert GroupedLinear(2, 3)(torch.zeros(1, 1, 1, 2)).shape == (1, 1, 1, 3)
