"""The result of ``backtest`` in the caller's own type of frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsformers.data.dataframes import from_pandas
from tsformers.evaluation.report import write_report
from tsformers.evaluation.results import Findings


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(Findings):
    """Scores, forecasts and failures of a backtest as frames of the caller's type and names, a ranking, a report.

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

    @property
    def scores(self) -> Any:
        """Frame: model, unique_id, cutoff, metric, value; one row a model, series, window and metric."""
        return self._frame("scores")

    @property
    def forecasts(self) -> Any:
        """Frame: model, unique_id, ds, cutoff, y, mean, q..., pit, crps; one row a step forecast."""
        return self._frame("forecasts")

    @property
    def failures(self) -> Any:
        """Frame: model, cutoff, error; one row a model and window that failed."""
        return self._frame("failures")

    @property
    def left_out(self) -> Any:
        """Frame: model, unique_id, cutoff; one row a series that a model left out of a window (``short="drop"``)."""
        return self._frame("left_out")

    def summary(self) -> Any:
        """One row a model, best first by the first metric, with its skill against ``reference``.

        Skill is one minus the geometric mean, over series, of score / reference score: 0.1 = ten per cent better.
        See ``ranking`` for zeros, failed windows and series left out, ``skill_table`` for intervals and tests.

        Returns:
            Frame: model, one column a metric, skill, median_skill, win_rate, windows, failures, fit_seconds,
            predict_seconds.
        """
        return from_pandas(self.ranking(), self.backend)

    def skill_table(self, metric: str | None = None) -> Any:
        """Skill with its intervals over series, and a paired test of each model against the best; see ``skills``.

        Args:
            metric: None = the first, by which models are ranked.

        Returns:
            Frame: model, skill, skill_low, skill_high, median_skill, win_rate, clipped, series, dm, p_value.

        Raises:
            ValueError: the backtest has no such metric.
        """
        return from_pandas(self.skills(metric), self.backend)

    def to_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write a report: one HTML file that holds its own pictures and style.

        Args:
            path: of the file; its folder is made when missing.
            title: heading; None = "Backtest".

        Returns:
            The path.
        """
        return write_report(self, path, title)

    def __repr__(self) -> str:
        return (
            f"BacktestResult({len(self.models)} models, {self.panel.n_series} series, {self.settings.windows} windows "
            f"of {self.settings.horizon} steps, {len(self.tables['failures'])} failures)"
        )

    def _frame(self, name: str) -> Any:
        positions = ["window", "series"]
        return from_pandas(self.tables[name].drop(columns=positions, errors="ignore"), self.backend)
