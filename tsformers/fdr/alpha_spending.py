"""Alpha spending: online control of the family-wise error rate."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from tsformers.fdr.gamma import SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import COUNT, Rule
from tsformers.fdr.weights import Earnings, check_alpha, refuse_decay, rule


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
