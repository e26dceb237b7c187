"""Ridge regression of the steps of a short series on four columns, averaged over penalties; compiled."""

import numpy as np

from tsformers.jit import compiled_nogil

PENALTIES = 10.0 ** np.linspace(-4, 3, 25)  # by rows, of standardised columns
DAMPING = 0.85  # of the steps ahead, a period
COLUMNS = 4
NOISE = 1e-9


@compiled_nogil()
def invert(a: np.ndarray) -> None:
    """Invert a positive definite matrix in place by Gauss-Jordan elimination, which here needs no pivots."""
    n = len(a)
    for k in range(n):
        pivot = 1 / a[k, k]
        a[k, k] = 1.0
        for j in range(n):
            a[k, j] *= pivot
        for i in range(n):
            if i != k:
                factor = a[i, k]
                a[i, k] = 0.0
                for j in range(n):
                    a[i, j] -= factor * a[k, j]


@compiled_nogil()
def columns_of(z: np.ndarray, there: np.ndarray, lag: int, columns: np.ndarray, steps: np.ndarray) -> int:
    """Rows (1, t, -z[t-1], z[t-lag] - z[t-lag-1]) and steps z[t] - z[t-1]; their count.

    Only where both ends of the step are there.
    """
    count = 0
    for t in range(1 + lag, len(z)):
        if not there[t] or not there[t - 1]:
            continue
        columns[count, 0], columns[count, 1], columns[count, 2] = 1.0, t, -z[t - 1]
        columns[count, 3] = z[t - lag] - z[t - lag - 1] if lag > 0 else 0.0
        steps[count] = z[t] - z[t - 1]
        count += 1
    return count


@compiled_nogil()
def standardise(columns: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> None:
    """Mean 0 and variance 1 of all columns but the first, in place; a constant column becomes 0."""
    n = len(columns)
    means[0], deviations[0] = 0.0, 1.0
    for k in range(1, columns.shape[1]):
        mean, squares, size = 0.0, 0.0, 0.0
        for i in range(n):
            mean += columns[i, k] / n
        for i in range(n):
            squares += (columns[i, k] - mean) ** 2
            size += columns[i, k] ** 2
        means[k], deviations[k] = mean, np.sqrt((squares + NOISE * NOISE * size) / n)
        if deviations[k] <= 0:
            deviations[k] = 1.0
        for i in range(n):
            columns[i, k] = (columns[i, k] - mean) / deviations[k]


@compiled_nogil()
def average_fit(columns: np.ndarray, steps: np.ndarray, gram: np.ndarray, along: np.ndarray, noise: float,
                found: np.ndarray) -> None:  # fmt: skip
    """Ridge weights of standardised ``columns`` (n, 4) for ``steps`` (n,), averaged over penalties, into ``found``."""
    fits, errors = np.empty((len(PENALTIES), COLUMNS)), np.empty(len(PENALTIES))
    inverse = np.empty((COLUMNS, COLUMNS))
    for a in range(len(PENALTIES)):
        for j in range(COLUMNS):
            for k in range(COLUMNS):
                inverse[j, k] = gram[j, k] + (len(steps) * PENALTIES[a] if j == k else 0.0)
        invert(inverse)
        for j in range(COLUMNS):
            fits[a, j] = 0.0
            for k in range(COLUMNS):
                fits[a, j] += inverse[j, k] * along[k]
        errors[a] = left_out(columns, steps, fits[a], inverse) + noise
    least, total = errors.min(), 0.0
    if least <= 0:
        return
    for a in range(len(PENALTIES)):
        share = np.exp(-errors[a] / least)
        total += share
        for k in range(COLUMNS):
            found[k] += share * fits[a, k]
    for k in range(COLUMNS):
        found[k] /= total


@compiled_nogil()
def ridge_weights(z: np.ndarray, there: np.ndarray, lag: int) -> np.ndarray:
    """Weights (4,) of ``columns_of`` for the step of ``z``, the mean over all penalties.

    A penalty's share is exp(-its leave-one-out squared error / the least). 0 without two rows.
    """
    found = np.zeros(COLUMNS)
    columns, steps = np.empty((len(z), COLUMNS)), np.empty(len(z))
    n = columns_of(z, there, lag, columns, steps)
    if n < 2:
        return found
    means, deviations = np.empty(COLUMNS), np.empty(COLUMNS)
    columns, steps = columns[:n], steps[:n]
    standardise(columns, means, deviations)
    gram, along = np.zeros((COLUMNS, COLUMNS)), np.zeros(COLUMNS)
    power = 0.0
    for i in range(n):
        power += steps[i] ** 2
        for j in range(COLUMNS):
            along[j] += columns[i, j] * steps[i]
            for k in range(COLUMNS):
                gram[j, k] += columns[i, j] * columns[i, k]
    average_fit(columns, steps, gram, along, NOISE * power, found)
    for k in range(COLUMNS):
        found[k] /= deviations[k]
    for k in range(1, COLUMNS):
        found[0] -= found[k] * means[k]
    return found


@compiled_nogil()
def left_out(columns: np.ndarray, steps: np.ndarray, fit: np.ndarray, inverse: np.ndarray) -> float:
    """Sum of squared leave-one-out errors: each residual by 1 - its leverage."""
    total = 0.0
    for i in range(len(steps)):
        error, leverage = steps[i], 0.0
        for j in range(COLUMNS):
            error -= columns[i, j] * fit[j]
            row = 0.0
            for k in range(COLUMNS):
                row += inverse[j, k] * columns[i, k]
            leverage += columns[i, j] * row
        total += (error / (1 - leverage)) ** 2
    return total
