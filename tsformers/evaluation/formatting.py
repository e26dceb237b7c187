"""Numbers, times and counts of a report as text."""

import numpy as np
import pandas as pd

SMALL = 1e-3  # a column of smaller numbers is written with exponents
NOTHING = "\N{EN DASH}"  # in place of a number that is missing or infinite


def format_column(values: pd.Series) -> list[str]:
    """Numbers of one column, with enough decimals for four digits of the largest or two of the smallest.

    Args:
        values: numbers; what is missing or infinite becomes ``NOTHING``.

    Returns:
        One text a number.

    Example:
        >>> format_column(pd.Series([12.3456, 0.02]))
        ['12.346', '0.020']
    """
    array = values.to_numpy(dtype=np.float64)
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    decimals = 0
    if len(sizes) and sizes.max() < SMALL:
        return [f"{value:.3g}" if np.isfinite(value) else NOTHING for value in array]
    if len(sizes):
        decimals = int(np.clip(max(3 - np.floor(np.log10(sizes.max())), 1 - np.floor(np.log10(sizes.min()))), 0, 6))
    return [f"{value:,.{decimals}f}" if np.isfinite(value) else NOTHING for value in array]


def format_percent(share: float) -> str:
    """A share in per cent, with its sign.

    Args:
        share: 1 = 100 %.

    Returns:
        Text; ``NOTHING`` where the share is missing or infinite.

    Example:
        >>> format_percent(0.125), format_percent(0.0)
        ('+12.5 %', '0 %')
    """
    if not np.isfinite(share):
        return NOTHING
    return f"{100 * share:+.1f} %".replace("-", "\N{MINUS SIGN}") if share else "0 %"


def format_share(share: float) -> str:
    """A share in whole per cent.

    Args:
        share: 1 = 100 %.

    Returns:
        Text; ``NOTHING`` where the share is missing or infinite.

    Example:
        >>> format_share(0.625), format_share(float("nan")) == NOTHING
        ('62 %', True)
    """
    return f"{100 * share:.0f} %" if np.isfinite(share) else NOTHING


def format_duration(seconds: float) -> str:
    """A duration in seconds, or in minutes where it is long.

    Args:
        seconds: the duration.

    Returns:
        Text; ``NOTHING`` where the duration is missing.

    Example:
        >>> format_duration(0.5), format_duration(63.2), format_duration(125.0)
        ('0.50 s', '63 s', '2 min 5 s')
    """
    if not np.isfinite(seconds):
        return NOTHING
    if seconds >= 120:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def format_time(stamp: object) -> str:
    """A point in time without the parts that are zero.

    Args:
        stamp: a timestamp, or an integer.

    Returns:
        Text.

    Example:
        >>> format_time(pd.Timestamp("2024-01-31")), format_time(pd.Timestamp("2024-01-31 06:00")), format_time(7)
        ('2024-01-31', '2024-01-31 06:00', '7')
    """
    if not isinstance(stamp, pd.Timestamp):
        return str(stamp)
    midnight = stamp == stamp.normalize()
    return f"{stamp:%Y-%m-%d}" if midnight else f"{stamp:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def format_count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    Args:
        number: how many.
        one: the noun for one.
        many: the noun for several; None = ``one`` with an s.

    Returns:
        Text.

    Example:
        >>> format_count(1, "window"), format_count(1200, "series", "series")
        ('1 window', '1,200 series')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shorten(text: str, length: int = 400) -> str:
    """Text of at most ``length`` characters; an ellipsis marks what was cut off.

    Args:
        text: any.
        length: the most characters.

    Returns:
        The text, or its beginning.

    Example:
        >>> shorten("abcdef", 4)
        'abc…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
