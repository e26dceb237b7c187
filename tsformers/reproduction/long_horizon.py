"""The long-horizon protocol of published tables: how a data set is split and scaled, how test windows are scored.

Every window of the test part counts, one row apart, and errors are measured in units of the training part. Tables from
before 2023 lack the windows after the last whole batch of 32; ``Scores`` holds the errors of both choices.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from tsformers.contracts import Forecaster, Rolling
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel
from tsformers.datasets.load import load_dataset, recipe
from tsformers.errors import JobError
from tsformers.scoring import crps_quantile_function, crps_samples

PARTS = ("train", "validation", "test")
BATCH = 32  # windows; the older published tables leave out windows after the last whole batch
COVERAGE = 0.8  # of the central interval that is scored
MOST_DRAWN = 2**23  # values forecast at once


@dataclass(frozen=True, eq=False)
class Split:
    """A data set as the protocol splits it: N aligned series of R rows, in units of their training part.

    Args:
        panel: training, validation and test rows, one after the other.
        train: rows of the training part.
        validation: rows of the validation part.
        test: rows of the test part.

    Example:
        >>> rows = pd.DataFrame({"unique_id": "a", "ds": range(10), "y": range(10)})
        >>> rows["split"] = ["train"] * 5 + ["validation"] * 2 + ["test"] * 3
        >>> split = split_frame(rows, "here", freq=1)
        >>> split.train, split.validation, split.test
        (5, 2, 3)
    """

    panel: Panel
    train: int
    validation: int
    test: int

    @property
    def fitted_on(self) -> Panel:
        """The panel without its test rows: the data of ``fit``.

        Example:
            >>> rows = pd.DataFrame({"unique_id": "a", "ds": range(10), "y": range(10), "split": ["train"] * 10})
            >>> rows.loc[6:, "split"] = ["validation", "test", "test", "unused"]
            >>> split_frame(rows, "here", freq=1).fitted_on.lengths.tolist()
            [7]
        """
        return self.panel.until(self.panel.ends - self.test)

    def validation_windows(self, horizon: int) -> int:
        """How many windows of ``horizon`` targets lie in the validation part, one row apart.

        Args:
            horizon: H.

        Returns:
            A count.

        Raises:
            JobError: a part is shorter than the horizon.

        Example:
            >>> rows = pd.DataFrame({"unique_id": "a", "ds": range(10), "y": range(10)})
            >>> rows["split"] = ["train"] * 4 + ["validation"] * 3 + ["test"] * 3
            >>> split_frame(rows, "here", freq=1).validation_windows(2)
            2
        """
        if min(self.validation, self.test) < horizon:
            raise JobError(
                f"horizon {horizon} exceeds the validation part of {self.validation} rows or the test part of "
                f"{self.test}; choose a shorter one"
            )
        return self.validation - horizon + 1


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of one fitted model on the test windows; errors are averaged over windows, steps and series at once.

    Args:
        windows: number of test windows; all were scored.
        mse: mean squared error of the predictive mean.
        mae: its mean absolute error.
        crps: of the predictive distribution.
        coverage_80: share of values inside the central interval of 80 %.
        windows_32: number of windows in whole batches of 32.
        mse_32: mean squared error over those first ones alone; None where there is no whole batch.
        mae_32: their mean absolute error.
    """

    windows: int
    mse: float
    mae: float
    crps: float
    coverage_80: float
    windows_32: int
    mse_32: float | None
    mae_32: float | None


def split_dataset(name: str) -> Split:
    """A data set, split as its recipe defines and scaled by its training part.

    Args:
        name: of a recipe.

    Returns:
        Its values; covariates are left out.

    Raises:
        JobError: the recipe has no training, validation and test part, or the series are not aligned.
    """
    chosen = recipe(name)
    if "split" not in chosen.offered:
        raise JobError(f"data set {name!r} has no split of its own; choose one of which `datasets show` names a split")
    freq = chosen.roles.get("freq")
    return split_frame(load_dataset(name, extra=["split"]), f"data set {name!r}", freq)


