"""MixSeq: which of K laws of motion has made each of many series."""

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.errors import DataError
from tsformers.frames import Frame, from_pandas
from tsformers.intake.regularity import plain
from tsformers.panel import Panel, Roles
from tsformers.preprocessing import _ar_mixture as ar
from tsformers.preprocessing._evidence import Judged, Progress, history
from tsformers.preprocessing._micro import UNITS, Micro, Unit, read_micro

CANDIDATES = (1, 2, 3, 4, 5, 6, 8)  # numbers of clusters tried where none is given
HELD_OUT = 0.2  # of the series, while numbers of clusters are compared
DEAD_SHARE = 0.05  # of a cluster's fair share: one that holds less is reported as dead
REMEDIES = {"ar": "raise n_init"}
NAMED = 5  # series in a message, at most


@dataclass(repr=False, eq=False)
class MixSeq(BaseEstimator):
    """Clusters series by the law they move by: each is thought to come from one of K autoregressive models.

    Series are measured in units of their own, so that clusters are of shape and not of size; they may differ in length,
    and missing values are left out of the account. Series that say nothing (all zero, or too short) go to the
    largest cluster, with the shares of all clusters as their probabilities; a warning tells which. Covariates are not
    read. Clusters are numbered by size, 0 is the largest.

    Args:
        n_clusters: K; a sequence, or None for 1 to 6 and 8, is tried on a fifth of the series, kept from the fit: the
            smallest number within one standard error of the best bound is taken, and all series are fitted again.
        backbone: "ar" is a mixture of AR(p), fitted in seconds and judged exactly.
        scaler: unit of each series: "mean_abs", "standard", or None: the caller's.
        order: p of "ar"; None: the one of 1 to 8 with the least BIC.
        own_variance: of "ar": each series has a noise variance of its own, drawn from the law of its cluster, so
            that noise level and units tell little; False: one a cluster.
        n_init: climbs of "ar": the first from k-means on coefficients, others from series drawn at random.
        max_iter: iterations of a climb, at most.
        verbose: progress bar; None: where stderr is a terminal.
        seed: of ``fit``; None: fresh entropy.

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
        >>> labels = MixSeq(2, backbone="ar", seed=0).fit_predict(frame)
        >>> labels.groupby("cluster")["unique_id"].agg(["min", "max", "size"]).values.tolist()
        [[0, 24, 25], [25, 39, 15]]

    Source: Zhu, Liu, Jin, Zhang, Chen, Zhou & Zhou (2021), MixSeq, NeurIPS; of autoregressions, Wong & Li (2000).
    """

    n_clusters: int | Sequence[int] | None = None
    _: KW_ONLY
    backbone: Literal["ar"] = "ar"
    scaler: Unit | None = "mean_abs"
    order: int | None = None
    own_variance: bool = True
    n_init: int = 5
    max_iter: int = 200
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
        self.check()
        panel = Panel.from_frame(data, **roles)
        micro, rng = read_micro(panel, self.scaler), np.random.default_rng(self.seed)
        telling = np.flatnonzero(~micro.blank)
        weight = np.ones(panel.n_series)
        n_clusters, self.selection_ = self.n_clusters, None
        if not isinstance(n_clusters, int | np.integer):
            self.selection_ = self._compare(micro.select(telling), weight[telling], rng)
            n_clusters = int(self.selection_.loc[self.selection_["chosen"], "n_clusters"].iloc[0])
        parameters, progress = self._learn(micro.select(telling), weight[telling], n_clusters, rng)
        self.n_clusters_: int = n_clusters
        self.scaler_: Unit | None = self.scaler
        self.parameters_: dict[str, Any] = parameters
        self.history_: pd.DataFrame = history(progress)
        self.panel_: Panel = replace(panel.tail(1), static=panel.static.iloc[:, :0])
        self._number(micro, weight)
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

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        counts = self.n_clusters
        if counts is not None:
            many = not isinstance(counts, int | np.integer)
            each = list(counts) if many and isinstance(counts, Sequence | np.ndarray) else [counts]
            if not each or not all(isinstance(k, int | np.integer) and k >= 1 for k in each):
                raise ValueError(f"n_clusters must be whole numbers of 1 or more, or None, not {counts!r}")
        for name, known in (("backbone", ("ar",)), ("scaler", UNITS)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
        for name in ("n_init", "max_iter") + (() if self.order is None else ("order",)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")

    def _learn(
        self, micro: Micro, weight: np.ndarray, n_clusters: int, rng: np.random.Generator
    ) -> tuple[dict[str, Any], Progress]:
        """Parameters of K clusters and the lines of the history."""
        plan = ar.Plan(self.order, self.own_variance, self.n_init, self.max_iter, self.verbose)
        return ar.learn(micro, weight, n_clusters, plan, rng)

    def _compare(self, micro: Micro, weight: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """How each number of clusters does on series kept from the fit, and which is chosen."""
        counts = sorted({int(k) for k in (CANDIDATES if self.n_clusters is None else self.n_clusters)})  # type: ignore[union-attr]
        order = rng.permutation(len(weight))
        held, kept = np.sort(order[: round(HELD_OUT * len(order))]), np.sort(order[round(HELD_OUT * len(order)) :])
        counts = [k for k in counts if k <= len(kept) // 2] if self.n_clusters is None else counts
        if not len(held) or not counts:
            raise DataError(f"{len(order)} series are too few to compare numbers of clusters; set n_clusters to one")
        highest = ar.highest_order(micro)
        bounds, steps = [], []
        for each, spawned in zip(counts, rng.spawn(len(counts)), strict=True):
            parameters, _ = self._learn(micro.select(kept), weight[kept], each, spawned)
            judged = ar.judge(parameters, micro.select(held), highest)
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

    def _number(self, micro: Micro, weight: np.ndarray) -> None:
        """Numbers the clusters by size and notes what they say of the series of ``fit``."""
        judged = ar.judge(self.parameters_, micro)
        silent = micro.blank | (judged.steps == 0)
        share = weight * ~silent / (weight * ~silent).sum()
        order = np.argsort(-(share @ judged.q), kind="stable")
        if (order[1:] < order[:-1]).any():
            self.parameters_ = ar.permuted(self.parameters_, order)
            judged = ar.judge(self.parameters_, micro)  # once more, so that other data are judged alike to the last bit
        self.shares_: np.ndarray = share @ judged.q
        self.defaulted_: pd.Index = self.panel_.ids[silent]
        self.q_, self.bayes_ = (self._filled(part, silent) for part in (judged.q, judged.bayes))
        self._report(self.defaulted_)
        held = np.bincount(self.q_[~silent].argmax(1), minlength=self.n_clusters_)
        for dead in np.flatnonzero((self.shares_ < DEAD_SHARE / self.n_clusters_) | (held == 0)):
            warnings.warn(
                f"cluster {dead} of {self.n_clusters_} is dead: its share of the series is {self.shares_[dead]:.2g}, "
                f"and {held[dead]} are nearest to it; ask for fewer clusters, or {REMEDIES[self.backbone]}",
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
        micro = read_micro(panel, self.scaler_)
        return panel, micro, ar.judge(self.parameters_, micro)

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
