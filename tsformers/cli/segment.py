"""The command `segment`: regimes that last, row by row, and a picture coloured by regime."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import Frequency, InputFile, SeriesIds, ShortSeries, TableInput, TableOutput
from tsformers.cli.parsing import assignments, frequency, split_list
from tsformers.cli.reading import ids_in, panel_like, read_panel
from tsformers.cli.terminal import check_paths, report_written
from tsformers.errors import JobError
from tsformers.progress import waiting

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.panel import Panel

MOST_CONTEXT = 100  # rows of the default context: enough of a regime to learn from; shorter series give fewer


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """Which model finds the regimes, how they are decoded, and where model and picture are kept.

    Example:
        >>> SegmentOptions(regimes=3).method
        'posterior'
    """

    regimes: Annotated[int | None, typer.Option(min=1, help="How many regimes.")] = None
    model: Annotated[str | None, typer.Option(help="Folder of a saved REDSDS; default: one is fitted.")] = None
    max_duration: Annotated[
        int | None, typer.Option(min=1, help="Longest run that the duration distribution counts.")
    ] = None
    method: Annotated[str, typer.Option(help="posterior (likeliest regime of each row) or viterbi.")] = "posterior"
    set_: Annotated[list[str], typer.Option("--set", help="Setting of REDSDS, key=value; repeatable.")] = field(
        default_factory=list
    )
    seed: Annotated[int, typer.Option(help="Same seed, same regimes.")] = 0
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted model in.")] = None
    plot: Annotated[Path | None, typer.Option(help="Picture; default: beside the output, or FILE_regimes.png.")] = None
    ids: SeriesIds = field(default_factory=list)
    freq: Frequency = None
    short: ShortSeries = "error"

    def settings(self) -> dict[str, Any]:
        """The settings of REDSDS that were given.

        Example:
            >>> SegmentOptions(regimes=3, set_=["max_steps=200"]).settings()
            {'n_regimes': 3, 'max_steps': 200}
        """
        given = {"n_regimes": self.regimes, "max_duration": self.max_duration}
        return {key: value for key, value in given.items() if value is not None} | assignments(self.set_)


def segment(file: InputFile, options: SegmentOptions, target: TableOutput, table: TableInput) -> None:
    """Find regimes that last: for every row its regime, how sure, how much longer; and a picture coloured by regime."""
    from tsformers.data.files.write import write_table

    plot = options.plot
    if plot is None:
        stem = "data" if file == "-" else Path(file).stem
        plot = Path(f"{stem}_regimes.png") if target.output == "-" else Path(target.output).with_suffix(".png")
    check_paths(target, [file], plot=plot, save=options.save)
    answer, fitted = segment_file(file, options, table, plot)
    if options.save is not None:
        fitted.save(options.save)
    write_table(answer, target.output, target.format)
    report_written(target.output, options.save, plot)


def segment_file(
    file: str, options: SegmentOptions, table: TableInput, plot: Path | None = None
) -> "tuple[pd.DataFrame, Any]":
    """The regime of each row of a table from a file, by a model that is fitted to it or was saved before.

    Args:
        file: path, or "-" for standard input.
        options: settings of REDSDS, or the folder of a saved one; how regimes are decoded; series in the picture.
        table: how ``file`` is read.
        plot: picture to draw; None = none.

    Returns:
        A frame of id, time, regime, probability and expected_remaining; and the model.

    Raises:
        JobError: a setting for a saved model, a model that finds no regimes, or an unknown setting.
        DataError: the table cannot be used.
    """
    names = split_list(options.ids)
    if options.model is not None:
        fitted = _saved(options.model, options)
        panel = panel_like(fitted, options.model, file, table)
    else:
        from tsformers.jobs.build import build

        fitted = build("REDSDS", {"horizon": 1, "seed": options.seed, **options.settings()}, place="--set")
        panel = read_panel(file, table, freq=frequency(options.freq), short=options.short)
    ids = ids_in(panel.ids, names)
    if options.model is None:
        if fitted.context_length is None:
            fitted.context_length = _context_length(panel)
        with waiting("fitting REDSDS"):
            fitted.fit(panel, short=options.short)
    with waiting("finding regimes"):
        answer = fitted.segment(panel, method=options.method)
    if plot is not None:
        from tsformers.plotting.axes import off_screen

        with off_screen():
            fitted.plot_segments(panel, ids, method=options.method).savefig(plot)
    return answer, fitted


def _saved(folder: str, options: SegmentOptions) -> Any:
    """A saved model that finds regimes; it takes no settings."""
    from tsformers import storage

    fitted: Any = storage.load(folder)
    if not hasattr(fitted, "segment"):
        raise JobError(f"{folder} is a {type(fitted).__name__}, which finds no regimes; save a REDSDS")
    unused = [*options.settings()]
    unused += [f"--{name}" for name in ("freq", "save") if getattr(options, name) is not None]
    unused += [] if options.short == "error" else ["--short"]
    if unused:
        raise JobError(f"{folder} is fitted already and takes no {', '.join(unused)}; leave --model out to fit")
    return fitted


def _context_length(panel: "Panel") -> int | None:
    """Rows that REDSDS learns from at once: up to ``MOST_CONTEXT`` where all series are longer; None = its default."""
    shortest = int(panel.lengths.min())
    return min(MOST_CONTEXT, shortest - 1) if shortest > 2 else None
