"""The windows of all models of a backtest as frames."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Schema, stamps
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.errors import first_names
from tsformers.evaluation.worker import Outcome, RunContext


def gather_tables(
    context: RunContext, outcomes: Mapping[tuple[str, int], Outcome], models: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """All windows of all models as frames, in the order of models and windows, whatever order they finished in.

    Args:
        context: what the tasks shared.
        outcomes: by model and window; windows without one are read from the run folder.
        models: names.

    Returns:
        The tables of ``Findings``.
    """
    forecasts, scores, seconds, failures, left_out = [], [], [], [], []
    for model, window in product(models, context.origins.windows):
        outcome = outcomes.get((model, window))
        if outcome is not None and outcome.error is not None:
            failures.append((model, context.origins.cutoff(window), outcome.error, window))
            continue
        if context.folder is not None:
            frames = context.folder.read_window(model, window)
        else:
            assert outcome is not None and outcome.forecasts is not None and outcome.scores is not None
            frames = outcome.forecasts, outcome.scores, {"fit": outcome.fit, "predict": outcome.predict}
        forecasts.append(frames[0])
        scores.append(frames[1])
        seconds.append({"model": model, "window": window} | frames[2])
        series = context.origins.series(window)
        omitted = ~np.isin(series, frames[1]["series"])
        cutoffs = stamps(context.origins.actuals(window)[2][omitted], context.origins.panel.schema)
        left_out += [(model, i, cutoff, window) for i, cutoff in zip(series[omitted], cutoffs, strict=True)]
    ids, schema = context.origins.panel.ids, context.origins.panel.schema
    front, quantiles = ["model", "window", "series", schema.id_col], context.settings.quantile_columns
    steps = [*front, schema.time_col, "cutoff", schema.target_col, "mean", *quantiles, "pit", "crps"]
    tables = {
        "forecasts": _joined(forecasts, steps),
        "scores": _joined(scores, [*front, "cutoff", "metric", "value"]),
        "seconds": pd.DataFrame(seconds, columns=["model", "window", "fit", "predict"]),
        "failures": pd.DataFrame(failures, columns=["model", "cutoff", "error", "window"]),
        "left_out": pd.DataFrame(left_out, columns=["model", "series", "cutoff", "window"]),
    }
    tables["left_out"].insert(1, schema.id_col, None)
    for name in ("forecasts", "scores", "left_out"):  # ids are one text on disk; in the tables they are the caller's
        tables[name] = _with_ids(tables[name], ids, schema)
    return tables


def warn_left_out(table: pd.DataFrame, panel: Panel) -> None:
    """One warning for all series that models left out of windows.

    Args:
        table: "left_out" of the tables.
        panel: the data.
    """
    if not table.empty:
        names = first_names(panel.ids[table["series"].unique()])
        models = ", ".join(repr(name) for name in table["model"].unique())
        warnings.warn(
            f"{models} left out series ({names}) that could not be forecast, {len(table)} times in all; they are "
            "listed in left_out, scores are means over the rest, and skill compares what both models forecast",
            UserWarning,
            stacklevel=3,
        )


def _with_ids(table: pd.DataFrame, ids: pd.Index, schema: Schema) -> pd.DataFrame:
    """The table with the caller's columns of ids in place of their text."""
    at = [*table.columns].index(schema.id_col)
    before, after = table.iloc[:, :at], table.iloc[:, at + 1 :]
    own = pd.DataFrame(id_columns(ids.take(table["series"].to_numpy(dtype=np.int64)), schema), index=table.index)
    return pd.concat([before, own, after], axis=1)


def _joined(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
