"""Commands: the numbers that they print."""

import json

import pandas as pd

from fixed_point.command_line import frame, lines, run, table
from fixed_point.data import daily, hourly, two_kinds, with_covariates
from fixed_point.registry import case

NETWORK = ["--set", "max_steps=3", "--set", "context_length=16", "--set", "batch_size=8"]
FIT = ["--model", "SeasonalNaive", "--horizon", "4", "--control", "LORD", "--decay", "0.9", "--alpha", "0.2"]
FIT += ["--detector", "p_value=predictive", "--detector", "refresh=4", "--detector", "n_samples=20"]
FIT += ["--detector", "context_length=30"]


def written(rows: pd.DataFrame, path: str = "data.csv") -> str:
    """The rows as CSV."""
    rows.to_csv(path, index=False)
    return path


@case("command forecast", trained=True)
def forecast():
    past, future, static = with_covariates()
    written(daily(2, 40)), written(past, "x.csv"), written(future, "future.csv"), written(static, "static.csv")
    roles = ["--known", "price", "--future", "future.csv", "--static", "static.csv"]
    small = ["--horizon", "3", "--n-samples", "50"]
    collected = {
        name: table("forecast", "data.csv", "--model", name, *small, "--seed", "1")
        for name in ("SeasonalNaive", "HoltWinters", "AutoETS", "Theta")
    }
    collected["levels"] = table("forecast", "data.csv", "--model", "Theta", *small, "--quantiles", "0.05,0.5")
    four = ["--horizon", "4", "--n-samples", "10"]
    collected["Linear"] = table("forecast", "x.csv", "--model", "Linear", *four, *NETWORK, *roles)
    collected["LRU"] = table("forecast", "x.csv", "--model", "LRU", *four, *NETWORK, "--set", "d_model=8", *roles)
    run("forecast", "data.csv", "--model", "SeasonalNaive", *small, "--save", "kept", "-o", "out.jsonl")
    collected["json lines"] = lines("out.jsonl")
    collected["kept"] = table("forecast", "data.csv", "--model", "kept", "--n-samples", "10")
    collected["standard input"] = table(
        "forecast", "-", "--model", "Theta", *small, given=daily(1, 30).to_csv(index=False)
    )
    run("forecast", "data.csv", "--model", "SeasonalNaive", *small, "-o", "out.parquet")
    collected["parquet"] = pd.read_parquet("out.parquet")
    return collected


@case("command score")
def score():
    whole = daily(2, 44)
    ahead = whole.groupby("unique_id").cumcount(ascending=False) < 4
    written(whole[~ahead], "past.csv"), written(whole, "all.csv")
    run("forecast", "past.csv", "--model", "Theta", "--horizon", "4", "--n-samples", "50", "-o", "f.csv")
    return {
        "plain": table("score", "f.csv", "all.csv"),
        "by": table("score", "f.csv", "all.csv", "--by", "unique_id"),
        "relative": table("score", "f.csv", "all.csv", "--history", "past.csv", "--metrics", "mase,smape,mae"),
    }


@case("command decompose")
def decompose():
    written(daily(2, 50))
    return {
        "plain": table("decompose", "data.csv"),
        "stl": table("decompose", "data.csv", "--method", "stl", "--period", "7"),
    }


@case("command cluster", trained=True)
def cluster():
    written(two_kinds())
    small = ["context_length=16", "d_model=8", "n_layers=1", "pretrain_steps=3", "max_steps=4", "batch_size=8"]
    deep = [word for one in small for word in ("--set", one)]
    return {
        "ar": table("cluster", "data.csv", "--clusters", "2", "--set", "backbone=ar"),
        "deep": table("cluster", "data.csv", "--clusters", "2", *deep),
    }


@case("command segment", trained=True)
def segment():
    written(daily(2, 50))
    small = ["max_steps=4", "context_length=16", "d_state=2", "max_duration=6", "batch_size=8"]
    settings = [word for one in small for word in ("--set", one)]
    return table("segment", "data.csv", "--regimes", "2", *settings)


@case("command detect")
def detect():
    written(hourly(96), "history.csv")
    rows = hourly(40, 3, "2024-01-05", seed=1)
    written(rows, "rows.csv")
    run("detect", "--fit", "history.csv", *FIT, "--save", "d")
    collected = {"csv": frame("detect", "--model", "d", "rows.csv")}
    text = "".join(
        json.dumps({**row, "ds": row["ds"].isoformat(), "y": None if row["y"] != row["y"] else row["y"]}) + "\n"
        for row in rows.to_dict("records")
    )
    half = text.index("\n", len(text) // 2) + 1
    with open("rows.jsonl", "w", encoding="utf-8") as file:
        file.write(text[:half] + "no json\n" + text[:half].splitlines()[0] + "\n")
    run("detect", "--model", "d", "rows.jsonl", "-o", "out.jsonl", "--state", "state")
    with open("rows.jsonl", "a", encoding="utf-8") as file:
        file.write(text[half:])
    run("detect", "--model", "d", "rows.jsonl", "-o", "out.jsonl", "--state", "state")
    collected["json lines"] = lines("out.jsonl")
    collected["alarms"] = frame("detect", "--model", "d", "rows.csv", "--alarms")
    return collected


@case("command datasets")
def datasets():
    names = pd.read_csv(io_of(run("datasets", "list", "--format", "csv")))["name"]
    collected = {"names": names, "nile": table("datasets", "export", "nile")}
    for name in ("co2", "macrodata", "sunspots"):
        collected[name] = {"frame": table("datasets", "export", name)["frame"].head(60)}
    for name in ("nile", "ETTh1", "m4_hourly"):
        collected[f"{name} shown"] = pd.read_csv(io_of(run("datasets", "show", name, "--format", "csv"))).shape[1]
    return collected


@case("command models")
def models():
    shown = pd.read_csv(io_of(run("models", "list", "--format", "csv")))
    collected = {"names": shown.iloc[:, 0]}
    for name in ("SeasonalNaive", "Theta", "AutoARIMA"):  # their settings stay
        found = pd.read_csv(io_of(run("models", "show", name, "--format", "csv")), keep_default_na=False)
        collected[name] = found.iloc[:, :2].astype(str)
    return collected


def io_of(text: str):
    """The text as a file."""
    import io

    return io.StringIO(text)
