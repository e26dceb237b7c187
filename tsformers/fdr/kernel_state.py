"""Arrays of a kernel's state: read from JSON, and checked before compiled code reads them."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np

State = TypeVar("State", bound=tuple[Any, ...])


def arrays_from_json(
    blank: State, page: Mapping[str, Any], growing: Collection[str], may_be_empty: Collection[str] = ()
) -> State:
    """The state of one procedure from what its kernel wrote as JSON.

    Args:
        blank: a named tuple, the state of one procedure before its first test.
        page: lists and numbers by name of the array.
        growing: arrays whose second axis may be longer or shorter than that of ``blank``.
        may_be_empty: arrays that are those of ``blank`` where the page has no number.

    Returns:
        The state, its arrays not checked yet.

    Raises:
        ValueError: the page holds other arrays.

    Example:
        >>> from tsformers.fdr.ranking_kernel import RankingRule, initial_state, to_json
        >>> blank = initial_state(RankingRule(alpha=0.1, window=0), 1)
        >>> arrays_from_json(blank, to_json(blank), growing=("ranked",)).level
        array([0.1])
    """
    fresh = blank._asdict()  # type: ignore[attr-defined]
    if page.keys() != fresh.keys():
        raise ValueError(f"it should hold {', '.join(fresh)}, and holds {', '.join(page)}")
    for name, part in fresh.items():
        values = np.array(page[name], dtype=part.dtype)
        if name in growing and values.ndim == 1:
            part = np.zeros((1, max(part.shape[1], values.size)), dtype=part.dtype)
            part[0, : values.size] = values
        elif name not in may_be_empty or values.size:
            part = values[None]
        fresh[name] = part
    return type(blank)(**fresh)


def check_arrays(state: Any, blank: Any, growing: Collection[str]) -> None:
    """The arrays of a state fit each other and the settings: compiled code checks no bounds.

    Args:
        state: a named tuple of arrays; the first axis of each is n.
        blank: the state of one procedure with these settings.
        growing: arrays whose second axis may be longer than that of ``blank``.

    Raises:
        ValueError: names the array that does not fit.

    Example:
        >>> from tsformers.fdr.ranking_kernel import RankingRule, initial_state
        >>> blank = initial_state(RankingRule(alpha=0.1, window=3), 1)
        >>> check_arrays(blank._replace(latest=np.zeros((1, 2))), blank, growing=("ranked",))
        Traceback (most recent call last):
        ValueError: latest has shape (1, 2), not (1, 3); were the settings others?
    """
    n = len(state.level)
    for name, part in blank._asdict().items():
        given = getattr(state, name)
        longer = name in growing and given.ndim == 2 and given.shape[1] >= part.shape[1]
        if given.dtype != part.dtype or given.shape[:1] != (n,) or not (longer or given.shape[1:] == part.shape[1:]):
            raise ValueError(f"{name} has shape {given.shape}, not {(n, *part.shape[1:])}; were the settings others?")
