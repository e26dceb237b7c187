"""The weights of Blend that come with the package: trained on synthetic series alone."""

from functools import cache
from importlib import resources
from pathlib import Path

import torch
from safetensors.torch import load_file

from tsformers.errors import TsformersError
from tsformers.forecasters.blend.bases.contexts import BASES, FEATURES
from tsformers.forecasters.blend.network import Batch, BlendNetwork
from tsformers.training.randomness import seeded

FOLDER = Path(str(resources.files("tsformers"))) / "forecasters" / "blend" / "weights"
WEIGHTS, RECIPE, VALIDATION = "blend.safetensors", "recipe.toml", "validation.csv"


def fresh_network(seed: int = 0, past: int = 0, known: int = 0) -> BlendNetwork:
    """A network before any training.

    Args:
        seed: of its weights.
        past: P, numbers made of past covariates.
        known: C, known covariates.

    Returns:
        The network, on the CPU.

    Example:
        >>> sum(weight.numel() for weight in fresh_network().parameters()) < 100_000
        True
    """
    with seeded(seed, torch.device("cpu")):
        return BlendNetwork(len(FEATURES), len(BASES), past, known)


@cache
def _weights() -> dict[str, torch.Tensor]:
    path = FOLDER / WEIGHTS
    if not path.is_file():
        raise TsformersError(f"the installed tsformers lacks {path}; install it again from its wheel")
    return load_file(path)


def shipped_network() -> BlendNetwork:
    """A new network with the weights that come with the package.

    Returns:
        The network, on the CPU, in evaluation mode.

    Example:
        >>> shipped_network().training
        False
    """
    network = fresh_network()
    network.load_state_dict(_weights())
    return network.eval()


def widened(network: BlendNetwork, batch: Batch) -> BlendNetwork:
    """A copy of a network that also reads the covariates of a batch, which change nothing before training.

    Args:
        network: without covariates.
        batch: with P numbers of past covariates and C known ones; none of both leaves the network as it is.

    Returns:
        The network, on the CPU.
    """
    wide = fresh_network(past=batch.past.shape[1], known=batch.known.shape[2])
    wide.load_state_dict(wide.state_dict() | network.state_dict())
    return wide.eval()
