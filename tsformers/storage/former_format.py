"""Saved models of former formats: settings and weights that have other names now are converted when they are read."""

from collections.abc import Callable
from typing import Any

from tsformers.calendar.grid import parse
from tsformers.catalog import SETTINGS, load_from

FORMAT = 2  # of what is written today; 1: tsformers 0.1.0 before its modules were laid out anew

REDSDS_SETTINGS = {
    "transition_hidden": "widths.transition",
    "emission_hidden": "widths.emission",
    "d_embedding": "widths.embedding",
    "d_feedforward": "widths.feedforward",
    "d_recurrent": "widths.recurrent",
    "d_posterior": "widths.posterior",
    "d_control": "widths.control",
    "control_hidden": "widths.control_hidden",
    "switch_temperature": "annealing.switch_temperature",
    "switch_temperature_end": "annealing.switch_temperature_end",
    "duration_temperature": "annealing.duration_temperature",
    "duration_temperature_end": "annealing.duration_temperature_end",
    "annealing_kick_in": "annealing.kick_in",
    "annealing_rate": "annealing.rate",
    "annealing_every": "annealing.every",
}  # today's setting by the former one
REDSDS_CLASSES = {"widths": "Widths", "annealing": "TemperatureAnnealing"}

Converted = tuple[dict[str, Any], dict[str, Any]]


def converted_as(kind: type) -> str:
    """The class of this package whose conversion the models of a class need: itself, or the one that it extends.

    Args:
        kind: a class of this package or of a user.

    Returns:
        A name; "" where nothing is converted, also for a user's class that has the name of one of ours by chance.

    Example:
        >>> from tsformers import LRU
        >>> class Mine(LRU):
        ...     __module__ = "mine"
        >>> converted_as(LRU), converted_as(Mine), converted_as(type("LRU", (), {"__module__": "mine"}))
        ('LRU', 'LRU', '')
    """
    ours = (base.__name__ for base in kind.__mro__ if base.__module__.startswith("tsformers."))
    return next((name for name in ours if name in CONVERSIONS), "")


