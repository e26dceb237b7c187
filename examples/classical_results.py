"""How accurate, calibrated and fast are the classical forecasters? Competition data, beside published rows and peers.

    python examples/classical_results.py                      # a small table on bundled data
    python examples/classical_results.py run                  # measure all models on all panels, resumable
    python examples/classical_results.py run m3_yearly Theta  # only what is called so: panels, models, or both
    python examples/classical_results.py peers                # the same for statsforecast and statsmodels
    python examples/classical_results.py table                # the tables of docs/results/classical.md

All but the first need TSFORMERS_DATA, the folder of the shared data. Scores of each series are kept in runs/classical,
one file a panel and model; what is there is not measured again. statsforecast runs in this Python, or in the one that
STATSFORECAST_PYTHON names (``benchmarks/statsforecast_worker.py``). Seconds are those of the processor, one thread.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

import tsformers as tsf

OUT = Path("runs/classical")
WORKER = Path(__file__).resolve().parents[1] / "benchmarks" / "statsforecast_worker.py"
DECILES = tuple(round(0.1 * k, 1) for k in range(1, 10))
LEVELS = (0.025, *DECILES, 0.975)
SEED = 0


@dataclass(frozen=True)
class Panel:
    """Data, and how they are forecast: ``freq`` gives dates to series whose steps are only counted."""

    horizon: int
    season: int  # of MASE and Naive2, as in the competition
    freq: str | None = None
    dataset: str | None = None


PANELS = {
    "m1_yearly": Panel(6, 1),
    "m1_quarterly": Panel(8, 4),
    "m1_monthly": Panel(18, 12),
    "m3_yearly": Panel(6, 1),
    "m3_quarterly": Panel(8, 4),
    "m3_monthly": Panel(18, 12),
    "m3_other": Panel(8, 1),
    "tourism_yearly": Panel(4, 1),
    "tourism_quarterly": Panel(8, 4),
    "tourism_monthly": Panel(24, 12),
    "hospital": Panel(12, 12),
    "m4_weekly": Panel(13, 1, "W"),
    "m4_hourly": Panel(48, 24),
}
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "SeasonalNaive": ("SeasonalNaive", {}),
    "AutoETS": ("AutoETS", {}),
    "AutoARIMA": ("AutoARIMA", {}),
    "HoltWinters": ("HoltWinters", {}),
    "Theta": ("Theta", {}),
    "Theta, dynamic": ("Theta", {"method": "dynamic"}),
}
PEERS = {
    "statsforecast AutoETS": 200,
    "statsforecast AutoARIMA": 100,
    "statsforecast Theta": 200,
    "statsforecast DynamicOptimizedTheta": 200,
    "statsmodels ETSModel": 50,
    "statsmodels SARIMAX": 50,
    "statsmodels ThetaModel": 50,
}  # series, drawn with SEED: the same for all that have as many
OWN = {  # of ours, the one that a peer is compared with
    "statsforecast AutoETS": "AutoETS",
    "statsforecast AutoARIMA": "AutoARIMA",
    "statsforecast Theta": "Theta",
    "statsforecast DynamicOptimizedTheta": "Theta, dynamic",
    "statsmodels ETSModel": "AutoETS",
    "statsmodels SARIMAX": "AutoARIMA",
    "statsmodels ThetaModel": "Theta",
}
MOST = {(peer, name): 20 for peer in PEERS for name in ("m4_hourly", "m4_weekly")}  # where more take over ten minutes
MOST |= {("statsforecast AutoARIMA", "m4_hourly"): 10}


@dataclass(frozen=True)
class Series:
    """One series: what a model sees, and what follows."""

    name: str
    past: np.ndarray
    actual: np.ndarray


def series_of(name: str) -> list[Series]:
    """The series of a panel: the last ``horizon`` rows are the test part of the competition."""
    data, horizon = tsf.load_dataset(PANELS[name].dataset or name), PANELS[name].horizon
    groups = data.dropna(subset=["y"]).groupby("unique_id", sort=True).y
    return [Series(str(key), y.to_numpy()[:-horizon], y.to_numpy()[-horizon:]) for key, y in groups]


def sample(every: list[Series], most: int | None) -> list[Series]:
    """All series, or so many of them by ``SEED``; fewer are a part of more."""
    if most is None or most >= len(every):
        return every
    chosen = np.random.default_rng(SEED).permutation(len(every))[:most]
    return [every[i] for i in sorted(chosen)]


def ours(model: str, name: str, series: list[Series]) -> tuple[np.ndarray, float]:
    """Quantiles (N, 11, H) of one of our forecasters with its defaults, and seconds of fit and predict."""
    panel = PANELS[name]
    kind, settings = OURS[model]
    frames = [_frame(one, panel, name) for one in series]
    data = tsf.Panel.from_frame(pd.concat(frames, ignore_index=True))
    counted = panel.freq is None and data.freq == 1
    forecaster = getattr(tsf, kind)(
        horizon=panel.horizon, season_length=panel.season if counted else None, seed=SEED, n_jobs=1, verbose=False,
        **settings,
    )  # fmt: skip
    _warm_up(forecaster, frames[0])
    began = time.process_time()
    forecast = forecaster.fit(data).predict(quantiles=LEVELS)
    seconds = time.process_time() - began
    where = {key: i for i, key in enumerate(forecast.ids)}
    return forecast.values[[where[one.name] for one in series]], seconds


def _frame(one: Series, panel: Panel, name: str) -> pd.DataFrame:
    freq = panel.freq or {"hospital": "MS", "m4_hourly": "h"}.get(name)
    rows = len(one.past)
    times = np.arange(rows) if freq is None else pd.date_range("2000-01-01", periods=rows, freq=freq)
    return pd.DataFrame({"unique_id": one.name, "ds": times, "y": one.past})


def _warm_up(forecaster: Any, frame: pd.DataFrame) -> None:
    """Compile the kernels, which is not counted."""
    forecaster.fit(frame.tail(60)).predict(quantiles=LEVELS)


def statsforecast(model: str, name: str, series: list[Series]) -> tuple[np.ndarray, float]:
    """The same by a class of statsforecast, in the Python that has it."""
    python = sys.executable if find_spec("statsforecast") else os.environ.get("STATSFORECAST_PYTHON")
    if not python:
        raise SystemExit("statsforecast is not installed; STATSFORECAST_PYTHON may name a Python that has it")
    panel = PANELS[name]
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, *[one.past for one in series])
        words = [python, "-P", str(WORKER), "quantiles", model, source, target, panel.season, panel.horizon]
        subprocess.run([str(word) for word in words], check=True)
        with np.load(target) as found:
            return found["quantiles"], float(found["seconds"])


def statsmodels(model: str, name: str, series: list[Series]) -> tuple[np.ndarray, float]:
    """The same by a class of statsmodels with one form for all series; a failed fit is the last value."""
    panel, found = PANELS[name], []
    began = time.process_time()
    for one in series:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found.append(STATSMODELS[model](one.past, panel.season, panel.horizon))
            except Exception:
                found.append(np.full((len(LEVELS), panel.horizon), one.past[-1]))
    return np.array(found), time.process_time() - began


def _ets_model(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    seasonal = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    fitted = ETSModel(y, error="add", trend="add", damped_trend=True, **seasonal).fit(disp=0)
    np.random.seed(SEED)
    draws = np.asarray(fitted.simulate(horizon, anchor="end", repetitions=1000))
    return np.quantile(draws.reshape(horizon, -1), LEVELS, axis=1)


def _sarimax(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    seasonal = (0, 1, 1, season) if season > 1 else (0, 0, 0, 0)
    answer = SARIMAX(y, order=(0, 1, 1), seasonal_order=seasonal).fit(disp=0).get_forecast(horizon)
    return _normal(np.asarray(answer.predicted_mean), np.asarray(answer.se_mean))


def _theta_model(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    from statsmodels.tsa.forecasting.theta import ThetaModel

    answer = ThetaModel(y, period=max(season, 1), deseasonalize=season > 1).fit()
    mean = np.asarray(answer.forecast(horizon))
    ends = np.asarray(answer.prediction_intervals(horizon, alpha=0.2))
    return _normal(mean, (ends[:, 1] - ends[:, 0]) / 2 / 1.2815515655446004)


def _normal(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    from scipy.stats import norm

    return np.asarray(mean + deviation * norm.ppf(LEVELS)[:, None])


STATSMODELS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "ETSModel": _ets_model,
    "SARIMAX": _sarimax,
    "ThetaModel": _theta_model,
}


def naive2(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The benchmark of the M competitions: the last value, seasonally adjusted where a 90 % test finds a season."""
    factors = np.ones(season)
    if season > 1 and len(y) >= 3 * season:
        away = y - y.mean()
        rho = np.array([away[k:] @ away[: len(y) - k] for k in range(1, season + 1)]) / (away @ away)
        if abs(rho[-1]) > 1.645 * np.sqrt((1 + 2 * (rho[:-1] ** 2).sum()) / len(y)):
            ends = 1.0 if season % 2 else 0.5
            weights = np.array([ends, *[1.0] * (season - 1), *([] if season % 2 else [ends])]) / season
            trend = np.convolve(y, weights, "valid")
            place = len(weights) // 2 + np.arange(len(trend))
            ratio = y[place] / trend
            factors = np.array([ratio[place % season == k].mean() for k in range(season)])
            factors /= factors.mean()
    last = len(y) - 1
    return np.asarray(y[-1] / factors[last % season] * factors[(last + 1 + np.arange(horizon)) % season])


