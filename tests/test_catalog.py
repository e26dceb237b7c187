"""Names become classes: those of the package, the caller's own, and those of installed plug-ins."""

import importlib.metadata

import pytest

from tsformers.catalog import (
    FORECASTERS,
    MODELS,
    OUTSIDE,
    PLUGIN_GROUP,
    SETTINGS,
    find_class,
    find_model,
    load_from,
    plugin_names,
)
from tsformers.forecasters.seasonal_naive import SeasonalNaive


@pytest.mark.parametrize("name", [*MODELS, *FORECASTERS, *OUTSIDE])
def test_every_class_of_a_saved_model_is_found_by_its_name(name):
    assert find_model(name).__name__ == name


@pytest.mark.parametrize(("name", "module"), SETTINGS.items())
def test_every_dataclass_of_settings_is_where_the_catalog_says(name, module):
    assert load_from(SETTINGS, name).__module__ == module


@pytest.fixture
def installed(monkeypatch):
    """An installed package that offers a forecaster called weekly."""
    weekly = importlib.metadata.EntryPoint("weekly", "tsformers.forecasters.seasonal_naive:SeasonalNaive", PLUGIN_GROUP)
    points = importlib.metadata.EntryPoints([weekly])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **wanted: points.select(**wanted))


def test_a_forecaster_of_an_installed_plug_in_is_found_by_its_name(installed):
    assert plugin_names() == ["weekly"]
    assert find_class("weekly") is find_model("weekly") is SeasonalNaive


def test_classes_of_the_callers_own_come_first():
    own = {"Theta": SeasonalNaive, "Ensemble": SeasonalNaive}
    assert find_class("Theta", own) is find_model("Ensemble", own) is SeasonalNaive


def test_an_unknown_name_is_refused_with_the_names_on_offer(installed):
    with pytest.raises(KeyError, match=r"no forecaster is called 'Thetta'; on offer: SeasonalNaive, .*, weekly, mine"):
        find_class("Thetta", {"mine": SeasonalNaive})
