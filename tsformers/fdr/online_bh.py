"""Benjamini and Hochberg's rule, applied at every test to the latest p-values."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import tsformers.fdr.ranking_kernel as ranking
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.ranking_kernel import RankingRule
from tsformers.fdr.weights import refuse_decay
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class OnlineBH(Procedure):
    """Benjamini-Hochberg over the latest p-values: an alarm where the newest is among those it rejects.

    The rule sorts the n p-values in the window, the newest included, and rejects up to ``p_(k)``, k the largest rank
    with ``p_(k) <= alpha k / n``. The newest is rejected just when it is at or below

        level = alpha k / n, with k the largest number such that k - 1 of the others are at or below alpha k / n,

    which is fixed before it is known. So the decisions are those of the rule, and the level is predictable.

    Guaranteed: nothing about the alarms of a stream. At each single moment the rule's whole set of rejections has
    FDR <= alpha for independent p-values, but the alarms are picked from many such sets, one at a time. It is here for
    comparison, and because many monitors do just this.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
        window: how many p-values the rule sorts. None: all of the stream, with a state that grows by those at or below
            alpha, and a test that costs as much as there are of them. Eight bytes for each are set aside at the start.
        decay: 1; there is no decayed form.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> procedure = OnlineBH(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.04, 0.06, 0.5, 0.08)]
        [True, True, False, False]
        >>> procedure.next_level
        0.08

    Source: Benjamini & Hochberg (1995).
    """

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    window: Annotated[int, AtLeast(2)] | None = 10_000
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0

    kernel: ClassVar[Any] = ranking

    @cached_property
    def rule(self) -> RankingRule:
        """What the settings mean for the kernel."""
        refuse_decay(self)
        return RankingRule(alpha=float(self.alpha), window=int(self.window or 0))

    @property
    def least_level(self) -> float:
        """What the level never falls below; 0 without a window."""
        return self.alpha / self.window if self.window else 0.0
