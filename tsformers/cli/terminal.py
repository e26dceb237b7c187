"""Output for people: tables on a terminal, CSV in a pipe, one line for an error."""

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tsformers.cli.options import TableOutput
from tsformers.errors import DataError
from tsformers.messages import Option, Tongue, message_of
from tsformers.progress import is_quiet

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

WIDE_TERMINAL = 130  # characters in a line
INTERRUPTED, FAILED, MISTAKEN = 130, 1, 2
UsageError: Any = typer.BadParameter.__bases__[0]  # typer brings its own copy of click, or takes the installed one


def guarded(command: Callable[[dict[str, Any]], int | None]) -> int:
    """Run a command line; every error becomes one line on standard error and an exit code.

    Args:
        command: does the work; is handed the global options, and may set "debug" in them to show tracebacks, and
            "tongue" to "job" where remedies are keys of a job file and no flags.

    Returns:
        0; 2 for a user's mistake (a ValueError, a file that is not there, a package that is missing); 130 after Ctrl-C;
        1 for anything else. Where the reader of a pipe is gone, nothing is printed.

    Example:
        >>> guarded(lambda options: None)
        0
    """
    options: dict[str, Any] = {"debug": False, "tongue": "shell"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)  # about the user's data; the others are for programmers
        warnings.showwarning = lambda message, *_, **__: print_line(f"warning: {_warning_text(message, options)}")
        try:
            code = command(options) or 0
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python reports it again at exit
            return FAILED
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except UsageError as error:
            text = error.format_message()
            context = f" (see {error.ctx.command_path} --help)" if getattr(error, "ctx", None) else ""
            print_line(f"tsformers: {text.rstrip('.') + context if text else 'give a command, or --help'}")
            return MISTAKEN
        except Exception as error:
            return _report_error(error, options)
    if code == INTERRUPTED:
        print_line("tsformers: interrupted")
    return code


def _warning_text(message: Warning | str, options: dict[str, Any]) -> str:
    """A warning without file and line, its remedies as they are typed here."""
    return message if isinstance(message, str) else message_of(message, options["tongue"])


def _report_error(error: Exception, options: dict[str, Any]) -> int:
    """Print an error; returns its exit code."""
    if options["debug"]:
        traceback.print_exc()
    if isinstance(error, (ValueError, OSError, ImportError)):
        tongue: Tongue = options["tongue"]
        text = message_of(error, tongue)
        place = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else text
        print_line(f"tsformers: {place}")
        return MISTAKEN
    print_line(f"tsformers: {type(error).__name__}: {error} (unexpected; --debug before the command shows where)")
    return FAILED


def print_line(text: str) -> None:
    r"""Print one line on standard error, whatever line breaks the text has.

    Args:
        text: the message.

    Example:
        >>> from contextlib import redirect_stderr
        >>> with redirect_stderr(sys.stdout):
        ...     print_line("two\nlines")
        two lines
    """
    print(" ".join(text.split()), file=sys.stderr, flush=True)


def inform(text: str) -> None:
    """Print a note on standard error: one line, silenced by ``--quiet``.

    Args:
        text: the note.

    Example:
        >>> from contextlib import redirect_stderr
        >>> with redirect_stderr(sys.stdout):
        ...     inform("wrote out.csv")
        wrote out.csv
    """
    if not is_quiet():
        print_line(text)


def show(frame: "pd.DataFrame", target: TableOutput, title: str = "", wide: Sequence[str] = ()) -> None:
    """Print a small table: drawn on a terminal, else written as CSV or what ``target`` asks for.

    Args:
        frame: the table.
        target: file and format; standard output without a format is drawn where it is a terminal.
        title: above a drawn table.
        wide: columns that are not drawn where the terminal is narrower than ``WIDE_TERMINAL``.

    Example:
        >>> import pandas as pd
        >>> show(pd.DataFrame({"metric": ["mae"], "value": [0.5]}), TableOutput(format="csv"))
        metric,value
        mae,0.5
    """
    from tsformers.data.files.write import write_table

    if target.output != "-" or target.format is not None or not sys.stdout.isatty():
        write_table(frame, target.output, target.format)
        return
    console = Console(highlight=False)
    frame = frame.drop(columns=[*wide] if console.width < WIDE_TERMINAL else [])
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for n, (name, dtype) in enumerate(frame.dtypes.items()):
        table.add_column(str(name), justify="right" if dtype.kind in "fiu" else "left", overflow="fold", no_wrap=n == 0)
    for row in frame.itertuples(index=False):
        table.add_row(*map(escape, map(cell, row)))
    console.print(table)


def cell(value: Any) -> str:
    """A value as a drawn table shows it: four significant digits, and nothing for a missing value.

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


def check_paths(target: TableOutput, inputs: Sequence[object], **others: Path | None) -> None:
    """Refuse before any work what could not be written after it.

    Args:
        target: file and format of the table.
        inputs: files that are read.
        **others: further outputs by the name of their option; ``save`` is a folder.

    Raises:
        DataError: a format that there is not, a folder that does not exist, an input, or two outputs that are one file.

    Example:
        >>> check_paths(TableOutput(output="out.csv"), ["a.csv"], plot=None)
        >>> check_paths(TableOutput(output="a.csv"), ["./a.csv"])
        Traceback (most recent call last):
        tsformers.errors.DataError: output='a.csv' is the input ./a.csv itself; choose another name
    """
    from tsformers.data.files.outputs import check_outputs
    from tsformers.data.files.write import Format, format_of

    if target.format is not None and target.format not in get_args(Format):
        raise DataError(f"there is no format {target.format!r}; choose {', '.join(get_args(Format))}")
    if target.format is None and target.output != "-" and format_of(target.output) is None:
        ending = ": its suffix names no format; end it in .csv, .parquet or .jsonl, or pass "
        raise DataError(Option("output", target.output), ending, Option("format"))
    files = [str(name) for name in inputs if name is not None]
    check_outputs({"output": target.output, **others}, files, folders=("save",))


def report_written(*paths: object) -> None:
    """Print a note that names the files written.

    Args:
        *paths: None and "-" are left out.

    Example:
        >>> from contextlib import redirect_stderr
        >>> with redirect_stderr(sys.stdout):
        ...     report_written("out.csv", None, "-", "out.png")
        wrote out.csv, out.png
    """
    written = [str(path) for path in paths if path not in (None, "-")]
    if written:
        inform(f"wrote {', '.join(written)}")
