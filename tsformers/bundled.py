"""Folders and names of the recipes and job files that are bundled with the package."""

from importlib import resources
from pathlib import Path
from typing import Literal

from tsformers.errors import JobError


def shipped_folder(kind: Literal["datasets", "pipelines"]) -> Path:
    """The folder of bundled recipes or jobs: inside the wheel, or beside the package in a checkout.

    Args:
        kind: "datasets" (recipes) or "pipelines" (jobs).

    Returns:
        An existing folder.

    Raises:
        JobError: the installation has no such folder.

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
    """Names of the bundled recipes or jobs, in alphabetical order.

    Args:
        kind: "datasets" or "pipelines".

    Returns:
        File names without ".toml".

    Example:
        >>> "quickstart" in shipped_names("pipelines")
        True
    """
    return sorted((path.stem for path in shipped_folder(kind).glob("*.toml")), key=str.lower)
