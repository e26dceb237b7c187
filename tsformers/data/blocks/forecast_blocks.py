"""Forecasts of many series in blocks: quantiles are taken of one block's draws before the next are drawn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.forecast_checks import level_array, out_of_range
from tsformers.data.panel import Panel

NUMBERS_AT_ONCE = 2**21  # 16 MiB of draws or quantiles; drawing takes several times that


def forecast_blocks(
    model: Any,
    data: Frame | Panel | None = None,
    *,
    quantiles: Sequence[float] | None = None,
    **asked: Any,
) -> Iterator[Forecast]:
    """The forecast of any forecaster, some series after others.

    Args:
        model: a fitted forecaster. One that has ``predict_blocks`` draws a block at a time; any other forecasts all
            series at once, which is one block.
        data: what its ``predict`` takes.
        quantiles: levels to summarise the draws at, see ``summarised``; None: draws (or the model's own quantiles).
        **asked: ``future``, ``static``, ``n_samples``, ``seed``, as in ``predict``.

    Yields:
        Forecasts of one series or more.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> from tsformers.testing import make_frame
        >>> model = SeasonalNaive(horizon=2, seed=0).fit(make_frame(3))
        >>> [block.levels for block in forecast_blocks(model, quantiles=(0.1, 0.9))]
        [(0.1, 0.9)]
    """
    if _draws_in_blocks(model):
        yield from model.predict_blocks(data, quantiles=quantiles, **asked)
        return
    whole = model.predict(data, **{name: value for name, value in asked.items() if value is not None})
    yield whole if quantiles is None else summarised(whole, quantiles)


def _draws_in_blocks(model: Any) -> bool:
    """The model has ``predict_blocks``, and no subclass has a ``predict`` of its own that the blocks would pass by."""
    kinds = (vars(kind) for kind in type(model).__mro__)
    return next(("predict_blocks" in kind for kind in kinds if "predict_blocks" in kind or "predict" in kind), False)


def checked_quantiles(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Levels that are asked for, rising.

    Args:
        quantiles: one level or more, in any order.

    Returns:
        Each once.

    Raises:
        ValueError: no level, or one outside (0, 1).

    Example:
        >>> checked_quantiles([0.9, 0.1, 0.9])
        (0.1, 0.9)
    """
    given = level_array(quantiles)
    if not given.size or not ((given > 0) & (given < 1)).all():
        raise out_of_range(quantiles, given)
    return tuple(sorted({float(level) for level in given}))


def summarised(forecast: Forecast, quantiles: Sequence[float]) -> Forecast:
    """Quantiles of a forecast at some levels, and its means: small where the draws were large.

    Args:
        forecast: draws or quantiles.
        quantiles: levels, see ``checked_quantiles``.

    Returns:
        A forecast of quantiles whose ``mean`` is that of ``forecast``.

    Example:
        >>> import pandas as pd
        >>> drawn = Forecast(pd.Index(["a"]), np.array([[7]]), np.array([[[1.0], [2.0], [6.0]]]))
        >>> summarised(drawn, (0.5,)).mean, summarised(drawn, (0.5,)).median
        (array([[3.]]), array([[2.]]))
    """
    levels = checked_quantiles(quantiles)
    found = replace(forecast, values=forecast.quantile(levels), levels=levels, means=forecast.mean)
    return _with_support(found, [forecast])


def gathered(blocks: Iterable[Forecast], numbers: int = NUMBERS_AT_ONCE) -> Iterator[Forecast]:
    """Small blocks joined to fewer.

    Args:
        blocks: forecasts of some series after others.
        numbers: values that a block is to have at least.

    Yields:
        The same series in the same order.

    Example:
        >>> import pandas as pd
        >>> one = Forecast(pd.Index(["a"]), np.array([[7]]), np.ones((1, 2, 1)))
        >>> [len(block) for block in gathered([one, replace(one, ids=pd.Index(["b"]))])]
        [2]
    """
    waiting: list[Forecast] = []
    for block in blocks:
        waiting.append(block)
        if sum(part.values.size for part in waiting) >= numbers:
            yield joined(waiting)
            waiting = []
    if waiting:
        yield joined(waiting)


def joined(blocks: Iterable[Forecast]) -> Forecast:
    """Blocks of one forecast as a whole.

    Args:
        blocks: at least one, of different series, all draws or all quantiles at the same levels.

    Returns:
        Their series one after another.

    Example:
        >>> import pandas as pd
        >>> one = Forecast(pd.Index(["a"]), np.array([[7]]), np.ones((1, 2, 1)))
        >>> joined([one, replace(one, ids=pd.Index(["b"]))]).ids.tolist()
        ['a', 'b']
    """
    parts = list(blocks)
    first = parts[0]
    if len(parts) == 1:
        return first
    known = [part.means for part in parts if part.means is not None]
    whole = replace(
        first,
        ids=first.ids.append([part.ids for part in parts[1:]]),
        times=np.concatenate([part.times for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        means=np.concatenate(known) if len(known) == len(parts) else None,
        counts=all(part.counts for part in parts),
    )
    return _with_support(whole, parts)


def _with_support(forecast: Forecast, parts: Sequence[Forecast]) -> Forecast:
    """The forecast with the support that all parts have, which a copy with other values loses."""
    supports = {part.support for part in parts}
    support = supports.pop()
    return forecast if supports or support == forecast.support else forecast.bounded(*support)


def in_step(streams: Sequence[Iterator[Forecast]]) -> Iterator[list[Forecast]]:
    """Blocks of several forecasts, cut so that they hold the same series; what one of them lacks is left out.

    Args:
        streams: blocks of each forecast; series come in one order in all of them.

    Yields:
        One forecast a stream, of the same series.

    Example:
        >>> import pandas as pd
        >>> one = Forecast(pd.Index(["a", "b"]), np.array([[7], [7]]), np.ones((2, 2, 1)))
        >>> [[list(part.ids) for part in parts] for parts in in_step([iter([one]), iter([one.select([1])])])]
        [[['b'], ['b']]]
    """
    held: list[Forecast | None] = [None] * len(streams)
    while True:
        empty = [k for k, part in enumerate(held) if part is None or not len(part)]
        came = 0
        for k in empty or range(len(streams)):
            block, before = next(streams[k], None), held[k]
            if block is not None:
                held[k] = block if before is None or not len(before) else joined([before, block])
                came += 1
        if came < len(empty) or not came:  # one of them has ended: no further series is in all
            return
        parts = [part for part in held if part is not None]
        common = parts[0].ids
        for part in parts[1:]:
            common = common[common.isin(part.ids)]
        if len(common):
            yield [part.select(part.ids.get_indexer(common)) for part in parts]
            held = [part.select(~part.ids.isin(common)) for part in parts]
