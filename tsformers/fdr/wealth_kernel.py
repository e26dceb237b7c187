"""One test of every procedure with wealth, whose level is a base plus what rejections earned: compiled."""

import math
from typing import Any, NamedTuple

import numpy as np

# compiled code holds these constants: a change there needs a change of this file, or the cache keeps the old ones
from tsformers.fdr.gamma import CONSTANTS, DEPENDENT, EULER, FAST, HARMONIC
from tsformers.fdr.kernel_state import arrays_from_json, check_arrays
from tsformers.jit import compiled, inlined

COUNT, SUMS, RECORDS, SPENT = 0, 1, 2, 3  # how the past is remembered
TICKED, REJECTED, FIRST = 1, 2, 4  # bits of an outcome
TINY = 1e-290  # smaller numbers become 0: those below 1e-308 would slow the processor down
BLOCK = 8  # sums of exponentials come in multiples of this


class WealthRule(NamedTuple):
    """What a procedure's settings mean for the kernel; the same for all its copies."""

    shape: int  # of gamma
    norm: float
    size: int  # gamma is 0 beyond it; 0: never
    memory: int  # COUNT, SUMS, RECORDS or SPENT
    low: float  # the index of gamma (its clock) advances (ticks) at p-values in (low, high]
    high: float
    adaptive: bool  # the clock ticks at tests not rejected, and s becomes s / (1 + s)
    cap: float
    base: float  # weight of gamma at the clock
    floor: float  # which counts no less than this
    first: float  # weight of gamma since the first rejection
    later: float  # since each later one
    decay: float  # of these weights, a test
    entry: float  # decay from a rejection to the test after it is settled
    base_fades: bool  # the base decays too, from the first rejection on
    lag: int
    fresh: np.ndarray  # (lag,) decayed gamma while the tests after a rejection are still in flight
    gains: np.ndarray  # (M,) SUMS: of the exponentials, at the index where a rejection is settled
    losses: np.ndarray  # (M,) share lost at a tick, decay and rate together
    table: np.ndarray  # RECORDS: gamma at 1, 2, ...


class WealthState(NamedTuple):
    """The running state of n procedures; the first axis of every array is n."""

    tests: np.ndarray  # done so far
    clock: np.ndarray  # ticks so far, of tests that have landed
    rejections: np.ndarray
    latest: np.ndarray  # test of the last rejection, 0 before the first
    level: np.ndarray  # of the next test
    gamma: np.ndarray  # at the clock
    scale: np.ndarray  # of the base
    earned: np.ndarray  # weights of rejections summed up, or wealth at the last one
    wealth: np.ndarray
    outcomes: np.ndarray  # (n, 2 lag + 1) of the latest tests, in turns
    sums: np.ndarray  # (n, M) the exponentials
    start: np.ndarray  # of the live records
    kept: np.ndarray  # how many there are
    marks: np.ndarray  # (n, capacity) clock at which a record's index is 0
    weights: np.ndarray  # (n, capacity)


def initial_state(rule: WealthRule, n: int) -> WealthState:
    """The state of n procedures before their first test.

    Example:
        >>> from tsformers.fdr import AlphaSpending
        >>> initial_state(AlphaSpending(0.1).rule, 2).level.round(6)
        array([0.005352, 0.005352])
    """
    capacity = 2 * (rule.size + 1) if rule.memory == RECORDS else 0

    def zeros(*shape: int, dtype: type = np.float64) -> np.ndarray:
        return np.zeros((n, *shape), dtype=dtype)

    state = WealthState(
        **{name: zeros(dtype=np.int64) for name in ("tests", "clock", "rejections", "latest", "start", "kept")},
        **{name: zeros() for name in ("level", "gamma", "earned", "wealth")},
        scale=np.ones(n),
        outcomes=zeros(2 * rule.lag + 1, dtype=np.int64),
        sums=zeros(rule.gains.size),
        marks=zeros(capacity, dtype=np.int64),
        weights=zeros(capacity),
    )
    if rule.memory == SPENT:
        state.earned[:] = state.wealth[:] = rule.base
    _begin(rule, state)
    return state


def reserve(rule: WealthRule, state: WealthState, tests: int) -> WealthState:
    """The same state, or one with room for the records of ``tests`` more: exact sums over all rejections grow."""
    if rule.memory != RECORDS or rule.size:
        return state
    needed, capacity = int(state.kept.max(initial=0)) + tests + 1, state.marks.shape[1]
    if needed <= capacity:
        return state
    more = ((0, 0), (0, max(needed, 2 * capacity) - capacity))
    return state._replace(marks=np.pad(state.marks, more), weights=np.pad(state.weights, more))


