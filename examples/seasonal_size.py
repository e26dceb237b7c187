"""Size and power of the test for a season: the share of simulated series that it calls seasonal at a level of .05.

    python examples/seasonal_size.py [SERIES]

Each number is a share of SERIES (40 where none is given) of one kind, for a period and a number of cycles.
"""

import sys
from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from tsformers.data.seasonality import seasonal_p_values

Shape = tuple[int, int]
Kind = Callable[[np.random.Generator, Shape, int], np.ndarray]

SIZES = ((4, 5), (4, 30), (7, 4), (7, 20), (12, 2), (12, 3), (12, 10), (24, 5), (24, 30), (48, 6), (52, 2), (52, 4),
         (168, 3), (365, 2), (365, 4))  # fmt: skip
WARM_UP = 200


def noise(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """White noise of variance 1."""
    return rng.normal(size=shape)


def filtered(rng: np.random.Generator, shape: Shape, moving: float, autoregressive: float) -> np.ndarray:
    """An ARMA(1, 1) process."""
    e = rng.normal(size=(shape[0], shape[1] + WARM_UP))
    return lfilter([1.0, moving], [1.0, -autoregressive], e, axis=1)[:, WARM_UP:]


def with_gaps(y: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """``y`` with a share of missing values."""
    return np.where(rng.random(y.shape) < share, np.nan, y)


def wave(shape: Shape, period: int, size: float) -> np.ndarray:
    """One wave a season."""
    return size * np.sin(2 * np.pi * np.arange(shape[1]) / period + 1)[None]


def profile(rng: np.random.Generator, shape: Shape, period: int, size: float) -> np.ndarray:
    """An unrelated number for each place of the season."""
    return size * rng.normal(size=(shape[0], period))[:, np.arange(shape[1]) % period]


def spike(shape: Shape, period: int, size: float) -> np.ndarray:
    """One row a season differs."""
    return size * (np.arange(shape[1]) % period == 1)[None]


WITHOUT: dict[str, Kind] = {
    "white noise": lambda rng, n, m: noise(rng, n),
    "random walk": lambda rng, n, m: np.cumsum(noise(rng, n), axis=1),
    "walk with drift .3": lambda rng, n, m: np.cumsum(noise(rng, n) + 0.3, axis=1),
    "AR(1) .5": lambda rng, n, m: filtered(rng, n, 0.0, 0.5),
    "AR(1) .8": lambda rng, n, m: filtered(rng, n, 0.0, 0.8),
    "AR(1) .95": lambda rng, n, m: filtered(rng, n, 0.0, 0.95),
    "integrated MA -.8": lambda rng, n, m: np.cumsum(filtered(rng, n, -0.8, 0.0), axis=1),
    "integrated MA .6": lambda rng, n, m: np.cumsum(filtered(rng, n, 0.6, 0.0), axis=1),
    "line and noise": lambda rng, n, m: 0.1 * np.arange(n[1]) + noise(rng, n),
    "growth by e^2": lambda rng, n, m: np.exp(np.linspace(0, 2, n[1])) * (1 + 0.05 * noise(rng, n)),
    "t(2)": lambda rng, n, m: rng.standard_t(2, size=n),
    "walk of t(2)": lambda rng, n, m: np.cumsum(rng.standard_t(2, size=n), axis=1),
    "noise, 15 % missing": lambda rng, n, m: with_gaps(noise(rng, n), rng, 0.15),
    "walk, 15 % missing": lambda rng, n, m: with_gaps(np.cumsum(noise(rng, n), axis=1), rng, 0.15),
}
WITH: dict[str, Kind] = {
    "wave of 1, noise": lambda rng, n, m: wave(n, m, 1.0) + noise(rng, n),
    "wave of 2, noise": lambda rng, n, m: wave(n, m, 2.0) + noise(rng, n),
    "wave of 5, walk": lambda rng, n, m: wave(n, m, 5.0) + np.cumsum(noise(rng, n), axis=1),
    "profile of 2, noise": lambda rng, n, m: profile(rng, n, m, 2.0) + noise(rng, n),
    "profile of 1, walk": lambda rng, n, m: profile(rng, n, m, 1.0) + np.cumsum(noise(rng, n), axis=1),
    "spike of 5, noise": lambda rng, n, m: spike(n, m, 5.0) + noise(rng, n),
    "wave of 2, 30 % missing": lambda rng, n, m: with_gaps(wave(n, m, 2.0) + noise(rng, n), rng, 0.3),
}


def main() -> None:
    """Print both tables as Markdown."""
    n_series = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    for kinds in (WITHOUT, WITH):
        print("| series |", " | ".join(f"{m} x {cycles}" for m, cycles in SIZES), "|")
        print("| --- |", " | ".join("---" for _ in SIZES), "|")
        for name, kind in kinds.items():
            shares = []
            for period, cycles in SIZES:
                rng = np.random.default_rng([period, cycles])
                y = kind(rng, (n_series, period * cycles + period // 3), period)
                shares.append(float((seasonal_p_values(y, period) < 0.05).mean()))
            print(f"| {name} |", " | ".join(f"{share:.2f}".removeprefix("0") for share in shares), "|")
        print()


if __name__ == "__main__":
    main()
