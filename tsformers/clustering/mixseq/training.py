"""Training of MixSeq's networks: a bound that is made exact step by step, and what keeps clusters from dying."""

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional

import tsformers.clustering.mixseq.ar_mixture as ar
from tsformers.clustering.mixseq.crops import Stretches, at_random, cut, whole
from tsformers.clustering.mixseq.evidence import Judged, Line, Progress
from tsformers.clustering.mixseq.network import Crop, MixtureNetwork, Sizes
from tsformers.clustering.scaled_series import Micro, refuse_few
from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress
from tsformers.training.early_stopping import BestWeights
from tsformers.training.randomness import seeded
from tsformers.training.schedule import rate_at

MOST_CONTEXT = 128  # rows, where no context length is given
CHECKS = 20  # in a run
MOST_CHECKED = 512  # series read at each check
JUDGED_AT_ONCE = 1 << 15  # rows
WORST = 0.5  # of a fair share: so many of the worst-fitted series it starts from
REPAIR_STEPS = 40  # on them
LATEST_RESTART = 0.7  # share of the steps
NOISE = 0.1  # added to the weights of the component that a dead one is copied from
WARM = 1 / 3  # share of the steps in which temperature and the weight of KL fall
LAST_BALANCE = 0.1  # of ``balance``, at the end


@dataclass(frozen=True)
class Plan:
    """How the networks are to be trained; see ``MixSeq``."""

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
    micro: Micro, weight: np.ndarray, n_clusters: int, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Any], Progress]:
    """Train the networks.

    Args:
        micro: N series.
        weight: how much each counts.
        n_clusters: K.
        plan: how.
        rng: of all draws.

    Returns:
        Sizes, unit and weights, and a line for each check.

    Raises:
        DataError: fewer series than clusters.
        FloatingPointError: the loss is no longer finite.

    Source: Zhu et al. (2021), MixSeq, section 3; what keeps clusters alive is ours.
    """
    telling = seen_values(micro) > 1
    refuse_few(telling, n_clusters, "two values")
    micro, weight = micro.select(telling), weight[telling] / weight[telling].mean()
    values = np.abs(micro.y[~np.isnan(micro.y)])
    sizes = Sizes(
        n_clusters=n_clusters,
        context_length=min(plan.context_length or MOST_CONTEXT, int((micro.stops - micro.starts).max())),
        d_model=plan.d_model,
        n_layers=plan.n_layers,
        n_heads=plan.n_heads,
        kernel=plan.kernel,
        dropout=plan.dropout,
        shared_embedding=plan.shared_embedding,
    )
    with seeded(int(rng.integers(2**62)), plan.device):
        run = Run(MixtureNetwork(sizes).to(plan.device), micro, weight, float(values.mean()), plan, rng)
        progress = run.train()
        weights = {name: tensor.cpu() for name, tensor in run.network.state_dict().items()}
    return {"sizes": asdict(sizes), "unit": run.unit, "weights": weights}, progress


