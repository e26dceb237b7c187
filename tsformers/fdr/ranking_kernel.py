"""One test of the Benjamini-Hochberg rule over the latest p-values: compiled, for n procedures."""

from typing import Any, NamedTuple

import numpy as np

from tsformers.fdr.kernel_state import arrays_from_json, check_arrays
from tsformers.jit import compiled, inlined

ABOVE = 2.0  # stands for every p-value above alpha: none of them can be rejected, or help another one
GROWING = ("ranked",)  # arrays whose second axis depends on the p-values


class RankingRule(NamedTuple):
    """What the settings mean for the kernel."""

    alpha: float
    window: int  # 0: the whole stream


class RankingState(NamedTuple):
    """The running state of n procedures; the first axis of every array is n."""

    tests: np.ndarray  # done so far
    level: np.ndarray  # of the next test
    latest: np.ndarray  # (n, window) p-values in turns
    kept: np.ndarray
    ranked: np.ndarray  # (n, capacity) those at or below alpha that count for the next test, ascending


def initial_state(rule: RankingRule, n: int) -> RankingState:
    """The state of n procedures before their first test.

    Example:
        >>> initial_state(RankingRule(alpha=0.1, window=3), 2).level
        array([0.1, 0.1])
    """
    return RankingState(
        tests=np.zeros(n, dtype=np.int64),
        level=np.full(n, rule.alpha),
        latest=np.full((n, rule.window), ABOVE),
        kept=np.zeros(n, dtype=np.int64),
        ranked=np.zeros((n, 16)),
    )


def reserve(rule: RankingRule, state: RankingState, tests: int) -> RankingState:
    """The same state, or one with room for ``tests`` more p-values at or below alpha."""
    needed, capacity = int(state.kept.max(initial=0)) + tests, state.ranked.shape[1]
    if rule.window:
        needed = min(needed, rule.window)
    if needed <= capacity:
        return state
    return state._replace(ranked=np.pad(state.ranked, ((0, 0), (0, max(needed, 2 * capacity) - capacity))))


@compiled
def run(
    rule: RankingRule, state: RankingState, rows: np.ndarray, p: np.ndarray, levels: np.ndarray, rejected: np.ndarray
) -> None:
    """Test ``p[k]`` with procedure ``rows[k]`` (``rows[0]`` where it is alone), in order."""
    for k in range(p.size):
        levels[k], rejected[k] = _advance(rule, state, rows[k] if rows.size > 1 else rows[0], p[k])


@inlined
def _advance(rule: RankingRule, state: RankingState, row: int, p: float) -> tuple[float, bool]:
    """One test of procedure ``row``: its level, which was fixed before, and whether ``p`` is rejected."""
    level = state.level[row]
    ranked, kept, t = state.ranked[row], state.kept[row], state.tests[row] + 1
    state.tests[row] = t
    counted = t + 1  # p-values in the window of the next test, itself included
    if p <= rule.alpha:
        place = _count(ranked, kept, p)
        for k in range(kept, place, -1):
            ranked[k] = ranked[k - 1]
        ranked[place] = p
        kept += 1
    if rule.window:
        latest = state.latest[row]
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
    state.kept[row] = kept
    k = kept + 1  # the largest rank k that a p-value at alpha k / counted would have: from above, down to it
    while True:
        within = 1 + _count(ranked, k - 1, rule.alpha * k / counted)
        if within >= k:
            break
        k = within
    state.level[row] = rule.alpha * k / counted
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


def to_json(state: RankingState) -> dict[str, Any]:
    """The first procedure's state for JSON; unused capacity is left out.

    Example:
        >>> to_json(initial_state(RankingRule(alpha=0.1, window=0), 1))["ranked"]
        []
    """
    page: dict[str, Any] = {name: part[0].tolist() for name, part in state._asdict().items()}
    return page | {"ranked": state.ranked[0, : state.kept[0]].tolist()}


def from_json(rule: RankingRule, page: dict[str, Any]) -> RankingState:
    """The state that ``to_json`` wrote.

    Raises:
        ValueError: it is not one, or one of other settings.
    """
    return checked(rule, arrays_from_json(initial_state(rule, 1), page, GROWING))


def checked(rule: RankingRule, state: RankingState) -> RankingState:
    """The state itself, if its arrays fit each other and the settings: compiled code checks no bounds.

    Raises:
        ValueError: names the array that does not fit.
    """
    check_arrays(state, initial_state(rule, 1), GROWING)
    if state.tests.min() < 0 or state.kept.min() < 0 or state.kept.max() > state.ranked.shape[1]:
        raise ValueError("kept counts more p-values than there are")
    return state
