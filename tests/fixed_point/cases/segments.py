"""``tsformers.hsmm`` and ``tsformers.simulate``."""

import numpy as np
import torch

import tsformers as tsf
from fixed_point.registry import case


def parts(dtype: torch.dtype, shared: bool = False) -> dict[str, torch.Tensor]:
    """Four random parts that want gradients; shared ones do not vary with batch and time."""
    rng, (b, t, k, d) = np.random.default_rng(0), (2, 15, 3, 5)
    lead = (t,) if not shared else ()
    lasting = -np.logaddexp(0, rng.normal(size=(b, *lead, k, d)) - 1)
    lasting[..., -1] = -np.inf
    logits = rng.normal(size=(b, *lead, k, k))
    arrays = {
        "log_initial": np.log(rng.dirichlet(np.ones(k), b)),
        "log_transition": logits - np.logaddexp.reduce(logits, -1, keepdims=True),
        "log_continue": lasting,
        "log_emission": rng.normal(size=(b, t, k)),
    }
    if shared:
        arrays |= {name: arrays[name][0] for name in ("log_transition", "log_continue", "log_initial")}
    return {name: torch.tensor(x, dtype=dtype).requires_grad_() for name, x in arrays.items()}


def posterior(dtype: torch.dtype, shared: bool) -> dict:
    """Everything that is asked of a semi-Markov model."""
    given, collected = parts(dtype, shared), {}
    found = tsf.hsmm.forward_backward(**given)
    for name in ("log_likelihood", "regime", "regime_count", "transition"):
        collected[name] = getattr(found, name)
    (found.log_likelihood.sum() + (found.regime.sin()).sum()).backward() if found.regime.requires_grad else (
        found.log_likelihood.sum().backward()
    )
    collected["gradients"] = [part.grad for part in given.values()]
    fresh = parts(dtype, shared)
    total = tsf.hsmm.log_likelihood(**fresh)
    total.sum().backward()
    collected["likelihood"], collected["its gradients"] = total, [part.grad for part in fresh.values()]
    path = tsf.hsmm.viterbi(**given)
    collected["path"] = [path.regime, path.count, path.log_likelihood]
    drawn = tsf.hsmm.sample(**given, n_samples=4, generator=torch.Generator().manual_seed(0))
    collected["drawn"] = [drawn.regime, drawn.count]
    return collected


for dtype in (torch.float64, torch.float32):
    for shared in (False, True):
        case(f"hsmm, {dtype}{', shared' * shared}")(lambda dtype=dtype, shared=shared: posterior(dtype, shared))


@case("hsmm, durations")
def durations():
    log_probabilities = torch.log_softmax(torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(2, 6), -1)
    hazards = tsf.hsmm.hazards(log_probabilities)
    return {"hazards": hazards, "durations": tsf.hsmm.durations(hazards)}


@case("simulate")
def simulated():
    m, system = tsf.simulate, tsf.simulate.three_mode_system(seed=1)
    switch, lasting = np.array([[0.0, 1.0], [1.0, 0.0]]), np.full((2, 5), 0.2)
    return {
        "bouncing_ball": m.bouncing_ball(3, 40, latent=True, seed=0),
        "bouncing_ball, fast": m.bouncing_ball(2, 30, low=-1.0, high=1.0, max_speed=0.3, noise=0.0, seed=1),
        "three_mode": m.three_mode(3, 40, latent=True, seed=0),
        "system": [getattr(system, name) for name in ("dynamics", "drift", "readout", "level", "switch", "durations")],
        "switching_autoregression": m.switching_autoregression(3, 40, latent=True, seed=0),
        "switching_autoregression, given": m.switching_autoregression(
            2, 40, coefficients=((0.5,), (0.1, 0.2)), means=(1.0, -1.0), noise=(0.1, 0.2), durations=lasting, seed=2
        ),
        "semi_markov": list(m.semi_markov(3, 30, switch, lasting, np.random.default_rng(0))),
        "arma_mixture": m.arma_mixture(8, 30, seed=0),
        "frame": tsf.testing.make_frame(2, 10, freq="h", seed=3),
    }
