"""Names and settings -> forecasters; classes come from the catalog, or from a plug-in file that the user names."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joblib.externals import cloudpickle

from tsformers.catalog import find_class
from tsformers.errors import JobError
from tsformers.jobs.shipped import did_you_mean


def build(
    name: str,
    chosen: Mapping[str, Any],
    *,
    place: str,
    defaults: Mapping[str, Any] = MappingProxyType({}),
    extra: Mapping[str, type] = MappingProxyType({}),
) -> Any:
    """A forecaster by the name of its class, with the settings chosen.

    Args:
        name: class name in the catalog, or a plug-in's own.
        chosen: keywords of the constructor.
        place: what stands before a message, such as file and table.
        defaults: settings for those classes that have them, where ``chosen`` does not say them.
        extra: classes of plug-ins by name.

    Returns:
        A forecaster, not fitted.

    Raises:
        JobError: an unknown class or setting, or a value that the constructor refuses.

    Example:
        >>> build("SeasonalNaive", {"horizon": 8}, place="here", defaults={"season_length": 4}).season_length
        4
    """
    kind = find_forecaster(name, extra, place)
    allowed = setting_names(kind)
    for key in chosen:
        if allowed is not None and key not in allowed:
            raise JobError(f"{place}: {kind.__name__} has no setting {key!r}; {did_you_mean(key, allowed)}")
    offered = {key: value for key, value in defaults.items() if allowed is None or key in allowed}
    try:
        return kind(**(offered | dict(chosen)))
    except (TypeError, ValueError) as error:
        raise JobError(f"{place}: {kind.__name__} refuses its settings: {error}") from error


def find_forecaster(name: str, extra: Mapping[str, type], place: str = "") -> type:
    """The class called ``name`` in the catalog or among plug-ins.

    Args:
        name: class name, or the plug-in's own.
        extra: classes of plug-ins by name.
        place: file and table, for the message.

    Returns:
        The class.

    Raises:
        JobError: nobody offers it; the nearest names are given.

    Example:
        >>> find_forecaster("SeasonalNaiv", {})
        Traceback (most recent call last):
        tsformers.errors.JobError: no forecaster is called 'SeasonalNaiv'; did you mean 'SeasonalNaive'?
    """
    try:
        return find_class(name, dict(extra))
    except KeyError as error:
        names = str(error.args[0]).rpartition("on offer: ")[2].split(", ")
        raise JobError(
            f"{place + ': ' if place else ''}no forecaster is called {name!r}; {did_you_mean(name, names)}"
        ) from None


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


def load_plugins(paths: Sequence[str | Path]) -> dict[str, type]:
    """The forecasters of a user's own Python files: what each names in its ``FORECASTERS`` dict.

    Args:
        paths: Python files.

    Returns:
        Classes by name; a later file wins.

    Raises:
        JobError: a file is missing, fails to run, or has no ``FORECASTERS``.

    Example:
        >>> load_plugins([])
        {}
    """
    found: dict[str, type] = {}
    for path in map(Path, paths):
        spec = spec_from_file_location(f"tsformers_plugin_{path.stem}", path) if path.is_file() else None
        if spec is None or spec.loader is None:
            raise JobError(f"plug-in {path}: there is no such Python file; correct the path")
        module = module_from_spec(spec)
        sys.modules[spec.name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise JobError(f"plug-in {path} fails to run: {type(error).__name__}: {error}; correct it") from error
        offered = getattr(module, "FORECASTERS", None)
        if not isinstance(offered, dict) or not all(isinstance(kind, type) for kind in offered.values()):
            raise JobError(f"plug-in {path} offers nothing; end it with FORECASTERS = {{'mine': Mine}}")
        cloudpickle.register_pickle_by_value(module)  # worker processes cannot import it by name
        found |= offered
    return found
