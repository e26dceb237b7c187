"""The results of a backtest: settings, frames of scores, forecasts and failures, and the ranking of models."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import pandas as pd

from tsformers.data.panel import Panel
from tsformers.distributions.quantile_columns import quantile_columns
from tsformers.evaluation.skill import geometric_skill, paired_tests, score_ratios, skill_table
from tsformers.evaluation.stored_tables import StoredTables
from tsformers.validation import AtLeast, Between, check_settings

LATER = ("season_length", "history_rows")  # settings that runs of former versions do not name
COUNTS = ("horizon", "windows", "step", "n_samples")


@dataclass(frozen=True)
class Settings:
    """The settings that the numbers of a backtest depend on, besides data and models; see ``backtest``.

    Example:
        >>> settings = Settings(4, 2, 4, False, ("crps",), 100, (0.1, 0.9), 0)
        >>> settings.quantile_columns
        ['q0.1', 'q0.9']
        >>> Settings(4, 0, 4, False, ("crps",), 100, (0.1, 0.9), 0)
        Traceback (most recent call last):
        ValueError: windows must be a whole number of 1 or more, not 0
    """

    horizon: Annotated[int, AtLeast(1)]
    windows: Annotated[int, AtLeast(1)]
    step: Annotated[int, AtLeast(1)]
    refit: bool | Annotated[int, AtLeast(1)] | Literal["local"]
    metrics: tuple[str, ...]
    n_samples: Annotated[int, AtLeast(1)]
    quantiles: tuple[Annotated[float, Between(0, 1, open="both")], ...]
    seed: Annotated[int, AtLeast(0)] | None
    season_length: Annotated[int, AtLeast(1)] | None = None
    history_rows: Annotated[int, AtLeast(2)] | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        for name in COUNTS:  # numpy's whole numbers have no JSON
            object.__setattr__(self, name, int(getattr(self, name)))
        for name in ("refit", "seed", "season_length", "history_rows"):
            value = getattr(self, name)
            object.__setattr__(self, name, value if value is None or isinstance(value, bool | str) else int(value))

    @property
    def quantile_columns(self) -> list[str]:
        """Names of the quantile columns, in order of level."""
        return quantile_columns(self.quantiles)

    def as_dict(self) -> dict[str, Any]:
        """The settings by name; those of later versions only where they are set, so that older runs can be resumed."""
        return {name: value for name, value in asdict(self).items() if name not in LATER or value is not None}


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """The results of a backtest as pandas frames, and the models ranked by them.

    Args:
        models: names, in the order given.
        reference: the model that skill is measured against: the first ``SeasonalNaive``, else the first whose name
            contains "naive", else the first.
        settings: of the backtest.
        panel: the data.
        tables: "forecasts", "scores", "failures", "left_out" and "seconds" as pandas frames with the columns model,
            window (0 = earliest) and series (position in ``panel.ids``) besides those that the properties show; those
            of a large run folder are read when they are asked for.
        described: the models' reprs, by name.
        when: when the backtest ended, ISO 8601 in UTC.
        seconds: how long this call took, all models together.
        backend: the caller's type of frame.

    Example:
        >>> from tsformers import SeasonalNaive, backtest
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> result = backtest(SeasonalNaive(horizon=4, season_length=4), df, windows=2, metrics=["mae"])
        >>> result.ranking()[["model", "mae", "windows", "failures"]]
                   model  mae  windows  failures
        0  SeasonalNaive  0.0        2         0
    """

    models: tuple[str, ...]
    reference: str
    settings: Settings
    panel: Panel
    tables: Mapping[str, pd.DataFrame]
    described: dict[str, str]
    when: str
    seconds: float
    backend: str = "pandas"

    def part(self, name: str, columns: Sequence[str] | None = None, series: int | None = None) -> pd.DataFrame:
        """A part of a table, without reading the rest of it where it lies in a run folder.

        Args:
            name: of the table.
            columns: None = all.
            series: position of one series; None = all.

        Returns:
            Rows and columns of the table.
        """
        if isinstance(self.tables, StoredTables):
            return self.tables.part(name, columns, series)
        table = self.tables[name]
        table = table if series is None else table[table["series"] == series]
        return table if columns is None else table[list(columns)]

    def ranking(self) -> pd.DataFrame:
        """One row a model, best first by the first metric; lower is better, coverages rank by distance to nominal.

        A metric is the unweighted mean over series and windows; where series differ in scale, large series dominate it.
        ``skill`` does not depend on scale: one minus the geometric mean, over series, of score / reference score in the
        first metric, each a mean over the windows that both models finished. 0.1 = ten per cent better than the
        reference, negative = worse. Ratios are clipped to [0.01, 100] and two zeros are a ratio of one, so that no
        single series decides; NaN where scores can be negative. ``median_skill`` is one minus the median ratio,
        ``win_rate`` the share of series on which the model is better than the reference (ties count half).
        ``skills`` has intervals, tests and how many ratios were clipped. A model with failed windows is averaged
        over the others, which may have been easier: compare ``windows``.

        Returns:
            Frame: model, one column a metric, skill, median_skill, win_rate, windows, failures, fit_seconds,
            predict_seconds.
        """
        first = self.settings.metrics[0]
        scores = self.part("scores", ["model", "metric", "value"])
        table = scores.pivot_table(index="model", columns="metric", values="value", aggfunc="mean", observed=True)
        table = table.reindex(index=list(self.models), columns=list(self.settings.metrics))
        ratios = self._ratios(first)
        table["skill"] = geometric_skill(ratios)
        shown = skill_table(ratios, resamples=0)
        table["median_skill"], table["win_rate"] = shown["median_skill"], shown["win_rate"]
        seconds, failures = self.tables["seconds"].groupby("model"), self.tables["failures"]
        table["windows"] = seconds["window"].nunique()
        table["failures"] = failures.groupby("model").size()
        table[["windows", "failures"]] = table[["windows", "failures"]].fillna(0).astype(int)
        table["fit_seconds"], table["predict_seconds"] = seconds["fit"].sum(), seconds["predict"].sum()
        order = (
            as_loss(table[first], first).to_numpy().argsort(kind="stable")
        )  # NaN, a model without scores, comes last
        return table.iloc[order].rename_axis(index="model", columns=None).reset_index()

    def skill(self, metric: str) -> pd.Series:
        """Skill of every model against the reference in one metric; see ``ranking``."""
        return geometric_skill(self._ratios(metric))

    def skills(self, metric: str | None = None) -> pd.DataFrame:
        """Skill in one metric with intervals over series, and paired tests against the best model.

        A ratio is a model's mean score on a series over the reference's, see ``ranking``; the geometric mean is over
        ratios clipped to [0.01, 100], median and win rate are not changed by clipping. The interval holds 95 % of
        1,000 bootstrap samples of series, drawn with the seed of the backtest. The best model is the first of
        ``ranking``; every other is compared with it by a Diebold-Mariano test over windows, each window the mean over
        series of the relative difference in score. Windows that overlap are allowed for, and few windows too; with one
        window there is no such test, and with few it finds large differences only.

        Args:
            metric: None = the first, by which models are ranked.

        Returns:
            Frame in the order of ``ranking``: model, skill, skill_low, skill_high, median_skill, win_rate, clipped,
            series, dm (positive = worse than the best), p_value.

        Raises:
            ValueError: the backtest has no such metric.

        Example:
            >>> from tsformers import SeasonalNaive, backtest
            >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
            >>> models = {f"season {m}": SeasonalNaive(horizon=4, season_length=m) for m in (1, 4)}
            >>> backtest(models, df, windows=2).skills()[["model", "win_rate", "clipped", "series"]]
                  model  win_rate  clipped  series
            0  season 4       1.0        1       1
            1  season 1       0.5        0       1
        """
        chosen = self.settings.metrics[0] if metric is None else metric
        if chosen not in self.settings.metrics:
            raise ValueError(f"the backtest has no metric {chosen!r}; it has {', '.join(self.settings.metrics)}")
        order = self.ranking()["model"]
        losses = self._losses(chosen)
        table = skill_table(score_ratios(losses, self.reference), seed=self.settings.seed or 0)
        overlap = -(-self.settings.horizon // self.settings.step) - 1
        table = table.join(paired_tests(losses, order.iloc[0], overlap))
        return table.loc[order].rename_axis(index="model", columns=None).reset_index()

    def _losses(self, metric: str) -> pd.DataFrame:
        """Scores that are better when lower, one row a series and window, one column a model."""
        scores = self.part("scores", ["model", "window", "series", "metric", "value"])
        rows = scores[scores["metric"] == metric]
        wide = as_loss(rows.set_index(["series", "window", "model"])["value"], metric).unstack("model")
        return wide.reindex(columns=list(self.models))

    def _ratios(self, metric: str) -> pd.DataFrame:
        return score_ratios(self._losses(metric), self.reference)


def as_loss(values: pd.Series, metric: str) -> pd.Series:
    """Scores that are better when lower: coverages and PIT become their distance to nominal.

    Args:
        values: scores in ``metric``.
        metric: its name, for example "crps" or "coverage_80".

    Returns:
        The same numbers, or distances.

    Example:
        >>> as_loss(pd.Series([0.75]), "coverage_80").round(3).tolist()
        [0.05]
    """
    if metric.startswith("coverage_"):
        return (values - float(metric.removeprefix("coverage_")) / 100).abs()
    if metric == "pit":
        return (values - 0.5).abs()
    return values
