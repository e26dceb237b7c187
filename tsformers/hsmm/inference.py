"""Hidden semi-Markov models: regimes with explicit durations, exactly marginalised, in log space.

The hidden state is a regime z and the run length c of its current segment, from 1. From one step to the next the count
of a regime k grows by 1 with probability ``v_k(c)``; otherwise a new segment begins with count 1, in a regime drawn
from row k of the transition matrix, which may be k again. Counts never exceed D: probability of continuing beyond it
is lost. All functions take the four parts by keyword, as logarithms, -inf = impossible:

- ``log_initial`` (B, K): the first regime.
- ``log_transition`` (B, T, K from, K to): the regime of a segment that begins at t, given the one before.
- ``log_continue`` (B, T, K, D): ``log v_k(c)`` of the step from t - 1 to t, c = 1..D on the last axis.
- ``log_emission`` (B, T, K): the density of the observation at t under each regime.

Of transitions and continuations t = 0 is not read. Missing leading axes and axes of size 1 are broadcast: (K, D) holds
for all steps and samples, (T, K, D) for all samples, (B, 1, K, D) for all steps. Time and memory grow with
``B T K (K + D)``.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

import tsformers.hsmm.dispatch as dispatch
from tsformers.hsmm.torch_ops import INF, Parts, log1mexp


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of regimes, run lengths and changes; all 0 where the data are impossible.

    Only the log-likelihood has a gradient, made of the other fields; those are constants to autograd.

    Example:
        >>> coin = torch.tensor([0.5, 0.5]).log()
        >>> answer = forward_backward(log_initial=coin, log_transition=coin.expand(2, 2),
        ...     log_continue=torch.full((2, 1), -torch.inf), log_emission=torch.zeros(3, 2))
        >>> answer.regime.shape, answer.transition.shape
        (torch.Size([1, 3, 2]), torch.Size([1, 3, 2, 2]))
    """

    log_likelihood: Float[Tensor, " B"]
    regime: Float[Tensor, "B T K"]  # P(z_t = k), the gradient with respect to log_emission
    regime_count: Float[Tensor, "B T K D"]  # P(z_t = k, c_t = c)
    transition: Float[Tensor, "B T K K"]  # [t, i, j]: P(a segment of i ended before t, one of j begins at t)


@dataclass(frozen=True, eq=False)
class Path:
    """Regimes from 0 and run lengths from 1, step by step; ``log_likelihood`` is that of path and data together."""

    regime: Int64[Tensor, "B T"]
    count: Int64[Tensor, "B T"]
    log_likelihood: Float[Tensor, " B"]


@dataclass(frozen=True, eq=False)
class Draws:
    """Paths drawn from a posterior: regimes from 0 and run lengths from 1."""

    regime: Int64[Tensor, "B S T"]
    count: Int64[Tensor, "B S T"]


def forward_backward(
    *,
    log_initial: Float[Tensor, "*b K"],
    log_transition: Float[Tensor, "*bt K K"],
    log_continue: Float[Tensor, "*bt K D"],
    log_emission: Float[Tensor, "*b T K"],
) -> Posterior:
    """Log-likelihood and exact posteriors of regimes and run lengths, by one forward and one backward pass.

    The gradient of the log-likelihood with respect to the four parts is made of the posteriors themselves, without
    recording the passes; there is no second derivative. Impossible transitions have posterior 0 and gradient 0, also
    the end of a segment where ``log_continue`` is 0, or above -1e-38. Data of probability 0 give -inf and zeros.

    Args:
        log_initial: log-probabilities of the first regime; the first count is 1.
        log_transition: log-probabilities of the regime of the next segment; rows are the regime before.
        log_continue: log-probabilities that a segment continues; 0 is certain.
        log_emission: log-densities of the observations, finite or -inf.

    Returns:
        The posterior; B is 1 where no part has an axis of samples.

    Raises:
        TypeError: not all parts are float32, or all float64.
        ValueError: shapes do not match, a part is NaN or +inf, ``log_continue`` is positive, or all regimes of a
            sample are impossible at the first step.

    Example:
        >>> other = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).log()
        >>> lasting = hazards(torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]).log())  # 3 steps; 1 to 3 steps
        >>> observed = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]]).log()
        >>> answer = forward_backward(log_initial=torch.tensor([0.5, 0.5]).log(), log_transition=other,
        ...     log_continue=lasting, log_emission=observed)
        >>> answer.regime[0, :, 0]
        tensor([0.6527, 0.9618, 0.9656, 0.3473, 0.0725])

    Source: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time Series, NeurIPS, section 3; the
        algorithm for explicit durations: Ferguson (1980), and Chiappa (2014), Explicit-Duration Markov Switching
        Models.
    """
    parts = checked(log_initial, log_transition, log_continue, log_emission)
    return Posterior(*_Marginals.apply(*parts))  # type: ignore[no-untyped-call]


