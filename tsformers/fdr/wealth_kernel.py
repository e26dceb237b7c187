"""One test of every procedure whose level is a base plus what its rejections earned: compiled, n procedures a side."""

import math
from typing import Any, NamedTuple

import numpy as np

# what is compiled keeps these numbers: a change of theirs needs a touch of this file
from tsformers.fdr.gamma import CONSTANTS, DEPENDENT, EULER, FAST, HARMONIC
from tsformers.jit import compiled, inlined

COUNT, SUMS, RECORDS, SPENT = 0, 1, 2, 3  # how the past is remembered
TICKED, REJECTED, FIRST = 1, 2, 4  # bits of an outcome
TINY = 1e-290  # smaller numbers become 0: those below 1e-308 would slow the processor down
BLOCK = 8  # sums of exponentials come in multiples of this


class Rule(NamedTuple):
    """What a procedure's settings mean for the kernel; the same for all its copies."""

    shape: int  # of gamma
    norm: float
    size: int  # gamma is 0 beyond it; 0: never
    memory: int  # COUNT, SUMS, RECORDS or SPENT
    low: float  # the clock of gamma ticks at p-values in (low, high]
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


class Books(NamedTuple):
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


def open_books(rule: Rule, n: int) -> Books:
    """The books of n procedures before their first test."""
    capacity = 2 * (rule.size + 1) if rule.memory == RECORDS else 0

    def zeros(*shape: int, dtype: type = np.float64) -> np.ndarray:
        return np.zeros((n, *shape), dtype=dtype)

    books = Books(
        **{name: zeros(dtype=np.int64) for name in ("tests", "clock", "rejections", "latest", "start", "kept")},
        **{name: zeros() for name in ("level", "gamma", "earned", "wealth")},
        scale=np.ones(n),
        outcomes=zeros(2 * rule.lag + 1, dtype=np.int64),
        sums=zeros(rule.gains.size),
        marks=zeros(capacity, dtype=np.int64),
        weights=zeros(capacity),
    )
    if rule.memory == SPENT:
        books.earned[:] = books.wealth[:] = rule.base
    _begin(rule, books)
    return books


def reserve(rule: Rule, books: Books, tests: int) -> Books:
    """The same books, or ones with room for the records of ``tests`` more: exact sums over all rejections grow."""
    if rule.memory != RECORDS or rule.size:
        return books
    needed, capacity = int(books.kept.max(initial=0)) + tests + 1, books.marks.shape[1]
    if needed <= capacity:
        return books
    more = ((0, 0), (0, max(needed, 2 * capacity) - capacity))
    return books._replace(marks=np.pad(books.marks, more), weights=np.pad(books.weights, more))


@compiled
def _begin(rule: Rule, books: Books) -> None:
    for row in range(books.level.size):
        books.gamma[row] = _gamma(rule, 1)
        books.level[row] = _level(rule, books, row, 0.0)


@compiled
def run(rule: Rule, books: Books, rows: np.ndarray, p: np.ndarray, levels: np.ndarray, rejected: np.ndarray) -> None:
    """Test ``p[k]`` with procedure ``rows[k]`` (``rows[0]`` where it is alone), in order."""
    for k in range(p.size):
        levels[k], rejected[k] = _advance(rule, books, rows[k] if rows.size > 1 else rows[0], p[k])


@inlined
def _advance(rule: Rule, books: Books, row: int, p: float) -> tuple[float, bool]:
    """One test of procedure ``row``: its level, which was settled before, and whether ``p`` is rejected."""
    level = books.level[row]
    rejected = p <= level
    t = books.tests[row] + 1
    outcome = 0
    if (not rejected) if rule.adaptive else (rule.low < p <= rule.high):
        outcome |= TICKED
    if rejected:
        outcome |= REJECTED if books.rejections[row] else REJECTED | FIRST
        books.rejections[row] += 1
        books.latest[row] = t
    books.tests[row] = t
    turn = 2 * rule.lag + 1
    books.outcomes[row, t % turn] = outcome
    landed = books.outcomes[row, (t - rule.lag) % turn] if t > rule.lag else 0
    ticked = (landed & TICKED) != 0
    if ticked:
        books.clock[row] += 1
    _earn(rule, books, row, outcome, landed)
    if (ticked or t <= rule.lag) and books.gamma[row] > rule.floor:
        books.gamma[row] = _gamma(rule, 1 + min(rule.lag, t) + books.clock[row])
    books.level[row] = _level(rule, books, row, _fresh(rule, books, row, t))
    return level, rejected


