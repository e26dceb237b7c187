"""Clustered: a forecaster for each cluster of series, and forecasts of the sum of all series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.contracts import Clusterer
from tsformers.data.blocks.forecast_blocks import forecast_blocks, joined, summarised
from tsformers.data.dataframes import Frame, from_pandas
from tsformers.data.draws import drawn
from tsformers.data.forecast import Forecast
from tsformers.data.intake.ids import id_columns
from tsformers.data.intake.silent_series import silence_accepted, warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.storage.training_panel import training_panel
from tsformers.validation import check_settings

SALT = 2_021_120_605
LEAST_SHARE = 0.5  # of a sum that must be observed, so that the rest is imputed
GOLDEN_RATIO = 1.618033988749895


@dataclass(repr=False, eq=False)
class Clustered(BaseEstimator):
    """A forecaster for each cluster of series, or for the sum of each cluster.

    The series of ``fit`` are clustered; a copy of the forecaster is fitted on the members of each cluster, or with
    ``aggregate=True`` on their sum: the draws of these sums add up to draws of the total of all series. Labels depend
    on the rows of ``fit`` alone. The clusterer assigns later series to a cluster.

    Sums have no covariates. A series counts as 0 before its first row. Where some values of a cluster are missing, the
    sum of the others is divided by their usual share, if that is half or more and all means are positive; else the sum
    is missing. Errors of different clusters are correlated, so independent draws would understate the uncertainty of
    the total: ``coupling="past"`` sorts the draws of all clusters, at each step, by the ranks that changes of their
    sums had together in the past.

    Args:
        clusterer: ``MixSeq(3)``, ``ByFeatures(KMeans(3))``, or any other ``contracts.Clusterer``.
        forecaster: any forecaster; a copy is fitted for each cluster.
        aggregate: forecast the total of all series, as the sum of the clusters' sums.
        coupling: of ``aggregate``: "past" as above, or "independent".

    Returns:
        After ``fit``: ``clusterer_``, ``labels_`` (frame of id and cluster) and ``forecasters_``, by cluster.

    Raises:
        DataError: with ``aggregate``, series that do not end together.
        TypeError: at ``fit``, the clusterer cannot ``fit`` and ``predict``.

    Example:
        >>> import pandas as pd
        >>> from sklearn.cluster import KMeans
        >>> from tsformers import ByFeatures, SeasonalNaive
        >>> rng = np.random.default_rng(0)
        >>> y = rng.normal(10, 1, size=(4, 40)) + np.outer([0, 0, 3, 3], np.arange(40))
        >>> frame = pd.DataFrame({"unique_id": np.repeat(list("abcd"), 40), "ds": np.tile(np.arange(40), 4)})
        >>> naive = SeasonalNaive(horizon=2, season_length=1, seed=0)
        >>> model = Clustered(ByFeatures(KMeans(2, random_state=0), order=1), naive, aggregate=True)
        >>> forecast = model.fit(frame.assign(y=y.ravel())).predict()
        >>> list(forecast.ids), bool(abs(forecast.mean[0, 0] - y[:, -1].sum()) < 1e-6)
        (['total'], True)

    Source: Zhu et al. (2021), MixSeq, section 3; the ranks of draws: Clark et al. (2004), The Schaake shuffle.
    """

    clusterer: Any
    forecaster: Any
    aggregate: bool = False
    coupling: Literal["past", "independent"] = "past"

    save = storage.save

    @property
    def horizon(self) -> int:
        """H, that of the forecaster."""
        return self.forecaster.horizon

    @property
    def uses_covariates(self) -> bool:
        """Whether the forecaster reads covariates; sums have none."""
        return not self.aggregate and getattr(self.forecaster, "uses_covariates", True)

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Cluster the series, then fit a forecaster for each cluster.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``; ``short`` is passed on to the forecasters.

        Returns:
            The model itself.
        """
        warn_unused_covariates(self, roles)
        self._check()
        self.short_: str = roles.get("short", "error")
        panel = training_panel(data, y, roles)
        self.clusterer_: Any = clone(self.clusterer, safe=False).fit(_in_pandas(panel))
        labels = self.clusterer_.labels_["cluster"].to_numpy()
        self.names_: list[int] = sorted(int(name) for name in np.unique(labels))
        self.members_: np.ndarray = labels.astype(np.int64)
        self.panel_: Panel = panel.tail(1)
        parts = self._sums(panel, labels) if self.aggregate else [panel.select(labels == name) for name in self.names_]
        self.forecasters_: list[Any] = [
            clone(self.forecaster, safe=False).fit(part, short=self.short_) for part in parts
        ]
        self.moves_: np.ndarray = _moves(parts, self.horizon) if self.aggregate else np.zeros((len(parts), 0, 0))
        return self

    @property
    def labels_(self) -> Frame:
        """The cluster of each series of ``fit``: a frame of id and cluster."""
        check_is_fitted(self, "members_")
        columns = {**id_columns(self.panel_.ids, self.panel_.schema), "cluster": self.members_}
        return from_pandas(pd.DataFrame(columns), self.panel_.schema.backend)

    def predict(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
        **unknown: Unpack[NoKeywords],
    ) -> Forecast:
        """Forecast what follows the end of each series, or of their total.

        Args:
            data: these or other series; for the total, the series of ``fit``. None: those of ``fit``, from their end.
            future: known covariates of the steps ahead.
            static: static covariates of the series of ``data``.
            n_samples: draws of each series.
            seed: None: the forecaster's.
            quantiles: levels; the answer is the means of the draws and their quantiles at these levels. Each cluster's
                forecaster computes them in blocks of series as far as it can. None: draws.

        Returns:
            A forecast of the series in the panel's order, or, with ``aggregate``, of one series, "total".

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: for the total, other series than those of ``fit``; and as in the forecasters.
        """
        refuse_unknown(unknown, "predict", PREDICT)
        check_is_fitted(self, "forecasters_")
        panel = None if data is None else self.panel_.like(data, static, self.short_)
        if not self.aggregate:
            warn_of_silent_series(self.panel_ if panel is None else panel, self.horizon)
        with silence_accepted():
            return self._predicted(panel, future, n_samples, seed, quantiles)

    def _predicted(
        self,
        panel: Panel | None,
        future: Frame | None,
        n_samples: int,
        seed: int | None,
        quantiles: Sequence[float] | None,
    ) -> Forecast:
        asked: dict[str, Any] = {"n_samples": n_samples, "seed": seed}
        if self.aggregate:
            total = self._total(panel, n_samples, seed)
            return total if quantiles is None else summarised(total, quantiles)
        if panel is None:
            found = [_answer(model, None, quantiles, asked | {"future": future}) for model in self.forecasters_]
            return _side_by_side(found, self.panel_.ids)
        panel = panel.with_future(future, self.horizon)
        at = self.panel_.ids.get_indexer(panel.ids)
        labels = self.members_[at]
        if (new := at < 0).any():
            labels[new] = self.clusterer_.predict(_in_pandas(panel.select(new)))["cluster"].to_numpy()
        found = [
            _answer(model, panel.select(labels == name), quantiles, asked)
            for name, model in zip(self.names_, self.forecasters_, strict=True)
            if (labels == name).any()
        ]
        return _side_by_side(found, panel.ids)

    def predict_blocks(
        self, data: Frame | Panel | None = None, *, quantiles: Sequence[float] | None = None, **asked: Any
    ) -> Iterator[Forecast]:
        """What ``predict`` gives, as one block: series of one cluster do not follow each other."""
        yield self.predict(data, quantiles=quantiles, **asked)

    def _total(self, panel: Panel | None, n_samples: int, seed: int | None) -> Forecast:
        if panel is not None:
            if not panel.ids.equals(self.panel_.ids):
                raise DataError(
                    f"the total is of the {len(self.panel_.ids)} series of fit; the data have {panel.n_series} series, "
                    "not the same ones: pass all of them"
                )
            parts: list[Panel | None] = [*self._sums(panel, self.members_)]
        else:
            parts = [None] * len(self.forecasters_)
        models = zip(self.forecasters_, parts, strict=True)
        found = [model.predict(part, n_samples=n_samples, seed=seed) for model, part in models]
        found = [drawn(each, n_samples, SALT + k) for k, each in enumerate(found)]
        values = np.stack([each.values[0] for each in found])  # (K, S, H)
        if self.coupling == "past":
            values = reordered(values, self.moves_)
        total = values.sum(0)[None]
        return replace(found[0], ids=pd.Index(["total"]), values=total, schema=self.panel_.schema, means=None)

    def _sums(self, panel: Panel, labels: np.ndarray) -> list[Panel]:
        """The sum of each cluster's series, as a panel of one series."""
        ends = panel.times[panel.ends - 1]
        if (ends != ends[0]).any():
            late = panel.ids[int(np.argmax(ends != ends[0]))]
            raise DataError(
                f"series {late!r} does not end when the others do, so that their sum has no end; cut all histories to "
                "one common end"
            )
        rows = int(panel.lengths.max())
        longest = int(panel.lengths.argmax())
        started = np.arange(rows) >= rows - panel.lengths[:, None]
        sums = {
            name: sum_of_series(panel.padded(rows)[labels == name], started[labels == name]) for name in self.names_
        }
        times = panel.times[panel.ends[longest] - rows : panel.ends[longest]]
        schema = replace(panel.schema, past=(), known=())
        return [
            Panel(
                pd.Index([f"cluster {name}"]), np.array([0, rows]), np.array([rows]), times, sums[name],
                np.empty((rows, 0)), np.empty((rows, 0)), pd.DataFrame(index=[f"cluster {name}"]), panel.grid, schema,
            )
            for name in self.names_
        ]  # fmt: skip

    def _check(self) -> None:
        clusters = isinstance(self.clusterer, Clusterer) or hasattr(type(self.clusterer), "labels_")
        if isinstance(self.clusterer, type) or type(self.clusterer).__module__.startswith("sklearn.") or not clusters:
            raise TypeError(
                f"clusterer must be an object that clusters series, such as MixSeq(3), not {self.clusterer!r}; pass "
                "a clusterer of scikit-learn, which clusters rows of numbers, as ByFeatures(...)"
            )
        check_settings(self)


