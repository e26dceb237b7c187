"""What no forecast may do: leave the size of the data."""

import numpy as np

WIDEST = 10.0  # of max(range, mean |y|), by which the median and the 95 % ends may leave the range of the history
LEVELS = (0.025, 0.5, 0.975)


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
