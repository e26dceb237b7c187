"""Does the evidence lower bound of REDSDS prefer the true regimes? Training with labels at first, and without.

    python examples/redsds_bound.py            # six steps: only a check that it runs
    python examples/redsds_bound.py 6000 2000  # 6,000 batches of 32, with labels in the first 2,000, then with none

The second command takes some ten minutes. The data come from a switching system of three modes. A label adds 20 nats to
the log-density of the true regime of each step in the forward-backward pass. If the bound ends higher after training
with labels, the regimes found without labels are a local optimum; otherwise the bound has no preference.
"""

import math
import sys

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, confusion_matrix
from torch import Tensor

import tsformers as tsf
from tsformers import simulate
from tsformers.data.windows import Window
from tsformers.forecasters.redsds.network import REDSDSNetwork, entropy, marginalise

SYSTEM = 42  # a difficult one
BONUS, LENGTH, RATE, TESTED = 20.0, 180, 5e-3, 300


def window_of(y: Tensor) -> Window:
    """Whole sequences (B, L) as windows; the last step is the horizon."""
    y = y[..., None]
    observed, none = torch.ones_like(y, dtype=torch.bool), y[..., :0]
    past, future = (y[:, :-1], observed[:, :-1], none[:, :-1]), (y[:, -1:], observed[:, -1:], none[:, -1:])
    return Window(*past, *future, torch.zeros(len(y)).long())


def bound(network: REDSDSNetwork, y: Tensor, noise: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The bound (B,) and the regimes' posterior (B, L, K); ``labels`` get a bonus."""
    window = window_of(y)
    values, sequences = network.sequences(window, window.future)
    encoded = network.encode(values, sequences, noise)
    factors = encoded.factors
    if labels is not None:
        bonus = BONUS * torch.nn.functional.one_hot(labels, network.design.n_regimes)
        factors = factors._replace(log_emission=factors.log_emission + bonus)
    posterior = marginalise(factors)
    return posterior.log_likelihood + entropy(encoded.scale), posterior.regime


def train(steps: int, with_labels: int, n_series: int) -> None:
    """Train, and print the bound and the scores on test series at some steps."""
    system = simulate.three_mode_system(seed=SYSTEM)
    frames = [system.draw(n, LENGTH, seed=seed) for seed, n in enumerate((n_series, TESTED))]
    y, test = (torch.tensor(frame["y"].to_numpy().reshape(-1, LENGTH)) for frame in frames)
    labels, true = (torch.tensor(frame["regime"].to_numpy().reshape(-1, LENGTH)) for frame in frames)
    mean, deviation = y.mean(), y.std()
    y, test = (((part - mean) / deviation).float() for part in (y, test))
    torch.manual_seed(0)
    model = tsf.REDSDS(horizon=1, n_regimes=3, min_duration=5, state_scale=0.02, context_length=LENGTH - 1, scaler=None)
    network = model.build(1, 0, 0, 0)
    width, rng = network.design.d_state, np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-5)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / 300) * (0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
    )
    for step in range(1, steps + 1):
        batch = rng.integers(len(y), size=32)
        given = labels[batch] if step <= with_labels else None
        loss = -bound(network, y[batch], torch.randn(32, LENGTH, width), given)[0].mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        rate.step()
        if step % max(1, steps // 6) == 0:
            with torch.no_grad():
                noise = torch.randn(TESTED, LENGTH, width)
                elbo = bound(network, test, noise)[0].mean().item()
                regime = bound(network, test, torch.zeros_like(noise))[1].argmax(-1).flatten().numpy()
            table = confusion_matrix(true.flatten(), regime)
            accuracy = table[linear_sum_assignment(-table)].sum() / len(regime)
            variant = f"labels for {with_labels} steps" if with_labels else "no labels"
            ari = adjusted_rand_score(true.flatten().numpy(), regime)
            print(f"{variant}, step {step}: bound {elbo:.1f}, accuracy {accuracy:.3f}, ARI {ari:.3f}", flush=True)


def main() -> None:
    """Train with labels in the first steps, then without any."""
    steps, with_labels = map(int, sys.argv[1:]) if len(sys.argv) == 3 else (6, 3)
    for labelled in (with_labels, 0):
        train(steps, labelled, 10_000 if steps > 100 else 200)


if __name__ == "__main__":
    main()
