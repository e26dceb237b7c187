"""Alpha investing: SAFFRON with a candidate threshold that follows the level."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

from tsformers.fdr.gamma import FAST
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import WealthRule
from tsformers.fdr.weights import earnings, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class AlphaInvesting(Procedure):
    """Alpha-investing in SAFFRON's form: discoveries cost nothing, and the level is its own candidate threshold.

    With R_0 the discoveries before test t and R_j those after discovery j:

        s = w0 g(t - R_0) + (alpha - w0) g(t - tau_1 - R_1) + alpha sum_{j >= 2} g(t - tau_j - R_j)
        level = s / (1 + s)

    Guaranteed: FDR <= alpha for independent p-values. Not guaranteed: anything for dependent ones.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
        w0: wealth at the start, at most alpha; None: half of it.
        gamma_size: see ``LORD``; the terms are counted by tests without a discovery.
        tolerance: see ``LORD``.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> procedure = AlphaInvesting(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.8, 0.001, 0.4, 0.01)]
        [False, True, False, True]

    Source: Foster & Stine (2008); Ramdas, Zrnic, Wainwright & Jordan (2018), section 2.5.
    """

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    w0: Annotated[float, AtLeast(0)] | None = None
    gamma_size: Annotated[int, AtLeast(1)] | None = None
    tolerance: Annotated[float, Between(0, 0.1)] = 1e-9

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        pay = earnings(budget=self.alpha, factor=1.0, w0=self.w0, decay=1.0, eta=None)
        return wealth_rule(FAST, pay, gamma_size=self.gamma_size, tolerance=self.tolerance, adaptive=True)
