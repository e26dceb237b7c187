"""train(network, packed, plan, rng) -> history: the only training loop."""

import math
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tsformers.contracts import Solvable
from tsformers.data.windows import Packed, Scaler, Window, cut, cutoffs, held_back, rows_held_back, scale
from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress

MOST_PERMUTED = 10_000_000  # windows; with more of them an epoch is drawn with replacement
MOST_VALIDATED = 512  # windows read at each check, unless validation_stride asks for all
CHECKS = 20  # of the held-back windows in a run
MOST_SOLVED = 50_000  # windows from which a network may solve a part of itself
SOLVED_AT_ONCE = 512  # of them
FULL_EPOCHS = 2  # of the schedule "halving", before the first halving
WARM_UP = 0.05  # share of the steps in which the learning rate rises
LATE = 0.25  # share of the checks, the last ones, whose training loss judges a start where no windows are held back

Groups = list[dict[str, Any]]  # of an optimiser: "params", and "lr" where it differs


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a network is to be trained.

    Args:
        context_length: T, steps of context.
        horizon: H, steps to forecast.
        scaler: of each window, see ``windows.scale``.
        max_steps: batches at most.
        max_epochs: passes over all windows at most; None: ``max_steps`` alone decides.
        batch_size: windows in a batch.
        learning_rate: the largest of the run.
        weight_decay: decoupled, as in AdamW; 0 is Adam.
        schedule: "cosine" rises for the first twentieth of the steps and falls to zero, "constant" stays, "halving"
            stays for two epochs and is halved at the end of each that follows; checks are then made once an epoch.
        gradient_clip: largest norm of a gradient.
        early_stopping_patience: checks without improvement before the run ends; None: it goes on to its last step.
        validation_windows: last windows of each series kept from training, for early stopping; 0: none.
        validation_stride: rows from one of them to the next, and each check reads them all; None: the horizon, and a
            check reads 512 of them at most.
        verbose: progress bar; None: where stderr is a terminal.

    Example:
        >>> Plan(context_length=8, horizon=2, max_steps=10).batch_size
        64
    """

    context_length: int
    horizon: int
    scaler: Scaler | None = "standard"
    max_steps: int = 1000
    max_epochs: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Literal["cosine", "constant", "halving"] = "cosine"
    gradient_clip: float = 1.0
    early_stopping_patience: int | None = 10
    validation_windows: int = 1
    validation_stride: int | None = None
    verbose: bool | None = None


class Windows:
    """The training windows of packed series in random order, and those held back; nothing is cut before it is used.

    Args:
        packed: where to cut, on the device of the network.
        plan: sizes, and how many windows are held back.
        rng: shuffles; an epoch is a permutation (drawn with replacement above 10 million windows).

    Raises:
        ValueError: there is no window to train on.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> packed = pack_rows(np.arange(12.0)[:, None], [0, 12])
        >>> windows = Windows(packed, Plan(context_length=4, horizon=2, batch_size=4), np.random.default_rng(0))
        >>> len(windows), windows.n_validation, next(windows.batches()).past.shape
        (5, 1, torch.Size([4, 4, 1]))
    """

    def __init__(self, packed: Packed, plan: Plan, rng: np.random.Generator) -> None:
        self.packed, self.plan, self.rng = packed, plan, rng
        sizes, kept = (plan.context_length, plan.horizon), (plan.validation_windows, plan.validation_stride)
        self.series, self.cutoffs = cutoffs(packed, *sizes, hold_back=rows_held_back(plan.horizon, *kept))
        if len(self) == 0:
            raise ValueError(
                f"no window of {plan.context_length} + {plan.horizon} rows holds a seen value in its context and in "
                "its targets; shorten context_length, or fill some of the missing values"
            )
        self.held_back = held_back(packed, *sizes, *kept)
        if self.n_validation > MOST_VALIDATED and plan.validation_stride is None:
            chosen = np.sort(rng.choice(self.n_validation, MOST_VALIDATED, replace=False))
            some = torch.from_numpy(chosen).to(packed.offsets.device)
            self.held_back = self.held_back[0][some], self.held_back[1][some]

    def __len__(self) -> int:
        return len(self.cutoffs)

    @property
    def n_validation(self) -> int:
        """How many windows are held back."""
        return len(self.held_back[0])

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass."""
        return math.ceil(len(self) / self.plan.batch_size)

    def batches(self) -> Iterator[Window]:
        """Batches without end, epoch after epoch, in the caller's units."""
        size = self.plan.batch_size
        while True:
            if len(self) > MOST_PERMUTED:
                yield self._cut(self.series, self.cutoffs, self.rng.integers(len(self), size=size))
                continue
            order = self.rng.permutation(len(self))
            for start in range(0, len(self), size):
                yield self._cut(self.series, self.cutoffs, order[start : start + size])

    def validation(self) -> Iterator[Window]:
        """The held-back windows, always in the same order."""
        for start in range(0, self.n_validation, self.plan.batch_size):
            index = np.arange(start, min(start + self.plan.batch_size, self.n_validation))
            yield self._cut(*self.held_back, index)

    def some(self, most: int) -> Iterator[Window]:
        """Up to ``most`` windows to train on, chosen at random, in larger batches."""
        chosen = np.arange(len(self))
        if len(self) > most:
            chosen = np.sort(self.rng.choice(len(self), most, replace=False))
        for start in range(0, len(chosen), SOLVED_AT_ONCE):
            yield self._cut(self.series, self.cutoffs, chosen[start : start + SOLVED_AT_ONCE])

    def _cut(self, series: Tensor, rows: Tensor, index: np.ndarray) -> Window:
        chosen = torch.from_numpy(index).to(series.device)
        return cut(self.packed, series[chosen], rows[chosen], self.plan.context_length, self.plan.horizon)


