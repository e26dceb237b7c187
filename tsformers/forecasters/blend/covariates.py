"""Covariates of Blend: the response to known ones is taken off before, and both kinds are inputs of the network."""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from tsformers.data.covariates import Covariates
from tsformers.data.panel import Panel
from tsformers.forecasters.blend.windows import Cuts, longest_context
from tsformers.nn.covariate_ridge import CovariateRidge, Windows
from tsformers.nn.folds import fold_of_each
from tsformers.nn.known_features import KnownFeatures

MOST_WINDOWS = 4096  # from which the response is fitted
MOST_ROWS = 512  # of their pasts
ROOM = 6  # times a period, the rows of the longest series from which windows are as long as two of it


class Rows(NamedTuple):
    """All rows of a panel, as the network and its bases read them."""

    values: np.ndarray  # (R,) less the response, in the caller's units, NaN = missing
    response: np.ndarray  # (R,) to known covariates, in the caller's units; 0 without any
    past: np.ndarray  # (R, P) standardised
    known: np.ndarray  # (R, C) standardised


def without_covariates(values: np.ndarray) -> Rows:
    """Rows of a panel of which nothing but the target is read.

    Example:
        >>> without_covariates(np.ones(3)).known.shape
        (3, 0)
    """
    none = np.zeros((len(values), 0))
    return Rows(values, np.zeros(len(values)), none, none)


class Response(NamedTuple):
    """``y = u f(x) + rest``: what the known covariates of a row contribute, the same for all series in their units.

    The unit u of a series is the standard deviation of its values. ``f`` is zero where covariates do not help on the
    windows of validation.
    """

    covariates: Covariates  # units of the columns
    ridge: CovariateRidge | None
    ids: pd.Index  # of the series of fit
    units: np.ndarray  # (N,) theirs

    def rows(self, panel: Panel, values: np.ndarray) -> Rows:
        """The rows of a panel with the covariates of ``fit``; rows after the histories hold known columns.

        Args:
            panel: N series.
            values: (R,) its targets, NaN = missing.

        Returns:
            What the network and its bases read.
        """
        packed = self.covariates.pack(panel, multivariate=False)
        every = packed.known_x.double().numpy()
        response = np.zeros(len(values))
        if self.ridge is not None:
            response = self.ridge.response(every) * self._units(panel, values)[panel.owner]
        known = every[:, every.shape[1] - panel.known.shape[1] :]
        return Rows(values - response, response, packed.past_x.double().numpy(), known)

    def _units(self, panel: Panel, values: np.ndarray) -> np.ndarray:
        """(N,) units of the series: those of fit, of new ones their own."""
        found = spread(panel, values)
        at = self.ids.get_indexer(panel.ids)
        return np.where(at >= 0, self.units[at], found)

    def learned(self) -> dict[str, object]:
        """What was learned, serialisable."""
        ridge = self.ridge
        used = ridge is not None and ridge.features is not None
        return {
            "covariates": self.covariates._asdict(),
            "ids": self.ids,
            "units": self.units,
            "features": ridge.features._asdict() if ridge is not None and ridge.features is not None else None,
            "coefficients": ridge.coefficients if ridge is not None and used else None,
        }

    @classmethod
    def relearned(cls, learned: dict[str, object]) -> Self:
        """What ``learned`` gave."""
        ridge = None
        if learned["features"] is not None:
            features = KnownFeatures(**learned["features"])  # type: ignore[arg-type]
            ridge = CovariateRidge(features.calendar)
            ridge.features, ridge.coefficients = features, np.asarray(learned["coefficients"])
        covariates = Covariates(**learned["covariates"])  # type: ignore[arg-type]
        return cls(covariates, ridge, learned["ids"], np.asarray(learned["units"]))  # type: ignore[arg-type]


