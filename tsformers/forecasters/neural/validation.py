"""Data and settings that a torch forecaster refuses, or shortens with a warning."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.calendar.seasons import clock_cycles
from tsformers.data.covariates import check_common_end
from tsformers.data.cutoffs import validation_length
from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.errors import DataError, DataWarning, TsformersError
from tsformers.messages import Message, Option, Part, Setting, joined
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.output_support import behaviour
from tsformers.training.config import Plan
from tsformers.training.context_length import default_context, preferred_context

LISTED_SERIES = 5  # that a message names


def check_scaler(likelihood: object, scaler: str | None) -> None:
    """The scaler of windows leaves counts from 0 on, where the likelihood is one of counts.

    Args:
        likelihood: the setting.
        scaler: the setting.

    Raises:
        ValueError: they do not go together.

    Example:
        >>> check_scaler("negative_binomial", "mean_abs")
    """
    if likelihood == "negative_binomial" and scaler not in ("mean_abs", None):
        raise TsformersError(
            Setting("likelihood", "negative_binomial"),
            " counts from 0, which ",
            Setting("scaler", scaler),
            " would move; choose ",
            Setting("scaler", "mean_abs"),
            " or None",
        )
    if not isinstance(likelihood, str) and isinstance(likelihood, DistributionOutput):
        support = behaviour(likelihood).support
        if support != "real" and scaler not in ("mean_abs", None):
            raise TsformersError(
                f"the likelihood {type(likelihood).__name__} is bounded, and ",
                Setting("scaler", scaler),
                " would move its bounds; choose ",
                Setting("scaler", "mean_abs"),
                " or None",
            )


def choose_context(model: Any, panel: Panel, short: str) -> int:
    """The context length where the caller gives none.

    Where the median series has room for the preferred length, a training window and a validation window, that length is
    kept if short series may be dropped; else it is shortened, with a warning that names the shortest series.

    Args:
        model: a ``TorchForecaster``.
        panel: to be trained on.
        short: "drop" or "error".

    Returns:
        T.
    """
    lengths = panel.lengths.max(keepdims=True) if model.multivariate else panel.lengths
    wanted = preferred_context(model.horizon, clock_cycles(panel.grid))
    typical = np.median(lengths) >= wanted + 2 * model.horizon
    if typical and short == "drop":
        return wanted
    context = default_context(lengths, model.horizon, clock_cycles(panel.grid))
    if typical and context < wanted and lengths.min() >= context + model.horizon:
        i = int(lengths.argmin())
        warnings.warn(
            DataWarning(
                f"context_length is {context} for all {panel.n_series} series, not {wanted}, because series "
                f"{plain(panel.ids[i])!r} has only {lengths[i]} rows (the median is {np.median(lengths):g}); leave "
                "such series out with ",
                Option("short", "drop"),
                ", or set ",
                Setting("context_length", int(context)),
                " if that is meant",
            ),
            stacklevel=3,
        )
    return context


def drop_short(model: Any, panel: Panel, context: int, short: str) -> Panel:
    """The panel, or what is left of it, with room for a window in each series.

    Args:
        model: a ``TorchForecaster``.
        panel: to be trained on.
        context: T, steps of context.
        short: "drop" leaves short series out and warns; "error" refuses.

    Returns:
        The panel without the series dropped. A multivariate panel needs one series that is long enough; the rows before
        the first one of a shorter series are missing.

    Raises:
        DataError: series are too short, or the series of a multivariate panel do not end together.
    """
    least = context + model.horizon
    too_short = panel.lengths < least
    if model.multivariate:
        check_common_end(panel)
        too_short &= too_short.all()
    if not too_short.any():
        return panel
    which = listed(panel.ids[too_short], panel.lengths[too_short])
    if short == "drop" and not too_short.all():
        warnings.warn(
            f"{too_short.sum()} of {panel.n_series} series have less than {least} rows and are dropped: {which}",
            UserWarning,
            stacklevel=3,
        )
        return panel.select(np.flatnonzero(~too_short))
    raise DataError(
        f"{too_short.sum()} of {panel.n_series} series are too short: context_length + horizon = {context} + "
        f"{model.horizon} = {least} rows are needed, but {which}; ",
        joined(_remedies_of_short(model, panel, too_short)),
    )


def _remedies_of_short(model: Any, panel: Panel, too_short: np.ndarray) -> list[Part]:
    """What makes room for a window: a shorter context or, where that is no help, a shorter horizon; or fewer series."""
    rows = int(panel.lengths.max() if model.multivariate else panel.lengths[too_short].min())
    remedies: list[Part] = []
    if rows > model.horizon:
        remedies = [Message("shorten the context with ", Setting("context_length", rows - model.horizon))]
    elif rows > 1:
        shorter: list[Part] = ["forecast fewer steps with ", Setting("horizon", rows // 2)]
        if model.context_length is not None and model.context_length > rows - rows // 2:
            shorter += [" and ", Setting("context_length", rows - rows // 2)]
        remedies = [Message(*shorter)]
    if not too_short.all():
        remedies.append(Message("leave such series out with ", Option("short", "drop")))
    return remedies or ["give it series of more rows"]


def check_like(model: Any, panel: Panel) -> None:
    """The panel has the covariates of ``fit`` and, if multivariate, its series.

    Args:
        model: a fitted ``TorchForecaster``.
        panel: to be forecast, or to resume training with.

    Raises:
        DataError: names what differs.
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


