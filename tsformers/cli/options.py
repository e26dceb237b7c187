"""Options that several commands share, and the helper that lets a command take them as objects."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from tsformers.progress import reporting

InputFile = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV, JSON, Parquet, Feather or Excel; - is standard input.")
]
ShortSeries = Annotated[str, typer.Option(help="Series too short: error, or drop them.")]
ListedName = Annotated[str, typer.Argument(metavar="NAME", help="As `list` shows it.")]
Frequency = Annotated[str | None, typer.Option(help="Pandas alias or whole step; default: inferred.")]
SeriesIds = Annotated[list[str], typer.Option(help="Series in the picture; commas; default: the first three.")]
PluginFiles = Annotated[list[Path], typer.Option(help="Python file whose FORECASTERS may be used; repeatable.")]


FILE_PANEL, COLUMN_PANEL, TIME_PANEL = "How the file is read", "What its columns are", "What its times are"


@dataclass(frozen=True, kw_only=True)
class TableInput:
    """How a table of series is read: its file, its columns, its times; what is not given is found by evidence.

    Example:
        >>> TableInput(id_col=["shop", "dept"]).id_col
        ['shop', 'dept']
    """

    input_format: Annotated[
        str | None,
        typer.Option(
            help="csv, json, jsonl, parquet, feather or excel; default: by content.", rich_help_panel=FILE_PANEL
        ),
    ] = None
    sep: Annotated[
        str | None, typer.Option(help="Separator of a CSV file; tab is \\t.", rich_help_panel=FILE_PANEL)
    ] = None
    decimal: Annotated[str | None, typer.Option(help="Decimal mark: , or a point.", rich_help_panel=FILE_PANEL)] = None
    encoding: Annotated[str | None, typer.Option(help="Such as latin-1; default: UTF.", rich_help_panel=FILE_PANEL)] = (
        None
    )
    skip_rows: Annotated[
        int | None, typer.Option(min=0, help="Lines above the header.", rich_help_panel=FILE_PANEL)
    ] = None
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.", rich_help_panel=FILE_PANEL)] = None
    missing: Annotated[
        list[str],
        typer.Option(help="Value that means missing, such as -9999; repeatable.", rich_help_panel=FILE_PANEL),
    ] = field(default_factory=list)
    id_col: Annotated[
        list[str],
        typer.Option(help="Column of series ids; repeated: joined. Default: unique_id.", rich_help_panel=COLUMN_PANEL),
    ] = field(default_factory=list)
    time_col: Annotated[
        list[str],
        typer.Option(help="Column of times; repeated: joined. Default: ds, or the one.", rich_help_panel=COLUMN_PANEL),
    ] = field(default_factory=list)
    target_col: Annotated[
        str | None, typer.Option(help="Column of values; default: y, value, or the one.", rich_help_panel=COLUMN_PANEL)
    ] = None
    wide: Annotated[bool, typer.Option("--wide", help="One series a column.", rich_help_panel=COLUMN_PANEL)] = False
    wide_rows: Annotated[
        bool, typer.Option("--wide-rows", help="One series a row, times in the header.", rich_help_panel=COLUMN_PANEL)
    ] = False
    time_format: Annotated[
        str | None,
        typer.Option(
            help="Such as %d.%m.%Y, epoch-ms, decimal-year, quarter, iso-week, count.", rich_help_panel=TIME_PANEL
        ),
    ] = None
    tz: Annotated[str | None, typer.Option(help="Zone of the times: Europe/Berlin.", rich_help_panel=TIME_PANEL)] = None
    resample: Annotated[
        str | None, typer.Option(help="Put rows on a grid: 30s, h, D, W-MON, MS.", rich_help_panel=TIME_PANEL)
    ] = None
    aggregate: Annotated[
        str | None, typer.Option(help="With --resample: mean, sum, last or max.", rich_help_panel=TIME_PANEL)
    ] = None


@dataclass(frozen=True, kw_only=True)
class TableOutput:
    """Where a table is written, and as what.

    Example:
        >>> TableOutput().output
        '-'
    """

    output: Annotated[str, typer.Option("--output", "-o", help="File to write; - is standard output.")] = "-"
    format: Annotated[str | None, typer.Option(help="csv, parquet or jsonl; default: by the suffix, else csv.")] = None


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """Python files of the user's own forecasters.

    Example:
        >>> Plugins().load()
        {}
    """

    plugin: PluginFiles = field(default_factory=list)

    def load(self) -> dict[str, type]:
        """The forecasters of all files by name.

        Returns:
            Classes by name; a later file wins.

        Raises:
            JobError: a file is missing, fails to run, or offers no forecaster.

        Example:
            >>> Plugins(plugin=[]).load()
            {}
        """
        from tsformers.jobs.plugins import load_plugins

        return load_plugins(self.plugin)


def flattened(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters may be dataclasses of options, as the plain function that Typer can read.

    The fields of such a dataclass take its place in the signature, in their order; when the command runs, they are
    assembled again. Every command takes ``--quiet`` besides, which silences notes and progress inside it.

    Args:
        function: the command; each parameter is an option or argument of Typer, or a dataclass whose fields are.

    Returns:
        A function of the same name and docstring.

    Example:
        >>> def show(name: str, target: TableOutput) -> None:
        ...     print(name, target)
        >>> list(inspect.signature(flattened(show)).parameters)
        ['name', 'output', 'format', 'quiet']
        >>> flattened(show)(name="a", output="b.csv", format=None)
        a TableOutput(output='b.csv', format=None)
    """
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hints[name] for name in inspect.signature(function).parameters if is_dataclass(hints[name])}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            parameters += option_parameters(groups[name])
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))
    silence = typer.Option("--quiet", help="No notes and no progress; warnings stay.")
    parameters.append(
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, silence])
    )

    @functools.wraps(function)
    def command(quiet: bool = False, **values: Any) -> None:
        objects = {
            name: group(**{option.name: values.pop(option.name) for option in fields(group)})
            for name, group in groups.items()
        }
        with reporting("quiet" if quiet else "command"):
            function(**values, **objects)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def option_parameters(group: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass of options as parameters of a function.

    Args:
        group: the class.

    Returns:
        One keyword parameter a field, with its annotation and default.

    Example:
        >>> [parameter.name for parameter in option_parameters(TableOutput)]
        ['output', 'format']
    """
    hints = get_type_hints(group, include_extras=True)
    found = []
    for option in fields(group):
        default = option.default if option.default_factory is MISSING else option.default_factory()
        found.append(
            inspect.Parameter(
                option.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if default is MISSING else default,
                annotation=hints[option.name],
            )
        )
    return found
