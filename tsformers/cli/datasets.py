"""The commands `datasets list`, `datasets show` and `datasets export`."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from tsformers.cli.options import ListedName, TableOutput, flattened
from tsformers.cli.parsing import split_list
from tsformers.cli.terminal import show

datasets = typer.Typer(help="Data sets that load by name.", no_args_is_help=True)


@datasets.command("list")
@flattened
def datasets_list(target: TableOutput) -> None:
    """All data sets that load by name, and which of them are on this machine."""
    from tsformers.datasets.load import catalogue

    show(catalogue(), target, wide=("horizons", "licence"))


@datasets.command("show")
@flattened
def datasets_show(name: ListedName, target: TableOutput) -> None:
    """Where a data set comes from, its licence, columns, frequency and benchmark."""
    import pandas as pd

    from tsformers.datasets.load import recipe

    facts = recipe(name).facts()
    show(pd.DataFrame({"key": [*facts], "value": [*facts.values()]}), target)


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What an exported table holds beside its values."""

    extra: Annotated[list[str], typer.Option(help="Further columns, as `show` lists them; commas.")] = field(
        default_factory=list
    )


@datasets.command("export")
@flattened
def datasets_export(name: ListedName, options: ExportOptions, target: TableOutput) -> None:
    """Write a data set as a long table: unique_id, ds, y and its covariates."""
    from tsformers.data.files.write import write_table
    from tsformers.datasets.load import load_dataset

    write_table(load_dataset(name, extra=split_list(options.extra)), target.output, target.format)
