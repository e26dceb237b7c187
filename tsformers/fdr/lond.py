"""LOND: levels that grow with the number of discoveries."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

from tsformers.fdr.gamma import HARMONIC, SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import COUNT, WealthRule
from tsformers.fdr.weights import Earnings, refuse_decay, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class LOND(Procedure):
    """LOND: alpha-spending, times the number of discoveries so far: ``level = alpha g(t) (R(t - 1) + 1)``.

    With ``lag`` = L discoveries count from L tests later on: ``R(t - 1 - L)``.

    Guaranteed: FDR <= alpha for independent p-values, and for positively dependent ones (PRDS; conformal p-values that
    share a calibration set are), as was proved later. On every path ``sum level_t / (R(t - 1) + 1) <= alpha``.
    Not guaranteed: anything for other dependence, unless ``dependent``.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
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

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    modified: bool = False
    dependent: bool = False
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    lag: Annotated[int, AtLeast(0)] = 0
    gamma_size: Annotated[int, AtLeast(1)] | None = None

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        refuse_decay(self)
        pay = Earnings(base=self.alpha, first=0.0 if self.modified else self.alpha, later=self.alpha)
        shape = HARMONIC if self.dependent else SLOW
        return wealth_rule(shape, pay, lag=self.lag, gamma_size=self.gamma_size, memory=COUNT)