def train(
    network: nn.Module,
    packed: Packed,
    plan: Plan,
    rng: np.random.Generator,
    groups: Groups | None = None,
) -> pd.DataFrame:
    """Trains ``network`` in place and leaves it with the weights that did best on the held-back windows.

    Without held-back windows (no series is long enough, or ``validation_windows=0``) the last weights stay. Ctrl-C
    ends the run with a warning and keeps the best weights so far. Randomness inside the network is torch's: see
    ``seeded``.

    Args:
        network: has ``loss(window) -> (B,)``.
        packed: the series, on the device of the network.
        plan: sizes, steps, rates.
        rng: order of the windows.
        groups: parameter groups of the optimiser, each with a learning rate of its own if it names one; None: one
            group of all parameters.

    Returns:
        A frame with one row a check: step, train_loss (mean since the last check), validation_loss, seconds.

    Raises:
        ValueError: there is no window to train on.
        FloatingPointError: the loss or its gradient is no longer finite.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> class Drift(nn.Linear):
        ...     def loss(self, window):
        ...         return (self(window.past[..., 0]) - window.future[..., 0]).square().mean(-1)
        >>> packed = pack_rows(np.arange(60.0)[:, None], [0, 60])
        >>> plan = Plan(context_length=4, horizon=2, max_steps=200, learning_rate=0.05)
        >>> with seeded(0, torch.device("cpu")):
        ...     history = train(Drift(4, 2), packed, plan, np.random.default_rng(0))
        >>> bool(history["validation_loss"].min() < 0.01)
        True
    """
    return _trained(network, packed, plan, rng, groups)[0]


