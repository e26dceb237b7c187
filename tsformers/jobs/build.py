"""Models from names and settings; classes come from the catalog, or from plug-in files that the user names."""

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from types import MappingProxyType
from typing import Any

from tsformers.catalog import FORECASTERS, MODELS, OUTSIDE, PROCEDURES, SETTINGS, find_model, load_from, plugin_names
from tsformers.errors import JobError, did_you_mean
from tsformers.messages import part_of
from tsformers.validation import options_by_setting, remedies_of


def build(
    name: str,
    chosen: Mapping[str, Any],
    *,
    place: str,
    defaults: Mapping[str, Any] = MappingProxyType({}),
    extra: Mapping[str, type] = MappingProxyType({}),
) -> Any:
    """A model by the name of its class, with the settings chosen.

    Args:
        name: class name in the catalog, or a plug-in's own; "Autoformer.paper" for a variant, which is a class method.
        chosen: keywords of the constructor; a table with ``class`` is a model itself, and so is each in a list. A table
            without one, or dotted names ("annealing.kick_in"), are the fields of a class of settings.
        place: what stands before a message, such as file and table.
        defaults: settings for those classes that have them, where ``chosen`` does not set them.
        extra: classes of plug-ins by name.

    Returns:
        A forecaster, a preprocessor or a clusterer; not fitted.

    Raises:
        JobError: an unknown class or setting, or a value that the constructor refuses.

    Example:
        >>> build("SeasonalNaive", {"horizon": 8}, place="here", defaults={"season_length": 4}).season_length
        4
        >>> build("Autoformer.paper", {"horizon": 24}, place="here").d_model
        512
    """
    kind, variant = find_variant(name, extra, place)
    allowed, remedies = setting_names(kind), remedies_of(kind)
    chosen = nested(chosen)

    def built(value: Any, where: str, key: str = "") -> Any:
        if isinstance(value, list):
            return [built(each, f"{where}[{i}]") for i, each in enumerate(value)]
        if not isinstance(value, dict) or not isinstance(value.get("class"), str):
            holder = settings_class(kind, key) if isinstance(value, dict) else None
            return value if holder is None else _filled(holder, value, where)
        rest = {key: each for key, each in value.items() if key != "class"}
        return build(value["class"], rest, place=where, defaults=defaults, extra=extra)

    for key in chosen:
        if key in remedies:
            raise JobError(f"{place}: {kind.__name__} has no setting {key!r} any more; ", remedies[key])
        if allowed is not None and key not in allowed:
            raise JobError(f"{place}: {kind.__name__} has no setting {key!r}; {did_you_mean(key, allowed)}")
    offered = {key: value for key, value in defaults.items() if allowed is None or key in allowed}
    if chosen.get("method") == "mstl":  # it finds several periods by itself
        offered.pop("period", None)
    try:
        make: Any = getattr(kind, variant) if variant else kind
        return make(**(offered | {key: built(value, f"{place}.{key}", key) for key, value in chosen.items()}))
    except JobError:
        raise
    except (TypeError, ValueError) as error:
        raise JobError(f"{place}: {kind.__name__} refuses its settings: ", part_of(error)) from error


