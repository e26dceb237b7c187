"""Compiled recurrences of REDSDS; importing this module loads numba, which takes most of a second.

Weights stand with their inputs on the first axis, so that the inner loops run over outputs that lie side by side. The
gradients write what flows into each step and leave the sums over steps, which are matrix products, to torch.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
LEAST_SCALE = 1e-6  # added to every standard deviation
compiled = compiled_nogil("contract")


@compiled
@no_type_check
def add_product(values: Array, weight: Array, out: Array) -> None:
    """``out += values @ weight``, of values (I,) and a weight (I, O)."""
    for j in range(values.shape[0]):
        value = values[j]
        for k in range(out.shape[0]):
            out[k] += weight[j, k] * value


@compiled
@no_type_check
def gated_states(gates: Array, weight: Array, bias: Array, states: Array, kept: Array) -> None:
    """States (B, T, H) of gated units from ``gates`` (B, T, 3H), which hold what the inputs say.

    ``weight`` (H, 3H) and ``bias`` (3H,) are those of the states; ``kept`` (B, T, 4H) gains reset, update, candidate
    and what the state says to the candidate.
    """
    width = states.shape[2]
    said = np.empty(3 * width, states.dtype)
    for i in range(gates.shape[0]):
        for t in range(gates.shape[1]):
            for k in range(3 * width):
                said[k] = bias[k]
            if t > 0:
                add_product(states[i, t - 1], weight, said)
            for j in range(width):
                reset = 1 / (1 + np.exp(-(gates[i, t, j] + said[j])))
                update = 1 / (1 + np.exp(-(gates[i, t, width + j] + said[width + j])))
                candidate = np.tanh(gates[i, t, 2 * width + j] + reset * said[2 * width + j])
                before = states[i, t - 1, j] if t > 0 else 0.0
                states[i, t, j] = (1 - update) * candidate + update * before
                kept[i, t, j] = reset
                kept[i, t, width + j] = update
                kept[i, t, 2 * width + j] = candidate
                kept[i, t, 3 * width + j] = said[2 * width + j]


@compiled
@no_type_check
def gated_gradient(
    g: Array, weight: Array, states: Array, kept: Array, into_gates: Array, into_candidate: Array
) -> None:
    """What a gradient ``g`` (B, T, H) of the states is of the gates (B, T, 3H).

    ``weight`` (3H, H) is transposed here. ``into_candidate`` (B, T, H) is what flows to the state's part of the
    candidate; of the other gates that is the same as what flows to the inputs' part.
    """
    width = states.shape[2]
    later = np.empty(width, states.dtype)
    for i in range(g.shape[0]):
        later[:] = 0
        for back in range(g.shape[1]):
            t = g.shape[1] - 1 - back
            for j in range(width):
                reset = kept[i, t, j]
                update = kept[i, t, width + j]
                candidate = kept[i, t, 2 * width + j]
                before = states[i, t - 1, j] if t > 0 else 0.0
                total = g[i, t, j] + later[j]
                inner = total * (1 - update) * (1 - candidate * candidate)
                into_gates[i, t, 2 * width + j] = inner
                into_candidate[i, t, j] = inner * reset
                into_gates[i, t, j] = inner * kept[i, t, 3 * width + j] * reset * (1 - reset)
                into_gates[i, t, width + j] = total * (before - candidate) * update * (1 - update)
                later[j] = total * update
            add_product(into_gates[i, t, : 2 * width], weight[: 2 * width], later)
            add_product(into_candidate[i, t], weight[2 * width :], later)


@compiled
@no_type_check
def posterior_states(
    inputs: Array,
    noise: Array,
    from_x: Array,
    from_r: Array,
    into_hidden: Array,
    hidden_bias: Array,
    into_law: Array,
    law_bias: Array,
    r: Array,
    hidden: Array,
    law: Array,
    x: Array,
) -> None:
    """Draws ``x`` (B, T, M) from the posterior, each step given the draws before it.

    ``inputs`` (B, T, R) are what the data say to the recurrent states ``r`` (B, T, R); ``hidden`` (B, T, D) and ``law``
    (B, T, 2M: mean, raw scale) follow from these alone. ``noise`` (B, T, M) is standard normal; zeros give means.
    """
    size, wide, m = r.shape[2], hidden.shape[2], x.shape[2]
    for i in range(inputs.shape[0]):
        for t in range(inputs.shape[1]):
            here, inner, out = r[i, t], hidden[i, t], law[i, t]
            here[:] = inputs[i, t]
            if t > 0:
                add_product(x[i, t - 1], from_x, here)
                add_product(r[i, t - 1], from_r, here)
            for k in range(size):
                here[k] = np.tanh(here[k])
            inner[:] = hidden_bias
            add_product(here, into_hidden, inner)
            for k in range(wide):
                inner[k] = max(inner[k], 0.0)
            out[:] = law_bias
            add_product(inner, into_law, out)
            for k in range(m):
                raw = out[m + k]
                scale = raw if raw > 20.0 else np.log1p(np.exp(raw))
                x[i, t, k] = out[k] + (scale + LEAST_SCALE) * noise[i, t, k]


@compiled
@no_type_check
def posterior_gradient(
    into_x: Array,
    into_scale: Array,
    noise: Array,
    from_x: Array,
    from_r: Array,
    into_hidden: Array,
    into_law: Array,
    r: Array,
    hidden: Array,
    law: Array,
    to_inputs: Array,
    to_hidden: Array,
    to_law: Array,
) -> None:
    """What gradients of draws and scales (B, T, M) are of each step's parts; the weights are transposed here."""
    size, wide, m = r.shape[2], hidden.shape[2], into_x.shape[2]
    for i in range(r.shape[0]):
        for back in range(r.shape[1]):
            t = r.shape[1] - 1 - back
            out, inner, here = to_law[i, t], to_hidden[i, t], to_inputs[i, t]
            out[:m] = into_x[i, t]
            here[:] = 0
            if back > 0:
                add_product(to_inputs[i, t + 1], from_x, out[:m])
                add_product(to_inputs[i, t + 1], from_r, here)
            for k in range(m):
                slope = 1 / (1 + np.exp(-law[i, t, m + k]))
                out[m + k] = (into_scale[i, t, k] + out[k] * noise[i, t, k]) * slope
            inner[:] = 0
            add_product(out, into_law, inner)
            for k in range(wide):
                if hidden[i, t, k] <= 0:
                    inner[k] = 0
            add_product(inner, into_hidden, here)
            for k in range(size):
                here[k] *= 1 - r[i, t, k] * r[i, t, k]