def _in_pandas(panel: Panel) -> Panel:
    return replace(panel, schema=replace(panel.schema, backend="pandas"))


def sum_of_series(y: Float[np.ndarray, "N T"], started: Bool[np.ndarray, "N T"]) -> Float[np.ndarray, " T"]:
    """The sum of series at each step, with missing values imputed by the usual share of the observed ones.

    Args:
        y: the series, NaN = missing.
        started: False before the first row of a series, which counts as 0 there.

    Returns:
        Sums; NaN where less than half is observed, or where a value is missing and a series has no positive mean.

    Example:
        >>> y = np.array([[1.0, 1.0, np.nan], [3.0, np.nan, 3.0]])
        >>> sum_of_series(y, np.ones((2, 3), dtype=bool))
        array([ 4., nan,  4.])
    """
    observed = np.isfinite(y)
    level = np.nanmean(np.where(observed.any(1, keepdims=True), y, 0.0), axis=1, keepdims=True)
    if (level <= 0).any():
        return np.where(started, y, 0.0).sum(0)
    there, due = (level * (observed & started)).sum(0), (level * started).sum(0)
    share = np.divide(there, due, out=np.ones(y.shape[1]), where=due > 0)
    return np.where(share >= LEAST_SHARE, np.where(observed, y, 0.0).sum(0) / np.maximum(share, LEAST_SHARE), np.nan)