def forecastable(model: Any, panel: Panel) -> Panel:
    """The panel, or what is left of it, with as many rows in each series as the context has, and a value among them.

    Args:
        model: a fitted ``TorchForecaster``; one fitted with ``short="drop"`` leaves the other series out and warns.
        panel: to be forecast.

    Returns:
        The panel without the series left out. The channels of a multivariate model are never left out.

    Raises:
        DataError: names the series that cannot be forecast.
    """
    context = model.context_length_
    too_short = panel.lengths < context
    if model.multivariate:
        too_short &= too_short.all()
    empty = ~np.isfinite(panel.padded(context)).any(axis=1) & ~too_short
    out = too_short | empty
    if model.short_ == "drop" and out.any() and not out.all() and not model.multivariate:
        reasons = np.where(too_short[out], [f"{rows} rows" for rows in panel.lengths[out]], "no value in them")
        warnings.warn(
            f"{out.sum()} of {panel.n_series} series are not forecast: the model reads {context} rows with a value "
            f"among them, but {listed(panel.ids[out], reasons)}",
            UserWarning,
            stacklevel=3,
        )
        return panel.select(np.flatnonzero(~out))
    if too_short.any():
        raise DataError(
            f"{too_short.sum()} of {panel.n_series} series are shorter than the context of {context} rows: "
            f"{listed(panel.ids[too_short], panel.lengths[too_short])}; give more history, or leave them out (a model "
            "fitted with ",
            Option("short", "drop"),
            " does)",
        )
    if empty.any():
        raise DataError(
            f"series {plain(panel.ids[empty][0])!r} has no value in its last {context} rows, the context of the model; "
            f"leave it out ({empty.sum()} such series; a model fitted with ",
            Option("short", "drop"),
            f" does), or fill {panel.schema.target_col!r}",
        )
    return panel


def validated_series(model: Any, panel: Panel, plan_of: Callable[[int, Panel], Plan]) -> np.ndarray:
    """Which series kept their last ``horizon`` rows from training, as validation windows.

    Args:
        model: a fitted ``TorchForecaster``.
        panel: the data of ``fit``.
        plan_of: the plan of training for a context length and the series that are trained on.

    Returns:
        (N,) bool.
    """
    context, lengths = model.context_length_, panel.lengths
    if model.multivariate:
        lengths = np.full(panel.n_series, lengths.max())
    trained = lengths >= context + model.horizon
    plan = plan_of(context, panel.select(np.flatnonzero(trained)) if not model.multivariate else panel)
    rows = validation_length(model.horizon, plan.validation_windows, plan.validation_stride)
    return (lengths >= context + model.horizon + rows) & (rows > 0)


def check_support(panel: Panel, likelihood: object) -> None:
    """Targets lie in the support of the likelihood, or are missing: counts, or inside the bounds of an object.

    Args:
        panel: to be trained on.
        likelihood: the setting.

    Raises:
        DataError: names the first value outside.
    """
    whole, low, high, kind, needs = likelihood == "negative_binomial", 0.0, np.inf, likelihood, ""
    if whole:
        needs = "whole numbers of 0 or more"
    elif not isinstance(likelihood, str) and isinstance(likelihood, DistributionOutput):
        found = behaviour(likelihood)
        low, high = (end if end is not None else far for end, far in zip(found.bounds, (-np.inf, np.inf), strict=True))
        whole, kind = found.support == "integer", type(likelihood).__name__
        needs = f"{'whole ' if whole else ''}numbers from {low:g} to {high:g}{'' if whole else ', neither included'}"
    if not needs:
        return
    outside = (panel.y < low) | (panel.y > high) if whole else (panel.y <= low) | (panel.y >= high)
    wrong = np.flatnonzero(~np.isnan(panel.y) & (outside | (whole & (panel.y != np.round(panel.y)))))
    if len(wrong):
        row = int(wrong[0])
        series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
        raise DataError(
            Setting("likelihood", kind),
            f" needs {needs}, but series {plain(panel.ids[series])!r} has {panel.schema.target_col} = "
            f"{panel.y[row]:g} at {panel.schema.time_col} = {stamps(panel.times[row : row + 1], panel.schema)[0]}; "
            "choose another likelihood, such as ",
            Setting("likelihood", "student_t"),
        )


def listed(ids: pd.Index, what: np.ndarray) -> str:
    """The first few series and what each has, for a message.

    Args:
        ids: of the series.
        what: each has.

    Returns:
        A text.

    Example:
        >>> listed(pd.Index(["a", "b"]), np.array([3, 4]))
        "'a' has 3, 'b' has 4"
    """
    some = ", ".join(f"{name!r} has {n}" for name, n in zip(ids[:LISTED_SERIES], what, strict=False))
    return some + (", ..." if len(ids) > LISTED_SERIES else "")


def check_same_wrap(model: Any, wrap: Any) -> None:
    """A warm start keeps the network that wraps the forecaster's own.

    Args:
        model: a fitted ``TorchForecaster``.
        wrap: what this fit was given.

    Raises:
        ValueError: the last fit had a wrap and this one has none, or the reverse, or one of another class.
    """
    if type(wrap) is not type(model.wrap_):
        before, now = (type(each).__name__ if each is not None else "nothing" for each in (model.wrap_, wrap))
        raise ValueError(
            f"the network was wrapped in {before} at fit and would be wrapped in {now} now; fit again without "
            "warm_start"
        )


def check_bare(model: Any, what: str) -> None:
    """The network is not wrapped in another, so that it reads the values of the series.

    Args:
        model: a fitted ``TorchForecaster``.
        what: the method that was called.

    Raises:
        ValueError: it was trained inside another network, which changes the values that it reads.
    """
    if model.wrap_ is not None:
        raise ValueError(
            f"{what} needs a network that reads the values, but this one is wrapped in {type(model.wrap_).__name__} "
            "and reads differences; fit the forecaster without it, or use predict"
        )
