"""Autoformers saved by the former version."""

import torch

from tsformers.storage.former_format import convert_model


def test_an_autoformer_loses_its_preset_and_its_layer_of_changes_has_another_name():
    weight = torch.ones(2, 1)
    learned = {
        "settings": {"preset": "paper", "d_model": 512},
        "weights": {"restless.weight": weight, "head.bias": weight},
    }
    params, converted = convert_model("Autoformer", {"horizon": 4, "preset": "paper", "d_model": 512}, learned)
    assert params == {"horizon": 4, "d_model": 512}
    assert converted["settings"] == {"d_model": 512}
    assert list(converted["weights"]) == ["embed_change.weight", "head.bias"]
    assert "preset" in learned["settings"], "what was read is left as it is"


def test_an_autoformer_that_was_not_fitted_loads():
    assert convert_model("Autoformer", {"horizon": 4, "preset": None}, {}) == ({"horizon": 4}, {})