def _answer(model: Any, panel: Panel | None, quantiles: Sequence[float] | None, asked: dict[str, Any]) -> Forecast:
    """The forecast of one cluster; of quantiles, no more draws are held than the model needs at once."""
    if quantiles is None:
        return model.predict(panel, **asked)
    return joined(forecast_blocks(model, panel, quantiles=quantiles, **asked))


def _side_by_side(found: list[Forecast], ids: pd.Index) -> Forecast:
    """The forecasts of all clusters as one, in the order of ``ids``; draws if one of them holds draws."""
    if len({each.levels for each in found}) > 1 or len({each.values.shape[1] for each in found}) > 1:
        found = [drawn(each, max(part.n_samples for part in found) or 100, SALT) for each in found]
    names = found[0].ids.append([each.ids for each in found[1:]])
    order = names.get_indexer(ids[ids.isin(names)])
    times, values = (np.concatenate(parts)[order] for parts in zip(*((f.times, f.values) for f in found), strict=True))
    means = None if any(each.means is None for each in found) else np.concatenate([each.means for each in found])[order]
    return replace(found[0], ids=names[order], times=times, values=values, joint=False, means=means)


def _moves(sums: list[Panel], horizon: int) -> np.ndarray:
    """(K, M, H) changes of the K sums within H steps, from each of M past rows at which all are observed."""
    y = np.stack([part.y for part in sums])
    starts = np.arange(y.shape[1] - horizon)
    moves = y[:, starts[:, None] + 1 + np.arange(horizon)] - y[:, starts, None]
    return moves[:, np.isfinite(moves).all(axis=(0, 2))]


def reordered(values: Float[np.ndarray, "K S H"], moves: Float[np.ndarray, "K M H"]) -> Float[np.ndarray, "K S H"]:
    """Draws of each cluster and step, sorted so that their ranks are those of past changes (Schaake shuffle).

    Args:
        values: draws of K clusters.
        moves: changes of the clusters within H steps, from M past rows; S of these, spread over the past, give ranks.

    Returns:
        The same draws in another order.

    Example:
        >>> moves = np.array([[[1.0], [2.0]], [[9.0], [8.0]]])  # the larger change of one is the smaller of the other
        >>> reordered(np.array([[[0.0], [1.0]], [[0.0], [1.0]]]), moves).sum(0).ravel().tolist()
        [1.0, 1.0]
    """
    n_samples, n_moves = values.shape[1], moves.shape[1]
    if n_moves < 2:
        return values
    spread = np.arange(n_samples) * (n_moves / GOLDEN_RATIO) % n_moves  # evenly, not in order of time
    turn = spread.astype(int)
    rank = moves[:, turn].argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return np.take_along_axis(np.sort(values, axis=1), rank, axis=1)
