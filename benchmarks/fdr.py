"""How long do p-values take in one call, beside one by one, and one by one beside online-fdr where installed?"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from benchmarks.timing import Row, compare, take_turns, without_peer
from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, AlphaSpending, OnlineBH, Procedure

MANY, FEW, SERIES = 1_000_000, 10_000, 10_000
SHARES = (0.01, 0.3)  # of p-values that are rejected
PROCEDURES = {
    "LOND": LOND(0.1),
    "LORD": LORD(0.1),
    "LORD, tau 0.5": LORD(0.1, tau=0.5),
    "LORD, decay 0.99": LORD(0.1, decay=0.99),
    "SAFFRON": SAFFRON(0.1),
    "SAFFRON, decay 0.99": SAFFRON(0.1, decay=0.99),
    "ADDIS": ADDIS(0.1),
    "ADDIS, decay 0.99": ADDIS(0.1, decay=0.99),
    "ADDIS, lag 50": ADDIS(0.1, lag=50),
    "AlphaSpending": AlphaSpending(0.1),
    "OnlineBH": OnlineBH(0.1),
}
PEERS = {
    "LOND": ("Lond", (0.1,)),
    "LORD": ("LordPlusPlus", (0.1, 0.05)),
    "LORD, decay 0.99": ("LORDMemoryDecay", (0.1, 0.99, 1.0)),
    "SAFFRON": ("Saffron", (0.1, 0.05, 0.5)),
    "ADDIS": ("Addis", (0.1, 0.05, 0.25, 0.5)),
}


def run() -> Iterator[Row]:
    """Each procedure with few and with many rejections; then one p-value for each of many series."""
    rng = np.random.default_rng(0)
    for share in SHARES:
        p = np.where(rng.random(MANY) < share, 1e-12 * rng.random(MANY), rng.random(MANY))
        few = p[:FEW].tolist()
        for name, procedure in PROCEDURES.items():
            ours, single = take_turns(_in_one_call(procedure, p), _one_by_one(procedure, few), repeats=5)
            what = f"{name}: {MANY:,} p-values in one call, {share:.0%} rejected"
            yield compare(what, ours, f"one by one ({MANY // FEW} x {FEW:,})", MANY // FEW * single, "<= 2 s")
            if name in PEERS:
                yield _against_package(name, few, single, share)
    together, alone = PROCEDURES["SAFFRON"].many(SERIES), PROCEDURES["SAFFRON"].fresh()
    step = np.where(rng.random(SERIES) < 0.01, 1e-12, rng.random(SERIES))
    ours, single = take_turns(lambda: together.test(step), lambda: [alone.test(p) for p in step.tolist()], repeats=11)
    yield compare(f"SAFFRON: one p-value for each of {SERIES:,} series", ours, "one by one", single, "<= 10 ms")


def _against_package(name: str, p: list[float], ours: np.ndarray, share: float) -> Row:
    what, peer = f"{name}: {FEW:,} p-values one by one, {share:.0%} rejected", f"online-fdr {PEERS[name][0]}"
    if not find_spec("online_fdr"):
        return without_peer(what, ours, peer, "online-fdr", ">= 1x")
    theirs = take_turns(_package(name, p), repeats=1, warm_up=False)[0]
    return compare(what, ours, peer, theirs, ">= 1x")


def _in_one_call(procedure: Procedure, p: np.ndarray) -> Callable[[], object]:
    return lambda: procedure.fresh().test_many(p)


def _one_by_one(procedure: Procedure, p: list[float]) -> Callable[[], object]:
    def call() -> None:
        fresh = procedure.fresh()
        for value in p:
            fresh.test(value)

    return call


def _package(name: str, p: list[float]) -> Callable[[], object]:
    from online_fdr import p_values

    kind, settings = PEERS[name]

    def call() -> None:
        fresh = getattr(p_values, kind)(*settings)
        for value in p:
            fresh.test_one(value)

    return call
