"""MixSeq: clusters of series that share an autoregressive model."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, Unpack

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import tsformers.clustering.mixseq.ar_backbone as ar
import tsformers.clustering.mixseq.network_evidence as network_evidence
import tsformers.clustering.mixseq.training as deep
from tsformers import storage
from tsformers.calendar.regularity import plain
from tsformers.clustering.coreset.coreset import Coreset
from tsformers.clustering.estimator_type import CLUSTERER, clusterer_tags
from tsformers.clustering.mixseq.evidence import Evidence, History, history_frame
from tsformers.clustering.mixseq.selection import compare_numbers
from tsformers.clustering.scaled_series import ScaledSeries, read_scaled
from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel, Roles
from tsformers.data.series_scale import ScaleMethod
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError, TsformersError, first_names
from tsformers.messages import Option, Setting
from tsformers.storage.training_panel import training_panel
from tsformers.training.randomness import find_device
from tsformers.validation import Above, AtLeast, Between, check_settings

RANDOM_TEMPERATURE = 5.0  # of q at first, after a random initialisation


class Backbone(NamedTuple):
    """A kind of components: their evidence on series, another order of them, and what helps against collapse."""

    evaluate: Callable[..., Evidence]  # (parameters, series)
    permuted: Callable[[dict[str, Any], np.ndarray], dict[str, Any]]
    remedy: str


BACKBONES = {
    "transformer": Backbone(
        network_evidence.evaluate,
        network_evidence.permuted,
        "raise balance, temperature or restarts, or set init='kmeans'",
    ),
    "ar": Backbone(ar.evaluate, ar.permuted, "raise n_init"),
}


@dataclass(repr=False, eq=False)
class MixSeq(BaseEstimator):
    """Clusters series by their dynamics, as a mixture of K autoregressive models.

    With z the cluster of a series and a uniform prior, ``sum_k q(k | x) log p(x | k) - KL(q(z | x) || 1 / K)`` is a
    lower bound on ``log p(x)``, which training maximises. Each ``p(x | k)`` is a Transformer with convolutional
    attention that gives each value a normal distribution, computed from the values before it; q is another one, which
    reads the whole series. Or ("ar") each is an autoregression, the prior is learned, and q is the exact posterior.

    Each series is scaled by its own unit, so that clusters differ in shape and not in size; series may differ in
    length, and missing values are masked. Networks are trained on stretches of ``context_length`` rows at random
    places of long series, and evaluated on whole series, in stretches that overlap by half. Series without information
    (all zero, or too short) are assigned to the largest cluster, with the shares of all clusters as their
    probabilities; a warning names them. Covariates are not read. Clusters are numbered by size, 0 is the largest.

    Against collapse, where one component holds all series: components are initialised as models of first clusters
    (``init``), q is softened at first (``temperature``), clusters that a batch does not use are penalised
    (``balance``), and a collapsed one is restarted on the series that the others fit worst (``restarts``). A warning
    names clusters that are collapsed at the end.

    Args:
        n_clusters: K; of a sequence, or with None of 1 to 6 and 8, each is tried on a validation set of a fifth of the
            series: the smallest number within one standard error of the best bound is taken, and all series are fitted
            again.
        backbone: "transformer", or "ar": a mixture of AR(p), fitted in seconds.
        scaler: unit of each series: "mean_abs", "standard", "robust", or None: the caller's.
        coreset: its first stage chooses series, with weights, and the fit reads no others; None: all.
        order: p of "ar"; None: the one of 1 to 8 with the least BIC.
        own_variance: of "ar": each series has its own noise variance under an uninformative prior, so that units and
            noise do not separate clusters; False: one a cluster.
        n_init: random restarts of "ar": the first from k-means on coefficients, others from series drawn at random.
        max_iter: iterations of each, at most.
        context_length: rows that the networks read at once; None: those of the longest series, 128 at most.
        d_model: width of each network.
        n_layers: of each network.
        n_heads: of their attention.
        kernel: steps that make a query or key.
        dropout: share of the output of a layer that is set to zero while training.
        shared_embedding: whether components share their first layer.
        init: the first clusters: of "kmeans" on the coefficients of each series' own autoregression, of the mixture
            "ar", or of "random" weights.
        pretrain_steps: batches in which each network learns the first clusters.
        max_epochs: passes over all series at most; None: ``max_steps`` alone decides.
        max_steps: batches at most.
        batch_size: series in a batch.
        learning_rate: the largest of the run.
        gradient_clip: largest norm of a gradient.
        anneal: KL annealing: KL weighs as much as the mean of a step at first, and its weight in the bound only after
            a third of the steps. It keeps q soft, which good initial clusters do not need.
        temperature: temperature annealing: of q at first; it falls to 1 in a third of the steps. None: 5 from random
            weights, else 1: with good initial clusters, a soft q trains each component on the series of the others.
        balance: weight of the divergence of the mean of q in a batch from equal shares; it falls to a tenth.
        restarts: how often collapsed clusters may be restarted.
        validation_share: share of the series on which the best weights are chosen; with few series, none.
        device: "auto" is the first CUDA device, else the CPU.
        verbose: progress bar; None: where stderr is a terminal.
        seed: of ``fit``; None: fresh entropy. The caller's random state is never touched.

    Returns:
        After ``fit``: ``labels_``, ``n_clusters_``, ``history_`` (step, loss, elbo, kl, entropy of the mean of q,
        seconds), ``shares_`` (of the clusters), ``defaulted_`` (ids assigned to the largest cluster), ``selection_``
        (numbers of clusters tried, None without a choice), ``parameters_``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.
        DataError: fewer series than clusters, and as in ``Panel.from_frame``.

    Example:
        >>> rng, y = np.random.default_rng(0), np.zeros((40, 60))
        >>> for t in range(1, 60):
        ...     y[:, t] = np.repeat([0.9, -0.9], [25, 15]) * y[:, t - 1] + rng.normal(size=40)
        >>> ids, ds = np.repeat(np.arange(40), 60), np.tile(np.arange(60), 40)
        >>> frame = pd.DataFrame({"unique_id": ids, "ds": ds, "y": y.ravel()})
        >>> labels = MixSeq(2, backbone="ar", seed=0).fit(frame).labels_
        >>> labels.groupby("cluster")["unique_id"].agg(["min", "max", "size"]).values.tolist()
        [[0, 24, 25], [25, 39, 15]]

    Source: Zhu, Liu, Jin, Zhang, Chen, Zhou & Zhou (2021), MixSeq, NeurIPS; of autoregressions, Wong & Li (2000).
    """

    n_clusters: Annotated[int, AtLeast(1)] | Sequence[Annotated[int, AtLeast(1)]] | None = None
    _: KW_ONLY
    backbone: Literal["transformer", "ar"] = "transformer"
    scaler: ScaleMethod | None = "mean_abs"
    coreset: Coreset | None = None
    order: Annotated[int, AtLeast(1)] | None = None
    own_variance: bool = True
    n_init: Annotated[int, AtLeast(1)] = 5
    max_iter: Annotated[int, AtLeast(1)] = 200
    context_length: Annotated[int, AtLeast(1)] | None = None
    d_model: Annotated[int, AtLeast(1)] = 16
    n_layers: Annotated[int, AtLeast(1)] = 2
    n_heads: Annotated[int, AtLeast(1)] = 2
    kernel: Annotated[int, AtLeast(1)] = 3
    dropout: Annotated[float, Between(0, 0.99)] = 0.0
    shared_embedding: bool = False
    init: Literal["kmeans", "ar", "random"] = "kmeans"
    pretrain_steps: Annotated[int, AtLeast(0)] = 100
    max_epochs: Annotated[int, AtLeast(1)] | None = None
    max_steps: Annotated[int, AtLeast(1)] = 400
    batch_size: Annotated[int, AtLeast(1)] = 64
    learning_rate: Annotated[float, Above(0)] = 3e-3
    gradient_clip: Annotated[float, Above(0)] = 1.0
    anneal: bool = False
    temperature: Annotated[float, AtLeast(1)] | None = None
    balance: Annotated[float, AtLeast(0)] = 1.0
    restarts: Annotated[int, AtLeast(0)] = 3
    validation_share: Annotated[float, Between(0, 0.5)] = 0.1
    device: str | torch.device | None = "auto"
    verbose: bool | None = None
    seed: Annotated[int, AtLeast(0)] | None = None

    uses_covariates: ClassVar[bool] = False

    save = storage.save
    __sklearn_tags__ = clusterer_tags
    _estimator_type = CLUSTERER

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Find the clusters of ``data``.

        Args:
            data: a long frame or a Panel; the target alone is read.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The clusterer itself. Ctrl-C ends the fit early and keeps the best so far.
        """
        warn_unused_covariates(self, roles)
        self._check()
        panel = training_panel(data, y, roles)
        check_answer_columns(panel.schema, ["cluster"], "the answer")
        scaled, rng = read_scaled(panel, self.scaler), np.random.default_rng(self.seed)
        read, weight = self.training_series(scaled, rng)
        n_clusters, self.selection_ = self.n_clusters, None
        if not isinstance(n_clusters, int | np.integer):
            evaluate = BACKBONES[self.backbone].evaluate
            if self.backbone == "ar":
                evaluate = partial(evaluate, order=ar.highest_order(read))
            self.selection_ = compare_numbers(read, weight, n_clusters, self._learn, evaluate, rng)
            n_clusters = int(self.selection_.loc[self.selection_["chosen"], "n_clusters"].iloc[0])
        parameters, history = self._learn(read, weight, n_clusters, rng)
        self.n_clusters_: int = int(n_clusters)
        self.fitted_: dict[str, Any] = {"backbone": self.backbone, "scaler": self.scaler}
        self.parameters_: dict[str, Any] = parameters
        self.history_: pd.DataFrame = history_frame(history)
        self.panel_: Panel = replace(panel.tail(1), static=panel.static.iloc[:, :0])
        self._number(scaled)
        return self

    def predict(self, data: Frame | Panel | None = None, *, method: Literal["q", "bayes"] = "q") -> Frame:
        """The cluster of each series.

        Args:
            data: other or longer series; None: those of ``fit``.
            method: "q" takes the inference network, "bayes" the densities of the clusters; of "ar" they are the same.

        Returns:
            A frame of id and cluster, in the caller's type.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: another frequency than that of ``fit``, and as in ``Panel.from_frame``.
        """
        ids, shares, backend = self._probabilities(data, method)
        return self._frame(ids, {"cluster": shares.argmax(1)}, backend)

    def predict_proba(self, data: Frame | Panel | None = None, *, method: Literal["q", "bayes"] = "q") -> Frame:
        """The probability of each cluster for each series.

        Args:
            data: as in ``predict``.
            method: as in ``predict``.

        Returns:
            A frame of id and one column a cluster: cluster_0, cluster_1, ...

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        ids, shares, backend = self._probabilities(data, method)
        return self._frame(ids, {f"cluster_{k}": share for k, share in enumerate(shares.T)}, backend)

    def fit_predict(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Frame:
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

    def score(self, data: Frame | Panel) -> float:
        """The bound on the log-likelihood of other series, in nats a step, in their own units; higher is better.

        Args:
            data: series; those without information are left out.

        Returns:
            The sum of ``score_series`` over all series, by the number of steps.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: no series has a value to be scored.
        """
        table = self._scored(data)[1]
        if not table["steps"].sum():
            raise DataError("no series has a value to be scored; give longer series")
        return float(table["elbo"].sum() / table["steps"].sum())

    def score_series(self, data: Frame | Panel) -> Frame:
        """The bound on the log-likelihood of each series, in nats, given its first values.

        Args:
            data: series.

        Returns:
            A frame of id, elbo, and steps: the number of values that are scored.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        panel, table = self._scored(data)
        return self._frame(panel.ids, dict(table), panel.schema.backend)

    def training_series(self, scaled: ScaledSeries, rng: np.random.Generator) -> tuple[ScaledSeries, np.ndarray]:
        """The series that the fit reads: those of the coreset, or all that are not blank.

        Args:
            scaled: N series.
            rng: draws the coreset, unless it has a seed of its own.

        Returns:
            The series, and how much each counts, 1 on average.
        """
        chosen = np.flatnonzero(~scaled.blank)
        weight = np.ones(len(chosen))
        if self.coreset is not None and len(chosen):
            own = rng if self.coreset.seed is None else np.random.default_rng(self.coreset.seed)
            drawn, weight = self.coreset.draw_entities(scaled.select(chosen), own)
            chosen, weight = chosen[drawn], weight / weight.mean()
        return scaled.select(chosen), weight

    def _learn(
        self, scaled: ScaledSeries, weight: np.ndarray, n_clusters: int, rng: np.random.Generator
    ) -> tuple[dict[str, Any], History]:
        """Parameters of K clusters and the history of their fit."""
        if self.backbone == "ar":
            settings = {field.name: getattr(self, field.name) for field in fields(ar.Plan)}
            return ar.learn(scaled, weight, n_clusters, ar.Plan(**settings), rng)
        settings = {field.name: getattr(self, field.name) for field in fields(deep.Plan)}
        settings |= {"device": find_device(self.device), "temperature": self.temperature or 1.0}
        if self.temperature is None and self.init == "random":
            settings["temperature"] = RANDOM_TEMPERATURE
        return deep.learn(scaled, weight, n_clusters, deep.Plan(**settings), rng)

    def _number(self, scaled: ScaledSeries) -> None:
        """Numbers the clusters by size and keeps their probabilities for the series of ``fit``."""
        backbone = BACKBONES[self.fitted_["backbone"]]
        found = backbone.evaluate(self.parameters_, scaled)
        empty = scaled.blank | (found.steps == 0)
        share = ~empty / (~empty).sum()
        order = np.argsort(-(share @ found.q), kind="stable")
        if (order[1:] < order[:-1]).any():
            self.parameters_ = backbone.permuted(self.parameters_, order)
            found = backbone.evaluate(self.parameters_, scaled)  # once more: predict gives the same bits
        self.shares_: np.ndarray = share @ found.q
        self.defaulted_: pd.Index = self.panel_.ids[empty]
        self.q_, self.bayes_ = (self._filled(part, empty) for part in (found.q, found.bayes))
        self._report(self.defaulted_)
        for cluster in found.collapsed(share):
            warnings.warn(
                f"cluster {cluster} of {self.n_clusters_} has collapsed: its share of the series is "
                f"{self.shares_[cluster]:.2g}, and {int((found.q[~empty].argmax(1) == cluster).sum())} are nearest to "
                f"it; ask for fewer clusters, or {backbone.remedy}",
                UserWarning,
                stacklevel=3,
            )

    def _filled(self, shares: np.ndarray, empty: np.ndarray) -> np.ndarray:
        """Probabilities in which series without information have the shares of all clusters."""
        return np.where(empty[:, None], self.shares_, shares)

    def _report(self, ids: pd.Index) -> None:
        if len(ids):
            some = first_names(map(plain, ids))
            warnings.warn(
                f"{len(ids)} series give no information on their cluster (all zero, too short, or full of missing "
                f"values) and are assigned to the largest: {some}",
                UserWarning,
                stacklevel=4,
            )

    def _evaluated(self, data: Frame | Panel) -> tuple[Panel, ScaledSeries, Evidence]:
        """Other series, and the evidence on their clusters."""
        check_is_fitted(self, "parameters_")
        panel = data if isinstance(data, Panel) else self.panel_.like(data)
        if panel.freq != self.panel_.freq:
            raise DataError(f"the panel's freq is {panel.freq!r}, that of fit {self.panel_.freq!r}; resample it")
        scaled = read_scaled(panel, self.fitted_["scaler"])
        return panel, scaled, BACKBONES[self.fitted_["backbone"]].evaluate(self.parameters_, scaled)

    def _probabilities(self, data: Frame | Panel | None, method: str) -> tuple[pd.Index, np.ndarray, str]:
        """Ids, probabilities (N, K), and the type of frame to answer in."""
        check_is_fitted(self, "parameters_")
        if method not in ("q", "bayes"):
            raise TsformersError(Option("method", method), " is unknown; choose 'q' or 'bayes'")
        if data is None:
            shares = self.q_ if method == "q" else self.bayes_
            return self.panel_.ids, shares, self.panel_.schema.backend
        panel, scaled, found = self._evaluated(data)
        empty = scaled.blank | (found.steps == 0)
        self._report(panel.ids[empty])
        shares = self._filled(found.q if method == "q" else found.bayes, empty)
        return panel.ids, shares, panel.schema.backend

    def _scored(self, data: Frame | Panel) -> tuple[Panel, pd.DataFrame]:
        panel, scaled, found = self._evaluated(data)
        steps = np.where(scaled.blank, 0, found.steps).astype(np.int64)
        return panel, pd.DataFrame({"elbo": np.where(steps > 0, found.elbo, 0.0), "steps": steps})

    def _frame(self, ids: pd.Index, columns: dict[str, Any], backend: str) -> Frame:
        check_answer_columns(self.panel_.schema, columns, "the answer")
        return from_pandas(pd.DataFrame({**id_columns(pd.Index(ids), self.panel_.schema), **columns}), backend)

    def _check(self) -> None:
        check_settings(self)
        counts = self.n_clusters
        if isinstance(counts, Sequence | np.ndarray) and not len(counts):
            raise ValueError(f"n_clusters must name at least one number, or be None, not {counts!r}")
        if self.d_model % self.n_heads:
            raise TsformersError(
                Setting("d_model", self.d_model),
                " cannot be split into ",
                Setting("n_heads", self.n_heads),
                "; choose a multiple",
            )
