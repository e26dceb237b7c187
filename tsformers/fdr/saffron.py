"""SAFFRON: as LORD, but only tests with large p-values cost wealth."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from math import inf
from typing import Annotated

from tsformers.fdr.gamma import FAST
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import WealthRule
from tsformers.fdr.weights import earnings, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class SAFFRON(Procedure):
    """SAFFRON: as LORD, but p-values at or below ``lambda_`` (candidates) cost nothing.

    With ``g(j) = 0.4375 j^-1.6``, C_0 the candidates before test t and C_j those after discovery j and before t:

        level = min(lambda, (1 - lambda) [w0 g(t - C_0) + (alpha - w0) g(t - tau_1 - C_1)
                                          + alpha sum_{j >= 2} g(t - tau_j - C_j)])

    With ``decay`` = delta < 1, or with ``eta`` given:

        level = min(lambda, alpha (1 - lambda) [eta max(g(t - C_0), 1 - delta)
                                                + sum_j delta^(t - tau_j) g(t - tau_j - C_j)])

    With ``lag`` = L the last L tests count as no candidates, and a discovery pays from L tests later on, as if it had
    been made then; its weight fades from the discovery itself.

    Guaranteed: FDR <= alpha for independent p-values, because ``level 1{p > lambda} / (1 - lambda)`` is on average no
    less than the level of a null; it adapts to the share of nulls and so finds more than LORD where anomalies are not
    rare. On every path the sum of that is at most ``alpha max(R, 1)``; with decay ``sum delta^(T - t) level_t 1{p_t >
    lambda} / (1 - lambda) <= alpha (eta + R_d(T))``, and the smoothed decayed rate is controlled. With ``lag``, for
    p-values that depend on the last L at most: mFDR <= alpha. Not guaranteed: anything for other dependent p-values;
    the ordinary FDR with decay, see ``LORD``.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
        w0: wealth at the start, at most alpha; None: half of it.
        lambda_: what makes a candidate, and the highest level there is.
        decay: delta; memory lasts about ``1 / (1 - decay)`` tests.
        eta: offset of the smoothed rate; None: 1 with decay, no smoothing without.
        lag: how many tests back a p-value may depend on others.
        gamma_size: see ``LORD``; the terms are counted by non-candidates.
        tolerance: see ``LORD``.

    Raises:
        ValueError: a setting is out of range, or does not go with another.

    Example:
        >>> procedure = SAFFRON(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.8, 0.001, 0.4, 0.01)]
        [False, True, False, True]
        >>> round(procedure.next_level, 5)
        0.03642

    Source: Ramdas, Zrnic, Wainwright & Jordan (2018); Zrnic, Ramdas & Jordan (2021), lag; Rebjock, Kurt, Januschowski &
    Callot (2021), decay.
    """

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    w0: Annotated[float, AtLeast(0)] | None = None
    lambda_: Annotated[float, Between(0, 1, open="both")] = 0.5
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    eta: Annotated[float, Between(0, inf, open="both")] | None = None
    lag: Annotated[int, AtLeast(0)] = 0
    gamma_size: Annotated[int, AtLeast(1)] | None = None
    tolerance: Annotated[float, Between(0, 0.1)] = 1e-9

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        return wealth_rule(
            FAST,
            earnings(budget=self.alpha, factor=1 - self.lambda_, w0=self.w0, decay=self.decay, eta=self.eta),
            clock=(self.lambda_, 1.0),
            cap=self.lambda_,
            lag=self.lag,
            gamma_size=self.gamma_size,
            tolerance=self.tolerance,
        )
