"""A warning where regimes of a model occur at no step."""

import warnings

import numpy as np

from tsformers.errors import DataWarning
from tsformers.messages import Setting

MIN_STEPS = 100  # of training, before which the shares of regimes have no meaning


def warn_of_unused(rows: np.ndarray, where: str, stacklevel: int = 3) -> None:
    """Say which regimes occur at no step, and how often the others do.

    Args:
        rows: (K,) steps of each regime.
        where: the data, for the message.
        stacklevel: of the warning.

    Warns:
        DataWarning: a regime has no step.

    Example:
        >>> warn_of_unused(np.array([3, 4]), "the training data")  # both occur

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """
    used = np.flatnonzero(rows)
    if len(used) == len(rows):
        return
    never = ", ".join(map(str, np.flatnonzero(rows == 0)))
    counts = ", ".join(f"{k}: {rows[k]:,}" for k in used)
    warnings.warn(
        DataWarning(
            f"{len(rows) - len(used)} of {len(rows)} regimes occur at no step of {where} ({never}); steps of the "
            f"others: {counts}; train for longer, or set ",
            Setting("n_regimes", len(used)),
        ),
        stacklevel=stacklevel,
    )