@compiled
def _begin(rule: WealthRule, state: WealthState) -> None:
    for row in range(state.level.size):
        state.gamma[row] = _gamma(rule, 1)
        state.level[row] = _level(rule, state, row, 0.0)


@compiled
def run(
    rule: WealthRule, state: WealthState, rows: np.ndarray, p: np.ndarray, levels: np.ndarray, rejected: np.ndarray
) -> None:
    """Test ``p[k]`` with procedure ``rows[k]`` (``rows[0]`` where it is alone), in order."""
    for k in range(p.size):
        levels[k], rejected[k] = _advance(rule, state, rows[k] if rows.size > 1 else rows[0], p[k])


@inlined
def _advance(rule: WealthRule, state: WealthState, row: int, p: float) -> tuple[float, bool]:
    """One test of procedure ``row``: its level, which was fixed before, and whether ``p`` is rejected."""
    level = state.level[row]
    rejected = p <= level
    t = state.tests[row] + 1
    outcome = 0
    if (not rejected) if rule.adaptive else (rule.low < p <= rule.high):
        outcome |= TICKED
    if rejected:
        outcome |= REJECTED if state.rejections[row] else REJECTED | FIRST
        state.rejections[row] += 1
        state.latest[row] = t
    state.tests[row] = t
    turn = 2 * rule.lag + 1
    state.outcomes[row, t % turn] = outcome
    landed = state.outcomes[row, (t - rule.lag) % turn] if t > rule.lag else 0
    ticked = (landed & TICKED) != 0
    if ticked:
        state.clock[row] += 1
    _earn(rule, state, row, outcome, landed)
    if (ticked or t <= rule.lag) and state.gamma[row] > rule.floor:
        state.gamma[row] = _gamma(rule, 1 + min(rule.lag, t) + state.clock[row])
    state.level[row] = _level(rule, state, row, _fresh(rule, state, row, t))
    return level, rejected


@inlined
def _earn(rule: WealthRule, state: WealthState, row: int, outcome: int, landed: int) -> None:
    """Update ``earned``: the sum of what past rejections pay at the next test."""
    if rule.memory == COUNT:
        state.earned[row] += _weight(rule, landed)
        return
    if rule.memory == SPENT:
        state.wealth[row] += _weight(rule, outcome) - state.level[row]
        if outcome & REJECTED:
            state.earned[row] = state.wealth[row]
        return
    if rule.base_fades and state.rejections[row]:
        state.scale[row] *= rule.decay
    begin = state.tests[row] - 2 * rule.lag
    weight = _weight(rule, state.outcomes[row, begin % (2 * rule.lag + 1)]) * rule.entry if begin > 0 else 0.0
    if weight == 0 and state.earned[row] == 0:
        return
    ticked = (landed & TICKED) != 0
    if rule.memory == SUMS:
        state.earned[row] = _remember_sums(rule, state, row, ticked, weight)
    else:
        state.earned[row] = _remember_records(rule, state, row, weight)


@inlined
def _level(rule: WealthRule, state: WealthState, row: int, fresh: float) -> float:
    if rule.memory == COUNT:
        level = state.gamma[row] * (rule.base + state.earned[row])
    elif rule.memory == SPENT:
        level = state.gamma[row] * state.earned[row]
    else:
        level = rule.base * state.scale[row] * max(state.gamma[row], rule.floor) + state.earned[row] + fresh
    if rule.adaptive:
        level /= 1 + level
    return min(max(level, 0.0), rule.cap)


@inlined
def _weight(rule: WealthRule, outcome: int) -> float:
    if not outcome & REJECTED:
        return 0.0
    return rule.first if outcome & FIRST else rule.later


@inlined
def _fresh(rule: WealthRule, state: WealthState, row: int, t: int) -> float:
    """What rejections of the last ``lag`` landed tests earn: the tests since, all in flight, count as ticks."""
    total = 0.0
    if rule.lag == 0 or rule.memory == COUNT or state.latest[row] == 0 or t + 1 - state.latest[row] > 2 * rule.lag:
        return total
    for age in range(1, rule.lag + 1):
        tau = t + 1 - rule.lag - age
        if tau < 1:
            break
        total += _weight(rule, state.outcomes[row, tau % (2 * rule.lag + 1)]) * rule.fresh[age - 1]
    return total


