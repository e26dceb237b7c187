"""What a fitted forecaster remembers of its settings, and how it refuses those that were changed behind its back."""

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

TRAINING = {
    "max_steps", "max_epochs", "batch_size", "learning_rate", "weight_decay", "schedule", "gradient_clip",
    "early_stopping_patience", "validation_windows", "validation_stride", "n_init", "init_steps",
}  # fmt: skip
FREE = frozenset(TRAINING | {"seed", "verbose", "device", "n_jobs"})  # they change no forecast of what has been fitted


def remember_settings(model: Any, free: frozenset[str] = FREE) -> dict[str, object]:
    """The settings that must stay what they are for as long as the fit lasts.

    Args:
        model: a forecaster that is being fitted.
        free: names of those that may be changed.

    Returns:
        Their values by name; lists, arrays and the like as copies.

    Source: the contract of forecasters: what is learned belongs to the settings it was learned with.
    """
    return {name: _kept(value) for name, value in model.get_params(deep=False).items() if name not in free}


def check_unchanged(model: Any) -> None:
    """The settings are still those of ``fit``, but for those that may be changed.

    Args:
        model: a fitted forecaster with ``settings_``.

    Raises:
        ValueError: names the first setting that was changed, both values and the remedy.

    Source: as for ``remember_settings``.
    """
    for name, then in model.settings_.items():
        now = getattr(model, name)
        if not _same(then, now):
            raise ValueError(
                f"{name} was {then!r} at fit and is {now!r} now, but what was learned belongs to the former; set it "
                "back, or fit again from the start"
            )


def _kept(value: Any) -> Any:
    if isinstance(value, BaseEstimator):
        return clone(value)
    return copy.deepcopy(value) if isinstance(value, list | dict | set | np.ndarray) else value


def _same(a: Any, b: Any) -> bool:
    """Alike in value (True is not 1); objects that say nothing of themselves are alike when they are the same."""
    if a is b:
        return True
    if isinstance(a, bool | np.bool_) != isinstance(b, bool | np.bool_):
        return False
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, BaseEstimator):
        mine, others = a.get_params(deep=False), b.get_params(deep=False) if type(a) is type(b) else {}
        return mine.keys() == others.keys() and all(_same(mine[name], others[name]) for name in mine)
    return bool(a == b)