def _trained(
    network: nn.Module,
    packed: Packed,
    plan: Plan,
    rng: np.random.Generator,
    groups: Groups | None,
    title: str | None = None,
) -> tuple[pd.DataFrame, bool]:
    """What ``train`` does and gives, and whether Ctrl-C has ended it; ``title`` stands before the progress bar."""
    windows = Windows(packed, plan, rng)
    if isinstance(network, Solvable):
        network.solve(
            *((scale(each, plan.scaler) for each in some) for some in (windows.some(MOST_SOLVED), windows.validation()))
        )
    total = plan.max_steps
    if plan.max_epochs is not None:
        total = min(total, plan.max_epochs * windows.steps_per_epoch)
    every = windows.steps_per_epoch if plan.schedule == "halving" else max(1, total // CHECKS)
    best = BestWeights(network, plan.early_stopping_patience)
    history: list[tuple[int, float, float, float]] = []
    began = time.perf_counter()
    step, train_loss, interrupted = 0, 0.0, False
    with progress(total, plan.verbose, title) as bar:

        def checked() -> bool:
            """Notes how the weights do by now; True when patience is at its end."""
            validation_loss = _validate(network, windows, packed.y.device)
            mean = train_loss / (step - (history[-1][0] if history else 0))
            history.append((step, mean, validation_loss, time.perf_counter() - began))
            bar.set_postfix(train=f"{mean:.4g}", validation=f"{validation_loss:.4g}")
            return best.no_better(validation_loss)

        try:
            for step, batch_loss in enumerate(_steps(network, windows, total, groups), start=1):
                train_loss += batch_loss
                bar.update()
                if step % every and step < total:
                    continue
                if checked():
                    break
                train_loss = 0.0
        except KeyboardInterrupt:
            interrupted = True
            if step > (history[-1][0] if history else 0):
                with suppress(KeyboardInterrupt):  # pressed once more: then without this check
                    checked()
            warnings.warn(
                f"training was interrupted after step {step}; {best.kept(step)}", TrainingInterrupted, stacklevel=4
            )
    best.restore()
    frame = pd.DataFrame(history, columns=["step", "train_loss", "validation_loss", "seconds"], dtype=np.float64)
    return frame.astype({"step": np.int64}), interrupted


def best_start(
    starts: Iterable[tuple[nn.Module, Groups]], n: int, packed: Packed, plan: Plan, seed: int | None
) -> tuple[nn.Module, pd.DataFrame, bool]:
    """The one of ``n`` networks that training brings to the lowest loss.

    Each is trained by itself, as ``plan`` says, on the same batches. The loss is the lowest of the held-back windows,
    or where there are none, the training loss of the run's last quarter. Ctrl-C ends the comparison: the best network
    so far, trained that far, is the answer.

    Args:
        starts: networks to be trained in place, and their parameter groups; those after the ``n``-th are not asked for.
        n: how many to try.
        packed: the series, on the device of the networks.
        plan: sizes, steps, rates.
        seed: of the order of the windows.

    Returns:
        The network, with the weights of its run; the history of that; whether Ctrl-C has ended all.

    Raises:
        ValueError: there is no window to train on.
        FloatingPointError: a loss or its gradient is no longer finite.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> class Level(nn.Module):
        ...     def __init__(self, level):
        ...         super().__init__()
        ...         self.level = nn.Parameter(torch.tensor(level))
        ...     def loss(self, window):
        ...         return (self.level - window.future[:, 0, 0]).square()
        >>> networks = [Level(0.0), Level(4.0), Level(9.0)]
        >>> starts = ((network, [{"params": list(network.parameters())}]) for network in networks)
        >>> plan = Plan(context_length=2, horizon=1, scaler=None, max_steps=20)
        >>> best, history, interrupted = best_start(starts, 3, pack_rows(np.full((30, 1), 5.0), [0, 30]), plan, seed=0)
        >>> best is networks[1], len(history), interrupted
        (True, 20, False)
    """
    lowest, best = math.inf, None
    for i, (network, groups) in zip(range(1, n + 1), starts, strict=False):
        rng = np.random.default_rng(seed)
        history, interrupted = _trained(network, packed, plan, rng, groups, f"start {i} of {n}")
        held_back = history["validation_loss"].min()
        late = history["train_loss"].tail(max(1, round(LATE * len(history)))).mean()
        loss = late if math.isnan(held_back) else held_back
        if best is None or loss < lowest:
            lowest, best = loss, (network, history)
        if interrupted:
            break
    assert best is not None
    return *best, interrupted


def find_device(name: str) -> torch.device:
    """Where to compute.

    Args:
        name: "auto" is the first CUDA device, else the CPU; any other name as in torch.

    Returns:
        The device.

    Raises:
        ValueError: torch knows no such device, or it is not there.

    Example:
        >>> find_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={name!r} cannot be used ({reason}); choose 'auto' or 'cpu'") from error


@contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """A block with a random state of its own; the caller's is as before when it ends.

    Args:
        seed: None: fresh entropy.
        device: where random numbers will be drawn, besides the CPU.

    Example:
        >>> before = torch.get_rng_state()
        >>> with seeded(1, torch.device("cpu")):
        ...     draw = torch.rand(())
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
    elsewhere = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if elsewhere else [], device_type="cuda"):
        torch.default_generator.manual_seed(int(seed))
        if elsewhere:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(int(seed))
        yield