def spread(panel: Panel, values: np.ndarray) -> np.ndarray:
    """(N,) standard deviation of the observed values of each series; 1 where it is 0."""
    seen, owner = np.isfinite(values), panel.owner
    n = np.maximum(np.bincount(owner[seen], minlength=panel.n_series), 1)
    mean = np.bincount(owner[seen], values[seen], panel.n_series) / n
    square = np.bincount(owner[seen], (values[seen] - mean[owner[seen]]) ** 2, panel.n_series) / n
    return np.where(square > 0, np.sqrt(square), 1.0)


def learned_response(
    panel: Panel, values: np.ndarray, cuts: Cuts, held: Cuts, horizon: int, periods: tuple[int, int]
) -> Response:
    """The response to the known covariates, fitted on training windows and chosen on others.

    Args:
        panel: of ``fit``.
        values: (R,) its targets, NaN = missing.
        cuts: training windows.
        held: windows of validation.
        horizon: H.
        periods: season and second season.

    Returns:
        Units of all covariates, and the response where there are known ones and it pays.
    """
    covariates, units = Covariates.learn(panel), spread(panel, values)
    ridge = None
    if panel.schema.known and len(cuts.stop) and len(held.stop):
        sizes = covariates.columns(panel, multivariate=False)
        known = covariates.pack(panel, multivariate=False).known_x.double().numpy()
        rows = int(panel.lengths.max())
        fitting = [period for period in periods if ROOM * period <= rows]
        length = min(MOST_ROWS, longest_context(*periods), 2 * max([horizon, *fitting]), max(1, rows // 3))
        parts = [_windows(values / units[panel.owner], known, some, horizon, length) for some in (cuts, held)]
        if len(parts[0].past) and len(parts[1].past):
            ridge = CovariateRidge(sizes[3]).fit([parts[0]], [parts[1]])
    return Response(covariates, ridge, panel.ids, units)


def _windows(scaled: np.ndarray, known: np.ndarray, cuts: Cuts, horizon: int, length: int) -> Windows:
    """Windows of ``length`` rows of past, without missing values."""
    usable = np.flatnonzero(cuts.stop - cuts.first >= length)
    stops, where = np.unique(cuts.stop[usable], return_index=True)
    series = cuts.series[usable][where]
    some = np.linspace(0, len(stops) - 1, min(MOST_WINDOWS, len(stops))).astype(np.int64)
    stops, series = stops[some], series[some]
    places = stops[:, None] + np.arange(-length, horizon)
    y = scaled[places]
    good = np.isfinite(y).all(axis=1)
    apart = np.diff(stops)[np.diff(series) == 0]
    overlap = int(horizon // max(np.median(apart), 1)) if len(apart) else 0
    folds = fold_of_each(series[good], overlap)
    return Windows(y[good, :length], y[good, length:], known[places[good]], folds, np.ones(int(good.sum())))


def past_inputs(rows: Rows, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """(B, 2 P) of each past covariate its last value and its correlation with the values of the context.

    Args:
        rows: of the panel.
        first: (B,) of the contexts.
        stop: (B,) of the contexts.

    Returns:
        Numbers within -8 to 8.
    """
    if not rows.past.shape[1]:
        return np.zeros((len(first), 0))
    seen = np.isfinite(rows.values)
    y, x = np.where(seen, rows.values, 0.0)[:, None], np.where(seen[:, None], rows.past, 0.0)
    centre = y[seen].mean() if seen.any() else 0.0
    y = np.where(seen[:, None], y - centre, 0.0)

    def total(part: np.ndarray) -> np.ndarray:
        sums = np.concatenate([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])
        return sums[stop] - sums[first]

    n = np.maximum(total(seen[:, None].astype(np.float64)), 1.0)
    mean_x, mean_y = total(x) / n, total(y) / n
    covariance = total(x * y) / n - mean_x * mean_y
    variances = (total(x * x) / n - mean_x**2) * (total(y * y) / n - mean_y**2)
    correlation = np.where(variances > 1e-12, covariance / np.sqrt(np.maximum(variances, 1e-12)), 0.0)
    return np.concatenate([rows.past[stop - 1], correlation], axis=1).clip(-8, 8)
