"""The weights of Blend that come with the package: trained on synthetic series alone."""

from functools import cache
from importlib import resources
from pathlib import Path

import torch
from safetensors.torch import load_file

from tsformers.errors import TsformersError
from tsformers.forecasters.blend.bases import BASES, FEATURES

from tsformers.forecasters.blend.network import BlendNetwork
from tsformers.training.randomness import seeded

FOLDER = Path(str(resources.files("tsformers"))) / "forecasters" / "blend" / "weights"
WEIGHTS, RECIPE, VALIDATION = "blend.safetensors", "recipe.toml", "validation.csv"


def fresh_network(seed: int = 0) -> BlendNetwork:
    """A network before any training.

    Args:
        seed: of its weights.

    Returns:
        The network, on the CPU.

    Example:
        >>> sum(weight.numel() for weight in fresh_network().parameters()) < 100_000
        True
    """
    with seeded(seed, torch.device("cpu")):
        return BlendNetwork(len(FEATURES), len(BASES))


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
