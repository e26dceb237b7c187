"""Are p-values uniform where nothing is anomalous? Kolmogorov-Smirnov distances on real series without anomalies.

    python examples/uniform_p_values.py        # one series, some seconds
    python examples/uniform_p_values.py all    # the first table of docs/results/p_values.md, some minutes
    python examples/uniform_p_values.py tails  # the second table there: predictive p-values below 1 / (number of draws)

``all`` needs the folder of the shared data in TSFORMERS_DATA.
"""

import sys

import numpy as np
import pandas as pd
from scipy.stats import expon, lognorm, norm, t

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector, ConformalP, Marginals, PredictiveP, PValue
from tsformers.errors import JobError

SERIES = [  # data set, series (None: the only one), season, frequency
    ("elnino", None, 12, "MS"),
    ("co2", None, 52, "W-SAT"),
    ("nab", "realKnownCause/nyc_taxi", 48, "30min"),
    ("nab", "realKnownCause/machine_temperature_system_failure", 1, "5min"),
    ("nab", "realKnownCause/ambient_temperature_system_failure", 24, "h"),
    ("nab", "realAdExchange/exchange-2_cpm_results", 24, "h"),
    ("nab", "realTweets/Twitter_volume_AMZN", 1, "5min"),
    ("kpi_aiops", "server_res_eth1out_curve_6", 1, "5min"),
]
KINDS = {
    "predictive": PredictiveP(),
    "scaled": ConformalP(window=500),
    "residual": ConformalP(window=500, score="residual"),
    "by distribution": ConformalP(window=500, score="predictive"),
    "fading": ConformalP(window=500, decay=0.99),
}
HISTORY, CALIBRATION, TESTED = 500, 500, 1000  # rows


class Recorder:
    """Replaces the p-values of a detector and records their inputs: all kinds come from one pass of the forecaster."""

    def __init__(self) -> None:
        self.calibration: list[tuple[np.ndarray, Marginals]] = []
        self.stream: list[tuple[np.ndarray, Marginals]] = []

    def start(self, n_series: int) -> dict[str, np.ndarray]:
        """No state."""
        return {}

    def grow(self, arrays: dict[str, np.ndarray], n_series: int) -> dict[str, np.ndarray]:
        """No state."""
        return {}

    def log_p(
        self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals, rng: int = 0
    ) -> np.ndarray:
        """p-values of 1: never an alarm."""
        return np.zeros(len(y))

    def learn(
        self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals, normal: np.ndarray
    ) -> None:
        """Record a row of the stream."""
        self.stream.append((y, marginals))

    def calibrate(self, arrays: dict[str, np.ndarray], series: np.ndarray, y: np.ndarray, marginals: Marginals) -> None:
        """Record a row of the calibration set."""
        self.calibration.append((y, marginals))

    def finest(self, n: int) -> float:
        """No lower limit, so that the detector does not warn."""
        return 0.0

    def p_values(self, kind: PValue) -> np.ndarray:
        """p-values of a kind from the recorded rows, none of which counts as an alarm."""
        arrays, series, normal = kind.start(1), np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool)
        for y, marginals in self.calibration:
            kind.calibrate(arrays, series, y, marginals)
        p = []
        for y, marginals in self.stream:
            p.append(np.exp(kind.log_p(arrays, series, y, marginals)).item())
            kind.learn(arrays, series, y, marginals, normal)
        return np.array(p)


def clean(name: str, series: str | None) -> pd.DataFrame:
    """The last rows of the longest part of a series without a labelled anomaly."""
    labelled = name in ("nab", "kpi_aiops")
    frame = tsf.load_dataset(name, extra=["is_anomaly"] if labelled else [])
    frame = frame[frame["unique_id"] == series] if series else frame
    if labelled:
        runs = frame.groupby(frame["is_anomaly"].ne(0).cumsum())
        frame = max((run for _, run in runs), key=len)
        frame = frame[frame["is_anomaly"].eq(0)].drop(columns="is_anomaly")
    return frame.dropna(subset="y").drop_duplicates("ds").tail(HISTORY + CALIBRATION + TESTED)


def distance(p: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance between p-values and the uniform distribution."""
    p = np.sort(p)
    steps = np.arange(len(p) + 1) / len(p)
    return float(max((steps[1:] - p).max(), (p - steps[:-1]).max()))


def tails(rows: int = 20_000) -> None:
    """Print the true probability of an upper p-value of at most 1 / 100, ... over its nominal value."""
    distributions = {
        "normal": norm(),
        "exponential": expon(),
        "Student t, 5": t(5),
        "Student t, 3": t(3),
        "lognormal": lognorm(1),
    }
    kind, levels = PredictiveP("upper"), 10.0 ** -np.arange(2, 6)
    arrays, series = kind.start(rows), np.arange(rows)
    for n_draws, count in ((100, rows), (1000, rows // 10)):
        for name, truth in distributions.items():
            marginals = Marginals(truth.rvs(size=(count, n_draws), random_state=0))
            ratios = []
            for level in levels:  # for each set of draws the value whose p-value is the level: bisect the true log-tail
                low, high = np.full(count, -60.0), np.zeros(count)
                for _ in range(50):
                    middle = (low + high) / 2
                    smaller = kind.log_p(arrays, series[:count], truth.isf(np.exp(middle)), marginals) <= np.log(level)
                    low, high = np.where(smaller, middle, low), np.where(smaller, high, middle)
                ratios.append(float(np.exp(low).mean() / level))
            print(n_draws, name, *(f"{value:.2f}" for value in ratios), sep=" | ")


def main() -> None:
    """Print for each series and forecaster the distance of each kind of p-value, and the share at or below 0.01."""
    rows = []
    for name, series, season, freq in SERIES if "all" in sys.argv else SERIES[:1]:
        try:
            frame = clean(name, series)
        except (FileNotFoundError, JobError) as error:
            print(f"left out: {name}, {series or 'its series'} ({str(error)[:60]}...)")
            continue
        cut = len(frame) - min(TESTED, len(frame) // 3)
        for model in (
            tsf.SeasonalNaive(horizon=1, season_length=season),
            tsf.HoltWinters(horizon=1, season_length=season),
            tsf.AutoETS(horizon=1, season_length=season if season <= 24 else 1),
        ):
            row = {"series": (series or name).split("/")[-1], "model": type(model).__name__, "rows": len(frame) - cut}
            recorder = Recorder()
            detector = AnomalyDetector(
                model, p_value=recorder, contamination="keep", calibration=CALIBRATION, verbose=False
            )
            detector.fit(frame.iloc[:cut], freq=freq).detect(frame.iloc[cut:])
            for kind, p_value in KINDS.items():
                p = recorder.p_values(p_value)
                row |= {kind: distance(p), f"{kind}, p <= 0.01": float((p <= 0.01).mean())}
            rows.append(row)
            print(
                *(f"{value:.3f}" if isinstance(value, float) else value for value in row.values()),
                sep=" | ",
                flush=True,
            )
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    tails() if "tails" in sys.argv else main()
