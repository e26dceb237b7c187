"""One test of the Benjamini-Hochberg rule over the latest p-values: compiled, n procedures a side."""

from typing import Any, NamedTuple

import numpy as np

from tsformers.jit import compiled, inlined

ABOVE = 2.0  # stands for every p-value above alpha: none of them can be rejected, or help another one
GROWING = ("ranked",)


class Rule(NamedTuple):
    """What the settings mean for the kernel."""

    alpha: float
    window: int  # 0: the whole stream


class Books(NamedTuple):
    """The running state of n procedures; the first axis of every array is n."""

    tests: np.ndarray  # done so far
    level: np.ndarray  # of the next test
    latest: np.ndarray  # (n, window) p-values in turns
    kept: np.ndarray
    ranked: np.ndarray  # (n, capacity) those at or below alpha that count for the next test, ascending


def open_books(rule: Rule, n: int) -> Books:
    """The books of n procedures before their first test."""
    return Books(
        tests=np.zeros(n, dtype=np.int64),
        level=np.full(n, rule.alpha),
        latest=np.full((n, rule.window), ABOVE),
        kept=np.zeros(n, dtype=np.int64),
        ranked=np.zeros((n, 16)),
    )


def reserve(rule: Rule, books: Books, tests: int) -> Books:
    """The same books, or ones with room for ``tests`` more p-values at or below alpha."""
    needed, capacity = int(books.kept.max(initial=0)) + tests, books.ranked.shape[1]
    if rule.window:
        needed = min(needed, rule.window)
    if needed <= capacity:
        return books
    return books._replace(ranked=np.pad(books.ranked, ((0, 0), (0, max(needed, 2 * capacity) - capacity))))


@compiled
def run(rule: Rule, books: Books, rows: np.ndarray, p: np.ndarray, levels: np.ndarray, rejected: np.ndarray) -> None:
    """Test ``p[k]`` with procedure ``rows[k]`` (``rows[0]`` where it is alone), in order."""
    for k in range(p.size):
        levels[k], rejected[k] = _advance(rule, books, rows[k] if rows.size > 1 else rows[0], p[k])


@inlined
def _advance(rule: Rule, books: Books, row: int, p: float) -> tuple[float, bool]:
    """One test of procedure ``row``: its level, which was settled before, and whether ``p`` is rejected."""
    level = books.level[row]
    ranked, kept, t = books.ranked[row], books.kept[row], books.tests[row] + 1
    books.tests[row] = t
    counted = t + 1  # p-values in sight of the next test, itself included
    if p <= rule.alpha:
        place = _count(ranked, kept, p)
        for k in range(kept, place, -1):
            ranked[k] = ranked[k - 1]
        ranked[place] = p
        kept += 1
    if rule.window:
        latest = books.latest[row]
        latest[t % rule.window] = p if p <= rule.alpha else ABOVE
        if t >= rule.window:
            counted = rule.window
            oldest = latest[(t + 1) % rule.window]
            if oldest <= rule.alpha:
                place = _count(ranked, kept, oldest) - 1
                here, after = ranked[place : kept - 1], ranked[place + 1 : kept]
                for k in range(here.size):
                    here[k] = after[k]
                kept -= 1
    books.kept[row] = kept
    k = kept + 1  # the largest rank k that a p-value at alpha k / counted would have: from above, down to it
    while True:
        within = 1 + _count(ranked, k - 1, rule.alpha * k / counted)
        if within >= k:
            break
        k = within
    books.level[row] = rule.alpha * k / counted
    return level, p <= level


@compiled
def _count(ranked: np.ndarray, kept: int, p: float) -> int:
    """How many of the first ``kept`` are at or below ``p``."""
    low, high = 0, kept
    while low < high:
        middle = (low + high) // 2
        if ranked[middle] <= p:
            low = middle + 1
        else:
            high = middle
    return low


def written(books: Books) -> dict[str, Any]:
    """The first procedure's books as plain JSON; room not in use is left out."""
    state: dict[str, Any] = {name: part[0].tolist() for name, part in books._asdict().items()}
    return state | {"ranked": books.ranked[0, : books.kept[0]].tolist()}


def read(rule: Rule, state: dict[str, Any]) -> Books:
    """The books that ``written`` wrote."""
    fresh = open_books(rule, 1)._asdict()
    if state.keys() != fresh.keys():
        raise ValueError(f"it should hold {', '.join(fresh)}, and holds {', '.join(state)}")
    for name, part in fresh.items():
        values = np.array(state[name], dtype=part.dtype)
        if name in GROWING and values.ndim == 1:
            part = np.zeros((1, max(part.shape[1], values.size)))
            part[0, : values.size] = values
        else:
            part = values[None]
        fresh[name] = part
    return checked(rule, Books(**fresh))


def checked(rule: Rule, books: Books) -> Books:
    """The books, unless compiled code would leave their arrays or they belong to other settings."""
    n = len(books.level)
    for name, part in open_books(rule, 1)._asdict().items():
        given = getattr(books, name)
        wide = name in GROWING and given.ndim == 2 and given.shape[1] >= part.shape[1]
        if given.dtype != part.dtype or given.shape[:1] != (n,) or not (wide or given.shape[1:] == part.shape[1:]):
            raise ValueError(f"{name} has shape {given.shape}, not {(n, *part.shape[1:])}; were the settings others?")
    if books.tests.min() < 0 or books.kept.min() < 0 or books.kept.max() > books.ranked.shape[1]:
        raise ValueError("kept counts more p-values than there are")
    return books
