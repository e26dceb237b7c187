"""How the command line talks: tables on a terminal, CSV in a pipe, one line for a mistake."""

import os
import sys
import tomllib
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.streaming.watch import Ended


ROOMY = 130  # characters in a line
FITTING = {"save", "horizon", "set_", "detector", "freq", "seed", "id_col", "time_col", "target_col"}  # of detect --fit
WATCHING = {"file", "state", "fresh_input", "every", "follow", "idle", "alarms", "source", "sink", "plot", "output"}
WATCHING |= {"format"}  # of detect without --fit
INTERRUPTED, FAILED, MISTAKEN = 130, 1, 2
UsageError: Any = typer.BadParameter.__bases__[0]  # typer brings its own copy of click, or takes the installed one


def guarded(command: Callable[[dict[str, bool]], int | None]) -> int:
    """Run a command line; whatever goes wrong becomes one line on standard error and an exit code.

    Args:
        command: does the work; is handed the global options, and may set "debug" in them to see tracebacks.

    Returns:
        0; 2 for a user's mistake (a ValueError, a file that is not there, a package that is missing); 130 after Ctrl-C;
        1 for anything else. A reader that has gone away is no error worth a line.

    Example:
        >>> guarded(lambda options: None)
        0
    """
    options = {"debug": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)  # what concerns the user's data; the rest concerns programmers
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")  # the library's own line is enough
        try:
            code = command(options) or 0
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
            return FAILED
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except UsageError as error:
            text = error.format_message()
            context = f" (see {error.ctx.command_path} --help)" if getattr(error, "ctx", None) else ""
            say(f"tsformers: {text.rstrip('.') + context if text else 'give a command, or --help'}")
            return MISTAKEN
        except Exception as error:
            return _told(error, options["debug"])
    if code == INTERRUPTED:
        say("tsformers: interrupted")
    return code


