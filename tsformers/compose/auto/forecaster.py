"""Auto: the forecaster that chooses among all others within a limit of time."""

import secrets
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self, Unpack

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.seasons import season_length
from tsformers.compose import members
from tsformers.compose.auto.budget import Budget
from tsformers.compose.auto.candidates import NAIVE, Common, are_counts, ladder, made, names_of
from tsformers.compose.auto.explanation import importance, importance_chart, repeating, summary
from tsformers.compose.auto.fitting import quantiles_of
from tsformers.compose.auto.search import Search, fingerprint
from tsformers.compose.auto.windows import held_out
from tsformers.data.blocks.appended_rows import appended
from tsformers.data.blocks.forecast_blocks import (
    NUMBERS_AT_ONCE,
    checked_quantiles,
    gathered,
    joined,
    summarised,
)
from tsformers.data.blocks.panel_blocks import panel_block
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.distributions.recalibration import LevelMap, remapped
from tsformers.errors import TrainingInterrupted, TsformersError
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Setting
from tsformers.nn.heads.quantile import LEVELS
from tsformers.progress import progress
from tsformers.storage.training_panel import training_panel
from tsformers.validation import Above, AtLeast, check_draws, check_settings


@dataclass(kw_only=True, repr=False, eq=False)
class Auto(BaseEstimator):
    """The weighted mean of the forecasters that do best on held-out windows, found within a limit of time.

    Candidates come in a fixed order, cheap ones first. Each is fitted without the last windows of the series, forecasts
    them, and its time is measured; one that would not fit into the rest of the limit, with its fit to all data, is
    skipped, and a network is trained by as many steps as fit. Weights come from greedy averaging of quantiles with
    replacement, shrunk to equal ones where windows are few. A pooled conformal step follows, and the members are fitted
    to all data. On its held-out windows the answer is never worse than the seasonal naive one.

    The limit decides only how far the list gets: ``repeat_`` is the line of Python that gives the same answer bit for
    bit, without a limit. Ctrl-C ends the search and keeps the best answer so far. ``fit(data, warm_start=True)`` on the
    same data goes on where the last fit has ended: what was validated is not validated again, what was skipped is tried
    again, within a limit of its own.

    Windows: the last 2 horizons of each series, up to 10 where series are few, so that there are 200 in all, and no
    more than a third of a history; of more than 300 series 300 are scored, a random choice that depends on the seed
    alone. Candidates that fit each series alone are validated on the scored series only. Known covariates of held-out
    windows are the realised ones.

    Args:
        horizon: steps to forecast, H.
        time_limit: seconds that ``fit`` may take, fits to all data included; None: all candidates are tried in full.
            SeasonalNaive and the zero-shot Blend are tried whatever the limit.
        models: candidates in place of the usual ones: names, with settings in brackets where needed
            ("Theta(method=dynamic)"), or forecasters. SeasonalNaive is always among them.
        season_length: rows of one season; None takes it from the frequency.
        n_jobs: threads or processes of local models, one candidate after another; -1: one for each processor.
        seed: of the choice of series and of each candidate, whose own seed is hashed from it and its name. None: a
            random one, kept in ``seed_``.
        verbose: progress bar; None: where stderr is a terminal.

    Returns:
        After ``fit``: ``leaderboard_`` (a row a candidate: score, metrics, weight, seconds, status), ``weights_`` and
        ``members_`` by name, ``models_`` (the candidates that were validated), ``repeat_``, ``summary_``.

    Raises:
        ValueError: at ``fit``, a setting out of range, an unknown name, or forecasters of another horizon.
        DataError: as in ``Panel.from_frame``.

    Example:
        >>> from tsformers import Auto
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40) % 4 + 0.1 * np.arange(40)})
        >>> model = Auto(horizon=4, season_length=4, models=["Theta"], time_limit=None, seed=0).fit(frame)
        >>> sorted(model.leaderboard_["model"]), model.predict().median.round(0)
        (['Auto', 'SeasonalNaive', 'Theta', 'equal weights'], array([[4., 5., 6., 7.]]))

    Source: Caruana, Niculescu-Mizil, Crew & Ksikes (2004), Ensemble selection from libraries of models.
    """

    horizon: Annotated[int, AtLeast(1)]
    time_limit: Annotated[float, Above(0)] | None = 60.0
    models: Sequence[Any] | None = None
    season_length: Annotated[int, AtLeast(1)] | None = None
    n_jobs: int | None = -1
    seed: Annotated[int, AtLeast(0)] | None = None
    verbose: bool | None = None

    save = storage.save
    get_params = members.get_params
    set_params = members.set_params

    @property
    def uses_covariates(self) -> bool:
        """Whether one of the candidates reads covariates."""
        models = [model for model in self.models or () if not isinstance(model, str)]
        if self.models is None or len(models) < len(self.models):
            return True
        return any(getattr(model, "uses_covariates", True) for model in models)

    def fit(self, data: Frame | Panel, y: Any = None, *, warm_start: bool = False, **roles: Unpack[Roles]) -> Self:
        """Try the candidates, weigh them, and fit the members to all data.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            warm_start: go on from the last fit, if it was to the same data with the same settings (but for
                ``time_limit``, ``n_jobs`` and ``verbose``).
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The forecaster itself.

        Warns:
            TrainingInterrupted: Ctrl-C; the answer is that of the candidates so far.
        """
        budget = Budget(self.time_limit)
        check_settings(self)
        panel = training_panel(data, y, roles)
        search, seed = self._search(panel, budget, warm_start)
        season = self.season_length or season_length(panel.grid)
        common = Common(horizon=self.horizon, season_length=self.season_length, n_jobs=self.n_jobs, seed=seed)
        given = [*self.models] if self.models is not None else ladder(panel, self.horizon)
        names = names_of(given)
        entries = [(name, made(model, common, name)) for name, model in zip(names, given, strict=True)]
        if NAIVE not in names:
            entries.insert(0, (NAIVE, made(NAIVE, common)))
        warn_unused_covariates([candidate.model for _, candidate in entries], roles)
        if search.held is None:
            search.held = held_out(panel, self.horizon, season, seed)
        with progress(len(entries) + 1, self.verbose, "Auto", unit="model") as bar:
            search.validate(entries, bar)
            weights = search.refit()
            fallback = search.fallback()
            bar.update()
        self._keep(search, weights, fallback, panel, seed)
        if search.interrupted:
            search.interrupted = False
            warnings.warn(
                "the search was interrupted; the answer is that of " + ", ".join(weights),
                TrainingInterrupted,
                stacklevel=2,
            )
        return self

    def _search(self, panel: Panel, budget: Budget, warm_start: bool) -> tuple[Search, int]:
        """The search of the last fit, where it goes on; else a new one. With its seed."""
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        if warm_start and hasattr(self, "seed_") and self.seed is None:
            seed = self.seed_
        found = fingerprint(panel, self.horizon, self.season_length, seed, self.models)
        before: Search | None = getattr(self, "_last", None)
        if warm_start and before is not None and before.of == found:
            before.budget = budget
            return before, seed
        self._last = Search(panel, None, budget, found)
        return self._last, seed

    def _keep(self, search: Search, weights: dict[str, float], fallback: Any, panel: Panel, seed: int) -> None:
        levels, frame = search.answer(weights)
        given = dict(zip(names_of(self.models), self.models, strict=True)) if self.models is not None else {}
        kept = search.valid or [trial for trial in search.trials if trial.name in weights]
        self.leaderboard_: pd.DataFrame = frame
        self.weights_: dict[str, float] = weights
        self.models_: list[Any] = [
            trial.name if isinstance(given.get(trial.entry, ""), str) else given[trial.entry] for trial in kept
        ]
        self.members_: dict[str, Any] = {name: search.members[name] for name in weights}
        self.fallback_: Any = fallback
        self.level_map_: np.ndarray | None = None if levels is None else levels.mapped
        self.seed_: int = seed
        self.horizon_: int = self.horizon
        self.counts_: bool = are_counts(panel)
        self.n_windows_: int = 0 if search.held is None else search.held.n_scored
        self.n_scored_: int = 0 if search.held is None else len(search.held.scored)
        self.panel_: Panel = panel
        for each in search.heard(weights):
            warnings.warn(each, stacklevel=3)

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
        """The weighted mean quantiles of the members.

        A series that some members cannot forecast (too short for a network, or new to a local model) is forecast by the
        others, by the zero-shot or the seasonal naive model where there is no other.

        Args:
            data: other or longer series; None: those of ``fit``, from their end.
            future: known covariates of the steps ahead.
            static: static covariates of the series of ``data``.
            n_samples: draws of a member that draws, from which its quantiles are taken.
            seed: None: the members' own, hashed from that of the constructor.
            quantiles: levels of the answer, computed from the 23 levels; None: these.

        Returns:
            Quantiles at 23 levels from 0.01 to 0.99, or at those asked for.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: ``horizon`` was changed since ``fit``.
            DataError: as in the members.
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
        self._check_fitted()
        check_draws(n_samples, seed)
        levels = None if quantiles is None else checked_quantiles(quantiles)
        panel = self.panel_ if data is None else self.panel_.like(data, static)
        panel = panel.with_future(future, self.horizon)
        warn_of_silent_series(panel, self.horizon, stacklevel=4)
        blocks = self._blocks(panel, n_samples, seed)
        yield from blocks if levels is None else gathered(summarised(block, levels) for block in blocks)

    def _blocks(self, panel: Panel, n_samples: int, seed: int | None) -> Iterator[Forecast]:
        size = max(1, NUMBERS_AT_ONCE // (len(LEVELS) * self.horizon))
        times = panel.future_times(self.horizon)
        for start in range(0, panel.n_series, size):
            part = panel_block(panel, start, min(start + size, panel.n_series))
            values = self._mixed(part, n_samples, seed)
            yield Forecast(
                part.ids,
                times[start : start + size],
                values.clip(min=0) if self.counts_ else values,
                levels=LEVELS,
                grid=panel.grid,
                schema=panel.schema,
            )

    def _mixed(self, panel: Panel, n_samples: int, seed: int | None) -> np.ndarray:
        """(N, 23, H) weighted mean quantiles after the conformal step."""
        total = np.zeros((panel.n_series, len(LEVELS), self.horizon))
        shares = np.zeros((panel.n_series, 1, 1))
        for name, weight in self.weights_.items():
            values = quantiles_of(self.members_[name], panel, self.horizon, n_samples, seed)
            there = np.isfinite(values).all(axis=(1, 2))
            total[there] += weight * (values[there].clip(min=0) if self.counts_ else values[there])
            shares[there] += weight
        total = np.divide(total, shares, out=total, where=shares > 0)
        if (left := np.flatnonzero(shares[:, 0, 0] == 0)).size:
            total[left] = quantiles_of(self.fallback_, panel.select(left), self.horizon, n_samples, seed)
        if self.level_map_ is None:
            return total
        return remapped(total, np.array(LEVELS), LevelMap(np.array(LEVELS), self.level_map_))

    def update(self, rows: Frame | Panel) -> Self:
        """Take in rows after the end of each series, without a refit: ``predict()`` follows the new end.

        Args:
            rows: a frame with the columns of that of ``fit``, or a Panel; of some or all of its series.

        Returns:
            The forecaster itself.

        Raises:
            DataError: a row that is not after the end of its series, or a series that was not in the data of ``fit``.
        """
        self._check_fitted()
        self.panel_ = appended(self.panel_, self.panel_.like(rows))
        return self

    @property
    def repeat_(self) -> str:
        """The line of Python that gives the same answer on the same data, whatever time it takes."""
        self._check_fitted()
        return repeating(self)

    @property
    def summary_(self) -> str:
        """Which members carry the answer, and how much better than the seasonal naive forecaster it was."""
        self._check_fitted()
        return summary(self)

    def explain(self, *, picture: bool = False) -> Any:
        """How much each candidate contributes.

        Args:
            picture: a figure in place of the frame.

        Returns:
            A frame: model, weight, score alone (1 is as good as the seasonal naive forecaster, 0 is perfect), the score
            of the answer, and status; sorted by weight. Or a ``matplotlib.figure.Figure`` of it.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ImportError: a picture is asked for and matplotlib is missing.
        """
        self._check_fitted()
        return importance_chart(self) if picture else importance(self)

    def _check_fitted(self) -> None:
        check_is_fitted(self, "members_")
        if self.horizon != self.horizon_:
            raise TsformersError(
                f"horizon was {self.horizon_} in fit and is {self.horizon} now; fit again, or set it back with ",
                Setting("horizon", self.horizon_),
            )
