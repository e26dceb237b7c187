"""Compiled recurrences of REDSDS; importing this module loads numba, which takes most of a second.

Weights have their inputs on the first axis, so that the inner loops run over outputs that lie side by side. The kernels
of gradients write the gradient of each step and leave the sums over steps, which are matrix products, to torch.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.forecasters.redsds.architecture import MIN_SCALE
from tsformers.jit import compiled_nogil

Array = np.ndarray[Any, Any]
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
    """States (B, T, H) of gated units from ``gates`` (B, T, 3H), the contributions of the inputs.

    ``weight`` (H, 3H) and ``bias`` (3H,) are those of the states; ``kept`` (B, T, 4H) is filled with reset, update,
    candidate and the contribution of the state to the candidate.
    """
    width = states.shape[2]
    from_state = np.empty(3 * width, states.dtype)
    for i in range(gates.shape[0]):
        for t in range(gates.shape[1]):
            for k in range(3 * width):
                from_state[k] = bias[k]
            if t > 0:
                add_product(states[i, t - 1], weight, from_state)
            for j in range(width):
                reset = 1 / (1 + np.exp(-(gates[i, t, j] + from_state[j])))
                update = 1 / (1 + np.exp(-(gates[i, t, width + j] + from_state[width + j])))
                candidate = np.tanh(gates[i, t, 2 * width + j] + reset * from_state[2 * width + j])
                before = states[i, t - 1, j] if t > 0 else 0.0
                states[i, t, j] = (1 - update) * candidate + update * before
                kept[i, t, j] = reset
                kept[i, t, width + j] = update
                kept[i, t, 2 * width + j] = candidate
                kept[i, t, 3 * width + j] = from_state[2 * width + j]


@compiled
@no_type_check
def gated_gradient(
    g: Array, weight: Array, states: Array, kept: Array, into_gates: Array, into_candidate: Array
) -> None:
    """The gradient of the gates (B, T, 3H), given the gradient ``g`` (B, T, H) of the states.

    ``weight`` (3H, H) is transposed here. ``into_candidate`` (B, T, H) is the gradient of the state's part of the
    candidate; of the other gates it equals the gradient of the inputs' part.
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
    into_posterior: Array,
    posterior_bias: Array,
    r: Array,
    hidden: Array,
    posterior: Array,
    x: Array,
) -> None:
    """Draws ``x`` (B, T, M) from the posterior, each step given the draws before it.

    ``inputs`` (B, T, R) are the contributions of the data to the recurrent states ``r`` (B, T, R); ``hidden`` (B, T, D)
    and ``posterior`` (B, T, 2M: mean, raw scale) are functions of these alone. ``noise`` (B, T, M) is standard normal;
    zeros give means.
    """
    size, wide, m = r.shape[2], hidden.shape[2], x.shape[2]
    for i in range(inputs.shape[0]):
        for t in range(inputs.shape[1]):
            here, inner, out = r[i, t], hidden[i, t], posterior[i, t]
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
            out[:] = posterior_bias
            add_product(inner, into_posterior, out)
            for k in range(m):
                raw = out[m + k]
                scale = raw if raw > 20.0 else np.log1p(np.exp(raw))
                x[i, t, k] = out[k] + (scale + MIN_SCALE) * noise[i, t, k]


@compiled
@no_type_check
def posterior_gradient(
    into_x: Array,
    into_scale: Array,
    noise: Array,
    from_x: Array,
    from_r: Array,
    into_hidden: Array,
    into_posterior: Array,
    r: Array,
    hidden: Array,
    posterior: Array,
    to_inputs: Array,
    to_hidden: Array,
    to_posterior: Array,
) -> None:
    """Gradients of each step's parts, given those of draws and scales (B, T, M); the weights are transposed here."""
    size, wide, m = r.shape[2], hidden.shape[2], into_x.shape[2]
    for i in range(r.shape[0]):
        for back in range(r.shape[1]):
            t = r.shape[1] - 1 - back
            out, inner, here = to_posterior[i, t], to_hidden[i, t], to_inputs[i, t]
            out[:m] = into_x[i, t]
            here[:] = 0
            if back > 0:
                add_product(to_inputs[i, t + 1], from_x, out[:m])
                add_product(to_inputs[i, t + 1], from_r, here)
            for k in range(m):
                slope = 1 / (1 + np.exp(-posterior[i, t, m + k]))
                out[m + k] = (into_scale[i, t, k] + out[k] * noise[i, t, k]) * slope
            inner[:] = 0
            add_product(out, into_posterior, inner)
            for k in range(wide):
                if hidden[i, t, k] <= 0:
                    inner[k] = 0
            add_product(inner, into_hidden, here)
            for k in range(size):
                here[k] *= 1 - r[i, t, k] * r[i, t, k]