def _told(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    if isinstance(error, (ValueError, OSError, ImportError)):
        place = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        say(f"tsformers: {place}")
        return MISTAKEN
    say(f"tsformers: {type(error).__name__}: {error} (unexpected; --debug before the command shows where)")
    return FAILED


def say(text: str) -> None:
    """One line on standard error, whatever line breaks the text has.

    Args:
        text: the message.
    """
    print(" ".join(text.split()), file=sys.stderr, flush=True)


def show(
    frame: "pd.DataFrame", output: str = "-", format: str | None = None, title: str = "", wide: Sequence[str] = ()
) -> None:
    """A small table: drawn on a terminal, else written as CSV or what ``format`` says.

    Args:
        frame: the table.
        output: path, or "-" for standard output.
        format: "csv", "parquet" or "jsonl"; None looks at the suffix of ``output``.
        title: above a drawn table.
        wide: columns that are not drawn where the terminal is narrower than ``ROOMY``.
    """
    from tsformers.data.files.table_files import write_table

    if output != "-" or format is not None or not sys.stdout.isatty():
        write_table(frame, output, format)
        return
    console = Console(highlight=False)
    frame = frame.drop(columns=[*wide] if console.width < ROOMY else [])
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for n, (name, dtype) in enumerate(frame.dtypes.items()):
        table.add_column(str(name), justify="right" if dtype.kind in "fiu" else "left", overflow="fold", no_wrap=n == 0)
    for row in frame.itertuples(index=False):
        table.add_row(*map(escape, map(cell, row)))
    console.print(table)


def cell(value: Any) -> str:
    """A value as it stands in a drawn table: four significant digits, nothing for what is missing.

    Args:
        value: of any type.

    Returns:
        A short text.

    Example:
        >>> cell(0.123456), cell(float("nan")), cell(12)
        ('0.1235', '', '12')
    """
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return "" if value is None else str(value)


def split_list(values: Sequence[str]) -> list[str]:
    """The entries of an option that may be repeated and may hold commas.

    Args:
        values: as given.

    Returns:
        Entries without blanks around them.

    Example:
        >>> split_list(["crps, mase", "mae"])
        ['crps', 'mase', 'mae']
    """
    return [entry.strip() for value in values for entry in value.split(",") if entry.strip()]


def numbers(option: str, values: Sequence[str]) -> list[float]:
    """The numbers of an option such as ``--quantiles 0.1,0.9``.

    Args:
        option: its name, for the message.
        values: as given.

    Returns:
        The numbers.

    Raises:
        ValueError: an entry is no number.

    Example:
        >>> numbers("--quantiles", ["0.1,0.9"])
        [0.1, 0.9]
    """
    found = []
    for entry in split_list(values):
        try:
            found.append(float(entry))
        except ValueError:
            raise ValueError(f"{option}: {entry!r} is no number; write for example {option} 0.1,0.5,0.9") from None
    return found


def wholes(option: str, values: Sequence[str]) -> list[int]:
    """The whole numbers of an option such as ``--period 24,168``.

    Args:
        option: its name, for the message.
        values: as given.

    Returns:
        The numbers.

    Raises:
        ValueError: an entry is no whole number of 1 or more.

    Example:
        >>> wholes("--period", ["24,168"])
        [24, 168]
    """
    found = numbers(option, values)
    for value in found:
        if value != int(value) or value < 1:
            raise ValueError(f"{option}: {value:g} is no whole number of 1 or more; write for example {option} 24")
    return [int(value) for value in found]


def told_written(*paths: object) -> None:
    """One line on standard error that names the files written.

    Args:
        *paths: None and "-" are left out.
    """
    written = [str(path) for path in paths if path not in (None, "-")]
    if written:
        say(f"wrote {', '.join(written)}")


def whole(text: str | None) -> str | int | None:
    """A frequency as written: digits are the step of integer time.

    Args:
        text: as given.

    Returns:
        A number, or the text.

    Example:
        >>> whole("1"), whole("15min")
        (1, '15min')
    """
    return int(text) if text is not None and text.strip().isdigit() else text


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings written as ``key=value``; the value is read as TOML, else it is text.

    Args:
        pairs: as given.

    Returns:
        Values by key.

    Raises:
        ValueError: an entry without an equals sign.

    Example:
        >>> assignments(["max_steps=50", "scaler=robust", "multivariate=true", "static=none"])
        {'max_steps': 50, 'scaler': 'robust', 'multivariate': True, 'static': None}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"--set {pair!r} must be key=value, for example --set max_steps=200")
        try:
            value = None if text.strip().lower() == "none" else tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = {"true": True, "false": False}.get(text.strip().lower(), text)
        found[key.strip()] = value
    return found


def refuse_idle(context: typer.Context, *, fitting: bool) -> None:
    """Refuse options of ``detect`` that would do nothing.

    Args:
        context: of the command.
        fitting: --fit is given.

    Raises:
        ValueError: one of them stands on the command line.
    """
    idle, beside = (WATCHING, "beside") if fitting else (FITTING, "without")
    for option in context.command.params:
        source: Any = context.get_parameter_source(option.name or "")
        if option.name in idle and source is not None and source.name == "COMMANDLINE":
            said = "FILE" if option.param_type_name == "argument" else option.opts[0]
            remedy = "leave it out, or say it when rows are watched, with --model and without --fit"
            if not fitting:
                remedy = "leave it out (a detector goes by what it was fitted with), or make another with --fit"
            raise ValueError(f"{said} does nothing {beside} --fit; {remedy}")


def listed(counts: dict[str, int]) -> str:
    """What was counted, in one line; what never happened is left out.

    Args:
        counts: by name.

    Returns:
        A short text.

    Example:
        >>> listed({"rows": 12000, "late": 0, "alarms": 3})
        '12,000 rows, 3 alarms'
    """
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count or name == "rows")


def told_watched(ended: "Ended") -> None:
    """One to three lines on standard error: what became of the rows.

    Args:
        ended: what watching came to.
    """
    if ended.passed is not None:
        say(f"{ended.passed:,} rows that the state has seen were passed over, {ended.new:,} were new")
    if ended.interrupted:
        where = "no state was kept" if ended.state is None else f"the state is kept in {ended.state}"
        say(f"stopped after {ended.new:,} rows; {where}")
    say(listed(ended.counts))
