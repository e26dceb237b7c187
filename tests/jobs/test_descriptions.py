"""The catalogue of forecasters, and the table of their settings."""

from tsformers import Autoformer
from tsformers.jobs.build import build, find_forecaster
from tsformers.jobs.descriptions import about, catalogue, settings_of
from tsformers.jobs.plugins import load_plugins


def test_the_catalogue_shows_the_docstrings_of_the_classes(plugin):
    extra = load_plugins([plugin])
    shown = catalogue(extra)
    assert shown["level"] == "Forecasts one level for ever."
    assert shown["SeasonalNaive"] == about(find_forecaster("SeasonalNaive", {}))
    assert all(shown.values())


def test_settings_of_a_class_come_with_defaults_and_meanings(plugin):
    rows = {row["setting"]: row for row in settings_of(load_plugins([plugin])["level"])}
    assert rows["horizon"]["default"] == "required" and rows["level"]["default"] == "0.0"
    assert rows["season_length"]["meaning"].startswith("rows of one season")


def test_fields_of_a_class_of_settings_are_listed_with_dotted_names():
    rows = {row["setting"]: row for row in settings_of(type(build("REDSDS", {"horizon": 4}, place="here")))}
    assert rows["widths.embedding"]["default"] == "4"
    assert "regime" in rows["n_regimes"]["meaning"] or rows["n_regimes"]["meaning"] == "K."
    assert rows["annealing.kick_in"]["meaning"].startswith("steps before temperatures fall")
    assert "widths" not in rows


def test_settings_are_shown_with_allowed_values_and_the_defaults_of_a_variant():
    rows = {row["setting"]: row for row in settings_of(Autoformer)}
    assert list(rows["d_model"]) == ["setting", "default", "allowed", "meaning"]
    assert (rows["d_model"]["default"], rows["d_model"]["allowed"]) == ("64", "a whole number of 1 or more")
    assert rows["trend_start"]["allowed"] == "one of 'last', 'mean', 'linear'"
    assert rows["likelihood"]["allowed"].startswith("one of 'normal', 'squared_error', 'student_t', ")
    published = {row["setting"]: row["default"] for row in settings_of(Autoformer, "paper")}
    assert (published["d_model"], published["horizon"], published["scaler"]) == ("512", "required", "None")
