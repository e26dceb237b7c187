"""ADDIS: SAFFRON that also discards p-values too large to be evidence of anything."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from math import inf
from typing import Annotated

from tsformers.errors import TsformersError
from tsformers.fdr.gamma import FAST
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import WealthRule
from tsformers.fdr.weights import earnings, wealth_rule
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class ADDIS(Procedure):
    """ADDIS: only tests with ``lambda_ < p <= tau`` cost anything; the choice where p-values of nulls are too large.

    With ``g(j) = 0.4375 j^-1.6``, N_0 the number of such tests before test t and N_j those after discovery j:

        level = min(lambda, (tau - lambda) [w0 g(1 + N_0) + (alpha - w0) g(1 + N_1) + alpha sum_{j >= 2} g(1 + N_j)])

    With ``decay`` = delta < 1, or with ``eta`` given:

        level = min(lambda, alpha (tau - lambda) [eta max(g(1 + N_0), 1 - delta) + sum_j delta^(t - tau_j) g(1 + N_j)])

    With ``lag`` = L the last L tests count as costing, and a discovery pays from L tests later on, as if it had been
    made then; its weight fades from the discovery itself.

    Guaranteed: FDR <= alpha for independent p-values whose nulls are uniformly conservative: ``P(p <= u v | p <= v) <=
    u``, true of uniform ones and of most that are too large. On every path the sum of ``level 1{lambda < p <= tau} /
    (tau - lambda)`` is at most ``alpha max(R, 1)``; with decay, weighted by ``delta^(T - t)``, at most ``alpha (eta +
    R_d(T))``, and the smoothed decayed rate is controlled. With ``lag``, for p-values that depend on the last L at
    most: mFDR <= alpha. Not guaranteed: anything for other dependent p-values; ordinary FDR with decay, see ``LORD``;
    more alarms for smaller p-values, since one that falls below tau begins to cost.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
        w0: wealth at the start, at most alpha; None: half of it.
        lambda_: what makes a candidate, and the highest level there is.
        tau: p-values above it are discarded.
        decay: delta; memory lasts about ``1 / (1 - decay)`` tests.
        eta: offset of the smoothed rate; None: 1 with decay, no smoothing without.
        lag: how many tests back a p-value may depend on others.
        gamma_size: see ``LORD``; the terms are counted by the tests that cost.
        tolerance: see ``LORD``.

    Raises:
        ValueError: a setting is out of range, or does not go with another.

    Example:
        >>> procedure = ADDIS(alpha=0.1)
        >>> [procedure.test(p)[1] for p in (0.9, 0.001, 0.4, 0.7)]
        [False, True, False, False]
        >>> round(procedure.next_level, 6)
        0.003608

    Source: Tian & Ramdas (2019); Zrnic, Ramdas & Jordan (2021), lag; Rebjock, Kurt, Januschowski & Callot (2021),
    decay.
    """

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    w0: Annotated[float, AtLeast(0)] | None = None
    lambda_: Annotated[float, Between(0, 1, open="both")] = 0.25
    tau: Annotated[float, Between(0, 1, open="low")] = 0.5
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    eta: Annotated[float, Between(0, inf, open="both")] | None = None
    lag: Annotated[int, AtLeast(0)] = 0
    gamma_size: Annotated[int, AtLeast(1)] | None = None
    tolerance: Annotated[float, Between(0, 0.1)] = 1e-9

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        if not self.lambda_ < self.tau:
            raise TsformersError(
                f"the thresholds must keep 0 < lambda_ < tau <= 1; got a lambda_ of {self.lambda_}, a tau of {self.tau}"
            )
        factor = self.tau - self.lambda_
        return wealth_rule(
            FAST,
            earnings(budget=self.alpha, factor=factor, w0=self.w0, decay=self.decay, eta=self.eta),
            clock=(self.lambda_, self.tau),
            cap=self.lambda_,
            lag=self.lag,
            gamma_size=self.gamma_size,
            tolerance=self.tolerance,
        )
