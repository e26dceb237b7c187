"""LORD++ and its forms: levels rise with each discovery and fall with the time since."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from math import inf
from typing import Annotated

from tsformers.errors import TsformersError
from tsformers.fdr.gamma import DEPENDENT, SLOW
from tsformers.fdr.procedure import Procedure
from tsformers.fdr.wealth_kernel import SPENT, SUMS, WealthRule
from tsformers.fdr.weights import Earnings, earnings, wealth_rule
from tsformers.messages import Option
from tsformers.validation import AtLeast, Between


@dataclass(frozen=True)
class LORD(Procedure):
    """LORD++: each discovery pays for later tests, and the level falls with the time since the last ones.

    With discoveries at ``tau_1 < tau_2 < ...`` before test t, and ``g`` the slowly falling sequence of ``gamma``:

        level = w0 g(t) + (alpha - w0) g(t - tau_1) + alpha sum_{j >= 2} g(t - tau_j)

    With ``decay`` = delta < 1, or with ``eta`` given, the smoothed form with decaying memory, whose level has a floor:

        level = alpha eta max(g(t), 1 - delta) + alpha sum_j delta^(t - tau_j) g(t - tau_j)

    With ``tau`` < 1 (D-LORD) p-values above it are discarded: t counts the others alone, alpha becomes tau alpha, and
    the level is tau at most. With ``lag`` = L a discovery pays from L tests later on: ``delta^(t - tau_j) g(t - tau_j -
    L)``.

    Guaranteed: FDR <= alpha at every time for independent p-values, and mFDR <= alpha where each null p-value is
    conservative given the decisions before it (with ``lag``: given those more than L tests ago); with ``tau`` < 1 null
    p-values must be uniformly conservative. On every path ``sum of levels <= alpha max(R, 1)``. With decay: the
    smoothed decayed rate ``E[V_d / (R_d + eta)] <= alpha``, by ``sum delta^(T - t) level_t <= alpha (eta + R_d(T))``.
    Not guaranteed: anything for dependent p-values (see ``dependent``); and, with decay, the ordinary FDR, which tends
    to 1 when anomalies are rare, because false alarms continue at a rate of about ``alpha eta (1 - delta)`` a test.

    Args:
        alpha: the target FDR: the share of false alarms among alarms.
        w0: wealth at the start, at most alpha (tau alpha); None: half of it.
        tau: discard p-values above it; None: keep all.
        decay: delta; memory lasts about ``1 / (1 - decay)`` tests.
        eta: offset of the smoothed rate; None: 1 with decay, no smoothing without. Larger: higher levels.
        lag: L, how many tests back a p-value may depend on others.
        dependent: the form for any dependence: ``level = alpha / (alpha - w0) g_D(t) W(last discovery)``, where the
            wealth W starts at w0 <= alpha / 2, loses each level and gains ``alpha - w0`` a discovery. It controls FDR
            whatever the dependence, and finds far less.
        gamma_size: None: the infinite series; L: its first L terms, scaled to sum 1, and 0 beyond. Sums are exact then,
            and a test costs as much as there are discoveries among the last L tests.
        tolerance: relative error allowed in what past discoveries pay, from 1e-11. It only lowers levels, and buys
            constant memory: about a hundred running sums of exponentials. It holds for discoveries up to 1e9 tests old
            (with decay: until they weigh less than the tolerance), and later levels are lower still; rounding adds up
            to 1.2e-16 a test since. 0: exact, with a list that grows with the discoveries.
        fade_in_flight: False: weights ``delta^(t - tau_j - L)``, as one published package has it. The budget is then
            exceeded by up to ``delta^-L``.

    Raises:
        ValueError: a setting is out of range, or does not go with another.

    Example:
        >>> procedure = LORD(alpha=0.1, w0=0.05)
        >>> [procedure.test(p)[1] for p in (0.3, 1e-6, 0.4, 1e-3)]
        [False, True, False, False]
        >>> round(procedure.next_level, 6)
        0.000845
        >>> LORD(alpha=0.1, decay=0.99).least_level
        0.0010000000000000009

    Source: Ramdas, Yang, Wainwright & Jordan (2017), LORD++; Javanmard & Montanari (2018), any dependence; Tian &
    Ramdas (2019), discarding; Zrnic, Ramdas & Jordan (2021), lag; Rebjock, Kurt, Januschowski & Callot (2021), decay.
    """

    alpha: Annotated[float, Between(0, 1, open="both")] = 0.05
    _: KW_ONLY
    w0: Annotated[float, AtLeast(0)] | None = None
    tau: Annotated[float, Between(0, 1, open="low")] | None = None
    decay: Annotated[float, Between(0, 1, open="low")] = 1.0
    eta: Annotated[float, Between(0, inf, open="both")] | None = None
    lag: Annotated[int, AtLeast(0)] = 0
    dependent: bool = False
    gamma_size: Annotated[int, AtLeast(1)] | None = None
    tolerance: Annotated[float, Between(0, 0.1)] = 1e-9
    fade_in_flight: bool = True

    @cached_property
    def rule(self) -> WealthRule:
        """What the settings mean for the kernel."""
        if self.dependent:
            return self._for_any_dependence()
        tau = 1.0 if self.tau is None else self.tau
        pay = earnings(budget=tau * self.alpha, factor=1.0, w0=self.w0, decay=self.decay, eta=self.eta)
        return wealth_rule(
            SLOW,
            pay,
            clock=(-1.0, tau),
            cap=tau,
            lag=self.lag,
            fade_in_flight=self.fade_in_flight,
            gamma_size=self.gamma_size,
            tolerance=self.tolerance,
            memory=SUMS,
        )

    def _for_any_dependence(self) -> WealthRule:
        others = {
            "tau": self.tau,
            "eta": self.eta,
            "lag": self.lag or None,
            "decay": self.decay if self.decay != 1 else None,
        }
        unfit = [name for name, value in others.items() if value is not None]
        if unfit:
            raise TsformersError(
                Option("dependent", True), f" needs no lag and has no form with {', '.join(unfit)}; leave that out"
            )
        wealth = self.alpha / 10 if self.w0 is None else self.w0
        reward = self.alpha - wealth
        if not 0 < wealth <= reward:
            raise TsformersError(
                "with ",
                Option("dependent", True),
                f" w0 must lie between 0 and alpha / 2 = {self.alpha / 2:.6g}; got {self.w0}",
            )
        pay = Earnings(base=wealth, first=reward, later=reward)
        spent = wealth_rule(DEPENDENT, pay, gamma_size=self.gamma_size, tolerance=self.tolerance, memory=SPENT)
        return spent._replace(norm=spent.norm * self.alpha / reward)
