"""The training of one member of Blend on the series of a panel."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.data.panel import Panel
from tsformers.forecasters.blend.bases.contexts import Contexts, Inputs, inputs
from tsformers.forecasters.blend.batches import Pool, pool, with_linear
from tsformers.forecasters.blend.covariates import Response, Rows, learned_response
from tsformers.forecasters.blend.linear_map import LinearMap, cross_fitted, learned_map, mapped, rows_read
from tsformers.forecasters.blend.member import Member, calibrated, share_of
from tsformers.forecasters.blend.pretrained import shipped_network, widened
from tsformers.forecasters.blend.training import Run, train
from tsformers.forecasters.blend.windows import Cuts, drawn, longest_context, shortest_context, split
from tsformers.training.randomness import seeded

POOL = 16_384  # windows whose base forecasts are computed for training, at most


class Series(NamedTuple):
    """Packed series: rows ``offsets[i]:ends[i]`` are those of series i."""

    rows: Rows
    offsets: np.ndarray  # (N + 1,)
    ends: np.ndarray  # (N,)


class Sight(NamedTuple):
    """What is asked of every context, and by which bases it is answered."""

    horizon: int
    season: int
    second: int  # 0 = none
    chosen: np.ndarray  # (K,) bool

    def contexts(self, values: np.ndarray, first: np.ndarray, stop: np.ndarray) -> Contexts:
        """Rows ``first[i]:stop[i]`` with the seasons of the panel."""
        season, second = (np.full(len(first), period, dtype=np.int64) for period in (self.season, self.second))
        return Contexts(values, first.astype(np.int64), stop.astype(np.int64), season, second)

    def inputs(self, contexts: Contexts, linear: LinearMap | None) -> Inputs:
        """What the network reads of contexts, the linear map among the bases where there is one."""
        found = inputs(contexts, self.horizon, chosen=self.chosen)
        return (
            found if linear is None else with_linear(found, *mapped(linear, contexts.y, contexts.first, contexts.stop))
        )


def response_of(panel: Panel, values: np.ndarray, sight: Sight, plan: Run) -> Response | None:
    """The response to the covariates of a panel; None where it has none.

    Args:
        panel: of ``fit``.
        values: (R,) its targets, NaN = missing.
        sight: what is asked.
        plan: its seed chooses the windows.

    Returns:
        The response, learned on windows as the first member has them.
    """
    if not panel.schema.known and not panel.schema.past:
        return None
    rng = np.random.default_rng(plan.seed)
    parts = split(panel.offsets, panel.ends, *sight[:3], rng)
    cuts = drawn(panel.offsets, parts.limits, *sight[:3], POOL, rng)
    return learned_response(panel, values, cuts, parts.validation, sight.horizon, (sight.season, sight.second))


def trained_member(series: Series, sight: Sight, plan: Run) -> tuple[Member | None, pd.DataFrame]:
    """The shipped network, trained on windows of the series and recalibrated on windows that were kept from it.

    Args:
        series: to be trained on.
        sight: what is asked.
        plan: steps, rates, seed.

    Returns:
        The member, and its history; None and an empty frame where all series are too short for a window.
    """
    rng = np.random.default_rng(plan.seed)
    where = sight[:3]
    parts = split(series.offsets, series.ends, *where, rng)
    cuts = drawn(series.offsets, parts.limits, *where, min(POOL, plan.max_steps * plan.batch_size), rng)
    if not len(cuts.stop):
        return None, pd.DataFrame()
    linear, windows = _training_pool(series, sight, cuts, parts.validation)
    if not windows.n:
        return None, pd.DataFrame()
    held = _held(series, sight, parts.validation, linear)
    network = widened(shipped_network(), windows.batch).to(plan.device)
    with seeded(None if plan.seed is None else int(rng.integers(2**62)), plan.device):
        history = train(network, windows.to(plan.device), None if held is None else held.to(plan.device), plan, rng)
    room = np.maximum(parts.limits - series.offsets[:-1] - shortest_context(sight.season), 0)
    blocks = int((room // max(sight.horizon, sight.season)).sum())
    member = share_of(Member(network, shipped_network().to(plan.device), 1.0, linear, None), held, blocks)
    if held is None:
        return member, history
    apart = np.column_stack([parts.validation.series, parts.validation.stop // sight.horizon])
    return calibrated(member, held, len(np.unique(apart, axis=0))), history


def _training_pool(series: Series, sight: Sight, cuts: Cuts, held: Cuts) -> tuple[LinearMap | None, Pool]:
    """The linear map, and the training windows, in which its forecasts come from maps fitted without them."""
    length = rows_read(*sight[:3], longest_context(sight.season, sight.second))
    contexts = sight.contexts(series.rows.values, cuts.first, cuts.stop)
    found = sight.inputs(contexts, None)
    linear = learned_map(series.rows.values, cuts, sight.horizon, length, held) if sight.chosen[-1] else None
    if linear is not None:
        n = len(series.ends)
        found = with_linear(found, *cross_fitted(series.rows.values, cuts, sight.horizon, length, n))
    return linear, pool(found, contexts, series.rows, _future(series, cuts, sight.horizon))


def _held(series: Series, sight: Sight, cuts: Cuts, linear: LinearMap | None) -> Pool | None:
    """Windows of validation; None where there are none."""
    if not len(cuts.stop):
        return None
    contexts = sight.contexts(series.rows.values, cuts.first, cuts.stop)
    windows = pool(sight.inputs(contexts, linear), contexts, series.rows, _future(series, cuts, sight.horizon))
    return windows if windows.n else None


def _future(series: Series, cuts: Cuts, horizon: int) -> np.ndarray:
    return series.rows.values[cuts.stop[:, None] + np.arange(horizon)]
