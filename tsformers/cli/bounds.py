"""What `forecast` says of its answer: bounds, quantiles below zero, the seasonal naive model."""

import json
import shlex
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tsformers.cli.terminal import inform
from tsformers.errors import DataWarning
from tsformers.messages import Option

if TYPE_CHECKING:
    from tsformers.data.forecast import Forecast  # half a second, which --help need not pay
    from tsformers.data.panel import Panel


def bounded(model: Any, lower: float | None, upper: float | None) -> Any:
    """The model inside a pipeline that keeps forecasts between bounds; saved with it.

    Args:
        model: a forecaster, not fitted.
        lower: the least value; None: no bound.
        upper: the greatest value; None: no bound.

    Returns:
        The model itself where there is no bound.

    Raises:
        ValueError: the bounds leave no value between them.

    Example:
        >>> from tsformers import Theta
        >>> type(bounded(Theta(horizon=1), 0, None)).__name__
        'Pipeline'
    """
    if lower is None and upper is None:
        return model
    from tsformers.catalog import load_public
    from tsformers.data.forecast_checks import checked_bounds

    checked_bounds(lower, upper)
    step: Any = load_public("Bounded")
    pipeline: Any = load_public("Pipeline")
    return pipeline([step(lower=lower, upper=upper)], model)


def clipped(
    fitted: Any, panel: "Panel", asked: dict[str, Any], lower: float | None, upper: float | None
) -> "Iterator[Forecast]":
    """The forecast of a model that was fitted before, in blocks of series, between bounds.

    Args:
        fitted: the model.
        panel: the series.
        asked: the keywords of ``forecast_blocks``.
        lower: the least value; None: no bound.
        upper: the greatest value; None: no bound.

    Returns:
        Blocks, as ``forecast_blocks`` gives them; draws are clipped before they are summarised.

    Raises:
        ValueError: the bounds leave no value between them.
    """
    from tsformers.data.blocks.forecast_blocks import checked_quantiles, forecast_blocks, gathered, summarised
    from tsformers.data.forecast_checks import checked_bounds

    if lower is None and upper is None:
        return forecast_blocks(fitted, panel, **asked)
    checked_bounds(lower, upper)
    levels = asked["quantiles"]
    blocks = (block.clip(lower, upper) for block in forecast_blocks(fitted, panel, **asked | {"quantiles": None}))
    return blocks if levels is None else gathered(summarised(block, checked_quantiles(levels)) for block in blocks)


def with_remarks(
    blocks: "Iterable[Forecast]", fitted: Any, panel: "Panel", levels: Sequence[float], *, saved: bool, **settings: Any
) -> "Iterator[Forecast]":
    """The blocks of a forecast; after the last of them comes what there is to say about it.

    Args:
        blocks: of the forecast.
        fitted: the model.
        panel: the history.
        levels: of the quantiles that are printed.
        saved: the model was fitted before, perhaps to the rows that it would be compared on.
        **settings: ``lower``, the bound that was asked for, and ``short``, ``n_samples``, ``seed``.

    Yields:
        The blocks.

    Warns:
        DataWarning: quantiles lie below zero where the history does not; the seasonal naive model is better.
    """
    import numpy as np

    lower = settings.pop("lower")
    watched = lower is None and len(levels) > 0 and bool(np.fmin.reduce(panel.y) >= 0)
    below = 0
    for block in blocks:
        below += int((block.quantile(levels) < 0).any(axis=(1, 2)).sum()) if watched else 0
        yield block
    if below:
        warnings.warn(
            DataWarning(
                f"the forecast has quantiles below 0 in {below:,} of {panel.n_series:,} series, and the history has no "
                "value below 0; if there can be none, pass ",
                Option("lower", 0),
            ),
            stacklevel=2,
        )
    report_comparison(fitted, panel, levels, saved=saved, **settings)


def report_choice(model: Any) -> None:
    """Notes on standard error: which models carry the answer of Auto, and the options that repeat it.

    Args:
        model: a fitted Auto.
    """
    inform(model.summary_)
    if all(isinstance(name, str) for name in model.models_):
        names = f"models={json.dumps(model.models_)}"
        seed = "" if model.seed_ == model.seed else f" --seed {model.seed_}"
        inform(f"to repeat it: --model Auto --set {shlex.quote(names)} --set time_limit=none{seed}")


def report_comparison(
    fitted: Any, panel: "Panel", levels: Sequence[float], *, saved: bool, short: str, n_samples: int, seed: int
) -> None:
    """A note on standard error: how the model does beside the seasonal naive one; a warning where it does worse.

    Args:
        fitted: the model; of the seasonal naive one itself nothing is said.
        panel: what it was fitted to.
        levels: of the quantiles that are printed.
        saved: it was fitted before, perhaps to the rows that it would be compared on.
        short: "error" or "drop".
        n_samples: draws.
        seed: of the draws.

    Warns:
        DataWarning: the seasonal naive model is better.
    """
    from tsformers.evaluation.against_naive import BASELINE, compare_with_naive, inmost

    core = inmost(fitted)
    if type(core).__name__ == BASELINE:
        return
    if type(core).__name__ == "Auto":
        report_choice(core)
        return
    if saved:
        inform(f"not compared with {BASELINE}: the model was fitted before")
        return
    found = compare_with_naive(fitted, panel, levels, short=short, n_samples=n_samples, seed=seed)
    if found.worse:
        warnings.warn(found.warning(), stacklevel=2)
    else:
        inform(str(found))
