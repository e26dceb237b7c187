"""The command `decompose`: trend, seasonal parts and remainder of every series."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import Frequency, InputFile, SeriesIds, TableInput, TableOutput
from tsformers.cli.parsing import frequency, split_list, whole_numbers
from tsformers.cli.reading import ids_in, read_panel
from tsformers.cli.terminal import check_paths, report_written
from tsformers.errors import JobError
from tsformers.progress import waiting

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay


@dataclass(frozen=True, kw_only=True)
class DecomposeOptions:
    """How series are decomposed, and what is drawn.

    Example:
        >>> DecomposeOptions(period=["24,168"], method="mstl").ids
        []
    """

    method: Annotated[str, typer.Option(help="moving_average, stl, or mstl for several seasons.")] = "stl"
    period: Annotated[list[str], typer.Option(help="Rows of a season; commas; default: by frequency.")] = field(
        default_factory=list
    )
    freq: Frequency = None
    plot: Annotated[Path | None, typer.Option(help="Picture to draw, such as parts.png.")] = None
    ids: SeriesIds = field(default_factory=list)


def decompose(file: InputFile, options: DecomposeOptions, target: TableOutput, table: TableInput) -> None:
    """Decompose every series into trend, seasonal parts and remainder, which add up to the value."""
    from tsformers.data.files.write import write_table

    check_paths(target, [file], plot=options.plot)
    write_table(decompose_file(file, options, table), target.output, target.format)
    report_written(target.output, options.plot)


def decompose_file(file: str, options: DecomposeOptions, table: TableInput) -> "pd.DataFrame":
    r"""Trend, seasonal parts and remainder of a table from a file.

    Args:
        file: path, or "-" for standard input.
        options: method and periods as for ``TrendSeasonalDecomposition``, and the picture to draw.
        table: how ``file`` is read.

    Returns:
        What ``TrendSeasonalDecomposition.decompose`` returns.

    Raises:
        DataError: the table cannot be used.
        ValueError: a setting is out of range.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,7\na,3,5\na,4,7\n")
        ...     parts = decompose_file(str(path), DecomposeOptions(method="moving_average", period=["2"]), TableInput())
        >>> parts["seasonal"].tolist()
        [-1.0, 1.0, -1.0, 1.0]
    """
    from tsformers.catalog import find_model

    periods = whole_numbers("--period", options.period)
    settings: dict[str, Any] = {"method": options.method}
    if periods:
        settings["period"] = periods if len(periods) > 1 else periods[0]
    step: Any = find_model("TrendSeasonalDecomposition")(**settings)
    names = split_list(options.ids)
    if names and options.plot is None:
        raise JobError("--ids chooses the series of --plot; give --plot FILE too, or leave it out")
    panel = read_panel(file, table, freq=frequency(options.freq))
    chosen = ids_in(panel.ids, names)
    with waiting("decomposing"):
        parts = step.decompose(panel)
    if options.plot is not None:
        from tsformers.plotting.axes import off_screen

        with off_screen():
            step.plot(panel, chosen).savefig(options.plot)
    return parts
