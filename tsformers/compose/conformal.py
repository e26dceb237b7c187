"""Conformal: any forecaster, with quantiles re-mapped so that held-out truths lie below them as often as they say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.compose.calibration_warnings import warn_of_calibration
from tsformers.compose.ensemble import LEVELS
from tsformers.compose.held_out import DRAWS, held_out
from tsformers.compose.level_maps import LEVEL, calibrate, coverage_table, group_names, recalibrated
from tsformers.compose.window_plan import plan_windows
from tsformers.data.blocks.forecast_blocks import (
    checked_quantiles,
    forecast_blocks,
    gathered,
    joined,
    summarised,
)
from tsformers.data.dataframes import Frame, from_pandas
from tsformers.data.forecast import Forecast
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.distributions.recalibration import LevelMap
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.plotting.reliability import reliability_chart
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_settings, lacking_parts


@dataclass(repr=False, eq=False)
class Conformal(BaseEstimator):
    """Any forecaster, with intervals that hold as many held-out truths as they say.

    ``fit`` fits a copy of the forecaster without the last rows of each series, forecasts ``windows`` windows of them,
    and learns at which level its quantile function must be read, so that the share of truths below is the level:
    intervals become wider, narrower or asymmetric, step by step. The windows of all series are pooled, since the few
    of one series would decide little; few windows change little, unless they deviate beyond chance
    (``distributions.recalibration``). Then the forecaster is fitted on all rows.

    The truth lies in an interval of 80 % in 80 % of cases over the panel (and groups), not for each series alone, and
    as far as the future is like the windows. Quantiles of counts stay whole numbers, and quantiles cannot cross. A
    forecast without width keeps none: no level of it is wider.

    Args:
        forecaster: any forecaster; copies of it are fitted.
        windows: held-out windows of each series. Fewer are used where the series are too short.
        by: groups that get a map of their own, shrunk to that of all series: a static column, an id column, a
            function of the id, or a mapping from id to group (other ids: the map of all). None: one map.
        stride: rows from one window to the next. None: as few as give enough windows that differ, the horizon at most,
            so that the windows are recent and two thirds of the rows of the median series are left to fit on.
        seed: of the forecasts, held out and asked for; None: the forecaster's own.

    Returns:
        After ``fit``: ``forecaster_``; ``level_map_`` of all series and ``level_maps_`` by group; ``coverage_``, a
        frame of the coverage of intervals on the held-out windows, raw and recalibrated (each fifth of the windows by
        the map of the others); ``windows_`` and ``stride_`` that were used, ``independent_windows_`` what they are
        worth.

    Raises:
        TypeError: at ``fit``, the forecaster is none.
        DataError: at ``fit``, no series is long enough for one window.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> rng = np.random.default_rng(0)
        >>> y = rng.normal(size=(30, 200)).cumsum(axis=1)
        >>> frame = pd.DataFrame({"unique_id": np.repeat(range(30), 200), "ds": np.tile(range(200), 30)})
        >>> naive = SeasonalNaive(horizon=6, season_length=1)
        >>> model = Conformal(naive, windows=20, seed=0).fit(frame.assign(y=y.ravel()))
        >>> model.predict(quantiles=(0.1, 0.9)).values.shape, model.stride_
        ((30, 2, 6), 3)

    Source: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world, chapter 2; quantile forecasts:
        Romano, Patterson & Candes (2019), Conformalized quantile regression, section 3.
    """

    forecaster: Any
    windows: Annotated[int, AtLeast(1)] = 20
    by: str | Mapping[Any, Any] | Callable[[Any], Any] | None = None
    stride: Annotated[int, AtLeast(1)] | None = None
    seed: Annotated[int, AtLeast(0)] | None = None

    save = storage.save

    @property
    def horizon(self) -> int:
        """H, that of the forecaster."""
        return self.forecaster.horizon

    @property
    def uses_covariates(self) -> bool:
        """Whether the forecaster reads covariates."""
        return getattr(self.forecaster, "uses_covariates", True)

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Hold out windows, learn the level map from them, and fit the forecaster on all rows.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``; ``short`` is passed on to the forecaster.

        Returns:
            The model itself.
        """
        warn_unused_covariates(self, roles)
        self._check()
        self.short_: str = roles.get("short", "error")
        panel = training_panel(data, y, roles)
        names = self._names(panel)
        plan = plan_windows(panel, self.horizon, self.windows, self.stride)
        part = panel.select(plan.series)
        held = held_out(self.forecaster, part, plan.windows, stride=plan.stride, seed=self.seed)
        self.forecaster_: Any = clone(self.forecaster, safe=False).fit(panel, short=self.short_)
        codes, found = pd.factorize(names)
        mine = codes[panel.ids.get_indexer(held.ids)]
        maps = calibrate(held, mine, len(found), plan.stride)
        self.panel_: Panel = panel.tail(1)  # its roles are needed, its rows are not
        self.windows_, self.stride_ = plan.windows, plan.stride
        self.independent_windows_: float = float(maps.n.mean())
        self.codes_: np.ndarray = codes.astype(np.int64)
        self.groups_: list[Any] = list(found)
        self.mapped_: np.ndarray = np.stack([maps.pooled.mapped, *(one.mapped for one in maps.groups)])
        table = coverage_table(held, maps.pit, mine, len(found), plan.stride)
        self.coverage_: Frame = from_pandas(table, panel.schema.backend)
        warn_of_calibration(type(self.forecaster).__name__, held, maps, plan, table, self.windows, stacklevel=3)
        return self

    @property
    def level_map_(self) -> LevelMap:
        """At which levels the forecasts of all series are read: (23,) nominal levels and (H, 23) mapped ones."""
        check_is_fitted(self, "forecaster_")
        return LevelMap(LEVEL, self.mapped_[0])

    @property
    def level_maps_(self) -> dict[Any, LevelMap]:
        """The level map of each group of ``by``."""
        check_is_fitted(self, "forecaster_")
        return {name: LevelMap(LEVEL, mapped) for name, mapped in zip(self.groups_, self.mapped_[1:], strict=True)}

    def predict(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
        **unknown: Unpack[NoKeywords],
    ) -> Forecast:
        """The forecaster's quantiles, read at the mapped levels.

        Args:
            data: other or longer series; None: those of ``fit``, from their end.
            future: known covariates of the steps ahead.
            static: static covariates of the series of ``data``.
            n_samples: draws of the forecaster, from which its quantiles are taken; 200 at least, as for the map.
            seed: None: that of the constructor, else the forecaster's own.
            quantiles: levels of the answer, from the 23 levels; None: these.

        Returns:
            Quantiles at 23 levels from 0.01 to 0.99, or at those asked for.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: as in ``Panel.from_frame`` and the forecaster.
        """
        refuse_unknown(unknown, "predict", PREDICT)
        asked: dict[str, Any] = {"future": future, "static": static, "n_samples": n_samples, "seed": seed}
        return joined(self.predict_blocks(data, quantiles=quantiles, **asked))

    def predict_blocks(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> Iterator[Forecast]:
        """What ``predict`` gives, in blocks of series; see ``forecast_blocks``."""
        check_is_fitted(self, "forecaster_")
        levels = None if quantiles is None else checked_quantiles(quantiles)
        asked: dict[str, Any] = {"n_samples": max(n_samples, DRAWS), "seed": self.seed if seed is None else seed}
        if data is None:
            panel, known, codes = None, self.panel_.ids, self.codes_
            asked |= {"future": future} | ({} if static is None else {"static": static})
        else:
            panel = self.panel_.like(data, static, self.short_).with_future(future, self.horizon)
            known, codes = panel.ids, pd.Index(self.groups_, dtype=object).get_indexer(self._names(panel))
        blocks = (
            self._recalibrated(block, codes[known.get_indexer(block.ids)])
            for block in forecast_blocks(self.forecaster_, panel, quantiles=LEVELS, **asked)
        )
        yield from blocks if levels is None else gathered(summarised(block, levels) for block in blocks)

    def _recalibrated(self, block: Forecast, codes: np.ndarray) -> Forecast:
        values = recalibrated(block.values, codes, self.level_map_, tuple(self.level_maps_.values()))
        if block.counts:
            values = np.rint(values)
        values = values.clip(*block.support)
        return replace(block, values=values, means=None, joint=False).bounded(*block.support)

    def update(self, rows: Frame | Panel) -> Self:
        """Take in rows after the end of each series, without a refit: neither of the forecaster nor of the map.

        Args:
            rows: what ``update`` of the forecaster takes.

        Returns:
            The model itself.

        Raises:
            TypeError: the forecaster has no ``update``.
            DataError: as in the forecaster.
        """
        check_is_fitted(self, "forecaster_")
        if not hasattr(self.forecaster_, "update"):
            raise TypeError(
                f"{type(self.forecaster_).__name__} cannot take in rows after fit; pass the longer series to predict"
            )
        self.forecaster_.update(rows)
        return self

    def plot(self) -> Any:
        """A chart of ``coverage_``: what intervals say against what they hold, raw and recalibrated.

        Returns:
            A ``matplotlib.figure.Figure``.

        Raises:
            ImportError: matplotlib is missing.
        """
        check_is_fitted(self, "forecaster_")
        columns = (np.asarray(self.coverage_[name], dtype=float) for name in ("nominal", "raw", "recalibrated"))
        return reliability_chart(*columns)

    def _names(self, panel: Panel) -> np.ndarray:
        """(N,) the group of each series, None = no group."""
        if self.by is None:
            return np.full(panel.n_series, None, dtype=object)
        return group_names(self.by, panel.ids, panel.static, id_columns(panel.ids, panel.schema))

    def _check(self) -> None:
        lacks = lacking_parts(self.forecaster)
        if lacks or isinstance(self.forecaster, type):
            raise TypeError(
                f"a conformal forecaster is Conformal(forecaster, windows=20); {self.forecaster!r} "
                + (f"lacks {', '.join(lacks)}" if lacks else "must be an object")
            )
        check_settings(self)
