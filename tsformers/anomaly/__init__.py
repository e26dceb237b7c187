"""Anomalies: p-values of what is seen, and alarms with a guarantee."""

from tsformers.anomaly.conformal import ConformalP
from tsformers.anomaly.decisions import Decision
from tsformers.anomaly.detector import AnomalyDetector
from tsformers.anomaly.p_values import PValue, warn_if_blind
from tsformers.anomaly.predictive import PredictiveP
from tsformers.distributions.marginals import Law
from tsformers.plotting.alarms import alarm_chart

__all__ = ["AnomalyDetector", "ConformalP", "Decision", "Law", "PValue", "PredictiveP", "alarm_chart", "warn_if_blind"]