def log_likelihood(
    *,
    log_initial: Float[Tensor, "*b K"],
    log_transition: Float[Tensor, "*bt K K"],
    log_continue: Float[Tensor, "*bt K D"],
    log_emission: Float[Tensor, "*b T K"],
) -> Float[Tensor, " B"]:
    """Log-likelihood alone, with the gradient of :func:`forward_backward`; without one there is no backward pass.

    Args:
        log_initial: as there.
        log_transition: as there.
        log_continue: as there.
        log_emission: as there.

    Returns:
        One number a sample; -inf for impossible data.

    Raises:
        TypeError: as there.
        ValueError: as there.

    Example:
        >>> coin = torch.tensor([0.5, 0.5]).log()
        >>> answer = log_likelihood(log_initial=coin, log_transition=coin.expand(2, 2),
        ...     log_continue=torch.full((2, 1), -torch.inf), log_emission=torch.full((7, 2), -1.0))
        >>> round(float(answer), 4)
        -7.0

    Source: Chiappa (2014), Explicit-Duration Markov Switching Models.
    """
    parts = checked(log_initial, log_transition, log_continue, log_emission)
    if torch.is_grad_enabled() and any(part.requires_grad for part in parts):
        return _Marginals.apply(*parts)[0]  # type: ignore[no-untyped-call]
    return dispatch.likelihood(parts)


def viterbi(
    *,
    log_initial: Float[Tensor, "*b K"],
    log_transition: Float[Tensor, "*bt K K"],
    log_continue: Float[Tensor, "*bt K D"],
    log_emission: Float[Tensor, "*b T K"],
) -> Path:
    """The jointly most probable regimes and run lengths.

    Args:
        log_initial: as in :func:`forward_backward`.
        log_transition: as there.
        log_continue: as there.
        log_emission: as there.

    Returns:
        The path, without gradients; the lower index among equals. Impossible data give -inf and regimes of -1.

    Raises:
        TypeError: as there.
        ValueError: as there.

    Example:
        >>> other = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).log()
        >>> lasting = hazards(torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]).log())  # 3 steps; 1 to 3 steps
        >>> observed = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]]).log()
        >>> best = viterbi(log_initial=torch.tensor([0.5, 0.5]).log(), log_transition=other, log_continue=lasting,
        ...     log_emission=observed)
        >>> best.regime, best.count
        (tensor([[0, 0, 0, 1, 1]]), tensor([[1, 2, 3, 1, 2]]))

    Source: Viterbi (1967); with explicit durations: Chiappa (2014), Explicit-Duration Markov Switching Models.
    """
    parts = checked(log_initial, log_transition, log_continue, log_emission)
    with torch.no_grad():
        regime, count, best = dispatch.best_path(parts)
    lost = (best == -INF)[:, None]
    return Path(regime.masked_fill(lost, -1), count.masked_fill(lost, -1), best)