def scores(series: list[Series], quantiles: np.ndarray, season: int) -> pd.DataFrame:
    """One row a series: sMAPE and MASE of the median, nine pinballs, coverage of 80 and 95 %."""
    rows = []
    for one, q in zip(series, quantiles, strict=True):
        y, median, steps = one.actual, q[5], one.past[season:] - one.past[:-season]
        size = np.abs(y) + np.abs(median)
        with np.errstate(invalid="ignore", divide="ignore"):
            smape = 200 * np.nanmean(np.where(size > 0, np.abs(y - median) / size, np.nan)) if (size > 0).any() else 0.0
            mase = np.abs(y - median).mean() / np.abs(steps).mean()
        away = y - q[1:10]
        pinballs = np.maximum(np.array(DECILES)[:, None] * away, (np.array(DECILES)[:, None] - 1) * away)
        inside = [((q[low] <= y) & (y <= q[high])).mean() for low, high in ((1, 9), (0, 10))]
        rows.append((one.name, smape, mase, 2 * pinballs.sum() / 9, np.abs(y).sum(), *inside, len(y)))
    columns = ["unique_id", "smape", "mase", "loss", "size", "cover80", "cover95", "steps"]
    return pd.DataFrame(rows, columns=columns)


def measure(model: str, name: str) -> None:
    """Score one model on one panel, unless that is done."""
    target = OUT / name / f"{model.replace(' ', '_')}.parquet"
    if target.exists():
        return
    series = sample(series_of(name), MOST.get((model, name), PEERS.get(model)))
    kind, _, rest = model.partition(" ")
    if model == "Naive2":
        point = [naive2(one.past, PANELS[name].season, PANELS[name].horizon) for one in series]
        quantiles, seconds = np.repeat(np.array(point)[:, None], len(LEVELS), axis=1), 0.0
    elif kind == "statsforecast":
        quantiles, seconds = statsforecast(rest, name, series)
    elif kind == "statsmodels":
        quantiles, seconds = statsmodels(rest, name, series)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quantiles, seconds = ours(model, name, series)
    table = scores(series, quantiles, PANELS[name].season)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(".json").write_text(json.dumps({"seconds": seconds, "series": len(series)}))
    table.to_parquet(target)
    print(f"{name}, {model}: {len(series)} series in {seconds:.1f} s, MASE {table.mase.mean():.3f}", flush=True)


