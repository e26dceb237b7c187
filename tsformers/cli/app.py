"""The application: every command registered, and what holds for all of them.

Modules that take time to import are imported inside functions: ``--help`` answers at once.
"""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from tsformers.cli.backtest import backtest
from tsformers.cli.cluster import cluster
from tsformers.cli.datasets import datasets
from tsformers.cli.decompose import decompose
from tsformers.cli.detect import detect
from tsformers.cli.forecast import forecast
from tsformers.cli.inspection.inspect import inspect
from tsformers.cli.models import models
from tsformers.cli.options import flattened
from tsformers.cli.pretrain import pretrain
from tsformers.cli.reproduce import reproduce
from tsformers.cli.score import score
from tsformers.cli.segment import segment
from tsformers.cli.terminal import guarded

app = typer.Typer(
    name="tsformers",
    help="Probabilistic forecasts from a table: forecast it, score it, backtest models on it, decompose it.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
for command in (inspect, forecast, backtest, score, detect, decompose, cluster, segment, reproduce, pretrain):
    app.command()(flattened(command))
app.add_typer(datasets, name="datasets")
app.add_typer(models, name="models")


def main(args: Sequence[str] | None = None) -> int:
    """The command ``tsformers``.

    Args:
        args: words after the command's name; None = those of the process.

    Returns:
        Exit code: 0, 2 for a user's mistake, 130 after Ctrl-C, 1 for anything unexpected.

    Example:
        >>> main(["--version"])
        tsformers 0.1.0
        0
    """
    command = typer.main.get_command(app)
    words = sys.argv[1:] if args is None else list(args)
    return guarded(lambda options: command.main(words, prog_name="tsformers", standalone_mode=False, obj=options))


def print_version(wanted: bool) -> None:
    """Print the version and leave.

    Args:
        wanted: ``--version`` is given.

    Example:
        >>> print_version(False)
    """
    if wanted:
        from tsformers import __version__

        typer.echo(f"tsformers {__version__}")
        raise typer.Exit


@app.callback()
def set_global_options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """What holds for every command; the help text is the application's."""
    context.obj["debug"] = debug
    logging.basicConfig(format="%(message)s", level=logging.DEBUG if debug else logging.WARNING, force=True)
    for verbose in ("matplotlib", "fsspec", "asyncio"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
