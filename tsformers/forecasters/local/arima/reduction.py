"""A cheaper sample for the search, where the exact likelihood of all rows would take seconds."""

import numpy as np

from tsformers.forecasters.local.arima.fits import ROUGHLY, Order, Sample, exact_fit

MOST_WORK = 2e5  # rows times entries of the state of a complete series, which take 2 ms an evaluation
MOST_FILTERING = 1e6  # rows times squared entries of the state of a series with gaps, which take as long
MOST_FILLING = 2e8  # rows times squared missing ones


def entries(sample: Sample) -> int:
    """Entries of the state of a large model of the search.

    Example:
        >>> entries(Sample(np.zeros((2, 9)), np.ones(1), 4, 1, 9))
        14
    """
    return 2 * sample.season + 5 + (0 if sample.lags is None else len(sample.lags))


def is_long(sample: Sample) -> bool:
    """Whether the search would take seconds with the exact likelihood of all rows of ``sample``.

    Example:
        >>> is_long(Sample(np.zeros((2, 960)), None, 24, 1, 960))
        False
        >>> is_long(Sample(np.zeros((2, 960)), np.ones(24), 24, 1, 950))
        True
    """
    rows, size = sample.columns.shape[1], entries(sample)
    return rows * size > MOST_WORK if sample.lags is None else rows * size**2 > MOST_FILTERING


def reduced(sample: Sample) -> Sample:
    """What the search looks at: ``sample``, or its last rows, without gaps.

    Gaps are filled in by the means that a small model expects given all that is observed; they do not count as
    observations in AICc, and serve to compare orders only: the models found are fitted again to what was observed.

    Args:
        sample: of all rows.

    Returns:
        ``sample`` itself where the exact likelihood is cheap enough.

    Example:
        >>> sample = Sample(np.ones((2, 30_000)), None, 12, 1, 30_001)
        >>> reduced(sample).columns.shape
        (2, 6896)
    """
    if not is_long(sample):
        return sample
    rows = min(sample.columns.shape[1], int(MOST_WORK) // entries(sample._replace(lags=None)))
    if sample.lags is not None:
        least = 5 * sample.season + len(sample.lags)
        while rows > least and np.isnan(sample.columns[0, -rows:]).sum() ** 2 * rows > MOST_FILLING:
            rows = max(rows // 2, least)
    last = sample._replace(columns=np.ascontiguousarray(sample.columns[:, -rows:]))
    last = last._replace(rows=int(np.isfinite(last.columns[0]).sum()))
    return last if sample.lags is None or not is_long(last) else filled(last, sample.lags)


def filled(sample: Sample, lags: np.ndarray) -> Sample:
    """A sample with gaps as a complete, differenced one.

    Args:
        sample: with gaps.
        lags: its ``lags``.

    Returns:
        Its missing values are their means under a moving average, seasonal too where there is a season.

    Example:
        >>> y = np.array([1.0, 2.0, np.nan, 4.0, 5.5, 6.0, 7.2, 8.0])
        >>> made = filled(Sample(np.vstack([y, np.arange(8.0)]), np.ones(1), 1, 1, 7), np.ones(1))
        >>> made.columns.shape, made.filled, bool(abs(made.columns[0, 1] - 1) < 0.3)
        ((2, 7), 1, True)
    """
    import tsformers.forecasters.local.arima.filter_kernels as kernels
    import tsformers.forecasters.local.arima.polynomial_kernels as polynomials

    order = Order(0, 1, 0, int(sample.season > 1), sample.power < 2)
    fit = exact_fit(sample, order, [np.zeros(sum(order[:4]))], ROUGHLY)
    r = order.q + sample.season * order.sq + 1
    phi, theta = np.zeros(r), np.zeros(r)
    polynomials.lag_polynomials(
        np.zeros(2) if fit is None else fit.free, np.array(order[:4]), sample.season, phi, theta
    )
    columns, gaps = sample.columns.copy(), np.flatnonzero(np.isnan(sample.columns[0]))
    columns[0, gaps] = 0.0
    cells = np.zeros((len(gaps), columns.shape[1]))
    cells[np.arange(len(gaps)), gaps] = 1.0
    both = lagged(np.vstack([columns[: len(columns) - (not order.constant)], cells]), lags)
    white = np.empty_like(both)
    kernels.whitened(phi, polynomials.state_covariances(phi, theta), both, white)
    columns[0, gaps] = -np.linalg.lstsq(white[1:].T, white[0], rcond=None)[0][len(both) - 1 - len(gaps) :]
    columns = np.ascontiguousarray(lagged(columns, lags))
    return sample._replace(columns=columns, lags=None, filled=len(gaps))


def lagged(columns: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """``columns`` (C, n) less ``lags`` (L,) times the last values: (C, n - L).

    Example:
        >>> lagged(np.array([[1.0, 2.0, 4.0]]), np.ones(1)).tolist()
        [[1.0, 2.0]]
    """
    size, rows = len(lags), columns.shape[1]
    out = columns[:, size:].copy()
    for k in np.flatnonzero(lags):
        out -= lags[k] * columns[:, size - 1 - k : rows - 1 - k]
    return out
