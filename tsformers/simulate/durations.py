"""Semi-Markov chains of regimes with explicit durations."""

import numpy as np
from jaxtyping import Float, Int64

from tsformers.simulate.shared import choose


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
        regimes.append(choose(after, random))
        end = end + 1 + choose(durations[regimes[-1]], random)
        ends.append(np.minimum(end, length))
        after = switch[regimes[-1]]
    bounds = np.stack(ends, axis=1)  # (N, segments + 1), those after the last step of no length
    lasting = np.diff(bounds).ravel()
    shape = n_series, length
    regime = np.repeat(np.stack(regimes, axis=1).ravel(), lasting).reshape(shape)
    return regime, 1 + np.arange(length) - np.repeat(bounds[:, :-1].ravel(), lasting).reshape(shape)
