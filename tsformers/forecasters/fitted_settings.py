"""The settings that a forecaster was fitted with, and the refusal of those that were changed later."""

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

TRAINING_SETTINGS = {
    "max_steps", "max_epochs", "batch_size", "learning_rate", "weight_decay", "schedule", "gradient_clip",
    "early_stopping_patience", "validation_windows", "validation_stride", "n_init", "init_steps",
}  # fmt: skip
FREE = frozenset(TRAINING_SETTINGS | {"seed", "verbose", "device", "n_jobs"})  # without effect on a fitted model


def remember_settings(model: Any, free: frozenset[str] = FREE) -> dict[str, object]:
    """The settings that must not change after ``fit``: what is learned belongs to them.

    Args:
        model: a forecaster that is being fitted.
        free: names of those that may be changed.

    Returns:
        Their values by name; lists, arrays and the like as copies.

    Example:
        >>> from tsformers import Theta
        >>> remember_settings(Theta(horizon=3, seed=1))
        {'horizon': 3, 'method': 'standard', 'season_length': None, 'theta': 2.0}
    """
    return {name: _copied(value) for name, value in model.get_params(deep=False).items() if name not in free}


def check_unchanged(model: Any) -> None:
    """The settings are those of ``fit``, except for those that may be changed.

    Args:
        model: a fitted forecaster with ``settings_``.

    Raises:
        ValueError: names the first setting that was changed, both values and the remedy.

    Example:
        >>> from tsformers import Theta
        >>> model = Theta(horizon=3)
        >>> model.settings_ = remember_settings(model)
        >>> check_unchanged(model.set_params(theta=1.5))
        Traceback (most recent call last):
        ValueError: theta was 2.0 at fit and is 1.5 now, but what was learned belongs to the former; set it
        back, or fit again from the start
    """
    for name, fitted in model.settings_.items():
        now = getattr(model, name)
        if not _same(fitted, now):
            raise ValueError(
                f"{name} was {fitted!r} at fit and is {now!r} now, but what was learned belongs to the former; set it "
                "back, or fit again from the start"
            )


def _copied(value: Any) -> Any:
    if isinstance(value, BaseEstimator):
        return clone(value)
    return copy.deepcopy(value) if isinstance(value, list | dict | set | np.ndarray) else value


def _same(a: Any, b: Any) -> bool:
    """Equal in value (True is not 1); objects without an equality of their own are equal where they are identical."""
    if a is b:
        return True
    if isinstance(a, bool | np.bool_) != isinstance(b, bool | np.bool_):
        return False
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, BaseEstimator):
        left, right = a.get_params(deep=False), b.get_params(deep=False) if type(a) is type(b) else {}
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if type(a) is type(b) and hasattr(a, "__init_args__"):  # GluonTS's objects, which have no equality of their own
        return bool(a.__init_args__ == b.__init_args__)
    return bool(a == b)
