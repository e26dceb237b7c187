"""Simulated streams of p-values, and the rates of a procedure on them."""

import numpy as np
from jaxtyping import Bool, Float

from tsformers.reproduction.fdr_tables import ExperimentTable


def simulate(
    table: ExperimentTable, share: list[float], repeats: int, seed: list[int]
) -> tuple[Float[np.ndarray, "R T"], Bool[np.ndarray, "R T"]]:
    """Streams of values, normal or anomalous, as upper-tail p-values of a standard normal distribution.

    ``y_t = phi y_{t - 1} + noise_t e_t + strength_t a_t``, where a_t is 1 with probability ``share_t``; p is that of
    ``y_t - phi y_{t - 1}``.

    Args:
        table: the experiment.
        share: of anomalies, a constant or the ends of a line.
        repeats: R, how many streams.
        seed: of the streams.

    Returns:
        p-values, and which of them are anomalies.

    Example:
        >>> from tsformers.reproduction.fdr_tables import RangeTable
        >>> targets = RangeTable(first=0.1, last=0.1, count=1)
        >>> table = ExperimentTable(length=200, repeats=2, strength=[3.0], targets=targets)
        >>> p, anomalous = simulate(table, [0.5], 2, [0])
        >>> p.shape, bool((p[anomalous].mean() < p[~anomalous].mean()))
        ((2, 200), True)
    """
    from scipy.signal import lfilter  # slow to import
    from scipy.special import ndtr

    rng, shape = np.random.default_rng(seed), (repeats, table.length)
    anomalous = rng.random(shape) < line_between(share, table.length)
    driven = rng.standard_normal(shape) * line_between(table.noise, table.length)
    driven += anomalous * line_between(table.strength, table.length)
    y = lfilter([1.0], [1.0, -table.autoregression], driven, axis=1)
    y[:, 1:] -= table.autoregression * y[:, :-1].copy()
    return ndtr(-y), anomalous


def rates(rejected: Bool[np.ndarray, "R T"], anomalous: Bool[np.ndarray, "R T"], decay: float) -> dict[str, float]:
    """Means and deviations over R streams of the power and of three shares of false alarms.

    Args:
        rejected: tests that were alarms.
        anomalous: tests that should have been.
        decay: of the memory, per test.

    Returns:
        ``power`` (of a stream without anomalies: 0), ``fdr``, ``decayed_fdr`` and ``smoothed_fdr``, and each with
        ``_sd``.

    Example:
        >>> alarms, truth = np.array([[True, True, False]]), np.array([[False, True, True]])
        >>> found = rates(alarms, truth, 0.5)
        >>> found["power"], found["fdr"], found["decayed_fdr"], round(found["smoothed_fdr"], 3)
        (0.5, 0.5, 0.25, 0.143)
    """
    weights = decay ** np.arange(rejected.shape[1] - 1, -1, -1, dtype=np.float64)
    false = rejected & ~anomalous
    faded, faded_false = rejected @ weights, false @ weights
    each = {
        "power": (rejected & anomalous).sum(axis=1) / np.maximum(anomalous.sum(axis=1), 1),
        "fdr": false.sum(axis=1) / np.maximum(rejected.sum(axis=1), 1),
        "decayed_fdr": faded_false / np.maximum(faded, 1),
        "smoothed_fdr": faded_false / (faded + 1),
    }
    found = {name: float(values.mean()) for name, values in each.items()}
    return found | {f"{name}_sd": float(values.std()) for name, values in each.items()}


def line_between(ends: list[float], length: int) -> np.ndarray:
    """A constant, or a straight line in time.

    Args:
        ends: the constant, or the first and the last value.
        length: T.

    Returns:
        (T,) values.

    Example:
        >>> line_between([1.0, 2.0], 3)
        array([1. , 1.5, 2. ])
    """
    return np.linspace(ends[0], ends[-1], length)
