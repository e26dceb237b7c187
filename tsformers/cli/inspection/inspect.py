"""The command `inspect`: what is understood of a table, series by series, and what to do with it next."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.inspection.next_commands import commands_for, readings_for
from tsformers.cli.options import Frequency, InputFile, SeriesIds, ShortSeries, TableInput, TableOutput
from tsformers.cli.parsing import frequency, split_list
from tsformers.cli.reading import ids_in, read_file, read_panel
from tsformers.cli.terminal import check_paths, inform, print_line, report_written, show
from tsformers.errors import DataError, JobError

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.panel import Panel

MANY = 50  # series, beyond which the worst stand for all
WORST = 10
SHOWN = 3  # cells of a column, where the table has two readings
DRAWN = 6  # series in the picture


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """How series are looked at, and what is drawn.

    Example:
        >>> InspectOptions(freq="D").short
        'error'
    """

    freq: Frequency = None
    short: ShortSeries = "error"
    plot: Annotated[Path | None, typer.Option(help="Picture of the series, such as sales.png.")] = None
    ids: SeriesIds = field(default_factory=list)


def inspect(file: InputFile, options: InspectOptions, target: TableOutput, table: TableInput) -> None:
    """Say what is understood of a table: rows, gaps, step, season, zeros and times of each series; and what comes next.

    Of more than 50 series the ten with the most missing rows are shown; --output writes all. Where a table has two
    readings, its columns are shown, and the commands that choose one.
    """
    check_paths(target, [file], plot=options.plot)
    names = split_list(options.ids)
    if names and options.plot is None:
        raise JobError("--ids chooses the series of --plot; give --plot FILE too, or leave it out")
    try:
        panel = read_panel(file, table, freq=frequency(options.freq), short=options.short)
    except DataError as error:
        _show_readings(file, table, target, error)
        return
    ids = ids_in(panel.ids, names)
    described = _described(panel)
    chosen = worst(described) if len(described) > MANY and target.output == "-" else described
    numbers = chosen.select_dtypes("float").columns
    shown = chosen.assign(**{name: chosen[name].map(lambda value: float(f"{value:.10g}")) for name in numbers})
    show(shown, target, title=file, wide=("least", "median", "greatest", "longest_gap"))
    if len(chosen) < len(described):
        inform(summary(described) + f"; the {WORST} with the most missing rows are shown, --output FILE writes all")
    if options.plot is not None:
        _drawn(panel, ids).savefig(options.plot)
    report_written(target.output, options.plot)
    for command in commands_for(file, table, panel):
        inform(f"next: {command}")


def worst(described: "pd.DataFrame") -> "pd.DataFrame":
    """The series with the most missing rows, then those with the most zeros, then the shortest.

    Args:
        described: of ``tsformers.describe``.

    Returns:
        Ten rows at most.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"id": ["a", "b"], "rows": [9, 9], "missing": [0, 3], "zeros": [0.0, 0.0]})
        >>> worst(table)["id"].tolist()
        ['b', 'a']
    """
    order = described.assign(share=described["missing"] / described["rows"])
    order = order.sort_values(["share", "zeros", "rows"], ascending=[False, False, True], kind="stable")
    return described.loc[order.index[:WORST]]


def summary(described: "pd.DataFrame") -> str:
    """All series in one line.

    Args:
        described: of ``tsformers.describe``.

    Returns:
        Rows, missing rows, gaps, and the median season strength.

    Example:
        >>> import pandas as pd
        >>> table = {"rows": [9, 12], "missing": [0, 3], "gaps": [0, 1], "sentinels": [0, 0]}
        >>> summary(pd.DataFrame(table | {"season_strength": [0.5, 0.7], "zeros": [0.0, 0.2]}))
        '2 series of 9 to 12 rows, 1 with missing rows, 1 with zeros, median season strength 0.6'
    """
    rows, strength = described["rows"], described["season_strength"].median()
    parts = [f"{len(described):,} series of {rows.min():,} to {rows.max():,} rows"]
    for name, what in (("missing", "missing rows"), ("zeros", "zeros"), ("sentinels", "values such as -9999")):
        count = int((described[name] > 0).sum())
        parts += [f"{count:,} with {what}"] if count else []
    return ", ".join([*parts, *([f"median season strength {strength:.2g}"] if strength == strength else [])])


def _described(panel: "Panel") -> "pd.DataFrame":
    from dataclasses import replace

    from tsformers.diagnostics.description import describe

    return describe(replace(panel, schema=replace(panel.schema, backend="pandas")))


def _drawn(panel: "Panel", ids: list[Any] | None) -> Any:
    from tsformers.plotting.chosen import chosen_positions
    from tsformers.plotting.overview import Series, overview_chart

    drawn = []
    for i in chosen_positions(ids, panel.ids, DRAWN):
        rows = slice(panel.offsets[i], panel.ends[i])
        drawn.append(Series(str(panel.ids[i]), panel.times[rows], panel.y[rows]))
    return overview_chart(drawn, panel.schema.tz)


def _show_readings(file: str, table: TableInput, target: TableOutput, error: DataError) -> None:
    """The columns of a table that is refused, why, and the commands that choose a reading; without any, the refusal."""
    commands = readings_for(file, table, error.message)
    if not commands:
        raise error
    if file != "-":  # standard input has been read
        try:
            columns = _columns_of(read_file(file, table).frame)
        except DataError:
            columns = None
        if columns is not None:
            show(columns, target, title=file)
    print_line(f"more than one reading, or none yet: {error.message.text('shell')}")
    for command in commands:
        inform(f"next: {command}")


def _columns_of(frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    from tsformers.data.intake.kinds import kind_of

    rows = [
        {
            "column": name,
            "holds": kind_of(frame[name]),
            "missing": int(frame[name].isna().sum()),
            "first": ", ".join(map(str, frame[name].dropna().iloc[:SHOWN])),
        }
        for name in frame
    ]
    return pd.DataFrame(rows)
