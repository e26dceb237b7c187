"""What tests of anomaly detection share: hourly series, detectors of several kinds, and how answers compare."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector, ConformalP

HOUR = pd.Timedelta("1h")
T = 96
EXTREME = {"control": tsf.fdr.LORD(alpha=0.2, decay=0.9), "p_value": "predictive", "n_samples": 20}
VARIANTS = {
    "each row a new forecast": {"refresh": 1},
    "one forecast for the horizon": {"refresh": 9, "contamination": "keep"},
    "a procedure a series": {"refresh": 2, "scope": "series", "shift_after": 2},
    "conformal": {
        "refresh": 2,
        "p_value": ConformalP(window=40, shift_after=3, calibrate_on="quiet"),
        "control": tsf.fdr.ADDIS(0.3),
    },
}


def history(n: int = 3, rows: int = T, start: str = "2024-01-01", seed: int = 0, scale: float = 1.0) -> pd.DataFrame:
    """Hourly series a, b, ... one after another: a day's wave and noise."""
    rng = np.random.default_rng(seed)
    wave = np.tile(3 * np.sin(np.arange(rows) * 2 * np.pi / 24), n)
    return pd.DataFrame(
        {
            "unique_id": np.repeat([chr(97 + i) for i in range(n)], rows),
            "ds": np.tile(pd.date_range(start, periods=rows, freq="h"), n),
            "y": wave + scale * rng.normal(size=n * rows),
        }
    )


def fit_silently(detector: AnomalyDetector, frame: pd.DataFrame, **how: object) -> AnomalyDetector:
    """Fitted; that short histories make some procedures blind is no news here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*calibration scores.*")
        return detector.fit(frame, **how)


def naive(**chosen: object) -> AnomalyDetector:
    return AnomalyDetector(**({"forecaster": tsf.SeasonalNaive(horizon=3), **EXTREME, "context_length": 30} | chosen))


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[AnomalyDetector, dict]]:
    """Each variant, and its state after fit."""
    made = {name: fit_silently(naive(**chosen), history()) for name, chosen in VARIANTS.items()}
    return {name: (detector, detector.state) for name, detector in made.items()}


@pytest.fixture
def detector(fitted):
    """Fresh after fit: a new forecast at each row."""
    made, initial = fitted["each row a new forecast"]
    made.state = initial
    return made


def at(hours: float) -> pd.Timestamp:
    """So many hours after the last row of history."""
    return pd.Timestamp("2024-01-01") + (T - 1 + hours) * HOUR


def same(left: list, right: list) -> bool:
    """Decisions alike to the last bit, NaN like NaN."""
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        a, b = ([getattr(x, name) for name in x.__slots__] for x in (one, other))
        assert repr(a) == repr(b)
    return True


def p_of(p_value, y, marginals, arrays=None, series=None):
    """p-values of rows, by default each of a series of its own."""
    y = np.atleast_1d(np.asarray(y, dtype=float))
    series = np.arange(len(y)) if series is None else series
    return np.exp(p_value.log_p(p_value.start(len(y)) if arrays is None else arrays, series, y, marginals))