def nested(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with dotted names as tables, as TOML reads them in a file.

    Args:
        chosen: values by name; "annealing.kick_in" is the field ``kick_in`` of ``annealing``.

    Returns:
        Values by name without dots.

    Example:
        >>> nested({"max_steps": 5, "annealing.kick_in": 0, "annealing.rate": 0.9})
        {'max_steps': 5, 'annealing': {'kick_in': 0, 'rate': 0.9}}
    """
    found: dict[str, Any] = {}
    for key, value in chosen.items():
        holder, dot, field = key.partition(".")
        inner = found.get(holder)
        found[holder] = {**(inner if isinstance(inner, dict) else {}), field: value} if dot else value
    return found


def settings_class(kind: type, name: str) -> type | None:
    """The class of settings (``catalog.SETTINGS``) that a setting holds.

    Args:
        kind: a forecaster's class.
        name: of the setting.

    Returns:
        The class; None where the setting holds something else.

    Example:
        >>> settings_class(find_forecaster("REDSDS", {}), "widths").__name__
        'Widths'
    """
    options = options_by_setting(kind).get(name, ()) if is_dataclass(kind) else ()
    kinds: list[Any] = [option.kind for option in options]
    held = [each for each in kinds if isinstance(each, type) and SETTINGS.get(each.__name__) == each.__module__]
    return held[0] if len(held) == 1 else None


def _filled(kind: type, chosen: Mapping[str, Any], place: str) -> Any:
    fields = setting_names(kind) or []
    for key in chosen:
        if key not in fields:
            raise JobError(f"{place}: {kind.__name__} has no setting {key!r}; {did_you_mean(key, fields)}")
    return kind(**chosen)


def find_forecaster(name: str, extra: Mapping[str, type], place: str = "") -> type:
    """The class of a name in the catalog or among plug-ins: a forecaster, or what composes or precedes one.

    Args:
        name: class name, or the plug-in's own.
        extra: classes of plug-ins by name.
        place: file and table, for the message.

    Returns:
        The class.

    Raises:
        JobError: there is no such class; the nearest names are given.

    Example:
        >>> find_forecaster("SeasonalNaiv", {})
        Traceback (most recent call last):
        tsformers.errors.JobError: no forecaster is called 'SeasonalNaiv'; did you mean 'SeasonalNaive'?
    """
    try:
        return find_model(name, dict(extra))
    except KeyError as error:
        names = str(error.args[0]).rpartition("on offer: ")[2].split(", ")
        meant = did_you_mean(name, [*names, *MODELS, *OUTSIDE], otherwise=f"there are {', '.join(names)}")
        raise JobError(f"{place + ': ' if place else ''}no forecaster is called {name!r}; {meant}") from None


def names_class(name: str, extra: Mapping[str, type]) -> bool:
    """Whether a name is that of a class of models; a folder of that name is written with a slash.

    Args:
        name: such as "Theta", "Autoformer.paper", or a path.
        extra: classes of plug-ins by name.

    Returns:
        True or False.

    Example:
        >>> names_class("Theta", {}), names_class("Autoformer.paper", {}), names_class("kept", {})
        (True, True, False)
    """
    return name in extra or name.partition(".")[0] in (*FORECASTERS, *MODELS) or name in plugin_names()


def find_variant(name: str, extra: Mapping[str, type], place: str = "") -> tuple[type, str]:
    """The class and the variant that a name such as "Autoformer.paper" says.

    Args:
        name: class name, or class name and variant: a public class method that makes the model with other defaults.
        extra: classes of plug-ins by name.
        place: file and table, for the message.

    Returns:
        The class and the name of the variant, "" for the class itself.

    Raises:
        JobError: there is no such class, or it has no such variant.

    Example:
        >>> find_variant("Autoformer.paper", {})[1], find_variant("SeasonalNaive", {})[1]
        ('paper', '')
    """
    class_name, _, variant = (name, "", "") if name in extra or name in plugin_names() else name.partition(".")
    kind = find_forecaster(class_name, extra, place)
    members = {key: value for base in reversed(kind.__mro__) for key, value in vars(base).items()}
    variants = [key for key, value in members.items() if isinstance(value, classmethod) and not key.startswith("_")]
    if variant and variant not in variants:
        known = did_you_mean(variant, variants, otherwise=f"write class = {class_name!r}")
        raise JobError(f"{place + ': ' if place else ''}{class_name} has no variant {variant!r}; {known}")
    return kind, variant


def procedure_class(name: str, place: str = "") -> Any:
    """The class of a procedure of online testing.

    Args:
        name: of a class of ``tsformers.fdr``.
        place: file and table, for the message.

    Returns:
        The class.

    Raises:
        JobError: there is no such procedure; the nearest names are given.

    Example:
        >>> procedure_class("LORD").__name__
        'LORD'
    """
    if name not in PROCEDURES:
        raise JobError(
            f"{place + ': ' if place else ''}there is no procedure {name!r}; {did_you_mean(name, sorted(PROCEDURES))}"
        )
    return load_from(PROCEDURES, name)


def setting_names(kind: type) -> list[str] | None:
    """The keywords of a forecaster's constructor; None where it takes any.

    Args:
        kind: a class.

    Returns:
        Names in the order of the signature.

    Example:
        >>> setting_names(find_forecaster("SeasonalNaive", {}))[0]
        'horizon'
    """
    parameters = inspect.signature(kind).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    return [*parameters]
