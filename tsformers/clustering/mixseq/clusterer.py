"""MixSeq: which of K laws of motion has made each of many series."""

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import partial
from typing import Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import tsformers.clustering.mixseq.ar_mixture as ar
import tsformers.clustering.mixseq.training as deep
from tsformers import storage
from tsformers.calendar.regularity import plain
from tsformers.clustering.coreset.coreset import Coreset
from tsformers.clustering.mixseq.evidence import Judged, Progress, history
from tsformers.clustering.scaled_series import UNITS, Micro, Unit, read_micro
from tsformers.data.dataframes import Frame, from_pandas
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError
from tsformers.training.randomness import find_device

CANDIDATES = (1, 2, 3, 4, 5, 6, 8)  # numbers of clusters tried where none is given
HELD_OUT = 0.2  # of the series, while numbers of clusters are compared
BACKBONES: dict[str, Any] = {"transformer": deep, "ar": ar}
REMEDIES = {"transformer": "raise balance, temperature or restarts, or set init='kmeans'", "ar": "raise n_init"}
RANDOM_START = 5.0  # temperature of q, at first
NAMED = 5  # series in a message, at most


@dataclass(repr=False, eq=False)
class MixSeq(BaseEstimator):
    """Clusters series by the law they move by: each is thought to come from one of K autoregressive models.

    With z the cluster of a series and equal odds for all, ``sum_k q(k | x) log p(x | k) - KL(q(z | x) || 1 / K)`` is a
    bound on ``log p(x)``, and it is what training raises. Each ``p(x | k)`` is a Transformer of convolutional attention
    that gives each value a normal law from those before it; q is one more, which reads the whole series. Or ("ar")
    each is an autoregression, clusters have odds of their own, and q is exact.

    Series are measured in units of their own, so that clusters are of shape and not of size; they may differ in length,
    and missing values are left out of the account. Long series are trained on in stretches of ``context_length`` rows
    at random places, and judged whole, in stretches that overlap by half. Series that say nothing (all zero, or too
    short) go to the largest cluster, with the shares of all clusters as their probabilities; a warning tells which.
    Covariates are not read. Clusters are numbered by size, 0 is the largest.

    Against one component that takes everything: components begin as models of first clusters (``init``), q is
    softened at first (``temperature``), clusters that a batch does not use cost something (``balance``), and a dead one
    starts again from the series that the others fit worst (``restarts``). One that is dead at the end is reported.

    Args:
        n_clusters: K; a sequence, or None for 1 to 6 and 8, is tried on a fifth of the series, kept from the fit: the
            smallest number within one standard error of the best bound is taken, and all series are fitted again.
        backbone: "transformer", or "ar": a mixture of AR(p), fitted in seconds.
        scaler: unit of each series: "mean_abs", "standard", "robust", or None: the caller's.
        coreset: its first stage chooses series, with weights, and the fit reads no others; None: all.
        order: p of "ar"; None: the one of 1 to 8 with the least BIC.
        own_variance: of "ar": each series has a noise variance of its own, of which nothing is known before, so that
            units and noise tell nothing; False: one a cluster.
        n_init: climbs of "ar": the first from k-means on coefficients, others from series drawn at random.
        max_iter: iterations of a climb, at most.
        context_length: rows that the networks see at once; None: those of the longest series, 128 at most.
        d_model: width of each network.
        n_layers: of each network.
        n_heads: of their attention.
        kernel: steps that make a query or key.
        dropout: share of what a layer adds that is set to zero while training.
        shared_embedding: whether components share their first layer.
        init: what the first clusters are: of "kmeans" on the coefficients of each series' own autoregression, of "ar",
            the mixture, or of "random" weights.
        pretrain_steps: batches in which each network learns the first clusters.
        max_epochs: passes over all series at most; None: ``max_steps`` alone decides.
        max_steps: batches at most.
        batch_size: series in a batch.
        learning_rate: the largest of the run.
        gradient_clip: largest norm of a gradient.
        anneal: whether KL weighs as much as the mean of a step at first, and what it is worth only after a third of
            the steps; it keeps q soft, which first clusters that are good already do not need.
        temperature: of q at first; it falls to 1 in a third of the steps. None: 5 from a random start; else 1: where
            first clusters are good, a soft q teaches each component the laws of the others.
        balance: weight of the divergence of the mean of q in a batch from equal shares; it falls to a tenth.
        restarts: how often dead clusters may start again.
        validation_share: of series kept from training, on which the best weights are told; with few series, none.
        device: "auto" is the first CUDA device, else the CPU.
        verbose: progress bar; None: where stderr is a terminal.
        seed: of ``fit``; None: fresh entropy. The caller's random state is never touched.

    Returns:
        After ``fit``: ``labels_``, ``n_clusters_``, ``history_`` (step, loss, elbo, kl, entropy of the mean of q,
        seconds), ``shares_`` (of the clusters), ``defaulted_`` (ids that went to the largest cluster), ``selection_``
        (numbers of clusters tried, None without a choice), ``parameters_``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.
        DataError: fewer series than clusters, and what ``Panel.from_frame`` refuses.

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

    n_clusters: int | Sequence[int] | None = None
    _: KW_ONLY
    backbone: Literal["transformer", "ar"] = "transformer"
    scaler: Unit | None = "mean_abs"
    coreset: Coreset | None = None
    order: int | None = None
    own_variance: bool = True
    n_init: int = 5
    max_iter: int = 200
    context_length: int | None = None
    d_model: int = 16
    n_layers: int = 2
    n_heads: int = 2
    kernel: int = 3
    dropout: float = 0.0
    shared_embedding: bool = False
    init: Literal["kmeans", "ar", "random"] = "kmeans"
    pretrain_steps: int = 100
    max_epochs: int | None = None
    max_steps: int = 400
    batch_size: int = 64
    learning_rate: float = 3e-3
    gradient_clip: float = 1.0
    anneal: bool = False
    temperature: float | None = None
    balance: float = 1.0
    restarts: int = 3
    validation_share: float = 0.1
    device: str = "auto"
    verbose: bool | None = None
    seed: int | None = None

    save = storage.save

    def fit(self, data: Frame | Panel, **roles: Unpack[Roles]) -> Self:
        """Find the clusters of ``data``.

        Args:
            data: a long frame or a Panel; the target alone is read.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The clusterer itself. Ctrl-C ends the fit early and keeps the best so far.
        """
        check_settings(self)
        panel = Panel.from_frame(data, **roles)
        micro, rng = read_micro(panel, self.scaler), np.random.default_rng(self.seed)
        read, weight = self._read(micro, rng)
        n_clusters, self.selection_ = self.n_clusters, None
        if not isinstance(n_clusters, int | np.integer):
            self.selection_ = self._compare(read, weight, rng)
            n_clusters = int(self.selection_.loc[self.selection_["chosen"], "n_clusters"].iloc[0])
        parameters, progress = self._learn(read, weight, n_clusters, rng)
        self.n_clusters_: int = int(n_clusters)
        self.fitted_: dict[str, Any] = {"backbone": self.backbone, "scaler": self.scaler}
        self.parameters_: dict[str, Any] = parameters
        self.history_: pd.DataFrame = history(progress)
        self.panel_: Panel = replace(panel.tail(1), static=panel.static.iloc[:, :0])
        self._number(micro)
        return self

    def predict(self, data: Frame | Panel | None = None, *, method: Literal["q", "bayes"] = "q") -> Frame:
        """The cluster of each series.

        Args:
            data: other or longer series; None: those of ``fit``.
            method: "q" asks the inference network, "bayes" the densities of the clusters; of "ar" they are one.

        Returns:
            A frame of id and cluster, in the caller's type.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: another frequency than that of ``fit``, and what ``Panel.from_frame`` refuses.
        """
        ids, shares, backend = self._asked(data, method)
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
        ids, shares, backend = self._asked(data, method)
        return self._frame(ids, {f"cluster_{k}": share for k, share in enumerate(shares.T)}, backend)

    def fit_predict(self, data: Frame | Panel, **roles: Unpack[Roles]) -> Frame:
        """``fit``, then ``labels_``.

        Args:
            data: as in ``fit``.
            **roles: as in ``fit``.

        Returns:
            A frame of id and cluster.
        """
        return self.fit(data, **roles).labels_

    @property
    def labels_(self) -> Frame:
        """The cluster of each series of ``fit``: a frame of id and cluster."""
        return self.predict()

    def score(self, data: Frame | Panel) -> float:
        """The bound on the log-likelihood of other series, in nats a step, in their own units; higher is better.

        Args:
            data: series; those that say nothing are left out.

        Returns:
            The sum of ``score_series`` over all series, by the number of steps.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: no series says anything.
        """
        table = self._scored(data)[1]
        if not table["steps"].sum():
            raise DataError("no series has a value to be judged by; give longer series")
        return float(table["elbo"].sum() / table["steps"].sum())

    def score_series(self, data: Frame | Panel) -> Frame:
        """The bound on the log-likelihood of each series, in nats, given its first values.

        Args:
            data: series.

        Returns:
            A frame of id, elbo, and steps: how many values it is of.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        panel, table = self._scored(data)
        return self._frame(panel.ids, dict(table), panel.schema.backend)

    def _read(self, micro: Micro, rng: np.random.Generator) -> tuple[Micro, np.ndarray]:
        """The series that the fit reads, and how much each counts."""
        chosen = np.flatnonzero(~micro.blank)
        weight = np.ones(len(chosen))
        if self.coreset is not None and len(chosen):
            own = rng if self.coreset.seed is None else np.random.default_rng(self.coreset.seed)
            drawn, weight = self.coreset.draw_entities(micro.select(chosen), own)
            chosen, weight = chosen[drawn], weight / weight.mean()
        return micro.select(chosen), weight

    def _learn(
        self, micro: Micro, weight: np.ndarray, n_clusters: int, rng: np.random.Generator
    ) -> tuple[dict[str, Any], Progress]:
        """Parameters of K clusters and the lines of the history."""
        if self.backbone == "ar":
            settings = {field.name: getattr(self, field.name) for field in fields(ar.Plan)}
            return ar.learn(micro, weight, n_clusters, ar.Plan(**settings), rng)
        settings = {field.name: getattr(self, field.name) for field in fields(deep.Plan)}
        settings |= {"device": find_device(self.device), "temperature": self.temperature or 1.0}
        if self.temperature is None and self.init == "random":
            settings["temperature"] = RANDOM_START
        return deep.learn(micro, weight, n_clusters, deep.Plan(**settings), rng)

    def _compare(self, micro: Micro, weight: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """How each number of clusters does on series kept from the fit, and which is chosen."""
        counts = sorted({int(k) for k in (CANDIDATES if self.n_clusters is None else self.n_clusters)})  # type: ignore[union-attr]
        order = rng.permutation(len(weight))
        held, kept = np.sort(order[: round(HELD_OUT * len(order))]), np.sort(order[round(HELD_OUT * len(order)) :])
        counts = [k for k in counts if k <= len(kept) // 2] if self.n_clusters is None else counts
        if not len(held) or not counts:
            raise DataError(f"{len(order)} series are too few to compare numbers of clusters; set n_clusters to one")
        judge = partial(ar.judge, order=ar.highest_order(micro)) if self.backbone == "ar" else deep.judge
        bounds, steps = [], []
        for each, spawned in zip(counts, rng.spawn(len(counts)), strict=True):
            parameters, _ = self._learn(micro.select(kept), weight[kept], each, spawned)
            judged = judge(parameters, micro.select(held))
            bounds.append(judged.elbo)
            steps.append(judged.steps)
        share = weight[held] / weight[held].sum()
        mean = np.array([share @ bound for bound in bounds])
        behind = bounds[int(mean.argmax())] - np.stack(bounds)  # (C, N)
        error = np.sqrt(((behind - behind @ share[:, None]) ** 2 @ share) / len(held))
        chosen = int(np.argmax(mean.max() - mean <= error))
        return pd.DataFrame(
            {
                "n_clusters": counts,
                "elbo": mean / (share @ steps[0]),
                "standard_error": error / (share @ steps[0]),
                "chosen": np.arange(len(counts)) == chosen,
            }
        )

    def _number(self, micro: Micro) -> None:
        """Numbers the clusters by size and notes what they say of the series of ``fit``."""
        backbone = BACKBONES[self.fitted_["backbone"]]
        judged = backbone.judge(self.parameters_, micro)
        silent = micro.blank | (judged.steps == 0)
        share = ~silent / (~silent).sum()
        order = np.argsort(-(share @ judged.q), kind="stable")
        if (order[1:] < order[:-1]).any():
            self.parameters_ = backbone.permuted(self.parameters_, order)
            judged = backbone.judge(
                self.parameters_, micro
            )  # once more, so that other data are judged alike to the bit
        self.shares_: np.ndarray = share @ judged.q
        self.defaulted_: pd.Index = self.panel_.ids[silent]
        self.q_, self.bayes_ = (self._filled(part, silent) for part in (judged.q, judged.bayes))
        self._report(self.defaulted_)
        for dead in judged.dead(share):
            warnings.warn(
                f"cluster {dead} of {self.n_clusters_} is dead: its share of the series is {self.shares_[dead]:.2g}, "
                f"and {int((judged.q[~silent].argmax(1) == dead).sum())} are nearest to it; ask for fewer clusters, or "
                f"{REMEDIES[self.fitted_['backbone']]}",
                UserWarning,
                stacklevel=3,
            )

    def _filled(self, shares: np.ndarray, silent: np.ndarray) -> np.ndarray:
        """Probabilities in which series that say nothing have the shares of all clusters."""
        return np.where(silent[:, None], self.shares_, shares)

    def _report(self, ids: pd.Index) -> None:
        if len(ids):
            some = ", ".join(repr(plain(name)) for name in ids[:NAMED]) + (", ..." if len(ids) > NAMED else "")
            warnings.warn(
                f"{len(ids)} series say nothing of their cluster (all zero, too short, or full of gaps) and go to the "
                f"largest: {some}",
                UserWarning,
                stacklevel=4,
            )

    def _judged(self, data: Frame | Panel) -> tuple[Panel, Micro, Judged]:
        """Other series, and what the clusters say of them."""
        check_is_fitted(self, "parameters_")
        panel = data if isinstance(data, Panel) else self.panel_.like(data)
        if panel.freq != self.panel_.freq:
            raise DataError(f"the panel's freq is {panel.freq!r}, that of fit {self.panel_.freq!r}; resample it")
        micro = read_micro(panel, self.fitted_["scaler"])
        return panel, micro, BACKBONES[self.fitted_["backbone"]].judge(self.parameters_, micro)

    def _asked(self, data: Frame | Panel | None, method: str) -> tuple[pd.Index, np.ndarray, str]:
        """Ids, probabilities (N, K), and the type of frame to answer in."""
        check_is_fitted(self, "parameters_")
        if method not in ("q", "bayes"):
            raise ValueError(f"method={method!r} is unknown; choose 'q' or 'bayes'")
        if data is None:
            shares = self.q_ if method == "q" else self.bayes_
            return self.panel_.ids, shares, self.panel_.schema.backend
        panel, micro, judged = self._judged(data)
        silent = micro.blank | (judged.steps == 0)
        self._report(panel.ids[silent])
        shares = self._filled(judged.q if method == "q" else judged.bayes, silent)
        return panel.ids, shares, panel.schema.backend

    def _scored(self, data: Frame | Panel) -> tuple[Panel, pd.DataFrame]:
        panel, micro, judged = self._judged(data)
        steps = np.where(micro.blank, 0, judged.steps).astype(np.int64)
        return panel, pd.DataFrame({"elbo": np.where(steps > 0, judged.elbo, 0.0), "steps": steps})

    def _frame(self, ids: pd.Index, columns: dict[str, Any], backend: str) -> Frame:
        return from_pandas(pd.DataFrame({self.panel_.schema.id_col: ids, **columns}), backend)


CHOICES: dict[str, tuple[str | None, ...]] = {
    "backbone": ("transformer", "ar"),
    "scaler": UNITS,
    "init": ("kmeans", "ar", "random"),
}
COUNTS = ("n_init", "max_iter", "d_model", "n_layers", "n_heads", "kernel", "max_steps", "batch_size")
OPTIONAL = ("order", "context_length", "max_epochs")
FROM_ZERO = ("pretrain_steps", "restarts")
RANGES: dict[str, tuple[float, float]] = {"validation_share": (0.0, 0.5), "dropout": (0.0, 0.99)}
AT_LEAST = {"learning_rate": 1e-12, "gradient_clip": 1e-12, "temperature": 1.0, "balance": 0.0}


def check_settings(model: Any) -> None:
    """The settings of a MixSeq are in range.

    Args:
        model: a MixSeq.

    Raises:
        ValueError: names the setting, its value and what it may be.
    """
    counts = model.n_clusters
    if counts is not None:
        many = isinstance(counts, Sequence | np.ndarray) and not isinstance(counts, str)
        each = list(counts) if many else [counts]
        if not each or not all(_whole(k, 1) for k in each):
            raise ValueError(f"n_clusters must be whole numbers of 1 or more, or None, not {counts!r}")
    for name, known in CHOICES.items():
        if (value := getattr(model, name)) not in known:
            raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
    asked = COUNTS + tuple(name for name in OPTIONAL if getattr(model, name) is not None)
    for name, least in [*((name, 1) for name in asked), *((name, 0) for name in FROM_ZERO)]:
        if not _whole(value := getattr(model, name), least):
            raise ValueError(f"{name} must be a whole number of {least} or more, not {value!r}")
    for name, (low, high) in [*RANGES.items(), *((name, (low, np.inf)) for name, low in AT_LEAST.items())]:
        value = getattr(model, name)
        if not (low <= value <= high if value is not None else name == "temperature"):
            raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    if model.d_model % model.n_heads:
        raise ValueError(f"d_model={model.d_model} cannot be split into n_heads={model.n_heads}; choose a multiple")


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least