class BestWeights:
    """Remembers the weights with the lowest validation loss."""

    def __init__(self, network: nn.Module, patience: int | None) -> None:
        self.network, self.patience = network, patience
        self.loss, self.waited = math.inf, 0
        self.weights: dict[str, Tensor] | None = None

    def no_better(self, loss: float) -> bool:
        """Notes one check; True when patience is at its end."""
        if math.isnan(loss):  # nothing is held back
            return False
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.weights = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        else:
            self.waited += 1
        return self.patience is not None and self.waited >= self.patience

    def kept(self, step: int) -> str:
        """In words, what a run that ended at ``step`` leaves."""
        if self.weights is not None:
            return "the best weights so far are kept"
        return "the last weights are kept, none were validated" if step else "the network has learned nothing yet"

    def restore(self) -> None:
        """Puts the best weights back."""
        if self.weights is not None:
            self.network.load_state_dict(self.weights)
        self.network.eval()


def _steps(network: nn.Module, windows: Windows, total: int, groups: Groups | None) -> Iterator[float]:
    """One optimiser step an item; yields the loss of its batch."""
    plan = windows.plan
    groups = groups or [{"params": list(network.parameters())}]
    weights = [weight for group in groups for weight in group["params"]]
    fused = all(weight.is_floating_point() for weight in weights)  # torch has no such kernel for complex numbers
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=fused)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: rate_at(done, total, plan.schedule, windows.steps_per_epoch)
    )
    for step, batch in zip(range(1, total + 1), windows.batches(), strict=False):
        network.train()
        loss = network.loss(scale(batch, plan.scaler)).mean()  # type: ignore[operator]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(weights, plan.gradient_clip)
        value = loss.item()
        if not math.isfinite(value) or not math.isfinite(norm.item()):
            raise FloatingPointError(
                f"at step {step} the loss is {value} and the norm of its gradient {norm.item()}; lower learning_rate "
                f"(now {plan.learning_rate:g}), or give extreme values a scaler ('standard', 'robust')"
            )
        optimiser.step()
        schedule.step()
        yield value


def rate_at(done: int, total: int, schedule: str, epoch: int) -> float:
    """Share of the learning rate after ``done`` of ``total`` steps, ``epoch`` of which are one pass."""
    if schedule == "constant":
        return 1.0
    if schedule == "halving":
        return 0.5 ** max(0, done // epoch + 1 - FULL_EPOCHS)
    rising = max(1, round(WARM_UP * total))
    if done < rising:
        return (done + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (done - rising) / max(1, total - rising)))


def _validate(network: nn.Module, windows: Windows, device: torch.device) -> float:
    """Mean loss of the held-back windows that have a seen target; NaN without any. The same draws at every check."""
    network.eval()
    total, n = 0.0, 0
    with torch.no_grad(), seeded(0, device):
        for batch in windows.validation():
            window = scale(batch, windows.plan.scaler)
            scored = window.future_seen.flatten(1).any(dim=1)
            total += float(network.loss(window)[scored].sum())  # type: ignore[operator]
            n += int(scored.sum())
    return total / n if n else math.nan
