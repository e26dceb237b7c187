"""Tables of series, read as the options of a command ask for, and what is said of them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tsformers.cli.options import TableInput
from tsformers.cli.parsing import as_number, frequency
from tsformers.cli.terminal import inform
from tsformers.errors import JobError, first_names
from tsformers.progress import waiting

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.dataframes import Schema
    from tsformers.data.files.table_file import FileOptions, TableFile
    from tsformers.data.panel import Panel

COLUMN_OPTIONS = ("id_col", "time_col", "target_col", "time_format", "tz", "resample", "aggregate")


def read_panel(file: str, table: TableInput, *, short: Any = "error", **roles: Any) -> "Panel":
    r"""The series of a file; what was understood of it is said in two to five lines on standard error.

    Args:
        file: path, or "-" for standard input.
        table: how it is read.
        short: "error" or "drop", see ``Panel.from_frame``.
        **roles: further keywords of ``Panel.from_frame``; None = not given.

    Returns:
        The panel.

    Raises:
        DataError: the table cannot be used, or has two readings.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,6\n")
        ...     read_panel(str(path), TableInput()).y.tolist()
        [5.0, 6.0]
    """
    from tsformers.data.panel import Panel

    given = roles_of(table) | {key: value for key, value in roles.items() if value is not None}
    return announced(file, table, given, lambda data, left: Panel.from_frame(data, **left, short=short))


def panel_like(fitted: Any, model: str, file: str, table: TableInput, static: "TableFile | None" = None) -> "Panel":
    """The series of a file, read as the table that a model was fitted to.

    Args:
        fitted: the model; the roles, kind of time, zone and missing markers of its panel bind.
        model: its folder, for messages.
        file: path, or "-" for standard input.
        table: how the file is read.
        static: covariates of new series.

    Returns:
        The panel.

    Raises:
        JobError: an option names another role or kind of time than fit had.
        DataError: the table cannot be used.
    """
    for key, value in roles_of(table).items():
        if value not in bound_roles(fitted.panel_.schema, key):
            option = f"--{key.replace('_', '-')}"
            raise JobError(f"{model} is fitted, which bound {option}, and takes no {option} {value}; leave it out")
    return announced(
        file, table, {}, lambda data, _: fitted.panel_.like(data, static, getattr(fitted, "short_", "error"))
    )


def bound_roles(schema: "Schema", key: str) -> list[Any]:
    """What fit bound, in the words in which the option of the same name may give it.

    Args:
        schema: of fit.
        key: such as "id_col".

    Returns:
        Values of the option that agree with fit.

    Example:
        >>> from tsformers.data.dataframes import Schema
        >>> bound_roles(Schema(id_col="shop"), "id_col")
        ['shop']
    """
    if key in ("id_col", "time_col"):
        parts = schema.id_cols if key == "id_col" else schema.time_cols
        return [[*parts] if parts else getattr(schema, key)]
    if key == "missing":
        return [[*schema.missing]]
    if key == "time_format":
        return [schema.form.kind, schema.form.format, f"{schema.form.kind}-{schema.form.format}"]  # epoch-ms
    return [getattr(schema, key)]


def announced(
    file: str, table: TableInput, roles: dict[str, Any], understand: "Callable[[TableFile, dict[str, Any]], Panel]"
) -> "Panel":
    """A panel of a file, with the lines that say what was read; warnings come after them.

    Args:
        file: path, or "-" for standard input.
        table: how it is read.
        roles: keywords of ``Panel.from_frame``.
        understand: makes the panel of the table and the roles that are left.

    Returns:
        The panel.
    """
    from tsformers.data.files.long_table import file_line

    with held_warnings():
        source, left = series_of(file, table, roles)
        with waiting(f"reading {source.name}"):
            panel = understand(source, left)
        wide = "columns" if table.wide else "rows" if table.wide_rows else None
        for line in panel.reading.lines(file_line(source), "shell", wide):
            inform(line)
    return panel


@contextmanager
def held_warnings() -> Iterator[None]:
    """Warnings inside the block are shown at its end; where it ends with an error they are dropped.

    Example:
        >>> with held_warnings():
        ...     pass
    """
    with warnings.catch_warnings(record=True) as caught:
        yield
    for entry in caught:
        warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def read_file(file: str, table: TableInput, *, beside: bool = False) -> "TableFile":
    r"""The table of a file as it stands there.

    Args:
        file: path, or "-" for standard input.
        table: how it is read.
        beside: it is a file beside the main one, with a dialect of its own: options of the file do not apply.

    Returns:
        The table.

    Raises:
        DataError: it cannot be read, or has two readings.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id;ds;y\na;1;5\n")
        ...     read_file(str(path), TableInput()).frame["y"].tolist()
        [5]
    """
    from tsformers.data.files.read import read_table
    from tsformers.data.files.table_file import FileOptions

    options = FileOptions(missing=tuple(table.missing)) if beside else file_options(table)
    names = (*table.id_col, *table.time_col)
    with waiting(f"reading {'standard input' if file == '-' else file}"):
        return read_table(file, options, text_columns=names)


def series_of(file: str, table: TableInput, roles: dict[str, Any]) -> "tuple[TableFile, dict[str, Any]]":
    """The table of a file as a long one, and the roles that are left to find in it.

    Args:
        file: path, or "-" for standard input.
        table: how it is read; with ``wide`` and ``wide_rows`` it is turned.
        roles: keywords of ``Panel.from_frame``.

    Returns:
        The table and the keywords.

    Raises:
        JobError: ``wide`` and ``wide_rows``.
        DataError: it cannot be read.
    """
    from tsformers.data.files.long_table import read_source

    if table.wide and table.wide_rows:
        raise JobError("--wide is one series a column, --wide-rows one series a row; give one of them")
    with waiting(f"reading {'standard input' if file == '-' else file}"):
        wide: Any = "columns" if table.wide else "rows" if table.wide_rows else None
        return read_source(file, file_options(table), roles, wide)


def file_options(table: TableInput) -> "FileOptions":
    """The options of a file among those of a table.

    Args:
        table: as given.

    Returns:
        What the reader takes.

    Example:
        >>> file_options(TableInput(sep=";")).sep
        ';'
    """
    from tsformers.data.files.table_file import FileOptions

    same = {option.name: getattr(table, option.name) for option in fields(FileOptions) if hasattr(table, option.name)}
    return FileOptions(**same | {"missing": tuple(table.missing), "format": table.input_format})


def roles_of(table: TableInput, freq: str | None = None) -> dict[str, Any]:
    """The keywords with which ``Panel.from_frame`` reads a table.

    Args:
        table: as given.
        freq: pandas alias or whole step, as written; None = inferred.

    Returns:
        Keywords that were given; those without a value are left out.

    Example:
        >>> roles_of(TableInput(id_col=["shop"], missing=["-9", "none"]), "1")
        {'id_col': 'shop', 'missing': [-9, 'none'], 'freq': 1}
    """
    given: dict[str, Any] = {key: _one_or_all(getattr(table, key)) for key in COLUMN_OPTIONS}
    given |= {"missing": [as_number(value) for value in table.missing], "freq": frequency(freq)}
    return {key: value for key, value in given.items() if value not in (None, [])}


def ids_in(ids: "pd.Index", names: Sequence[str]) -> list[Any] | None:
    """The ids that the texts of ``--ids`` name.

    Args:
        ids: of the series.
        names: as written.

    Returns:
        Ids of their own type; None where no name was given.

    Raises:
        JobError: there is no such series.

    Example:
        >>> import pandas as pd
        >>> ids_in(pd.Index(["a", "b"]), ["b"])
        ['b']
    """
    if not names:
        return None
    known = {str(name): name for name in ids.tolist()}
    for name in names:
        if name not in known:
            raise JobError(f"--ids {name}: there is no such series; there are {first_names(known)}")
    return [known[name] for name in names]


def _one_or_all(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
