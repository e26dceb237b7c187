"""What the settings of MixSeq may be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsformers.preprocessing._micro import UNITS

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

    Source: none.
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
