"""A leaderboard: what is to be measured, what is there, and the run that measures the rest."""

import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from tsformers import __version__
from tsformers.data.panel import Panel
from tsformers.errors import JobError, did_you_mean
from tsformers.evaluation.origins import rolling_origins
from tsformers.evaluation.refits import is_local
from tsformers.evaluation.rolling import backtest
from tsformers.evaluation.run_folder import write_whole
from tsformers.jobs.data_table import DataTable, read_data
from tsformers.jobs.job_file import table_model
from tsformers.jobs.plugins import load_plugins
from tsformers.messages import message_of
from tsformers.reproduction.leaderboard.scores import Answers, answers_of, completed, panel_scores, seasonal_scales
from tsformers.reproduction.leaderboard.tables import (
    BOARD,
    BoardTable,
    Group,
    ModelRow,
    PanelTable,
    find_board,
    read_board,
    read_groups,
    read_rows,
)

SCORES = "scores.json"  # of one panel, model and seed, beside its windows
RUN = "run"  # its run folder


class Task(NamedTuple):
    """One panel, one model, one seed."""

    group: str
    panel: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.panel}/{self.model}/{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """A leaderboard whose files have been read and checked.

    Example:
        >>> board = read_leaderboard("leaderboard")
        >>> str(board.tasks(["nn5_daily/SeasonalNaive"])[0])
        'nn5_daily/SeasonalNaive/0'
    """

    folder: Path
    table: BoardTable
    groups: tuple[Group, ...]
    rows: dict[str, ModelRow]
    out: Path
    extra: dict[str, type] = field(default_factory=dict)

    def tasks(self, only: Sequence[str] = ()) -> list[Task]:
        """What is measured, in the order in which it is.

        Args:
            only: patterns PANEL/MODEL/SEED, in which a group may stand for its panels and later parts may be left out;
                ``*`` and ``?`` as in a shell. Empty: everything.

        Returns:
            Tasks; rows whose class this version lacks are left out.

        Raises:
            JobError: a pattern that nothing fits.
        """
        every = [
            Task(group.name, panel, row.name, seed)
            for group in self.groups
            for panel in group.panels
            for row in self.rows.values()
            if row.offered and (not row.panels or panel in row.panels)
            for seed in range(row.seeds)
        ]
        if not only:
            return every
        for pattern in only:
            if not any(_fits(task, pattern) for task in every):
                names = [*(g.name for g in self.groups), *(p for g in self.groups for p in g.panels)]
                parts = pattern.split("/")
                near = did_you_mean(parts[1], self.rows) if parts[0] in names and len(parts) > 1 else ""
                raise JobError(
                    f"{self.folder / BOARD}: nothing is called {pattern!r}; {near or did_you_mean(parts[0], names)}"
                )
        return [task for task in every if any(_fits(task, pattern) for pattern in only)]

    def run(self, only: Sequence[str] = (), note: Callable[[str], object] = lambda _: None) -> None:
        """Measure what is not there yet; each result is stored as soon as it is finished.

        Args:
            only: as for ``tasks``.
            note: is handed a line about each result.

        Raises:
            JobError: a pattern that nothing fits, or data that are not there.
        """
        for task in self.tasks(only):
            if self.result(task) is None:
                note(self._measure(task))

    def result(self, task: Task) -> dict[str, Any] | None:
        """The scores of a task; None where it is not measured, or was with other settings."""
        found = self.stored(task)
        return None if found is None or found["asked"] != self._asked(task) else found["scores"]

    def stored(self, task: Task) -> dict[str, Any] | None:
        """What is stored of a task, whatever its settings were; None: nothing."""
        place = self.place(task) / SCORES
        if not place.is_file():
            return None
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
            return {"asked": found["asked"], "scores": found["scores"]}
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(f"{place} cannot be read ({error}); delete it and its folder") from error

    def failure(self, task: Task) -> str:
        """The error of a task that failed, "" where there is none."""
        for place in sorted((self.place(task) / RUN / "failures").rglob("*.json")):
            return str(json.loads(place.read_text(encoding="utf-8"))["error"])
        return ""

    def place(self, task: Task) -> Path:
        """The folder of a task."""
        return self.out / task.panel / quote(task.model, safe=" +").replace(".", "%2E") / str(task.seed)

    def answers(self, task: Task, panel: Panel) -> Answers:
        """The stored forecasts of a task; what it left out is answered by the reference, measured first if need be.

        Args:
            task: all of its windows are stored.
            panel: its data.

        Returns:
            Forecasts of all series and windows.

        Raises:
            JobError: the reference fails.
        """
        places = sorted((self.place(task) / RUN / "forecasts").rglob("*.parquet"))
        table = pd.concat([pd.read_parquet(place) for place in places], ignore_index=True)
        own = answers_of(table, panel.schema.target_col, self.table.levels, self.panel_table(task).horizon)
        reference = task._replace(model=self.table.reference, seed=0)
        if len(own.y) == self._n_answers(task, panel) or task == reference:
            return own
        if self.result(reference) is None:
            line = self._measure(reference)
            if self.result(reference) is None:
                raise JobError(f"the reference is needed for series that were left out: {line}")
        return completed(own, self.answers(reference, panel))

    def _n_answers(self, task: Task, panel: Panel) -> int:
        """How many series and windows there are."""
        table = self.panel_table(task)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # series that are too short for a window
            origins = rolling_origins(panel, table.horizon, table.windows, table.horizon, self.table.history_rows)
        return int((origins.n_history > 0).sum())

    def panel_table(self, task: Task) -> PanelTable:
        """The table of the panel of a task."""
        return next(group for group in self.groups if group.name == task.group).panels[task.panel]

    def forecaster(self, task: Task) -> Any:
        """The model of a task, not fitted.

        Raises:
            JobError: its table has an unknown setting, or one out of range.
        """
        panel = self.panel_table(task)
        defaults = {
            "horizon": panel.horizon,
            "season_length": panel.season,
            "period": panel.season,
            **self.table.settings,
        }
        place = f"{self.folder / BOARD}: models.{task.model}"
        return table_model(self.rows[task.model].table, defaults, self.extra, place)

    def _asked(self, task: Task) -> dict[str, Any]:
        """What the numbers of a task depend on, besides data and version."""
        panel, board = self.panel_table(task), self.table
        asked = {
            "model": self.rows[task.model].table,
            "panel": [panel.dataset or task.panel, panel.horizon, panel.season, panel.windows, panel.series],
            "protocol": [list(board.levels), board.n_samples, board.history_rows],
        }
        return json.loads(json.dumps(asked))

    def _measure(self, task: Task) -> str:
        """Backtest one model on one panel and store its scores; a line that says how it went."""
        if self.stored(task) is not None:
            return f"{task}: was measured with other settings; delete {self.place(task)} to measure it again"
        try:
            model = self.forecaster(task)
            panel, scales = load_panel(task.panel, self.panel_table(task))
            found = self._scores(task, model, panel, scales)
        except (JobError, ValueError, TypeError) as error:
            return f"{task}: not measured: {message_of(error, 'job')}"
        if found is None:
            return f"{task}: failed: {self.failure(task)}"
        text = json.dumps({"asked": self._asked(task), "scores": found, "tsformers": __version__}, indent=1)
        write_whole(self.place(task) / SCORES, text + "\n")
        return f"{task}: wql {found['wql']:.4f}, scaled crps {found['scaled_crps']:.3f}, {found['seconds']:.1f} s"

    def _scores(self, task: Task, model: Any, panel: Panel, scales: np.ndarray) -> dict[str, Any] | None:
        """The scores of one backtest; None where a window failed."""
        table, board = self.panel_table(task), self.table
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # series left out are counted in the scores
            result = backtest(
                {task.model: model},
                panel,
                windows=table.windows,
                refit="local",
                metrics=("mae",),
                n_samples=board.n_samples,
                quantiles=board.levels,
                seed=task.seed,
                season_length=table.season,
                history_rows=board.history_rows,
                out=self.place(task) / RUN,
                verbose=False,
                short="drop",
            )
            if len(result.tables["failures"]):
                return None
            answers = self.answers(task, panel)
        seconds = result.tables["seconds"][["fit_cpu", "predict_cpu"]].to_numpy().sum()
        spent = {"seconds": float(seconds), "local": is_local(model), "when": time.strftime("%Y-%m-%d", time.gmtime())}
        return panel_scores(answers, board.levels, scales) | {"left_out": len(result.tables["left_out"])} | spent


@lru_cache(maxsize=4)
def _cached_panel(name: str, dataset: str, horizon: int, season: int, windows: int, series: tuple[str, ...]) -> Any:
    data = DataTable(dataset=dataset, series=list(series), known=[], past=[])
    panel, _ = read_data(data, Path(name))
    return panel, seasonal_scales(panel, horizon, windows, season)


def load_panel(name: str, table: PanelTable) -> tuple[Panel, np.ndarray]:
    """The series of a panel, without covariates, and the scales of their errors.

    Args:
        name: of the panel.
        table: of the panel.

    Returns:
        N series, and (N, W) scales.

    Raises:
        JobError: there is no such data set, or its file is not here.

    Example:
        >>> panel, scales = load_panel("nile", PanelTable(horizon=5, season=1, windows=2))
        >>> panel.n_series, scales.shape
        (1, (1, 2))
    """
    return _cached_panel(name, table.dataset or name, table.horizon, table.season, table.windows, tuple(table.series))


def read_leaderboard(
    name: str | Path, out: str | Path | None = None, plugins: Sequence[str | Path] = ()
) -> Leaderboard:
    """Read and check the files of a leaderboard; nothing is run and no data are read.

    Args:
        name: of the one that came with the package, "leaderboard", or a folder of one's own that holds board.toml.
        out: folder of the results; None: ``runs`` and the name of the folder.
        plugins: Python files whose ``FORECASTERS`` may be named as classes.

    Returns:
        The leaderboard.

    Raises:
        JobError: there is no such leaderboard, or a key is missing, unknown or of the wrong type.

    Example:
        >>> read_leaderboard("leaderboard").out.as_posix()
        'runs/leaderboard'
    """
    folder = find_board(name)
    if folder is None:
        raise JobError(f"{name}: there is no folder with a {BOARD}; write one, or say leaderboard")
    table, extra = read_board(folder), load_plugins(plugins)
    return Leaderboard(
        folder=folder,
        table=table,
        groups=tuple(read_groups(folder, table)),
        rows=read_rows(folder, table, extra),
        out=Path("runs") / folder.resolve().name if out is None else Path(out),
        extra=extra,
    )


def _fits(task: Task, pattern: str) -> bool:
    """Whether a task fits PANEL/MODEL/SEED, later parts left out or not."""
    parts = iter(pattern.split("/"))
    first, model, seed = next(parts), next(parts, "*"), next(parts, "*")
    place = fnmatchcase(task.panel, first) or fnmatchcase(task.group, first)
    return place and fnmatchcase(task.model, model) and fnmatchcase(str(task.seed), seed)
