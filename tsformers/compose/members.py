"""Settings of forecasters and preprocessors in a list, by scikit-learn's nested names: ``models__0__season_length``."""

from typing import Any

from sklearn.base import BaseEstimator

from tsformers.errors import TsformersError, did_you_mean
from tsformers.storage.learned_state import has_settings


def get_params(self: Any, deep: bool = True) -> dict[str, Any]:
    """The settings; with ``deep`` also those of all parts, and of the members of lists by their position.

    Args:
        self: the composed model.
        deep: whether settings of parts are among them.

    Returns:
        Values by name, such as ``models``, ``models__0`` and ``models__0__horizon``.
    """
    found: dict[str, Any] = BaseEstimator.get_params(self, deep)
    if deep:
        for name, held in [*found.items()]:
            for place, member in enumerate(held if isinstance(held, list | tuple) else ()):
                if has_settings(member):
                    found[f"{name}__{place}"] = member
                    inner = member.get_params(deep=True)
                    found |= {f"{name}__{place}__{key}": value for key, value in inner.items()}
    return found


def set_params(self: Any, **params: Any) -> Any:
    """Change settings, also those of parts and of members of lists.

    Args:
        self: the composed model.
        **params: values by the names of ``get_params``.

    Returns:
        The model itself.

    Raises:
        ValueError: there is no such setting.
    """
    for name in sorted(params, key=lambda name: name.count("__")):  # a member before its settings
        known = get_params(self)
        if name not in known:
            raise TsformersError(f"{type(self).__name__} has no setting {name!r}; {did_you_mean(name, known)}")
        holder, _, rest = name.partition("__")
        held = getattr(self, holder)
        if not rest:
            setattr(self, holder, params[name])
        elif not isinstance(held, list | tuple):
            held.set_params(**{rest: params[name]})
        elif rest.isdecimal():
            place = int(rest)
            setattr(self, holder, type(held)([*held[:place], params[name], *held[place + 1 :]]))
        else:
            place_text, _, inner = rest.partition("__")
            held[int(place_text)].set_params(**{inner: params[name]})
    return self