def sample(
    *,
    log_initial: Float[Tensor, "*b K"],
    log_transition: Float[Tensor, "*bt K K"],
    log_continue: Float[Tensor, "*bt K D"],
    log_emission: Float[Tensor, "*b T K"],
    n_samples: int = 1,
    generator: torch.Generator | None = None,
) -> Draws:
    """Regimes and run lengths drawn jointly from the posterior: forward filtering, backward sampling.

    With ``log_emission`` all zeros the draws are from the prior.

    Args:
        log_initial: as in :func:`forward_backward`.
        log_transition: as there.
        log_continue: as there.
        log_emission: as there.
        n_samples: S, paths of each sample.
        generator: of random numbers, on the device of the parts; None is torch's own.

    Returns:
        S independent paths for each sample.

    Raises:
        TypeError: as there.
        ValueError: as there, ``n_samples`` is below 1, or data are impossible.

    Example:
        >>> coin = torch.tensor([0.5, 0.5]).log()
        >>> drawn = sample(log_initial=coin, log_transition=coin.expand(2, 2), n_samples=1000,
        ...     log_continue=hazards(torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]).log()),  # 3 steps; 2 steps
        ...     log_emission=torch.zeros(6, 2), generator=torch.Generator().manual_seed(0))
        >>> sorted(set(map(tuple, drawn.count[0].tolist())))
        [(1, 2, 1, 2, 1, 2), (1, 2, 1, 2, 3, 1), (1, 2, 3, 1, 2, 1), (1, 2, 3, 1, 2, 3)]

    Source: Chiappa (2014), Explicit-Duration Markov Switching Models; backward sampling: Scott (2002).
    """
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}; at least one path must be drawn")
    parts = checked(log_initial, log_transition, log_continue, log_emission)
    with torch.no_grad():
        forward = dispatch.filter_forward(parts)
        lost = (forward.total == -INF).nonzero().flatten().tolist()
        if lost:
            raise ValueError(f"the data of sample {lost[0]} have probability 0: no path can be drawn; check its parts")
        shape = (2, len(forward.total), n_samples, parts.emission.shape[1])
        like = parts.emission
        uniforms = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
        return Draws(*dispatch.draw_paths(forward, uniforms))


def hazards(log_durations: Float[Tensor, "*k D"]) -> Float[Tensor, "*k D"]:
    """``log_continue`` of duration distributions: the log-probability of lasting longer than c, given at least c.

    ``v(c) = 1 - rho(c) / sum_(d >= c) rho(d)``, exact to rounding near 0 and near 1, with gradients. Counts beyond the
    longest possible duration have -inf, and so has D.

    Args:
        log_durations: log-probabilities of lasting 1..D steps, or any logits of them; -inf = impossible.

    Returns:
        ``log v``.

    Raises:
        ValueError: NaN or +inf, or a distribution without a possible duration.

    Example:
        >>> hazards(torch.tensor([0.5, 0.25, 0.25]).log()).exp()
        tensor([0.5000, 0.5000, 0.0000])

    Source: Ansari et al. (2021), section 3; Chiappa (2014), Explicit-Duration Markov Switching Models.
    """
    highest = log_durations.amax(-1)
    if not bool(((highest > -INF) & (highest < INF)).all()):
        raise ValueError(
            "log_durations holds NaN or +inf, or a distribution of -inf alone; one duration must be possible"
        )
    over = (log_durations > -INF).flip(-1).cumsum(-1).flip(-1) == 0  # no possible duration from here on
    ends = torch.where(over, -INF, log_durations)  # stops gradients that would be NaN
    later = ends.flip(-1).logcumsumexp(-1).flip(-1)[..., 1:]  # log sum of those longer than c
    last = over[..., 1:]
    going = torch.nn.functional.logsigmoid(torch.where(last, 0, later) - torch.where(last, 0, ends[..., :-1]))
    return torch.cat([torch.where(last, -INF, going), torch.full_like(log_durations[..., :1], -INF)], -1)


def durations(log_continue: Float[Tensor, "*k D"]) -> Float[Tensor, "*k D"]:
    """The log-probability of lasting 1..D steps: the inverse of :func:`hazards`.

    ``rho(c) = (1 - v(c)) prod_(m < c) v(m)``. They sum to 1 where ``v(D)`` is 0.

    Args:
        log_continue: log-probabilities of continuing at each count.

    Returns:
        Log-probabilities of durations.

    Raises:
        ValueError: NaN, or above 0.

    Example:
        >>> durations(torch.tensor([0.5, 0.5, 0.0]).log()).exp()
        tensor([0.5000, 0.2500, 0.2500])

    Source: Chiappa (2014), Explicit-Duration Markov Switching Models.
    """
    if not bool((log_continue <= 0).all()):
        raise ValueError("log_continue holds NaN or a positive number; log-probabilities are at most 0")
    reached = torch.cat([torch.zeros_like(log_continue[..., :1]), log_continue[..., :-1].cumsum(-1)], -1)
    return reached + log1mexp(log_continue)


