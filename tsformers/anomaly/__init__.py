"""Anomaly detection: p-values of values under their forecasts, and alarms with a controlled rate of false ones."""

from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.decisions import Decision
from tsformers.anomaly.detector import AnomalyDetector
from tsformers.anomaly.forecast_cache import marginals_of
from tsformers.anomaly.p_values import PValue, warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.distributions.marginals import Marginals
from tsformers.plotting.alarms import alarm_chart

__all__ = [
    "AnomalyDetector",
    "ConformalP",
    "Decision",
    "Marginals",
    "PValue",
    "PredictiveP",
    "alarm_chart",
    "marginals_of",
    "warn_if_blind",
]


def __getattr__(name: str) -> object:
    if name == "Law":
        raise AttributeError("tsformers.anomaly.Law is now Marginals, and Law.of(forecast, step) is marginals_of")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
