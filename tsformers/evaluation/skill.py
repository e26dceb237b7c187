"""Skill of models against a reference: ratios of scores over series, their intervals, and tests against the best."""

import numpy as np
import pandas as pd

from tsformers.scoring.comparison import diebold_mariano

RATIO_RANGE = (0.01, 100.0)  # of a score to the reference's: no single series may decide a geometric mean
RESAMPLES = 1000
CONFIDENCE = 0.95


def score_ratios(losses: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Score over reference score of every series, each a mean over the windows that both models finished.

    Args:
        losses: scores that are better when lower, one row a series and window (the index), one column a model.
        reference: name of a column.

    Returns:
        One row a series, one column a model; two zeros are a ratio of 1, and nothing is clipped. All NaN where scores
        can be negative.

    Example:
        >>> rows = pd.MultiIndex.from_tuples([("a", 0), ("b", 0)], names=["series", "window"])
        >>> losses = pd.DataFrame({"naive": [2.0, 0.0], "mine": [1.0, 0.0]}, index=rows)
        >>> score_ratios(losses, "naive")["mine"].tolist()
        [0.5, 1.0]
    """
    base = losses.mul(0).add(losses[reference], axis=0)  # where both have a score
    means = {name: part.groupby(level="series").mean() for name, part in (("own", losses + 0 * base), ("base", base))}
    own, others = means["own"], means["base"]
    if (losses < 0).any(axis=None):
        return own * np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = own / others
    return ratio.mask((own == 0) & (others == 0), 1.0)


def clipped(ratios: pd.DataFrame) -> pd.DataFrame:
    """Ratios within ``RATIO_RANGE``, as GluonTS's and fev's tables have them.

    Args:
        ratios: of ``score_ratios``.

    Returns:
        The same shape.

    Example:
        >>> clipped(pd.DataFrame({"mine": [4e-5, 0.5, np.inf]}))["mine"].tolist()
        [0.01, 0.5, 100.0]
    """
    return ratios.clip(*RATIO_RANGE)


def geometric_skill(ratios: pd.DataFrame) -> pd.Series:
    """One minus the geometric mean over series of the clipped ratios.

    Args:
        ratios: of ``score_ratios``.

    Returns:
        One number a model; NaN where no series has a ratio.

    Example:
        >>> float(geometric_skill(pd.DataFrame({"mine": [0.5, 0.5]}))["mine"])
        0.5
    """
    return 1 - np.exp(np.log(clipped(ratios)).mean())


def skill_table(ratios: pd.DataFrame, seed: int = 0, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Skill of every model in several measures, and how sure it is.

    Args:
        ratios: of ``score_ratios``.
        seed: of the bootstrap.
        resamples: bootstrap samples; 0 = no intervals.

    Returns:
        One row a model: ``skill``, one minus the geometric mean of the clipped ratios; ``skill_low`` and
        ``skill_high``, its 95 % percentile interval of 1,000 bootstrap samples of series (NaN for one series);
        ``median_skill``, one minus the median ratio; ``win_rate``, the share of series with a ratio below 1 (ties count
        half); ``clipped``, how many ratios were outside [0.01, 100]; ``series``, how many there were.

    Example:
        >>> skill_table(pd.DataFrame({"mine": [0.5, 0.5, 4e-5]}))[["median_skill", "win_rate", "clipped"]]
              median_skill  win_rate  clipped
        mine           0.5       1.0        1
    """
    found = ratios.notna()
    low, high = _intervals(clipped(ratios).apply(np.log), seed, resamples)
    return pd.DataFrame(
        {
            "skill": geometric_skill(ratios),
            "skill_low": low,
            "skill_high": high,
            "median_skill": 1 - ratios.median(),
            "win_rate": ((ratios < 1) + 0.5 * (ratios == 1)).sum() / found.sum().where(lambda n: n > 0),
            "clipped": (found & (ratios != clipped(ratios))).sum(),
            "series": found.sum(),
        },
        index=ratios.columns,
    )


def _intervals(logs: pd.DataFrame, seed: int, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of the skill over bootstrap samples of series, the same samples for all models."""
    values, found = np.nan_to_num(logs.to_numpy()), logs.notna().to_numpy()
    n, rng = len(logs), np.random.default_rng(seed)
    if n < 2 or resamples < 1:
        return np.full(logs.shape[1], np.nan), np.full(logs.shape[1], np.nan)
    skills = np.empty((resamples, logs.shape[1]))
    for sample in skills:
        counts = np.bincount(rng.integers(0, n, n), minlength=n)
        with np.errstate(invalid="ignore", divide="ignore"):
            sample[:] = 1 - np.exp((counts @ values) / (counts @ found))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(skills, [tail, 1 - tail], axis=0)
    return low, high


def paired_tests(losses: pd.DataFrame, best: str, overlap: int = 0) -> pd.DataFrame:
    """Paired Diebold-Mariano tests of every model against the best, over windows in order of time.

    The difference of a series in a window is divided by the mean loss that the two models have on that series, so that
    every series counts the same and none can count more than 2 on average; the differences of a window are averaged
    over series. Only series and windows that both finished are compared.

    Args:
        losses: scores that are better when lower, one row a series and window (the index), one column a model.
        best: name of a column.
        overlap: how many later windows share steps with a window.

    Returns:
        One row a model: ``dm``, the statistic, positive where the model is worse than the best, and ``p_value``,
        two-sided; NaN for the best itself and with fewer than two windows.

    Example:
        >>> rows = pd.MultiIndex.from_product([["a"], range(3)], names=["series", "window"])
        >>> losses = pd.DataFrame({"best": [1.0, 1.0, 1.0], "mine": [2.0, 3.0, 4.0]}, index=rows)
        >>> paired_tests(losses, "best").loc["mine"].round(3).to_dict()
        {'dm': 3.464, 'p_value': 0.074}

    Source: Diebold & Mariano (1995); Harvey, Leybourne & Newbold (1997).
    """
    found = {}
    for model in losses.columns:
        both = losses[[model, best]].dropna()
        size = both.mean(axis=1).groupby(level="series").transform("mean")
        difference = (both.iloc[:, 0] - both.iloc[:, 1]) / size.where(size > 0)
        windows = difference.fillna(0.0).groupby(level="window").mean().sort_index()
        test = diebold_mariano(windows.to_numpy(), np.zeros(len(windows)), overlap + 1)
        found[model] = {"dm": test.statistic, "p_value": test.p_value}
    return pd.DataFrame.from_dict(found, orient="index", columns=["dm", "p_value"])
