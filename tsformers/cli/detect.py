"""The command `detect`: a detector made from history, and rows watched with it."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import Plugins, TableInput
from tsformers.cli.parsing import assignments, frequency
from tsformers.cli.reading import COLUMN_OPTIONS, file_options, panel_like, read_panel
from tsformers.cli.terminal import inform, print_line, report_written
from tsformers.errors import JobError
from tsformers.progress import waiting

if TYPE_CHECKING:
    from tsformers.streaming.detectors import ControlChoice  # half a second, which --help need not pay
    from tsformers.streaming.watch import Watched


@dataclass(frozen=True, kw_only=True)
class DetectInput:
    """The rows to watch, and the detector, or the forecaster that one is made of."""

    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Rows to watch; - is standard input.")] = "-"
    model: Annotated[str, typer.Option(help="Folder of a detector; with --fit: a forecaster, or its folder.")] = ""


@dataclass(frozen=True, kw_only=True)
class ControlOptions:
    """The testing procedure of a detector.

    Example:
        >>> ControlOptions(control="LORD", alpha=0.1).choice()
        ControlChoice(name='LORD', alpha=0.1, decay=None)
    """

    alpha: Annotated[float | None, typer.Option(help="Share of false alarms among alarms aimed at.")] = None
    control: Annotated[str | None, typer.Option(help="LORD, SAFFRON (the default), ADDIS, LOND, ...")] = None
    decay: Annotated[float | None, typer.Option(help="Memory of an endless stream: 0.99 is about 100 rows.")] = None

    def choice(self) -> "ControlChoice":
        """The procedure that was named, as ``streaming`` takes it.

        Returns:
            Name, alpha and decay.

        Example:
            >>> ControlOptions().choice().name is None
            True
        """
        from tsformers.streaming.detectors import ControlChoice

        return ControlChoice(name=self.control, alpha=self.alpha, decay=self.decay)


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a detector is made from history; without ``fit`` none of them may be given."""

    fit: Annotated[str | None, typer.Option(help="History to make a detector from, kept by --save.")] = None
    save: Annotated[Path | None, typer.Option(help="Folder to keep the detector of --fit in.")] = None
    horizon: Annotated[int | None, typer.Option(min=1, help="With --fit: steps that a forecast reaches.")] = None
    set_: Annotated[list[str], typer.Option("--set", help="With --fit: forecaster's setting, key=value.")] = field(
        default_factory=list
    )
    detector: Annotated[list[str], typer.Option(help="With --fit: detector's setting, as refresh=24.")] = field(
        default_factory=list
    )
    freq: Annotated[str | None, typer.Option(help="With --fit: pandas alias or step; default: inferred.")] = None
    short: Annotated[str, typer.Option(help="With --fit: series too short: error, or drop them.")] = "error"
    seed: Annotated[int, typer.Option(help="With --fit: same seed, same numbers.")] = 0


@dataclass(frozen=True, kw_only=True)
class WatchOptions:
    """How rows are watched; beside ``--fit`` none of them may be given."""

    state: Annotated[Path | None, typer.Option(help="File to resume from, and to keep what was learned in.")] = None
    fresh_input: Annotated[bool, typer.Option("--fresh-input", help="All rows are new: a pipe, a rotated log.")] = False
    every: Annotated[int, typer.Option(min=1, help="Rows from one state to the next, a minute at most.")] = 10_000
    follow: Annotated[bool, typer.Option("--follow", help="At the end of the file wait for more.")] = False
    idle: Annotated[float | None, typer.Option(help="End after so many seconds without a row.")] = None
    alarms: Annotated[bool, typer.Option("--alarms", help="Write alarms alone.")] = False
    source: Annotated[str | None, typer.Option(help="redis://host:port/STREAM[?group=G] in place of FILE.")] = None
    sink: Annotated[str | None, typer.Option(help="redis://host:port/STREAM in place of --output.")] = None
    plot: Annotated[Path | None, typer.Option(help="Picture of the latest rows, such as out.png.")] = None
    output: Annotated[str, typer.Option("--output", "-o", help="File to write; - is standard output.")] = "-"
    format: Annotated[str | None, typer.Option(help="csv, parquet or jsonl; default: by suffix, else jsonl.")] = None


FIT_ONLY = {*(option.name for option in fields(FitOptions)), *COLUMN_OPTIONS, "wide", "wide_rows", "missing"}
WATCH_ONLY = {*(option.name for option in fields(WatchOptions)), "file"}


def detect(
    context: typer.Context,
    rows: DetectInput,
    control: ControlOptions,
    fitting: FitOptions,
    plugins: Plugins,
    watching: WatchOptions,
    table: TableInput,
) -> None:
    r"""Watch rows as they come and report of each whether it is an anomaly; few alarms are false.

    First, once, from a table of history (id, time, value):

        tsformers detect --fit history.csv --save d/ \
          --model SeasonalNaive --set season_length=1 --horizon 1 \
          --control LORD --alpha 0.1 --decay 0.99

    then, for as long as rows come (JSON lines, CSV or Parquet):

        tsformers detect --model d/ --state d.state \
          < rows.jsonl >> decisions.jsonl

    Killed at any moment and run again in the same way, it resumes after the
    last state: what it writes twice bears the same row number, and with
    --output nothing is written twice. The state holds a place in the input too:
    a pipe that does not repeat its rows, or another file, needs --fresh-input. A
    decision holds row, id, time, value, expected, lower, upper, p_value, level,
    anomaly, status ("tested", or what else) and why. docs/anomalies.md lists
    the answer to each odd row.
    """
    if fitting.fit is not None:
        reject_unused_options(context, WATCH_ONLY, fitting=True)
        _fit(fitting.fit, rows.model or "SeasonalNaive", fitting, control, plugins, table)
    else:
        reject_unused_options(context, FIT_ONLY, fitting=False)
        _watch(rows, control, plugins, watching, table)


