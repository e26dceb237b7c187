"""Values as they are written on the command line: lists, numbers, frequencies and settings."""

import tomllib
from collections.abc import Sequence
from typing import Any


def split_list(values: Sequence[str]) -> list[str]:
    """The entries of an option that may be repeated and may hold commas.

    Args:
        values: as given.

    Returns:
        Entries without blanks around them.

    Example:
        >>> split_list(["crps, mase", "mae"])
        ['crps', 'mase', 'mae']
    """
    return [entry.strip() for value in values for entry in value.split(",") if entry.strip()]


def numbers(option: str, values: Sequence[str]) -> list[float]:
    """The numbers of an option such as ``--quantiles 0.1,0.9``.

    Args:
        option: its name, for the message.
        values: as given.

    Returns:
        The numbers.

    Raises:
        ValueError: an entry is no number.

    Example:
        >>> numbers("--quantiles", ["0.1,0.9"])
        [0.1, 0.9]
    """
    found = []
    for entry in split_list(values):
        try:
            found.append(float(entry))
        except ValueError:
            raise ValueError(f"{option}: {entry!r} is no number; write for example {option} 0.1,0.5,0.9") from None
    return found


def quantile_levels(values: Sequence[str]) -> list[float]:
    """The levels of ``--quantiles``: numbers from 0 to 1.

    Args:
        values: as given.

    Returns:
        The levels.

    Raises:
        ValueError: an entry is no level; the message says what to type, for percentages too.

    Example:
        >>> quantile_levels(["0.1,0.9"])
        [0.1, 0.9]
        >>> quantile_levels(["5,95"])
        Traceback (most recent call last):
        ValueError: --quantiles 5,95: levels lie between 0 and 1; write --quantiles 0.05,0.95
    """
    levels, option = numbers("--quantiles", values), "--quantiles"
    if not levels:
        raise ValueError(f"{option} is empty; write for example {option} 0.1,0.5,0.9")
    if all(0 <= level <= 1 for level in levels):
        return levels
    percent = all(0 <= level <= 100 for level in levels)
    remedy = ",".join(f"{level / 100:.15g}" for level in levels) if percent else "0.1,0.5,0.9"
    given = ",".join(split_list(values))
    raise ValueError(
        f"{option} {given}: levels lie between 0 and 1; write {'' if percent else 'for example '}{option} {remedy}"
    )


def whole_numbers(option: str, values: Sequence[str]) -> list[int]:
    """The whole numbers of an option such as ``--period 24,168``.

    Args:
        option: its name, for the message.
        values: as given.

    Returns:
        The numbers.

    Raises:
        ValueError: an entry is no whole number of 1 or more.

    Example:
        >>> whole_numbers("--period", ["24,168"])
        [24, 168]
    """
    found = numbers(option, values)
    for value in found:
        if value != int(value) or value < 1:
            raise ValueError(f"{option}: {value:g} is no whole number of 1 or more; write for example {option} 24")
    return [int(value) for value in found]


def frequency(text: str | None) -> str | int | None:
    """A frequency as written: digits are the step of integer time.

    Args:
        text: as given.

    Returns:
        A number, or the text.

    Example:
        >>> frequency("1"), frequency("15min")
        (1, '15min')
    """
    return int(text) if text is not None and text.strip().isdigit() else text


def as_number(text: str) -> int | float | str:
    """A value as written: a number where it is one.

    Args:
        text: as given.

    Returns:
        A number, or the text.

    Example:
        >>> as_number("-9999"), as_number("999.9"), as_number("n.d.")
        (-9999, 999.9, 'n.d.')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def assignments(pairs: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Settings written as ``key=value``; the value is read as TOML, else it is text.

    Args:
        pairs: as given.
        option: its name, for the message.

    Returns:
        Values by key.

    Raises:
        ValueError: an entry without an equals sign.

    Example:
        >>> assignments(["max_steps=50", "scaler=robust", "multivariate=true", "static=none"])
        {'max_steps': 50, 'scaler': 'robust', 'multivariate': True, 'static': None}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{option} {pair!r} must be key=value, for example {option} max_steps=200")
        try:
            value = None if text.strip().lower() == "none" else tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = {"true": True, "false": False}.get(text.strip().lower(), text)
        found[key.strip()] = value
    return found
