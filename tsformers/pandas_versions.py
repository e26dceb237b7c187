"""What is called differently in pandas 2.2 and 3: options of its readers, which later versions refuse."""

from typing import Any

import pandas as pd


def exact_reading(version: str = pd.__version__) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of ``read_csv`` and of ``read_json`` with which numbers are read to the last digit and no dates guessed.

    From pandas 3.1 on ``read_csv`` does so by default, and ``read_json(dtype=False)`` guesses no dates; the options for
    it are deprecated.

    Args:
        version: of pandas.

    Returns:
        Keywords of ``read_csv``, and of ``read_json``.

    Example:
        >>> exact_reading("3.1.1")
        ({}, {'dtype': False, 'precise_float': True})
        >>> exact_reading("2.2.3")[0]
        {'float_precision': 'round_trip'}
    """
    json = {"dtype": False, "precise_float": True}
    if tuple(int(part) for part in version.split(".")[:2]) >= (3, 1):
        return {}, json
    return {"float_precision": "round_trip"}, json | {"convert_dates": False}


EXACT_CSV, EXACT_JSON = exact_reading()
