"""What a torch forecaster refuses, and what it says then."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.seasons import cycles
from tsformers.data.covariates import check_common_end
from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.data.window_scaling import SCALERS
from tsformers.errors import DataError
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.make import HEADS
from tsformers.training.context_length import default_context, preferred_context

NAMED = 5  # series that a message lists by name
WHOLE = {"horizon": 1, "context_length": 1, "max_steps": 1, "max_epochs": 1, "batch_size": 1}
WHOLE |= {
    "early_stopping_patience": 1,
    "validation_windows": 0,
    "validation_stride": 1,
    "seed": 0,
}  # smallest value of each whole-number setting
OPTIONAL = (
    "context_length",
    "max_epochs",
    "early_stopping_patience",
    "validation_windows",
    "validation_stride",
    "seed",
)  # None has a meaning


def check_settings(model: Any) -> None:
    """The settings shared by torch forecasters are in range.

    Args:
        model: a ``TorchForecaster``.

    Raises:
        ValueError: names the setting, its value and what it may be.

    Source: the docstring of ``TorchForecaster``.
    """
    for name, smallest in WHOLE.items():
        value = getattr(model, name)
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= smallest
        if not whole and not (value is None and name in OPTIONAL):
            or_none = " or None" if name in OPTIONAL else ""
            raise ValueError(f"{name} must be a whole number of {smallest} or more{or_none}, not {value!r}")
    for name in ("learning_rate", "gradient_clip", "weight_decay"):
        value, zero_too = getattr(model, name), name == "weight_decay"
        if not isinstance(value, float | int | np.number) or not (value > 0 or (value == 0 and zero_too)):
            raise ValueError(f"{name} must be a number {'of 0 or more' if zero_too else 'above 0'}, not {value!r}")
    for name, known in (("scaler", (*SCALERS, None)), ("schedule", ("cosine", "constant", "halving"))):
        value = getattr(model, name)
        if value not in known:
            raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
    _check_likelihood(model.likelihood, model.scaler)


def _check_likelihood(likelihood: object, scaler: str | None) -> None:
    known_object = not isinstance(likelihood, str) and isinstance(likelihood, DistributionOutput)
    if not known_object and likelihood not in HEADS:
        raise ValueError(
            f"likelihood={likelihood!r} is unknown; choose one of {', '.join(map(repr, HEADS))}, or give an "
            "object with GluonTS's DistributionOutput interface"
        )
    if likelihood == "negative_binomial" and scaler not in ("mean_abs", None):
        raise ValueError(
            f"likelihood='negative_binomial' counts from 0, which scaler={scaler!r} would move; choose "
            "scaler='mean_abs' or None"
        )


def choose_context(model: Any, panel: Panel, short: str) -> int:
    """The context length where the caller gives none; no short series decides it silently.

    Where the median series is long enough for the preferred length (and to train and to hold back a window), that is
    kept if short series may be dropped; if not, it is shortened with a warning.

    Args:
        model: a ``TorchForecaster``.
        panel: to be trained on.
        short: "drop" or "error".

    Returns:
        T.

    Source: the docstring of ``TorchForecaster``.
    """
    lengths = panel.lengths.max(keepdims=True) if model.multivariate else panel.lengths
    wanted = preferred_context(model.horizon, cycles(panel.grid))
    common = np.median(lengths) >= wanted + 2 * model.horizon
    if common and short == "drop":
        return wanted
    context = default_context(lengths, model.horizon, cycles(panel.grid))
    if common and context < wanted and lengths.min() >= context + model.horizon:
        i = int(lengths.argmin())
        warnings.warn(
            f"context_length is {context} for all {panel.n_series} series, not {wanted}, because series "
            f"{panel.ids[i]!r} has only {lengths[i]} rows (the median is {np.median(lengths):g}); drop such series "
            f"with short='drop', or set context_length={context} if that is meant",
            UserWarning,
            stacklevel=3,
        )
    return context


def long_enough(model: Any, panel: Panel, context: int, short: str) -> Panel:
    """The panel, or what is left of it, with room for a window in each series.

    Args:
        model: a ``TorchForecaster``.
        panel: to be trained on.
        context: T, steps of context.
        short: "drop" leaves short series out and warns; "error" refuses.

    Returns:
        The panel without the series dropped. A multivariate panel needs one series that is long enough: the rows
        before a shorter one begins are missing.

    Raises:
        DataError: series are too short, or the series of a multivariate panel do not end together.

    Source: the contract of ``TorchForecaster.fit``.
    """
    least = context + model.horizon
    few = panel.lengths < least
    if model.multivariate:
        check_common_end(panel)
        few &= few.all()
    if not few.any():
        return panel
    which = _listed(panel.ids[few], panel.lengths[few])
    if short == "drop" and not few.all():
        warnings.warn(
            f"{few.sum()} of {panel.n_series} series have less than {least} rows and are dropped: {which}",
            UserWarning,
            stacklevel=3,
        )
        return panel.select(np.flatnonzero(~few))
    raise DataError(
        f"{few.sum()} of {panel.n_series} series are too short: context_length + horizon = {context} + "
        f"{model.horizon} = {least} rows are needed, but {which}; set a smaller context_length, or drop such series "
        "with short='drop'"
    )


def check_like(model: Any, panel: Panel) -> None:
    """The panel has the covariates of ``fit`` and, if multivariate, its series.

    Args:
        model: a fitted ``TorchForecaster``.
        panel: to be forecast, or to go on training with.

    Raises:
        DataError: says what differs.

    Source: the contract of ``TorchForecaster.predict``.
    """
    fitted = model.panel_
    for kind, new, old in (
        ("past covariates", panel.schema.past, fitted.schema.past),
        ("known covariates", panel.schema.known, fitted.schema.known),
        ("static columns", tuple(panel.static.columns), tuple(fitted.static.columns)),
    ):
        if new != old:
            raise DataError(f"{kind} are {list(new)}, but the model was fitted with {list(old)}; give it the same")
    if panel.freq != fitted.freq:
        raise DataError(f"the frequency is {panel.freq!r}, but the model was fitted at {fitted.freq!r}; resample first")
    if model.multivariate and not panel.ids.equals(fitted.ids):
        odd = panel.ids.symmetric_difference(fitted.ids)
        raise DataError(
            f"a multivariate model forecasts the series of fit together, all of them and no others; {odd[0]!r} is "
            f"{'missing' if odd[0] in fitted.ids else 'new'}"
        )


def usable(model: Any, panel: Panel) -> Panel:
    """The panel, or what is left of it, with as many rows in each series as the context has, and a value among them.

    Args:
        model: a fitted ``TorchForecaster``; one fitted with ``short="drop"`` leaves other series out and warns.
        panel: to be forecast.

    Returns:
        The panel without the series left out. The channels of a multivariate model are never left out.

    Raises:
        DataError: names the series that cannot be forecast.

    Source: the contract of ``TorchForecaster.predict``.
    """
    context = model.context_length_
    few = panel.lengths < context
    if model.multivariate:
        few &= few.all()
    empty = ~np.isfinite(panel.padded(context)).any(axis=1) & ~few
    out = few | empty
    if model.short_ == "drop" and out.any() and not out.all() and not model.multivariate:
        said = np.where(few[out], [f"{rows} rows" for rows in panel.lengths[out]], "no value in them")
        warnings.warn(
            f"{out.sum()} of {panel.n_series} series are not forecast: the model looks at {context} rows with a value "
            f"among them, but {_listed(panel.ids[out], said)}",
            UserWarning,
            stacklevel=3,
        )
        return panel.select(np.flatnonzero(~out))
    if few.any():
        raise DataError(
            f"{few.sum()} of {panel.n_series} series are shorter than the context of {context} rows: "
            f"{_listed(panel.ids[few], panel.lengths[few])}; give more history, or leave them out (a model fitted with "
            "short='drop' does)"
        )
    if empty.any():
        raise DataError(
            f"series {panel.ids[empty][0]!r} has no value in its last {context} rows, the context of the model; leave "
            f"it out ({empty.sum()} such series; a model fitted with short='drop' does), or fill "
            f"{panel.schema.target_col!r}"
        )
    return panel


def check_counts(panel: Panel) -> None:
    """Targets are counts, or missing.

    Args:
        panel: to be trained on.

    Raises:
        DataError: names the first value that is none.

    Source: the support of the negative binomial law.
    """
    wrong = np.flatnonzero(~np.isnan(panel.y) & ((panel.y < 0) | (panel.y != np.round(panel.y))))
    if len(wrong):
        row = int(wrong[0])
        series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
        raise DataError(
            f"likelihood='negative_binomial' needs whole numbers of 0 or more, but series {panel.ids[series]!r} has "
            f"{panel.schema.target_col}={panel.y[row]:g} at {panel.schema.time_col}="
            f"{stamps(panel.times[row : row + 1], panel.schema)[0]}; choose another likelihood, such as 'student_t'"
        )


def _listed(ids: pd.Index, what: np.ndarray) -> str:
    some = ", ".join(f"{name!r} has {n}" for name, n in zip(ids[:NAMED], what, strict=False))
    return some + (", ..." if len(ids) > NAMED else "")


def check_same_wrap(model: Any, wrap: Any) -> None:
    """A warm start goes on with what was learned around the network.

    Args:
        model: a fitted ``TorchForecaster``.
        wrap: what this fit was given.

    Raises:
        ValueError: the last fit had a wrap and this one has not, or the other way round, or of another kind.
    """
    if type(wrap) is not type(model.wrap_):
        before, now = (type(each).__name__ if each is not None else "nothing" for each in (model.wrap_, wrap))
        raise ValueError(
            f"the network was trained inside {before} and would go on inside {now}; fit again without warm_start"
        )


def check_bare(model: Any, what: str) -> None:
    """The network stands alone, so that what it is asked is about the values themselves.

    Args:
        model: a fitted ``TorchForecaster``.
        what: the method that was called.

    Raises:
        ValueError: the network was trained inside another, which changes the values that it sees.
    """
    if model.wrap_ is not None:
        raise ValueError(
            f"{what} reads the network's own view of the values, but this one was trained inside "
            f"{type(model.wrap_).__name__} and sees differences; fit the forecaster without it, or use predict"
        )
