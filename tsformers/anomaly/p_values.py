"""What every kind of p-value promises a detector, and the warning where p-values are too coarse for the procedure.

The state of a p-value is arrays, one row a series, that the caller owns, saves and passes in. Nothing is drawn from a
generator: what is random about a row is a hash of the seed, its series and its number.
"""

import math
import warnings
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Integer

from tsformers.distributions.marginals import Marginals
from tsformers.errors import DataWarning
from tsformers.fdr import LORD, Procedure
from tsformers.messages import Either, Message, Option, Part, Setting

Arrays = dict[str, np.ndarray]
Tail = Literal["two-sided", "upper", "lower"]
N_NULL_TESTS = 10_000  # tests without a discovery that are looked at
LEAST_DEMANDING = LORD(alpha=0.1, decay=0.99)  # of the usual procedures, the one that needs fewest scores
GOLDEN = (math.sqrt(5) - 1) / 2


class PValue(Protocol):
    """What a detector asks of p-values: ``log_p`` changes nothing, and a batch of rows is the same as one by one."""

    def start(self, n_series: int) -> Arrays:
        """State of ``n_series`` series before their first row."""
        ...

    def grow(self, arrays: Arrays, n_series: int) -> Arrays:
        """The same state with room for new series, ``n_series`` in all."""
        ...

    def log_p(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        marginals: Marginals,
        rng: int = 0,
    ) -> Float[np.ndarray, " M"]:
        """Natural logarithms of the p-values of M rows; NaN where ``y`` or its row of ``marginals`` is NaN."""
        ...

    def learn(
        self,
        arrays: Arrays,
        series: Integer[np.ndarray, " M"],
        y: Float[np.ndarray, " M"],
        marginals: Marginals,
        normal: Bool[np.ndarray, " M"],
    ) -> None:
        """Update the state, in place, by rows of distinct series; ``normal`` are those without an alarm."""
        ...

    def calibrate(
        self, arrays: Arrays, series: Integer[np.ndarray, " M"], y: Float[np.ndarray, " M"], marginals: Marginals
    ) -> None:
        """Update the state, in place, by calibration rows, all taken as normal: any number a series, in time order."""
        ...

    def resolution(self, arrays: Arrays) -> Float[np.ndarray, " N"]:
        """The smallest p-value that each series can reach."""
        ...

    def finest(self, n: int) -> float:
        """The smallest p-value that ``n`` calibration scores allow."""
        ...


def warn_if_blind(p_values: PValue, procedure: Procedure, n: int) -> None:
    """Warn where ``n`` calibration scores cannot give a p-value as small as the levels it is tested at.

    Two warnings: no first alarm is possible, at any time, because ``1 / (n + 1)`` is above the procedure's
    ``first_level``; or one is possible in the first tests only, and not after many tests without a discovery.

    Args:
        p_values: how p-values are made.
        procedure: that will test them, before its first test or later.
        n: how many calibration scores each series has.

    Warns:
        UserWarning: with the number of scores that is enough, or what to change where no number is.

    Example:
        >>> import warnings
        >>> from tsformers.anomaly import ConformalP
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_if_blind(ConformalP(), LORD(alpha=0.1, decay=0.99), 100)
        >>> print(caught[0].message)  # doctest: +ELLIPSIS
        100 calibration scores give no p-value below 0.0099, and LORD tests at 0.00535 at most before its first alarm...
    """
    finest = p_values.finest(n)
    first = procedure.first_level
    head, name = f"{n} calibration scores give no p-value below {finest:.3g}, and", type(procedure).__name__
    if finest > first:
        text = f"{head} {name} tests at {first:.3g} at most before its first alarm, so it can never alarm: "
        warnings.warn(DataWarning(text, _remedy(p_values, procedure)), stacklevel=2)
        return
    without_alarm = 0.25 + 0.75 * ((np.arange(1, N_NULL_TESTS + 1) * GOLDEN) % 1)
    blind = procedure.fresh().test_many(without_alarm)[0] < finest
    if not blind.any():
        return
    text = f"{head} {name} tests below that from test {1 + int(blind.argmax())} on while nothing is found"
    text += ", and then cannot alarm any more: "
    warnings.warn(DataWarning(text, _remedy(p_values, procedure)), stacklevel=2)


def _remedy(p_values: PValue, procedure: Procedure) -> Message:
    """What makes alarms possible at any time; no remedy leads to another warning."""
    least = procedure.least_level
    ways: list[Part] = [_enough(p_values, least) if least > 0 else "without decay no number of scores will do for ever"]
    if procedure.fresh() != LEAST_DEMANDING:
        needed = math.ceil(1 / LEAST_DEMANDING.least_level * (1 - 1e-12)) - 1
        lord = Either("LORD(alpha=0.1, decay=0.99)", "--control LORD --alpha 0.1 --decay 0.99")
        ways.append(Message("take ", lord, f", for which {needed} do"))
    decay = Message(" and a decay below 1, ", Option("decay", 0.99)) if least == 0 else ""
    ways.append(Message("take ", Setting("p_value", "predictive", flag="detector"), decay))
    return Message(*[part for way in ways for part in ("; or ", way)][1:])


def _enough(p_values: PValue, level: float) -> Part:
    """How many scores reach a level, or which settings prevent it."""
    needed = math.ceil(1 / level * (1 - 1e-12)) - 1  # 1 / (n + 1) <= level, up to rounding
    if p_values.finest(needed) <= level * (1 + 1e-9):
        return f"{needed} scores would do (by default the last third of each series is its calibration set)"
    return Message(
        f"{needed} scores of equal weight would do: ",
        Setting("window", needed, flag="detector"),
        " or more, three times as many rows of history, and of conformal p-values a decay of 1 or near enough to it",
    )


def observed_rows(y: np.ndarray, marginals: Marginals) -> np.ndarray:
    """(M,) whether a row has a p-value: neither its value nor its distribution is missing.

    Example:
        >>> observed_rows(np.array([np.nan, 1.0]), Marginals(np.zeros((2, 3))))
        array([False,  True])
    """
    return ~(np.isnan(y) | np.isnan(marginals.values[:, 0]) | np.isnan(marginals.values[:, -1]))


def grown(arrays: Arrays, more: Arrays) -> Arrays:
    """The state with further rows appended.

    Example:
        >>> grown({"rows": np.array([3])}, {"rows": np.array([0])})
        {'rows': array([3, 0])}
    """
    return {name: np.concatenate([arrays[name], part]) for name, part in more.items()}
