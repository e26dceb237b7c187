"""Reading the series that a command is given."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tsformers.data.files.table_files import read_table
from tsformers.errors import JobError


def read_panel(file: str, roles: Mapping[str, Any], format: str | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of a file, and the roles of its columns that were given."""
    given = {key: value for key, value in roles.items() if value is not None}
    return read_table(file, format, id_col=given["id_col"], time_col=given["time_col"]), given


def named_series(frame: pd.DataFrame, given: Mapping[str, Any], ids: Sequence[str]) -> list[Any] | None:
    """The ids that texts of a command line stand for."""
    if not ids:
        return None
    there = {str(name): name for name in frame[given["id_col"]].unique()}
    for name in ids:
        if name not in there:
            raise JobError(f"--ids {name}: there is no such series; there are {', '.join([*there][:5])}, ...")
    return [there[name] for name in ids]
