"""Cross-validation of ridge regressions by folds: numpy, no torch."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64

N_FOLDS = 5
LATER = 3 * N_FOLDS  # in place of a fold: a window after all others


def fold_of_each(series: Int64[np.ndarray, " M"], overlap: int) -> Int64[np.ndarray, " M"]:
    """The fold of each window, and whether its targets overlap those of the fold before or after.

    Of every series the first fifth of the windows is one fold, and so on; there are fewer folds, two at least, if a
    fifth is shorter than three overlaps.

    Args:
        series: of each window; the windows of a series are in the order of time.
        overlap: so many neighbours of a window on either side have targets in common with it.

    Returns:
        ``3 * fold + edge``; edge 0: within ``overlap`` of the beginning of the fold, 2: of its end, 1: neither.

    Example:
        >>> fold_of_each(np.zeros(8, dtype=np.int64), 1)
        array([0, 1, 1, 2, 3, 4, 4, 5])

    Source: cross-validation by blocks of time: Racine (2000), Consistent cross-validatory model-selection for dependent
        data: hv-block cross-validation.
    """
    order = np.argsort(series, kind="stable")
    _, first, size = np.unique(series[order], return_index=True, return_counts=True)
    n = np.clip(size // max(3 * overlap, 1), 2, N_FOLDS)
    rank, size, n = np.arange(len(series)) - np.repeat(first, size), np.repeat(size, size), np.repeat(n, size)
    fold = rank * n // size
    since, until = rank + (-fold * size // n), (-(-(fold + 1) * size // n)) - 1 - rank
    edge = np.where((since < overlap) & (since <= until), 0, np.where(until < overlap, 2, 1))
    found = np.empty(len(series), dtype=np.int64)
    found[order] = 3 * fold + edge
    return found


class FoldMoments:
    """Second moments of inputs and outputs, fold by fold, and the ridge regressions without each fold.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(100, 3))
        >>> moments = FoldMoments()
        >>> moments.add(x, x[:, :1], fold_of_each(np.zeros(100, dtype=np.int64), 2))
        >>> maps = moments.maps(np.array([1e-6]))
        >>> maps.shape, maps[0, -1].ravel().round(3).tolist()  # without each of five folds, and with all
        ((1, 6, 3, 1), [1.0, 0.0, 0.0])

    Source: Hoerl & Kennard (1970), Ridge regression; cross-validation: Stone (1974).
    """

    def __init__(self) -> None:
        self.n = np.zeros(3 * N_FOLDS)
        self.square, self.cross, self.power = np.zeros((0, 0, 0)), np.zeros((0, 0, 0)), np.zeros((0, 0))  # by fold

    def add(self, x: Float[np.ndarray, "M T"], y: Float[np.ndarray, "M H"], fold: Int64[np.ndarray, " M"]) -> None:
        """Take rows in.

        Source: Hoerl & Kennard (1970).
        """
        if not self.square.size:
            sizes = x.shape[1], y.shape[1]
            self.square, self.cross = np.zeros((len(self.n), sizes[0], sizes[0])), np.zeros((len(self.n), *sizes))
            self.power = np.zeros((len(self.n), sizes[1]))
        for k in np.unique(fold):
            a, b = x[fold == k], y[fold == k]
            self.n[k] += len(a)
            self.square[k] += a.T @ a
            self.cross[k] += a.T @ b
            self.power[k] += (b**2).sum(0)

    def unit(self, smallest: float) -> Float[np.ndarray, " T"]:
        """Root mean square of each input, at least ``smallest``.

        Source: textbook.
        """
        return np.maximum(np.sqrt(np.diagonal(self.square.sum(0)) / self.n.sum()), smallest)

    def maps(
        self, penalties: Float[np.ndarray, " N"], unit: Float[np.ndarray, " T"] | None = None
    ) -> Float[np.ndarray, "N F1 T H"]:
        """The regressions at each penalty, without each fold and what overlaps it, and last with all.

        Args:
            penalties: in units of the mean eigenvalue of the second moments.
            unit: that the inputs are divided by before they are penalised; None: 1.

        Returns:
            Maps for the inputs as they are.

        Source: Hoerl & Kennard (1970).
        """
        d = np.ones(self.square.shape[1]) if unit is None else unit
        found = []
        for left_out in range(N_FOLDS + 1):
            kept = np.ones(len(self.n), dtype=bool)
            if left_out < N_FOLDS:
                kept[max(3 * left_out - 1, 0) : 3 * left_out + 4] = False
            n = max(self.n[kept].sum(), 1.0)
            size, axes = np.linalg.eigh(self.square[kept].sum(0) / n / d / d[:, None])
            turned = axes.T @ (self.cross[kept].sum(0) / n / d[:, None])
            floor = size.mean() or 1.0
            added = penalties[:, None, None] * floor
            found.append(axes @ (turned / np.maximum(size[:, None] + added, 1e-300)) / d[:, None])
        return np.stack(found, axis=1)

    def squared_errors(self, maps: Float[np.ndarray, "N F1 T H"]) -> Float[np.ndarray, "N F"]:
        """Mean squared error of each map on the fold that it was fitted without; 0 of a fold without rows.

        Source: Stone (1974), Cross-validatory choice and assessment of statistical predictions.
        """
        errors = np.zeros((len(maps), N_FOLDS))
        for k in range(N_FOLDS):
            w = maps[:, k]
            square, cross, power, n = (
                part[3 * k : 3 * k + 3].sum(0) for part in (self.square, self.cross, self.power, self.n)
            )
            left = power.sum() - 2 * (w * cross).sum((1, 2)) + (w * (square @ w)).sum((1, 2))
            errors[:, k] = np.maximum(left, 0.0) / max(n, 1.0)
        return errors


def absolute_errors(
    rows: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], maps: Float[np.ndarray, "N F1 T H"]
) -> Float[np.ndarray, "N F1 H"]:
    """Mean absolute error of each map on the fold that it was fitted without; NaN of a fold without rows.

    Args:
        rows: inputs (M, T), outputs (M, H) and folds (M,) of rows, as ``fold_of_each`` gives them, in batches; with
            ``LATER`` in place of it, a row is read by the map of all folds.
        maps: of ``FoldMoments``.

    Returns:
        By penalty, fold and output.

    Example:
        >>> x = np.ones((4, 1))
        >>> absolute_errors([(x, 3 * x, np.array([0, 4, 15, 15]))], np.ones((1, 6, 1, 1)))[0, :, 0]
        array([ 2.,  2., nan, nan, nan,  2.])

    Source: Stone (1974), Cross-validatory choice and assessment of statistical predictions.
    """
    n, errors = np.zeros(N_FOLDS + 1), np.zeros((len(maps), N_FOLDS + 1, maps.shape[-1]))
    for x, y, fold in rows:
        for k in np.unique(fold // 3):
            mine = fold // 3 == k
            n[k] += mine.sum()
            errors[:, k] += np.stack([np.abs(x[mine] @ each - y[mine]).sum(0) for each in maps[:, k]])
    return np.where(n[:, None] > 0, errors / np.maximum(n, 1)[:, None], np.nan)
