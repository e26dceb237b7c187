"""Training of MixSeq's networks: the loss, its annealing, pretraining, and restarts of collapsed clusters."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

import tsformers.clustering.mixseq.ar_backbone as ar
from tsformers.clustering.mixseq.ar_mixture import feature_labels, lag_moments
from tsformers.clustering.mixseq.crops import Stretches, at_random, cut
from tsformers.clustering.mixseq.evidence import History, HistoryRow
from tsformers.clustering.mixseq.network import Crop, MixtureNetwork, Sizes
from tsformers.clustering.mixseq.network_evidence import evaluate_network
from tsformers.clustering.scaled_series import ScaledSeries, require_series
from tsformers.progress import progress
from tsformers.training.loop import run, steps_between_checks
from tsformers.training.optimiser_step import Descent
from tsformers.training.randomness import seeded
from tsformers.training.schedule import rate_at
from tsformers.training.threads import limited_threads

MOST_CONTEXT = 128  # rows, where no context length is given
MOST_CHECKED = 512  # series read at each check
WORST = 0.5  # of an equal share: so many of the worst-fitted series a collapsed cluster is restarted on
REPAIR_STEPS = 40  # of training on them
LATEST_RESTART = 0.7  # share of the steps after which no cluster is restarted
NOISE = 0.1  # added to the weights of the component that a collapsed one is copied from
WARM = 1 / 3  # share of the steps in which temperature and the weight of KL are annealed
LAST_BALANCE = 0.1  # of ``balance``, at the end


@dataclass(frozen=True)
class Plan:
    """Settings of the training; see ``MixSeq``."""

    context_length: int | None
    d_model: int
    n_layers: int
    n_heads: int
    kernel: int
    dropout: float
    shared_embedding: bool
    init: Literal["ar", "kmeans", "random"]
    pretrain_steps: int
    max_epochs: int | None
    max_steps: int
    batch_size: int
    learning_rate: float
    gradient_clip: float
    anneal: bool
    temperature: float
    balance: float
    restarts: int
    validation_share: float
    device: torch.device
    verbose: bool | None


def learn(
    scaled: ScaledSeries, weight: np.ndarray, n_clusters: int, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Any], History]:
    """Train the networks.

    Args:
        scaled: N series.
        weight: how much each counts.
        n_clusters: K.
        plan: settings of the training.
        rng: of all draws.

    Returns:
        Sizes, unit and weights, and a row for each check.

    Raises:
        DataError: fewer series than clusters.
        FloatingPointError: the loss is no longer finite.

    Source: Zhu et al. (2021), MixSeq, section 3; the remedies against collapse are ours.
    """
    usable = scaled.n_observed > 1
    require_series(usable, n_clusters, "two values")
    scaled, weight = scaled.select(usable), weight[usable] / weight[usable].mean()
    values = np.abs(scaled.y[~np.isnan(scaled.y)])
    sizes = Sizes(
        n_clusters=n_clusters,
        context_length=min(plan.context_length or MOST_CONTEXT, int((scaled.stops - scaled.starts).max())),
        d_model=plan.d_model,
        n_layers=plan.n_layers,
        n_heads=plan.n_heads,
        kernel=plan.kernel,
        dropout=plan.dropout,
        shared_embedding=plan.shared_embedding,
    )
    with limited_threads(), seeded(int(rng.integers(2**62)), plan.device):
        training = Training(MixtureNetwork(sizes).to(plan.device), scaled, weight, float(values.mean()), plan, rng)
        history = training.train()
        weights = {name: tensor.cpu() for name, tensor in training.network.state_dict().items()}
    return {"sizes": asdict(sizes), "unit": training.unit, "weights": weights}, history


class Training:
    """One run: the steps and checks that the training loop asks for.

    Args:
        network: ends with the weights that did best on validation series (or, if there are none, on some of the
            series it was trained on).
        scaled: N series.
        weight: how much each counts, 1 on average.
        unit: all values are divided by it.
        plan: settings of the training.
        rng: of all draws but those inside the network.

    Source: Zhu et al. (2021), MixSeq, section 3; the remedies against collapse are ours.
    """

    def __init__(
        self, network: MixtureNetwork, scaled: ScaledSeries, weight: np.ndarray, unit: float, plan: Plan, rng: Generator
    ) -> None:
        self.network, self.unit, self.plan, self.rng = network, unit, plan, rng
        order = rng.permutation(len(weight))
        n_validation = round(plan.validation_share * len(order))
        if len(order) - n_validation < 2 * network.sizes.n_clusters:
            n_validation = 0
        kept = np.sort(order[n_validation:])
        self.scaled, self.weight = scaled.select(kept), weight[kept]
        checked = order[:n_validation][:MOST_CHECKED] if n_validation else order[:MOST_CHECKED]
        self.validation, self.validation_weight = scaled.select(checked), weight[checked]
        self.monitored = np.sort(rng.permutation(len(kept))[:MOST_CHECKED])  # series that show collapsed clusters
        self.total = plan.max_steps
        if plan.max_epochs is not None:
            self.total = min(self.total, plan.max_epochs * math.ceil(len(kept) / plan.batch_size))
        self.restarts, self.history = plan.restarts, list[HistoryRow]()
        optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
        self.descent = Descent(optimiser, plan.gradient_clip, "give series a unit with scaler=")
        self.began = time.perf_counter()

    def train(self) -> History:
        """All steps, with a check now and then; Ctrl-C ends it early.

        Returns:
            A row for each check.
        """
        first = 0 if self.plan.init == "random" else self.plan.pretrain_steps
        every = steps_between_checks(self.total)
        with progress(self.total + first, self.plan.verbose, unit="step") as bar:

            def check(step: int, losses: list[float]) -> float:
                row = self.check(step, losses)
                bar.set_postfix(elbo=f"{row.elbo:.4g}", entropy=f"{row.entropy:.3g}")
                return -row.elbo

            steps = self.steps(first, every, bar)
            run(self.network, steps, check, bar, total=self.total, every=every, stacklevel=6)
        if not self.history:
            self.check(0, [])
        return self.history

    def steps(self, first: int, every: int, bar: Any) -> Iterator[float]:
        """One optimiser step an item, after pretraining; after a check, collapsed clusters are restarted.

        Args:
            first: steps of pretraining, before the first item.
            every: steps from one check to the next.
            bar: a progress bar, updated after each step that is no item.

        Yields:
            The loss of the step.
        """
        if first:
            self.pretrain(self.first_labels(), first, bar)
        for step, series in zip(range(1, self.total + 1), self.batches(), strict=False):
            share = rate_at(step - 1, self.total, "cosine", 1)
            yield self.descend(self.loss(series, step / self.total), share)
            if step % every == 0 and self.restarts and WARM <= step / self.total < LATEST_RESTART:
                self.restart_collapsed(bar)

    def batches(self) -> Iterator[np.ndarray]:
        """Positions of series, epoch after epoch."""
        while True:
            order = self.rng.permutation(len(self.weight))
            for start in range(0, len(order), self.plan.batch_size):
                yield order[start : start + self.plan.batch_size]

    def loss(self, series: np.ndarray, done: float) -> Tensor:
        """Minus the bound a step, and a penalty on clusters that a batch does not use.

        ``-(sum_k q_k log p(x | k) / T - beta KL(q || 1/K)) + balance KL(mean q || 1/K)``. Beta is annealed from 1 to
        1 / T (KL annealing), at which the first part is the bound itself; the temperature of q is annealed to 1.

        Args:
            series: positions of a batch.
            done: share of all steps.

        Returns:
            A number.

        Source: Zhu et al. (2021), MixSeq, section 3, for the bound; the rest is ours.
        """
        plan, crop = self.plan, self.crop(at_random(self.scaled, series, self.length, self.rng))
        warm = min(1.0, done / WARM)
        steps = crop.scored[0].sum(-1).clamp(min=1)
        log_q = (self.network.logits(crop) / plan.temperature ** (1 - warm)).log_softmax(-1)
        q, log_k = log_q.exp(), math.log(log_q.shape[1])
        fit = (q * self.network.log_densities(crop).mT).sum(1) / steps
        divergence = (q * (log_q + log_k)).sum(1)
        beta = steps.to(q.dtype) ** (-warm if plan.anneal else -1.0)
        weight = torch.from_numpy(self.weight[series]).to(q)
        mean = (weight[:, None] * q).sum(0) / weight.sum()
        balance = plan.balance * LAST_BALANCE**done
        unused = (mean * (mean.clamp(min=1e-12).log() + log_k)).sum()
        return -(weight * (fit - beta * divergence)).mean() + balance * unused

    def pretrain(self, labels: np.ndarray, steps: int, bar: Any) -> None:
        """Train each component on the series of its label, and the inference network to predict the labels.

        Args:
            labels: of all series.
            steps: batches.
            bar: a progress bar, updated after each.
        """
        n_clusters = self.network.sizes.n_clusters
        size = max(1, self.plan.batch_size // n_clusters)
        members = [np.flatnonzero(labels == k) for k in range(n_clusters)]
        truth = torch.arange(n_clusters, device=self.plan.device).repeat_interleave(size)
        for _ in range(steps):
            series = np.concatenate([self.rng.choice(each if len(each) else len(labels), size) for each in members])
            crop = self.crop(at_random(self.scaled, series, self.length, self.rng))
            own = Crop(*(part.view(n_clusters, size, -1) for part in crop))
            fit = self.network.log_densities(own) / own.scored.sum(-1).clamp(min=1)
            classified = functional.cross_entropy(self.network.logits(crop), truth)
            self.descend(classified - fit.mean())
            bar.update()

    def first_labels(self) -> np.ndarray:
        """Initial clusters, from autoregressions of each series or of each cluster."""
        n_clusters = self.network.sizes.n_clusters
        if self.plan.init == "kmeans":
            order = ar.choose_order(self.scaled, self.weight, n_clusters, self.rng, own_variance=True)
            return feature_labels(lag_moments(self.scaled, order), self.weight, n_clusters, self.rng)
        plan = ar.Plan(order=None, own_variance=True, n_init=3, max_iter=100, verbose=False)
        parameters, _ = ar.learn(self.scaled, self.weight, n_clusters, plan, self.rng)
        return ar.evaluate(parameters, self.scaled).q.argmax(1)

    def restart_collapsed(self, bar: Any) -> None:
        """Restart collapsed clusters, if there are any, on the series that the others fit worst.

        Args:
            bar: a progress bar, updated after each step.
        """
        some, weight = self.scaled.select(self.monitored), self.weight[self.monitored]
        found = evaluate_network(self.network, some, self.unit)
        share, collapsed = weight @ found.q / weight.sum(), found.collapsed(weight)
        if not len(collapsed):
            return
        self.restarts -= 1
        labels = found.bayes.argmax(1)
        fit = np.take_along_axis(found.log_densities, labels[:, None], 1)[:, 0] / np.maximum(found.steps, 1)
        worst, size = np.argsort(fit), max(1, int(WORST * len(fit) / len(share)))
        for place, cluster in enumerate(collapsed):
            self.network.copy_component(int(share.argmax()), int(cluster), NOISE)
            labels[worst[place * size : (place + 1) * size]] = cluster
        of_all = np.full(len(self.weight), -1)  # no label: not monitored
        of_all[self.monitored] = labels
        self.pretrain(of_all, REPAIR_STEPS, bar)

    def check(self, step: int, losses: list[float]) -> HistoryRow:
        """Add a row to the history: the bound on the validation series.

        Args:
            step: steps taken.
            losses: of the steps since the last check.

        Returns:
            The row.
        """
        found = evaluate_network(self.network, self.validation, self.unit)
        loss = float(np.mean(losses)) if losses else math.nan
        self.history.append(found.row(step, self.validation_weight, time.perf_counter() - self.began, loss))
        return self.history[-1]

    def descend(self, loss: Tensor, share: float = 1.0) -> float:
        """One step of the optimiser, at a share of the learning rate.

        Dropout is switched on here, so the batch that follows a check is still read without it.
        """
        self.network.train()
        return self.descent.step(loss, share)

    def crop(self, stretches: Stretches) -> Crop:
        """Stretches on the device of the network."""
        return cut(self.scaled, stretches, self.length, self.unit, self.plan.device)

    @property
    def length(self) -> int:
        """T, rows of a stretch."""
        return self.network.sizes.context_length
