"""Procedures that count and need no memory: alpha-spending and LOND; and the memory-decayed LORD++ of old."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from tsformers.fdr._wealth import COUNT, Rule
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.sequences import HARMONIC, SLOW
from tsformers.fdr.settings import Earnings, check_alpha, earnings, refuse_decay, rule


@dataclass(frozen=True)
class AlphaSpending(Procedure):
    """Alpha-spending: an online Bonferroni correction, ``level = alpha g(t)``, whatever the p-values.

    Guaranteed: the probability of even one false alarm, ever, is at most alpha, under any dependence. Not guaranteed:
    power; the level falls for ever.

    Args:
        alpha: probability of a false alarm aimed at.
        decay: 1; there is no decayed form.
        gamma_size: None: the infinite series; L: its first L terms, scaled to sum 1, and 0 beyond.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> procedure = AlphaSpending(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.005, 0.005)]
        [True, False]
        >>> round(procedure.next_level, 6)
        0.000991

    Source: Foster & Stine (2008), section 2.
    """

    alpha: float = 0.05
    _: KW_ONLY
    decay: float = 1.0
    gamma_size: int | None = None

    def __post_init__(self) -> None:
        self._rule  # noqa: B018  # refuses what is out of range

    @cached_property
    def _rule(self) -> Rule:
        check_alpha(self.alpha)
        refuse_decay(self)
        return rule(SLOW, Earnings(base=self.alpha, first=0.0, later=0.0), gamma_size=self.gamma_size, memory=COUNT)


@dataclass(frozen=True)
class LOND(Procedure):
    """LOND: alpha-spending, times the number of discoveries so far: ``level = alpha g(t) (R(t - 1) + 1)``.

    With ``lag`` = L discoveries count from L tests later on: ``R(t - 1 - L)``.

    Guaranteed: FDR <= alpha for independent p-values, and for positively dependent ones (PRDS; conformal p-values that
    share a calibration set are), as was shown later. On every path ``sum level_t / (R(t - 1) + 1) <= alpha``.
    Not guaranteed: anything for other dependence, unless ``dependent``.

    Args:
        alpha: share of false alarms among alarms aimed at.
        modified: the factor is ``max(R(t - 1), 1)``, a little lower.
        dependent: divide by ``1 + 1/2 + ... + 1/t``; FDR <= alpha then holds under any dependence.
        decay: 1; there is no decayed form.
        lag: how many tests back a p-value may depend on others.
        gamma_size: None: the infinite series; L: its first L terms, scaled to sum 1, and 0 beyond.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> procedure = LOND(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.001, 0.5, 0.001)]
        [True, False, True]

    Source: Javanmard & Montanari (2015); Zrnic, Ramdas & Jordan (2021), PRDS and lag.
    """

    alpha: float = 0.05
    _: KW_ONLY
    modified: bool = False
    dependent: bool = False
    decay: float = 1.0
    lag: int = 0
    gamma_size: int | None = None

    def __post_init__(self) -> None:
        self._rule  # noqa: B018  # refuses what is out of range

    @cached_property
    def _rule(self) -> Rule:
        check_alpha(self.alpha)
        refuse_decay(self)
        pay = Earnings(base=self.alpha, first=0.0 if self.modified else self.alpha, later=self.alpha)
        shape = HARMONIC if self.dependent else SLOW
        return rule(shape, pay, lag=self.lag, gamma_size=self.gamma_size, memory=COUNT)


@dataclass(frozen=True)
class MemoryLORD(Procedure):
    """LORD++ with a fading memory as first proposed, to compare with: decay lowers its levels and never revives them.

        level = w0 delta^(t - min(t, tau_1)) g(t) + (alpha - w0) delta^(t - tau_1) g(t - tau_1)
                + alpha sum_{j >= 2} delta^(t - tau_j) g(t - tau_j)

    Guaranteed, by its authors: a decayed FDR, for independent p-values. Not guaranteed: any level between discoveries.
    It never abstains, as theirs does while wealth is low, to begin anew then. ``LORD(decay=...)`` is the rule to use.

    Args:
        alpha: share of false alarms among alarms aimed at.
        decay: delta.
        w0: wealth at the start, at most alpha; None: half of it.
        gamma_size: see ``LORD``.
        tolerance: see ``LORD``.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> procedure = MemoryLORD(alpha=0.1, decay=0.9)
        >>> [procedure.test(p)[1] for p in (0.001, 0.5, 0.001)]
        [True, False, False]

    Source: Ramdas, Yang, Wainwright & Jordan (2017), section 5.
    """

    alpha: float = 0.05
    _: KW_ONLY
    decay: float = 0.99
    w0: float | None = None
    gamma_size: int | None = None
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        self._rule  # noqa: B018  # refuses what is out of range

    @cached_property
    def _rule(self) -> Rule:
        check_alpha(self.alpha)
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must lie in (0, 1]; got {self.decay}")
        plain = earnings(budget=self.alpha, factor=1.0, w0=self.w0, decay=1.0, eta=None)
        pay = Earnings(base=plain.base, first=plain.first, later=plain.later, decay=self.decay, base_fades=True)
        return rule(SLOW, pay, gamma_size=self.gamma_size, tolerance=self.tolerance)
