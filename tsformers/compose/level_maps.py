"""Level maps of groups of series from held-out windows, and the coverage they give."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.compose.ensemble import LEVELS
from tsformers.compose.held_out import HeldOut
from tsformers.compose.window_plan import independent_windows
from tsformers.distributions.recalibration import LevelMap, level_map, pit_values, remapped

LEVEL = np.array(LEVELS)
COVERAGES = (0.5, 0.8, 0.9, 0.95)  # of the intervals that are reported
FOLDS = 5


class Calibration(NamedTuple):
    """What held-out windows say about a forecaster."""

    pooled: LevelMap
    groups: tuple[LevelMap, ...]  # one a group, shrunk to the pooled one
    pit: np.ndarray  # (W, N, H)
    n: np.ndarray  # (H,) independent windows of the whole panel


def calibrate(held: HeldOut, codes: np.ndarray, n_groups: int, stride: int) -> Calibration:
    """A level map of all series, and one of each group.

    Args:
        held: the windows.
        codes: (N,) group of each series; -1 = none.
        n_groups: G.
        stride: rows from one cutoff to the next.

    Returns:
        The maps, and what they were made of.

    Example:
        >>> import pandas as pd
        >>> values = np.tile(LEVEL[None, None, :, None], (4, 2, 1, 1))
        >>> held = HeldOut(values, np.full((4, 2, 1), 0.5), pd.Index(["a", "b"]))
        >>> calibrate(held, np.array([0, 1]), 2, 1).pit[0, 0].round(3)
        array([0.5])
    """
    windows, series, _, horizon = held.values.shape
    flat = held.values.reshape(windows * series, len(LEVEL), horizon)
    pit = pit_values(held.truth.reshape(-1, horizon), flat, LEVEL).reshape(held.truth.shape)
    pooled, n = _map_of(pit, stride, None)
    groups = tuple(_map_of(pit[:, codes == group], stride, pooled)[0] for group in range(n_groups))
    return Calibration(pooled, groups, pit, n)


def _map_of(pit: np.ndarray, stride: int, prior: LevelMap | None) -> tuple[LevelMap, np.ndarray]:
    n = independent_windows(pit, stride)
    found = level_map(pit.reshape(-1, pit.shape[-1]), LEVEL, prior_weight=None, n=n, prior=prior)
    return found, n


def recalibrated(values: np.ndarray, codes: np.ndarray, pooled: LevelMap, groups: tuple[LevelMap, ...]) -> np.ndarray:
    """Quantiles at 23 levels, each series by the map of its group.

    Args:
        values: (N, Q, H).
        codes: (N,) groups; -1 = the pooled map.
        pooled: of all series.
        groups: of each group.

    Returns:
        (N, Q, H).

    Example:
        >>> from tsformers.distributions.recalibration import identity_map
        >>> values = LEVEL[None, :, None]
        >>> bool(np.allclose(recalibrated(values, np.array([-1]), identity_map(LEVEL, 1), ()), values))
        True
    """
    found = np.empty_like(values)
    for code in np.unique(codes):
        mine = codes == code
        found[mine] = remapped(values[mine], LEVEL, groups[code] if code >= 0 else pooled)
    return found


def coverage_table(held: HeldOut, codes: np.ndarray, n_groups: int, stride: int) -> pd.DataFrame:
    """Coverage of central intervals on the held-out windows, before and after recalibration.

    The windows are cut into five runs; the intervals of each are recalibrated by the others. (With one window: of each
    half of the series by the other half.)

    Args:
        held: the windows.
        codes: (N,) group of each series.
        n_groups: G.
        stride: rows from one cutoff to the next.

    Returns:
        Columns nominal, raw, recalibrated; NaN where nothing can be said.

    Example:
        >>> import pandas as pd
        >>> values = np.tile(LEVEL[None, None, :, None], (4, 2, 1, 1))
        >>> held = HeldOut(values, np.full((4, 2, 1), 0.5), pd.Index(["a", "b"]))
        >>> coverage_table(held, np.array([0, 0]), 1, 1)["raw"].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    windows, series, _, horizon = held.values.shape
    read = np.full(held.values.shape, np.nan)
    for fold in _folds(windows, series):
        rest = _part(held, ~fold)
        if not np.isfinite(rest.truth).any():
            continue
        maps = calibrate(rest, codes if windows > 1 else codes[~fold], n_groups, stride)
        mine = _part(held, fold)
        flat = mine.values.reshape(-1, len(LEVEL), horizon)
        owner = np.tile(codes if windows > 1 else codes[fold], len(mine.values))
        part = recalibrated(flat, owner, maps.pooled, maps.groups).reshape(mine.values.shape)
        if windows > 1:
            read[fold] = part
        else:
            read[:, fold] = part
    rows = [
        (nominal, _covered(held.values, held.truth, nominal), _covered(read, held.truth, nominal))
        for nominal in COVERAGES
    ]
    return pd.DataFrame(rows, columns=["nominal", "raw", "recalibrated"])


