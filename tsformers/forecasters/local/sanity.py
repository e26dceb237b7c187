"""What no forecast may do: follow one absurd cell, or leave the size of the data."""

import numpy as np

FAR = 10.0  # ranges of the other values, beyond which an isolated cell is absurd
MOST_CELLS = 3
FEWEST_ROWS, FEWEST_VALUES = 20, 10  # observed, and different ones: intermittent counts have large values rightly
WIDEST = 10.0  # of max(range, mean |y|), by which the median and the 95 % ends may leave the range of the history
LEVELS = (0.025, 0.5, 0.975)


def absurd_cells(y: np.ndarray) -> np.ndarray:
    """Isolated values that lie more than ten ranges of all others outside them: typos and lost signals.

    At most three, in at least 20 values of which 10 differ. Two in a row are a change of level and stay.

    Args:
        y: (T,), NaN = missing.

    Returns:
        (T,) bool.

    Example:
        >>> y = np.r_[np.arange(30.0), 4000.0, np.arange(10.0)]
        >>> np.flatnonzero(absurd_cells(y)).tolist()
        [30]
    """
    absurd = np.zeros(len(y), dtype=bool)
    rows = np.flatnonzero(np.isfinite(y))
    if len(rows) < FEWEST_ROWS:
        return absurd
    values = y[rows]
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    for low, high in _trims(len(ranked)):
        rest = ranked[low : len(ranked) - high]
        least = FAR * (rest[-1] - rest[0])
        below = low == 0 or rest[0] - ranked[low - 1] > least
        above = high == 0 or ranked[len(ranked) - high] - rest[-1] > least
        if least > 0 and below and above and len(np.unique(rest)) >= FEWEST_VALUES:
            cells = np.sort(np.r_[order[:low], order[len(ranked) - high :]])
            if not (np.diff(cells) == 1).any():
                absurd[rows[cells]] = True
            return absurd
    return absurd


def _trims(n: int) -> list[tuple[int, int]]:
    """Numbers of least and greatest values to leave out, the most first."""
    most = min(MOST_CELLS, max(1, n // 40))
    pairs = [(low, high) for low in range(most + 1) for high in range(most + 1 - low) if low + high]
    return sorted(pairs, key=lambda pair: -sum(pair))


def beyond_the_data(draws: np.ndarray, y: np.ndarray) -> str:
    """Why draws are no forecast of a history: their median or 95 % ends lie ten times its size outside it.

    Args:
        draws: (S, H).
        y: (T,), NaN = missing.

    Returns:
        The reason, "" where there is none.

    Example:
        >>> beyond_the_data(np.full((9, 1), 5e9), np.arange(10.0))
        'the forecast leaves the size of the data: up to 5e+09 after values from 0 to 9'
        >>> beyond_the_data(np.full((9, 1), 50.0), np.arange(10.0))
        ''
    """
    least, greatest = float(np.nanmin(y)), float(np.nanmax(y))
    size = WIDEST * max(greatest - least, float(np.nanmean(np.abs(y))))
    ends = np.quantile(draws, LEVELS, axis=0)
    if ends.min() >= least - size and ends.max() <= greatest + size:
        return ""
    worst = f"up to {ends.max():.4g}" if ends.max() > greatest + size else f"down to {ends.min():.4g}"
    return f"the forecast leaves the size of the data: {worst} after values from {least:.4g} to {greatest:.4g}"
