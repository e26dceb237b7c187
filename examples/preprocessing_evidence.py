"""Does a preprocessor help? The same forecasters with and without it, on the same windows of real panels.

    python examples/preprocessing_evidence.py                # AutocorrelatedErrors, quick, on bundled data
    python examples/preprocessing_evidence.py published      # AutocorrelatedErrors, by the protocol of the paper
    python examples/preprocessing_evidence.py errors         # AutocorrelatedErrors, one step and a whole horizon ahead
    python examples/preprocessing_evidence.py decomposition  # TrendSeasonalDecomposition
    python examples/preprocessing_evidence.py macro          # totals of many series, with and without clusters

All but the first need TSFORMERS_DATA. Tables are printed in markdown; they are those of docs/results/preprocessors.md.
Finished windows are written to runs/evidence and reused when the command is run again.
"""

import math
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.cluster import KMeans
from torch import nn
from torch.distributions import Distribution

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.errors import JobError
from tsformers.forecasters.neural import DistributionNetwork, TorchForecaster

OUT = Path("runs/evidence")
SEEDS = (1, 2, 3)
LOCAL = ("Theta", "AutoETS", "SeasonalNaive")  # deterministic: one seed
SMALL: dict[str, Any] = {"max_steps": 400, "d_model": 32, "verbose": False, "device": "cpu"}

PANELS = {  # most series, last rows of each, rows of context, windows of one step, windows of a whole horizon
    "ETTh1": (7, 5000, 60, 100, 20),
    "m4_hourly": (121, 744, 60, 60, 6),
    "exchange_rate": (8, 3000, 60, 100, 20),
    "m5_store_dept": (70, 1941, 60, 60, 10),
    "m4_weekly": (43, 2191, 60, 60, 6),
    "hospital": (200, 84, 24, 12, 2),
    "nn5_daily": (111, 791, 56, 60, 8),
}
SEASONS = {"ETTh1": 24, "m4_hourly": 24, "m5_store_dept": 7, "hospital": 12, "nn5_daily": 7}
HORIZONS = {"ETTh1": 24, "m4_hourly": 24, "exchange_rate": 30, "m5_store_dept": 28, "hospital": 12}
HORIZONS |= {"nn5_daily": 14}


class LSTMNetwork(DistributionNetwork):
    """The published network: two LSTM layers of 64, a head on the last state, no skip connection."""

    def __init__(self, channels: int, horizon: int, likelihood: str) -> None:
        super().__init__()
        self.read = nn.LSTM(channels, 64, num_layers=2, batch_first=True)
        self.spread = nn.Linear(64, horizon * 64) if horizon > 1 else nn.Identity()
        self.head = tsf.nn.make_head(likelihood, 64, channels)

    def forward(self, window: Window) -> Distribution:
        """The predictive distribution of all steps."""
        last = self.read(window.past)[1][0][-1]
        return self.head(self.spread(last).unflatten(-1, (-1, 64)))


@dataclass(kw_only=True, repr=False, eq=False)
class LSTM(TorchForecaster):
    """The published forecaster. It has to learn the last value, which the package's forecasters start from."""

    likelihood: str = "normal"

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> LSTMNetwork:
        """The network, untrained."""
        return LSTMNetwork(channels, self.horizon, str(self.likelihood))


def forecaster(name: str, horizon: int, context: int, seed: int) -> Any:
    """A forecaster by its name in the tables, of a size that trains in half a minute."""
    shared: dict[str, Any] = {"horizon": horizon, "context_length": context, "seed": seed}
    if name == "LSTM":
        return LSTM(**shared, max_steps=400, learning_rate=3e-3, scaler=None, verbose=False, device="cpu")
    if name == "LRU":
        return tsf.LRU(**shared, **SMALL, d_state=32)
    if name == "Autoformer":
        return tsf.Autoformer(**shared, **SMALL)
    if name == "Linear":
        return tsf.Linear(**shared, max_steps=400, verbose=False, device="cpu")
    return getattr(tsf, name)(horizon=horizon, seed=seed, n_jobs=1)


