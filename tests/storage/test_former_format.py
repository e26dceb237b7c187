"""Models of former formats under today's names."""

import pytest
import torch

import tsformers as tsf
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths
from tsformers.storage.former_format import REDSDS_SETTINGS, convert_model
from tsformers.testing import make_frame

SMALL = {"horizon": 3, "context_length": 12, "max_steps": 2, "batch_size": 8, "seed": 0, "verbose": False}
FORMER_MODULES = {"LRU": {"inputs": "told", "fitted": "solved"}, "REDSDS": {"posterior": "law"}}


def former_weights(weights, names):
    return {".".join(names.get(part, part) for part in key.split(".")): value for key, value in weights.items()}


def test_flat_settings_of_redsds_become_classes_of_settings():
    flat = {
        "horizon": 3,
        "d_embedding": 8,
        "emission_hidden": (4, 5),
        "annealing_kick_in": 7,
        "switch_temperature": 9.0,
    }
    params, learned = convert_model("REDSDS", flat, {})
    assert learned == {}
    assert params == {
        "horizon": 3,
        "widths": Widths(embedding=8, emission=(4, 5)),
        "annealing": TemperatureAnnealing(kick_in=7, switch_temperature=9.0),
    }


def test_every_setting_of_todays_classes_has_a_former_name():
    from dataclasses import fields

    today = {f"widths.{field.name}" for field in fields(Widths)}
    today |= {f"annealing.{field.name}" for field in fields(TemperatureAnnealing)}
    assert set(REDSDS_SETTINGS.values()) == today


@pytest.mark.parametrize("model", [tsf.LRU(d_model=8, d_state=8, **SMALL), tsf.REDSDS(max_duration=5, **SMALL)])
def test_weights_under_former_names_forecast_the_same_bits(model):
    """Former names are put into what a fitted model of today has learned."""
    frame = make_frame(n_series=2, rows=40)
    fitted = model.fit(frame)
    name = type(model).__name__
    learned = fitted.learned()
    former = former_weights(learned["weights"], FORMER_MODULES[name])
    assert former.keys() != learned["weights"].keys()
    params, converted = convert_model(name, fitted.get_params(deep=False), {**learned, "weights": former})
    again = type(model)(**params)
    again.relearn(converted)
    assert all(torch.equal(value, learned["weights"][key]) for key, value in converted["weights"].items())
    assert (again.predict(frame, seed=1).values == fitted.predict(frame, seed=1).values).all()


@pytest.mark.parametrize(
    ("name", "learned", "expected"),
    [
        (
            "Autoformer",
            {"settings": {"preset": None, "d_ff": 8}, "weights": {"linear.solved": 1, "restless.bias": 2}},
            {"settings": {"d_ff": 8}, "weights": {"linear.fitted": 1, "embed_change.bias": 2}},
        ),
        ("LRU", {"weights": {"head.bias": 1}}, {"weights": {"head.bias": 1}}),
        ("LRU", {}, {}),
        ("Theta", {"weights": {"linear.solved": 1}}, {"weights": {"linear.solved": 1}}),
    ],
)
def test_the_weights_of_format_1_have_the_names_of_today(name, learned, expected):
    assert convert_model(name, {"horizon": 3}, learned) == ({"horizon": 3}, expected)
