"""ByFeatures: any clusterer of scikit-learn on features of series."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.seasons import season_length
from tsformers.clustering.estimator_type import CLUSTERER, clusterer_tags
from tsformers.clustering.mixseq.ar_mixture import lag_moments, shrunk
from tsformers.clustering.scaled_series import read_scaled
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas
from tsformers.data.intake.ids import id_columns
from tsformers.data.packed.classical_decomposition import PackedSeries, moving_average
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_settings


@dataclass(repr=False, eq=False)
class ByFeatures(BaseEstimator):
    """Clusters series by features with any clusterer of scikit-learn; an alternative to MixSeq.

    Features of a series, after standardising it: the coefficients of its autoregression, and the strength of trend and
    season (``1 - var(remainder) / var(remainder + part)``). Each feature is standardised over all series. A series that
    was not in ``fit`` gets the cluster of the nearest series of ``fit``.

    Args:
        clusterer: an object with ``fit_predict``, such as ``KMeans(3)`` or ``GaussianMixture(3)``; a copy is fitted.
        order: coefficients of the autoregression.
        period: rows of a season; None takes it from the frequency.

    Returns:
        After ``fit``: ``labels_``, a frame of id and cluster, and ``features_``, a frame of id and features.

    Raises:
        TypeError: at ``fit``, the clusterer has no ``fit_predict``.

    Example:
        >>> from sklearn.cluster import KMeans
        >>> rng = np.random.default_rng(0)
        >>> y = np.concatenate([rng.normal(size=50), rng.normal(size=50).cumsum(), rng.normal(size=50).cumsum()])
        >>> frame = pd.DataFrame({"unique_id": np.repeat(list("abc"), 50), "ds": np.tile(np.arange(50), 3), "y": y})
        >>> labels = ByFeatures(KMeans(2, random_state=0), order=2).fit(frame).labels_["cluster"]
        >>> bool(labels[0] != labels[1]), bool(labels[1] == labels[2])
        (True, True)

    Source: Wang, Smith & Hyndman (2006), Characteristic-based clustering for time series data.
    """

    clusterer: Any
    order: Annotated[int, AtLeast(1)] = 3
    period: Annotated[int, AtLeast(1)] | None = None

    uses_covariates: ClassVar[bool] = False

    save = storage.save
    __sklearn_tags__ = clusterer_tags
    _estimator_type = CLUSTERER

    def fit(self, data: Panel | Frame, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Find clusters among the series of ``data``.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The clusterer itself.
        """
        warn_unused_covariates(self, roles)
        if not hasattr(self.clusterer, "fit_predict") or isinstance(self.clusterer, type):
            raise TypeError(f"clusterer must be an object with fit_predict, such as KMeans(3), not {self.clusterer!r}")
        check_settings(self)
        panel = training_panel(data, y, roles)
        check_answer_columns(panel.schema, ["cluster"], "the answer")
        raw = self._features(panel)
        self.units_: np.ndarray = np.stack([raw.mean(0), np.where(raw.std(0) > 0, raw.std(0), 1.0)])
        self.table_: np.ndarray = (raw - self.units_[0]) / self.units_[1]
        try:
            found = clone(self.clusterer).fit_predict(self.table_)
        except ValueError as error:  # fewer series than clusters, for one
            raise DataError(f"{type(self.clusterer).__name__} refuses {panel.n_series} series: {error}") from error
        self.found_: np.ndarray = np.asarray(found, dtype=np.int64)
        self.panel_: Panel = panel.tail(1)
        return self

    def predict(self, data: Panel | Frame | None = None) -> Frame:
        """The cluster of each series.

        Args:
            data: these or other series; None: those of ``fit``.

        Returns:
            A frame of id and cluster, in the caller's type.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        check_is_fitted(self, "found_")
        if data is None:
            return self._frame(self.panel_, {"cluster": self.found_})
        panel = self.panel_.like(data)
        at = self.panel_.ids.get_indexer(panel.ids)
        labels = self.found_[at]
        if (new := at < 0).any():
            rows = (self._features(panel.select(new)) - self.units_[0]) / self.units_[1]
            away = ((rows[:, None] - self.table_[None]) ** 2).sum(-1)
            labels[new] = self.found_[away.argmin(1)]
        return self._frame(panel, {"cluster": labels})

    def fit_predict(self, data: Panel | Frame, y: Any = None, **roles: Unpack[Roles]) -> Frame:
        """``fit``, then ``labels_``.

        Args:
            data: as in ``fit``.
            y: not used; scikit-learn's tools pass it.
            **roles: as in ``fit``.

        Returns:
            A frame of id and cluster.
        """
        return self.fit(data, y, **roles).labels_

    @property
    def labels_(self) -> Frame:
        """The cluster of each series of ``fit``: a frame of id and cluster."""
        return self.predict()

    @property
    def features_(self) -> Frame:
        """The standardised features of each series of ``fit``."""
        check_is_fitted(self, "table_")
        names = [*(f"ar_{lag}" for lag in range(1, self.order + 1)), "trend", "season"]
        return self._frame(self.panel_, dict(zip(names, self.table_.T, strict=True)))

    def _features(self, panel: Panel) -> np.ndarray:
        """(N, order + 2) features."""
        scaled = read_scaled(panel, "standard")
        coefficients = shrunk(lag_moments(scaled, self.order)).coefficients
        offsets = np.concatenate([[0], np.cumsum(panel.lengths)])
        rows = PackedSeries(scaled.y[panel.in_history], offsets, np.zeros(panel.n_series, int))
        parts = moving_average(rows, self.period or season_length(panel.grid))
        left = rows.y - parts.trend - parts.seasonal[:, 0]
        strengths = [_strength(left, left + part, rows) for part in (parts.trend, parts.seasonal[:, 0])]
        return np.column_stack([coefficients, *strengths])

    @staticmethod
    def _frame(panel: Panel, columns: dict[str, np.ndarray]) -> Frame:
        check_answer_columns(panel.schema, columns, "the answer")
        return from_pandas(pd.DataFrame({**id_columns(panel.ids, panel.schema), **columns}), panel.schema.backend)


def _strength(left: np.ndarray, both: np.ndarray, rows: PackedSeries) -> np.ndarray:
    """Share of the variance of ``both`` that is not in ``left``, 0 to 1, (N,)."""
    variances = []
    for values in (left, both):
        observed, owner, n = np.isfinite(values), rows.owner, len(rows.anchor)
        count = np.maximum(np.bincount(owner[observed], minlength=n), 1)
        mean = np.bincount(owner[observed], values[observed], minlength=n) / count
        variances.append(
            np.bincount(owner[observed], (values[observed] - mean[owner[observed]]) ** 2, minlength=n) / count
        )
    ratio = np.divide(variances[0], variances[1], out=np.ones(len(variances[0])), where=variances[1] > 0)
    return np.clip(1 - ratio, 0.0, 1.0)
