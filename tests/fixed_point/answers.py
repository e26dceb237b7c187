"""Answers of cases: how they become plain arrays, and how two of these differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

PROSE = ["why"]  # columns whose words may change


def flat(answer: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of an answer, each with its path: of mappings, sequences, frames, forecasts, tensors and scalars."""
    if isinstance(answer, pd.DataFrame):
        answer = answer.drop(columns=PROSE, errors="ignore")
        yield f"{name}/columns", plain([str(column) for column in answer.columns])
        for number, column in enumerate(answer.columns):
            yield from flat(answer[column], f"{name}/{number} {column}")
    elif isinstance(answer, pd.Series) and len(answer) and isinstance(answer.iloc[0], np.ndarray):
        yield from flat(list(answer), name)
    elif isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from flat(value, f"{name}/{key}")
    elif hasattr(answer, "to_frame") and hasattr(answer, "samples"):
        yield from flat(of_forecast(answer), name)
    elif isinstance(answer, list | tuple) and any(not np.isscalar(value) and value is not None for value in answer):
        for number, value in enumerate(answer):
            yield from flat(value, f"{name}/{number}")
    else:
        yield name, plain(answer)


def of_forecast(forecast: Any) -> dict[str, Any]:
    """All that a forecast holds."""
    held = forecast.samples if forecast.samples is not None else forecast.quantile(forecast.levels)
    return {"ids": forecast.ids, "times": forecast.times, "values": held, "joint": forecast.joint} | (
        {} if forecast.levels is None else {"levels": forecast.levels}
    )


def plain(value: Any) -> np.ndarray:
    """An array of float64, complex128, int64, bool or text; times are whole numbers of nanoseconds."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, pd.Series | pd.Index):
        if isinstance(value.dtype, pd.DatetimeTZDtype):
            value = value.dt.tz_convert("UTC") if isinstance(value, pd.Series) else value.tz_convert("UTC")
            value = value.to_numpy(dtype="datetime64[ns]")
        else:
            value = value.to_numpy()
    array = np.asarray(value) if not (isinstance(value, Sequence) and len(value) == 0) else np.empty(0)
    kind = array.dtype.kind
    if kind in "Mm":
        return array.astype(f"{kind}8[ns]").astype(np.int64)
    if kind == "f":
        array = array.astype(np.float64)
        array[np.isnan(array)] = np.nan  # one NaN is as good as another
        return array
    if kind in "iu":
        return array.astype(np.int64)
    if kind in "bc":
        return array.astype({"b": np.bool_, "c": np.complex128}[kind])
    return np.array([str(one) for one in array.ravel().tolist()], dtype=np.str_).reshape(array.shape)


def difference(ours: np.ndarray, stored: np.ndarray) -> float:
    """The largest relative difference; values smaller than the array's mean are measured by that. inf: other things."""
    if ours.shape != stored.shape or ours.dtype.kind != stored.dtype.kind:
        return np.inf
    if ours.dtype.kind not in "fc":
        return 0.0 if np.array_equal(ours, stored) else np.inf
    finite = np.isfinite(stored)
    if not np.array_equal(ours[~finite], stored[~finite], equal_nan=True) or not np.isfinite(ours[finite]).all():
        return np.inf
    if not finite.any():
        return 0.0
    size = np.abs(stored[finite])
    least = max(size.mean(), np.finfo(np.float64).tiny)
    return float((np.abs(ours[finite] - stored[finite]) / np.maximum(size, least)).max())