def _folds(windows: int, series: int) -> list[np.ndarray]:
    """Masks of windows, in runs; of series where there is one window."""
    if windows > 1:
        run = np.arange(windows) * min(FOLDS, windows) // windows
        return [run == k for k in range(min(FOLDS, windows))]
    return [np.arange(series) % 2 == k for k in range(2)] if series > 1 else []


def _part(held: HeldOut, mask: np.ndarray) -> HeldOut:
    if len(held.values) > 1:
        return HeldOut(held.values[mask], held.truth[mask], held.ids)
    return HeldOut(held.values[:, mask], held.truth[:, mask], held.ids[mask])


def _covered(values: np.ndarray, truth: np.ndarray, nominal: float) -> float:
    """Share of truths inside the central interval, ends included; values (W, N, Q, H)."""
    place = np.searchsorted(LEVEL, (1 - nominal) / 2 - 1e-9)
    lower, upper = values[:, :, place], values[:, :, len(LEVEL) - 1 - place]
    scored = np.isfinite(truth) & np.isfinite(lower)
    return float(((lower <= truth) & (truth <= upper))[scored].mean()) if scored.any() else float("nan")


def without_width(held: HeldOut) -> np.ndarray:
    """(N,) share of the truths of each series that miss a forecast whose quantiles are all equal.

    Args:
        held: the windows.

    Returns:
        Shares; 0 where there is no truth.

    Example:
        >>> import pandas as pd
        >>> held = HeldOut(np.ones((1, 1, 23, 2)), np.array([[[1.0, 5.0]]]), pd.Index(["a"]))
        >>> without_width(held)
        array([0.5])
    """
    scored = np.isfinite(held.truth)
    missed = scored & (held.values[:, :, -1] <= held.values[:, :, 0]) & (held.values[:, :, 0] != held.truth)
    return missed.sum(axis=(0, 2)) / np.maximum(scored.sum(axis=(0, 2)), 1)


def group_names(by: Any, ids: pd.Index, static: pd.DataFrame, columns: dict[str, Any]) -> np.ndarray:
    """The group of each series.

    Args:
        by: a static column, an id column, a function of the id, or a mapping from id to group.
        ids: N names.
        static: their static covariates.
        columns: their id columns.

    Returns:
        (N,) names of groups; None where a mapping lacks an id.

    Raises:
        ValueError: ``by`` is none of these.

    Example:
        >>> import pandas as pd
        >>> names = pd.Index(["north 1", "south 1"])
        >>> group_names(lambda name: name.split()[0], names, pd.DataFrame(index=names), {}).tolist()
        ['north', 'south']
    """
    if isinstance(by, str) and by in static:
        found = list(static[by])
    elif isinstance(by, str) and by in columns:
        found = list(columns[by])
    elif callable(by):
        found = [by(name) for name in ids]
    elif hasattr(by, "get") and not isinstance(by, str):
        found = [by.get(name) for name in ids]
    else:
        offered = ", ".join(repr(name) for name in [*static, *columns])
        raise ValueError(
            f"by={by!r} names no groups of series; give a static or id column ({offered}), a function of the id, or a "
            "mapping from id to group"
        )
    names = np.empty(len(ids), dtype=object)
    names[:] = found
    return names
