"""Synthetic series of many families: what a forecaster sees before it sees a real panel."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from tsformers.simulate.shared import Seed, check_size
from tsformers.simulate.synthetic.lengths import FAMILIES, LONGEST_PERIOD, OTHER, SEASONS, Kinds, draw_kinds

TOGETHER = 16  # series of one horizon in the frame


class Drawn(NamedTuple):
    """Contexts, one after another, and what comes after each."""

    y: Float[np.ndarray, " R"]  # NaN = missing
    first: Int64[np.ndarray, " N"]  # the context of series i is y[first[i]:stop[i]]
    stop: Int64[np.ndarray, " N"]
    seasons: Int64[np.ndarray, " N"]
    second: Int64[np.ndarray, " N"]  # a second period of the calendar, 0 = none
    horizon: int
    future: Float[np.ndarray, "N H"]


def draw(n: int, rng: np.random.Generator, horizon: int | None = None) -> Drawn:
    """Synthetic series with one horizon, for training; at least 10,000 a second on one core.

    Each series is drawn from a stream of its own, whose key comes from ``rng``: the same generator gives the same bits.

    Args:
        n: number of series.
        rng: numpy generator.
        horizon: rows after each context; None draws one, and the seasons are those with which it occurs.

    Returns:
        Contexts of 3 to 1,000 rows, and ``horizon`` rows after each, which are never missing.

    Example:
        >>> drawn = draw(100, np.random.default_rng(0), horizon=12)
        >>> drawn.future.shape, int(np.diff(drawn.first).min()) >= 3
        ((100, 12), True)
    """
    every_season, every_family = np.ones(len(SEASONS), bool), np.ones(len(FAMILIES), bool)
    return filled(draw_kinds(n, rng, horizon, every_season, every_family), rng)


def priors(
    n_series: int = 100,
    *,
    families: Sequence[str] | None = None,
    season_length: int | None = None,
    latent: bool = False,
    seed: Seed = None,
) -> pd.DataFrame:
    """Synthetic series of many kinds: the prior on which the shipped weights of ``Blend`` are trained.

    The sum of a level (constant, walk, autoregression, trends, curves), a seasonal pattern (harmonics, peaks, rare
    places, blocks, free; fixed or changing) and one of a second period, a cycle, noise (normal to heavy-tailed, of
    constant or changing scale, correlated or not) and level shifts becomes one of these families:

    - "additive": as it is, on a random offset; "multiplicative": its exponential; "positive": cut off at zero;
      "bounded": between 0 and a ceiling.
    - "poisson", "negative_binomial": counts; "zero_inflated": runs of zeros; "intermittent": whole demand now and then,
      with a drifting probability; "sales": promotions, holidays, closed days.
    - "walk": a price, without a season; "night": solar, zero at night; "bursts": attention that rises and fades;
      "epidemic": a wave each season.

    5 % of the series have missing values. Seasons are 1, 4, 5, 7, 12, 24, 48 or 52 rows, rarely 96, 144 or any other
    up to 168; beside 24, 48, 96 and 7 there may be 168, 336, 672 and 365.

    Args:
        n_series: number of series.
        families: the ones to draw from; None draws from all.
        season_length: the season of all series; None draws one for each.
        latent: also give ``family`` and ``season_length``.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        A long frame of series of 4 to about 1,060 rows.

    Raises:
        ValueError: fewer than one series, an unknown family, or a season that is not among those above.

    Example:
        >>> frame = priors(3, families=["intermittent"], season_length=12, seed=0)
        >>> frame.columns.tolist(), frame["unique_id"].nunique()
        (['unique_id', 'ds', 'y'], 3)
    """
    check_size(n_series, 1)
    unknown = set(families or ()) - set(FAMILIES)
    if unknown:
        raise ValueError(f"families has {sorted(unknown)}; there are {', '.join(FAMILIES)}")
    if season_length is not None and (season_length not in SEASONS or season_length == OTHER):
        raise ValueError(f"season_length is {season_length}; it must be one of {SEASONS[SEASONS != OTHER].tolist()}")
    rng = np.random.default_rng(seed)
    wanted = np.array([not families or name in families for name in FAMILIES])
    allowed = np.array([season_length in (None, season) for season in SEASONS])
    digits, parts = len(str(n_series - 1)), []
    for begin in range(0, n_series, TOGETHER):
        kinds = draw_kinds(min(TOGETHER, n_series - begin), rng, None, allowed, wanted)
        drawn = filled(kinds, rng)
        for i in range(len(kinds.rows)):
            y = np.concatenate([drawn.y[drawn.first[i] : drawn.stop[i]], drawn.future[i]])
            part = pd.DataFrame({"unique_id": f"prior-{begin + i:0{digits}d}", "ds": np.arange(len(y)), "y": y})
            extra = {"family": FAMILIES[kinds.families[i]], "season_length": kinds.seasons[i]}
            parts.append(part.assign(**extra) if latent else part)
    return pd.concat(parts, ignore_index=True)


def filled(kinds: Kinds, rng: np.random.Generator) -> Drawn:
    """Values of series of these kinds."""
    from tsformers.simulate.synthetic.kernel import fill_series  # loads numba

    n, horizon = len(kinds.rows), kinds.horizon
    stop = np.cumsum(kinds.rows)
    first = stop - kinds.rows
    y, future = np.empty(kinds.rows.sum()), np.empty((n, horizon))
    keys = rng.integers(0, 2**64, n, dtype=np.uint64)
    work = np.zeros((2, int(kinds.rows.max(initial=0)) + max(horizon, 1)))
    profiles = np.zeros((3, LONGEST_PERIOD))
    random = np.zeros(1, np.uint64)
    fill_series(keys, first, stop, kinds.seasons, kinds.second, kinds.families, y, future, random, work, profiles)
    return Drawn(y, first, stop, kinds.seasons, kinds.second, horizon, future)