def measured(name: str) -> dict[str, pd.DataFrame]:
    """What is there of a panel: scores of each series, by model, in the order of the tables."""
    every = ("Naive2", *OURS, *PEERS)
    paths = {model: OUT / name / f"{model.replace(' ', '_')}.parquet" for model in every}
    return {model: pd.read_parquet(path) for model, path in paths.items() if path.exists()}


def speed(name: str, model: str) -> float:
    """Series a second; NaN where no time was taken."""
    found = json.loads((OUT / name / f"{model.replace(' ', '_')}.json").read_text())
    return float(found["series"] / found["seconds"]) if found["seconds"] else np.nan


def summary(name: str) -> pd.DataFrame:
    """One row a model of ours."""
    found = measured(name)
    return pd.DataFrame(
        [{"model": model} | _row(table, found["Naive2"], speed(name, model))
         for model, table in found.items() if model not in PEERS]
    )  # fmt: skip


def beside(name: str) -> pd.DataFrame:
    """One row a peer, with our own model on the same series."""
    found, rows = measured(name), []
    for peer, own in OWN.items():
        if peer not in found or own not in found:
            continue
        ids = set(found[peer].unique_id) & set(found[own].unique_id)
        theirs, ours_ = (_row(table[table.unique_id.isin(ids)], found["Naive2"], speed(name, model))
                         for model, table in ((peer, found[peer]), (own, found[own])))  # fmt: skip
        row: dict[str, Any] = {"peer": peer, "ours": own, "series": theirs["series"]}
        for score in ("OWA", "MASE", "WQL", "cover 80", "cover 95", "series/s"):
            row |= {score: theirs[score], f"{score}, ours": ours_[score]}
        rows.append(row)
    return pd.DataFrame(rows)


