"""What known covariates are worth: three networks with and without them, beside a cross-validated ridge regression.

    python examples/covariate_evidence.py --panels vic_elec [--models Linear,LRU] [--seeds 0,1,2] [--ridge]

The rows before the first of the last windows are for training, once; then every window is forecast from the rows
before it. The realised weather of a window stands in for its forecast. CRPS in the units of the panel, mean over
windows, steps and series. ``--ridge`` adds the ridge regression, direct for each step.
"""

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import tsformers as tsf
from tsformers.calendar.features import time_features
from tsformers.distributions.quantile_function import between_levels
from tsformers.nn.heads.quantile import LEVELS
from tsformers.scoring import crps_normal, crps_samples

FOLDER = Path(os.environ.get("TSFORMERS_DATA", "data")) / "forecasting"
PENALTIES = 10.0 ** np.arange(-4, 5)
SHARES = (0.3, 1.0, 3.0)  # penalty of the lags in units of that of the other columns
N_DRAWS = 500


class Protocol(NamedTuple):
    """How a panel is forecast."""

    file: str
    known: tuple[str, ...]
    horizon: int
    windows: int
    context_length: int
    season: int
    max_steps: int | None  # of LRU and Autoformer, for time; None: their default
    validation_windows: int | None = None  # of each series


ECONOMY = ("temperature", "fuel_price", "cpi", "unemployment")
MARKDOWNS = tuple(f"markdown{i}" for i in range(1, 6))
PANELS = {
    "vic_elec": Protocol("vic_elec_halfhourly.parquet", ("temperature", "holiday"), 48, 56, 336, 48, 200),
    "bike_sharing": Protocol(
        "bike_sharing_hourly.csv",
        ("temp", "atemp", "hum", "windspeed", "weather", "holiday", "workingday"),
        24,
        56,
        336,
        24,
        200,
    ),
    "walmart": Protocol("walmart_weekly.csv", (*ECONOMY, "isholiday", *MARKDOWNS), 8, 3, 52, 52, None, 3),
}


def read(name: str) -> pd.DataFrame:
    """The rows of a panel; of vic_elec the last two years, in local time."""
    protocol = PANELS[name]
    path = FOLDER / protocol.file
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, parse_dates=["ds"])
    frame = frame[["unique_id", "ds", "y", *protocol.known]]
    if name == "vic_elec":
        frame = frame.tail(730 * 48).reset_index(drop=True)
        frame["ds"] = frame["ds"].dt.tz_localize("UTC").dt.tz_convert("Australia/Melbourne")
    return frame


def score_model(name: str, model: str, seed: int, known: bool) -> tuple[float, float]:
    """CRPS of a network, and the seconds of the processor that its training took."""
    protocol, frame = PANELS[name], read(name)
    if not known:
        frame = frame[["unique_id", "ds", "y"]]
    roles = {"known": list(protocol.known) if known else [], "past": []}
    settings: dict[str, int | None] = {}
    if model != "Blend":
        settings = {"context_length": protocol.context_length, "validation_windows": protocol.validation_windows}
    if model in ("LRU", "Autoformer") and protocol.max_steps is not None:
        settings["max_steps"] = protocol.max_steps
    after = np.arange(protocol.windows, 0, -1) * protocol.horizon
    began = time.process_time()
    forecaster = getattr(tsf, model)(horizon=protocol.horizon, seed=seed, verbose=False, **settings)
    ahead = frame.groupby("unique_id").cumcount(ascending=False) < after[0]
    forecaster.fit(frame[~ahead], **roles)
    seconds = time.process_time() - began
    panel = tsf.Panel.from_frame(frame, **roles)
    draws = forecaster.predict_at(panel, after, n_samples=N_DRAWS, seed=seed)  # (W, N, S, H)
    y = panel.y.reshape(panel.n_series, -1)
    truth = np.stack([y[:, y.shape[1] - a :][:, : protocol.horizon] for a in after])
    if model == "Blend":  # quantiles: as many at evenly spaced levels, in place of draws
        levels = (np.arange(N_DRAWS) + 0.5) / N_DRAWS
        draws = np.stack([between_levels(window, np.array(LEVELS), levels) for window in draws])
    return float(crps_samples(truth, draws, axis=2, estimator="edf" if model == "Blend" else "fair").mean()), seconds