class _Marginals(torch.autograd.Function):
    """Log-likelihood and posteriors for autograd; the gradients are by-products of the backward pass."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        parts = Parts(*given)
        total, *posteriors, slope = dispatch.posterior(parts, with_slope=ctx.needs_input_grad[2])
        regime, regime_count, transition = posteriors
        ctx.save_for_backward(regime, transition, slope)
        ctx.shapes = [part.shape for part in parts]
        ctx.mark_non_differentiable(regime, regime_count, transition)
        return total, regime, regime_count, transition

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        regime, transition, slope = ctx.saved_tensors
        marginals = (regime[:, 0], transition, slope, regime)
        return tuple(
            (x * g.view(-1, *[1] * (x.dim() - 1))).sum_to_size(shape) if wanted else None
            for x, shape, wanted in zip(marginals, ctx.shapes, ctx.needs_input_grad, strict=True)
        )


def checked(log_initial: Tensor, log_transition: Tensor, log_continue: Tensor, log_emission: Tensor) -> Parts:
    """The parts with all their axes, or an error that names the part at fault.

    Example:
        >>> coin = torch.tensor([0.5, 0.5]).log()
        >>> checked(coin, coin.expand(2, 2), torch.full((2, 1), -INF), torch.zeros(3, 2)).emission.shape
        torch.Size([1, 3, 2])
    """
    given = {
        "log_initial": log_initial,
        "log_transition": log_transition,
        "log_continue": log_continue,
        "log_emission": log_emission,
    }
    kinds = {part.dtype for part in given.values()}
    if kinds not in ({torch.float32}, {torch.float64}):
        named = ", ".join(sorted(str(kind) for kind in kinds))
        raise TypeError(f"the parts are {named}; all must be float32, or all float64")
    _check_shapes(given)
    parts = Parts(
        log_initial[(None,) * (2 - log_initial.dim())],
        log_transition[(None,) * (4 - log_transition.dim())],
        log_continue[(None,) * (4 - log_continue.dim())],
        log_emission[(None,) * (3 - log_emission.dim())],
    )
    _check_values(dict(zip(given, parts, strict=True)))
    return parts


def _check_shapes(given: dict[str, Tensor]) -> None:
    """Every part has its axes, of matching sizes."""
    axes = {"log_initial": "BK", "log_transition": "BTKK", "log_continue": "BTKD", "log_emission": "BTK"}
    fewest = {"log_initial": 1, "log_transition": 2, "log_continue": 2, "log_emission": 2}
    emission = given["log_emission"]
    sizes = {"K": emission.shape[-1], "T": emission.shape[-2]} if emission.dim() > 1 else {"K": 0, "T": 0}
    sizes["D"] = given["log_continue"].shape[-1] if given["log_continue"].dim() else 0
    sizes["B"] = max(part.shape[0] if part.dim() == len(axes[name]) else 1 for name, part in given.items())
    for name in reversed(axes):  # those that sizes are read from come first
        part = given[name]
        wanted = axes[name][len(axes[name]) - part.dim() :]
        fits = (
            fewest[name] <= part.dim() <= len(axes[name])
            and part.numel() > 0
            and all(
                size == sizes[axis] or (axis in "BT" and size == 1 and (name, axis) != ("log_emission", "T"))
                for axis, size in zip(wanted, part.shape, strict=True)
            )
        )
        if not fits:
            here = ", ".join(f"{axis} = {sizes[axis]}" for axis in "BTKD")
            raise ValueError(
                f"{name} has shape {tuple(part.shape)}; it must be ({', '.join(axes[name])}), or lack leading axes, "
                f"here with {here}: T and K are those of log_emission, D that of log_continue; shared axes have size 1"
            )


def _check_values(given: dict[str, Tensor]) -> None:
    """Values are logarithms of probabilities or densities."""
    read = {
        name: part[:, 1:] if name in ("log_transition", "log_continue") and part.shape[1] > 1 else part
        for name, part in given.items()
    }
    with torch.no_grad():
        fine = [part.amax() <= 0 if name == "log_continue" else part.amax() < INF for name, part in read.items()]
        possible = (given["log_initial"].amax(1) > -INF).all()
        if bool(torch.stack([*fine, possible]).all()):
            return
        for (name, part), good in zip(read.items(), fine, strict=True):
            if not good:
                bad = ~(part <= 0) if name == "log_continue" else ~(part < INF)
                place = bad.nonzero()[0]
                value = float(part[tuple(place)])
                if part is not given[name]:
                    place[1] += 1
                limit = "at most 0, the logarithm of a probability" if name == "log_continue" else "below +inf"
                raise ValueError(f"{name} is {value} at {tuple(place.tolist())}; it must be a number {limit}")
        row = int((given["log_initial"].amax(1) == -INF).nonzero()[0])
        raise ValueError(f"log_initial of sample {row} is -inf for all regimes; one regime at least must be possible")
