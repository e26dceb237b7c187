"""The commands `models list` and `models show`."""

import typer

from tsformers.cli.options import ListedName, Plugins, TableOutput, flattened
from tsformers.cli.terminal import show

models = typer.Typer(help="Forecasters and their settings.", no_args_is_help=True)


@models.command("list")
@flattened
def models_list(plugins: Plugins, target: TableOutput) -> None:
    """All forecasters by name, with one line about each."""
    import pandas as pd

    from tsformers.jobs.descriptions import catalogue

    named = catalogue(plugins.load())
    show(pd.DataFrame({"model": [*named], "about": [*named.values()]}), target)


@models.command("show")
@flattened
def models_show(name: ListedName, plugins: Plugins, target: TableOutput) -> None:
    """The settings of a forecaster, their defaults and what they mean."""
    import pandas as pd

    from tsformers.jobs.build import find_variant
    from tsformers.jobs.descriptions import about, settings_of

    kind, variant = find_variant(name, plugins.load())
    show(pd.DataFrame(settings_of(kind, variant)), target, title=f"{name}: {about(kind)}")
