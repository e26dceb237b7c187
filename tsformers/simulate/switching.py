"""Switching linear systems and autoregressions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from tsformers.simulate.durations import semi_markov
from tsformers.simulate.shared import Array, Seed, check_size, series_frame

SWITCH = ((0.1, 0.2, 0.7), (0.3, 0.5, 0.2), (0.3, 0.3, 0.4))  # of the three-mode system
DURATIONS = ({6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2})  # and weights
BURN_IN = 200  # steps before the first one returned


@dataclass(frozen=True, eq=False, kw_only=True)
class SwitchingSystem:
    """Linear dynamics with noise, one for each of K regimes of explicit durations; M is the width of the state.

    At each step ``y = readout[z] x + level[z] + noise``; then the regime ends if its duration is over, and the next is
    drawn from ``switch[z]``, which may be the same; then the state moves by the dynamics of the current regime,
    ``x <- dynamics[z] x + drift[z] + noise``. The first regime is uniform.
    """

    dynamics: Float[np.ndarray, "K M M"]
    drift: Float[np.ndarray, "K M"]
    readout: Float[np.ndarray, "K M"]
    level: Float[np.ndarray, " K"]
    switch: Float[np.ndarray, "K K"]  # rows: the regime before
    durations: Float[np.ndarray, "K D"]  # P(a segment lasts 1..D steps)
    start: Float[np.ndarray, " M"]  # mean of the first state
    state_noise: float  # standard deviations, also of the first state
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
            ValueError: fewer than one series or step, or rows that are not distributions.

        Example:
            >>> system = three_mode_system(seed=0)
            >>> system.draw(3, 50, latent=True, seed=1).columns.tolist()
            ['unique_id', 'ds', 'y', 'regime', 'x0', 'x1', 'count']

        Source: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time Series, NeurIPS.
        """
        check_size(n_series, length)
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
        extra = {f"x{m}": states[..., m] for m in range(states.shape[2])} | {"count": count} if latent else {}
        return series_frame("system", y, regime, extra)


def three_mode_system(*, seed: Seed = None) -> SwitchingSystem:
    """Three spirals in the plane, observed in one dimension: a system for each seed, with the same durations.

    States shrink by 0.99 a step and rotate by 0, 22.5 and 45 degrees in the three regimes, in a random basis; regimes 1
    and 2 drift. Each regime has its own readout direction, and a level of 0, 1 or 2. Segments last 6 to 20 steps, four
    lengths for each regime: far from geometric.

    Args:
        seed: of basis, drifts, readouts and levels; None differs each time.

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
    for rho, weights in zip(durations, DURATIONS, strict=True):
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
        system_seed: of the system; with the same one, training and test series differ by ``seed``.
        latent: also give ``x0``, ``x1`` and ``count``.
        seed: of the series; None differs each time.

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

    ``y[t] - mean[z] = sum_i coefficients[z][i - 1] (y[t - i] - mean[z]) + noise[z] e[t]``. 200 steps are
    discarded first, so that series are stationary from their start. By default a slow autoregression alternates with an
    oscillation of about eight steps, in segments of 20 to 60 steps, all equally likely.

    Args:
        n_series: number of series.
        length: steps of each.
        coefficients: for each of K regimes, those of lags 1, 2, ...
        means: K levels.
        noise: K standard deviations.
        durations: K rows of P(a segment lasts 1..D steps); None is uniform from 20 to 60.
        switch: K rows of P(next regime), which may be the same again; None is any other, equally likely.
        latent: also give ``expected``, the expectation of y given its past and its regime, and ``count``, the age
            of the segment from 1.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame.

    Raises:
        ValueError: fewer than one series or step, numbers of regimes that differ, a regime that is not
            stationary, noise below 0, or rows that are not distributions.

    Example:
        >>> frame = switching_autoregression(20, 500, seed=0)
        >>> frame.groupby("regime").y.std().round(1).tolist()
        [1.0, 2.1]

    Source: Hamilton (1989), A New Approach to the Economic Analysis of Nonstationary Time Series and the Business
        Cycle, Econometrica 57; with explicit durations: Ferguson (1980), Variable Duration Models for Speech.
    """
    check_size(n_series, length)
    regimes, order = len(coefficients), max(len(row) for row in coefficients)
    phi = np.array([[*row, *[0.0] * (order - len(row))] for row in coefficients], dtype=np.float64)
    mean, scale = np.asarray(means, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    if durations is None:
        durations = np.tile(np.r_[np.zeros(19), np.full(41, 1 / 41)], (regimes, 1))
    if switch is None:
        switch = (1 - np.eye(regimes)) / (regimes - 1) if regimes > 1 else np.ones((1, 1))
    _check_autoregression(phi, mean, scale, np.shape(switch), np.shape(durations))
    random = np.random.default_rng(seed)
    regime, count = semi_markov(n_series, length + BURN_IN, np.asarray(switch), np.asarray(durations), random)
    shocks = scale[regime] * random.standard_normal(regime.shape)
    y, expected = np.zeros((2, n_series, order + length + BURN_IN))
    for t in range(length + BURN_IN):
        z = regime[:, t]
        past = y[:, t : t + order][:, ::-1] - mean[z, None]
        expected[:, t + order] = mean[z] + (phi[z] * past).sum(1)
        y[:, t + order] = expected[:, t + order] + shocks[:, t]
    extra = {"expected": expected[:, -length:], "count": count[:, -length:]} if latent else {}
    return series_frame("series", y[:, -length:], regime[:, -length:], extra)


def _check_autoregression(
    phi: Array, mean: Array, scale: Array, switch: tuple[int, ...], durations: tuple[int, ...]
) -> None:
    """The parts have the same number of regimes, and each regime is stationary."""
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
