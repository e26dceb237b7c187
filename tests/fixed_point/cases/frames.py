"""Frames to panels and forecasts to frames, and what the calendar tells forecasters."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

import tsformers as tsf
from fixed_point.data import counts, daily, even, gaps, hourly, with_covariates
from fixed_point.models import autoformer, linear, naive
from fixed_point.registry import case

FREQUENCIES = (
    "s", "10min", "30min", "h", "6h", "D", "B", "W", "W-WED", "2W", "MS", "ME", "QS", "QE", "YS", "YE", "3MS", 1, 5,
)  # fmt: skip


def packed(panel: Any) -> dict[str, Any]:
    """What a panel holds."""
    held = ("ids", "offsets", "ends", "times", "y", "past", "known", "lengths")
    return {name: getattr(panel, name) for name in held} | {
        "freq": str(panel.freq),
        "static": panel.static,
        "back": panel.to_frame(),
        "future": panel.future_times(3),
        "padded": panel.padded(8),
    }


def long(freq: Any) -> pd.DataFrame:
    """A small frame of this frequency."""
    return daily(2, 12, freq=freq)


for freq in FREQUENCIES:
    case(f"panel, {freq}")(
        lambda freq=freq: {
            "inferred": packed(tsf.Panel.from_frame(long(freq))),
            "given": packed(tsf.Panel.from_frame(long(freq), freq=freq)),
            "forecast": naive(3).fit(daily(2, 30, freq=freq), freq=freq).predict(n_samples=4, seed=0).to_frame(),
        }
    )


@case("panel, kinds of frames", trained=True)
def kinds():
    frame, future, static = with_covariates()
    wide = frame.pivot(index="ds", columns="unique_id", values="y")
    zoned = frame.assign(ds=frame["ds"].dt.tz_localize("Europe/Berlin"))
    named = frame.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    both = pd.concat([frame[["unique_id", "ds", "y"]], daily(1, 5).assign(unique_id="short")])
    return {
        "covariates": packed(tsf.Panel.from_frame(frame, known=["price"], static=static)),
        "with future": packed(tsf.Panel.from_frame(frame, known=["price"], static=static).with_future(future, 4)),
        "wide": packed(tsf.Panel.from_frame(tsf.from_wide(wide))),
        "from wide": tsf.from_wide(wide),
        "from wide, numbers": tsf.from_wide(wide.reset_index(drop=True)),
        "series": packed(tsf.Panel.from_frame(wide["s0"])),
        "zoned": packed(tsf.Panel.from_frame(zoned)),
        "named": packed(tsf.Panel.from_frame(named, id_col="shop", time_col="day", target_col="sales")),
        "unsorted, gaps": packed(tsf.Panel.from_frame(gaps())),
        "categories": packed(tsf.Panel.from_frame(frame.astype({"unique_id": "category"}))),
        "numbers as ids": packed(tsf.Panel.from_frame(frame.assign(unique_id=frame["unique_id"].str[1:].astype(int)))),
        "whole values": packed(tsf.Panel.from_frame(counts().astype({"y": int}))),
        "hours by time": packed(tsf.Panel.from_frame(hourly(30))),
        "short dropped": linear().fit(both, short="drop").predict(n_samples=4, seed=0),
    }


@case("panel, parts")
def parts():
    panel = tsf.Panel.from_frame(with_covariates()[0], known=["price"])
    return {
        "select": packed(panel.select([2, 0])),
        "tail": packed(panel.tail(9)),
        "until": packed(panel.until(panel.offsets[:-1] + 30)),
    }


@case("polars and pyarrow")
def others():
    import polars as pl
    import pyarrow as pa

    frame, collected = daily(2, 40), {}
    for name, table in {"polars": pl.from_pandas(frame), "pyarrow": pa.Table.from_pandas(frame)}.items():
        answer = naive().fit(table).predict(n_samples=5, seed=0).to_frame()
        collected[name] = answer.to_pandas()
        collected[f"{name} kind"] = type(answer).__module__.split(".")[0]
    return collected


@case("forecast, all questions", trained=True)
def questions():
    frame, collected = even(4), {}
    models = {
        "draws": naive(),
        "joint": linear(multivariate=True),
        "levels": linear(likelihood="quantile"),
        "function": linear(likelihood="quantile_function"),
    }
    for name, model in models.items():
        forecast = model.fit(frame).predict(n_samples=20, seed=0)
        collected[name] = {
            "frame": forecast.to_frame(),
            "levels asked": forecast.to_frame(quantiles=(0.05, 0.333, 0.95)),
            "mean": forecast.mean,
            "median": forecast.median,
            "quantile": forecast.quantile([0.01, 0.2, 0.5, 0.99]),
            "one": forecast.quantile(0.75),
            "interval": forecast.interval(0.9),
            "cdf": forecast.cdf(np.linspace(8, 45, 16).reshape(4, 4)),
            "select": forecast.select([3, 1]),
        }
        if forecast.samples is not None:
            groups = {"s0": "a", "s1": "b", "s2": "a", "s3": "b"}
            collected[name] |= {"sum": forecast.sum(), "groups": forecast.sum(groups)}
            there_and_back = tsf.from_gluonts(forecast.to_gluonts()) if find_spec("gluonts") else forecast
            collected[name]["gluonts"] = there_and_back
    return collected


@case("calendar features", trained=True)
def calendar():
    collected = {}
    for freq in ("30min", "h", "D", "B", "W", "MS", "QS", "YS"):
        model = autoformer(max_steps=3, encoder_layers=1).fit(daily(2, 40, freq=freq), freq=freq)
        collected[freq] = model.predict(n_samples=5, seed=0)
    return collected


@case("seasons by frequency")
def seasons():
    collected = {}
    for freq in FREQUENCIES:
        model = naive(2).fit(daily(1, 130, freq=freq), freq=freq)
        collected[str(freq)] = [model.season_, model.predict(n_samples=3, seed=0)]
    return collected
