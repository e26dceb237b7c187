"""Coreset: a weighted subset of series and times on which clustering costs nearly as on all data."""

from dataclasses import KW_ONLY, dataclass, replace
from typing import Annotated, Any, ClassVar, Self, Unpack

import numpy as np
import pandas as pd
from jaxtyping import Int64
from numpy.random import Generator
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.regularity import plain
from tsformers.clustering.coreset.expectation_maximisation import fit_var_mixture
from tsformers.clustering.coreset.sensitivities import draw_coreset, entities_of
from tsformers.clustering.coreset.var_mixture import Pairs, VARMixture, all_pairs, cluster_objective
from tsformers.clustering.scaled_series import ScaledSeries, read_scaled
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas, stamps
from tsformers.data.intake.ids import id_columns, ids_of_answer
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_settings

__all__ = ["Coreset", "Pairs", "VARMixture", "all_pairs", "cluster_objective", "draw_coreset", "fit_var_mixture"]


@dataclass(repr=False, eq=False)
class Coreset(BaseEstimator):
    """A weighted subset of series and times on which clusters come out nearly as on all data.

    Importance sampling in two stages, with replacement. Series are drawn with higher probability if they are far from
    the others or in small groups; then times of each, with higher probability if they, or the times before them, are
    far from the mean of their series. Inverse-probability weights make the clustering objective of the coreset
    unbiased for that of all data, for any clusters. Missing values are left out; a value after one has no predecessor.

    A union of coresets of disjoint sets of series is a coreset of all of them (``merged``), so a stream of series may
    be reduced part by part.

    Args:
        size: number of values drawn in all; one that is drawn twice is kept once, with twice the weight.
        n_clusters: k of the clustering that it is for.
        n_entities: how many series are drawn; None: ``sqrt(size k / 3)``.
        n_times: how many values of each; None: ``size / n_entities``.
        normalise: whether weights are rescaled to sum to the number of series, and to that of the values of each: no
            longer unbiased, but with less noise in the constant part of the objective.
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

    size: Annotated[int, AtLeast(1)] = 1000
    n_clusters: Annotated[int, AtLeast(1)] = 3
    _: KW_ONLY
    n_entities: Annotated[int, AtLeast(1)] | None = None
    n_times: Annotated[int, AtLeast(1)] | None = None
    normalise: bool = False
    seed: Annotated[int, AtLeast(0)] | None = None

    uses_covariates: ClassVar[bool] = False

    save = storage.save

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Draw the coreset.

        Args:
            data: a long frame or a Panel, in units that make series comparable; the target alone is read.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The coreset itself.

        Raises:
            DataError: as in ``Panel.from_frame``.
        """
        warn_unused_covariates(self, roles)
        n_entities, n_times = self.counts()
        panel = training_panel(data, y, roles)
        check_answer_columns(
            panel.schema, ("previous", "weight", "entity_weight", "time_weight"), "the coreset", target=True
        )
        pairs, rows = pairs_of(read_scaled(panel, None))
        rng = np.random.default_rng(self.seed)
        drawn = draw_coreset(pairs, n_entities, n_times, self.n_clusters, normalise=self.normalise, rng=rng)
        chosen, schema = drawn.pairs, panel.schema
        self.ids_: pd.Index = panel.ids[drawn.entities]
        self.entities_: pd.DataFrame = pd.DataFrame({**id_columns(self.ids_, schema), "weight": chosen.entity_weight})
        self.times_: pd.DataFrame = pd.DataFrame(
            {
                **id_columns(self.ids_[chosen.entity], schema),
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
            One entry a value.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        check_is_fitted(self, "times_")
        schema, table = self.panel_.schema, self.times_
        return Pairs(
            self.ids_.get_indexer(ids_of_answer(table, schema)),
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
                f"series {plain(both[0])!r} is in both coresets; a union needs coresets of disjoint sets of series"
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
        """Number of entities that are drawn, and number of times of each.

        Returns:
            Two numbers.

        Raises:
            ValueError: a setting is out of range.

        Example:
            >>> Coreset(1200, n_clusters=4).counts()
            (40, 30)
        """
        check_settings(self)
        n_entities = self.n_entities or max(1, round(np.sqrt(self.size * self.n_clusters / 3)))
        return n_entities, self.n_times or max(1, round(self.size / n_entities))

    def draw_entities(self, scaled: ScaledSeries, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """The first stage alone: whole series.

        Args:
            scaled: N series.
            rng: of the draws.

        Returns:
            Positions of the chosen series, and their weights.
        """
        n_entities, _ = self.counts()
        pairs, _ = pairs_of(scaled)
        return entities_of(pairs, n_entities, self.n_clusters, self.normalise, rng)


def pairs_of(scaled: ScaledSeries) -> tuple[Pairs, Int64[np.ndarray, " P"]]:
    """All observed values of series, each with the value before it.

    Args:
        scaled: N series.

    Returns:
        The pairs, with unit weights, and the row of each.

    Example:
        >>> one = ScaledSeries(np.array([3.0, np.nan, 5.0, 6.0]), np.array([0]), np.array([4]), np.array([False]))
        >>> pairs, rows = pairs_of(one)
        >>> pairs.value[:, 0], pairs.before[:, 0], rows
        (array([3., 5., 6.]), array([nan, nan,  5.]), array([0, 2, 3]))
    """
    lengths = scaled.stops - scaled.starts
    owner = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.arange(len(owner)) + np.repeat(scaled.starts - np.cumsum(lengths) + lengths, lengths)
    value = scaled.y[rows]
    before = np.concatenate([[np.nan], value[:-1]])
    before[(np.cumsum(lengths) - lengths)[lengths > 0]] = np.nan
    observed = ~np.isnan(value)
    owner, count = owner[observed], np.bincount(owner[observed], minlength=len(lengths)).astype(np.float64)
    ones = np.ones(len(owner)), np.ones(len(lengths))
    return Pairs(owner, value[observed, None], before[observed, None], *ones, count), rows[observed]
