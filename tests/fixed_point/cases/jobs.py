"""Job files: small ones of our own, and ours made small; and published tables measured again on toys."""

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from fixed_point.command_line import run
from fixed_point.data import daily
from fixed_point.registry import case
from tsformers.pandas_versions import EXACT_CSV

PIPELINES = Path(__file__).resolve().parents[3] / "pipelines"
SMALL = {"max_steps": 3, "context_length": 16, "batch_size": 8}
SIZES: dict[str, dict[str, Any]] = {
    "Linear": SMALL,
    "Autoformer": SMALL | {"d_model": 16, "d_ff": 16},
    "LRU": SMALL | {"d_model": 8, "d_state": 8},
    "REDSDS": SMALL | {"n_regimes": 2, "d_state": 2, "max_duration": 5},
}
HEAD = """
[data]
file = "data.csv"
[backtest]
horizon = 4
windows = 2
n_samples = 10
metrics = ["crps", "mase"]
"""
RECIPE = """
title = "t"
licence = "l"
citation = "c"
layout = "long"
frequency = "D"
source.file = "toy.csv"
source.origin = "here"
columns.id = "unique_id"
columns.time = "ds"
benchmark.horizons = [4]
benchmark.context_length = 16
benchmark.split_shares = { train = 0.6, validation = 0.2, test = 0.2 }
"""


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {toml(one)}' for key, one in value.items())}}}"
    return repr(value)


def models(path: Path) -> str:
    """The models of a job of ours, each at the size of a toy."""
    lines = []
    for name, settings in tomllib.loads(path.read_text(encoding="utf-8"))["models"].items():
        lines.append(f'[models."{name}"]')
        lines += [f"{key} = {toml(value)}" for key, value in (settings | SIZES.get(settings["class"], {})).items()]
    return "\n".join(lines)


def of_run(job: str) -> dict[str, Any]:
    """A job's scores and its rank, without seconds."""
    Path("job.toml").write_text(job, encoding="utf-8")
    run("backtest", "job.toml", "--out", "run", "--output", "rank.csv", "--no-verbose")
    rank = pd.read_csv("rank.csv", **EXACT_CSV)
    times = [column for column in rank.columns if "second" in column or "time" in column]
    return {"rank": rank.drop(columns=times)}


def register(path: Path) -> None:
    """A case: the models of a job of ours on a toy."""

    def answers() -> dict[str, Any]:
        daily(2, 60).to_csv("data.csv", index=False)
        return of_run(HEAD + models(path))

    case(f"job {path.stem}", trained=True)(answers)


SEEN = set()
for path in sorted(PIPELINES.glob("*.toml")):
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    alike = repr(table.get("models"))
    if table.get("kind", "backtest") == "backtest" and alike not in SEEN:
        SEEN.add(alike)
        register(path)


@case("job of our own", trained=True)
def own():
    daily(3, 60).assign(price=1.0).to_csv("data.csv", index=False)
    return of_run(
        """
        preprocess = [{class = "Scale", method = "robust"}]
        [data]
        file = "data.csv"
        freq = "D"
        series = ["s0", "s2"]
        [backtest]
        horizon = 3
        windows = 2
        step = 3
        refit = true
        n_samples = 10
        seed = 4
        quantiles = [0.1, 0.5, 0.9]
        metrics = ["crps", "mae", "coverage_80"]
        [models.naive]
        class = "SeasonalNaive"
        [models.clustered]
        class = "Clustered"
        clusterer = {class = "MixSeq", n_clusters = 1, backbone = "ar", seed = 0}
        forecaster = {class = "Theta"}
        [models.ensemble]
        class = "Ensemble"
        models = [{class = "Theta"}, {class = "SeasonalNaive"}]
        preprocess = []
        [models.decomposed]
        class = "Linear"
        max_steps = 3
        context_length = 16
        preprocess = [{class = "TrendSeasonalDecomposition"}, {class = "AutocorrelatedErrors"}]
        """
    )


@case("reproduce fdr")
def fdr():
    table = tomllib.loads((PIPELINES / "fdr_simulation.toml").read_text(encoding="utf-8"))
    lines = [f"{key} = {toml(table[key])}" for key in ("kind", "title", "source", "seed", "decay")]
    for name, settings in table["procedures"].items():
        lines += [f'[procedures."{name}"]', *(f"{key} = {toml(value)}" for key, value in settings.items())]
    for name, settings in table["experiments"].items():
        less = {key: value for key, value in settings.items() if not key.startswith("published")}
        less |= {"length": 200, "repeats": 2, "gamma_size": 50}
        for axis in ("targets", "shares", "thresholds"):
            if axis in less:
                less[axis] = less[axis] | {"count": min(less[axis]["count"], 2)}
        lines += [f"[experiments.{name}]", *(f"{key} = {toml(value)}" for key, value in less.items())]
    Path("mine.toml").write_text("\n".join(lines), encoding="utf-8")
    run("reproduce", "mine.toml", "--out", "run", "--output", "found.csv")
    return pd.read_csv("found.csv", **EXACT_CSV).drop(columns="seconds", errors="ignore")


def reproduced(path: Path) -> pd.DataFrame:
    """The model of a published table, at the size of a toy, on a toy."""
    daily(1, 120).to_csv("toy.csv", index=False)
    Path("toy.toml").write_text(RECIPE, encoding="utf-8")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    kind = table["model"]["class"].partition(".")[0]
    sizes = {key: value for key, value in SIZES.get(kind, {}).items() if key != "context_length"}
    lines = ['title = "t"', 'source = "s"', "seeds = 2", "n_samples = 5"]
    lines += [f"none = {toml(table['none'])}"] if "none" in table else []
    lines += ["[model]", *(f"{key} = {toml(value)}" for key, value in (table["model"] | sizes).items())]
    lines += ['[datasets."toy.toml"]', "context_length = 16", "horizons = [2, 4]"]
    lines += ['[datasets."toy.toml".published]', "4 = { mse = 1.5, mae = 1.25, mse_sd = 0.5 }"]
    Path("mine.toml").write_text("\n".join(lines), encoding="utf-8")
    run("reproduce", "mine.toml", "--out", "run", "--output", "found.csv")
    return pd.read_csv("found.csv", **EXACT_CSV).drop(columns=["seconds", "settings"], errors="ignore")


for path in sorted((PIPELINES / "reproduce").glob("*.toml")):
    case(f"reproduce {path.stem}", trained=True)(lambda path=path: reproduced(path))
