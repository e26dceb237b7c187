"""Blocks of ``tsformers.nn``: what they make of seeded numbers, and sums of gradients."""

from typing import Any

import torch

import tsformers as tsf
from fixed_point.registry import case

nn = tsf.nn
B, T, D = 3, 17, 4


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    """Seeded normal numbers that want a gradient."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def passed(module: Any, *inputs: torch.Tensor) -> dict[str, Any]:
    """Outputs of a module and the gradients of their weighted sum."""
    outputs = module(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum((torch.view_as_real(x) if x.is_complex() else x).sin().sum() for x in outputs)
    loss.backward()
    weights = {} if not hasattr(module, "named_parameters") else dict(module.named_parameters())
    return {
        "outputs": list(outputs),
        "inputs": [x.grad for x in inputs if x.grad is not None],
        "weights": [0.0 if w.grad is None else float(w.grad.double().sum()) for w in weights.values()],
    }


def made(make: Any) -> Any:
    """A module with seeded weights."""
    torch.manual_seed(0)
    return make()


def cell(make: Any) -> dict[str, Any]:
    """A recurrence in parallel, from a state, with late beginnings, and step by step."""
    layer = made(make).eval()
    collected = passed(layer, noise(B, T, D))
    state, steps = layer.initial_state(B), []
    with torch.no_grad():
        u = noise(B, T, D)
        for t in range(5):
            y, state = layer.step(u[:, t], state)
            steps.append(y)
        scanned = layer.scan(u)
        collected["from a state"] = layer(u, state)
        collected["late"] = layer(u, None, torch.tensor([0, 3, 9]))
    return collected | {"steps": torch.stack(steps), "state": state, "scan": list(scanned)}


MODULES: dict[str, tuple[Any, tuple[tuple[int, ...], ...]]] = {
    "SeriesDecomposition": (lambda: nn.SeriesDecomposition(5), ((B, T, D),)),
    "AutoCorrelation": (lambda: nn.AutoCorrelation(1.5).eval(), ((B, T, 2, D), (B, T, 2, D), (B, T, 2, D))),
    "AutoCorrelation, longer": (lambda: nn.AutoCorrelation(2).eval(), ((B, T, 2, D), (B, 23, 2, D), (B, 23, 2, D))),
    "AutoCorrelation, training": (lambda: nn.AutoCorrelation(2), ((B, T, 2, D), (B, 12, 2, D), (B, 12, 2, D))),
    "AutoCorrelationLayer": (lambda: nn.AutoCorrelationLayer(8, 2, 1.5), ((B, T, 8), (B, 20, 8))),
    "CausalConvolution": (lambda: nn.CausalConvolution(D, 6, 3, 2), ((1, B, T, D),)),
    "GroupedLinear": (lambda: nn.GroupedLinear(D, 6, 2), ((2, B, T, D),)),
    "ConvAttention": (lambda: nn.ConvAttention(8, 2, 3, 2), ((2, B, T, 8),)),
    "ConvAttention, both ways": (lambda: nn.ConvAttention(8, 2, 1, causal=False), ((1, B, T, 8),)),
    "ConvTransformer": (lambda: nn.ConvTransformer(D, 8, 2, 2, 3, 2), ((1, B, T, D),)),
    "ConvTransformer, shared": (
        lambda: nn.ConvTransformer(D, 8, groups=2, causal=False, shared_embedding=True),
        ((1, B, T, D),),
    ),
}
CELLS: dict[str, Any] = {
    "LRULayer": lambda: nn.LRULayer(D, 6),
    "LRULayer, ring": lambda: nn.LRULayer(D, 6, 0.9, 0.99, 0.5),
    "S4DLayer": lambda: nn.S4DLayer(D, 6),
    "S4DLayer, inv": lambda: nn.S4DLayer(D, 6, 0.01, 0.2, "inv"),
    "S4DLayer, legs": lambda: nn.S4DLayer(D, 6, spectrum="legs"),
    "RecurrentBlock, LRU": lambda: nn.RecurrentBlock(nn.LRULayer(D, 6), D),
    "RecurrentBlock, S4D": lambda: nn.RecurrentBlock(nn.S4DLayer(D, 6), D, gelu="none"),
}
for name, (make, shapes) in MODULES.items():
    case(f"nn {name}")(
        lambda make=make, shapes=shapes: passed(made(make), *(noise(*s, seed=i + 1) for i, s in enumerate(shapes)))
    )
for name, make in CELLS.items():
    case(f"nn {name}")(lambda make=make: cell(make))
# The hand-written gated unit: where torch's own takes its place, these two cases go or are recorded anew.
case("nn GRULayer")(lambda: cell(lambda: nn.GRULayer(D, 6)))
case("nn RecurrentBlock, GRU")(lambda: cell(lambda: nn.RecurrentBlock(nn.GRULayer(D, 6), D)))


@case("nn LRULayer, periods")
def periods():
    layer = made(lambda: nn.LRULayer(D, 24, 0.5, 0.99))
    layer.seed_periods([7, 24], harmonics=2)
    return {
        "eigenvalues": layer.eigenvalues(),
        "matrices": list(layer.matrices()),
        "seen": passed(layer, noise(B, T, D)),
    }


HEADS = ("normal", "student_t", "negative_binomial", "quantile", "quantile_function", "squared_error")


def head(likelihood: Any) -> dict[str, Any]:
    """A head's distribution: its middle, its draws, how likely it finds numbers, and gradients."""
    module = made(lambda: nn.make_head(likelihood, 5, 2))
    features, scale = noise(B, T, 5), torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1, 1).expand(-1, -1, 2)
    location = None if likelihood == "negative_binomial" else noise(B, T, 2, seed=2)
    found = module(features, location, scale)
    y = noise(B, T, 2, seed=3).detach().abs().round()
    score = found.log_prob(y)
    score.sum().backward()
    collected = {"mean": found.mean, "log_prob": score, "features": features.grad}
    collected["weights"] = [0.0 if w.grad is None else float(w.grad.double().sum()) for w in module.parameters()]
    if hasattr(found, "sample"):
        torch.manual_seed(1)
        collected["draws"] = found.sample((3,))
    return collected