def columns(panel: tsf.Panel, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Known columns (N, L, K), standardised, and what the ridge makes of them and of the clock (N, L, P)."""
    n, grid = panel.n_series, panel.grid
    known = panel.known.reshape(n, -1, panel.known.shape[1])
    mean, deviation = (of(known[:, :end], axis=(0, 1)) for of in (np.nanmean, np.nanstd))
    known = np.nan_to_num((known - mean) / deviation).clip(-6, 6)
    clock = time_features(panel.times, grid).reshape(n, known.shape[1], -1)
    turns = 2 * np.pi * (clock[..., -1:] + 0.5) * np.arange(1, 4)
    year = np.concatenate([np.sin(turns), np.cos(turns)], axis=-1)
    parts, main = [year], year
    if clock.shape[-1] >= 4:
        hour = (clock[..., -4] + 0.5) * 23 + ((clock[..., -5] + 0.5) * 59 / 60 if clock.shape[-1] > 4 else 0)
        weekday = np.rint((clock[..., -3] + 0.5) * 6)
        hours = (np.abs(hour[..., None] - np.unique(hour.round(3))) < 0.01).astype(float)
        weekend = (weekday >= 5)[..., None].astype(float)
        turns = 2 * np.pi * hour[..., None] / 24 * np.arange(1, 4)
        main = np.concatenate([np.sin(turns), np.cos(turns), weekend], axis=-1)
        parts += [hours, hours * weekend, (weekday[..., None] == np.arange(7)).astype(float)]
    parts += [known, known**2]
    for k in range(known.shape[-1]):
        parts += [known[..., [k]] * main, known[..., [k]] ** 2 * main]
    return known, np.concatenate(parts, axis=-1)


class Rows(NamedTuple):
    """Inputs (M, Q), target (M,), and location and scale of the windows, for one step ahead."""

    x: np.ndarray
    y: np.ndarray
    location: np.ndarray
    scale: np.ndarray


def score_ridge(name: str, windowed: bool) -> float:
    """CRPS of a ridge regression for each step ahead, in units of the windows or of the series.

    Inputs: the lags; of the step ahead the calendar and the covariates, with squares and interactions; covariates of
    the last row and of the season before. The penalties (of lags and of the rest) are those with the least absolute
    error on the last fifth of the windows for training, whose residuals also give the deviation of the normal
    distribution by step. Then the regression is fitted to all windows for training.
    """
    protocol = PANELS[name]
    panel = tsf.Panel.from_frame(read(name), known=list(protocol.known), past=[])
    y = panel.y.reshape(panel.n_series, -1)
    horizon, length = protocol.horizon, protocol.context_length
    end = y.shape[1] - protocol.windows * horizon
    known, made = columns(panel, end)
    spread = made[:, :end].std((0, 1))
    made = (made - made[:, :end].mean((0, 1))) / np.where(spread > 1e-9, spread, 1.0)

    def rows(starts: np.ndarray, step: int) -> Rows:
        past = y[:, starts[:, None] + np.arange(length)].reshape(-1, length)
        if windowed:
            location, scale = past.mean(1), past.std(1) + 1e-9
        else:
            location, scale = (np.repeat(each, len(starts)) for each in (y[:, :end].mean(1), y[:, :end].std(1)))
        at = starts + length + step
        sides = [made[:, at], known[:, starts + length - 1]]
        before = protocol.season * (1 + step // protocol.season)
        sides += [known[:, at - before]] if before <= length else []
        lags = (past - location[:, None]) / scale[:, None]
        x = np.concatenate([lags, *(side.reshape(len(past), -1) for side in sides)], axis=1)
        return Rows(x, (y[:, at].ravel() - location) / scale, location, scale)

    starts = np.arange(end - length - horizon + 1)
    first = int(0.8 * len(starts))
    every = 2 if len(starts) > 20_000 else 1
    learning = starts[: max(first - horizon, 1)][::every]
    checked = starts[first:][:: max(1, (len(starts) - first) // 600)]
    errors = np.zeros((len(SHARES), len(PENALTIES)))
    for step in range(0, horizon, max(1, horizon // 8)):
        train, held = rows(learning, step), rows(checked, step)
        for i, share in enumerate(SHARES):
            for j, answer in enumerate(_regressions(train, share, PENALTIES, length)):
                errors[i, j] += np.abs(answer(held.x) - held.y).mean()
    i, j = np.unravel_index(errors.argmin(), errors.shape)
    tests = y.shape[1] - horizon * np.arange(protocol.windows, 0, -1) - length
    found = []
    for step in range(horizon):
        held, test = rows(checked, step), rows(tests, step)
        chosen = PENALTIES[j : j + 1]
        (answer,) = _regressions(rows(learning, step), SHARES[i], chosen, length)
        deviation = np.sqrt(((answer(held.x) - held.y) ** 2).mean())
        (answer,) = _regressions(rows(starts[::every], step), SHARES[i], chosen, length)
        mean = answer(test.x) * test.scale + test.location
        found.append(crps_normal(test.y * test.scale + test.location, mean, deviation * test.scale).mean())
    return float(np.mean(found))


def _regressions(train: Rows, share: float, penalties: np.ndarray, length: int) -> list:
    """The ridge regression at each penalty, as a function of inputs."""
    centre, level = train.x.mean(0), train.y.mean()
    x = train.x - centre
    square, cross = x.T @ x / len(x), x.T @ (train.y - level) / len(x)
    added = np.where(np.arange(len(cross)) < length, share, 1.0)
    weights = [np.linalg.solve(square + np.diag(penalty * added), cross) for penalty in penalties]
    return [lambda inputs, weight=weight: (inputs - centre) @ weight + level for weight in weights]


def main() -> None:
    """One line for each panel, model and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", default="", help=f"of {', '.join(PANELS)}; without any this help is printed")
    parser.add_argument("--models", default="Linear,LRU,Autoformer,Blend")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--ridge", action="store_true")
    asked = parser.parse_args()
    if not asked.panels:
        parser.print_help()
    for name in filter(None, asked.panels.split(",")):
        if asked.ridge:
            for windowed, units in ((True, "windows"), (False, "series")):
                print(f"{name} ridge, units of the {units} {score_ridge(name, windowed):.2f}", flush=True)
        for model in filter(None, asked.models.split(",")):
            for seed in map(int, asked.seeds.split(",")):
                for known in (True, False):
                    crps, seconds = score_model(name, model, seed, known)
                    print(
                        f"{name} {model} {'known' if known else 'without'} {seed} {crps:.2f} {seconds:.0f}", flush=True
                    )


if __name__ == "__main__":
    main()
