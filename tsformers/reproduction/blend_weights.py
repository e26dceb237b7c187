"""The shipped weights of Blend: made from their recipe, and validated on real panels that no test of it uses."""

import hashlib
import platform
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.torch import save_file

from tsformers.data.panel import Panel
from tsformers.errors import JobError
from tsformers.forecasters.blend.forecaster import Blend
from tsformers.forecasters.blend.member import untrained
from tsformers.forecasters.blend.network import BlendNetwork
from tsformers.forecasters.blend.pretrained import RECIPE, VALIDATION, WEIGHTS
from tsformers.forecasters.blend.pretraining import Recipe, pretrained
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.reproduction.leaderboard.board import load_panel
from tsformers.reproduction.leaderboard.scores import Answers, panel_scores
from tsformers.reproduction.leaderboard.tables import PanelTable, find_board, read_board, read_groups

LIBRARIES = ("torch", "numba", "numpy")
DEVELOPMENT = "development"  # the group of panels of the leaderboard that choices are made on
COLUMNS = ("wql", "scaled_crps", "mase", "coverage_80", "coverage_95")


def made(steps: Recipe, folder: Path, report: Callable[[str], None], verbose: bool | None = None) -> pd.DataFrame:
    """Train the weights by a recipe and write them, the recipe and the table of their validation.

    Args:
        steps: the recipe.
        folder: where the three files are written; it is made.
        report: takes a line about each stage.
        verbose: progress bar; None: where stderr is a terminal.

    Returns:
        The table of ``validated``.
    """
    network, losses = pretrained(steps, verbose)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / WEIGHTS)
    late = max(1, len(losses) // 10)
    report(f"{steps.steps} steps, mean loss of the last tenth {np.mean(losses[-late:]):.4f}: {folder / WEIGHTS}")
    table = pd.DataFrame(validated(network))
    table.to_csv(folder / VALIDATION, index=False, float_format="%.5f")
    (folder / RECIPE).write_text(recipe_text(steps, folder / WEIGHTS), encoding="utf-8")
    return table


def recipe_text(steps: Recipe, weights: Path) -> str:
    """The recipe as TOML, with the versions and the processor that the bits depend on.

    Args:
        steps: the recipe.
        weights: the file that it made.

    Returns:
        A text that ``tomllib`` reads.
    """
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    made_with = {name: version(name) for name in LIBRARIES} | {"processor": processor()}
    lines = ["[recipe]", *(f"{name} = {value}" for name, value in asdict(steps).items())]
    lines += ["", "[made_with]", "threads = 1", *(f'{name} = "{value}"' for name, value in made_with.items())]
    return "\n".join([*lines, "", "[weights]", f'sha256 = "{digest}"', ""])


def read_recipe(folder: Path) -> Recipe:
    """The recipe of the weights in a folder.

    Example:
        >>> from tsformers.forecasters.blend.pretrained import FOLDER
        >>> read_recipe(FOLDER).seed
        0
    """
    return Recipe(**tomllib.loads((folder / RECIPE).read_text(encoding="utf-8"))["recipe"])


def processor() -> str:
    """The kind of processor, as the system names it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def validated(network: BlendNetwork) -> Iterator[dict[str, object]]:
    """Scores of a network without training on each development panel of the leaderboard that is at hand.

    Args:
        network: weights to judge.

    Yields:
        panel, series, then wql, scaled_crps, mase, coverage_80 and coverage_95, see ``leaderboard.scores``, and the
        wql of the seasonal naive. Panels whose files are not here are left out.
    """
    folder = find_board("leaderboard")
    assert folder is not None
    board = read_board(folder)
    group = next(each for each in read_groups(folder, board) if each.name == DEVELOPMENT)
    for name, table in group.panels.items():
        try:
            panel, scales = load_panel(name, table)
        except JobError:
            continue
        blend = Blend(horizon=table.horizon, season_length=table.season, max_steps=0, device="cpu").fit(panel)
        blend.members_ = [untrained(network)]
        naive = SeasonalNaive(horizon=table.horizon, season_length=table.season, seed=0, n_jobs=1).fit(panel)
        scores, reference = (_scores(model, panel, scales, table, board.levels) for model in (blend, naive))
        yield (
            {"panel": name, "series": panel.n_series}
            | {key: scores[key] for key in COLUMNS}
            | {"naive_wql": reference["wql"]}
        )


def _scores(
    model: Any, panel: Panel, scales: np.ndarray, table: PanelTable, levels: Sequence[float]
) -> dict[str, float]:
    """Of the last windows of each series, the model as it is."""
    found = []
    for window in range(table.windows):
        cut = panel.ends - (table.windows - window) * table.horizon
        some = np.flatnonzero(cut > panel.offsets[:-1])
        part = panel.select(some)
        history = part.until(part.offsets[:-1] + (cut - panel.offsets[:-1])[some])
        quantiles = model.predict(history, seed=0, quantiles=levels).values
        truth = panel.y[cut[some][:, None] + np.arange(table.horizon)]
        found.append(Answers(some, np.full(len(some), window), truth, quantiles))
    parts = (np.concatenate(each) for each in zip(*found, strict=True))
    return panel_scores(Answers(*parts), levels, scales)