@inlined
def _earn(rule: Rule, books: Books, row: int, outcome: int, landed: int) -> None:
    """What the past weighs at the next test."""
    if rule.memory == COUNT:
        books.earned[row] += _weight(rule, landed)
        return
    if rule.memory == SPENT:
        books.wealth[row] += _weight(rule, outcome) - books.level[row]
        if outcome & REJECTED:
            books.earned[row] = books.wealth[row]
        return
    if rule.base_fades and books.rejections[row]:
        books.scale[row] *= rule.decay
    begin = books.tests[row] - 2 * rule.lag
    weight = _weight(rule, books.outcomes[row, begin % (2 * rule.lag + 1)]) * rule.entry if begin > 0 else 0.0
    if weight == 0 and books.earned[row] == 0:
        return
    ticked = (landed & TICKED) != 0
    if rule.memory == SUMS:
        books.earned[row] = _remember_sums(rule, books, row, ticked, weight)
    else:
        books.earned[row] = _remember_records(rule, books, row, weight)


@inlined
def _level(rule: Rule, books: Books, row: int, fresh: float) -> float:
    if rule.memory == COUNT:
        level = books.gamma[row] * (rule.base + books.earned[row])
    elif rule.memory == SPENT:
        level = books.gamma[row] * books.earned[row]
    else:
        level = rule.base * books.scale[row] * max(books.gamma[row], rule.floor) + books.earned[row] + fresh
    if rule.adaptive:
        level /= 1 + level
    return min(max(level, 0.0), rule.cap)


@inlined
def _weight(rule: Rule, outcome: int) -> float:
    if not outcome & REJECTED:
        return 0.0
    return rule.first if outcome & FIRST else rule.later


@inlined
def _fresh(rule: Rule, books: Books, row: int, t: int) -> float:
    """What rejections that landed in the last ``lag`` tests earn: the tests since, all in flight, count as ticks."""
    total = 0.0
    if rule.lag == 0 or rule.memory == COUNT or books.latest[row] == 0 or t + 1 - books.latest[row] > 2 * rule.lag:
        return total
    for age in range(1, rule.lag + 1):
        tau = t + 1 - rule.lag - age
        if tau < 1:
            break
        total += _weight(rule, books.outcomes[row, tau % (2 * rule.lag + 1)]) * rule.fresh[age - 1]
    return total


@inlined
def _remember_sums(rule: Rule, books: Books, row: int, ticked: bool, weight: float) -> float:
    """Age the sums of exponentials by a test, add a rejection, and add them up in a fixed order."""
    sums, gains, losses, idle = books.sums[row], rule.gains, rule.losses, 1 - rule.decay
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
def _remember_records(rule: Rule, books: Books, row: int, weight: float) -> float:
    """Age the list of rejections by a test, forget those that count no more, add one, and add up what all earn."""
    marks, weights, capacity = books.marks[row], books.weights[row], books.marks.shape[1]
    start, kept, clock = books.start[row], books.kept[row], books.clock[row]
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
    books.start[row], books.kept[row] = start, kept
    total = 0.0
    for k in range(start, start + kept):
        index = clock + 1 - marks[k]
        total += weights[k] * (rule.table[index - 1] if index <= rule.table.size else _gamma(rule, index))
    return total


@compiled
def _gamma(rule: Rule, j: int) -> float:
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


GROWING = ("marks", "weights")  # arrays whose second axis depends on what was seen


def written(books: Books) -> dict[str, Any]:
    """The first procedure's books as plain JSON; sums that are all 0 and room not in use are left out."""
    start, kept = int(books.start[0]), int(books.kept[0])
    live = {name: getattr(books, name)[0, start : start + kept].tolist() for name in GROWING}
    sums = books.sums[0].tolist() if books.sums[0].any() else []
    state = {name: part[0].tolist() for name, part in books._asdict().items()}
    return state | live | {"sums": sums, "start": 0}


def read(rule: Rule, state: dict[str, Any]) -> Books:
    """The books that ``written`` wrote."""
    fresh = open_books(rule, 1)._asdict()
    if state.keys() != fresh.keys():
        raise ValueError(f"it should hold {', '.join(fresh)}, and holds {', '.join(state)}")
    for name, part in fresh.items():
        values = np.array(state[name], dtype=part.dtype)
        if name in GROWING and values.ndim == 1:
            part = np.zeros((1, max(part.shape[1], values.size)), dtype=part.dtype)
            part[0, : values.size] = values
        elif name != "sums" or values.size:
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
    if any(part.min() < 0 for part in (*books[:4], books.start, books.kept)):
        raise ValueError("a count is negative")
    room = min(books.marks.shape[1], books.weights.shape[1])
    if (books.start + books.kept > room).any() or (books.marks > books.clock[:, None]).any():
        raise ValueError("there are fewer records than it counts, or later ones than tests")
    return books
