"""What lies at the edges: odd series, other clocks, new series, second derivatives, layouts of data sets."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import tsformers as tsf
from fixed_point.cases.anomaly import decided
from fixed_point.command_line import table
from fixed_point.data import daily, even, hourly, two_kinds, with_covariates
from fixed_point.models import (
    QUIET,
    annealed,
    autoformer,
    detector,
    gru,
    linear,
    lru,
    lru_size,
    mixture,
    naive,
    theta,
)
from fixed_point.registry import case

LOCAL = {
    "SeasonalNaive": tsf.SeasonalNaive,
    "HoltWinters": tsf.HoltWinters,
    "AutoETS": tsf.AutoETS,
    "AutoARIMA": tsf.AutoARIMA,
    "Theta": tsf.Theta,
}


def odd() -> pd.DataFrame:
    """Series that are short, constant, zero, mostly missing, huge, or falling below zero."""
    rng = np.random.default_rng(0)
    kinds = {
        "short": [3.0, 4.0],
        "one": [5.0],
        "under two seasons": 5 + rng.normal(size=11),
        "constant": np.full(30, 4.0),
        "zero": np.zeros(30),
        "holes": np.where(rng.random(40) < 0.7, np.nan, rng.normal(size=40)),
        "huge": 1e12 + 1e9 * rng.normal(size=30),
        "signs": rng.normal(size=30),
        "steps": np.repeat([1.0, 9.0], 15),
    }
    kinds["holes"][[0, -1]] = 1.0
    parts = [
        pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=len(y)), "y": y})
        for name, y in kinds.items()
    ]
    return pd.concat(parts, ignore_index=True)


for name, kind in LOCAL.items():
    case(f"odd series, {name}")(
        lambda kind=kind: kind(horizon=3, **QUIET).fit(odd(), freq="D").predict(n_samples=6, seed=0)
    )


@case("long seasons")
def long_seasons():
    frame = hourly(80, 1)
    kinds = {"ets": tsf.AutoETS, "hw": tsf.HoltWinters, "theta": tsf.Theta}
    return {name: kind(horizon=3, **QUIET).fit(frame).predict(n_samples=5, seed=0) for name, kind in kinds.items()}


def clocks() -> dict[str, pd.DataFrame]:
    """The same values at other kinds of time, and with other kinds of ids."""
    frame = hourly(96, 2)
    zoned = frame.assign(ds=(frame["ds"] + pd.Timedelta("85D")).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"))
    numbers = frame.assign(ds=5 * ((frame["ds"] - frame["ds"].min()) // pd.Timedelta("1h")))
    return {
        "zoned": zoned,
        "numbers": numbers,
        "categories": frame.astype({"unique_id": "category"}),
        "whole ids": frame.assign(unique_id=frame["unique_id"].str[1:].astype(int)),
        "strings": frame.assign(unique_id=frame["unique_id"].astype("string")),
    }


for name in clocks():

    @case(f"clock, {name}", trained=True)
    def clock(name: str = name) -> dict[str, Any]:
        frame, collected = clocks()[name], {}
        collected["naive"] = naive(3).fit(frame).predict(n_samples=4, seed=0).to_frame()
        collected["linear"] = linear(max_steps=2).fit(frame).predict(n_samples=4, seed=0).to_frame()
        model = detector().fit(frame.head(160))
        tsf.save(model, "kept")
        collected["detector"] = decided(tsf.load("kept").update_many(frame.tail(32).to_dict("records")))
        collected["found"] = model.detect(frame.tail(32))
        return collected


def with_texts(model: Any) -> dict[str, Any]:
    """A model with statics that are words, saved and loaded."""
    frame, future, static = with_covariates()
    static["kind"] = pd.Series(["a", "b", "a"], dtype="category")
    static["land"] = ["x", "z", "y"]
    model.fit(frame, known=["price"], static=static)
    tsf.save(model, "kept")
    return {"forecast": [one.predict(future=future, n_samples=5, seed=0) for one in (model, tsf.load("kept"))]}


for name, make in {"Autoformer": autoformer, "LRU": lru, "REDSDS": annealed}.items():
    case(f"statics of words, {name}", trained=True)(lambda make=make: with_texts(make()))


@case("channels with covariates", trained=True)
def channels():
    frame = even(2, 64)
    frame["price"] = np.random.default_rng(0).normal(size=64 - 1)[frame.groupby("unique_id").cumcount()]
    ahead = frame.groupby("unique_id").cumcount(ascending=False) < 4
    collected = {}
    for name, model in {"lru": lru(multivariate=True), "autoformer": autoformer(multivariate=True)}.items():
        model.fit(frame[~ahead], known=["price"])
        collected[name] = model.predict(future=frame[ahead].drop(columns="y"), n_samples=5, seed=0)
    return collected


@case("short histories", trained=True)
def short():
    collected, few = {}, daily(2, 6, seed=3)
    for name, model in {"linear": linear(), "lru": lru(), "autoformer": autoformer()}.items():
        model.fit(pd.concat([daily(3, 60), few.assign(unique_id="f")[:6]]), short="drop")
        both = pd.concat([few.assign(unique_id="few " + few["unique_id"]), daily(2, 40)])
        collected[name] = model.predict(both, n_samples=5, seed=0)
    return collected


@case("series never seen")
def unseen():
    model = tsf.Clustered(mixture(), naive()).fit(two_kinds())
    fresh = two_kinds(6, 45, seed=2).assign(unique_id=lambda x: x["unique_id"] + 9)
    sums = tsf.Clustered(mixture(), theta(season_length=1), aggregate=True).fit(two_kinds())
    watch = detector(refresh=2).fit(hourly(96, 2))
    rows = hourly(45, 3, "2024-01-05", seed=1)
    collected = {"clustered": model.predict(fresh, n_samples=4, seed=0)}
    collected["total"] = sums.predict(two_kinds(12, 55), n_samples=4, seed=0)
    collected["watched"] = decided(watch.update_many(rows.to_dict("records")))
    collected["skipped"] = decided(detector(unseen="skip").fit(hourly(96, 2)).update_many(rows.to_dict("records")))
    return collected


@case("detector, fitted before, control changed")
def changed():
    model = detector(naive().fit(hourly(96))).fit(hourly(96), prefit=True)
    first = decided(model.update_many(hourly(10, 3, "2024-01-05", seed=1).to_dict("records")))
    model.set_control(tsf.fdr.SAFFRON(0.2, decay=0.9))
    rows = hourly(10, 3, "2024-01-05 10:00", seed=2).to_dict("records")
    return {"first": first, "later": decided(model.update_many(rows)), "panel": model.panel.to_frame().tail(9)}


@case("streams of many series at different times", trained=True)
def streams():
    collected, late = {}, daily(2, 40, seed=5).assign(unique_id=lambda x: "late " + x["unique_id"])
    for name, model in {"lru": lru(), "gru": gru(**lru_size()), "s4d": lru(cell="s4d", likelihood="student_t")}.items():
        model.fit(daily(3, 60))
        stream, found = model.stream(daily(2, 50)), []
        stream.add(late)
        for k in range(6):
            ids = stream.ids if k % 2 else stream.ids[1:3]
            following = stream.update(np.linspace(9, 14, len(ids)) + k, ids=ids)
            found.append(
                [
                    following.mean,
                    following.quantile([0.1, 0.9]),
                    following.times,
                    following.cdf(np.full(len(following), 11.0)),
                ]
            )
        collected[name] = {"found": found, "forecast": following.to_forecast()}
    return collected


@case("sums by groups")
def sums():
    forecast = naive().fit(even(4)).predict(n_samples=6, seed=0)
    names = ["a", "b", "a", "b"]
    kinds = {"list": names, "series": pd.Series(names, index=forecast.ids), "array": np.array(names)}
    return {name: forecast.sum(groups) for name, groups in kinds.items()}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Seeded, in double precision, wanting a gradient."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


def twice(output: torch.Tensor, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """First and second derivatives of a sum of squares."""
    first = torch.autograd.grad(output.square().sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(part.abs().square().sum() for part in first), inputs, allow_unused=True)
    return [*first, *(part for part in second if part is not None)]


@case("second derivatives")
def second():
    torch.manual_seed(0)
    layer, collected = tsf.nn.LRULayer(3, 5).double(), {}
    u = noise(2, 9, 3)
    collected["LRULayer"] = twice(layer(u), [u, *layer.parameters()])
    s4d = tsf.nn.S4DLayer(3, 4).double()
    collected["S4DLayer"] = twice(s4d(u), [u, *s4d.parameters()])
    a = torch.polar(torch.linspace(0.5, 0.9, 4, dtype=torch.float64), torch.linspace(0, 1, 4, dtype=torch.float64))
    b = torch.complex(noise(2, 9, 4, seed=1), noise(2, 9, 4, seed=2)).detach().requires_grad_()
    collected["linear_scan"] = twice(torch.view_as_real(tsf.nn.linear_scan(a, b)), [b])
    auto = tsf.nn.AutoCorrelationLayer(6, 2, 1.5).double().eval()
    x = noise(2, 12, 6, seed=3)
    collected["AutoCorrelationLayer"] = twice(auto(x, x), [x])
    return collected


@case("windows")
def windows():
    window = tsf.testing.make_window(3, 8, 4, channels=2, past_x=1, known_x=2, seed=1)
    return {"past": window.past, "future": window.future}


RECIPES = {
    "long": ('layout = "long"\nfrequency = "D"\ncolumns.id = "shop"\ncolumns.time = "day"\ncolumns.target = "sales"\n'
             'columns.past = ["visits"]\nbenchmark.horizons = [2]\nbenchmark.split_last = 3\n',
             "shop,day,sales,visits\n" + "".join(f"{s},2024-01-0{d},{d * 1.5 + len(s)},{d % 3}\n"
                                                 for s in ("a", "bb") for d in range(1, 9))),
    "wide": ('layout = "wide"\nfrequency = "h"\nseason = 24\ncolumns.time = "t"\nbenchmark.horizons = [2]\n'
             "benchmark.split_rows = { train = 5, validation = 2, test = 2 }\n",
             "t,x,y\n" + "".join(f"2024-01-01 {d:02}:00:00,{d},{d * d}\n" for d in range(10))),
    "rows": ('layout = "rows"\nfrequency = 1\nbenchmark.horizons = [2]\ncolumns.id = "name"\n'
             'columns.missing = [-1.0]\n',
             "name,1,2,3,4\na,1,2,3,4\nb,5,-1,7,8\n"),
    "months": ('layout = "months"\nfrequency = "MS"\nbenchmark.horizons = [2]\ncolumns.time = { year = "year" }\n',
               "year," + ",".join(map(str, range(1, 13))) + "\n" + "".join(
                   f"{y}," + ",".join(str(y % 7 + m) for m in range(12)) + "\n" for y in (1990, 1991))),
}  # fmt: skip


@case("data sets of every layout")
def layouts():
    collected = {}
    for name, (recipe, text) in RECIPES.items():
        head = f'title = "t"\nlicence = "l"\ncitation = "c"\nsource.file = "{name}.csv"\nsource.origin = "here"\n'
        Path(f"{name}.toml").write_text(head + recipe, encoding="utf-8")
        Path(f"{name}.csv").write_text(text, encoding="utf-8")
        collected[name] = tsf.load_dataset(f"{name}.toml", extra=["split"] if "split" in recipe else [])
    return collected


@case("commands, other settings", trained=True)
def commands():
    two_kinds().to_csv("kinds.csv", index=False)
    daily(2, 50).to_csv("days.csv", index=False)
    small = ["max_steps=3", "context_length=16", "d_state=2", "max_duration=6", "batch_size=8"]
    settings = [word for one in small for word in ("--set", one)]
    ar = ["cluster", "kinds.csv", "--method", "ar"]
    return {
        "shares": table(*ar, "--clusters", "2", "--shares"),
        "chosen": table(*ar, "--clusters", "1,2", "--seed", "3"),
        "kmeans": table("cluster", "kinds.csv", "--method", "kmeans", "--clusters", "2"),
        "gmm": table("cluster", "kinds.csv", "--method", "gmm", "--clusters", "2"),
        "mstl": table("decompose", "days.csv", "--method", "mstl", "--period", "4,7"),
        "moving average": table("decompose", "days.csv", "--method", "moving_average", "--freq", "D"),
        "viterbi": table("segment", "days.csv", "--regimes", "2", "--method", "viterbi", *settings, "--save", "kept"),
        "kept": table("segment", "days.csv", "--model", "kept"),
        "horizon": table("forecast", "days.csv", "--model", "AutoETS", "--horizon", "3", "--set", "season_length=1"),
    }
