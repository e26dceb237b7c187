"""Pipeline: preprocessors before a forecaster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, Unpack

from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.compose import members
from tsformers.contracts import Joint, Preprocessor
from tsformers.data.blocks.forecast_blocks import checked_quantiles, forecast_blocks, gathered, joined, summarised
from tsformers.data.blocks.panel_blocks import series_at
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.storage.training_panel import training_panel
from tsformers.validation import lacking_parts


@dataclass(repr=False, eq=False)
class Pipeline(BaseEstimator):
    """Preprocessors before a forecaster: itself a forecaster.

    The steps transform the panel from left to right; they invert the forecast from right to left, draw by draw. Steps
    learn from the panel of ``fit`` alone, so that a backtest never looks ahead. A step that is learned together with
    the forecaster (``AutocorrelatedErrors``) treats the rest of the pipeline as that forecaster.

    Args:
        steps: preprocessors; copies of them are fitted. May be empty.
        forecaster: any forecaster; a copy is fitted.

    Returns:
        After ``fit``: ``steps_`` and ``forecaster_``, the fitted copies.

    Raises:
        TypeError: at ``fit``, a step is no preprocessor, or the last part no forecaster.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive, TrendSeasonalDecomposition
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [float(t + 3 * (t % 2)) for t in range(40)]})
        >>> naive = SeasonalNaive(horizon=2, season_length=1, seed=0)
        >>> model = Pipeline([TrendSeasonalDecomposition(period=2, remove="both")], naive).fit(frame)
        >>> model.predict().median.round(1)
        array([[40., 44.]])

    Source: the pipelines of scikit-learn, with an inverse.
    """

    steps: Sequence[Any]
    forecaster: Any

    save = storage.save
    get_params = members.get_params
    set_params = members.set_params

    @property
    def horizon(self) -> int:
        """H, that of the forecaster."""
        return self.forecaster.horizon

    @property
    def uses_covariates(self) -> bool:
        """Whether the forecaster reads covariates."""
        return getattr(self.forecaster, "uses_covariates", True)

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Fit copies of the steps and of the forecaster, each on the output of the one before it.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``; ``short`` is passed on to the forecaster.

        Returns:
            The pipeline itself.
        """
        warn_unused_covariates(self, roles)
        self._check()
        short = roles.get("short", "error")
        panel = training_panel(data, y, roles)
        self.panel_: Panel = panel.tail(1)  # its roles are needed, its rows are not
        self.short_: str = short
        fitted: list[Any] = []
        for k, step in enumerate(self.steps, start=1):
            fitted.append(clone(step, safe=False))
            if isinstance(step, Joint):
                rest = Pipeline(self.steps[k:], self.forecaster) if self.steps[k:] else self.forecaster
                self.forecaster_: Any = fitted[-1].fit_with(panel, rest, short)
                break
            panel = fitted[-1].fit(panel).transform(panel)
        else:
            self.forecaster_ = clone(self.forecaster, safe=False).fit(panel, short=short)
        self.steps_: list[Any] = fitted
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
        """Forecast what follows the end of each series of ``data`` (None: of the data of ``fit``).

        Args:
            data: other or longer series, transformed by the fitted steps.
            future: known covariates of the steps ahead.
            static: static covariates of the series of ``data``.
            n_samples: draws of each series.
            seed: None: the forecaster's.
            quantiles: levels; the answer is the means of the draws and their quantiles at these levels, computed in
                blocks of series as far as the forecaster can. None: draws.

        Returns:
            Draws in the caller's units (quantiles, if the forecaster gives them and every step keeps them).

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: as in ``Panel.from_frame`` and the forecaster.
        """
        refuse_unknown(unknown, "predict", PREDICT)
        asked: dict[str, Any] = {"future": future, "static": static, "n_samples": n_samples, "seed": seed}
        if quantiles is not None:
            return joined(self.predict_blocks(data, quantiles=quantiles, **asked))
        panel, pasts, given = self._transformed(data, asked)
        return self._inverse(self.forecaster_.predict(panel, **given), pasts)

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
        asked: dict[str, Any] = {"future": future, "static": static, "n_samples": n_samples, "seed": seed}
        panel, pasts, given = self._transformed(data, asked)
        drawn = forecast_blocks(self.forecaster_, panel, **given)
        blocks = (self._inverse(block, [_of_block(past, block) for past in pasts]) for block in drawn)
        yield from blocks if levels is None else gathered(summarised(block, levels) for block in blocks)

    def _transformed(
        self, data: Frame | Panel | None, asked: dict[str, Any]
    ) -> tuple[Panel | None, list[Panel | None], dict[str, Any]]:
        """What the forecaster is given, what each step was given, and the keywords that are left."""
        check_is_fitted(self, "forecaster_")
        if data is None:
            return None, [None] * len(self.steps_), asked
        panel = self.panel_.like(data, asked["static"], self.short_).with_future(asked["future"], self.horizon)
        pasts: list[Panel | None] = []
        for step in self.steps_:
            pasts.append(panel)
            panel = step.transform(panel)
        return panel, pasts, {name: asked[name] for name in ("n_samples", "seed")}

    def _inverse(self, forecast: Forecast, pasts: Sequence[Panel | None]) -> Forecast:
        for step, past in zip(self.steps_[::-1], pasts[::-1], strict=True):
            forecast = step.inverse(forecast, past)
        return forecast

    def _check(self) -> None:
        steps = self.steps if isinstance(self.steps, Sequence) else [self.steps]
        for step in steps:
            if isinstance(step, type) or not isinstance(step, Preprocessor):
                raise TypeError(
                    f"steps must be a list of preprocessors (fit, transform, inverse); {step!r} is none"
                    + ("; write Scale() rather than Scale" if isinstance(step, type) else "")
                )
        lacks = lacking_parts(self.forecaster)
        if lacks or isinstance(self.forecaster, type) or steps is not self.steps:
            raise TypeError(
                f"a pipeline is Pipeline([preprocessor, ...], forecaster); {self.forecaster!r} "
                + (f"lacks {', '.join(lacks)}" if lacks else "must be an object, and steps a list")
            )


def _of_block(past: Panel | None, block: Forecast) -> Panel | None:
    """The series of a block alone, so that a step does not look through all series for each block."""
    return None if past is None else series_at(past, past.ids.get_indexer(block.ids))
