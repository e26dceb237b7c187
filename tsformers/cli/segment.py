"""Files in, parts, clusters and regimes out: what the commands ``decompose``, ``cluster`` and ``segment`` do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers import storage
from tsformers.cli.reading import named_series, read_panel
from tsformers.errors import JobError
from tsformers.jobs.build import build

LONGEST_READ = 100  # rows that REDSDS learns from at once, where the series are as long and nothing else is asked for


def segment_file(
    file: str,
    *,
    model: str | None,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    method: str,
    plot: Path | None = None,
    ids: Sequence[str] = (),
    format: str | None = None,
) -> tuple[pd.DataFrame, Any]:
    """The regime of each row of a table from a file, by a model that is fitted to it or was saved before.

    Args:
        file: path, or "-" for standard input.
        model: folder of a saved REDSDS; None = one is fitted.
        settings: of REDSDS, if one is fitted.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        method: "posterior" or "viterbi".
        plot: picture to draw; None = none.
        ids: series in the picture; none = the first three.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        A frame of id, time, regime, probability and expected_remaining; and the model.

    Raises:
        JobError: a setting for a saved model, a model that finds no regimes, or an unknown setting.
        DataError: the table cannot be used.
    """
    if model is not None:
        fitted = storage.load(model)
        if not hasattr(fitted, "segment"):
            raise JobError(f"{model} is a {type(fitted).__name__}, which finds no regimes; save a REDSDS")
        if settings:
            raise JobError(f"{model} is fitted already and takes no {', '.join(settings)}; leave --model out to fit")
        frame, given = read_panel(file, {**roles, "freq": None}, format)
        if given != _columns_of(fitted, given):
            raise JobError(f"{model} was fitted on columns of other names: {fitted.panel_.schema.columns[:3]}")
    else:
        fitted = build("REDSDS", {"horizon": 1, **settings}, place="--set")
        frame, given = read_panel(file, roles, format)
        if fitted.context_length is None and roles["id_col"] in frame:
            shortest = int(frame[roles["id_col"]].value_counts().min()) if len(frame) else 0
            fitted.context_length = min(LONGEST_READ, shortest - 1) if shortest > 2 else None
        fitted.fit(frame, **given)
    answer = fitted.segment(frame, method=method)
    if plot is not None:
        fitted.plot_segments(frame, named_series(frame, given, ids), method=method).savefig(plot)
    return answer, fitted


def _columns_of(fitted: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: getattr(fitted.panel_.schema, key, value) for key, value in given.items()}
