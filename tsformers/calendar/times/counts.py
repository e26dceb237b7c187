"""Plain counting: whole numbers that are no dates, alone or behind one word: W12, Week 12, d_1941."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

LARGEST = 2**61  # beyond which differences of integer times overflow


LABEL = re.compile(r"(\D*[^\W\d]\D*)(\d{1,15})")  # a word without digits, then the number
WIDEST = 9  # digits to which numbers behind a word are filled with zeros


def prefix_of(texts: np.ndarray) -> tuple[str, int] | None:
    """The word before the numbers of labels that count, and the digits to which they are filled with zeros.

    Args:
        texts: (V,) strings.

    Returns:
        None where the texts are not one word and whole numbers. Digits are 0 where no zeros fill the numbers.

    Example:
        >>> prefix_of(np.array(["W0", "W12"], dtype=object)), prefix_of(np.array(["Week 01", "Week 02"], dtype=object))
        (('W', 0), ('Week ', 2))
    """
    found = LABEL.fullmatch(texts[0]) if len(texts) else None
    if found is None:
        return None
    prefix = found[1]
    series = pd.Series(texts, dtype=object)
    if not series.str.fullmatch(re.escape(prefix) + r"\d{1,15}").to_numpy(dtype=bool).all():
        return None
    numbers = series.str.slice(len(prefix))
    lengths = numbers.str.len().to_numpy(dtype=np.int64)
    filled = (numbers.str.startswith("0") & (numbers != "0")).to_numpy(dtype=bool)
    if not filled.any():
        return prefix, 0
    digits = int(lengths.min())
    even = (lengths[filled] == digits).all() and digits <= WIDEST
    return (prefix, digits) if even else None


def write_labels(counts: np.ndarray, prefix: str, digits: int) -> pd.Index:
    """Write counts behind a word.

    Args:
        counts: int64.
        prefix: see ``prefix_of``.
        digits: see ``prefix_of``.

    Returns:
        Text.

    Example:
        >>> write_labels(np.array([3]), "W", 2).tolist()
        ['W03']
    """
    return pd.Index([f"{prefix}{count:0{digits}d}" for count in counts], dtype=object)


def parse_counts(values: np.ndarray, prefix: str = "") -> Parsed:
    """Read whole numbers below 2**61.

    Args:
        values: (V,) strings or numbers.
        prefix: the word before each number.

    Returns:
        The numbers.

    Example:
        >>> parse_counts(np.array(["7", "7.5"], dtype=object)).bad
        array([False,  True])
    """
    if prefix:
        labels = pd.Series(values, dtype=object).astype(str)
        numbers = labels.str.extract(f"^{re.escape(prefix)}(\\d{{1,15}})$")[0]
        bad = numbers.isna().to_numpy(dtype=bool)
        return Parsed(numbers.fillna("0").astype(np.int64).to_numpy(), None, bad)
    if values.dtype.kind in "iu":
        bad = ~(values < LARGEST) | ~(values > -LARGEST)
        return Parsed(np.where(bad, 0, values).astype(np.int64), None, bad)
    if values.dtype.kind != "f":
        series = pd.Series(values, dtype=object).astype(str)
        whole = series.str.fullmatch(r"\s*[+-]?\d{1,18}\s*").to_numpy(dtype=bool)
        if whole.all():
            exact = np.array([int(value) for value in series], dtype=np.int64)
            return Parsed(exact, None, np.zeros(len(exact), dtype=bool))
        values = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        bad = ~(values < LARGEST) | ~(values > -LARGEST) | (values != np.round(values))
    return Parsed(np.where(bad, 0, values).astype(np.int64), None, bad)
