"""Read TOML files and check their tables against the dataclasses that describe them."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from tsformers.errors import JobError, did_you_mean

T = TypeVar("T")
KINDS = {"backtest": "backtest", "datasets": "long_horizon"}  # by a table that only this kind of file has


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Args:
        path: the file.

    Returns:
        Its content.

    Raises:
        JobError: there is no such file, or it is not TOML; the message names the line.

    Example:
        >>> from tsformers.bundled import shipped_folder
        >>> read_toml(shipped_folder("datasets") / "nile.toml")["frequency"]
        'YS'
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JobError(f"{path}: there is no such file; write it, or correct the path") from None
    except OSError as error:
        raise JobError(f"{path}: cannot be read ({error.strerror}); correct the path or its permissions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: not a TOML file: {error}; correct that place") from None


def job_kind(tables: Mapping[str, Any]) -> str | None:
    """The kind of a job file: its ``kind`` key, else recognised by its tables.

    Args:
        tables: of the file.

    Returns:
        "backtest", "long_horizon", "fdr", or whatever ``kind`` says; None where neither is there.

    Example:
        >>> [job_kind(tables) for tables in ({"backtest": {}}, {"datasets": {}}, {"kind": "fdr"}, {})]
        ['backtest', 'long_horizon', 'fdr', None]
    """
    if "kind" in tables:
        return str(tables["kind"])
    return next((kind for table, kind in KINDS.items() if table in tables), None)


def parse_table(kind: type[T], table: Any, place: str) -> T:
    """A TOML table as an instance of its dataclass; every key is known, present and of the right type.

    Args:
        kind: a dataclass whose fields are the keys; fields without a default are required; fields that are
            dataclasses themselves are tables.
        table: as read from the file.
        place: file and table, for messages.

    Returns:
        An instance of ``kind``.

    Raises:
        JobError: an unknown key (the nearest is named), a missing key, or a value of the wrong type.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Windows:
        ...     horizon: int
        >>> parse_table(Windows, {"horizont": 3}, "mine.toml: backtest")
        Traceback (most recent call last):
        tsformers.errors.JobError: mine.toml: backtest has no key 'horizont'; did you mean 'horizon'?
    """
    if not isinstance(table, dict):
        raise JobError(f"{place} must be a table, but is {table!r}; write it as [table] with key = value lines")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for key in table:
        if key not in known:
            raise JobError(f"{place} has no key {key!r}; {did_you_mean(key, known)}")
    for name, field in known.items():
        if field.default is MISSING and field.default_factory is MISSING and name not in table:
            raise JobError(f"{place} lacks {name!r}; write {name} = ... ({describe(hints[name])})")
    values = {}
    for key, value in table.items():
        hint = hints[key]
        inner = next((option for option in (hint, *get_args(hint)) if is_dataclass(option)), None)
        if isinstance(inner, type):
            values[key] = parse_table(inner, value, f"{place} {key}" if place.endswith(":") else f"{place}.{key}")
        elif fits(value, hint):
            values[key] = value
        else:
            raise JobError(f"{place} {key} = {value!r} must be {describe(hint)}; correct the value")
    return kind(**values)


def fits(value: object, hint: Any) -> bool:
    """Whether a TOML value has the annotated type; a whole number is valid as a float.

    Args:
        value: as read from the file.
        hint: a type, a union, a Literal, ``list[...]`` or ``dict[str, ...]``.

    Returns:
        True or False.

    Example:
        >>> fits([24, 48], list[int]), fits(True, int), fits(None, int | None)
        (True, False, True)
    """
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, option) for option in args)
    if origin is Literal:
        return value in args
    if origin is list:
        return isinstance(value, list) and all(fits(entry, args[0]) for entry in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(entry, args[1]) for entry in value.values())
    if hint in (int, float):
        return isinstance(value, int if hint is int else (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint)


def describe(hint: Any) -> str:
    """An annotation in plain words, for messages.

    Args:
        hint: as for ``fits``.

    Returns:
        A few words.

    Example:
        >>> describe(list[int] | None)
        'a list of whole numbers'
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(describe(option) for option in args if option is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin is list:
        return "a list of " + describe(args[0]).removeprefix("a ") + "s"
    if origin is dict or is_dataclass(hint):
        return "a table"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(hint, "a value")
