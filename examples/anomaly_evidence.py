"""Alarms on labelled series: how many anomalies are found, how late, and how many alarms are false.

    python examples/anomaly_evidence.py                  # three series of NAB, with a check of the replay (see below)
    python examples/anomaly_evidence.py nab              # the tables of docs/results/anomaly.md
    python examples/anomaly_evidence.py kpi
    python examples/anomaly_evidence.py kpi calibration  # its table on calibration sets with and without alarms
    python examples/anomaly_evidence.py pictures         # its pictures, written to the current folder

All need the folder of the shared data in TSFORMERS_DATA; ``--quick`` takes fewer rows.

The detector is fitted on the first 15% of each series and tests the rest row by row. Forecasts are made once per
forecaster: observed values enter the contexts (``contamination="keep"``), so that no forecast depends on an alarm. From
the recorded errors, p-values and alarms are replayed for each testing procedure. "predictive" p-values are the tails of
the forecast, "rank" is ``ConformalP`` with default settings, "rank without alarms" is ``ConformalP`` with
``calibrate_on="quiet"``: rows that raised an alarm are excluded from the calibration set, so p-values differ between
procedures. The check compares the alarms of the replay with those of an ``AnomalyDetector``.
"""

import sys
import warnings
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

import tsformers as tsf
from tsformers.anomaly import ConformalP, Marginals, PredictiveP, alarm_chart
from tsformers.errors import JobError

PROBATION = 0.15
REFRESH = 3  # rows between two forecasts
ALPHA, DECAY = 0.1, 0.99
NEAR = 12  # rows: false alarms at most this far apart count as one
DATA = {"nab": "nab", "kpi": "kpi_aiops"}
QUICK_SERIES = [
    "realKnownCause/rogue_agent_key_hold",
    "realAdExchange/exchange-4_cpm_results",
    "realTraffic/speed_7578",
]
PICTURES = [  # file, data set, series, frequency, forecaster, rows shown
    ("anomaly_taxi.png", "nab", "realKnownCause/nyc_taxi", "30min", "same time yesterday", (5600, 7000)),
    (
        "anomaly_machine.png",
        "nab",
        "realKnownCause/machine_temperature_system_failure",
        "5min",
        "Theta",
        (15000, 19500),
    ),
    ("anomaly_kpi.png", "kpi_aiops", "server_res_eth1out_curve_6", "5min", "last value", (9900, 10700)),
]
FORECASTERS = ["last value", "same time yesterday", "Theta", "Linear"]
CALIBRATED: dict[str, Literal["all", "quiet"]] = {"rank": ConformalP().calibrate_on, "rank without alarms": "quiet"}
COLUMNS = ["forecaster", "p-values", "alarm", "precision", "recall", "by chance", "F1", "false alarms", "nominal"]
COLUMNS += ["FDR", "delay"]
Bits = np.ndarray


def forecaster(name: str, season: int) -> Any:
    """A forecaster by its name in the tables; ``season`` is a day, in rows."""
    local: dict[str, Any] = {"horizon": REFRESH, "seed": 0, "n_jobs": 1}
    if name == "last value":
        return tsf.SeasonalNaive(season_length=1, **local)
    if name == "same time yesterday":
        return tsf.SeasonalNaive(season_length=season, **local)
    if name == "Theta":
        return tsf.Theta(season_length=1, **local)
    return tsf.Linear(horizon=REFRESH, context_length=48, max_steps=1000, seed=0, device="cpu", verbose=False)


