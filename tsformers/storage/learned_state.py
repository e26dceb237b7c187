"""The learned state of a model: what ``learned`` returns, or the attributes that end in one underscore."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class OwnState(Protocol):
    """A model that returns its learned state itself, for example the weights of a network.

    Guaranteed: a new model of equal settings after ``relearn(model.learned())`` predicts what ``model`` predicts.
    """

    def learned(self) -> dict[str, Any]:
        """The state, serialisable; ``NotFittedError`` before ``fit``."""
        ...

    def relearn(self, learned: dict[str, Any]) -> None:
        """Take up the state that ``learned`` returned."""
        ...


@runtime_checkable
class HasSettings(Protocol):
    """A model that is made anew from its settings, as scikit-learn's estimators are."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name."""
        ...


def has_settings(value: Any) -> bool:
    """Whether a value is a model that can be saved: an object, not a class, with ``get_params``.

    Args:
        value: any.

    Returns:
        True or False.

    Example:
        >>> from tsformers import Theta
        >>> has_settings(Theta(horizon=3)), has_settings(Theta), has_settings(3)
        (True, False, False)
    """
    return isinstance(value, HasSettings) and not isinstance(value, type)


def learned_state(model: Any) -> dict[str, Any]:
    """The learned state of a model; empty before ``fit``.

    Args:
        model: its ``learned`` counts where it has one; else its attributes that end in one underscore do.

    Returns:
        State by name.

    Example:
        >>> from sklearn.preprocessing import MinMaxScaler
        >>> learned_state(MinMaxScaler().fit([[0.0], [4.0]]))["data_max_"]
        array([4.])
    """
    if isinstance(model, OwnState):
        from sklearn.exceptions import NotFittedError

        try:
            return model.learned()
        except NotFittedError:  # a template inside a composed model: its settings are all there is
            return {}
    return {
        key: item
        for key, item in vars(model).items()
        if key.endswith("_") and not key.endswith("__") and not key.startswith("_")
    }


def restore_state(model: Any, learned: dict[str, Any]) -> None:
    """Give a new model the state that ``learned_state`` returned.

    Args:
        model: of the same class and settings, not fitted.
        learned: the state.

    Example:
        >>> from sklearn.preprocessing import MinMaxScaler
        >>> restore_state(scaler := MinMaxScaler(), learned_state(MinMaxScaler().fit([[0.0], [4.0]])))
        >>> float(scaler.transform([[1.0]])[0, 0])
        0.25
    """
    if isinstance(model, OwnState):
        model.relearn(learned)
    else:
        for key, item in learned.items():
            setattr(model, key, item)
