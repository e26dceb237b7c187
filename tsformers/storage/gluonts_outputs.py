"""Outputs of GluonTS among the settings of a saved model: the classes of a closed table, by their arguments."""

import sys
import warnings
from typing import Any

from tsformers.catalog import GLUONTS_OUTPUTS, load_from


def is_gluonts_output(value: Any) -> bool:
    """Whether a value is of a class of ``catalog.GLUONTS_OUTPUTS`` itself, not of one of its own of the same name.

    Args:
        value: any.

    Returns:
        The answer; GluonTS is not imported for it.

    Example:
        >>> is_gluonts_output(3)
        False
    """
    name = type(value).__name__
    home = sys.modules.get(GLUONTS_OUTPUTS.get(name, ""))
    return home is not None and getattr(home, name, None) is type(value) and hasattr(value, "__init_args__")


def make_gluonts_output(name: str, arguments: dict[str, Any]) -> Any:
    """The output of a saved model.

    Args:
        name: of its class.
        arguments: of its constructor.

    Returns:
        A new object of that class.

    Raises:
        ValueError: the class is not in the table.
        ImportError: GluonTS, or the training framework that its outputs import, is not installed.

    Example:
        >>> make_gluonts_output("Path", {})
        Traceback (most recent call last):
        ValueError: 'Path' is none of GluonTS's outputs that models are saved with
    """
    if name not in GLUONTS_OUTPUTS:
        raise ValueError(f"{name!r} is none of GluonTS's outputs that models are saved with")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of GluonTS and its libraries, at their import
        try:
            kind = load_from(GLUONTS_OUTPUTS, name)
        except ModuleNotFoundError as error:
            raise ImportError(
                f"the model's likelihood is GluonTS's {name}, which needs gluonts and lightning; install them with: "
                "pip install 'tsformers[gluonts]' lightning"
            ) from error
    return kind(**arguments)
