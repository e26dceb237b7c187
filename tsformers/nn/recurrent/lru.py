"""LRULayer: linear recurrent units with complex states."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from tsformers.nn.recurrent.cell import RecurrentCell, hide_padding
from tsformers.nn.recurrent.scan import linear_scan, scan_adjoint, scan_states

DRAW_MARGIN = 1e-6  # of uniform draws and phases, so that no logarithm is infinite
# Outside these numbers float32 fails: exp(-exp(nu_log)) rounds to 1 below -17.3, and exp(nu_log) is infinite, its
# gradient not a number, above 88. At 4 a modulus is 1e-24; phases of 8,000 rad have long repeated themselves.
NU_LOG_RANGE = (-15.0, 4.0)
THETA_LOG_LIMIT = 9.0
SEASONAL_MODULUS = 0.999


class LRULayer(RecurrentCell):
    """A linear recurrent unit: complex states that rotate and decay, each at its own rate.

    ``x[k] = lambda x[k - 1] + exp(gamma_log) (B u[k])`` and ``y[k] = Re(C x[k]) + D u[k]``, with
    ``lambda = exp(-exp(nu_log) + i exp(theta_log))``, whose modulus is below 1 whatever the parameters are. Before
    training the lambda are uniform over the ring ``r_min <= |lambda| <= r_max`` and ``gamma`` makes states as large as
    inputs. Padding and carried states: see :class:`RecurrentCell`.

    Args:
        d_model: width of inputs and outputs.
        d_state: number of complex states.
        r_min: smallest initial modulus; a state forgets in about ``1 / (1 - |lambda|)`` steps.
        r_max: largest initial modulus.
        max_phase: largest initial rotation a step, in radians; 2 pi reaches every period, pi / 10 those above 20 steps.

    Raises:
        ValueError: not ``0 <= r_min <= r_max <= 1`` with ``r_max > 0``, ``max_phase`` is not positive, or a width is
            below 1.

    Example:
        >>> layer = LRULayer(d_model=4, d_state=8, r_min=0.9, r_max=0.999)
        >>> u = torch.randn(2, 1000, 4)
        >>> _, state = layer.scan(u[:, :-1])
        >>> bool(torch.allclose(layer.step(u[:, -1], state)[0], layer(u)[:, -1], atol=1e-4))
        True

    Source: Orvieto et al. (2023), LRU, section 3 and appendix A.
    """

    def __init__(
        self, d_model: int, d_state: int, r_min: float = 0.0, r_max: float = 1.0, max_phase: float = 2 * math.pi
    ) -> None:
        super().__init__()
        if not (0 <= r_min <= r_max <= 1 and r_max > 0):
            raise ValueError(f"r_min is {r_min} and r_max {r_max}; a ring needs 0 <= r_min <= r_max <= 1 and r_max > 0")
        if not max_phase > 0:
            raise ValueError(f"max_phase is {max_phase}; it must be positive")
        if min(d_model, d_state) < 1:
            raise ValueError(f"d_model is {d_model} and d_state {d_state}; both must be at least 1")
        self.d_model, self.d_state = d_model, d_state
        nu_log, theta_log, gamma_log = ring(torch.rand(d_state), torch.rand(d_state), r_min, r_max, max_phase)
        self.nu_log, self.theta_log = nn.Parameter(nu_log), nn.Parameter(theta_log)
        self.gamma_log = nn.Parameter(gamma_log)
        self.B_re = nn.Parameter(torch.randn(d_state, d_model) / math.sqrt(2 * d_model))
        self.B_im = nn.Parameter(torch.randn(d_state, d_model) / math.sqrt(2 * d_model))
        self.C_re = nn.Parameter(torch.randn(d_model, d_state) / math.sqrt(d_state))
        self.C_im = nn.Parameter(torch.randn(d_model, d_state) / math.sqrt(d_state))
        self.D = nn.Parameter(torch.randn(d_model))

    def scan(
        self,
        u: Float[Tensor, "B T D"],
        state: Complex[Tensor, "B N"] | None = None,
        start: Int64[Tensor, " B"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], Complex[Tensor, "B N"]]:
        """See ``RecurrentCell``; never below float32, also under mixed precision.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        with torch.autocast(u.device.type, enabled=False):
            wide = hide_padding(u, state, start).to(self.D.dtype)
            lam, inward, outward = self.matrices()
            y, last = _Recurrence.apply(wide, lam, inward, outward, self.D, state)  # type: ignore[no-untyped-call]
        return y.to(u.dtype), last

    def step(
        self, u: Float[Tensor, "B D"], state: Complex[Tensor, "B N"]
    ) -> tuple[Float[Tensor, "B D"], Complex[Tensor, "B N"]]:
        """See ``RecurrentCell``.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        with torch.autocast(u.device.type, enabled=False):
            lam, inward, outward = self.matrices()
            wide = u.to(self.D.dtype)
            state = lam * state + _paired(functional.linear(wide, inward))
            y = functional.linear(_parts(state), outward) + self.D * wide
        return y.to(u.dtype), state

    def initial_state(self, batch: int) -> Complex[Tensor, "B N"]:
        """Zeros.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        return torch.complex(self.D.new_zeros(batch, self.d_state), self.D.new_zeros(batch, self.d_state))

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """Parameters of the states; C and D are trained like any other map.

        Source: Orvieto et al. (2023), LRU, appendix A.
        """
        return [self.nu_log, self.theta_log, self.gamma_log, self.B_re, self.B_im]

    def eigenvalues(self) -> Complex[Tensor, " N"]:
        """lambda: rotation and decay of each state in a step.

        Computed in double precision where the device has it: over a thousand steps that removes four fifths of the
        error of float32, which is that of lambda.

        Source: Orvieto et al. (2023), LRU, section 3.3.
        """
        wide = self.nu_log.dtype if self.nu_log.device.type == "mps" else torch.float64
        nu = torch.exp(self.nu_log.to(wide).clamp(*NU_LOG_RANGE))
        theta = torch.exp(self.theta_log.to(wide).clamp(max=THETA_LOG_LIMIT))
        return torch.polar(torch.exp(-nu), theta).to(self.nu_log.dtype.to_complex())

    def matrices(self) -> tuple[Complex[Tensor, " N"], Float[Tensor, "M D"], Float[Tensor, "D M"]]:
        """The matrices of the layer, for code that steps it by other means.

        Returns:
            lambda; ``exp(gamma_log) B``, real and imaginary row of a state one after the other, M = 2 N; and the
            map from real and imaginary parts, in the same order, to outputs. D comes on top.

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        inward = torch.stack([self.B_re, self.B_im], dim=1) * torch.exp(self.gamma_log)[:, None, None]
        outward = torch.stack([self.C_re, -self.C_im], dim=2)
        return self.eigenvalues(), inward.flatten(0, 1), outward.flatten(1)

    @torch.no_grad()
    def seed_periods(self, periods: Sequence[float | int], harmonics: int = 1) -> int:
        """Sets the first states to seasonal frequencies: ``lambda = 0.999 exp(2 pi i j / period)``.

        Harmonics above half a rotation a step are left out, since they are aliases of lower ones. So are frequencies
        that an earlier period has already.

        Args:
            periods: in steps, above 1.
            harmonics: how many of each, ``j = 1, ..., harmonics``.

        Returns:
            How many states were set.

        Raises:
            ValueError: a period is not above 1, ``harmonics`` is below 1, or the layer has too few states.

        Source: ours; a state of that frequency and modulus 1 repeats the season.
        """
        if harmonics < 1 or any(not period > 1 for period in periods):
            raise ValueError(
                f"periods {list(periods)} with {harmonics} harmonics: needs periods above 1, harmonics >= 1"
            )
        phases: list[float] = []
        for period in periods:
            turns = (2 * math.pi * j / period for j in range(1, harmonics + 1) if 2 * j <= period or j == 1)
            phases += [turn for turn in turns if not any(math.isclose(turn, other) for other in phases)]
        if len(phases) > self.d_state:
            raise ValueError(f"{len(phases)} seasonal frequencies need as many states, and d_state is {self.d_state}")
        nu = -math.log(SEASONAL_MODULUS)
        chosen = slice(len(phases))
        self.nu_log[chosen] = math.log(nu)
        self.theta_log[chosen] = torch.tensor(phases).log().to(self.theta_log)
        self.gamma_log[chosen] = 0.5 * math.log(-math.expm1(-2 * nu))
        return len(phases)

    def extra_repr(self) -> str:
        """The settings that ``print`` shows."""
        return f"d_model={self.d_model}, d_state={self.d_state}"


def ring(
    u1: Float[Tensor, " N"], u2: Float[Tensor, " N"], r_min: float | int, r_max: float | int, max_phase: float | int
) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"], Float[Tensor, " N"]]:
    """nu_log, theta_log and gamma_log of states uniform, by area, over a ring, from two uniform draws each.

    ``1 - |lambda|^2`` is formed by expm1: near the unit circle the plain difference loses half of float32's digits.

    Example:
        >>> half = torch.tensor([0.5])
        >>> nu_log, _, _ = ring(half, half, 0.9, 0.9, 1.0)
        >>> torch.exp(-torch.exp(nu_log))
        tensor([0.9000])

    Source: Orvieto et al. (2023), LRU, lemma 3.2 and section 3.4.
    """
    area = u1.clamp(DRAW_MARGIN, 1 - DRAW_MARGIN) * (r_max**2 - r_min**2) + r_min**2
    nu = (-0.5 * torch.log(area)).clamp(min=math.exp(NU_LOG_RANGE[0]))
    theta = (max_phase * u2).clamp(min=DRAW_MARGIN)
    return nu.log(), theta.log(), 0.5 * torch.log(-torch.expm1(-2 * nu))


def _paired(values: Tensor) -> Tensor:
    """(..., 2 N) real and imaginary parts in turns, viewed as (..., N) complex, without a copy."""
    return torch.view_as_complex(values.view(*values.shape[:-1], -1, 2))


def _parts(values: Tensor) -> Tensor:
    """Inverse of ``_paired``."""
    return torch.view_as_real(values).flatten(-2)


class _Recurrence(torch.autograd.Function):
    """Projection, scan and readout in one: states overwrite their inputs, and nothing else is kept."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, lam: Tensor, inward: Tensor, outward: Tensor, skip: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        x = scan_states(lam, _paired(functional.linear(u, inward)), state, overwrite=True)
        ctx.save_for_backward(u, lam, inward, outward, skip, state, x)
        return functional.linear(_parts(x), outward).addcmul_(u, skip), x[:, -1].clone()

    @staticmethod
    def backward(ctx: Any, gy: Tensor, g_last: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, x = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _differentiable_gradients(inputs, gy, g_last)
        u, lam, inward, outward, skip, state = inputs
        g = _paired(gy @ outward)
        g[:, -1] += g_last
        h, into_lam = scan_adjoint(lam, g, x, state, overwrite=True)
        rows, outputs = _parts(h).flatten(0, 1), gy.flatten(0, 1)  # (B T, 2 N) and (B T, D)
        into_u = (rows @ inward).addcmul_(outputs, skip).view_as(u) if ctx.needs_input_grad[0] else None
        return (
            into_u,
            into_lam,
            rows.T @ u.flatten(0, 1),
            outputs.T @ _parts(x).flatten(0, 1),
            (outputs * u.flatten(0, 1)).sum(0),
            None if state is None else lam.conj() * h[:, 0],
        )


def _differentiable_gradients(inputs: list[Tensor | None], gy: Tensor, g_last: Tensor) -> tuple[Tensor | None, ...]:
    """Gradients that are differentiable themselves: those of the same layer made of differentiable parts."""
    u, lam, inward, outward, skip, state = inputs
    assert u is not None and lam is not None and inward is not None and outward is not None and skip is not None
    x = linear_scan(lam, _paired(functional.linear(u, inward)), state)
    y = functional.linear(_parts(x), outward) + skip * u
    wanted = [tensor for tensor in inputs if tensor is not None and tensor.requires_grad]
    found = iter(torch.autograd.grad((y, x[:, -1]), wanted, (gy, g_last), create_graph=True))
    return tuple(None if tensor is None or not tensor.requires_grad else next(found) for tensor in inputs)
