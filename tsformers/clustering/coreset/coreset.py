"""Coreset: some series and some of their times, weighted, that stand for all of them where series are clustered."""

from dataclasses import KW_ONLY, dataclass, replace
from typing import Self, Unpack

import numpy as np
import pandas as pd
from jaxtyping import Int64
from numpy.random import Generator
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.clustering.coreset.sensitivities import cluster_objective, draw_coreset, entities_of, fit_var_mixture
from tsformers.clustering.coreset.var_mixture import Pairs, VARMixture, all_pairs
from tsformers.clustering.scaled_series import Micro, read_micro
from tsformers.data.dataframes import Frame, from_pandas, stamps
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError

__all__ = ["Coreset", "Pairs", "VARMixture", "all_pairs", "cluster_objective", "draw_coreset", "fit_var_mixture"]


@dataclass(repr=False, eq=False)
class Coreset(BaseEstimator):
    """A weighted subset of series and times on which clusters come out nearly as on all data.

    Series are drawn with replacement, those far from the others and those of small groups more often; then times of
    each, those far from the mean of their series more often, and those that follow them. Weights make up for it: the
    clustering objective of the coreset is that of all data on average, for any clusters. Missing values count as if
    they were not there; a value after a gap has no predecessor.

    A union of coresets of disjoint sets of series is a coreset of all of them (``merged``), so a stream of series may
    be reduced part by part.

    Args:
        size: how many values are drawn in all; what is drawn twice is kept once, with twice the weight.
        n_clusters: k, for which it is made.
        n_entities: how many series are drawn; None: ``sqrt(size k / 3)``.
        n_times: how many values of each; None: ``size / n_entities``.
        normalise: whether weights are made to sum to the number of series, and to that of the values of each: no
            longer without bias, but with less noise in the constant part of the objective.
        seed: of ``fit``; None: fresh entropy.

    Returns:
        After ``fit``: ``ids_`` (of the chosen series), ``entities_`` (frame of id and weight), ``times_`` (frame of id,
        time, target, ``previous``: the value before it, entity_weight, time_weight), ``n_series_``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> y = np.random.default_rng(0).normal(size=(200, 50))
        >>> ids, ds = np.repeat(np.arange(200), 50), np.tile(np.arange(50), 200)
        >>> coreset = Coreset(400, 2, seed=0).fit(pd.DataFrame({"unique_id": ids, "ds": ds, "y": y.ravel()}))
        >>> len(coreset.entities_), len(coreset.times_), list(coreset.times_)[3:]
        (15, 300, ['previous', 'entity_weight', 'time_weight'])

    Source: Huang, Sudhir & Vishnoi (2021), Coresets for Time Series Clustering, NeurIPS.
    """

    size: int = 1000
    n_clusters: int = 3
    _: KW_ONLY
    n_entities: int | None = None
    n_times: int | None = None
    normalise: bool = False
    seed: int | None = None

    save = storage.save

    def fit(self, data: Frame | Panel, **roles: Unpack[Roles]) -> Self:
        """Draw the coreset.

        Args:
            data: a long frame or a Panel, in units that make series comparable; the target alone is read.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The coreset itself.

        Raises:
            DataError: what ``Panel.from_frame`` refuses.
        """
        n_entities, n_times = self.counts()
        panel = Panel.from_frame(data, **roles)
        pairs, rows = _panel_pairs(read_micro(panel, None))
        rng = np.random.default_rng(self.seed)
        drawn = draw_coreset(pairs, n_entities, n_times, self.n_clusters, normalise=self.normalise, rng=rng)
        chosen, schema = drawn.pairs, panel.schema
        self.ids_: pd.Index = panel.ids[drawn.entities]
        self.entities_: pd.DataFrame = pd.DataFrame({schema.id_col: self.ids_, "weight": chosen.entity_weight})
        self.times_: pd.DataFrame = pd.DataFrame(
            {
                schema.id_col: self.ids_[chosen.entity],
                schema.time_col: stamps(panel.times[rows[drawn.rows]], schema),
                schema.target_col: chosen.value[:, 0],
                "previous": chosen.before[:, 0],
                "entity_weight": chosen.entity_weight[chosen.entity],
                "time_weight": chosen.time_weight,
            }
        )
        self.lengths_: np.ndarray = chosen.lengths
        self.n_series_: int = panel.n_series
        self.panel_: Panel = replace(panel.select(drawn.entities).tail(1), dropped=panel.ids[:0])
        return self

    def to_frame(self) -> Frame:
        """``times_`` in the caller's own type.

        Returns:
            A frame.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        check_is_fitted(self, "times_")
        return from_pandas(self.times_, self.panel_.schema.backend)

    def pairs(self) -> Pairs:
        """The coreset as arrays, for ``cluster_objective`` and ``fit_var_mixture``.

        Returns:
            One number a value.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        check_is_fitted(self, "times_")
        schema, table = self.panel_.schema, self.times_
        return Pairs(
            self.ids_.get_indexer(pd.Index(table[schema.id_col])),
            table[[schema.target_col]].to_numpy(),
            table[["previous"]].to_numpy(),
            table["time_weight"].to_numpy(),
            self.entities_["weight"].to_numpy(),
            self.lengths_,
        )

    def merged(self, other: "Coreset") -> "Coreset":
        """The coreset of all series of two coresets.

        Args:
            other: of other series, with the same names of columns.

        Returns:
            A coreset; its weights are those of the two.

        Raises:
            DataError: a series is in both, which would count it twice.
        """
        check_is_fitted(self, "times_")
        both = self.ids_.intersection(other.ids_)
        if len(both):
            raise DataError(
                f"series {both[0]!r} is in both coresets; a union needs coresets of disjoint sets of series"
            )
        union = Coreset(**self.get_params())
        union.ids_ = self.ids_.append(other.ids_)
        union.entities_ = pd.concat([self.entities_, other.entities_], ignore_index=True)
        union.times_ = pd.concat([self.times_, other.times_], ignore_index=True)
        union.lengths_ = np.concatenate([self.lengths_, other.lengths_])
        union.n_series_ = self.n_series_ + other.n_series_
        union.panel_ = self.panel_
        return union

    def counts(self) -> tuple[int, int]:
        """How many entities are drawn, and how many times of each.

        Returns:
            Two numbers.

        Raises:
            ValueError: a setting is out of range.
        """
        for name in ("size", "n_clusters", "n_entities", "n_times"):
            value = getattr(self, name)
            if value is None and name.startswith("n_"):
                continue
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
        n_entities = self.n_entities or max(1, round(np.sqrt(self.size * self.n_clusters / 3)))
        return n_entities, self.n_times or max(1, round(self.size / n_entities))

    def draw_entities(self, micro: Micro, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """The first stage alone: whole series.

        Args:
            micro: N series.
            rng: of the draws.

        Returns:
            Positions of the chosen series, and their weights.
        """
        n_entities, _ = self.counts()
        pairs, _ = _panel_pairs(micro)
        return entities_of(pairs, n_entities, self.n_clusters, self.normalise, rng)


def _panel_pairs(micro: Micro) -> tuple[Pairs, Int64[np.ndarray, " P"]]:
    """All values of series that are not missing, and their rows."""
    lengths = micro.stops - micro.starts
    owner = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.arange(len(owner)) + np.repeat(micro.starts - np.cumsum(lengths) + lengths, lengths)
    value = micro.y[rows]
    before = np.concatenate([[np.nan], value[:-1]])
    before[(np.cumsum(lengths) - lengths)[lengths > 0]] = np.nan
    seen = ~np.isnan(value)
    owner, count = owner[seen], np.bincount(owner[seen], minlength=len(lengths)).astype(np.float64)
    ones = np.ones(len(owner)), np.ones(len(lengths))
    return Pairs(owner, value[seen, None], before[seen, None], *ones, count), rows[seen]
