"""The panel that a model learns from: read, and refused before any work where the model could not be saved."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError
from tsformers.keywords import refuse_unknown
from tsformers.messages import Either, Option
from tsformers.storage.encoding import Encoder


def training_panel(data: Frame | Panel, y: Any, roles: Roles) -> Panel:
    """``Panel.from_frame``, for ``fit``.

    Args:
        data: a long frame or a Panel.
        y: None, or values a row, which are not used: scikit-learn's tools pass them.
        roles: the keywords of ``Panel.from_frame``.

    Returns:
        The panel.

    Raises:
        TypeError: a second argument of ``fit`` that is neither, or a keyword that it does not have.
        DataError: as in ``Panel.from_frame``; or an id that a saved model cannot hold.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": 1.0})
        >>> training_panel(frame, None, {}).n_series
        1
    """
    if y is not None and (isinstance(y, str | dict) or not hasattr(y, "__len__")):
        raise TypeError(f"fit reads the target from its frame and takes roles by keyword; got {y!r} after the frame")
    refuse_unknown(roles, "fit", Roles.__annotations__)
    panel = Panel.from_frame(data, **roles)
    _check_text(panel.ids, panel.schema.id_col)
    if panel.ids.dtype == np.dtype(object) and pd.api.types.infer_dtype(panel.ids, skipna=False) != "string":
        _check_ids(panel.ids, panel.schema.id_col)
    return panel


def _check_text(ids: pd.Index, column: str) -> None:
    """Refuse text that no file in UTF-8 holds: bytes of another encoding that were read as if they were UTF-8."""
    if not pd.api.types.is_object_dtype(ids.dtype):  # pandas' own types of text hold UTF-8 alone
        return
    for name in ids:
        if isinstance(name, str) and not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
            raise DataError(
                f"column {column!r}: id {name!r} is no Unicode text, which a saved model cannot hold; read the file in "
                "its own encoding, ",
                Option("encoding", "latin-1"),
                " for example",
            )


def _check_ids(ids: pd.Index, column: str) -> None:
    encoder = Encoder()
    for name in ids:
        try:
            encoder.value(name, ("id",))
        except TypeError:
            kind = type(name)
            raise DataError(
                f"column {column!r}: id {name!r} is a {kind.__module__}.{kind.__qualname__}, which a saved model "
                "cannot hold; ",
                Either(
                    f"turn the ids into text or numbers first, such as frame[{column!r}].map(str)",
                    "turn the ids into text or numbers first",
                ),
            ) from None
