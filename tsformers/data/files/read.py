"""The one reader of tables: histories, plans, static features, scores; what a file is, its content tells."""

from collections.abc import Sequence
from pathlib import Path

from tsformers.data.files.content import Content, kind_of, load
from tsformers.data.files.csv_file import read_csv
from tsformers.data.files.json_file import read_json
from tsformers.data.files.table_file import FileOptions, TableFile
from tsformers.data.files.typed_files import read_typed
from tsformers.errors import DataError
from tsformers.messages import Option

FORMATS = {"csv": "csv", "jsonl": "json", "json": "json", "parquet": "parquet", "feather": "arrow", "excel": "excel"}
KINDS = {"csv": "a text table", "json": "JSON", "parquet": "Parquet", "arrow": "Feather", "excel": "a workbook"}
APPLIES = {
    "csv": ("sep", "decimal", "encoding", "skip_rows", "missing"),
    "json": ("encoding", "missing"),
    "parquet": ("missing",),
    "arrow": ("missing",),
    "excel": ("sheet", "skip_rows", "decimal", "missing"),
}


def read_table(
    source: str | Path, options: FileOptions | None = None, *, text_columns: Sequence[str] = ()
) -> TableFile:
    r"""Read a table from a file or from standard input, whatever kind its content shows.

    Text tables in all dialects, JSON in four forms, Parquet, Feather and Arrow, workbooks; each also in .gz, .bz2,
    .xz, .zst and .zip.

    Args:
        source: path, or "-" for standard input.
        options: what the content does not tell; None = nothing.
        text_columns: columns of a text table that stay text whatever they hold.

    Returns:
        The table.

    Raises:
        DataError: there is no such file, it holds no table or several, or an option does not apply to it.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "a.csv"
        >>> _ = path.write_text("unique_id;ds;y\n007;2020-01-31;1,5\n")
        >>> read_table(path).frame
          unique_id          ds    y
        0       007  2020-01-31  1.5
    """
    options = options or FileOptions()
    content = load(source)
    if not (content.data[:4096].strip() or content.data.strip()):  # large data are not copied
        raise DataError(f"{content.name} is empty; give a table with a header and rows of a time and a value")
    kind = _kind(content, options)
    _refuse_options(options, kind, content.name)
    if kind == "excel":
        from tsformers.data.files.excel_file import read_excel  # an extra

        return read_excel(content, options)
    if kind == "json":
        return read_json(content, lines=options.format == "jsonl", encoding=options.encoding, missing=options.missing)
    if kind in ("parquet", "arrow"):
        return read_typed(content, kind)
    return read_csv(content, options, text_columns)


def _kind(content: Content, options: FileOptions) -> str:
    if options.format is None:
        return kind_of(content.data)
    if options.format not in FORMATS:
        raise DataError(f"there is no format {options.format!r}; choose csv, jsonl, parquet, feather or excel")
    return FORMATS[options.format]


def _refuse_options(options: FileOptions, kind: str, name: str) -> None:
    for option in ("sep", "decimal", "encoding", "skip_rows", "sheet"):
        if getattr(options, option) is not None and option not in APPLIES[kind]:
            raise DataError(f"{name} is {KINDS[kind]}, to which this option does not apply: ", Option(option),
                            "; leave it out")  # fmt: skip
    if options.decimal not in (None, ".", ","):
        raise DataError(f"there is no decimal mark {options.decimal!r}; pass ", Option("decimal", ","), " or ",
                        Option("decimal", "."))  # fmt: skip
