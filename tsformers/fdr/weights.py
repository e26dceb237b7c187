"""From the settings of a procedure with wealth to the rule of its kernel; settings that conflict are refused here."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsformers.errors import TsformersError
from tsformers.fdr.gamma import LEAST_TOLERANCE, REACH, exponential_sum, gamma, normaliser
from tsformers.fdr.wealth_kernel import BLOCK, RECORDS, SUMS, WealthRule
from tsformers.messages import Option

TABLED = 4096  # exact sums look gamma up below this index and compute it above


@dataclass(frozen=True, kw_only=True)
class Earnings:
    """Weights of gamma in the level: the base, the first rejection and each later one; and how they decay."""

    base: float
    first: float
    later: float
    floor: float = 0.0
    decay: float = 1.0
    base_fades: bool = False


def earnings(
    *, budget: float, factor: float, w0: float | None, decay: float, eta: float | None, share: float = 0.5
) -> Earnings:
    """Weights of the published rule with wealth; with ``eta`` or ``decay`` < 1, of the smoothed decayed one.

    Args:
        budget: alpha, or tau alpha where p-values above tau are discarded before the wealth is spent.
        factor: what all weights are multiplied with.
        w0: initial wealth; None: ``share`` of the budget.
        decay: delta, in (0, 1].
        eta: offset of the smoothed rate; None: no smoothing, or 1 where ``decay`` < 1.
        share: see ``w0``.

    Returns:
        The weights.

    Raises:
        ValueError: ``w0`` is more than the budget, or stands beside ``eta`` or ``decay`` < 1.

    Example:
        >>> earnings(budget=0.1, factor=1.0, w0=None, decay=1.0, eta=None).base
        0.05
    """
    if decay < 1 or eta is not None:
        smooth = 1.0 if eta is None else eta
        if w0 is not None:
            raise TsformersError(
                Option("w0", w0), " belongs to the undecayed rule; with decay < 1 or eta, use eta in its place"
            )
        weight = factor * budget
        return Earnings(base=weight * smooth, first=weight, later=weight, floor=1 - decay, decay=decay)
    wealth = share * budget if w0 is None else w0
    if not 0 <= wealth <= budget:
        raise ValueError(f"w0 must lie between 0 and {budget:.6g}; got {w0}")
    return Earnings(base=factor * wealth, first=factor * (budget - wealth), later=factor * budget)


def refuse_decay(procedure: Any) -> None:
    """Refuse ``decay`` other than 1 where there is no decayed form.

    Args:
        procedure: with a setting ``decay``.

    Raises:
        ValueError: it is not 1.

    Example:
        >>> from tsformers.fdr import LOND
        >>> LOND(decay=0.9)
        Traceback (most recent call last):
        tsformers.errors.TsformersError: LOND has no decayed form; use decay=1, or LORD, SAFFRON or ADDIS
    """
    if procedure.decay != 1:
        raise TsformersError(
            f"{type(procedure).__name__} has no decayed form; use ", Option("decay", 1), ", or LORD, SAFFRON or ADDIS"
        )


def wealth_rule(
    shape: int,
    pay: Earnings,
    *,
    clock: tuple[float, float] = (-1.0, 1.0),
    cap: float = 1.0,
    lag: int = 0,
    fade_in_flight: bool = True,
    gamma_size: int | None = None,
    tolerance: float = 1e-9,
    memory: int = SUMS,
    adaptive: bool = False,
) -> WealthRule:
    """The rule of a procedure with wealth; see the fields of ``WealthRule``.

    Args:
        shape: of gamma.
        pay: the weights.
        clock: low and high; the index of gamma advances at p-values in (low, high].
        cap: the highest level.
        lag: how many tests a p-value may depend on.
        fade_in_flight: whether weights decay during the lag.
        gamma_size: None, or how many terms of gamma there are.
        tolerance: relative error allowed in what past rejections earn; 0: exact.
        memory: SUMS is replaced by RECORDS where the sum has to be exact.
        adaptive: see ``WealthRule``.

    Returns:
        The rule.

    Raises:
        ValueError: ``tolerance`` is below what double precision allows.

    Example:
        >>> wealth_rule(0, Earnings(base=0.1, first=0.0, later=0.0), gamma_size=2, memory=0).size
        2
    """
    if 0 < tolerance < LEAST_TOLERANCE:
        raise ValueError(
            f"tolerance must lie between {LEAST_TOLERANCE} and 0.1, or be 0 for exact sums; got {tolerance}"
        )
    lag, norm, delta = int(lag), normaliser(shape, gamma_size), float(pay.decay)
    if memory == SUMS and (gamma_size or tolerance == 0):
        memory = RECORDS
    gains = rates = np.zeros(0)
    if memory == SUMS:
        reach = REACH if delta == 1 else min(REACH, math.log(tolerance) / math.log(delta))
        gains, rates = (np.pad(part, (0, -part.size % BLOCK)) for part in exponential_sum(shape, tolerance, reach))
    known = np.arange(1, max(lag, TABLED if memory == RECORDS else 0, gamma_size or 0) + 1, dtype=np.float64)
    table = norm * gamma(shape, known) * (known <= (gamma_size or math.inf))
    flight = lag if fade_in_flight else 0
    return WealthRule(
        shape=shape,
        norm=norm,
        size=int(gamma_size or 0),
        memory=memory,
        low=float(clock[0]),
        high=float(clock[1]),
        adaptive=adaptive,
        cap=float(cap),
        base=float(pay.base),
        floor=float(pay.floor),
        first=float(pay.first),
        later=float(pay.later),
        decay=delta,
        entry=delta ** (lag + flight + 1),
        base_fades=pay.base_fades,
        lag=lag,
        fresh=delta ** (known[:lag] + flight) * table[:lag],
        gains=gains * np.exp(-rates * lag),
        losses=-np.expm1(math.log(delta) - rates),
        table=table if memory == RECORDS else np.zeros(0),
    )