def split_frame(frame: pd.DataFrame, place: str, freq: str | int | None = None) -> Split:
    """A long frame with a column ``split``, scaled by the mean and population deviation of its training rows.

    Args:
        frame: columns unique_id, ds, y and split: "train", "validation", "test"; other rows are left out.
        place: what stands at the start of a message.
        freq: of the times; None: inferred.

    Returns:
        The split; a series that is constant in training is centred and keeps its units.

    Raises:
        JobError: a part is missing, parts are not in order, or the series are not aligned.

    Example:
        >>> rows = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 3.0, 5.0, 7.0],
        ...     "split": ["train", "train", "validation", "test"]})
        >>> split_frame(rows, "here", freq=1).panel.y
        array([-1.,  1.,  3.,  5.])
    """
    used = frame[frame["split"].isin(PARTS)]
    panel = Panel.from_frame(used[["unique_id", "ds", "y"]], freq=freq)
    counts = used.groupby(["unique_id", "split"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(columns=[*PARTS], fill_value=0)
    rows = counts.iloc[0].to_numpy()
    times = panel.times.reshape(panel.n_series, -1) if len(set(panel.lengths)) == 1 else panel.times[:0]
    if not (counts == rows).all(axis=None) or not len(times) or (times != times[0]).any() or rows.sum() != len(times.T):
        raise JobError(f"{place}: its series must have the same times and the same parts, without gaps")
    order = used.sort_values("ds", kind="stable")["split"].map({part: n for n, part in enumerate(PARTS)})
    if (rows == 0).any() or not order.is_monotonic_increasing:
        raise JobError(f"{place}: each series must have rows of {', '.join(PARTS)}, in that order")
    y = panel.y.reshape(panel.n_series, -1)
    known = y[:, : rows[0]]
    spread = known.std(axis=1, keepdims=True)
    y = (y - known.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    scaled = replace(panel, y=y.ravel())
    return Split(scaled, *map(int, rows))


def score_windows(
    model: Forecaster, split: Split, context_length: int, *, n_samples: int = 100, seed: int = 0
) -> Scores:
    """Score a fitted model on every test window.

    A model with ``predict_at`` (``contracts.Rolling``) forecasts many windows at once; any other is given each context
    as a series of its own, and must be able to forecast series that it was not fitted on.

    Args:
        model: fitted on ``split.fitted_on``.
        split: the data.
        context_length: rows that a model without ``predict_at`` is given of each window.
        n_samples: draws of each window; with an even number, models that draw in antithetic pairs have exact means.
        seed: of the draws.

    Returns:
        The scores.

    Raises:
        JobError: a part is shorter than the horizon.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> rows = pd.DataFrame({"unique_id": "a", "ds": range(10), "y": [0.0, 1.0] * 5})
        >>> rows["split"] = ["train"] * 4 + ["validation"] * 3 + ["test"] * 3
        >>> split = split_frame(rows, "here", freq=1)
        >>> model = SeasonalNaive(horizon=2, season_length=2, seed=0).fit(split.fitted_on)
        >>> score_windows(model, split, 4, n_samples=2).windows
        2
    """
    split.validation_windows(model.horizon)
    y = split.panel.y.reshape(split.panel.n_series, -1)
    cutoffs = np.arange(y.shape[1] - split.test, y.shape[1] - model.horizon + 1)
    truths = sliding_window_view(y, model.horizon, axis=1)  # (N, R - H + 1, H)
    at_once = max(1, MOST_DRAWN // (len(y) * model.horizon * n_samples))
    parts = []
    for first in range(0, len(cutoffs), at_once):
        some = cutoffs[first : first + at_once]
        values, levels = _forecasts(model, split, some, context_length, n_samples=n_samples, seed=seed + first)
        parts.append(_scored(truths[:, some].swapaxes(0, 1), values, levels))
    squared, absolute, crps, covered = np.concatenate(parts, axis=1)
    whole = len(cutoffs) // BATCH * BATCH
    return Scores(
        windows=len(cutoffs),
        mse=float(squared.mean()),
        mae=float(absolute.mean()),
        crps=float(crps.mean()),
        coverage_80=float(covered.mean()),
        windows_32=whole,
        mse_32=float(squared[:whole].mean()) if whole else None,
        mae_32=float(absolute[:whole].mean()) if whole else None,
    )


def _forecasts(
    model: Any, split: Split, cutoffs: np.ndarray, context_length: int, n_samples: int, seed: int | None
) -> tuple[np.ndarray, tuple[float, ...] | None]:
    """Draws or quantiles (W, N, S, H) from each cutoff, and the levels of the quantiles."""
    n, length = split.panel.n_series, len(split.panel.times) // split.panel.n_series
    rolling = model if isinstance(model, Rolling) else None
    if rolling is not None:
        values = rolling.predict_at(split.panel, length - cutoffs, n_samples=n_samples, seed=seed)
        return values, model.predict(n_samples=1).levels
    with silence_accepted():  # contexts end at their cutoffs
        contexts = _contexts(split.panel, cutoffs, context_length)
        forecast: Forecast = model.predict(contexts, n_samples=n_samples, seed=seed)
    return forecast.values.reshape(len(cutoffs), n, -1, model.horizon), forecast.levels


def _contexts(panel: Panel, cutoffs: np.ndarray, context_length: int) -> Panel:
    """The last rows before each cutoff of each series as series of their own, window after window."""
    rows = (cutoffs[:, None] + panel.offsets[:-1])[..., None] + np.arange(-context_length, 0)  # (W, N, T)
    ids = pd.Index([f"{name} before row {cutoff}" for cutoff in cutoffs for name in panel.ids])
    offsets = np.arange(len(ids) + 1) * context_length
    flat = rows.ravel()
    return Panel(
        ids=ids,
        offsets=offsets,
        ends=offsets[1:],
        times=panel.times[flat],
        y=panel.y[flat],
        past=panel.past[flat],
        known=panel.known[flat],
        static=pd.DataFrame(index=ids),
        grid=panel.grid,
        schema=panel.schema,
    )


def _scored(y: np.ndarray, values: np.ndarray, levels: tuple[float, ...] | None) -> np.ndarray:
    """Squared error, absolute error, CRPS and coverage (4, W) of forecasts (W, N, S, H) of ``y`` (W, N, H)."""
    windows, n, _, horizon = values.shape
    flat = values.reshape(windows * n, -1, horizon)
    forecast = Forecast(pd.RangeIndex(windows * n), np.tile(np.arange(horizon), (windows * n, 1)), flat, levels)
    lower, upper = np.moveaxis(forecast.interval(COVERAGE), 1, 0).reshape(2, *y.shape)
    error = forecast.mean.reshape(y.shape) - y
    crps = crps_samples(y, values, axis=2) if levels is None else crps_quantile_function(y, values, levels, axis=2)
    scores = np.square(error), np.abs(error), crps, (lower <= y) & (y <= upper)
    return np.stack([score.mean(axis=(1, 2)) for score in scores])