class Run:
    """One training.

    Args:
        network: is left with the weights that did best on series kept from training (or, if there are none, on some of
            those it was trained on).
        micro: N series.
        weight: how much each counts, 1 on average.
        unit: what all values are divided by.
        plan: how.
        rng: of all draws but those inside the network.

    Source: Zhu et al. (2021), MixSeq, section 3; what keeps clusters alive is ours.
    """

    def __init__(
        self, network: MixtureNetwork, micro: Micro, weight: np.ndarray, unit: float, plan: Plan, rng: Generator
    ) -> None:
        self.network, self.unit, self.plan, self.rng = network, unit, plan, rng
        order = rng.permutation(len(weight))
        held = round(plan.validation_share * len(order))
        if len(order) - held < 2 * network.sizes.n_clusters:
            held = 0
        kept = np.sort(order[held:])
        self.micro, self.weight = micro.select(kept), weight[kept]
        judged = order[:held][:MOST_CHECKED] if held else order[:MOST_CHECKED]
        self.judged, self.judged_weight = micro.select(judged), weight[judged]
        self.looked_at = np.sort(rng.permutation(len(kept))[:MOST_CHECKED])  # where dead clusters are looked for
        self.total = plan.max_steps
        if plan.max_epochs is not None:
            self.total = min(self.total, plan.max_epochs * math.ceil(len(kept) / plan.batch_size))
        self.restarts, self.progress, self.losses = plan.restarts, list[Line](), list[float]()
        self.optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
        self.began = time.perf_counter()

    def train(self) -> Progress:
        """All steps, with a check now and then; Ctrl-C ends it early.

        Returns:
            A line for each check.

        Source: as for the class.
        """
        every, best = max(1, self.total // CHECKS), BestWeights(self.network, None)
        first = 0 if self.plan.init == "random" else self.plan.pretrain_steps
        with progress(self.total + first, self.plan.verbose) as bar:
            try:
                if first:
                    self.pretrain(self.first_labels(), first, bar)
                for step, series in zip(range(1, self.total + 1), self.batches(), strict=False):
                    rate = self.plan.learning_rate * rate_at(step - 1, self.total, "cosine", 1)
                    self.losses.append(self.descend(self.loss(series, step / self.total), rate))
                    bar.update()
                    if step % every and step < self.total:
                        continue
                    line = self.check(step)
                    bar.set_postfix(elbo=f"{line.elbo:.4g}", entropy=f"{line.entropy:.3g}")
                    best.no_better(-line.elbo)
                    if self.restarts and WARM <= step / self.total < LATEST_RESTART:
                        self.revive(bar)
            except KeyboardInterrupt:
                if not self.progress:
                    self.check(0)
                warnings.warn(
                    f"training was interrupted; {best.kept(self.progress[-1].step)}", TrainingInterrupted, stacklevel=5
                )
        best.restore()
        return self.progress

    def batches(self) -> Iterator[np.ndarray]:
        """Positions of series, epoch after epoch."""
        while True:
            order = self.rng.permutation(len(self.weight))
            for start in range(0, len(order), self.plan.batch_size):
                yield order[start : start + self.plan.batch_size]

    def loss(self, series: np.ndarray, done: float) -> Tensor:
        """Minus the bound a step, and what keeps q from one cluster.

        ``-(sum_k q_k log p(x | k) / T - beta KL(q || 1/K)) + balance KL(mean q || 1/K)``, where beta falls from 1 to
        1 / T, which makes the first part the bound itself, and the temperature of q falls to 1.

        Args:
            series: positions of a batch.
            done: share of all steps.

        Returns:
            A number.

        Source: Zhu et al. (2021), MixSeq, section 3, for the bound; the rest is ours.
        """
        plan, crop = self.plan, self.crop(at_random(self.micro, series, self.length, self.rng))
        warm = min(1.0, done / WARM)
        steps = crop.counted[0].sum(-1).clamp(min=1)
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
        """Each component learns from series of its own label, and the inference network learns the labels.

        Args:
            labels: of all series.
            steps: batches.
            bar: told of each.

        Source: ours.
        """
        n_clusters = self.network.sizes.n_clusters
        size = max(1, self.plan.batch_size // n_clusters)
        members = [np.flatnonzero(labels == k) for k in range(n_clusters)]
        truth = torch.arange(n_clusters, device=self.plan.device).repeat_interleave(size)
        for _ in range(steps):
            series = np.concatenate([self.rng.choice(each if len(each) else len(labels), size) for each in members])
            crop = self.crop(at_random(self.micro, series, self.length, self.rng))
            own = Crop(*(part.view(n_clusters, size, -1) for part in crop))
            fit = self.network.log_densities(own) / own.counted.sum(-1).clamp(min=1)
            named = functional.cross_entropy(self.network.logits(crop), truth)
            self.descend(named - fit.mean(), self.plan.learning_rate)
            bar.update()

    def first_labels(self) -> np.ndarray:
        """Clusters to begin with, from autoregressions of each series or of each cluster."""
        n_clusters = self.network.sizes.n_clusters
        if self.plan.init == "kmeans":
            order = ar.choose_order(self.micro, self.weight, n_clusters, self.rng, own_variance=True)
            return ar.feature_labels(ar.lag_moments(self.micro, order), self.weight, n_clusters, self.rng)
        plan = ar.Plan(order=None, own_variance=True, n_init=3, max_iter=100, verbose=False)
        parameters, _ = ar.learn(self.micro, self.weight, n_clusters, plan, self.rng)
        return ar.judge(parameters, self.micro).q.argmax(1)

    def revive(self, bar: Any) -> None:
        """Start dead clusters again, if there are any: from the series that the others fit worst.

        Args:
            bar: told of the steps.

        Source: ours.
        """
        some, weight = self.micro.select(self.looked_at), self.weight[self.looked_at]
        judged = judged_by(self.network, some, self.unit)
        share, dead = weight @ judged.q / weight.sum(), judged.dead(weight)
        if not len(dead):
            return
        self.restarts -= 1
        labels = judged.bayes.argmax(1)
        fit = np.take_along_axis(judged.log_densities, labels[:, None], 1)[:, 0] / np.maximum(judged.steps, 1)
        worst, size = np.argsort(fit), max(1, int(WORST * len(fit) / len(share)))
        for place, cluster in enumerate(dead):
            self.network.copy_component(int(share.argmax()), int(cluster), NOISE)
            labels[worst[place * size : (place + 1) * size]] = cluster
        everything = np.full(len(self.weight), -1)
        everything[self.looked_at] = labels
        self.pretrain(everything, REPAIR_STEPS, bar)

    def check(self, step: int) -> Line:
        """Note how the series that are kept from training fare."""
        judged = judged_by(self.network, self.judged, self.unit)
        loss = float(np.mean(self.losses)) if self.losses else math.nan
        self.progress.append(judged.line(step, self.judged_weight, time.perf_counter() - self.began, loss))
        self.losses = []
        return self.progress[-1]

    def descend(self, loss: Tensor, rate: float) -> float:
        """One step of the optimiser."""
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.gradient_clip)
        if not math.isfinite(value := loss.item()) or not math.isfinite(norm.item()):
            raise FloatingPointError(
                f"the loss is {value} and the norm of its gradient {norm.item()}; lower learning_rate (now "
                f"{self.plan.learning_rate:g}), or give series a unit with scaler="
            )
        self.optimiser.step()
        return value

    def crop(self, stretches: Stretches) -> Crop:
        """Stretches on the device of the network."""
        return cut(self.micro, stretches, self.length, self.unit, self.plan.device)

    @property
    def length(self) -> int:
        """T, rows of a stretch."""
        return self.network.sizes.context_length


def judged_by(network: MixtureNetwork, micro: Micro, unit: float) -> Judged:
    """What the networks say of whole series.

    A series longer than the context is read in stretches that overlap by half, and each step is judged once, with half
    a context before it or more. Memory does not grow with the length of series.

    Args:
        network: of K clusters.
        micro: N series.
        unit: what values are divided by.

    Returns:
        Densities of what follows the first value, in the units of ``micro``, and q.

    Source: Zhu et al. (2021), MixSeq, section 3; the stretches are ours.
    """
    length, n_clusters = network.sizes.context_length, network.sizes.n_clusters
    stretches, n = whole(micro, length), len(micro.starts)
    densities, steps = np.zeros((n, n_clusters)), np.zeros(n)
    features = np.zeros((n, network.sizes.d_model))
    device, at_once = next(network.parameters()).device, max(1, JUDGED_AT_ONCE // length)
    network.eval()
    with torch.no_grad():
        for start in range(0, len(stretches.series), at_once):
            part = Stretches(*(each[start : start + at_once] for each in stretches))
            crop = cut(micro, part, length, unit, device)
            found, counted = network.features(crop)
            np.add.at(densities, part.series, network.log_densities(crop).mT.double().cpu().numpy())
            np.add.at(features, part.series, found.double().cpu().numpy())
            np.add.at(steps, part.series, counted.double().cpu().numpy())
        weight = next(network.parameters())
        sums, counts = (torch.from_numpy(part).to(weight) for part in (features, steps))
        q = network.named(sums, counts).double().softmax(-1).cpu().numpy()
    prior = np.full(n_clusters, 1 / n_clusters)
    return Judged(densities - steps[:, None] * math.log(unit), q, prior, steps)


def judge(parameters: dict[str, Any], micro: Micro) -> Judged:
    """What saved networks say of series.

    Args:
        parameters: what ``learn`` gave.
        micro: N series.

    Returns:
        As ``judged_by``.

    Source: as for ``judged_by``.
    """
    return judged_by(_built(parameters), micro, parameters["unit"])


def permuted(parameters: dict[str, Any], clusters: np.ndarray) -> dict[str, Any]:
    """The same networks with their clusters in another order."""
    network = _built(parameters)
    network.reorder(torch.from_numpy(clusters))
    return parameters | {"weights": dict(network.state_dict())}


def seen_values(micro: Micro) -> Float[np.ndarray, " N"]:
    """How many values each series has."""
    seen = np.concatenate([[0.0], np.cumsum(~np.isnan(micro.y))])
    return seen[micro.stops] - seen[micro.starts]


def _built(parameters: dict[str, Any]) -> MixtureNetwork:
    with seeded(0, torch.device("cpu")):  # the weights drawn here are replaced at once
        network = MixtureNetwork(Sizes(**parameters["sizes"]))
    network.load_state_dict(parameters["weights"])
    return network.eval()
