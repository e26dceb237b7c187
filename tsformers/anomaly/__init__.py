"""Anomalies: p-values of what is seen, and alarms with a guarantee."""
