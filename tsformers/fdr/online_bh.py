"""Benjamini and Hochberg's rule, applied anew at every test to the latest p-values."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, ClassVar

import tsformers.fdr.ranking_kernel as ranking
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.ranking_kernel import Rule
from tsformers.fdr.weights import check_alpha, refuse_decay


@dataclass(frozen=True)
class OnlineBH(Procedure):
    """Benjamini-Hochberg over the latest p-values: an alarm where the newest is among those it rejects.

    The rule sorts the n p-values in sight, the newest included, and rejects up to ``p_(k)``, k the largest rank with
    ``p_(k) <= alpha k / n``. The newest is rejected just when it is at or below

        level = alpha k / n, with k the largest number such that k - 1 of the others are at or below alpha k / n,

    which is settled before it is seen. So the decisions are those of the rule, and the level is predictable.

    Guaranteed: nothing about the alarms of a stream. At each single moment the rule's whole set of rejections has
    FDR <= alpha for independent p-values, but the alarms are picked from many such sets, one at a time. It is here to
    compare with, and because many monitors do just this.

    Args:
        alpha: share of false alarms among alarms aimed at.
        window: how many p-values are in sight. None: all of the stream, with a state that grows by those at or below
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

    alpha: float = 0.05
    _: KW_ONLY
    window: int | None = 10_000
    decay: float = 1.0

    _kernel: ClassVar[Any] = ranking

    def __post_init__(self) -> None:
        self._rule  # noqa: B018  # refuses what is out of range

    @cached_property
    def _rule(self) -> Rule:
        check_alpha(self.alpha)
        refuse_decay(self)
        if self.window is not None and (self.window < 2 or self.window != int(self.window)):
            raise ValueError(f"window must be a whole number from 2, or None for all of the stream; got {self.window}")
        return Rule(alpha=float(self.alpha), window=int(self.window or 0))

    @property
    def _floor(self) -> float:
        return self.alpha / self.window if self.window else 0.0
