"""LORD with memory decay, for endless streams."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

from tsformers.fdr.gamma import SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import WealthRule
from tsformers.fdr.weights import Earnings, earnings, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class MemoryLORD(Procedure):
    """LORD++ with decaying memory as first proposed, for comparison: decay lowers its levels and never raises them.

        level = w0 delta^(t - min(t, tau_1)) g(t) + (alpha - w0) delta^(t - tau_1) g(t - tau_1)
                + alpha sum_{j >= 2} delta^(t - tau_j) g(t - tau_j)

    Guaranteed, by its authors: a decayed FDR, for independent p-values. Not guaranteed: any level between discoveries.
    Unlike theirs it never abstains while wealth is low. ``LORD(decay=...)`` is the rule to use.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
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

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    decay: Annotated[float, Between(0, 1, open="low")] = 0.99
    w0: Annotated[float, AtLeast(0)] | None = None
    gamma_size: Annotated[int, AtLeast(1)] | None = None
    tolerance: Annotated[float, Between(0, 0.1)] = 1e-9

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        plain = earnings(budget=self.alpha, factor=1.0, w0=self.w0, decay=1.0, eta=None)
        pay = Earnings(base=plain.base, first=plain.first, later=plain.later, decay=self.decay, base_fades=True)
        return wealth_rule(SLOW, pay, gamma_size=self.gamma_size, tolerance=self.tolerance)