for likelihood in HEADS:
    case(f"nn head, {likelihood}")(lambda likelihood=likelihood: head(likelihood))
for name in ("NormalHead", "StudentTHead", "NegativeBinomialHead", "SquaredErrorHead", "QuantileHead"):
    case(f"nn {name}")(
        lambda name=name: {
            "mean": made(lambda: getattr(nn, name)(5, 2))(noise(B, T, 5), None, torch.ones(B, 1, 2)).mean
        }
    )


@case("nn linear_scan")
def scan():
    a = torch.polar(torch.linspace(0.5, 0.99, 6), torch.linspace(0.1, 2.0, 6)).requires_grad_()
    b = torch.complex(noise(B, 70, 6).detach(), noise(B, 70, 6, seed=2).detach()).requires_grad_()
    start = torch.complex(noise(B, 6, seed=3).detach(), noise(B, 6, seed=4).detach()).requires_grad_()
    return {"plain": nn.linear_scan(a, b), "from a state": passed(nn.linear_scan, a, b, start)}


@case("nn carry_forward")
def carried():
    observed = torch.rand(B, T, D, generator=torch.Generator().manual_seed(0)) > 0.4
    return nn.carry_forward(noise(B, T, D).detach(), observed)


@case("nn RidgeMap")
def ridge():
    layer, y = nn.RidgeMap(8, 3), noise(30, 11, 2).detach()
    pairs = [(y[i : i + 10, :8], y[i : i + 10, 8:], torch.ones(10, 2, dtype=torch.bool)) for i in (0, 10)]
    layer.fit_closed_form(pairs, [(y[20:, :8], y[20:, 8:], torch.ones(10, 2, dtype=torch.bool))])
    return {"weight": layer.weight, "seen": layer(y[:4, :8])}
