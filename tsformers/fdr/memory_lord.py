"""LORD with memory decay, for endless streams."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from tsformers.fdr.gamma import SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import Rule
from tsformers.fdr.weights import Earnings, check_alpha, earnings, rule


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