def former_settings(texts: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """Settings that a run folder of the former format holds as texts, under today's names.

    Args:
        texts: by the name of the setting, with "__" between a model and its part.
        wanted: today's; a former name is replaced only where today's is among them.

    Returns:
        Texts by today's names; a preset that was not used is left out.

    Example:
        >>> former_settings({"forecaster__d_control": "8", "preset": "None"}, {"forecaster__widths.control": "8"})
        {'forecaster__widths.control': '8'}
    """
    found = {}
    for key, text in texts.items():
        holder, double, name = key.rpartition("__")
        today = holder + double + REDSDS_SETTINGS.get(name, name)
        if name == "preset" and text == "None" and key not in wanted:
            continue
        found[today if today in wanted else key] = text
    return found


def convert_model(name: str, params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Settings and learned state of a model of format 1, under today's names.

    Args:
        name: of the model's class.
        params: its settings.
        learned: what it has learned.

    Returns:
        Settings and learned state; those of classes that have not changed come back as they are.

    Example:
        >>> convert_model("Theta", {"horizon": 3}, {})
        ({'horizon': 3}, {})
    """
    convert = CONVERSIONS.get(name)
    return (params, learned) if convert is None else convert(params, learned)


def convert_record(name: str, parts: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Panel, Forecast or Schema that a former version wrote, under today's names.

    Panels and forecasts held the name of their frequency where they hold its grid now.

    Args:
        name: of the record's class.
        parts: its fields.

    Returns:
        The fields that the class takes today.

    Example:
        >>> convert_record("Schema", {"id_col": "shop"})
        {'id_col': 'shop'}
    """
    if name not in ("Panel", "Forecast") or "freq" not in parts:
        return parts
    freq, tz = parts["freq"], parts["schema"].tz
    kept = {key: part for key, part in parts.items() if key != "freq"}
    return {**kept, "grid": None if freq is None else parse(freq, tz)}


def renamed(held: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A dictionary under other keys, in the same order.

    Args:
        held: what was read.
        names: new key by old key.

    Returns:
        A new dictionary.

    Example:
        >>> renamed({"told": 1, "y": 2}, {"told": "inputs"})
        {'inputs': 1, 'y': 2}
    """
    return {names.get(key, key): value for key, value in held.items()}


def renamed_weights(weights: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The weights of a network whose modules have other names now.

    Args:
        weights: tensors by their dotted names.
        names: new module or parameter name by old one, each a part of the dotted names.

    Returns:
        A new dictionary.

    Example:
        >>> renamed_weights({"block.into_law.weight": 1}, {"into_law": "to_distribution"})
        {'block.to_distribution.weight': 1}
    """
    return {".".join(names.get(part, part) for part in key.split(".")): value for key, value in weights.items()}


def gathered(held: dict[str, Any], names: dict[str, str], classes: dict[str, str]) -> dict[str, Any]:
    """Settings of which some are fields of a settings class now.

    Args:
        held: settings by their former names.
        names: today's dotted name by the former one.
        classes: the settings class, of ``catalog.SETTINGS``, by the setting that holds it.

    Returns:
        A new dictionary; where ``held`` has none of a class's fields, the class is left out.

    Example:
        >>> gathered({"horizon": 3, "d_embedding": 8}, REDSDS_SETTINGS, REDSDS_CLASSES)["widths"].embedding
        8
    """
    fields: dict[str, dict[str, Any]] = {holder: {} for holder in classes}
    for former, today in names.items():
        if former in held:
            holder, _, name = today.partition(".")
            fields[holder][name] = held[former]
    made = {holder: load_from(SETTINGS, name)(**fields[holder]) for holder, name in classes.items() if fields[holder]}
    return {key: value for key, value in held.items() if key not in names} | made


def _redsds(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Widths and annealing have classes of their own; the network's map to the posterior has another name."""
    params = gathered(params, REDSDS_SETTINGS, REDSDS_CLASSES)
    if learned:
        settings = gathered(learned["settings"], REDSDS_SETTINGS, REDSDS_CLASSES)
        learned = {
            **learned,
            "settings": settings,
            "weights": renamed_weights(learned["weights"], {"law": "posterior"}),
        }
    return params, learned


def _network(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Forecasters whose network holds a linear map: its flag has another name."""
    weights = renamed_weights(learned["weights"], {"solved": "fitted"}) if learned else {}
    return params, {**learned, "weights": weights} if learned else learned


def _trend_seasonal(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Decompositions: the rule of extrapolation and its fields have other names; the grid was its name and its zone."""
    if not learned:
        return params, learned
    state = renamed(learned["state_"], {"course": "extrapolation"})
    names = {"kept": "damping", "drift": "seasonal_change", "blur": "seasonal_error"}
    state["extrapolation"] = renamed(state["extrapolation"], names)
    return params, {**learned, "state_": state, "grid_": parse(*learned["grid_"])}


def _autoformer(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Autoformer had a setting that chose other defaults, which its saved settings hold already."""
    params, learned = _network({name: value for name, value in params.items() if name != "preset"}, dict(learned))
    if learned:
        learned["settings"] = {name: value for name, value in learned["settings"].items() if name != "preset"}
        learned["weights"] = renamed_weights(learned["weights"], {"restless": "embed_change"})
    return params, learned


def _mixseq(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Mixtures of Transformers: two layers of the network have other names."""
    parameters = learned.get("parameters_", {})
    if "weights" not in parameters or "sizes" not in parameters:
        return params, learned
    weights = renamed_weights(parameters["weights"], {"law": "to_distribution", "name": "to_logits"})
    return params, {**learned, "parameters_": {**parameters, "weights": weights}}


def _detector(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """Detectors: whether new series are added has another name."""
    settings = renamed(learned["settings"], {"learn_unseen": "add_new_series"}) if learned else {}
    return params, {**learned, "settings": settings} if learned else learned


def _lru(params: dict[str, Any], learned: dict[str, Any]) -> Converted:
    """LRU: besides its linear maps, the inputs of each step ahead have another name."""
    params, learned = _network(params, learned)
    weights = renamed_weights(learned["weights"], {"told": "inputs"}) if learned else {}
    return params, {**learned, "weights": weights} if learned else learned


CONVERSIONS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Converted]] = {
    "AnomalyDetector": _detector,
    "Autoformer": _autoformer,
    "LRU": _lru,
    "MixSeq": _mixseq,
    "REDSDS": _redsds,
    "TrendSeasonalDecomposition": _trend_seasonal,
}  # by class name, from format 1
