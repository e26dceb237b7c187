"""Series whose regimes are known: to try segmentation and forecasting where the truth can be looked up.

Each function answers a long frame ``unique_id, ds, y, regime``, sorted, ``ds`` counting from 0; ``latent=True`` adds
what the system hides. One seed, one frame, bit for bit. A forecaster takes further columns for covariates: hand it
``frame[["unique_id", "ds", "y"]]``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

Array = np.ndarray[Any, Any]
Seed = int | np.random.Generator | None
BALL_STARTS = 10  # the ball starts at 0, 1, ..., 9
SWITCH = ((0.1, 0.2, 0.7), (0.3, 0.5, 0.2), (0.3, 0.3, 0.4))
LASTING = ({6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2})
ARMA = ((-0.25, 0.52), (0.34, 0.27), (1.5, -0.75))
BURN_IN = 200  # steps before the first that is shown


def bouncing_ball(
    n_series: int = 100,
    length: int = 100,
    *,
    low: float = 0.0,
    high: float = 10.0,
    max_speed: float = 0.5,
    noise: float = 0.1,
    latent: bool = False,
    seed: Seed = None,
) -> pd.DataFrame:
    """Height of a ball between two walls, seen with noise; regime 0 falls, regime 1 rises.

    Each ball starts on one of ten heights, evenly spaced from the lower wall, with a velocity of its own, uniform
    between ``-max_speed`` and ``max_speed``, and turns round after the step that took it beyond a wall. So a whole
    passage lasts ``(high - low) / speed`` steps: the longer a run has been, the closer is its end.

    Args:
        n_series: number of balls.
        length: steps of each.
        low: the lower wall.
        high: the upper wall.
        max_speed: in heights a step.
        noise: standard deviation of what is seen around the height.
        latent: also give ``position`` and ``velocity``.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame.

    Raises:
        ValueError: fewer than one series or step, walls in the wrong order, a speed not between 0 and the distance of
            the walls, or noise below 0.

    Example:
        >>> bouncing_ball(2, 3, noise=0.0, seed=0)
          unique_id  ds         y  regime
        0    ball-0   0  8.000000       0
        1    ball-0   1  7.769787       0
        2    ball-0   2  7.539573       0
        3    ball-1   0  6.000000       0
        4    ball-1   1  5.540974       0
        5    ball-1   2  5.081947       0

    Source: Dong, Seybold, Murphy & Bui (2020), Collapsed Amortized Variational Inference for Switching Nonlinear
        Dynamical Systems, ICML; in this form: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time
        Series, NeurIPS.
    """
    _refuse_sizes(n_series, length)
    if not (low < high and 0 < max_speed <= high - low and noise >= 0):
        raise ValueError(
            f"low is {low}, high {high}, max_speed {max_speed}, noise {noise}; they must be low < high, "
            "0 < max_speed <= high - low and noise >= 0"
        )
    random = np.random.default_rng(seed)
    y = low + (high - low) / BALL_STARTS * random.integers(0, BALL_STARTS, n_series)
    v = random.uniform(-max_speed, max_speed, n_series)
    position, velocity = np.empty((2, n_series, length))
    for t in range(length):
        position[:, t], velocity[:, t] = y, v
        y = y + v
        v = np.where(((y > high) & (v > 0)) | ((y < low) & (v < 0)), -v, v)
    seen = position + noise * random.standard_normal(position.shape)
    hidden = {"position": position, "velocity": velocity} if latent else {}
    return _frame("ball", seen, (velocity >= 0).astype(np.int64), hidden)


@dataclass(frozen=True, eq=False, kw_only=True)
class SwitchingSystem:
    """Linear dynamics with noise, one for each of K regimes of explicit durations; M is the width of the state.

    A step shows ``y = readout[z] x + level[z] + noise``; then the regime ends if its duration is over, and the next is
    drawn from ``switch[z]``, which may name the same; then ``x`` moves by the law of the regime now in force,
    ``x <- dynamics[z] x + drift[z] + noise``. The first regime is any of them with the same probability.
    """

    dynamics: Float[np.ndarray, "K M M"]
    drift: Float[np.ndarray, "K M"]
    readout: Float[np.ndarray, "K M"]
    level: Float[np.ndarray, " K"]
    switch: Float[np.ndarray, "K K"]  # rows the regime before
    durations: Float[np.ndarray, "K D"]  # P(a segment lasts 1..D steps)
    start: Float[np.ndarray, " M"]  # mean of the first state
    state_noise: float  # standard deviations, that of the first state too
    noise: float

    def draw(self, n_series: int = 100, length: int = 200, *, latent: bool = False, seed: Seed = None) -> pd.DataFrame:
        """Series of this system, independent of each other.

        Args:
            n_series: number of series.
            length: steps of each.
            latent: also give the state, ``x0, x1, ...``, and ``count``, the age of the segment from 1.
            seed: whole number or numpy generator; None differs each time.

        Returns:
            The frame.

        Raises:
            ValueError: fewer than one series or step, or rows that are no distributions.

        Example:
            >>> system = three_mode_system(seed=0)
            >>> system.draw(3, 50, latent=True, seed=1).columns.tolist()
            ['unique_id', 'ds', 'y', 'regime', 'x0', 'x1', 'count']

        Source: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time Series, NeurIPS.
        """
        _refuse_sizes(n_series, length)
        random = np.random.default_rng(seed)
        regime, count = semi_markov(n_series, length, self.switch, self.durations, random)
        shocks = self.state_noise * random.standard_normal((length, n_series, len(self.start)))
        states = np.empty_like(shocks)
        states[0] = self.start + shocks[0]
        for t in range(1, length):
            z = regime[:, t]
            states[t] = np.einsum("nij,nj->ni", self.dynamics[z], states[t - 1]) + self.drift[z] + shocks[t]
        states = states.transpose(1, 0, 2)  # (N, T, M)
        y = (self.readout[regime] * states).sum(2) + self.level[regime]
        y += self.noise * random.standard_normal(y.shape)
        hidden = {f"x{m}": states[..., m] for m in range(states.shape[2])} | {"count": count} if latent else {}
        return _frame("system", y, regime, hidden)


def three_mode_system(*, seed: Seed = None) -> SwitchingSystem:
    """Three spirals in the plane, seen as a number: a system of its own for each seed, with the same durations.

    States shrink by 0.99 a step and turn by 0, 22.5 and 45 degrees in the three regimes, in a basis drawn at random;
    regimes 1 and 2 drift. Each regime is read out in its own direction, at a level of 0, 1 or 2. Segments last 6 to 20
    steps, four lengths for each regime: far from geometric.

    Args:
        seed: decides basis, drifts, readouts and levels; None differs each time.

    Returns:
        The system, to ``draw`` from.

    Example:
        >>> system = three_mode_system(seed=0)
        >>> [(np.flatnonzero(rho) + 1).tolist() for rho in system.durations]
        [[6, 11, 16, 20], [8, 17, 19, 20], [13, 16, 18, 20]]

    Source: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time Series, NeurIPS.
    """
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.standard_normal((2, 2)))[0]
    angle = np.pi / 8 * np.arange(3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    drift = 0.25 * random.standard_normal((3, 2))
    drift[0] = 0
    durations = np.zeros((3, 20))
    for rho, weights in zip(durations, LASTING, strict=True):
        rho[np.array([*weights]) - 1] = np.array([*weights.values()]) / sum(weights.values())
    return SwitchingSystem(
        dynamics=0.99 * basis @ turn @ basis.T,
        drift=drift,
        readout=random.standard_normal((3, 2)),
        level=random.integers(0, 3, 3).astype(np.float64),
        switch=np.array(SWITCH),
        durations=durations,
        start=np.array([2.0, 0.0]),
        state_noise=0.1,
        noise=0.2,
    )


def three_mode(
    n_series: int = 100, length: int = 200, *, system_seed: int = 0, latent: bool = False, seed: Seed = None
) -> pd.DataFrame:
    """Series of one three-mode system: ``three_mode_system(seed=system_seed).draw(...)``.

    Args:
        n_series: number of series.
        length: steps of each.
        system_seed: decides the system; with the same one, training and test series differ by ``seed``.
        latent: also give ``x0``, ``x1`` and ``count``.
        seed: decides the series; None differs each time.

    Returns:
        The frame.

    Raises:
        ValueError: fewer than one series or step.

    Example:
        >>> frame = three_mode(5, 200, seed=0)
        >>> frame.groupby("unique_id").size().tolist(), sorted(frame.regime.unique().tolist())
        ([200, 200, 200, 200, 200], [0, 1, 2])

    Source: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time Series, NeurIPS.
    """
    return three_mode_system(seed=system_seed).draw(n_series, length, latent=latent, seed=seed)


def switching_autoregression(
    n_series: int = 100,
    length: int = 200,
    *,
    coefficients: Sequence[Sequence[float]] = ((0.9,), (1.2, -0.8)),
    means: Sequence[float] = (0.0, 0.0),
    noise: Sequence[float] = (0.3, 1.0),
    durations: Sequence[Sequence[float]] | Array | None = None,
    switch: Sequence[Sequence[float]] | Array | None = None,
    latent: bool = False,
    seed: Seed = None,
) -> pd.DataFrame:
    """An autoregression whose coefficients, mean and noise depend on a regime of explicit duration.

    ``y[t] - mean[z] = sum_i coefficients[z][i - 1] (y[t - i] - mean[z]) + noise[z] e[t]``. 200 steps pass before the
    first that is shown, so that the start is like the rest. By default a slow wander alternates with a swing of some
    eight steps, segments of 20 to 60 steps, all equally likely.

    Args:
        n_series: number of series.
        length: steps of each.
        coefficients: for each of K regimes, those of lags 1, 2, ...
        means: K levels.
        noise: K standard deviations.
        durations: K rows of P(a segment lasts 1..D steps); None is uniform from 20 to 60.
        switch: K rows of P(next regime), which may be the same again; None is any other, equally likely.
        latent: also give ``expected``, what was expected of y given its past and its regime, and ``count``, the age
            of the segment from 1.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame.

    Raises:
        ValueError: fewer than one series or step, numbers of regimes that differ, a regime whose recursion does not
            come to rest, noise below 0, or rows that are no distributions.

    Example:
        >>> frame = switching_autoregression(20, 500, seed=0)
        >>> frame.groupby("regime").y.std().round(1).tolist()
        [1.0, 2.1]

    Source: Hamilton (1989), A New Approach to the Economic Analysis of Nonstationary Time Series and the Business
        Cycle, Econometrica 57; with explicit durations: Ferguson (1980), Variable Duration Models for Speech.
    """
    _refuse_sizes(n_series, length)
    regimes, order = len(coefficients), max(len(row) for row in coefficients)
    phi = np.array([[*row, *[0.0] * (order - len(row))] for row in coefficients], dtype=np.float64)
    mean, scale = np.asarray(means, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    if durations is None:
        durations = np.tile(np.r_[np.zeros(19), np.full(41, 1 / 41)], (regimes, 1))
    if switch is None:
        switch = (1 - np.eye(regimes)) / (regimes - 1) if regimes > 1 else np.ones((1, 1))
    _refuse_autoregression(phi, mean, scale, np.shape(switch), np.shape(durations))
    random = np.random.default_rng(seed)
    regime, count = semi_markov(n_series, length + BURN_IN, np.asarray(switch), np.asarray(durations), random)
    shocks = scale[regime] * random.standard_normal(regime.shape)
    y, expected = np.zeros((2, n_series, order + length + BURN_IN))
    for t in range(length + BURN_IN):
        z = regime[:, t]
        past = y[:, t : t + order][:, ::-1] - mean[z, None]
        expected[:, t + order] = mean[z] + (phi[z] * past).sum(1)
        y[:, t + order] = expected[:, t + order] + shocks[:, t]
    hidden = {"expected": expected[:, -length:], "count": count[:, -length:]} if latent else {}
    return _frame("series", y[:, -length:], regime[:, -length:], hidden)


def semi_markov(
    n_series: int,
    length: int,
    switch: Float[np.ndarray, "K K"],
    durations: Float[np.ndarray, "K D"],
    random: np.random.Generator,
) -> tuple[Int64[np.ndarray, "N T"], Int64[np.ndarray, "N T"]]:
    """Regimes and ages of their segments from 1: a regime lasts for a drawn time, then the next is drawn.

    Args:
        n_series: number of series.
        length: steps of each.
        switch: P(next regime), rows the one before; the first is any with the same probability.
        durations: P(a segment lasts 1..D steps).
        random: where chance comes from.

    Returns:
        Regimes from 0, and counts.

    Raises:
        ValueError: a row is no distribution.

    Example:
        >>> always = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])  # 3 steps; 2 steps
        >>> semi_markov(1, 8, 1 - np.eye(2), always, np.random.default_rng(0))
        (array([[1, 1, 0, 0, 0, 1, 1, 0]]), array([[1, 2, 1, 2, 3, 1, 2, 1]]))

    Source: Ferguson (1980), Variable Duration Models for Speech.
    """
    for name, rows in (("switch", switch), ("durations", durations)):
        if not (np.all(rows >= 0) and np.allclose(rows.sum(1), 1)):
            raise ValueError(f"{name} is {rows.tolist()}; each row must hold probabilities that add up to 1")
    after, end = np.full((n_series, len(switch)), 1 / len(switch)), np.zeros(n_series, np.int64)
    regimes, ends = [], [end]
    while end.min() < length:
        regimes.append(_chosen(after, random))
        end = end + 1 + _chosen(durations[regimes[-1]], random)
        ends.append(np.minimum(end, length))
        after = switch[regimes[-1]]
    bounds = np.stack(ends, axis=1)  # (N, segments + 1), those after the last step of no length
    lasting = np.diff(bounds).ravel()
    shape = n_series, length
    regime = np.repeat(np.stack(regimes, axis=1).ravel(), lasting).reshape(shape)
    return regime, 1 + np.arange(length) - np.repeat(bounds[:, :-1].ravel(), lasting).reshape(shape)


def arma_mixture(
    n_series: int = 1000, length: int = 100, *, noise: float = 0.27, start: float = 0.5, seed: Seed = None
) -> pd.DataFrame:
    """Series of three autoregressions of order 2, of which each series follows one throughout: to try clustering.

    Regime k is ``x[t] = a[k] x[t-1] + b[k] x[t-2] + e[t]`` with (a, b) = (-0.25, 0.52), (0.34, 0.27), (1.5, -0.75).

    Args:
        n_series: of each regime.
        length: steps of each.
        noise: standard deviation of e.
        start: that of the first two values.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame of 3 ``n_series`` series, those of a regime side by side.

    Raises:
        ValueError: fewer than one series or step, or a deviation below 0.

    Example:
        >>> frame = arma_mixture(2, 3, seed=0)
        >>> frame.groupby("unique_id")["regime"].first().tolist()
        [0, 0, 1, 1, 2, 2]

    Source: Zhu et al. (2021), MixSeq, NeurIPS, section 5; whether 0.27 is the deviation or the variance is not said.
    """
    _refuse_sizes(n_series, length)
    if not (noise >= 0 and start >= 0):
        raise ValueError(f"noise is {noise} and start {start}; both must be 0 or more")
    random, regime = np.random.default_rng(seed), np.repeat(np.arange(len(ARMA)), n_series)
    y = noise * random.normal(size=(len(regime), length))
    y[:, :2] = start * random.normal(size=y[:, :2].shape)
    a, b = np.array(ARMA)[regime].T
    for t in range(2, length):
        y[:, t] += a * y[:, t - 1] + b * y[:, t - 2]
    return _frame("arma", y, np.broadcast_to(regime[:, None], y.shape), {})


def _chosen(probability: Array, random: np.random.Generator) -> Array:
    """An index for each row, never one of probability 0."""
    reached = np.cumsum(probability, axis=1)
    drawn = (reached <= random.random(len(reached))[:, None] * reached[:, -1:]).sum(1)
    return np.minimum(drawn, probability.shape[1] - 1)


def _frame(name: str, y: Array, regime: Array, hidden: dict[str, Array]) -> pd.DataFrame:
    """Series after each other."""
    n_series, length = y.shape
    digits = len(str(n_series - 1))
    ids = np.array([f"{name}-{i:0{digits}d}" for i in range(n_series)], dtype=object)
    columns = {"y": y, "regime": regime, **hidden}
    return pd.DataFrame(
        {"unique_id": np.repeat(ids, length), "ds": np.tile(np.arange(length), n_series)}
        | {column: values.ravel() for column, values in columns.items()}
    )


def _refuse_sizes(n_series: int, length: int) -> None:
    """Whether there is anything to draw."""
    if n_series < 1 or length < 1:
        raise ValueError(f"n_series is {n_series} and length {length}; both must be at least 1")


def _refuse_autoregression(
    phi: Array, mean: Array, scale: Array, switch: tuple[int, ...], durations: tuple[int, ...]
) -> None:
    """Whether the parts speak of the same regimes, and each regime comes to rest."""
    regimes, order = phi.shape
    if not (mean.shape == scale.shape == (regimes,) and switch == (regimes, regimes) and durations[:1] == (regimes,)):
        raise ValueError(
            f"coefficients are of {regimes} regimes; means {mean.shape}, noise {scale.shape}, switch {switch}, "
            f"durations {durations} must be ({regimes},), ({regimes},), ({regimes}, {regimes}) and ({regimes}, D)"
        )
    if not (scale >= 0).all():
        raise ValueError(f"noise is {scale.tolist()}; standard deviations are at least 0")
    for k, row in enumerate(phi):
        companion = np.vstack([row, np.eye(order)[:-1]])
        if np.abs(np.linalg.eigvals(companion)).max() >= 1:
            raise ValueError(f"coefficients of regime {k} are {row.tolist()}: its recursion grows; make them smaller")
