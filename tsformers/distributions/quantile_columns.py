"""Names of the columns that hold quantiles: one level, one name, in frames, files and back."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

COLUMN = re.compile(r"q(0?\.\d+|\d(?:\.\d+)?e-\d+)")
DIGITS = 12  # a level that differs from one with so many digits by rounding alone bears that one's name
ROUNDING = 4 * float(np.finfo(np.float64).eps)


def quantile_columns(levels: Sequence[float | int] | np.ndarray) -> list[str]:
    """The name of a column for each level, with as many digits as the level needs.

    A level such as 0.1 + 0.2, which is 0.3 but for rounding, is called q0.3. Different levels have different names.

    Args:
        levels: in [0, 1].

    Returns:
        One name a level, whose digits read as a number are the level (up to that rounding).

    Example:
        >>> quantile_columns((0.1, 0.9999999, 0.00001, 0.1 + 0.2))
        ['q0.1', 'q0.9999999', 'q0.00001', 'q0.3']
        >>> quantile_columns((0.3, 0.1 + 0.2))
        ['q0.3', 'q0.30000000000000004']
    """
    exact = {level: _decimal(level) for level in levels}
    short = {level: _short(level) for level in exact}
    times = Counter(short.values())
    return [f"q{short[level] if times[short[level]] == 1 else exact[level]}" for level in levels]


def level_of_column(name: str) -> float | None:
    """The level of a column that ``quantile_columns`` has named.

    Args:
        name: of a column.

    Returns:
        The level, inside (0, 1); None where the name is not one of a quantile.

    Example:
        >>> level_of_column("q0.9999999"), level_of_column("q1e-05"), level_of_column("quantity")
        (0.9999999, 1e-05, None)
    """
    match = COLUMN.fullmatch(name)
    level = float(match[1]) if match else 0.0
    return level if 0 < level < 1 else None


def _decimal(level: float | int) -> str:
    """The fewest digits that are read as this number, without an exponent."""
    number = level if isinstance(level, np.floating) else np.float64(level)
    return np.format_float_positional(number, trim="-")


def _short(level: float | int) -> str:
    near = float(f"{level:.{DIGITS}g}")
    inside = (near in (0, 1)) == (level in (0, 1))
    return _decimal(near) if inside and abs(near - float(level)) <= ROUNDING * near else _decimal(level)
