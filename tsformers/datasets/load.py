"""Data sets by name: recipes of datasets/*.toml, and the long frames that they load."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.data.files.read import read_table
from tsformers.datasets.download import find_file, is_local
from tsformers.datasets.layouts import long_frame, split_column
from tsformers.datasets.recipe import Recipe
from tsformers.errors import JobError, did_you_mean
from tsformers.toml_tables import parse_table, read_toml


def load_dataset(name: str, *, extra: Sequence[str] = ()) -> pd.DataFrame:
    """A data set as a long frame, ready for ``fit``: columns unique_id, ds, y, then its numeric covariates.

    The file is searched in the folders of the environment variable TSFORMERS_DATA (several are separated as in PATH),
    under the path and under the bare name that the recipe gives; then in the cache (``$XDG_CACHE_HOME/tsformers`` or
    ``~/.cache/tsformers``); then it is downloaded there, if the recipe has an address, and its checksum is compared.
    Labels, texts and the benchmark's own train/test split are left out unless ``extra`` names them, because a
    forecaster must not read them.

    Args:
        name: one of ``tsformers datasets list``, or the path of a recipe of your own that ends in .toml.
        extra: further columns, as ``tsformers datasets show NAME`` lists them; "split" is the benchmark's split.

    Returns:
        One row per series and time, in the file's order. Missing values are NaN.

    Raises:
        JobError: no such data set or column; the file is not found (the message names its origin and where to put it);
            a checksum does not match.

    Example:
        >>> load_dataset("nile").head(2)
          unique_id         ds       y
        0      nile 1871-01-01  1120.0
        1      nile 1872-01-01  1160.0
    """
    chosen = recipe(name)
    for column in extra:
        if column not in chosen.offered:
            raise JobError(
                f"dataset {chosen.name!r} has no extra column {column!r}; {did_you_mean(column, chosen.offered)}"
            )
    path = find_file(chosen.source, chosen.name, Path(name).parent if name.endswith(".toml") else None)
    try:
        frame = long_frame(read_table(path).frame, chosen)
    except KeyError as error:
        raise JobError(
            f"{path} lacks the column {error} of recipe {chosen.name!r}; use the file that it names"
        ) from None
    if "split" in extra:
        frame["split"] = split_column(frame, chosen.benchmark)
    return frame[["unique_id", "ds", "y", *chosen.columns.known, *chosen.columns.past, *extra]]


def recipe(name: str) -> Recipe:
    """The recipe called ``name``.

    Args:
        name: as for ``load_dataset``.

    Returns:
        The recipe, checked.

    Raises:
        JobError: there is no such recipe, or it holds an unknown key or a wrong value.

    Example:
        >>> recipe("nile").title
        'Annual flow of the Nile at Aswan, 1871-1970'
    """
    path = Path(name) if name.endswith(".toml") else shipped_folder("datasets") / f"{name}.toml"
    if not name.endswith(".toml") and name not in (names := shipped_names("datasets")):
        raise JobError(
            f"no data set is called {name!r}; {did_you_mean(name, names, '`tsformers datasets list` shows all')}"
        )
    return parse_table(Recipe, {"name": path.stem} | read_toml(path), f"{path}:")


def recipes() -> list[Recipe]:
    """All recipes of the package, in alphabetical order.

    Returns:
        One recipe a data set.

    Example:
        >>> [each.name for each in recipes() if each.source.package]
        ['co2', 'elnino', 'macrodata', 'nile', 'sunspots']
    """
    return [recipe(name) for name in shipped_names("datasets")]


def catalogue() -> pd.DataFrame:
    """All recipes as a table.

    Returns:
        Frame: name, title, frequency, horizons, here ("yes", "to fetch" or "no"), licence.

    Example:
        >>> catalogue().set_index("name").loc["nile", "here"]
        'yes'
    """
    rows = [
        {
            "name": each.name,
            "title": each.title,
            "frequency": str(each.frequency),
            "horizons": "/".join(map(str, each.benchmark.horizons)),
            "here": "yes" if is_local(each.source) else "to fetch" if each.source.download else "no",
            "licence": each.licence,
        }
        for each in recipes()
    ]
    return pd.DataFrame(rows)