def _row(table: pd.DataFrame, naive: pd.DataFrame, speed: float) -> dict[str, Any]:
    base = naive.set_index("unique_id").loc[table.unique_id]
    finite = np.isfinite(table.mase.to_numpy()) & np.isfinite(base.mase.to_numpy())
    mase = table.mase[finite].mean()
    owa = 0.5 * (table.smape.mean() / base.smape.mean() + mase / base.mase[finite].mean())
    spread = table.cover80.mean() > 0.1  # not of a point
    return {
        "series": len(table),
        "OWA": owa,
        "sMAPE": table.smape.mean(),
        "MASE": mase,
        "WQL": table.loss.sum() / table["size"].sum(),
        "cover 80": table.cover80.mean() if spread else np.nan,
        "cover 95": table.cover95.mean() if spread else np.nan,
        "series/s": speed,
    }


def markdown(table: pd.DataFrame) -> Iterator[str]:
    """The lines of a table."""
    digits = {"sMAPE": 2, "WQL": 4, "cover 80": 2, "cover 95": 2}
    yield f"| {' | '.join(table.columns)} |"
    yield f"| {' | '.join('---' for _ in table.columns)} |"
    for row in table.itertuples(index=False):
        cells = []
        for column, value in zip(table.columns, row, strict=True):
            if isinstance(value, float):
                wanted = digits.get(column.removesuffix(", ours"), 3)
                wanted = wanted if "series/s" not in column else 0 if value >= 10 else 1
                cells.append("" if np.isnan(value) else f"{value:.{wanted}f}")
            else:
                cells.append(str(value))
        yield f"| {' | '.join(cells)} |"


def overview(names: list[str]) -> pd.DataFrame:
    """OWA of our models by panel, and the geometric mean over panels."""
    found = {name: summary(name) for name in names}
    columns = {}
    for name, table in found.items():
        if len(table):
            own = table[table.model.isin(OURS)].drop_duplicates("model").set_index("model")["OWA"]
            columns[name.replace("_", " ")] = own
    wide = pd.DataFrame(columns).reindex(list(OURS))
    wide["all"] = np.exp(np.log(wide).mean(axis=1, skipna=False))
    return wide.reset_index()


def all_of_m3() -> pd.DataFrame:
    """Scores over the 3,003 series of M3, as published for the participants."""
    parts = [measured(name) for name in PANELS if name.startswith("m3_")]
    models = [model for model in parts[0] if all(model in part and model not in PEERS for part in parts)]
    whole = {model: pd.concat([part[model] for part in parts]) for model in models}
    return pd.DataFrame(
        [{"model": model, "series": len(table), "sMAPE": table.smape.mean(), "MASE": table.mase.mean()}
         for model, table in whole.items()]
    )  # fmt: skip


def quick() -> None:
    """Four models on quarterly series that come with the package."""
    data = tsf.load_dataset("macrodata")
    models = {name: getattr(tsf, kind)(horizon=8, seed=SEED, verbose=False, n_jobs=1, **settings)
              for name, (kind, settings) in OURS.items() if name != "AutoARIMA"}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = tsf.backtest(models, data, windows=2, step=4, metrics=["mase", "crps", "coverage_80", "coverage_95"])
    print(result.summary()[["model", "mase", "crps", "coverage_80", "coverage_95"]].round(2).to_string(index=False))


def main(words: list[str]) -> None:
    """Do what the first word says, for the panels and models that the others name."""
    if not words:
        return quick()
    task, asked = words[0], words[1:]
    panels = [name for name in PANELS if name in asked] or list(PANELS)
    if task == "table":
        print("\n".join(markdown(overview(panels))) + "\n")
        print("\n".join(markdown(all_of_m3())))
        for name in panels:
            print(f"\n### {name}, {PANELS[name].horizon} steps\n")
            for table in (summary(name), beside(name)):
                print("\n".join(markdown(table)) + "\n")
        return None
    every = ["Naive2", *OURS] if task == "run" else list(PEERS)
    for model in [model for model in every if model in asked] or every:
        for name in panels:
            measure(model, name)
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
