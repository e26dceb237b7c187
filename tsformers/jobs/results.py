"""What a backtest found: scores, forecasts and failures as frames, and the models ranked."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tsformers.frames import from_pandas
from tsformers.panel import Panel

RATIO_RANGE = (0.01, 100.0)  # of a score to the reference's score, so that a zero decides no geometric mean alone


@dataclass(frozen=True)
class Settings:
    """What decides the numbers of a backtest, besides data and models."""

    horizon: int
    windows: int
    step: int
    refit: bool | int
    metrics: tuple[str, ...]
    n_samples: int
    quantiles: tuple[float, ...]
    seed: int | None

    @property
    def quantile_columns(self) -> list[str]:
        """Names of the quantile columns, in order of level."""
        return [f"q{level:g}" for level in self.quantiles]

    def as_dict(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self)


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult:
    """The answer of ``backtest``: frames in the caller's own type and column names.

    Args:
        models: names, in the order given.
        reference: the model that skill is measured against: the first ``SeasonalNaive``, else the first whose name
            contains "naive", else the first.
        settings: what decided the numbers.
        panel: the data, as the backtest saw them.
        tables: "forecasts", "scores", "failures" and "seconds" as pandas frames with the columns model, window (0 =
            earliest) and series (position in ``panel.ids``) besides those that the properties show.
        described: the models' own words, by name.
        when: when the backtest ended, ISO 8601 in UTC.
        seconds: how long this call took, all models together.
        backend: the caller's type of frame.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive, backtest
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> result = backtest(SeasonalNaive(horizon=4, season_length=4), df, windows=2, metrics=["mae"])
        >>> result.scores
                   model unique_id  cutoff metric  value
        0  SeasonalNaive         a      31    mae    0.0
        1  SeasonalNaive         a      35    mae    0.0
    """

    models: tuple[str, ...]
    reference: str
    settings: Settings
    panel: Panel
    tables: dict[str, pd.DataFrame]
    described: dict[str, str]
    when: str
    seconds: float
    backend: str = "pandas"

    @property
    def scores(self) -> Any:
        """Frame: model, unique_id, cutoff, metric, value; one row a model, series, window and metric."""
        return self._shown("scores")

    @property
    def forecasts(self) -> Any:
        """Frame: model, unique_id, ds, cutoff, y, mean, q..., pit, crps; one row a step forecast."""
        return self._shown("forecasts")

    @property
    def failures(self) -> Any:
        """Frame: model, cutoff, error; one row a model and window that failed."""
        return self._shown("failures")

    def summary(self) -> Any:
        """One row a model, best first by the first metric; lower is better, coverages rank by distance to nominal.

        A metric's number is the mean over series and windows, all alike; where series differ in scale, large series
        decide it. ``skill`` does not depend on scale: one minus the geometric mean, over series, of score / reference
        score in the first metric, each a mean over the windows that both models finished. 0.1 = ten per cent better
        than the reference, negative = worse. Ratios are held within 0.01 and 100 and two zeros are a ratio of one, so
        that no single series decides; NaN where scores can be negative. A model with failed windows is averaged over
        the others, which may have been easier: compare ``windows``.

        Returns:
            Frame: model, one column a metric, skill, windows, failures, fit_seconds, predict_seconds.
        """
        return from_pandas(self.ranking(), self.backend)

    def ranking(self) -> pd.DataFrame:
        """The summary, as a pandas frame whatever the caller's type."""
        scores, first = self.tables["scores"], self.settings.metrics[0]
        table = scores.pivot_table(index="model", columns="metric", values="value", aggfunc="mean", observed=True)
        table = table.reindex(index=list(self.models), columns=list(self.settings.metrics))
        table.insert(table.shape[1], "skill", self.skill(first))
        seconds, failures = self.tables["seconds"].groupby("model"), self.tables["failures"]
        table["windows"] = seconds["window"].nunique()
        table["failures"] = failures.groupby("model").size()
        table[["windows", "failures"]] = table[["windows", "failures"]].fillna(0).astype(int)
        table["fit_seconds"], table["predict_seconds"] = seconds["fit"].sum(), seconds["predict"].sum()
        order = loss(table[first], first).to_numpy().argsort(kind="stable")  # NaN, a model without scores, comes last
        return table.iloc[order].rename_axis(index="model", columns=None).reset_index()

    def skill(self, metric: str) -> pd.Series:
        """Skill of every model against the reference in one metric; see ``summary``."""
        scores = self.tables["scores"]
        rows = scores[scores["metric"] == metric]
        wide = loss(rows.set_index(["series", "window", "model"])["value"], metric).unstack("model")
        wide = wide.reindex(columns=list(self.models))
        if (wide < 0).any(axis=None):
            return pd.Series(np.nan, index=wide.columns)
        base = wide.mul(0).add(wide[self.reference], axis=0)  # where both have a score
        means = {name: part.groupby(level="series").mean() for name, part in (("own", wide + 0 * base), ("base", base))}
        own, others = means["own"], means["base"]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = own / others
        ratio = ratio.mask((own == 0) & (others == 0), 1.0).clip(*RATIO_RANGE)
        return 1 - np.exp(np.log(ratio).mean())

    def to_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write a report: one HTML file that needs nothing else.

        Args:
            path: of the file; its folder is made when missing.
            title: heading; None = "Backtest".

        Returns:
            The path.
        """
        from tsformers.jobs.report import write_report

        return write_report(self, path, title)

    def __repr__(self) -> str:
        return (
            f"BacktestResult({len(self.models)} models, {self.panel.n_series} series, {self.settings.windows} windows "
            f"of {self.settings.horizon} steps, {len(self.tables['failures'])} failures)"
        )

    def _shown(self, name: str) -> Any:
        hidden = ["window", "series"]
        return from_pandas(self.tables[name].drop(columns=hidden, errors="ignore"), self.backend)


def loss(values: pd.Series, metric: str) -> pd.Series:
    """A score as something that is better when lower: coverages and PIT become their distance to nominal.

    Args:
        values: scores in ``metric``.
        metric: its name, for example "crps" or "coverage_80".

    Returns:
        The same numbers, or distances.

    Example:
        >>> loss(pd.Series([0.75]), "coverage_80").round(3).tolist()
        [0.05]
    """
    if metric.startswith("coverage_"):
        return (values - float(metric.removeprefix("coverage_")) / 100).abs()
    if metric == "pit":
        return (values - 0.5).abs()
    return values
