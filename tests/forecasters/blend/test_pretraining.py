"""The shipped weights: what is in the wheel, and that their recipe makes them again."""

import hashlib
import tomllib
from importlib.metadata import version

import numpy as np
import pytest
import torch

from tsformers.forecasters.blend.pretrained import FOLDER, RECIPE, VALIDATION, WEIGHTS, shipped_network
from tsformers.forecasters.blend.pretraining import Recipe, pretrained


def test_weights_recipe_and_validation_table_stand_beside_each_other():
    recipe = tomllib.loads((FOLDER / RECIPE).read_text(encoding="utf-8"))
    assert recipe["weights"]["sha256"] == hashlib.sha256((FOLDER / WEIGHTS).read_bytes()).hexdigest()
    assert {"torch", "numba", "numpy", "processor"} <= set(recipe["made_with"])
    assert (FOLDER / VALIDATION).read_text(encoding="utf-8").startswith("panel,series,wql")
    assert (FOLDER / WEIGHTS).stat().st_size < 400_000


def test_a_recipe_gives_the_same_bits_twice_and_learns():
    (one, losses), (other, _) = (pretrained(Recipe(steps=12, batch_size=128), verbose=False) for _ in range(2))
    for first, second in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(first, second)
    assert np.isfinite(losses).all()


@pytest.mark.slow
def test_the_shipped_weights_are_made_again_bit_for_bit():
    recipe = tomllib.loads((FOLDER / RECIPE).read_text(encoding="utf-8"))
    made_with = recipe["made_with"]
    if any(version(name) != made_with[name] for name in ("torch", "numba", "numpy")):
        pytest.skip("the weights were made with other versions, which may round otherwise")
    network, _ = pretrained(Recipe(**recipe["recipe"]), verbose=False)
    for name, weight in shipped_network().state_dict().items():
        assert torch.equal(weight, network.state_dict()[name]), name
