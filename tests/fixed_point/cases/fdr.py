"""Online testing: levels and decisions one by one, in one call, in parallel, and from a state."""

from typing import Any

import tsformers as tsf
from fixed_point.data import p_values
from fixed_point.registry import case

f = tsf.fdr
PROCEDURES: dict[str, Any] = {
    "LORD": lambda: f.LORD(0.1),
    "LORD, decay": lambda: f.LORD(0.1, decay=0.95),
    "LORD, decay, eta": lambda: f.LORD(0.1, decay=0.95, eta=0.5),
    "LORD, tau": lambda: f.LORD(0.2, tau=0.5, gamma_size=50),
    "LORD, lag": lambda: f.LORD(0.1, lag=5, decay=0.95),
    "LORD, lag, whole": lambda: f.LORD(0.1, lag=5, decay=0.95, fade_in_flight=False),
    "LORD, dependent": lambda: f.LORD(0.1, dependent=True),
    "LOND": lambda: f.LOND(0.1),
    "LOND, modified": lambda: f.LOND(0.1, modified=True),
    "LOND, dependent, lag": lambda: f.LOND(0.1, dependent=True, lag=3),
    "SAFFRON": lambda: f.SAFFRON(0.1),
    "SAFFRON, decay, eta": lambda: f.SAFFRON(0.1, lambda_=0.3, decay=0.95, eta=0.5),
    "SAFFRON, lag": lambda: f.SAFFRON(0.1, lag=4),
    "ADDIS": lambda: f.ADDIS(0.1),
    "ADDIS, decay": lambda: f.ADDIS(0.1, lambda_=0.2, tau=0.6, decay=0.95, eta=0.5),
    "ADDIS, lag": lambda: f.ADDIS(0.1, lag=4, w0=0.01),
    "AlphaInvesting": lambda: f.AlphaInvesting(0.1),
    "AlphaInvesting, short": lambda: f.AlphaInvesting(0.1, w0=0.03, gamma_size=100),
    "AlphaSpending": lambda: f.AlphaSpending(0.1),
    "AlphaSpending, short": lambda: f.AlphaSpending(0.2, gamma_size=100),
    "MemoryLORD": lambda: f.MemoryLORD(0.1),
    "MemoryLORD, slow": lambda: f.MemoryLORD(0.2, decay=0.995, w0=0.05),
    "OnlineBH": lambda: f.OnlineBH(0.1),
    "OnlineBH, window": lambda: f.OnlineBH(0.1, window=50),
    "OnlineBH, whole": lambda: f.OnlineBH(0.2, window=None),
}


def tested(make: Any) -> dict[str, Any]:
    """Levels and decisions however they are asked for."""
    p = p_values()
    one, many, parallel = make(), make(), make().many(3)
    alone = [one.test(value) for value in p[:150]]
    levels, rejected = many.test_many(p)
    kept = type(many).from_state(many.state)
    later = kept.test_many(p_values(60, seed=1))
    stretches = [parallel.test(part) for part in p[:90].reshape(30, 3)]
    return {
        "levels alone": [level for level, _ in alone],
        "rejected alone": [bool(no) for _, no in alone],
        "levels": levels,
        "rejected": rejected,
        "state": {name: value for name, value in many.state.items() if not isinstance(value, str | dict)},
        "next": many.next_level,
        "first": many.first_level,
        "least": many.least_level,
        "later": list(later),
        "parallel": stretches,
        "parallel next": parallel.next_level,
        "n": parallel.n_tests,
    }


for name, make in PROCEDURES.items():
    case(f"fdr {name}")(lambda make=make: tested(make))
