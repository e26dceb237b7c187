"""The windows of all models of a backtest as frames."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.errors import first_names
from tsformers.evaluation.stored_tables import StoredTables, joined, with_ids
from tsformers.evaluation.worker import SECONDS, Outcome, RunContext

ROWS_HELD = 2**17  # of forecasts in a run folder that are read at once, about 70 MiB; larger tables when asked for


def gather_tables(
    context: RunContext, outcomes: Mapping[tuple[str, int], Outcome], models: Sequence[str]
) -> Mapping[str, pd.DataFrame]:
    """All windows of all models as frames, in the order of models and windows, whatever order they finished in.

    Large tables of a run folder are read when they are asked for.

    Args:
        context: what the tasks shared.
        outcomes: by model and window; windows without one are read from the run folder.
        models: names.

    Returns:
        The tables of ``Findings``.
    """
    forecasts, scores, seconds, failures, left_out = [], [], [], [], []
    finished: list[tuple[str, int]] = []
    n_series = 0
    for model, window in product(models, context.origins.windows):
        outcome = outcomes.get((model, window))
        if outcome is not None and outcome.error is not None:
            failures.append((model, context.origins.cutoff(window), outcome.error, window))
            continue
        if context.folder is not None:
            scored = context.folder.read_table("scores", model, window, ["series"])["series"].unique()
            times = context.folder.read_seconds(model, window)
        else:
            assert outcome is not None and outcome.forecasts is not None and outcome.scores is not None
            forecasts.append(outcome.forecasts)
            scores.append(outcome.scores)
            scored, times = outcome.scores["series"].unique(), outcome.seconds
        n_series += len(scored)
        finished.append((model, window))
        seconds.append({"model": model, "window": window} | times)
        series = context.origins.series(window)
        omitted = ~np.isin(series, scored)
        cutoffs = stamps(context.origins.actuals(window)[2][omitted], context.origins.panel.schema)
        left_out += [(model, i, cutoff, window) for i, cutoff in zip(series[omitted], cutoffs, strict=True)]
    ids, schema = context.origins.panel.ids, context.origins.panel.schema
    front, quantiles = ["model", "window", "series", schema.id_col], context.settings.quantile_columns
    steps = [*front, schema.time_col, "cutoff", schema.target_col, "mean", *quantiles, "pit", "crps"]
    columns = {"forecasts": steps, "scores": [*front, "cutoff", "metric", "value"]}
    tables = {
        "seconds": pd.DataFrame(seconds, columns=["model", "window", *SECONDS]),
        "failures": pd.DataFrame(failures, columns=["model", "cutoff", "error", "window"]),
        "left_out": pd.DataFrame(left_out, columns=["model", "series", "cutoff", "window"]),
    }
    tables["left_out"].insert(1, schema.id_col, None)
    tables["left_out"] = with_ids(tables["left_out"], ids, schema)
    if context.folder is not None and finished:
        stored = StoredTables(tables, context.folder, finished, columns, ids, schema)
        if n_series * context.origins.horizon <= ROWS_HELD:
            stored.hold()
        return stored
    for name, parts in (("forecasts", forecasts), ("scores", scores)):
        tables[name] = with_ids(joined(parts, columns[name]), ids, schema)
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