def _fit(
    history: str, model: str, fitting: FitOptions, control: ControlOptions, plugins: Plugins, table: TableInput
) -> None:
    from tsformers.anomaly.decisions import FIELDS
    from tsformers.data.dataframes import Schema, check_answer_columns
    from tsformers.data.files.outputs import check_outputs
    from tsformers.streaming.detectors import FitSettings, described, make_detector

    if fitting.save is None:
        raise JobError("--fit makes a detector and --save keeps it; name a folder, for example --save d/")
    check_outputs({"save": fitting.save}, [history], folders=("save",))
    columns = ("row", *FIELDS, "status", "why")
    asked = Schema(  # what the options say, before anything is read
        id_cols=tuple(table.id_col), time_col=" ".join(table.time_col) or "ds", target_col=table.target_col or "y"
    )
    check_answer_columns(asked, columns, "the decisions", target=True)
    horizon = {} if fitting.horizon is None else {"horizon": fitting.horizon}
    settings = FitSettings(
        forecaster=assignments(fitting.set_) | horizon,
        detector=assignments(fitting.detector, "--detector"),
        control=control.choice(),
        plugins=plugins.plugin,
        seed=fitting.seed,
    )
    detector, prefit = make_detector(model, settings)
    if prefit and (fitting.freq is not None or fitting.short != "error"):
        raise JobError(f"{model} is fitted and takes no --freq and no --short; leave them out")
    if prefit and hasattr(detector.forecaster, "panel_"):
        panel = panel_like(detector.forecaster, model, history, table)
    else:
        panel = read_panel(history, table, freq=frequency(fitting.freq), short=fitting.short)
    check_answer_columns(panel.schema, columns, "the decisions", target=True)
    with waiting("fitting the detector"):
        detector.fit(panel, prefit=prefit, short=fitting.short)
    detector.save(fitting.save)
    inform(described(detector))
    report_written(fitting.save)


def _watch(
    rows: DetectInput, control: ControlOptions, plugins: Plugins, watching: WatchOptions, table: TableInput
) -> None:
    from tsformers.streaming.detectors import watch_with_saved
    from tsformers.streaming.watch import WatchSettings

    settings = WatchSettings(
        source=watching.source or rows.file,
        sink=watching.sink or watching.output,
        state=watching.state,
        fresh_input=watching.fresh_input,
        every=watching.every,
        follow=watching.follow,
        idle=watching.idle,
        alarms_only=watching.alarms,
        format=watching.format,
        input_format=table.input_format,
        options=file_options(table),
    )
    check_watched(rows, watching)
    ended: list[Watched] = []

    def report(watched: "Watched") -> None:
        report_watched(watched)
        ended.append(watched)

    watch_with_saved(
        rows.model,
        settings,
        control=control.choice(),
        plot=watching.plot,
        plugins=plugins.plugin,
        report=report,
    )
    for watched in ended:
        if watched.new and watched.new == watched.invalid:
            print_line(f"tsformers: all {watched.new:,} rows were invalid; compare them with the history")
            raise typer.Exit(1)


def reject_unused_options(context: typer.Context, unused: Collection[str], *, fitting: bool) -> None:
    """Refuse options of ``detect`` that would have no effect.

    Args:
        context: of the command.
        unused: names of the parameters that have none.
        fitting: --fit is given.

    Raises:
        ValueError: one of them stands on the command line.
    """
    for option in context.command.params:
        origin: Any = context.get_parameter_source(option.name or "")
        if option.name in unused and origin is not None and origin.name == "COMMANDLINE":
            name = "FILE" if option.param_type_name == "argument" else option.opts[0]
            if fitting:
                raise ValueError(
                    f"{name} does nothing beside --fit; leave it out, or give it when rows are watched, with --model "
                    "and without --fit"
                )
            raise ValueError(
                f"{name} does nothing without --fit; leave it out (a detector uses what it was fitted with), or make "
                "another with --fit"
            )


def report_watched(watched: "Watched") -> None:
    """One to three lines on standard error: what became of the rows.

    Args:
        watched: the result of watching.
    """
    if watched.passed is not None:
        inform(f"{watched.passed:,} rows that the state covers were passed over, {watched.new:,} were new")
    if watched.interrupted:
        where = "no state was kept" if watched.state is None else f"the state is kept in {watched.state}"
        inform(f"stopped after {watched.new:,} rows; {where}")
    inform(counts_in_words(watched.counts))


def check_watched(rows: DetectInput, watching: WatchOptions) -> None:
    """Refuse outputs that are inputs, or one another, or lie in folders that do not exist.

    Args:
        rows: the input.
        watching: the outputs.

    Raises:
        DataError: one of them does.
    """
    from tsformers.data.files.outputs import check_outputs

    sink = None if watching.sink is not None else watching.output
    check_outputs({"output": sink, "state": watching.state, "plot": watching.plot}, [rows.file])


def counts_in_words(counts: dict[str, int]) -> str:
    """Counts in one line; those of 0 are left out.

    Args:
        counts: by name.

    Returns:
        A short text.

    Example:
        >>> counts_in_words({"rows": 12000, "late": 0, "alarms": 1})
        '12,000 rows, 1 alarm'
    """
    shown = {name: count for name, count in counts.items() if count or name == "rows"}
    return ", ".join(f"{count:,} {name.removesuffix('s') if count == 1 else name}" for name, count in shown.items())
