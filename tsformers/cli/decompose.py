"""The command `decompose`: trend, seasonal parts and remainder of every series."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers.catalog import find_model
from tsformers.cli.reading import named_series, read_panel


def decompose_file(
    file: str,
    *,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    plot: Path | None = None,
    ids: Sequence[str] = (),
    format: str | None = None,
) -> pd.DataFrame:
    r"""Trend, seasonal parts and remainder of a table from a file.

    Args:
        file: path, or "-" for standard input.
        settings: of ``TrendSeasonalDecomposition``; None values are left out.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        plot: picture to draw; None = none.
        ids: series in the picture; none = the first three.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        What ``TrendSeasonalDecomposition.decompose`` gives.

    Raises:
        DataError: the table cannot be used.
        ValueError: a setting is out of range.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> roles = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,7\na,3,5\na,4,7\n")
        ...     parts = decompose_file(str(path), settings={"period": 2}, roles=roles)
        >>> parts["seasonal"].tolist()
        [-1.0, 1.0, -1.0, 1.0]
    """
    frame, given = read_panel(file, roles, format)
    chosen = {key: value for key, value in settings.items() if value is not None}
    step = find_model("TrendSeasonalDecomposition")(**chosen)  # type: ignore[call-arg, unused-ignore]
    parts = step.decompose(frame, **given)
    if plot is not None:
        step.plot(frame, named_series(frame, given, ids), **given).savefig(plot)
    return parts