def panel(name: str) -> pd.DataFrame:
    """The last rows of the first series of a data set."""
    frame = tsf.load_dataset(name)[["unique_id", "ds", "y"]].dropna()
    most, rows = PANELS[name][:2] if name in PANELS else (4, 200)
    frame = frame[frame["unique_id"].isin(frame["unique_id"].unique()[:most])]
    return frame.groupby("unique_id", sort=False).tail(rows).reset_index(drop=True)


def root_relative_squared_error(forecasts: pd.DataFrame, frame: pd.DataFrame) -> float:
    """RRSE of predictive means, each series in units of its deviation; 1 is the error of the series' mean."""
    scale = forecasts["unique_id"].map(frame.groupby("unique_id")["y"].std())
    y, mean = forecasts["y"] / scale, forecasts["mean"] / scale
    centre = y.groupby(forecasts["unique_id"]).transform("mean")
    return float(np.sqrt(((y - mean) ** 2).sum() / ((y - centre) ** 2).sum()))


def measure(name: str, model: str, variants: dict[str, list[Any]], horizon: int, seed: int) -> Iterator[dict[str, Any]]:
    """Scores of one forecaster behind each list of preprocessors, on the last windows of a panel.

    ``ratio`` is the CRPS over that of the first variant, as geometric mean over series.
    """
    frame = panel(name)
    _, _, context, short, long = PANELS.get(name, (4, 200, 24, 4, 2))
    windows, step = (short, 1) if horizon == 1 else (long, horizon)
    first = [tsf.Scale()] if model == "LSTM" else []  # published: each series in units of its training rows
    models = {
        variant: tsf.Pipeline([*first, *steps], forecaster(model, horizon, context, seed))
        for variant, steps in variants.items()
    }
    folder = OUT / f"{'-'.join(variants)}-{name}-{model}-{horizon}-{seed}"
    result = tsf.backtest(
        models, frame, windows=windows, step=step, metrics=["crps", "coverage_80"], seed=seed, out=folder, verbose=False
    )
    scores = result.scores.groupby(["model", "metric"])["value"].mean().unstack()
    crps = result.scores[result.scores["metric"] == "crps"].groupby(["model", "unique_id"])["value"].mean().unstack()
    for variant in variants:
        own = result.forecasts[result.forecasts["model"] == variant]
        kept = sorted((folder / "models" / variant).glob("*"))
        last = tsf.load(kept[0], {"LSTM": LSTM}).steps_[-1:] if kept else []
        rho = getattr(last[0], "rho_", np.nan) if last else np.nan
        yield {
            "data": name,
            "forecaster": model,
            "ahead": horizon,
            "variant": variant,
            "seed": seed,
            "rrse": root_relative_squared_error(own, frame),
            "crps": scores.loc[variant, "crps"],
            "ratio": float(np.exp(np.log(crps.loc[variant] / crps.loc[next(iter(variants))]).mean())),
            "coverage": scores.loc[variant, "coverage_80"],
            "rho": float(np.mean(rho)),
        }


def print_means(rows: list[dict[str, Any]]) -> None:
    """Print one row a variant: means over seeds, and the deviation of the ratio."""
    table = pd.DataFrame(rows)
    by = ["data", "forecaster", "ahead", "variant"]
    means = table.groupby(by, sort=False)[["rrse", "crps", "ratio", "coverage", "rho"]].mean()
    means.insert(3, "± ", table.groupby(by, sort=False)["ratio"].std().fillna(0))
    means.insert(0, "seeds", table.groupby(by, sort=False).size())
    print("|", " | ".join([*by, *means.columns]), "|")
    print("|", " | ".join(["---"] * (len(by) + means.shape[1])), "|")
    for key, row in means.iterrows():
        cells = [
            str(int(row.iloc[0])),
            *(f"{value:.3g}" if abs(value) >= 100 else f"{value:.3f}" for value in row.iloc[1:]),
        ]
        print("|", " | ".join([*map(str, key), *cells]), "|", flush=True)


