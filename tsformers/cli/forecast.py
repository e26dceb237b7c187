"""Files in, forecasts and scores out: what the commands ``forecast`` and ``score`` do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers import storage
from tsformers.data.files.table_files import read_table
from tsformers.data.forecast import Forecast
from tsformers.errors import JobError
from tsformers.evaluation.worker import fit_whole
from tsformers.jobs.build import build, load_plugins


def forecast_file(
    file: str,
    model: str,
    *,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    columns: Mapping[str, str],
    beside: Mapping[str, str | None],
    plugins: Sequence[str | Path] = (),
    n_samples: int = 100,
    seed: int | None = 0,
    format: str | None = None,
) -> tuple[Any, pd.DataFrame, Forecast]:
    r"""Forecast a table from a file with a model that is fitted to it, or with one that was saved before.

    Args:
        file: path, or "-" for standard input.
        model: name of a forecaster, or a folder that ``save`` wrote.
        settings: of the forecaster, ``horizon`` among them; a saved one takes none but its own horizon.
        roles: further keywords of ``Panel.from_frame``; None values are left out.
        columns: ``id_col``, ``time_col`` and ``target_col``.
        beside: files called "future" and "static"; None = there is none.
        plugins: Python files whose ``FORECASTERS`` may be named.
        n_samples: draws.
        seed: of fit and draws.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        The fitted forecaster, the table and the forecast.

    Raises:
        JobError: an unknown model or setting, or one that a saved model cannot take.
        DataError: the tables cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> columns = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,5\na,3,5\n")
        ...     _, _, answer = forecast_file(
        ...         str(path), "SeasonalNaive", settings={"horizon": 2}, roles={}, columns=columns, beside={}
        ...     )
        >>> answer.median
        array([[5., 5.]])
    """
    extra = load_plugins(plugins)
    named = {key: columns[key] for key in ("id_col", "time_col")}
    side = {key: read_table(path, **named) for key, path in beside.items() if path is not None}
    given = {key: value for key, value in roles.items() if value is not None}
    drawn = {"n_samples": n_samples, "seed": seed}
    if Path(model).is_dir() or "/" in model:
        fitted = storage.load(model, extra)
        _refuse_fitting(fitted, model, settings, given)
        frame = read_table(file, format, **named)
        return fitted, frame, fitted.predict(frame, **side, **drawn)
    if "horizon" not in settings:
        raise JobError("--horizon is missing; say how many steps to forecast, for example --horizon 12")
    fitted = build(model, settings, place="--model and --set", defaults={"seed": seed}, extra=extra)
    frame = read_table(file, format, **named)
    static = {"static": side["static"]} if "static" in side else {}
    fit_whole(fitted, frame, **given, **columns, **static)
    return fitted, frame, fitted.predict(future=side.get("future"), **drawn)


def _refuse_fitting(fitted: Any, folder: str, settings: Mapping[str, Any], roles: Mapping[str, Any]) -> None:
    """A model that is fitted takes no settings any more."""
    late = {f"--{key}" for key in roles if key != "short"} | {"--set" for key in settings if key != "horizon"}
    if settings.get("horizon", fitted.horizon) != fitted.horizon:
        late.add("--horizon")
    if late:
        said = ", ".join(sorted(late))
        raise JobError(
            f"{folder} is fitted, for {fitted.horizon} steps, and takes no {said}; leave it out, or fit anew"
        )
