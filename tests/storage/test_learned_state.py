"""The learned state of models: their own, or the attributes that end in one underscore."""

from tsformers.storage.learned_state import has_settings, learned_state, restore_state

from .conftest import Keeper, Mine


def test_attributes_that_end_in_one_underscore_are_the_state():
    model = Mine(horizon=2)
    model.level_, model._private_, model.horizon__ = 1.5, 0, 0
    assert learned_state(model) == {"level_": 1.5}
    restore_state(other := Mine(horizon=2), {"level_": 1.5})
    assert other.level_ == 1.5


def test_a_model_that_returns_its_state_itself_takes_it_up_itself():
    restore_state(model := Keeper(), {"weights": 3})
    assert learned_state(model) == {"weights": 3}


def test_a_model_that_is_not_fitted_has_no_state():
    assert learned_state(Keeper()) == learned_state(Mine()) == {}


def test_only_objects_with_settings_are_models():
    assert [has_settings(value) for value in (Mine(), Mine, {"horizon": 1})] == [True, False, False]