class Fixed:
    """A fixed threshold, the baseline of the procedures."""

    def __init__(self, level: float) -> None:
        self.level = level

    def many(self, n: int) -> "Fixed":
        """The same threshold for each series."""
        return self

    def test(self, p: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels and alarms."""
        return np.full(len(p), self.level), p <= self.level


CONTROLS: dict[str, Any] = {
    "p <= 0.01": Fixed(0.01),
    "p <= 0.001": Fixed(0.001),
    "LORD": tsf.fdr.LORD(alpha=ALPHA),
    "SAFFRON": tsf.fdr.SAFFRON(alpha=ALPHA),
    "ADDIS": tsf.fdr.ADDIS(alpha=ALPHA),
    "Decay LORD": tsf.fdr.LORD(alpha=ALPHA, decay=DECAY),
    "Decay SAFFRON": tsf.fdr.SAFFRON(alpha=ALPHA, decay=DECAY),
    "Decay ADDIS": tsf.fdr.ADDIS(alpha=ALPHA, decay=DECAY),
}


class Recorder:
    """Replaces the p-values of a detector and records the inputs of all kinds: scaled errors and predictive tails."""

    def __init__(self) -> None:
        self.predictive = PredictiveP()
        self.calibration: list[tuple[np.ndarray, ...]] = []
        self.stream: list[tuple[np.ndarray, ...]] = []

    def start(self, n_series: int) -> dict[str, np.ndarray]:
        """The state of ``PredictiveP``: counts of rows."""
        return self.predictive.start(n_series)

    def log_p(
        self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals, rng: int = 0
    ) -> np.ndarray:
        """p-values of 1: never an alarm."""
        return np.zeros(len(y))

    def learn(
        self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals, normal: np.ndarray
    ) -> None:
        """Record rows of the stream."""
        self.stream.append(self._errors(arrays, series, y, marginals))

    def calibrate(self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals) -> None:
        """Record rows of the calibration set."""
        self.calibration.append(self._errors(arrays, series, y, marginals))

    def grow(self, arrays: dict[str, np.ndarray], n_series: int) -> dict[str, np.ndarray]:
        """The state with further series."""
        return self.predictive.grow(arrays, n_series)

    def resolution(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """The smallest possible p-value of each series."""
        return self.predictive.resolution(arrays)

    def finest(self, n: int) -> float:
        """No lower limit, so that the detector does not warn."""
        return 0.0

    def _errors(
        self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Series, log of the predictive p-value and scaled error of each row."""
        log_p = self.predictive.log_p(arrays, series, y, marginals)
        centre, (low, high) = marginals.quantile(0.5), marginals.interval(0.8)
        width = np.maximum((high - low) / 2, np.maximum(1e-9 * np.abs(centre), 1e-300))
        return series.copy(), log_p, (y - centre) / width


def by_series(rows: list[tuple[np.ndarray, ...]], n_series: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Log of the predictive p-values and scaled errors of each series, from the rows of a ``Recorder``."""
    series, log_p, score = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return [(log_p[series == i], score[series == i]) for i in range(n_series)]


class Watched(NamedTuple):
    """One series: scaled errors of its calibration set; log p-values, scaled errors and labels of the tested rows."""

    name: str
    calibration: np.ndarray
    log_p: np.ndarray
    score: np.ndarray
    labelled: Bits


def load(data: str, only: list[str] | None = None) -> pd.DataFrame:
    """Series with rows numbered in place of time stamps, since some stamps of NAB repeat; ``season`` is a day in rows.

    ``tested`` is true after the first 15% of a series.
    """
    frame = tsf.load_dataset(DATA[data], extra=["is_anomaly"])
    frame = frame[frame["unique_id"].isin(only)] if only else frame
    by = frame.groupby("unique_id", sort=False)
    step = by["ds"].transform(lambda ds: ds.diff().median())
    season = (pd.Timedelta(days=1) / step).round().astype(int)
    rows = by.cumcount()
    return frame.assign(season=season, ds=rows, tested=rows >= (PROBATION * by["ds"].transform("size")).astype(int))


def watch(frame: pd.DataFrame, name: str) -> list[Watched]:
    """Forecast all series with one forecaster and record its errors."""
    daily = name == "same time yesterday"
    parts = [part for _, part in frame.groupby("season")] if daily else [frame]
    found = []
    for part in parts:
        recorder = Recorder()
        model = forecaster(name, int(part["season"].iloc[0]))
        columns = ["unique_id", "ds", "y"]
        detector = tsf.AnomalyDetector(
            model, p_value=recorder, contamination="keep", scope="series", refresh=REFRESH, verbose=False
        )
        detector.fit(part.loc[~part["tested"], columns], freq=1).detect(part.loc[part["tested"], columns])
        ids = list(detector.panel.ids)
        before, after = by_series(recorder.calibration, len(ids)), by_series(recorder.stream, len(ids))
        for i, series in enumerate(ids):
            labelled = part.loc[part["tested"] & (part["unique_id"] == series), "is_anomaly"].to_numpy() > 0
            assert len(labelled) == len(after[i][0])
            found.append(Watched(series, before[i][1], *after[i], labelled))
    return found


def replay(watched: list[Watched], kind: str, control: Any) -> Iterator[tuple[np.ndarray, Bits]]:
    """Levels and alarms of each series, one procedure a series, from p-values of a kind."""
    return replay_predictive(watched, control) if kind == "predictive" else replay_ranks(watched, kind, control)


def replay_predictive(watched: list[Watched], control: Any) -> Iterator[tuple[np.ndarray, Bits]]:
    """Predictive p-values do not depend on alarms: all rows of a series are tested in one call."""
    for one in watched:
        p = np.exp(one.log_p)
        yield control.test(p, p) if isinstance(control, Fixed) else control.fresh().test_many(p)


def replay_ranks(watched: list[Watched], kind: str, control: Any) -> Iterator[tuple[np.ndarray, Bits]]:
    """Ranks may depend on alarms: row by row, the same row number of all series in one call."""
    ranks = ConformalP(score="residual", calibrate_on=CALIBRATED[kind])  # "residual": the errors are already scaled
    n = len(watched)
    arrays, tests = ranks.start(n), control.many(n)
    for i, one in enumerate(watched):
        ranks.calibrate(arrays, np.full(len(one.calibration), i), one.calibration, _zeros(len(one.calibration)))
    lengths = np.array([len(one.score) for one in watched])
    order = np.argsort(-lengths, kind="stable")
    score = np.full((lengths.max(), n), np.nan)
    for i, one in enumerate(watched):
        score[: len(one.score), i] = one.score
    levels, alarms = np.empty(score.shape), np.zeros(score.shape, dtype=bool)
    counts = np.searchsorted(-lengths[order], -np.arange(lengths.max()), side="left")  # of series with this many rows
    zeros = {k: _zeros(int(k)) for k in np.unique(counts)}
    for step, k in enumerate(counts):
        series = order[:k]
        y, marginals = score[step, series], zeros[k]
        p = np.exp(ranks.log_p(arrays, series, y, marginals))
        level, alarm = tests.test(p, series)
        ranks.learn(arrays, series, y, marginals, ~alarm)
        levels[step, series], alarms[step, series] = level, alarm
    for i in range(n):
        yield levels[: lengths[i], i], alarms[: lengths[i], i]


def _zeros(n: int) -> Marginals:
    """Point forecasts of zero, so that the residual of a scaled error is the error itself."""
    return Marginals(np.zeros((n, 1)), (0.5,))


def runs(flags: Bits, near: int = 1) -> np.ndarray:
    """(K, 2) first and last row of each run of flags that are at most ``near`` rows apart."""
    at = np.flatnonzero(flags)
    if not len(at):
        return np.empty((0, 2), dtype=int)
    cut = np.flatnonzero(np.diff(at) > near)
    return np.column_stack([at[np.r_[0, cut + 1]], at[np.r_[cut, len(at) - 1]]])


def scores(watched: list[Watched], decisions: list[tuple[np.ndarray, Bits]]) -> dict[str, float]:
    """The columns of the tables, pooled over series; ``FDR`` is the mean over series."""
    delays: list[int] = []
    windows, chance, episodes, clean, false, nominal = 0, 0.0, 0, 0, 0, 0.0
    shares = []
    for one, (level, alarm) in zip(watched, decisions, strict=True):
        normal = ~one.labelled
        wrong = alarm & normal
        rate = wrong.sum() / normal.sum()
        for first, last in runs(one.labelled):
            windows += 1
            hit = np.flatnonzero(alarm[first : last + 1])
            delays += hit[:1].tolist()
            chance += 1 - (1 - rate) ** (last + 1 - first)
        episodes += len(runs(wrong, NEAR))
        clean, false, nominal = clean + int(normal.sum()), false + int(wrong.sum()), nominal + level[normal].sum()
        shares.append(wrong.sum() / max(alarm.sum(), 1))
    found = len(delays)
    precision, recall = found / max(found + episodes, 1), found / max(windows, 1)
    return {
        "precision": precision,
        "recall": recall,
        "by chance": chance / max(windows, 1),
        "F1": 2 * precision * recall / max(precision + recall, 1e-12),
        "false alarms": 1000 * false / clean,
        "nominal": 1000 * nominal / clean,
        "FDR": float(np.mean(shares)),
        "delay": float(np.median(delays)) if delays else np.nan,
    }


def table(frame: pd.DataFrame, names: list[str], kinds: tuple[str, ...], controls: list[str]) -> None:
    """Print one row for each forecaster, kind of p-value and procedure."""
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join(["---"] * len(COLUMNS)), "|")
    for name in names:
        watched = watch(frame, name)
        for kind in kinds:
            for title in controls:
                row = scores(watched, list(replay(watched, kind, CONTROLS[title])))
                cells = [f"{row[key]:.{0 if key == 'delay' else 2}f}" for key in COLUMNS[3:]]
                print("|", " | ".join([name, kind, title, *cells]), "|", flush=True)


def agree(frame: pd.DataFrame, kind: str) -> bool:
    """Whether the replay and an ``AnomalyDetector`` raise the same alarms."""
    control, columns = CONTROLS["Decay LORD"], ["unique_id", "ds", "y"]
    watched = watch(frame, "last value")
    mine = np.concatenate([alarm for _, alarm in replay(watched, kind, control)])
    detector = tsf.AnomalyDetector(
        forecaster("last value", 1),
        control,
        PredictiveP() if kind == "predictive" else ConformalP(calibrate_on=CALIBRATED[kind]),
        scope="series",
        refresh=REFRESH,
        contamination="keep",
        verbose=False,
    )
    detector.fit(frame.loc[~frame["tested"], columns], freq=1)
    answer = detector.detect(frame.loc[frame["tested"], columns])
    theirs = np.concatenate([answer.loc[answer["unique_id"] == one.name, "anomaly"] for one in watched])
    return bool((mine == theirs).all()) and bool(mine.any())


def pictures() -> None:
    """Draw parts of three series: values, forecast interval, labelled windows, alarms, p-values and levels."""
    for file, data, series, freq, name, (first, last) in PICTURES:
        frame = tsf.load_dataset(data, extra=["is_anomaly"])
        frame = frame[frame["unique_id"] == series].drop_duplicates("ds").reset_index(drop=True)
        cut, columns = int(PROBATION * len(frame)), ["unique_id", "ds", "y"]
        frame = frame.assign(unique_id=series.split("/")[-1]).loc[:last]
        model = forecaster(name, int(pd.Timedelta(days=1) / pd.Timedelta(freq)))
        control = tsf.fdr.LORD(alpha=ALPHA, decay=DECAY)
        kind = PredictiveP() if data == "kpi_aiops" else ConformalP()
        detector = tsf.AnomalyDetector(model, control, kind, refresh=REFRESH, verbose=False)
        answer = detector.fit(frame.loc[: cut - 1, columns], freq=freq).detect(frame.loc[cut:, columns])
        figure = alarm_chart(answer.loc[first:last])
        shown = frame.loc[first:last]
        for window in runs(shown["is_anomaly"].to_numpy() > 0):
            for axes in figure.axes:
                span = shown["ds"].iloc[window].to_numpy()
                axes.axvspan(*span, color="#F0E442", alpha=0.35, linewidth=0, zorder=0)
        figure.savefig(file, dpi=80)
        print(file)


def main() -> None:
    """Print the tables or draw the pictures named on the command line."""
    asked = [word for word in sys.argv[1:] if word != "--quick"]
    quick = "--quick" in sys.argv or not asked
    data = next((word for word in asked if word in DATA), "nab")
    warnings.simplefilter("ignore", UserWarning)  # of procedures that can never alarm: the tables show them
    try:
        if "pictures" in asked:
            pictures()
            return
        frame = load(data, QUICK_SERIES if quick and data == "nab" else None)
    except (FileNotFoundError, JobError) as error:
        print(f"nothing measured: {str(error)[:90]}... (set TSFORMERS_DATA to the folder of the shared data)")
        return
    if "calibration" in asked:  # effect of excluding rows with an alarm from the calibration set
        table(frame, ["last value", "Theta"], tuple(CALIBRATED), ["p <= 0.01", "p <= 0.001", "Decay LORD"])
        return
    if quick:
        frame = frame[frame["ds"] < 2000] if data == "nab" else frame[frame["ds"] < 6000]
        for kind in ("predictive", *CALIBRATED):
            print(f"{kind}: replay and detector raise the same alarms: {agree(frame, kind)}")
    table(frame, FORECASTERS[:1] if quick else FORECASTERS, ("predictive", "rank"), list(CONTROLS))


if __name__ == "__main__":
    main()
