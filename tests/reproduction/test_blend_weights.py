"""The shipped weights of Blend: recipe, files and validation."""

import pandas as pd
import pytest

from tsformers.forecasters.blend.pretrained import FOLDER, VALIDATION, shipped_network
from tsformers.forecasters.blend.pretraining import Recipe
from tsformers.reproduction.blend_weights import made, read_recipe, validated


def test_a_short_recipe_writes_weights_and_a_recipe_that_can_be_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr("tsformers.reproduction.blend_weights.validated", lambda network: iter(()))
    lines = []
    recipe = Recipe(steps=2, batch_size=64, seed=3)
    table = made(recipe, tmp_path / "new", lines.append, verbose=False)
    assert not len(table)
    assert "2 steps" in lines[0]
    assert read_recipe(tmp_path / "new") == recipe
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "blend.safetensors",
        "recipe.toml",
        VALIDATION,
    ]


def test_the_validation_table_beats_the_seasonal_naive_on_all_panels_but_one_at_most():
    table = pd.read_csv(FOLDER / VALIDATION)
    assert len(table) == 12
    assert (table["wql"] >= table["naive_wql"]).sum() <= 1


@pytest.mark.slow
def test_the_validation_table_is_measured_again(shared):
    found = pd.DataFrame(validated(shipped_network()))
    wanted = pd.read_csv(FOLDER / VALIDATION)
    pd.testing.assert_frame_equal(found, wanted, rtol=5e-3, atol=1e-4)
