"""Groups of series, from a dict, a Series or a list of names."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.errors import TsformersError
from tsformers.messages import Option

Groups: TypeAlias = Mapping[Any, Any] | pd.Series | Sequence[Any] | np.ndarray | pd.Index | None


def group_codes(groups: Groups, ids: pd.Index) -> tuple[np.ndarray, pd.Index]:
    """Group number of each series, and the groups' names in order of first appearance.

    Args:
        groups: a dict or Series from id to group (further ids are ignored), or N names in the order of
            ``ids``; None = one group, "total".
        ids: N names of series.

    Returns:
        (N,) int64 numbers, and the names of the groups.

    Raises:
        ValueError: an id twice, a series without a group, another number of names than of series, or another type.

    Example:
        >>> codes, names = group_codes(["west", "east", "west"], pd.Index(["a", "b", "c"]))
        >>> codes.tolist(), names.tolist()
        ([0, 1, 0], ['west', 'east'])
    """
    if groups is None:
        return np.zeros(len(ids), dtype=np.int64), pd.Index(["total"], name=ids.name)
    codes, names = pd.factorize(_table(groups, ids).reindex(ids).infer_objects())
    if (codes < 0).any():
        raise ValueError(
            f"series {plain(ids[int(np.argmax(codes < 0))])!r} has no group; give every id of the forecast one"
        )
    return codes, pd.Index(names, name=ids.name, tupleize_cols=False)


def _table(groups: Any, ids: pd.Index) -> pd.Series:
    if isinstance(groups, Mapping):
        table = pd.Series([*groups.values()], index=pd.Index([*groups], tupleize_cols=False), dtype=object)
    elif isinstance(groups, pd.Series):
        table = groups
    elif isinstance(groups, str) or not isinstance(groups, Sequence | np.ndarray | pd.Index):
        raise TsformersError(
            Option("groups", groups),
            f" does not say which series belong together; pass a dict or Series from id to group, or "
            f"{len(ids)} names in the order of ids",
        )
    elif len(groups) != len(ids):
        raise ValueError(
            f"groups has {len(groups)} names for {len(ids)} series; pass one for each, in the order of ids"
        )
    else:
        table = pd.Series([*groups], index=ids, dtype=object)
    if not table.index.is_unique:
        raise ValueError(f"groups names series {table.index[table.index.duplicated()][0]!r} twice")
    return table
