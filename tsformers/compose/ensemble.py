"""Ensemble: the weighted mean of several forecasters' quantiles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Self, Unpack

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.compose import members
from tsformers.data.blocks.forecast_blocks import (
    checked_quantiles,
    forecast_blocks,
    gathered,
    in_step,
    joined,
    summarised,
)
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Setting
from tsformers.storage.training_panel import training_panel
from tsformers.validation import AtLeast, check_settings

LEVELS = (0.01, 0.025, *(round(0.05 * k, 2) for k in range(1, 20)), 0.975, 0.99)


@dataclass(repr=False, eq=False)
class Ensemble(BaseEstimator):
    """The weighted mean of several forecasters' quantiles, level by level.

    ``q(p) = sum_i w_i q_i(p)``: the mean of sharp forecasts stays sharp, where a mixture of them would be wider than
    each. The forecast holds quantiles, which never cross because those of the members do not.

    Args:
        models: forecasters of one horizon; copies of them are fitted.
        weights: one number a model, not negative, rescaled to sum to 1; None: equal.
        seed: of ``predict``, passed on to the models; None: their own.

    Returns:
        After ``fit``: ``models_``, the fitted copies.

    Raises:
        ValueError: at ``fit``, no model, horizons that differ, or weights of another number.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive, Theta
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(12), "y": [1.0, 5.0, 3.0] * 4})
        >>> models = [SeasonalNaive(horizon=3, season_length=3), Theta(horizon=3, season_length=3)]
        >>> Ensemble(models, seed=0).fit(frame).predict().median.round(1)
        array([[1., 5., 3.]])

    Source: Lichtendahl, Grushka-Cockayne & Winkler (2013), Is it better to average probabilities or quantiles?
    """

    models: Sequence[Any]
    weights: Sequence[float] | None = None
    seed: Annotated[int, AtLeast(0)] | None = None

    save = storage.save
    get_params = members.get_params
    set_params = members.set_params

    @property
    def horizon(self) -> int:
        """H, that of all models."""
        horizons = sorted({model.horizon for model in self.models})
        if len(horizons) != 1:
            raise ValueError(f"the models of an ensemble need one horizon, not {horizons}; set the same in all")
        return horizons[0]

    @property
    def uses_covariates(self) -> bool:
        """Whether one of the models reads covariates."""
        return any(getattr(model, "uses_covariates", True) for model in self.models)

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Fit a copy of every model.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The ensemble itself.
        """
        warn_unused_covariates(self, roles)
        check_settings(self)
        self._shares()
        _ = self.horizon  # raises where the models differ
        short = roles.get("short", "error")
        panel = training_panel(data, y, roles)
        self.models_: list[Any] = [clone(model).fit(panel, short=short) for model in self.models]
        return self

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
        """The mean quantiles of the models, for the series that all of them forecast.

        Args:
            data: other or longer series; None: those of ``fit``, from their end.
            future: known covariates of the steps ahead.
            static: static covariates of the series of ``data``.
            n_samples: draws of each model, from which its quantiles are taken.
            seed: None: the ensemble's, else the models' own.
            quantiles: levels of the answer, computed in blocks of series, the same bits as from the 23 levels; None:
                these.

        Returns:
            Quantiles at 23 levels from 0.01 to 0.99, or at those asked for.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: no series is forecast by all models.
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
        check_is_fitted(self, "models_")
        levels = None if quantiles is None else checked_quantiles(quantiles)
        chosen = self.seed if seed is None else seed
        asked: dict[str, Any] = {"future": future, "n_samples": n_samples, "seed": chosen}
        if static is not None:
            asked["static"] = static
        streams = [forecast_blocks(model, data, quantiles=LEVELS, **asked) for model in self.models_]
        blocks = self._averaged([*streams[:1], *map(_quietly, streams[1:])])
        first = next(blocks, None)
        if first is None:
            raise DataError(
                "no series is forecast by all models of the ensemble; set a smaller ",
                Setting("context_length"),
                " of some",
            )
        blocks = chain([first], blocks)
        yield from blocks if levels is None else gathered(summarised(block, levels) for block in blocks)

    def _averaged(self, streams: Sequence[Iterator[Forecast]]) -> Iterator[Forecast]:
        for blocks in in_step(streams):
            values = np.einsum("m,mnqh->nqh", self._shares(), np.stack([block.values for block in blocks]))
            first = blocks[0]
            yield Forecast(first.ids, first.times, values, levels=LEVELS, grid=first.grid, schema=first.schema)

    def _shares(self) -> np.ndarray:
        """The weights (M,), summing to 1."""
        count = len(self.models)
        if count == 0:
            raise ValueError("an ensemble needs at least one model; give a list of forecasters")
        shares = np.ones(count) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        if shares.shape != (count,) or not (shares >= 0).all() or not shares.sum() > 0:
            raise ValueError(f"weights must be {count} numbers of 0 or more, one a model, not {self.weights!r}")
        return shares / shares.sum()


def _quietly(stream: Iterator[Forecast]) -> Iterator[Forecast]:
    """Blocks of a member whose series the first member has warned of."""
    while True:
        with silence_accepted():
            block = next(stream, None)
        if block is None:
            return
        yield block
