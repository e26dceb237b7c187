"""Alpha spending: online control of the family-wise error rate."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

from tsformers.fdr.gamma import SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import COUNT, WealthRule
from tsformers.fdr.weights import Earnings, refuse_decay, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class AlphaSpending(Procedure):
    """Alpha-spending: an online Bonferroni correction, ``level = alpha g(t)``, whatever the p-values.

    Guaranteed: the probability of even one false alarm, ever, is at most alpha, under any dependence. Not guaranteed:
    power; the level falls to 0.

    Args:
        alpha: the target FWER: the probability of any false alarm.
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

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    gamma_size: Annotated[int, AtLeast(1)] | None = None

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        refuse_decay(self)
        return wealth_rule(
            SLOW, Earnings(base=self.alpha, first=0.0, later=0.0), gamma_size=self.gamma_size, memory=COUNT
        )