@inlined
def _remember_sums(rule: WealthRule, state: WealthState, row: int, ticked: bool, weight: float) -> float:
    """Age the sums of exponentials by a test, add a rejection, and add them up in a fixed order.

    ``s_m <- decay exp(-b_m tick) s_m + weight a_m``; earned = ``sum_m s_m``.
    """
    sums, gains, losses, idle = state.sums[row], rule.gains, rule.losses, 1 - rule.decay
    if ticked:
        for m in range(sums.size):
            aged = sums[m] - sums[m] * losses[m] + weight * gains[m]
            sums[m] = aged if abs(aged) > TINY else 0.0
    else:
        for m in range(sums.size):
            aged = sums[m] - sums[m] * idle + weight * gains[m]
            sums[m] = aged if abs(aged) > TINY else 0.0
    a = b = c = d = e = f = g = h = 0.0  # eight at a time, or the processor waits for each addition
    for m in range(0, sums.size, BLOCK):
        a += sums[m]
        b += sums[m + 1]
        c += sums[m + 2]
        d += sums[m + 3]
        e += sums[m + 4]
        f += sums[m + 5]
        g += sums[m + 6]
        h += sums[m + 7]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@inlined
def _remember_records(rule: WealthRule, state: WealthState, row: int, weight: float) -> float:
    """Age the list of rejections by a test, drop those of no weight, add one, and add up what all earn."""
    marks, weights, capacity = state.marks[row], state.weights[row], state.marks.shape[1]
    start, kept, clock = state.start[row], state.kept[row], state.clock[row]
    for k in range(start, start + kept):
        weights[k] *= rule.decay
    while kept and ((rule.size and clock + 1 - marks[start] > rule.size) or weights[start] < TINY):
        start, kept = start + 1, kept - 1
    mark = clock - rule.lag
    if weight > 0:
        if kept and marks[start + kept - 1] == mark:
            weights[start + kept - 1] += weight
        else:
            if start + kept == capacity:
                for k in range(kept):
                    marks[k], weights[k] = marks[start + k], weights[start + k]
                start = 0
            marks[start + kept], weights[start + kept] = mark, weight
            kept += 1
    state.start[row], state.kept[row] = start, kept
    total = 0.0
    for k in range(start, start + kept):
        index = clock + 1 - marks[k]
        total += weights[k] * (rule.table[index - 1] if index <= rule.table.size else _gamma(rule, index))
    return total


@compiled
def _gamma(rule: WealthRule, j: int) -> float:
    """``gamma`` at one index, as the rule scales and cuts it."""
    if rule.size and j > rule.size:
        return 0.0
    if rule.shape == FAST:
        return rule.norm * CONSTANTS[FAST] * float(j) ** -1.6
    log = math.log(max(j, 2))
    if rule.shape == DEPENDENT:
        return rule.norm * CONSTANTS[DEPENDENT] / (j * log**3)
    slow = rule.norm * CONSTANTS[rule.shape] * log / (j * math.exp(math.sqrt(math.log(j))))
    return slow / _harmonic(j) if rule.shape == HARMONIC else slow


@compiled
def _harmonic(j: int) -> float:
    if j >= 32:
        far = float(j) ** 2
        series = math.log(j) + EULER + 0.5 / j - 1 / (12 * far) + 1 / (120 * far**2)
        return series - 1 / (252 * far**3)
    total = 0.0
    for i in range(1, j + 1):
        total += 1 / i
    return total


GROWING = ("marks", "weights")  # arrays whose second axis depends on the p-values


def to_json(state: WealthState) -> dict[str, Any]:
    """The first procedure's state for JSON; sums that are all 0 and unused capacity are left out.

    Example:
        >>> from tsformers.fdr import AlphaSpending
        >>> to_json(initial_state(AlphaSpending(0.1).rule, 1))["tests"]
        0
    """
    start, kept = int(state.start[0]), int(state.kept[0])
    live = {name: getattr(state, name)[0, start : start + kept].tolist() for name in GROWING}
    sums = state.sums[0].tolist() if state.sums[0].any() else []
    page = {name: part[0].tolist() for name, part in state._asdict().items()}
    return page | live | {"sums": sums, "start": 0}


def from_json(rule: WealthRule, page: dict[str, Any]) -> WealthState:
    """The state that ``to_json`` wrote.

    Raises:
        ValueError: it is not one, or one of other settings.
    """
    return checked(rule, arrays_from_json(initial_state(rule, 1), page, GROWING, may_be_empty=("sums",)))


def checked(rule: WealthRule, state: WealthState) -> WealthState:
    """The state itself, if its arrays fit each other and the settings: compiled code checks no bounds.

    Raises:
        ValueError: names the array that does not fit.
    """
    check_arrays(state, initial_state(rule, 1), GROWING)
    if any(part.min() < 0 for part in (*state[:4], state.start, state.kept)):
        raise ValueError("a count is negative")
    room = min(state.marks.shape[1], state.weights.shape[1])
    if (state.start + state.kept > room).any() or (state.marks > state.clock[:, None]).any():
        raise ValueError("there are fewer records than it counts, or later ones than tests")
    return state
