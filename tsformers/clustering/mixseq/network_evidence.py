"""Evidence of MixSeq's networks on whole series: densities and cluster probabilities, long series by stretches."""

import math
from typing import Any

import numpy as np
import torch

from tsformers.clustering.mixseq.crops import Stretches, cut, whole
from tsformers.clustering.mixseq.evidence import Evidence
from tsformers.clustering.mixseq.network import MixtureNetwork, Sizes
from tsformers.clustering.scaled_series import ScaledSeries
from tsformers.training.randomness import seeded
from tsformers.training.threads import limited_threads

ROWS_AT_ONCE = 1 << 15  # read by the networks in one pass


def evaluate_network(network: MixtureNetwork, scaled: ScaledSeries, unit: float) -> Evidence:
    """Densities and cluster probabilities of whole series.

    A series longer than the context is read in stretches that overlap by half, and each step is scored once, with half
    a context before it or more. Memory does not grow with the length of series.

    Args:
        network: of K clusters.
        scaled: N series.
        unit: values are divided by it.

    Returns:
        Densities of the values after the first, in the units of ``scaled``, and q.

    Example:
        >>> network = MixtureNetwork(Sizes(2, 8, 8, 1, 2, 3, 0.0, False))
        >>> scaled = ScaledSeries(np.zeros(30), np.array([0, 10]), np.array([10, 30]), np.zeros(2, dtype=bool))
        >>> found = evaluate_network(network, scaled, unit=1.0)
        >>> found.steps.tolist(), found.q.sum(1).round(6).tolist()
        ([9.0, 19.0], [1.0, 1.0])

    Source: Zhu et al. (2021), MixSeq, section 3; the stretches are ours.
    """
    length, n_clusters = network.sizes.context_length, network.sizes.n_clusters
    stretches, n = whole(scaled, length), len(scaled.starts)
    densities, steps = np.zeros((n, n_clusters)), np.zeros(n)
    features = np.zeros((n, network.sizes.d_model))
    device, at_once = next(network.parameters()).device, max(1, ROWS_AT_ONCE // length)
    network.eval()
    with torch.no_grad(), limited_threads():
        for start in range(0, len(stretches.series), at_once):
            part = Stretches(*(each[start : start + at_once] for each in stretches))
            crop = cut(scaled, part, length, unit, device)
            found, scored = network.features(crop)
            np.add.at(densities, part.series, network.log_densities(crop).mT.double().cpu().numpy())
            np.add.at(features, part.series, found.double().cpu().numpy())
            np.add.at(steps, part.series, scored.double().cpu().numpy())
        weight = next(network.parameters())
        sums, counts = (torch.from_numpy(part).to(weight) for part in (features, steps))
        q = network.logits_of(sums, counts).double().softmax(-1).cpu().numpy()
    prior = np.full(n_clusters, 1 / n_clusters)
    return Evidence(densities - steps[:, None] * math.log(unit), q, prior, steps)


def evaluate(parameters: dict[str, Any], scaled: ScaledSeries) -> Evidence:
    """Evidence of fitted networks on series.

    Args:
        parameters: what ``learn`` gave.
        scaled: N series.

    Returns:
        As ``evaluate_network``.
    """
    return evaluate_network(_built(parameters), scaled, parameters["unit"])


def permuted(parameters: dict[str, Any], clusters: np.ndarray) -> dict[str, Any]:
    """The same networks with their clusters in another order."""
    network = _built(parameters)
    network.reorder(torch.from_numpy(clusters))
    return parameters | {"weights": dict(network.state_dict())}


def _built(parameters: dict[str, Any]) -> MixtureNetwork:
    with seeded(0, torch.device("cpu")):  # the weights drawn here are replaced at once
        network = MixtureNetwork(Sizes(**parameters["sizes"]))
    network.load_state_dict(parameters["weights"])
    return network.eval()
