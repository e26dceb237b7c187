"""S4DLayer: diagonal state spaces, one linear system of continuous time for each feature."""

import math
from typing import Literal

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor, nn

from tsformers.nn.recurrent.cell import RecurrentCell, hide_padding
from tsformers.nn.recurrent.scan import linear_scan

CHUNK_STEPS = 64  # between the states that are computed
MIN_RATE = 3e-7  # of decay a step; float32 would round the modulus to 1 below 6e-8
LOG_LIMIT = 20.0  # of dt and decay, so that no exponential is infinite and no gradient 0 * infinity
MAX_RATE = 80.0  # below the logarithm of the smallest number of float32, so that no power is 0 * infinity


class S4DLayer(RecurrentCell):
    """A bank of diagonal state spaces, each feature driving states of its own; features are not mixed.

    ``x' = a x + u`` and ``y = 2 Re(c x) + D u`` with complex ``a`` of negative real part, one of each conjugate pair.
    With a step of length ``dt``, learned for each feature, and the input held between steps (zero-order hold) it is
    ``x[k] = exp(dt a) x[k - 1] + (exp(dt a) - 1) / a u[k]``. The input vector of the paper is 1: ``c`` absorbs it.

    Over a sequence, outputs inside chunks of 64 steps are products of inputs with the convolution kernel, and only the
    states at the ends of chunks go through :func:`linear_scan`. Neither states of every step, which would be
    d_state / 2 times as large as the inputs, nor a transform over the whole length are needed.

    Args:
        d_model: width of inputs and outputs.
        d_state: real numbers in a feature's state, twice the number of complex ones; even.
        dt_min: shortest initial step, drawn log-uniformly between the two.
        dt_max: longest initial step; the initial memory is about ``2 / dt`` steps.
        spectrum: initial ``a``: "lin", ``-1/2 + i pi n``; "inv", ``-1/2 + i (N / pi) (N / (2 n + 1) - 1)``; or
            "legs", the spectrum of the normal part of the HiPPO-LegS matrix, N being ``d_state``.

    Raises:
        ValueError: ``d_state`` is odd or below 2, the steps are not ``0 < dt_min <= dt_max``, or the spectrum's name is
            unknown.

    Example:
        >>> layer = S4DLayer(d_model=4, d_state=16)
        >>> u = torch.randn(2, 1000, 4)
        >>> _, state = layer.scan(u[:, :-1])
        >>> bool(torch.allclose(layer.step(u[:, -1], state)[0], layer(u)[:, -1], atol=1e-4))
        True

    Source: Gu, Goel, Gupta & Re (2022), On the Parameterization and Initialization of Diagonal State Space Models.
    """

    def __init__(
        self,
        d_model: int,
        d_state: int = 64,
        dt_min: float = 1e-3,
        dt_max: float = 1e-1,
        spectrum: Literal["lin", "inv", "legs"] = "lin",
    ) -> None:
        super().__init__()
        if d_state < 2 or d_state % 2:
            raise ValueError(f"d_state is {d_state}; conjugate pairs need an even number, at least 2")
        if not 0 < dt_min <= dt_max:
            raise ValueError(f"dt_min is {dt_min} and dt_max {dt_max}; steps need 0 < dt_min <= dt_max")
        self.d_model, self.d_state, pairs = d_model, d_state, d_state // 2
        low, high = math.log(dt_min), math.log(dt_max)
        self.dt_log = nn.Parameter(torch.rand(d_model) * (high - low) + low)
        self.decay_log = nn.Parameter(torch.full((d_model, pairs), math.log(0.5)))
        self.frequency = nn.Parameter(frequencies(spectrum, pairs).expand(d_model, pairs).clone())
        self.C_re = nn.Parameter(torch.randn(d_model, pairs) * math.sqrt(0.5))
        self.C_im = nn.Parameter(torch.randn(d_model, pairs) * math.sqrt(0.5))
        self.D = nn.Parameter(torch.randn(d_model))

    def scan(
        self,
        u: Float[Tensor, "B T D"],
        state: Complex[Tensor, "B D P"] | None = None,
        start: Int64[Tensor, " B"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], Complex[Tensor, "B D P"]]:
        """See ``RecurrentCell``; never below float32, also under mixed precision.

        Source: Gu, Goel, Gupta & Re (2022), S4D, section 3, with chunks in place of one convolution.
        """
        with torch.autocast(u.device.type, enabled=False):
            y, last = self._chunks(hide_padding(u, state, start).to(self.D.dtype), state)
        return y.to(u.dtype), last

    def _chunks(self, u: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        batch, length, width = u.shape
        steps = min(CHUNK_STEPS, length)
        ahead = -length % steps  # zeros before the first step complete the first chunk
        powers, entering = self.discretised(steps)  # (D, P, c + 1) and (D, P)
        readout = 2 * torch.complex(self.C_re, self.C_im)
        response = ((readout * entering)[..., None] * powers[..., :steps]).sum(1).real  # (D, c)
        kernel = torch.cat([torch.zeros_like(response), response], dim=1)
        lag = torch.arange(steps, device=u.device) - torch.arange(steps, device=u.device)[:, None]
        inside = kernel[:, lag + steps]  # (D, c, c), from the step of the input to that of the output
        padded = torch.cat([u.new_zeros(batch, ahead, width), u], dim=1)
        rows = padded.view(batch, -1, steps, width).permute(3, 0, 1, 2).flatten(1, 2)  # (D, B k, c)

        into = torch.view_as_real((entering[..., None] * powers[..., :steps].flip(-1)).transpose(1, 2)).flatten(2)
        ends = torch.view_as_complex((rows @ into).view(width, batch, -1, self.d_state // 2, 2))  # (D, B, k, P)
        ends = ends.permute(1, 2, 0, 3)  # (B, k, D, P)
        if state is not None:
            met = torch.cat([(powers[..., steps - ahead] * state)[:, None], torch.zeros_like(ends[:, 1:])], dim=1)
            ends = ends + met
        states = linear_scan(powers[..., steps].flatten(), ends.flatten(2)).view(ends.shape)
        carried = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
        rest = (readout[..., None] * powers[..., 1:]).conj().resolve_conj()  # Re(z w) = Re z Re w' + Im z Im w'
        out = torch.view_as_real(rest).transpose(2, 3).flatten(1, 2)  # (D, 2 P, c)
        pairs = torch.view_as_real(carried.permute(2, 0, 1, 3).flatten(1, 2)).flatten(2)  # (D, B k, 2 P)
        y = torch.baddbmm(rows @ inside, pairs, out).view(width, batch, -1).permute(1, 2, 0)[:, ahead:]
        if state is not None:
            parts = torch.view_as_real(state.transpose(0, 1).resolve_conj()).flatten(2)  # (D, B, 2 P)
            first = (parts @ out[..., : steps - ahead]).permute(1, 2, 0)
            y = torch.cat([y[:, : steps - ahead] + first, y[:, steps - ahead :]], dim=1)
        return y + self.D * u, states[:, -1]

    def step(
        self, u: Float[Tensor, "B D"], state: Complex[Tensor, "B D P"]
    ) -> tuple[Float[Tensor, "B D"], Complex[Tensor, "B D P"]]:
        """See ``RecurrentCell``.

        Source: Gu, Goel, Gupta & Re (2022), S4D, section 2.
        """
        with torch.autocast(u.device.type, enabled=False):
            wide = u.to(self.D.dtype)
            powers, entering = self.discretised(1)
            state = powers[..., 1] * state + entering * wide[..., None]
            y = 2 * (torch.complex(self.C_re, self.C_im) * state).real.sum(-1) + self.D * wide
        return y.to(u.dtype), state

    def initial_state(self, batch: int) -> Complex[Tensor, "B D P"]:
        """Zeros.

        Source: Gu, Goel, Gupta & Re (2022), S4D, section 2.
        """
        zeros = self.D.new_zeros(batch, *self.frequency.shape)
        return torch.complex(zeros, zeros)

    def recurrent_parameters(self) -> list[nn.Parameter]:
        """Steps and spectrum.

        Source: Gu, Goel, Gupta & Re (2022), S4D, section 4.
        """
        return [self.dt_log, self.decay_log, self.frequency]

    def discretised(self, count: int) -> tuple[Tensor, Tensor]:
        """``exp(j dt a)`` for j = 0, ..., count, and ``(exp(dt a) - 1) / a`` with no cancellation at small steps."""
        dt = torch.exp(self.dt_log.clamp(-LOG_LIMIT, LOG_LIMIT))[:, None]
        decay = dt * torch.exp(self.decay_log.clamp(-LOG_LIMIT, LOG_LIMIT))
        decay = decay.clamp(MIN_RATE, MAX_RATE)
        turn = dt * self.frequency
        j = torch.arange(count + 1, device=dt.device, dtype=dt.dtype)
        powers = torch.polar(torch.exp(-decay[..., None] * j), turn[..., None] * j)
        shrunk = torch.expm1(-decay)
        gained = torch.complex(
            shrunk * torch.cos(turn) - 2 * torch.sin(turn / 2) ** 2, (1 + shrunk) * torch.sin(turn)
        )  # exp(z) - 1
        return powers, dt * gained / torch.complex(-decay, turn)

    def extra_repr(self) -> str:
        """The settings that ``print`` shows."""
        return f"d_model={self.d_model}, d_state={self.d_state}"


def frequencies(spectrum: str, pairs: int) -> Float[Tensor, " P"]:
    """Imaginary parts of the spectrum, one of each pair, the lowest first.

    Example:
        >>> frequencies("lin", 3)
        tensor([0.0000, 3.1416, 6.2832])

    Source: Gu, Goel, Gupta & Re (2022), S4D, section 4.2.
    """
    n, size = torch.arange(pairs, dtype=torch.float64), 2 * pairs
    if spectrum == "lin":
        found = math.pi * n
    elif spectrum == "inv":
        found = (size / math.pi * (size / (2 * n + 1) - 1)).flip(0)
    elif spectrum == "legs":
        root = torch.sqrt(2 * torch.arange(size, dtype=torch.float64) + 1)
        skew = 0.5 * torch.tril(root[:, None] * root, diagonal=-1)  # the normal part without its -1/2 on the diagonal
        found = torch.linalg.eigvalsh(1j * (skew - skew.T))[pairs:]
    else:
        raise ValueError(f"spectrum is {spectrum!r}; there are 'lin', 'inv' and 'legs'")
    return found.to(torch.get_default_dtype())
