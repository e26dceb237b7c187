"""The settings of a training run."""

from dataclasses import dataclass
from typing import Literal

from tsformers.data.window_scaling import Scaler


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a network is trained; the defaults are those of ``TorchForecaster``, whose settings have the same names.

    Args:
        context_length: T, steps of context.
        horizon: H, steps to forecast.
        scaler: of each window, see ``window_scaling.scale``.
        max_steps: batches at most.
        max_epochs: passes over all windows at most; None: ``max_steps`` alone decides.
        batch_size: windows in a batch.
        learning_rate: the largest of the run.
        weight_decay: decoupled, as in AdamW; 0 is Adam.
        schedule: "cosine" rises for the first twentieth of the steps and falls to zero, "constant" stays, "halving"
            stays for two epochs and is halved at the end of each that follows; checks are then made once an epoch.
        gradient_clip: largest norm of a gradient.
        early_stopping_patience: checks without improvement before the run ends; None: it runs to its last step.
        validation_windows: last windows of each series left out of training, for early stopping; 0: none.
        validation_stride: rows from one of them to the next, and each check reads them all; None: the horizon, and a
            check reads 512 of them at most.
        verbose: progress bar; None: where stderr is a terminal.

    Example:
        >>> from tsformers.testing import make_plan
        >>> make_plan(context_length=8, horizon=2, batch_size=16).batch_size
        16
    """

    context_length: int
    horizon: int
    scaler: Scaler | None
    max_steps: int
    max_epochs: int | None
    batch_size: int
    learning_rate: float
    weight_decay: float
    schedule: Literal["cosine", "constant", "halving"]
    gradient_clip: float
    early_stopping_patience: int | None
    validation_windows: int
    validation_stride: int | None
    verbose: bool | None
