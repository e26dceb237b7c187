"""The command `pretrain`: the weights that come with the package, made again from their recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tsformers.cli.options import TableOutput
from tsformers.cli.terminal import inform, show
from tsformers.errors import JobError


@dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """How long is trained, with which random numbers, and where the weights are written."""

    steps: Annotated[int | None, typer.Option(min=1, help="Steps; default: as the shipped recipe says.")] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Default: as the shipped recipe says.")] = None
    out: Annotated[Path, typer.Option(help="Folder of weights, recipe and validation table.")] = Path("runs/blend")


def pretrain(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="What is trained: blend.")],
    options: PretrainOptions,
    target: TableOutput,
) -> None:
    """Train the weights of Blend on synthetic series, and validate them on real panels (those under TSFORMERS_DATA).

    A recipe gives the same bits on one thread of one kind of processor with the same versions of torch and numba.
    """
    if model.lower() != "blend":
        raise JobError(f"{model!r} has no weights that come with the package; write blend")
    from dataclasses import replace

    from tsformers.forecasters.blend.pretrained import FOLDER
    from tsformers.reproduction.blend_weights import made, read_recipe

    recipe = read_recipe(FOLDER)
    recipe = replace(recipe, steps=options.steps or recipe.steps)
    recipe = replace(recipe, seed=recipe.seed if options.seed is None else options.seed)
    table = made(recipe, options.out, inform)
    if len(table):
        show(table, target, title="without training on the panel, beside the seasonal naive")
    else:
        inform("no development panel is at hand, so nothing was validated; set TSFORMERS_DATA to their folder")
