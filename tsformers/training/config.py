"""The settings of a training run."""

from dataclasses import dataclass
from typing import Literal

from tsformers.data.window_scaling import Scaler


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
