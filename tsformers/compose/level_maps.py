"""Level maps of groups of series from held-out windows, and the coverage they give."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.compose.ensemble import LEVELS
from tsformers.compose.held_out import HeldOut
from tsformers.compose.window_plan import independent_windows
from tsformers.distributions.recalibration import LevelMap, level_map, pit_values, remapped

LEVEL = np.array(LEVELS)
COVERAGES = (0.95, 0.9, 0.8, 0.5)  # of the intervals that are reported
ENDS = np.array([LEVELS.index(level) for level in (0.025, 0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.975)])  # theirs
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
    return Calibration(*_maps_of(pit, codes, n_groups, stride), pit, independent_windows(pit, stride))


def _maps_of(pit: np.ndarray, codes: np.ndarray, n_groups: int, stride: int) -> tuple[LevelMap, tuple[LevelMap, ...]]:
    pooled = _map_of(pit, stride, None)
    return pooled, tuple(_map_of(pit[:, codes == group], stride, pooled) for group in range(n_groups))


def _map_of(pit: np.ndarray, stride: int, prior: LevelMap | None) -> LevelMap:
    n = independent_windows(pit, stride)
    return level_map(pit.reshape(-1, pit.shape[-1]), LEVEL, prior_weight=None, n=n, prior=prior)


def recalibrated(values: np.ndarray, codes: np.ndarray, pooled: LevelMap, groups: tuple[LevelMap, ...]) -> np.ndarray:
    """Quantiles of each series by the map of its group.

    Args:
        values: (N, Q, H).
        codes: (N,) groups; -1 = the pooled map.
        pooled: of all series.
        groups: of each group.

    Returns:
        (N, A, H), at the nominal levels of the maps.

    Example:
        >>> from tsformers.distributions.recalibration import identity_map
        >>> values = LEVEL[None, :, None]
        >>> bool(np.allclose(recalibrated(values, np.array([-1]), identity_map(LEVEL, 1), ()), values))
        True
    """
    found = np.empty((len(values), len(pooled.levels), values.shape[2]))
    for code in np.unique(codes):
        mine = codes == code
        found[mine] = remapped(values[mine], LEVEL, groups[code] if code >= 0 else pooled)
    return found


def coverage_table(held: HeldOut, pit: np.ndarray, codes: np.ndarray, n_groups: int, stride: int) -> pd.DataFrame:
    """Coverage of central intervals on the held-out windows, before and after recalibration.

    The windows are cut into five runs; the intervals of each are recalibrated by the others. (With one window: of each
    half of the series by the other half.)

    Args:
        held: the windows.
        pit: (W, N, H) their PIT values.
        codes: (N,) group of each series.
        n_groups: G.
        stride: rows from one cutoff to the next.

    Returns:
        Columns nominal, raw, recalibrated; NaN where nothing can be said.

    Example:
        >>> import pandas as pd
        >>> values = np.tile(LEVEL[None, None, :, None], (4, 2, 1, 1))
        >>> held = HeldOut(values, np.full((4, 2, 1), 0.5), pd.Index(["a", "b"]))
        >>> coverage_table(held, held.truth, np.array([0, 0]), 1, 1)["raw"].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    windows, series, _, horizon = held.values.shape
    read = np.full((windows, series, len(ENDS), horizon), np.nan)
    for some, of in _folds(windows, series):
        others = pit[~some][:, of] if windows > 1 else pit[:, ~of]
        if np.isfinite(others).any():
            maps = _maps_of(others, codes if windows > 1 else codes[~of], n_groups, stride)
            pooled, groups = _at_ends(maps[0]), tuple(_at_ends(one) for one in maps[1])
            for k in np.flatnonzero(some):
                read[k, of] = recalibrated(held.values[k, of], codes[of], pooled, groups)
    raw = held.values[:, :, ENDS]
    rows = []
    for place, nominal in enumerate(COVERAGES):
        shares = [_covered(ends[:, :, place], ends[:, :, -1 - place], held.truth) for ends in (raw, read)]
        rows.append((nominal, *shares))
    return pd.DataFrame(rows, columns=["nominal", "raw", "recalibrated"]).sort_values("nominal", ignore_index=True)


def _at_ends(found: LevelMap) -> LevelMap:
    return LevelMap(found.levels[ENDS], found.mapped[:, ENDS])


def _folds(windows: int, series: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Masks of the windows and of the series that are judged by all others; series where there is one window."""
    if windows > 1:
        run = np.arange(windows) * min(FOLDS, windows) // windows
        return [(run == k, np.ones(series, dtype=bool)) for k in range(min(FOLDS, windows))]
    return [(np.ones(1, dtype=bool), np.arange(series) % 2 == k) for k in range(2)] if series > 1 else []


def _covered(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray) -> float:
    """Share of truths between two ends, themselves included; all (W, N, H)."""
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