def errors(panels: list[str], forecasters: list[str], seeds: tuple[int, ...]) -> None:
    """Print scores with and without ``AutocorrelatedErrors``."""
    rows: list[dict[str, Any]] = []
    for name in panels:
        for horizon in (1, HORIZONS.get(name, 8)):
            for model in forecasters:
                for seed in seeds if model not in LOCAL else seeds[:1]:
                    variants = {"plain": [], "adjusted": [tsf.AutocorrelatedErrors()]}
                    if horizon > 1 and model not in LOCAL:
                        variants["summed"] = [tsf.AutocorrelatedErrors(ahead="summed")]
                    rows += measure(name, model, variants, horizon, seed)
                    print(*rows[-len(variants) :], sep="\n", file=sys.stderr, flush=True)
    print_means(rows)


def published(panels: list[str], seeds: tuple[int, ...]) -> None:
    """Print RRSE by the published protocol: all series jointly, squared errors, one step, rows split 60 / 20 / 20 %."""
    print("| data | series x rows | seed | RRSE plain | RRSE adjusted | change | rho |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in panels:
        most, rows = PANELS[name][:2]
        frame = tsf.load_dataset(name)[["unique_id", "ds", "y"]]
        long = frame.groupby("unique_id").size()
        ids = long.index[long >= rows][:most]
        frame = frame[frame["unique_id"].isin(ids)].groupby("unique_id", sort=False).tail(rows)
        frame = frame.assign(ds=frame.groupby("unique_id").cumcount())
        whole, fifth = tsf.Panel.from_frame(frame, freq=1), rows // 5
        training = whole.until(whole.ends - 2 * fifth)
        for seed in seeds:
            errors, rho = [], 0.0
            for steps in ([], [tsf.AutocorrelatedErrors()]):
                scaled = tsf.Scale().fit(training)  # units of the training rows
                model = LSTM(
                    horizon=1, context_length=60, multivariate=True, likelihood="squared_error", scaler=None,
                    max_steps=10**6, max_epochs=60, batch_size=64, learning_rate=3e-3, schedule="constant",
                    gradient_clip=math.inf, validation_windows=fifth, early_stopping_patience=None, seed=seed,
                    verbose=False, device="cpu",
                )  # fmt: skip
                fitted = tsf.Pipeline(steps, model).fit(scaled.transform(whole.until(whole.ends - fifth)))
                panel = scaled.transform(whole)
                mean = fitted.forecaster_.predict_at(panel, np.arange(fifth, 0, -1), n_samples=2).mean(2)[..., 0]
                y = panel.y.reshape(len(ids), -1)[:, -fifth:].T
                errors.append(float(np.sqrt(((y - mean) ** 2).sum() / ((y - y.mean()) ** 2).sum())))
                rho = fitted.steps_[0].rho_ if steps else rho
            change = f"{100 * (errors[1] / errors[0] - 1):.0f} %"
            cells = [
                name,
                f"{len(ids)} x {rows}",
                str(seed),
                f"{errors[0]:.3f}",
                f"{errors[1]:.3f}",
                change,
                f"{rho:.2f}",
            ]
            print("|", " | ".join(cells), "|", flush=True)


def decomposition(panels: list[str], forecasters: list[str], seeds: tuple[int, ...]) -> None:
    """Print scores with and without ``TrendSeasonalDecomposition``."""
    rows: list[dict[str, Any]] = []
    for name in panels:
        for model in forecasters:
            for seed in seeds if model not in LOCAL else seeds[:1]:
                variants = {
                    "plain": [],
                    "season": [tsf.TrendSeasonalDecomposition(period=SEASONS[name])],
                    "stl season": [tsf.TrendSeasonalDecomposition("stl", SEASONS[name])],
                    "both": [tsf.TrendSeasonalDecomposition(period=SEASONS[name], remove="both")],
                }
                rows += measure(name, model, variants, HORIZONS.get(name, 8), seed)
                print(*rows[-4:], sep="\n", file=sys.stderr, flush=True)
    print_means(rows)


def totals(name: str, model: str, windows: int) -> Iterator[dict[str, Any]]:
    """Scores of forecasts of the total: from the total alone, from the sums of clusters, and from every series."""
    frame = panel(name)
    wide = frame.pivot(index="ds", columns="unique_id", values="y").interpolate().dropna()  # rows that all series have
    frame = wide.unstack().rename("y").reset_index()
    horizon, total = HORIZONS[name], frame.groupby("ds", as_index=False)["y"].sum().assign(unique_id="total")
    one = tsf.Panel.from_frame(total)
    sizes = {"horizon": horizon, "context": PANELS[name][2], "seed": 1}
    models: dict[str, Any] = {"total alone": forecaster(model, **sizes), "every series": forecaster(model, **sizes)}
    for k in (2, 3, 5):
        for kind, clusterer in (
            ("MixSeq ar", tsf.MixSeq(k, backbone="ar", seed=1, verbose=False)),
            ("k-means", tsf.ByFeatures(KMeans(k, random_state=1), period=SEASONS[name])),
        ):
            models[f"{kind}, {k}"] = tsf.Clustered(clusterer, forecaster(model, **sizes), aggregate=True)
    models["MixSeq ar, 3, independent"] = clone(models["MixSeq ar, 3"]).set_params(coupling="independent")
    whole = tsf.Panel.from_frame(frame)
    for title, each in models.items():
        data = one if title == "total alone" else whole
        crps, error, covered = [], [], []
        for window in range(windows):
            after = horizon * (windows - window)
            past = data.until(data.ends - after)
            if window == 0:
                each.fit(past)
            forecast = each.predict(past, n_samples=200, seed=window)
            forecast = forecast.sum() if title == "every series" else forecast
            y = one.y[len(one.y) - after :][:horizon]
            crps.append(tsf.scoring.crps_samples(y[None], forecast.samples, axis=1).mean())
            error.append(np.abs(y - forecast.median[0]).mean())
            low, high = forecast.interval(0.8)[0]
            covered.append(((y >= low) & (y <= high)).mean())
        yield {
            "data": name, "forecaster": model, "total from": title, "crps": np.mean(crps), "mae": np.mean(error),
            "coverage_80": np.mean(covered),
        }  # fmt: skip


def macro(panels: list[str], forecasters: list[str], windows: int) -> None:
    """Print scores of forecasts of the total of many series, with and without clusters."""
    print("| data | forecaster | total from | CRPS | MAE | coverage of 80 % |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in panels:
        for model in forecasters:
            for row in totals(name, model, windows):
                *names, crps, mae, coverage = row.values()
                print("|", " | ".join([*names, f"{crps:.4g}", f"{mae:.4g}", f"{coverage:.2f}"]), "|", flush=True)


def main() -> None:
    """Print the tables named on the command line."""
    warnings.simplefilter("ignore", UserWarning)  # of errors that remain autocorrelated: report_ has them
    asked = sys.argv[1:]
    try:
        if not asked:
            errors(["macrodata"], ["Linear"], SEEDS[:1])
        if "errors" in asked:
            errors(["ETTh1", "m4_hourly", "exchange_rate"], ["LSTM", "LRU", "Linear", "Theta"], SEEDS)
        if "decomposition" in asked:
            decomposition(["m4_hourly", "m5_store_dept", "hospital"], ["LRU", "Linear", "Theta"], SEEDS)
        if "published" in asked:
            published(["m4_hourly", "m4_weekly", "m5_store_dept"], SEEDS)
        if "macro" in asked:
            macro(["m5_store_dept", "nn5_daily"], ["Theta", "HoltWinters", "Linear"], 8)
    except (FileNotFoundError, JobError) as error:
        print(f"nothing measured: {str(error)[:90]}... (set TSFORMERS_DATA to the folder of the shared data)")


if __name__ == "__main__":
    main()
