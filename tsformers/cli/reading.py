"""Tables of series, read as the options of a command ask for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tsformers.cli.options import TableInput
from tsformers.cli.parsing import frequency
from tsformers.errors import JobError

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.panel import Roles


def read_series(file: str, table: TableInput, *, format: bool = True) -> "pd.DataFrame":
    r"""The table of a file.

    Args:
        file: path, or "-" for standard input.
        table: its format, and the names of its columns.
        format: False ignores the format that ``table`` names: this is a file beside the main one.

    Returns:
        The table.

    Raises:
        DataError: it cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\n")
        ...     read_series(str(path), TableInput())["y"].tolist()
        [5]
    """
    from tsformers.data.files.plain_frame import read_frame

    return read_frame(file, table.input_format if format else None, id_col=table.id_col, time_col=table.time_col)


def roles_of(table: TableInput, freq: str | None = None) -> "Roles":
    """The keywords with which ``Panel.from_frame`` reads a table.

    Args:
        table: the names of its columns.
        freq: pandas alias or whole step, as written; None = inferred.

    Returns:
        Keywords that were given; those without a value are left out.

    Example:
        >>> roles_of(TableInput(id_col="shop"), "1")
        {'id_col': 'shop', 'time_col': 'ds', 'target_col': 'y', 'freq': 1}
    """
    roles: Roles = {"id_col": table.id_col, "time_col": table.time_col, "target_col": table.target_col}
    step = frequency(freq)
    if step is not None:
        roles["freq"] = step
    return roles


def ids_in(frame: "pd.DataFrame", id_col: str, names: Sequence[str]) -> list[Any] | None:
    """The ids of a table that the texts of ``--ids`` name.

    Args:
        frame: the table.
        id_col: its column of ids.
        names: as written.

    Returns:
        Ids of their own type; None where no name was given.

    Raises:
        JobError: there is no such series.

    Example:
        >>> import pandas as pd
        >>> ids_in(pd.DataFrame({"unique_id": ["a", "a", "b"]}), "unique_id", ["b"])
        ['b']
    """
    if not names:
        return None
    known = {str(name): name for name in frame[id_col].unique()}
    for name in names:
        if name not in known:
            raise JobError(f"--ids {name}: there is no such series; there are {', '.join([*known][:5])}, ...")
    return [known[name] for name in names]
