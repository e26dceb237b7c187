"""The recipes and job files that come with the package: where they lie, and their names."""

from importlib import resources
from pathlib import Path
from typing import Literal

from tsformers.errors import JobError


def shipped_folder(kind: Literal["datasets", "pipelines"]) -> Path:
    """The folder of recipes or jobs that came with the package: in the wheel, or beside it in a checkout.

    Args:
        kind: "datasets" (recipes) or "pipelines" (jobs).

    Returns:
        An existing folder.

    Raises:
        JobError: the installation lacks it.

    Example:
        >>> (shipped_folder("datasets") / "nile.toml").is_file()
        True
    """
    package = Path(str(resources.files("tsformers")))
    for folder in (package / f"_{kind}", package.parent / kind):
        if folder.is_dir():
            return folder
    raise JobError(f"the installed tsformers in {package} lacks its folder {kind}; install it again from its wheel")


def shipped_names(kind: Literal["datasets", "pipelines"]) -> list[str]:
    """Names of the recipes or jobs that came with the package, in alphabetical order.

    Args:
        kind: "datasets" or "pipelines".

    Returns:
        File names without ".toml".

    Example:
        >>> "quickstart" in shipped_names("pipelines")
        True
    """
    return sorted((path.stem for path in shipped_folder(kind).glob("*.toml")), key=str.lower)
