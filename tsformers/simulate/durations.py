"""Semi-Markov chains of regimes with explicit durations."""

import numpy as np
from jaxtyping import Float, Int64

from tsformers.simulate.shared import draw_categorical


def semi_markov(
    n_series: int,
    length: int,
    switch: Float[np.ndarray, "K K"],
    durations: Float[np.ndarray, "K D"],
    random: np.random.Generator,
) -> tuple[Int64[np.ndarray, "N T"], Int64[np.ndarray, "N T"]]:
    """Regimes and ages of their segments from 1: the duration of a regime is drawn, then the next regime.

    Args:
        n_series: number of series.
        length: steps of each.
        switch: P(next regime), rows: the regime before; the first is uniform.
        durations: P(a segment lasts 1..D steps).
        random: numpy generator.

    Returns:
        Regimes from 0, and counts.

    Raises:
        ValueError: a row is not a distribution.

    Example:
        >>> always = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])  # 3 steps; 2 steps
        >>> semi_markov(1, 8, 1 - np.eye(2), always, np.random.default_rng(0))
        (array([[1, 1, 0, 0, 0, 1, 1, 0]]), array([[1, 2, 1, 2, 3, 1, 2, 1]]))

    Source: Ferguson (1980), Variable Duration Models for Speech.
    """
    for name, rows in (("switch", switch), ("durations", durations)):
        if not (np.all(rows >= 0) and np.allclose(rows.sum(1), 1)):
            raise ValueError(f"{name} is {rows.tolist()}; each row must hold probabilities that sum to 1")
    after, end = np.full((n_series, len(switch)), 1 / len(switch)), np.zeros(n_series, np.int64)
    regimes, ends = [], [end]
    while end.min() < length:
        regimes.append(draw_categorical(after, random))
        end = end + 1 + draw_categorical(durations[regimes[-1]], random)
        ends.append(np.minimum(end, length))
        after = switch[regimes[-1]]
    bounds = np.stack(ends, axis=1)  # (N, segments + 1); segments after the last step have length 0
    lasting = np.diff(bounds).ravel()
    shape = n_series, length
    regime = np.repeat(np.stack(regimes, axis=1).ravel(), lasting).reshape(shape)
    return regime, 1 + np.arange(length) - np.repeat(bounds[:, :-1].ravel(), lasting).reshape(shape)
