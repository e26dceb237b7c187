"""Forecasters and their settings in words: first docstring lines, defaults, allowed values, meanings."""

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from tsformers.catalog import FORECASTERS, find_class, plugin_names
from tsformers.jobs.build import settings_class
from tsformers.validation import allowed_values


def catalogue(extra: Mapping[str, type] = MappingProxyType({})) -> dict[str, str]:
    """All forecasters by name, with one line about each; ours are parsed, not imported, which would take seconds.

    Args:
        extra: classes of plug-ins by name.

    Returns:
        First docstring lines by name.

    Example:
        >>> "SeasonalNaive" in catalogue()
        True
    """
    ours = {name: _first_line(ast.get_docstring(_definition(name, module))) for name, module in FORECASTERS.items()}
    theirs = {name: about(find_class(name)) for name in plugin_names()}
    return ours | theirs | {name: about(kind) for name, kind in extra.items()}


def about(kind: type) -> str:
    """The first line of a class's docstring.

    Args:
        kind: a class.

    Returns:
        One line, perhaps empty.

    Example:
        >>> from tsformers.errors import JobError
        >>> about(JobError)
        'A recipe, a job file or a run folder cannot be used; the message names file, key and remedy.'
    """
    return _first_line(inspect.getdoc(kind))


def settings_of(kind: type, variant: str = "") -> list[dict[str, str]]:
    """The settings of a forecaster as rows: name, default ("required" where there is none), allowed values, meaning.

    Args:
        kind: a class whose docstring, or whose bases' docstrings, have a section ``Args:``.
        variant: a class method of it, such as "paper", whose defaults are shown; "" = those of the class.

    Returns:
        One row a setting, in the order of the signature; fields of a class of settings have dotted names.

    Example:
        >>> row = settings_of(find_class("SeasonalNaive"))[0]
        >>> row["setting"], row["default"], row["allowed"]
        ('horizon', 'required', 'a whole number of 1 or more')
    """
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        section = re.search(r"^Args:\n((?:    .*\n|\n)*)", inspect.cleandoc(base.__doc__ or "") + "\n", re.MULTILINE)
        entries = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", section.group(1) if section else "", re.MULTILINE)
        meanings |= {name: " ".join(text.split()) for name, text in entries}
    allowed = allowed_values(kind) if is_dataclass(kind) else {}
    changed = getattr(kind, variant)(horizon=1).get_params(deep=False) if variant else {}
    rows = []
    for name, parameter in inspect.signature(kind).parameters.items():
        if (held := settings_class(kind, name)) is not None:
            rows += [row | {"setting": f"{name}.{row['setting']}"} for row in settings_of(held)]
            continue
        default = "required" if parameter.default is parameter.empty else repr(changed.get(name, parameter.default))
        row = {"setting": name, "default": default, "allowed": allowed.get(name, ""), "meaning": meanings.get(name, "")}
        rows.append(row)
    return rows


def _definition(name: str, module: str) -> ast.ClassDef | ast.Module:
    spec = find_spec(module)
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8")) if spec and spec.origin else ast.parse("")
    return next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), tree)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
