"""Intermittent: counts with zeros, forecast as counts."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from tsformers.calendar.regularity import plain
from tsformers.counter_rng import keyed_normals
from tsformers.data.blocks.panel_blocks import row_blocks, series_at
from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.data.seasonality import seasonal_p_value
from tsformers.errors import DataError, TsformersError
from tsformers.forecasters.intermittent.mixture import N_COMPONENTS
from tsformers.forecasters.intermittent.packed import mixture_forecasts, weigh
from tsformers.forecasters.intermittent.smoothing import smoothed_forecasts
from tsformers.forecasters.local.base import LocalForecaster, observed_spans, steps_since
from tsformers.forecasters.local.tasks import Params
from tsformers.messages import Either, Setting
from tsformers.validation import Between

METHODS = ("croston", "sba", "tsb", "bootstrap")  # in the order of their numbers in compiled code
SMOOTHING = 0.1  # of the Croston family, the usual choice
SEASONAL_SIZE = 0.01  # of the test of a season
FEWEST_ABOVE = 3.0  # rows above 0 a season, below which none is looked for
ROWS_OF_A_TASK = 2**15  # of series that one thread learns
PRIOR_ROWS = 1.0  # of a place of the season, with the mean of all


@dataclass(kw_only=True, repr=False, eq=False)
class Intermittent(LocalForecaster):
    """Forecasts counts with zeros (spare parts, slow sellers) as counts: draws and all quantiles are whole, 0 or more.

    ``method="auto"`` mixes 78 small models, each by its one-step-ahead likelihood on the series: negative binomial
    counts around a level that forgets (with factors for the places of a season, where a test finds one), and a chance
    of demand that forgets, with negative binomial sizes. The doubt of the level is part of the distribution, and is
    what the steps of a draw have in common, so that sums over steps are wide enough.

    The others are the classics: a chance of demand and smoothed sizes, forecast as their product. ``"croston"``: the
    chance is one over the smoothed interval between demands; ``"sba"``: the same without its bias (Syntetos & Boylan);
    ``"tsb"``: the chance is smoothed in every row, so that it falls while nothing is sold; ``"bootstrap"``: the share
    of rows with demand, all past sizes alike. Their draws are 0 or one of the past sizes, with the weights of the
    smoothing, independent from step to step.

    Means are exact, and no whole numbers. Missing rows are no zeros: they are left out. A series of nothing but zeros
    is forecast as 0. A series that was not in the data of ``fit`` is learned from the history given to ``predict``.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: threads.
        seed: of ``predict``: the order of the draws; None = fresh.
        verbose: show a progress bar on a terminal.
        method: "auto", "croston", "sba", "tsb" or "bootstrap".
        alpha: smoothing weight of "croston", "sba" and "tsb"; None = 0.1.

    Returns:
        After ``fit``: with "auto" ``weights_`` (N, 78) of the models and ``scales_`` (N, m) of the season's places.

    Raises:
        ValueError: a setting is out of its range.
        DataError: a value that is negative or not whole; the message names the series and the row.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(10), "y": [0, 2, 0, 0, 1, 0, 0, 3, 0, 1]})
        >>> forecast = Intermittent(horizon=2, seed=0).fit(frame).predict()
        >>> forecast.to_frame(quantiles=(0.5, 0.9, 0.99)).round(2)
          unique_id  ds  mean  q0.5  q0.9  q0.99
        0         a  10  0.73   0.0   2.0    4.0
        1         a  11  0.73   0.0   2.0    4.0

    Source: Croston (1972); Syntetos & Boylan (2005); Teunter, Syntetos & Babai (2011); forgetting of counts: Harvey &
    Fernandes (1989), Time series models for count or qualitative observations.
    """

    method: Literal["auto", "croston", "sba", "tsb", "bootstrap"] = "auto"
    alpha: Annotated[float, Between(0, 1)] | None = None

    compiled: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    forecasts_new_series: ClassVar[bool] = True
    leaves_out_absurd_cells: ClassVar[bool] = False

    def check(self) -> None:
        """The settings are in range, and none is idle."""
        super().check()
        if self.alpha is not None and self.method not in METHODS[:3]:
            raise TsformersError(
                Setting("alpha", self.alpha), " belongs to ", Setting("method", "tsb"), " and the other methods that "
                "smooth; leave it out",
            )  # fmt: skip

    def learn(self, panel: Panel, season: int) -> tuple[list[Params], list[str]]:
        """Weights of the models and scales of the season, in ``weights_`` and ``scales_``; nothing falls back."""
        observed_spans(panel)
        refuse_others(panel)
        self.weights_, self.scales_ = self._learned_of(panel, season)
        return [], [""] * panel.n_series

    def draw(self, panel: Panel, n_samples: int, keys: np.ndarray) -> np.ndarray:
        """Draws (N, S, H): the quantiles of each step in an order that has what the steps have in common."""
        _, ordered, shares = self._ahead(panel, n_samples)
        normal = keyed_normals(keys, n_samples, self.horizon + 1)
        common, own = normal[..., :1], normal[..., 1:]
        mixed = np.sqrt(shares)[:, None, None] * common + np.sqrt(1 - shares)[:, None, None] * own
        rank = mixed.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        return np.take_along_axis(ordered, rank, axis=1)

    def exact_means(self, panel: Panel) -> np.ndarray | None:
        """Means (N, H) of the models' distributions."""
        return self._ahead(panel, 0)[0]

    def _ahead(self, panel: Panel, n_samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means (N, H), sorted draws (N, S, H), and the share of variance that steps have in common."""
        observed_spans(panel)
        refuse_others(panel)
        n, horizon = panel.n_series, self.horizon
        means, shares = np.zeros((n, horizon)), np.zeros(n)
        if self.method != "auto":
            rates, sizes = np.zeros(n), np.zeros((n, n_samples))
            number, alpha = METHODS.index(self.method), SMOOTHING if self.alpha is None else float(self.alpha)
            smoothed_forecasts(panel.y, panel.offsets, panel.ends, number, alpha, rates, sizes)
            means[:] = rates[:, None]
            return means, np.repeat(sizes[..., None], horizon, axis=2), shares
        weights, scales, firsts = self._known(panel)
        draws = np.zeros((n, n_samples, horizon))
        mixture_forecasts(panel.y, panel.offsets, panel.ends, firsts, scales, weights, means, draws, shares)
        return means, draws, shares

    def _known(self, panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, scales and the place of the first row of each history; of new series from the history itself."""
        where = self.panel_.ids.get_indexer(panel.ids)
        weights, scales = self.weights_[where], self.scales_[where]
        new, firsts = where < 0, np.zeros(panel.n_series, dtype=np.int64)
        if new.any():
            weights[new], scales[new] = self._learned_of(panel.select(np.flatnonzero(new)), self.season_)
        if not new.all():
            trained, known = series_at(self.panel_, where[~new]), series_at(panel, np.flatnonzero(~new))
            begin, here = trained.times[trained.offsets[:-1]], known.times[known.offsets[:-1]]
            firsts[~new] = steps_since(begin, here, panel.grid) % max(scales.shape[1], 1)
        return weights, scales, firsts

    def _learned_of(self, panel: Panel, season: int) -> tuple[np.ndarray, np.ndarray]:
        """Weights (N, K) and scales (N, m), without columns where the method needs none."""
        if self.method != "auto":
            return np.zeros((panel.n_series, 0)), np.zeros((panel.n_series, 0))
        blocks = [(season, block) for _, block in row_blocks(panel, rows=ROWS_OF_A_TASK)]
        found = self.each(learned_of, blocks)
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised."""
        return {**super().learned(), "weights_": self.weights_, "scales_": self.scales_}


def learned_of(task: tuple[int, Panel]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (N, K) of the mixture and scales (N, m) of a block of series."""
    season, panel = task
    n = panel.n_series
    scales = np.ones((n, season))
    for i in range(n if season > 1 else 0):
        scales[i] = seasonal_scales(panel.y[panel.offsets[i] : panel.ends[i]], season)
    seasonal = (scales != 1).any(axis=1)
    weights = np.zeros((n, N_COMPONENTS))
    weigh(panel.y, panel.offsets, panel.ends, scales, seasonal, weights)
    return weights, scales


def seasonal_scales(y: np.ndarray, season: int) -> np.ndarray:
    """Means (m,) by place of the season over the mean of all; ones where no season is found.

    Example:
        >>> seasonal_scales(np.tile([4.0, 0.0, 8.0], 30), 3).round(2)
        array([1.  , 0.03, 1.97])
    """
    neutral = np.ones(season)
    observed = np.isfinite(y)
    if np.count_nonzero(y[observed] > 0) < FEWEST_ABOVE * season or np.ptp(y[observed]) == 0:
        return neutral
    if seasonal_p_value(np.sqrt(y), season) >= SEASONAL_SIZE:
        return neutral
    place, mean = np.flatnonzero(observed) % season, float(y[observed].mean())
    sums = np.bincount(place, weights=y[observed], minlength=season)
    rows = np.bincount(place, minlength=season)
    return (sums + PRIOR_ROWS * mean) / (rows + PRIOR_ROWS) / mean


def refuse_others(panel: Panel) -> None:
    """All values are counts, or missing.

    Raises:
        DataError: names the first that is negative or not whole.
    """
    with np.errstate(invalid="ignore"):
        wrong = (panel.y < 0) | (panel.y != np.floor(panel.y))
    rows = np.flatnonzero(wrong & np.isfinite(panel.y))
    if not len(rows):
        return
    row = int(rows[0])
    series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    raise DataError(
        f"Intermittent forecasts counts, whole numbers of 0 or more, but series {plain(panel.ids[series])!r} has "
        f"{panel.schema.target_col} = {panel.y[row]:g} at {panel.schema.time_col} = "
        f"{stamps(panel.times[row : row + 1], panel.schema)[0]}; for numbers of 0 or more choose ",
        Either("tsf.Pipeline([tsf.Bounded(lower=0)], tsf.Theta(horizon=...))", "--model Theta --lower 0"),
        ", for others another model",
    )
