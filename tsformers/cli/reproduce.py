"""The command `reproduce`: a published table, measured again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tsformers.cli.options import Plugins, TableOutput
from tsformers.cli.terminal import inform, show


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """Which cells of a table are measured, and where they are kept."""

    dataset: Annotated[str | None, typer.Option(help="This data set alone; default: the whole table.")] = None
    horizon: Annotated[int | None, typer.Option(help="This horizon alone; default: the whole table.")] = None
    seeds: Annotated[int | None, typer.Option(min=1, help="How many; default: as many as the file asks for.")] = None
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: runs/reproduce/ and the file's name.")
    ] = None


def reproduce(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a published table of ours, or a TOML file.")],
    cells: CellOptions,
    plugins: Plugins,
    target: TableOutput,
) -> None:
    """Measure a published table again, its numbers beside ours; finished cells are kept, so that a rerun resumes.

    mse and mae are over all test windows, mse_32 and mae_32 over the first whole batches of 32, as older tables are.
    """
    from tsformers.reproduction.dispatch import read_published

    experiment = read_published(
        model,
        dataset=cells.dataset,
        horizon=cells.horizon,
        seeds=cells.seeds,
        out=cells.out,
        plugins=plugins.plugin,
    )
    inform(experiment.about)
    show(experiment.run(inform), target, title=experiment.table.title, wide=experiment.wide)
    inform(f"published: {experiment.table.source}; results: {experiment.out}")
