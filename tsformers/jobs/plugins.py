"""Forecasters in the user's own Python files."""

import sys
from collections.abc import Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tsformers.errors import JobError


def load_plugins(paths: Sequence[str | Path]) -> dict[str, type]:
    """The forecasters of the user's own Python files: the classes that each lists in its ``FORECASTERS`` dict.

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
        finally:
            del sys.modules[spec.name]  # worker processes cannot import it: its classes are sent to them by value
        offered = getattr(module, "FORECASTERS", None)
        if not isinstance(offered, dict) or not all(isinstance(kind, type) for kind in offered.values()):
            raise JobError(f"plug-in {path} offers no forecaster; end it with FORECASTERS = {{'mine': Mine}}")
        found |= offered
    return found


def saved_classes(extra: Mapping[str, type]) -> dict[str, type]:
    """The classes of plug-ins by the names under which saved models know them: the class names, and the plug-ins' own.

    Args:
        extra: from ``load_plugins``.

    Returns:
        What ``storage.load`` takes as ``classes``.

    Example:
        >>> sorted(saved_classes({"mine": dict}))
        ['dict', 'mine']
    """
    return {kind.__name__: kind for kind in extra.values()} | dict(extra)
